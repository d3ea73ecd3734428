using Npgsql;

namespace Camino.Releases;

/// <summary>Where the fence stands.</summary>
/// <param name="Lowest">The oldest release that may have effects: the current one.</param>
/// <param name="Highest">The newest that may take work; above <paramref name="Lowest"/> while a deploy is being tried.</param>
public sealed record FencePlace(long Lowest, long Highest, DateTimeOffset MovedAt, string MovedBy);

/// <summary>One release that was ever seen or admitted.</summary>
/// <param name="State">current, waiting or retired.</param>
/// <param name="SchemaOldest">Versions of the schema that it works on; null when it was never started.</param>
public sealed record ReleaseLine(long Number, string Name, string Revision, string? Image, string State, int? SchemaOldest, int? SchemaNewest, DateTimeOffset? PromotedAt, string? PromotedBy, DateTimeOffset? RetiredAt, int Alive);

/// <summary>One start of one process.</summary>
/// <param name="State">serving, waiting, retired, draining, ended, or gone when it has not given a sign of life for 30 seconds.</param>
/// <param name="SilentSeconds">Since its last sign of life, by the database's clock.</param>
public sealed record ProcessLine(Guid Id, long ReleaseNumber, string Release, string? Image, string Role, string Host, int Pid, string Address, string State, int RunningJobs, DateTimeOffset StartedAt, DateTimeOffset SeenAt, double SilentSeconds);

/// <summary>Fence, releases and processes at one moment.</summary>
/// <param name="Fence">Null: none was ever set, and every release may work.</param>
public sealed record ServerOverview(FencePlace? Fence, IReadOnlyList<ReleaseLine> Releases, IReadOnlyList<ProcessLine> Processes);

/// <summary>Reads which release runs where.</summary>
public sealed class ListServers(NpgsqlDataSource source)
{
    /// <summary>The newest so many releases and processes are shown; those that ended more than an hour ago are not.</summary>
    public const int Most = 200;

    private const string FenceText = "select lowest, highest, moved_at, moved_by from jobs.fence";

    private const string ReleasesText = """
        select r.number, r.name, r.revision, r.image, camino.release_state(r.number), r.schema_oldest, r.schema_newest, r.promoted_at, r.promoted_by, r.retired_at,
               (select count(*)::int from camino.processes p
                where p.release_number = r.number and p.state <> 'ended' and p.seen_at > clock_timestamp() - make_interval(secs => $2))
        from camino.releases r
        order by r.number desc
        limit $1
        """;

    private const string ProcessesText = """
        select p.id, p.release_number, p.release, p.image, p.role, p.host, p.pid, p.address,
               case when p.state <> 'ended' and p.seen_at < clock_timestamp() - make_interval(secs => $2) then 'gone' else p.state end,
               p.running_jobs, p.started_at, p.seen_at, extract(epoch from clock_timestamp() - p.seen_at)::float8
        from camino.processes p
        where p.seen_at > clock_timestamp() - interval '1 hour'
        order by p.state = 'ended', p.release_number desc, p.role, p.started_at desc
        limit $1
        """;

    /// <summary>Everything, newest release first.</summary>
    public async Task<ServerOverview> RunAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return new ServerOverview(await FenceAsync(connection, ct), await ReleasesAsync(connection, ct), await ProcessesAsync(connection, ct));
    }

    private static async Task<FencePlace?> FenceAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(FenceText, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new FencePlace(reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3)) : null;
    }

    private static async Task<List<ReleaseLine>> ReleasesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = Command(ReleasesText, connection);
        var releases = new List<ReleaseLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            releases.Add(new ReleaseLine(
                reader.GetInt64(0), reader.GetString(1), reader.GetString(2), Text(reader, 3), reader.GetString(4), Number(reader, 5), Number(reader, 6), Time(reader, 7), Text(reader, 8), Time(reader, 9), reader.GetInt32(10)));
        }

        return releases;
    }

    private static async Task<List<ProcessLine>> ProcessesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = Command(ProcessesText, connection);
        var processes = new List<ProcessLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            processes.Add(new ProcessLine(
                reader.GetGuid(0), reader.GetInt64(1), reader.GetString(2), Text(reader, 3), reader.GetString(4), reader.GetString(5), reader.GetInt32(6), reader.GetString(7), reader.GetString(8), reader.GetInt32(9),
                reader.GetFieldValue<DateTimeOffset>(10), reader.GetFieldValue<DateTimeOffset>(11), reader.GetDouble(12)));
        }

        return processes;
    }

    private static NpgsqlCommand Command(string text, NpgsqlConnection connection) =>
        new(text, connection) { Parameters = { new() { Value = Most }, new() { Value = (double)ProcessRegistry.GoneAfterSeconds } } };

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static int? Number(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt32(column);

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
