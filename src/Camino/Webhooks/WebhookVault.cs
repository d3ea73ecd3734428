using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Camino.Webhooks;

/// <summary>
/// Seals the secrets of endpoints (AES-256-GCM), so that whoever signs a notice can open them and a copy of the database alone cannot. The key is derived from <c>Webhooks:Secret</c>, which both
/// halves of the system are given, and from a key that is made once and kept in the database.
/// </summary>
public sealed class WebhookVault(NpgsqlDataSource source, WebhookOptions options)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int KeyBytes = 32;

    private byte[]? _salt;

    /// <summary>Encrypts.</summary>
    internal async Task<byte[]> SealAsync(byte[] secret, CancellationToken ct)
    {
        var key = KeyOf(options.Secret, await SaltAsync(ct));
        var whole = new byte[NonceBytes + TagBytes + secret.Length];
        var nonce = whole.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, secret, whole.AsSpan(NonceBytes + TagBytes), whole.AsSpan(NonceBytes, TagBytes));
        return whole;
    }

    /// <summary>Decrypts.</summary>
    /// <exception cref="CryptographicException">it was sealed under another Webhooks:Secret, or was changed.</exception>
    internal async Task<byte[]> OpenAsync(byte[] whole, CancellationToken ct)
    {
        var salt = await SaltAsync(ct);
        try
        {
            return Open(whole, KeyOf(options.Secret, salt));
        }
        catch (AuthenticationTagMismatchException) when (options.PreviousSecret is not null)
        {
            return Open(whole, KeyOf(options.PreviousSecret, salt));
        }
    }

    private static byte[] Open(ReadOnlySpan<byte> whole, byte[] key)
    {
        var plain = new byte[whole.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(whole[..NonceBytes], whole[(NonceBytes + TagBytes)..], whole.Slice(NonceBytes, TagBytes), plain);
        return plain;
    }

    private static byte[] KeyOf(string? secret, byte[] salt) => HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret ?? "Camino.Webhooks"), KeyBytes, salt, "Camino.Webhooks.v1"u8.ToArray());

    /// <summary>Whoever seals first makes the key; everybody reads the one that was stored. Whoever only signs may not make one, and need not.</summary>
    private async Task<byte[]> SaltAsync(CancellationToken ct)
    {
        if (_salt is not null)
            return _salt;
        if (await ReadSaltAsync(ct) is { } there)
            return _salt = there;
        await using (var make = source.CreateCommand("insert into camino.webhook_keys (number, key) values (1, $1) on conflict do nothing"))
        {
            make.Parameters.Add(new NpgsqlParameter { Value = RandomNumberGenerator.GetBytes(KeyBytes) });
            await make.ExecuteNonQueryAsync(ct);
        }

        return _salt = await ReadSaltAsync(ct) ?? throw new InvalidOperationException("The key of the webhooks is not there.");
    }

    private async Task<byte[]?> ReadSaltAsync(CancellationToken ct)
    {
        await using var read = source.CreateCommand("select key from camino.webhook_keys where number = 1");
        return await read.ExecuteScalarAsync(ct) as byte[];
    }
}
