using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace Camino.Testing;

/// <summary>
/// This process's part of a server that others use too: a random number under which its databases are named, held as an advisory lock for
/// as long as the process lives. Databases whose number nobody holds were left by a killed process, and are dropped by the next.
/// </summary>
internal sealed class GivenServerLease
{
    private const string AllPrefix = "camino_test_";
    private readonly NpgsqlConnection _connection;

    private GivenServerLease(NpgsqlConnection connection, long number)
    {
        _connection = connection;
        Prefix = PrefixOf(number);
    }

    public string Prefix { get; }

    public string ServerVersion => $"PostgreSQL {_connection.PostgreSqlVersion}";

    public static async Task<GivenServerLease> TakeAsync(string connectionString)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, GssEncryptionMode = GssEncryptionMode.Disable, KeepAlive = 30 };
        var connection = new NpgsqlConnection(text.ConnectionString);
        await connection.OpenAsync();
        await RemoveLeftoversAsync(connection);

        var number = long.Parse(RandomNumberGenerator.GetHexString(12), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        await TryLockAsync(connection, number);
        return new GivenServerLease(connection, number);
    }

    /// <summary>Drops every database of this process and lets go.</summary>
    public void Release()
    {
        NpgsqlConnection.ClearAllPools();
        DropAllAsync(_connection, Prefix).GetAwaiter().GetResult();
        _connection.Dispose();
    }

    internal static async Task RemoveLeftoversAsync(NpgsqlConnection connection)
    {
        foreach (var database in await NamesAsync(connection, AllPrefix))
        {
            var number = database[AllPrefix.Length..].Split('_')[0];
            if (!long.TryParse(number, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var holder) || !await TryLockAsync(connection, holder))
                continue;
            await DropAllAsync(connection, PrefixOf(holder));
            await using var unlock = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = holder } } };
            await unlock.ExecuteNonQueryAsync();
        }
    }

    private static string PrefixOf(long number) => $"{AllPrefix}{number.ToString("x12", CultureInfo.InvariantCulture)}_";

    private static async Task<bool> TryLockAsync(NpgsqlConnection connection, long number)
    {
        await using var take = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = number } } };
        return await take.ExecuteScalarAsync() is true;
    }

    private static async Task DropAllAsync(NpgsqlConnection connection, string prefix)
    {
        foreach (var database in await NamesAsync(connection, prefix))
        {
            await using var drop = new NpgsqlCommand($"DROP DATABASE IF EXISTS \"{database}\" WITH (FORCE)", connection);
            await drop.ExecuteNonQueryAsync();
        }
    }

    private static async Task<List<string>> NamesAsync(NpgsqlConnection connection, string prefix)
    {
        await using var list = new NpgsqlCommand("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", connection) { Parameters = { new() { Value = prefix } } };
        await using var reader = await list.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync())
            names.Add(reader.GetString(0));
        return names;
    }
}
