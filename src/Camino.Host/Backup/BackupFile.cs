using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Host.Backup;

/// <summary>What stands beside a backup: enough to know what it is and whether it is whole.</summary>
/// <param name="Schema">Version of the schema in it.</param>
/// <param name="Rows">Rows of every table at the moment of the backup, by name.</param>
internal sealed record BackupManifest(DateTimeOffset MadeAt, long Release, string ReleaseName, int Schema, string Database, string ServerVersion, long Bytes, string Sha256, IReadOnlyDictionary<string, long> Rows);

/// <summary>One backup: a dump in PostgreSQL's own format, and its manifest in a file beside it.</summary>
internal static class BackupFile
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Dumps the whole database into a folder; a half-written file never carries the name of a backup.</summary>
    /// <returns>The dump's path and its manifest.</returns>
    public static async Task<(string Path, BackupManifest Manifest)> MakeAsync(NpgsqlDataSource source, NpgsqlConnectionStringBuilder at, string folder, TimeProvider clock, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var madeAt = clock.GetUtcNow();
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"camino-{madeAt.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.dump"));
        var partly = path + ".part";
        await using var holder = await source.OpenConnectionAsync(ct);
        // one snapshot for the counts and the dump, so that they speak of the same moment
        await using var snapshot = await holder.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var name = await ScalarAsync<string>(holder, "select pg_export_snapshot()", ct) ?? "";
        var rows = await RowsAsync(holder, ct);
        var schema = (await SchemaWindow.ReadAsync(holder, ct)).Version;
        await PostgresTools.RunAsync("pg_dump", at, ["--format=custom", "--compress=6", "--no-owner", "--no-privileges", "--snapshot=" + name, "--file=" + partly], ct);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(partly, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var manifest = new BackupManifest(madeAt, Release.Number, Release.Name, schema, at.Database ?? "", holder.PostgreSqlVersion.ToString(), new FileInfo(partly).Length, await HashAsync(partly, ct), rows);
        await File.WriteAllTextAsync(path + ".json", JsonSerializer.Serialize(manifest, s_json), ct);
        File.Move(partly, path);
        await snapshot.RollbackAsync(ct);
        await NoteAsync(source, "backup.made", Path.GetFileName(path), manifest, madeAt, ct);
        return (path, manifest);
    }

    /// <summary>Deletes backups that are older than so many days, but never the newest ones.</summary>
    /// <param name="keepDays">1 or more.</param>
    /// <param name="keepLeast">So many stay, however old they are; 1 or more.</param>
    /// <returns>The files that are gone.</returns>
    public static IReadOnlyList<string> Prune(string folder, int keepDays, int keepLeast, TimeProvider clock)
    {
        var gone = new List<string>();
        foreach (var dump in Directory.GetFiles(folder, "camino-*.dump").OrderDescending(StringComparer.Ordinal).Skip(keepLeast))
        {
            if (!DateTime.TryParseExact(Path.GetFileNameWithoutExtension(dump)["camino-".Length..], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var madeAt) || clock.GetUtcNow().UtcDateTime - madeAt < TimeSpan.FromDays(keepDays))
                continue;
            File.Delete(dump);
            File.Delete(dump + ".json");
            gone.Add(dump);
        }

        return gone;
    }

    /// <summary>Brings a backup into a new database of the same server and compares it with its manifest.</summary>
    /// <param name="database">1 to 63 characters; made here, and refused when it is there already.</param>
    /// <exception cref="RefusedException"><c>backup.no_file</c>, <c>backup.damaged</c>, <c>backup.schema</c>, <c>backup.there</c>, <c>backup.rows</c>.</exception>
    public static async Task<BackupManifest> RestoreAsync(string path, NpgsqlConnectionStringBuilder at, string database, CancellationToken ct)
    {
        var manifest = await CheckAsync(path, ct);
        Refuse.If(database.Length is 0 or > 63, "backup.database", FormattableString.Invariant($"--into has {database.Length} characters; a database's name has 1 to 63."));
        await using (var maintenance = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(at.ConnectionString) { Pooling = false, Database = "postgres" }.ConnectionString))
        {
            await maintenance.OpenAsync(ct);
            await using var there = new NpgsqlCommand("select exists (select from pg_database where datname = $1)", maintenance) { Parameters = { new() { Value = database } } };
            Refuse.If(await there.ExecuteScalarAsync(ct) is true, "backup.there", $"There is a database {database} already; a backup is restored into a new one, so that nothing is overwritten.");
            await using var make = new NpgsqlCommand($"create database \"{database.Replace("\"", "\"\"", StringComparison.Ordinal)}\" template template0 encoding 'UTF8'", maintenance);
            await make.ExecuteNonQueryAsync(ct);
        }

        var into = new NpgsqlConnectionStringBuilder(at.ConnectionString) { Database = database, Pooling = false };
        await PostgresTools.RunAsync("pg_restore", into, ["--no-owner", "--no-privileges", "--exit-on-error", "--dbname=" + database, path], ct);
        await using var connection = new NpgsqlConnection(into.ConnectionString);
        await connection.OpenAsync(ct);
        await Migrator.GiveRightsAsync(connection, ct);
        var rows = await RowsAsync(connection, ct);
        var wrong = manifest.Rows.Where(table => rows.GetValueOrDefault(table.Key, -1) != table.Value).Select(table => FormattableString.Invariant($"{table.Key}: {rows.GetValueOrDefault(table.Key)} instead of {table.Value}")).ToList();
        Refuse.If(wrong.Count > 0, "backup.rows", $"The restored database {database} does not hold what the backup's manifest says: {string.Join("; ", wrong)}.");
        return manifest;
    }

    /// <summary>Whether a backup is whole and one that this release reads.</summary>
    /// <exception cref="RefusedException"><c>backup.no_file</c>, <c>backup.damaged</c>, <c>backup.schema</c>.</exception>
    public static async Task<BackupManifest> CheckAsync(string path, CancellationToken ct)
    {
        Refuse.If(!File.Exists(path), "backup.no_file", $"{path}: there is no such backup.");
        Refuse.If(!File.Exists(path + ".json"), "backup.no_file", $"{path}.json is missing; without its manifest nobody knows whether the backup is whole.");
        var manifest = JsonSerializer.Deserialize<BackupManifest>(await File.ReadAllTextAsync(path + ".json", ct), s_json) ?? throw new RefusedException("backup.damaged", $"{path}.json is empty.");
        var hash = await HashAsync(path, ct);
        Refuse.If(hash != manifest.Sha256, "backup.damaged", $"{path} is not what was written: its SHA-256 is {hash} and should be {manifest.Sha256}. Take another backup.");
        Refuse.If(manifest.Schema > SchemaWindow.NewestAccepted, "backup.schema", FormattableString.Invariant($"{path} holds schema version {manifest.Schema}, and this release reads only up to {SchemaWindow.NewestAccepted}; use a newer release."));
        return manifest;
    }

    /// <summary>Rows of every table of both schemas.</summary>
    public static async Task<SortedDictionary<string, long>> RowsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var names = new List<string>();
        await using (var ask = new NpgsqlCommand("select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('camino', 'jobs') and c.relkind in ('r', 'p') and not c.relispartition order by 1", connection))
        await using (var reader = await ask.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                names.Add(reader.GetString(0));
        }

        var rows = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var name in names)
            rows[name] = await ScalarAsync<long>(connection, $"select count(*) from {name}", ct);
        return rows;
    }

    private static async Task NoteAsync(NpgsqlDataSource source, string action, string file, BackupManifest manifest, DateTimeOffset at, CancellationToken ct)
    {
        var options = new DbContextOptionsBuilder<CaminoDb>();
        Database.Configure(options, source);
        await using var db = new CaminoDb(options.Options);
        db.AuditEntries.Add(new AuditEntry(at, userId: null, action, "backup", file, JsonSerializer.Serialize(new { manifest.Bytes, manifest.Sha256, manifest.Schema })));
        await db.SaveChangesAsync(ct);
    }

    private static async Task<T?> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return (T?)await command.ExecuteScalarAsync(ct);
    }

    private static async Task<string> HashAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
    }
}
