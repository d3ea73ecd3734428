using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Camino.Borrowers;

/// <summary>
/// Seals single fields under the data-protection keys, which Keys:Secret protects, and hashes them under a key of their own (HMAC-SHA-256), so that an exact number is found
/// without being readable. The hash key is made once and kept sealed in the database; a rotation of Keys:Secret changes neither.
/// </summary>
public sealed class FieldVault(IDataProtectionProvider protection, NpgsqlDataSource source)
{
    private const string HashKeyName = "identifiers";

    private readonly IDataProtector _fields = protection.CreateProtector("Camino.Fields.v1");
    private readonly IDataProtector _keys = protection.CreateProtector("Camino.FieldKeys.v1");
    private byte[]? _hashKey;

    /// <summary>Encrypts; the same text gives another result each time.</summary>
    public byte[] Seal(string plain) => _fields.Protect(Encoding.UTF8.GetBytes(plain));

    /// <summary>Decrypts.</summary>
    /// <exception cref="CryptographicException">it was sealed under keys that are not here, or was changed.</exception>
    public string Open(byte[] sealedField) => Encoding.UTF8.GetString(_fields.Unprotect(sealedField));

    /// <summary>The keyed hash of a number's digits: the same for the same digits, and no use without the key.</summary>
    public async Task<byte[]> HashAsync(string digits, CancellationToken ct) =>
        HMACSHA256.HashData(_hashKey ??= await HashKeyAsync(ct), Encoding.UTF8.GetBytes(digits));

    /// <summary>Whoever comes first makes the key; everybody reads the one that was stored.</summary>
    private async Task<byte[]> HashKeyAsync(CancellationToken ct)
    {
        await using (var make = source.CreateCommand("insert into camino.field_keys (name, sealed) select $1, $2 where not exists (select from camino.field_keys where name = $1) on conflict do nothing"))
        {
            make.Parameters.Add(new NpgsqlParameter { Value = HashKeyName });
            make.Parameters.Add(new NpgsqlParameter { Value = _keys.Protect(RandomNumberGenerator.GetBytes(32)) });
            await make.ExecuteNonQueryAsync(ct);
        }

        await using var read = source.CreateCommand("select sealed from camino.field_keys where name = $1");
        read.Parameters.Add(new NpgsqlParameter { Value = HashKeyName });
        return _keys.Unprotect((byte[])(await read.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException("The key of the hashes is not there.")));
    }
}
