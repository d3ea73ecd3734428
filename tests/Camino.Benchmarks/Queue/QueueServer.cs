using System.Globalization;
using Camino.Host.Local;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>A durable PostgreSQL of the bench's own, the same for all contenders, and what it has done since.</summary>
internal sealed class QueueServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly LocalPostgres _postgres;
    private readonly NpgsqlDataSource _maintenance;
    private readonly int _postmaster;
    private int _databases;

    private QueueServer(string folder, LocalPostgres postgres, int postmaster)
    {
        _folder = folder;
        _postgres = postgres;
        _postmaster = postmaster;
        _maintenance = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.ConnectionString("postgres")) { ApplicationName = "bench", CommandTimeout = 300 });
    }

    /// <summary>What it is, for people.</summary>
    public string Description => _postgres.Description;

    /// <summary>Starts it with fsync on and with the counter of statements.</summary>
    /// <param name="mostConnections">What the server admits; null leaves it at PostgreSQL's own 100.</param>
    public static async Task<QueueServer> StartAsync(Report report, CancellationToken ct, int? mostConnections = null)
    {
        var folder = Bed.NewFolder();
        try
        {
            // others may pass through, because PostgreSQL's user must
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            report.Say("starting PostgreSQL");
            var options = new LocalPostgresOptions { Folder = Path.Combine(folder, "pg"), PackageFolder = Path.Combine(folder, "postgres"), Say = report.Say };
            // Started twice: the counter of statements must be loaded with the server.
            await using (var first = await LocalPostgres.StartAsync(options, ct))
            {
                await using var source = NpgsqlDataSource.Create(first.ConnectionString("postgres"));
                await using var load = source.CreateCommand("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
                await load.ExecuteNonQueryAsync(ct);
                if (mostConnections is { } most)
                    await RunAsync(source, $"ALTER SYSTEM SET max_connections = {most.ToString(CultureInfo.InvariantCulture)}", ct);
            }
            var postgres = await LocalPostgres.StartAsync(options, ct);
            var pidFile = new[] { Path.Combine(folder, "pg", "data", "postmaster.pid") }.FirstOrDefault(File.Exists)
                ?? throw new BenchFailedException("This PostgreSQL does not run as a process of this machine.");
            var server = new QueueServer(folder, postgres, int.Parse((await File.ReadAllLinesAsync(pidFile, ct))[0], CultureInfo.InvariantCulture));
            await RunAsync(server._maintenance, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", ct);
            return server;
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>An empty database, and the dirty pages of the last one written.</summary>
    public async Task<string> NewDatabaseAsync(CancellationToken ct)
    {
        if (_databases > 0)
            await RunAsync(_maintenance, $"DROP DATABASE IF EXISTS bench{_databases.ToString(CultureInfo.InvariantCulture)} WITH (FORCE)", ct);
        var name = $"bench{(++_databases).ToString(CultureInfo.InvariantCulture)}";
        await RunAsync(_maintenance, $"CREATE DATABASE {name}", ct);
        await RunAsync(_maintenance, "CHECKPOINT", ct);
        return new NpgsqlConnectionStringBuilder(_postgres.ConnectionString(name)) { ApplicationName = "bench" }.ConnectionString;
    }

    /// <summary>What was done so far, by the server and by one more process.</summary>
    public async Task<Spent> SpentAsync(int? client, CancellationToken ct)
    {
        var database = $"bench{_databases.ToString(CultureInfo.InvariantCulture)}";
        await using var command = _maintenance.CreateCommand($"""
            SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_lsn() - '0/0'::pg_lsn, pg_database_size('{database}'),
                   (SELECT coalesce(sum(s.calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = '{database}')
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new Spent(
            reader.GetInt64(0), (double)reader.GetDecimal(1), reader.GetInt64(2), (double)reader.GetDecimal(3), ProcessorTime.OfServer(_postmaster),
            client is { } pid ? ProcessorTime.Of(pid) : 0);
    }

    /// <summary>Connections to the database in use, without the bench's own.</summary>
    public async Task<long> ConnectionsAsync(CancellationToken ct)
    {
        var database = $"bench{_databases.ToString(CultureInfo.InvariantCulture)}";
        await using var command = _maintenance.CreateCommand($"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name <> 'bench'");
        return await command.ExecuteScalarAsync(ct) is long count ? count : 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _maintenance.DisposeAsync();
        await _postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task RunAsync(NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>Counters at one moment.</summary>
/// <param name="WritingCommits">Transaction ids given out: one for each transaction that wrote.</param>
/// <param name="WalBytes">Written to the log.</param>
/// <param name="DatabaseBytes">On disk.</param>
/// <param name="Statements">As PostgreSQL counts them, BEGIN and COMMIT included.</param>
/// <param name="ServerSeconds">Processor time of the server and all its processes.</param>
/// <param name="ClientSeconds">Processor time of the contender's process.</param>
internal sealed record Spent(long WritingCommits, double WalBytes, long DatabaseBytes, double Statements, double ServerSeconds, double ClientSeconds)
{
    public static Spent operator -(Spent later, Spent earlier) => new(
        later.WritingCommits - earlier.WritingCommits, later.WalBytes - earlier.WalBytes, later.DatabaseBytes - earlier.DatabaseBytes,
        later.Statements - earlier.Statements, later.ServerSeconds - earlier.ServerSeconds, later.ClientSeconds - earlier.ClientSeconds);
}

/// <summary>Processor time as the kernel counts it, in hundredths of a second.</summary>
internal static class ProcessorTime
{
    private const double TicksPerSecond = 100;

    /// <summary>Of one process with all its threads.</summary>
    public static double Of(int pid) => Read(pid) is { } own ? own.Own / TicksPerSecond : 0;

    /// <summary>Of PostgreSQL's first process, of those that live and of those that have ended.</summary>
    public static double OfServer(int postmaster)
    {
        var ticks = Read(postmaster) is { } first ? first.Own + first.Ended : 0;
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Read(pid) is { } process && process.Parent == postmaster)
                ticks += process.Own;
        }
        return ticks / TicksPerSecond;
    }

    private static (int Parent, long Own, long Ended)? Read(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), Ticks(11) + Ticks(12), Ticks(13) + Ticks(14));
            long Ticks(int field) => long.Parse(fields[field], CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
