using System.Diagnostics.Metrics;
using Camino.Data;
using Camino.Jobs;
using Npgsql;

namespace Camino.Host.Health;

/// <summary>
/// What only the database knows, as gauges: tasks by state and queue, where the fence stands, which processes live, connections against the server's limit, the age of the
/// last backup. Asked when somebody scrapes, at most every few seconds, and never for longer than two.
/// </summary>
internal sealed class DatabaseFigures : IDisposable
{
    /// <summary>Figures younger than this are told again without asking.</summary>
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(5);

    private const string FactsText = """
        select (select lowest from jobs.fence), (select highest from jobs.fence),
               (select count(*) from pg_stat_activity where datname = current_database()),
               current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
               (select extract(epoch from now() - a.at)::float8 from camino.audit_entries a where a.subject = 'backup' order by a.id desc limit 1),
               (select version from camino.schema_info),
               pg_database_size(current_database()),
               camino.release_state($1)
        """;

    private const string ProcessesText = """
        select role, case when state <> 'ended' and seen_at < clock_timestamp() - interval '30 seconds' then 'gone' else state end as state, count(*)
        from camino.processes where state <> 'ended' and seen_at > clock_timestamp() - interval '10 minutes'
        group by 1, 2
        """;

    private readonly NpgsqlDataSource _source;
    private readonly JobStore _jobs;
    private readonly TimeProvider _clock;
    private readonly Meter _meter;
    private readonly SemaphoreSlim _one = new(1, 1);
    private long _askedAt;
    private bool _asked;
    private volatile Facts? _facts;

    public DatabaseFigures(NpgsqlDataSource source, JobStore jobs, TimeProvider clock, IMeterFactory meters)
    {
        _source = source;
        _jobs = jobs;
        _clock = clock;
        _meter = meters.Create("Camino");
        _meter.CreateObservableGauge("camino.tasks", () => (_facts?.Queues ?? []).SelectMany(Tasks), "{job}", "Tasks by state and queue; counts stop at 100,000.");
        _meter.CreateObservableGauge("camino.tasks.oldest_age", () => (_facts?.Queues ?? []).Select(queue => new Measurement<double>(queue.OldestAge?.TotalSeconds ?? 0, Tag("queue", queue.Queue))), "s", "How long the oldest due task of a queue has waited.");
        _meter.CreateObservableGauge("camino.tasks.unserved", () => (_facts?.Queues ?? []).Select(queue => new Measurement<int>(queue is { Served: false, Ready: > 0 } ? 1 : 0, Tag("queue", queue.Queue))), "{queue}", "1: tasks wait and no living server serves their queue.");
        _meter.CreateObservableGauge("camino.kinds.unserved", () => (_facts?.Unserved ?? []).Select(kind => new Measurement<long>(kind.Jobs, Tag("kind", kind.Kind))), "{job}", "Tasks that no living server can run, by kind.");
        _meter.CreateObservableGauge("camino.fence.lowest", () => _facts?.Lowest ?? 0, "{release}", "The release that has the work; 0: no fence was ever set.");
        _meter.CreateObservableGauge("camino.fence.highest", () => _facts?.Highest ?? 0, "{release}", "The newest release that may take work.");
        _meter.CreateObservableGauge("camino.release.number", () => (long)Release.Number, "{release}", "This process's release.");
        _meter.CreateObservableGauge("camino.release.retired", () => _facts?.State == ReleaseState.Retired ? 1 : 0, "{process}", "1: this process's release is retired.");
        _meter.CreateObservableGauge("camino.processes", () => (_facts?.Processes ?? []).Select(line => new Measurement<long>(line.Count, Tag("role", line.Role), Tag("state", line.State))), "{process}", "Processes by role and state.");
        _meter.CreateObservableGauge("camino.database.connections", () => _facts?.Connections ?? 0, "{connection}", "Connections to the database, whoever has them.");
        _meter.CreateObservableGauge("camino.database.connections_limit", () => _facts?.Limit ?? 0, "{connection}", "Connections that the server takes.");
        _meter.CreateObservableGauge("camino.database.size", () => _facts?.Bytes ?? 0, "By", "Size of the database.");
        _meter.CreateObservableGauge("camino.database.schema", () => _facts?.Schema ?? 0, "{version}", "Version of the schema.");
        _meter.CreateObservableGauge("camino.database.up", () => _facts is null ? 0 : 1, "{database}", "1: the database answered the last time it was asked.");
        _meter.CreateObservableGauge("camino.backup.age", () => _facts?.BackupAge ?? -1, "s", "Since the last backup; -1: there was none.");
    }

    /// <summary>Asks the database unless it was asked a moment ago; a database that is away leaves its last figures out.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        if (!await _one.WaitAsync(0, ct))
            return;
        try
        {
            if (_asked && _clock.GetElapsedTime(_askedAt) < s_fresh)
                return;
            _asked = true;
            _askedAt = _clock.GetTimestamp();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(2));
            _facts = await ReadAsync(limit.Token);
        }
        catch (Exception silent) when (silent is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            _facts = null;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        _meter.Dispose();
        _one.Dispose();
    }

    private async Task<Facts> ReadAsync(CancellationToken ct)
    {
        var queues = await _jobs.QueueFiguresAsync(ct);
        var unserved = await _jobs.UnservedAsync(ct);
        await using var connection = await _source.OpenConnectionAsync(ct);
        var processes = new List<(string Role, string State, long Count)>();
        await using (var command = new NpgsqlCommand(ProcessesText, connection))
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                processes.Add((reader.GetString(0), reader.GetString(1), reader.GetInt64(2)));
        }

        await using var ask = new NpgsqlCommand(FactsText, connection) { Parameters = { new() { Value = (long)Release.Number } } };
        await using var answer = await ask.ExecuteReaderAsync(ct);
        await answer.ReadAsync(ct);
        return new Facts(
            queues, unserved, processes, answer.IsDBNull(0) ? 0 : answer.GetInt64(0), answer.IsDBNull(1) ? 0 : answer.GetInt64(1), answer.GetInt64(2), answer.GetInt64(3), answer.IsDBNull(4) ? -1 : answer.GetDouble(4), answer.GetInt32(5), answer.GetInt64(6), ReleaseFence.StateOf(answer.GetString(7)));
    }

    private static IEnumerable<Measurement<long>> Tasks(QueueFigures queue) =>
    [
        new(queue.Ready, Tag("queue", queue.Queue), Tag("state", "waiting")),
        new(queue.Scheduled, Tag("queue", queue.Queue), Tag("state", "scheduled")),
        new(queue.Running, Tag("queue", queue.Queue), Tag("state", "running")),
        new(queue.FailedLastHour, Tag("queue", queue.Queue), Tag("state", "failed_last_hour")),
    ];

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private sealed record Facts(
        IReadOnlyList<QueueFigures> Queues, IReadOnlyList<UnservedKind> Unserved, IReadOnlyList<(string Role, string State, long Count)> Processes, long Lowest, long Highest, long Connections, long Limit,
        double BackupAge, int Schema, long Bytes, ReleaseState State);
}
