using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.People;

/// <summary>The secrets that protect the stored data-protection keys.</summary>
/// <param name="Secret">32 characters or more; every Back Office has the same one.</param>
/// <param name="Previous">The secret before the last rotation, or null: what it encrypted can still be read.</param>
public sealed record KeyEncryptionSecrets(string Secret, string? Previous);

/// <summary>Encrypts the keys of cookies and form tokens before they are stored: AES-256-GCM under a key derived from the secret (HKDF-SHA-256, a salt for each).</summary>
public sealed class KeyEncryptor(KeyEncryptionSecrets secrets) : IXmlEncryptor
{
    internal const int SaltBytes = 16;
    internal const int NonceBytes = 12;
    internal const int TagBytes = 16;

    /// <inheritdoc/>
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        ArgumentNullException.ThrowIfNull(plaintextElement);
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var sealedBytes = new byte[SaltBytes + NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, SaltBytes + NonceBytes));
        using var aes = new AesGcm(KeyOf(secrets.Secret, sealedBytes.AsSpan(0, SaltBytes)), TagBytes);
        aes.Encrypt(sealedBytes.AsSpan(SaltBytes, NonceBytes), plain, sealedBytes.AsSpan(SaltBytes + NonceBytes + TagBytes), sealedBytes.AsSpan(SaltBytes + NonceBytes, TagBytes));
        return new EncryptedXmlInfo(new XElement("caminoSealed", new XComment("AES-256-GCM; salt, nonce, tag, text"), new XElement("value", Convert.ToBase64String(sealedBytes))), typeof(KeyDecryptor));
    }

    internal static byte[] KeyOf(string secret, ReadOnlySpan<byte> salt) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), 32, salt.ToArray(), "Camino data-protection keys"u8.ToArray());
}

/// <summary>Reads what <see cref="KeyEncryptor"/> stored; made by the framework, which finds its name in the stored key.</summary>
public sealed class KeyDecryptor(IServiceProvider services) : IXmlDecryptor
{
    /// <inheritdoc/>
    /// <exception cref="CryptographicException">neither the secret nor the previous one fits.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        ArgumentNullException.ThrowIfNull(encryptedElement);
        var secrets = services.GetService<KeyEncryptionSecrets>() ?? throw new CryptographicException("A stored key is encrypted and Keys:Secret is not set.");
        var sealedBytes = Convert.FromBase64String(encryptedElement.Element("value")?.Value ?? "");
        if (Open(sealedBytes, secrets.Secret) is { } plain)
            return XElement.Parse(plain);
        return secrets.Previous is { } previous && Open(sealedBytes, previous) is { } older
            ? XElement.Parse(older)
            : throw new CryptographicException("A stored key was encrypted with another Keys:Secret.");
    }

    private static string? Open(byte[] sealedBytes, string secret)
    {
        const int Head = KeyEncryptor.SaltBytes + KeyEncryptor.NonceBytes + KeyEncryptor.TagBytes;
        if (sealedBytes.Length < Head)
            return null;
        var plain = new byte[sealedBytes.Length - Head];
        using var aes = new AesGcm(KeyEncryptor.KeyOf(secret, sealedBytes.AsSpan(0, KeyEncryptor.SaltBytes)), KeyEncryptor.TagBytes);
        try
        {
            aes.Decrypt(
                sealedBytes.AsSpan(KeyEncryptor.SaltBytes, KeyEncryptor.NonceBytes), sealedBytes.AsSpan(Head), sealedBytes.AsSpan(KeyEncryptor.SaltBytes + KeyEncryptor.NonceBytes, KeyEncryptor.TagBytes), plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }

        return Encoding.UTF8.GetString(plain);
    }
}
