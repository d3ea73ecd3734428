using Npgsql;

namespace Camino.Host.Local;

/// <summary>The database that a connection string names, made when it is not there.</summary>
internal static class LocalDatabase
{
    private const string DefaultName = "camino";

    /// <summary>Completes a connection string of the user's: Camino's own database name, and no search for Kerberos, unless he says otherwise.</summary>
    /// <exception cref="LocalStartException">It is not a connection string.</exception>
    public static string Complete(string connectionString)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrEmpty(builder.Database))
                builder.Database = DefaultName;
            if (!builder.ContainsKey("GSS Encryption Mode"))
                builder.GssEncryptionMode = GssEncryptionMode.Disable;
            return builder.ConnectionString;
        }
        catch (Exception broken) when (broken is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new LocalStartException($"CAMINO_DATABASE is not a connection string: {broken.Message} Write it as Host=...;Port=5432;Username=...;Password=...;Database=camino.", broken);
        }
    }

    /// <returns>Whether it was made.</returns>
    /// <exception cref="LocalStartException">The server does not answer, or refuses.</exception>
    public static async Task<bool> CreateWhenMissingAsync(string connectionString, CancellationToken ct)
    {
        var target = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        try
        {
            if (await ExistsAsync(target, ct))
                return false;

            var name = target.Database ?? DefaultName;
            target.Database = "postgres";
            await using var connection = new NpgsqlConnection(target.ConnectionString);
            await connection.OpenAsync(ct);
            var quoted = $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            await using var create = new NpgsqlCommand($"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'", connection);
            await create.ExecuteNonQueryAsync(ct);
            return true;
        }
        catch (NpgsqlException refused)
        {
            throw new LocalStartException($"The database server at {target.Host}:{target.Port} cannot be used: {refused.Message}", refused);
        }
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnectionStringBuilder target, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(target.ConnectionString);
            await connection.OpenAsync(ct);
            return true;
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            return false;
        }
    }
}
