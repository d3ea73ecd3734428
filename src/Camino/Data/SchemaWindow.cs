using Npgsql;

namespace Camino.Data;

/// <summary>Which versions of the database this release can work on: its own and, during a rollout, the next.</summary>
public static class SchemaWindow
{
    /// <summary>The version that this release's migrations make; raised by every migration.</summary>
    public const int Newest = 6;

    /// <summary>The oldest version that this release still works on.</summary>
    public const int Oldest = 4;

    /// <summary>A rollout may have migrated one further already.</summary>
    public const int NewestAccepted = Newest + 1;

    /// <summary>The version of the connected database; 0 when it was never migrated.</summary>
    public static async Task<int> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var there = new NpgsqlCommand("select to_regclass('camino.schema_info') is not null", connection);
        if (await there.ExecuteScalarAsync(ct) is not true)
            return 0;
        await using var version = new NpgsqlCommand("select version from camino.schema_info", connection);
        return await version.ExecuteScalarAsync(ct) as int? ?? 0;
    }

    /// <summary>Null when the version is inside the window, else a sentence that says which command to run.</summary>
    public static string? Refusal(int version, string configFile) =>
        version < Oldest ? $"The database's schema is version {version} and this release needs {Oldest} to {NewestAccepted}; run: camino migrate --config {configFile}"
        : version > NewestAccepted ? $"The database's schema is version {version} and this release reads only {Oldest} to {NewestAccepted}; deploy a newer release."
        : null;
}
