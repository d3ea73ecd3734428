using Npgsql;

namespace Camino.Data;

/// <summary>Which versions of the database this release can work on: its own and, during a rollout and after a way back, those of the releases after it.</summary>
/// <remarks>
/// Migrations only add, which the linter of the tests holds; what an older release needs is taken away by a contract step alone, and that is what ends the window (<see cref="SchemaState.Contracted"/>).
/// <see cref="Ahead"/> is a second bound, for a database that is further than anybody has tried.
/// </remarks>
public static class SchemaWindow
{
    /// <summary>The version that this release's migrations make; raised by every migration.</summary>
    public const int Newest = 34;

    /// <summary>The oldest version that this release works on: the pipeline migrates before it deploys.</summary>
    public const int Oldest = Newest;

    /// <summary>How many migrations the releases after this one may have brought before this one is refused.</summary>
    public const int Ahead = 20;

    /// <summary>The newest version that this release works on.</summary>
    public const int NewestAccepted = Newest + Ahead;

    /// <summary>The version of the connected database and what was taken away from it; zeros when it was never migrated.</summary>
    public static async Task<SchemaState> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var there = new NpgsqlCommand("select to_regclass('camino.schema_info') is not null, to_regclass('camino.schema_contracts') is not null", connection);
        bool migrated, contracts;
        await using (var reader = await there.ExecuteReaderAsync(ct))
        {
            await reader.ReadAsync(ct);
            (migrated, contracts) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }

        if (!migrated)
            return new SchemaState(0, 0);
        await using var state = new NpgsqlCommand(
            contracts ? "select version, coalesce((select max(c.version) from camino.schema_contracts c), 0) from camino.schema_info" : "select version, 0 from camino.schema_info", connection);
        await using var row = await state.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? new SchemaState(row.GetInt32(0), row.GetInt32(1)) : new SchemaState(0, 0);
    }

    /// <summary>Null when the schema is inside the window, else a sentence that says which command to run.</summary>
    public static string? Refusal(SchemaState schema, string configFile) =>
        schema.Version < Oldest ? $"The database's schema is version {schema.Version} and this release needs {Oldest} to {NewestAccepted}; run: camino migrate --config {configFile}"
        : schema.Version > NewestAccepted ? $"The database's schema is version {schema.Version} and this release reads only {Oldest} to {NewestAccepted}; deploy a newer release."
        : schema.Contracted > Newest ? $"What releases before schema version {schema.Contracted} need was taken away from the database, and this release is of version {Newest}; deploy a newer release."
        : null;
}

/// <summary>How far a database is.</summary>
/// <param name="Version">The newest migration; 0: never migrated.</param>
/// <param name="Contracted">Releases whose own version is lower than this find something missing; 0: nothing was taken away yet.</param>
public readonly record struct SchemaState(int Version, int Contracted);
