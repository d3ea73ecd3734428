using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Camino.Lending;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Camino.Applications;

/// <summary>
/// Seals exchanges with outside services under a public key, so that whoever works the queue writes them and cannot read them; the private key is kept under the data-protection keys, which
/// only the pages have. Each text has a key of its own (AES-256-GCM), which RSA-OAEP wraps.
/// </summary>
public sealed class ExchangeVault(NpgsqlDataSource source) : IDisposable
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly Lock _gate = new();
    private RSA? _key;

    /// <summary>Encrypts.</summary>
    /// <exception cref="RefusedException"><c>exchange.no_key</c>: nobody has made the key pair yet.</exception>
    public async Task<byte[]> SealAsync(string text, CancellationToken ct)
    {
        var rsa = _key ??= await PublicKeyAsync(ct);
        var key = RandomNumberGenerator.GetBytes(32);
        byte[] wrapped;
        lock (_gate)
            wrapped = rsa.Encrypt(key, RSAEncryptionPadding.OaepSHA256);
        var plain = Encoding.UTF8.GetBytes(text);
        var whole = new byte[2 + wrapped.Length + NonceBytes + TagBytes + plain.Length];
        BinaryPrimitives.WriteUInt16BigEndian(whole, (ushort)wrapped.Length);
        wrapped.CopyTo(whole, 2);
        var nonce = whole.AsSpan(2 + wrapped.Length, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, whole.AsSpan(2 + wrapped.Length + NonceBytes + TagBytes), whole.AsSpan(2 + wrapped.Length + NonceBytes, TagBytes));
        return whole;
    }

    /// <summary>Decrypts with the private key.</summary>
    /// <exception cref="CryptographicException">it was sealed under another key, or was changed.</exception>
    internal static string Open(RSA key, ReadOnlySpan<byte> whole)
    {
        var wrapped = BinaryPrimitives.ReadUInt16BigEndian(whole);
        var nonce = whole.Slice(2 + wrapped, NonceBytes);
        var tag = whole.Slice(2 + wrapped + NonceBytes, TagBytes);
        var cipher = whole[(2 + wrapped + NonceBytes + TagBytes)..];
        var plain = new byte[cipher.Length];
        using var aes = new AesGcm(key.Decrypt(whole.Slice(2, wrapped).ToArray(), RSAEncryptionPadding.OaepSHA256), TagBytes);
        aes.Decrypt(nonce, cipher, tag, plain);
        return Encoding.UTF8.GetString(plain);
    }

    /// <inheritdoc/>
    public void Dispose() => _key?.Dispose();

    private async Task<RSA> PublicKeyAsync(CancellationToken ct)
    {
        await using var read = source.CreateCommand("select public_key from camino.exchange_keys where number = 1");
        if (await read.ExecuteScalarAsync(ct) is not byte[] bytes)
            throw new RefusedException("exchange.no_key", "The key under which exchanges are kept is not made yet; the next application that is taken in makes it.");
        var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(bytes, out _);
        return rsa;
    }
}

/// <summary>The key pair of the exchanges, as those have it who may read them.</summary>
public sealed class ExchangeKeys(IDataProtectionProvider protection, NpgsqlDataSource source)
{
    private const int Bits = 3072;

    private readonly IDataProtector _keys = protection.CreateProtector("Camino.ExchangeKeys.v1");
    private volatile bool _isThere;

    /// <summary>Whoever comes first makes the pair; later calls of this process cost nothing.</summary>
    public async Task EnsureAsync(CancellationToken ct)
    {
        if (_isThere)
            return;
        await using (var known = source.CreateCommand("select exists (select from camino.exchange_keys where number = 1)"))
            _isThere = (bool)(await known.ExecuteScalarAsync(ct) ?? false);
        if (_isThere)
            return;
        using var rsa = RSA.Create(Bits);
        await using var make = source.CreateCommand("insert into camino.exchange_keys (number, public_key, sealed_private_key) values (1, $1, $2) on conflict do nothing");
        make.Parameters.Add(new NpgsqlParameter { Value = rsa.ExportSubjectPublicKeyInfo() });
        make.Parameters.Add(new NpgsqlParameter { Value = _keys.Protect(rsa.ExportPkcs8PrivateKey()) });
        await make.ExecuteNonQueryAsync(ct);
        _isThere = true;
    }

    /// <summary>Decrypts an exchange.</summary>
    /// <exception cref="CryptographicException">it was sealed under another key, or was changed.</exception>
    public async Task<string> OpenAsync(byte[] whole, CancellationToken ct)
    {
        await using var read = source.CreateCommand("select sealed_private_key from camino.exchange_keys where number = 1");
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(_keys.Unprotect((byte[])(await read.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException("The key of the exchanges is not there."))), out _);
        return ExchangeVault.Open(rsa, whole);
    }
}
