using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Camino.Testing;

/// <summary>An authenticator and the browser around it, in software: answers what a page asks to be signed, rightly or as a thief would.</summary>
/// <remarks>Source: WebAuthn level 3, sections 5.8.1, 6.1 and 6.5; attestation "none", ES256.</remarks>
public sealed class SoftPasskey : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _id = RandomNumberGenerator.GetBytes(32);
    private string _owner = "";

    /// <summary>The page's origin, as the browser names it.</summary>
    public required string Origin { get; init; }

    /// <summary>What the authenticator takes the page's host for.</summary>
    public required string Host { get; init; }

    /// <summary>How often it signed; goes up with each answer.</summary>
    public uint Count { get; set; } = 1;

    /// <summary>Whether its owner showed a finger, a face or a PIN.</summary>
    public bool IsVerified { get; set; } = true;

    /// <summary>The answer to a page that wants a new passkey.</summary>
    public string Create(string options)
    {
        using var asked = JsonDocument.Parse(options);
        _owner = asked.RootElement.GetProperty("user").GetProperty("id").GetString() ?? "";
        var point = _key.ExportParameters(false).Q;
        byte[] cose = [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. point.X ?? [], 0x22, 0x58, 0x20, .. point.Y ?? []];
        byte[] length = [0, (byte)_id.Length];
        byte[] data = [.. Head(0x41), .. new byte[16], .. length, .. _id, .. cose];
        byte[] attestation = [0xA3, .. Text("fmt"), .. Text("none"), .. Text("attStmt"), 0xA0, .. Text("authData"), 0x58, (byte)data.Length, .. data];
        return Answer(new { clientDataJSON = Url(Client("webauthn.create", asked)), attestationObject = Url(attestation), transports = (string[])["internal"] });
    }

    /// <summary>The answer to a page that wants a signature.</summary>
    public string Sign(string options)
    {
        using var asked = JsonDocument.Parse(options);
        Count++;
        var (client, data) = (Client("webauthn.get", asked), Head(0x01));
        var signature = _key.SignData([.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Answer(new { clientDataJSON = Url(client), authenticatorData = Url(data), signature = Url(signature), userHandle = _owner });
    }

    public void Dispose() => _key.Dispose();

    private string Answer(object response) => JsonSerializer.Serialize(new { id = Url(_id), rawId = Url(_id), type = "public-key", clientExtensionResults = new { }, response });

    /// <summary>Host, flags, count.</summary>
    private byte[] Head(byte flags)
    {
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, Count);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(Host)), (byte)(flags | (IsVerified ? 0x04 : 0)), .. count];
    }

    private byte[] Client(string type, JsonDocument asked) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type, challenge = asked.RootElement.GetProperty("challenge").GetString(), origin = Origin, crossOrigin = false });

    private static byte[] Text(string text) => [(byte)(0x60 | text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static string Url(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
