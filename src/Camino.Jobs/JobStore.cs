using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <summary>Every statement but the insert: what pages ask, what people command, and (internally) what servers do.</summary>
public sealed partial class JobStore : IJobControl
{
    /// <summary>Where counts of a backlog stop.</summary>
    public const int CountCap = 100_000;

    /// <summary>The largest page of a list.</summary>
    public const int LargestPage = 200;

    /// <summary>Seconds after which a statement is given up.</summary>
    private const int CommandSeconds = 30;

    private readonly NpgsqlDataSource _source;
    private readonly JobClientOptions _options;
    private readonly JobSql _sql;

    /// <summary>A store on one database and schema.</summary>
    public JobStore(NpgsqlDataSource source, JobClientOptions options)
    {
        _source = source;
        _options = options;
        _sql = new JobSql(options.Schema);
    }

    internal JobSql Sql => _sql;

    /// <summary>One page of jobs, newest first, live and finished ones; without arguments and results.</summary>
    /// <param name="filter">Null fields do not limit.</param>
    /// <param name="cursor"><see cref="JobPage.Next"/> of the page before; null for the first.</param>
    /// <param name="take">1 to 200.</param>
    public async Task<JobPage> ListAsync(JobFilter filter, Guid? cursor = null, int take = 50, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, LargestPage);
        var live = filter.State is null or JobState.Waiting or JobState.Scheduled or JobState.Running or JobState.Held;
        var over = filter.State is null or JobState.Done or JobState.Failed or JobState.Cancelled;

        await using var command = Command(_sql.List);
        command.Parameters.AddWithValue("live", live);
        command.Parameters.AddWithValue("over", over);
        command.Parameters.Add(Optional("before", NpgsqlDbType.Uuid, cursor));
        command.Parameters.Add(Optional("queue", NpgsqlDbType.Text, filter.Queue));
        command.Parameters.Add(Optional("kind", NpgsqlDbType.Text, filter.Kind));
        command.Parameters.Add(Optional("state", NpgsqlDbType.Text, filter.State is { } state ? NameOf(state) : null));
        command.Parameters.AddWithValue("take", take + 1);

        var jobs = new List<JobLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var line = new Columns(reader);
            jobs.Add(new JobLine(
                line.Id("id"), StateNamed(line.Text("state")), line.Text("queue"), line.Text("kind"), line.Number("attempt"), line.Number("max_attempts"),
                line.TextOrNull("requested_by"), line.Time("enqueued_at"), line.Time("due_at"), line.TimeOrNull("started_at"), line.TimeOrNull("finished_at"),
                line.TextOrNull("server"), line.Flag("cancel_requested"), line.TextOrNull("error"), line.Progress()));
        }
        if (jobs.Count <= take)
            return new JobPage(jobs, Next: null);
        jobs.RemoveAt(take);
        return new JobPage(jobs, jobs[^1].Id);
    }

    /// <summary>Everything about one job, or null when there is none with that id.</summary>
    public async Task<JobDetail?> GetAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        // The job first: its attempts are stored in the statement that changes its state, so what is read next is at least as new.
        return await ReadDetailAsync(connection, id, ct) is { } job
            ? job with { Attempts = await AttemptsAsync(connection, id, ct), Log = await LogAsync(connection, id, ct) }
            : null;
    }

    /// <summary>Figures of every queue that has jobs, is served or is paused; the cost does not grow with the backlog or the history.</summary>
    public async Task<IReadOnlyList<QueueFigures>> QueueFiguresAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.Figures);
        command.Parameters.AddWithValue("cap", CountCap);
        var figures = new List<QueueFigures>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            figures.Add(new QueueFigures(
                reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4),
                reader.IsDBNull(5) ? null : TimeSpan.FromSeconds(reader.GetDouble(5)), reader.GetBoolean(6), reader.GetBoolean(7))
            { Held = reader.GetInt64(8) });
        }
        return figures;
    }

    /// <summary>The servers that are alive, and the latest that are not; at most 200, newest start first.</summary>
    public async Task<IReadOnlyList<JobServerLine>> ServersAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.Servers);
        var servers = new List<JobServerLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var row = new Columns(reader);
            servers.Add(new JobServerLine(
                row.Id("id"), row.Text("name"), row.Text("release"), row.Long("number"), row.Text("state"), row.Number("slots"), row.Number("running"),
                row.Texts("queues"), row.Time("started_at"), row.Time("beat_at"), TimeSpan.FromSeconds(row.Double("silent"))));
        }
        return servers;
    }

    /// <summary>Kinds that wait while no living server knows them, at most 100: the alarm for a job newer than every worker, or a queue that nobody serves.</summary>
    public async Task<IReadOnlyList<UnservedKind>> UnservedAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.Unserved);
        var unserved = new List<UnservedKind>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            unserved.Add(new UnservedKind(reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3)));
        return unserved;
    }

    /// <summary>Cancels a waiting job at once; asks the server of a running one, whose token fires within 2 seconds.</summary>
    /// <param name="by">The user who cancels, 1 to 200 characters.</param>
    /// <param name="reason">Why, 1 to 500 characters, or null.</param>
    public async Task<JobCommandOutcome> RequestCancelAsync(Guid id, string by, string? reason, CancellationToken ct = default)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        JobNames.Text(reason, nameof(reason), 500);
        while (true)
        {
            await using (var command = Command(_sql.RequestCancel))
            {
                command.Parameters.AddWithValue("id", id);
                command.Parameters.AddWithValue("by", by);
                command.Parameters.Add(Optional("reason", NpgsqlDbType.Text, reason));
                AddWake(command);
                if (await command.ExecuteScalarAsync(ct) is string outcome)
                {
                    if (outcome != "cancelled")
                        return JobCommandOutcome.Requested;
                    await ResolveAsync([id], ct);
                    return JobCommandOutcome.Done;
                }
            }
            // Neither matched: over, unknown, or claimed or given back in this very moment. Only the last is worth asking again.
            if (await StateOfAsync(id, ct) is not { } state)
                return JobCommandOutcome.NotFound;
            if (state is JobState.Done or JobState.Failed or JobState.Cancelled)
                return JobCommandOutcome.WrongState;
        }
    }

    /// <summary>Gives a failed or cancelled job one attempt more, at once; a scheduled one is due now.</summary>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    public async Task<JobCommandOutcome> RetryAsync(Guid id, string by, CancellationToken ct = default)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        try
        {
            await using var command = Command(_sql.Retry);
            command.Parameters.AddWithValue("id", id);
            command.Parameters.AddWithValue("by", by);
            AddWake(command);
            if (await command.ExecuteScalarAsync(ct) is string)
                return JobCommandOutcome.Done;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return JobCommandOutcome.KeyTaken;
        }
        return await StateOfAsync(id, ct) is null ? JobCommandOutcome.NotFound : JobCommandOutcome.WrongState;
    }

    /// <summary>Notes that somebody has seen a failed job, so that it need not be kept longer than others.</summary>
    public async Task<JobCommandOutcome> AcknowledgeAsync(Guid id, string by, CancellationToken ct = default)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        await using var command = Command(_sql.Acknowledge);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("by", by);
        if (await command.ExecuteNonQueryAsync(ct) == 1)
        {
            // What waited for it to be done waits no more.
            await ResolveAsync([id], ct);
            return JobCommandOutcome.Done;
        }
        return await StateOfAsync(id, ct) is null ? JobCommandOutcome.NotFound : JobCommandOutcome.WrongState;
    }

    /// <summary>Nobody takes from this queue until it is resumed; what runs goes on.</summary>
    public Task PauseQueueAsync(string queue, string by, string? reason = null, CancellationToken ct = default) =>
        PauseAsync("queue", JobNames.Queue(queue), by, reason, ct);

    /// <summary>Nobody takes jobs of this kind until it is resumed; what runs goes on.</summary>
    public Task PauseKindAsync(string kind, string by, string? reason = null, CancellationToken ct = default) =>
        PauseAsync("kind", JobNames.Kind(kind), by, reason, ct);

    /// <summary>Takes from the queue again; true when it was paused.</summary>
    public Task<bool> ResumeQueueAsync(string queue, CancellationToken ct = default) => ResumeAsync("queue", JobNames.Queue(queue), ct);

    /// <summary>Takes jobs of the kind again; true when it was paused.</summary>
    public Task<bool> ResumeKindAsync(string kind, CancellationToken ct = default) => ResumeAsync("kind", JobNames.Kind(kind), ct);

    /// <summary>What is paused.</summary>
    public async Task<IReadOnlyList<JobPause>> PausedAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.Paused);
        var paused = new List<JobPause>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            paused.Add(new JobPause(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3), TextAt(reader, 4)));
        return paused;
    }

    /// <summary>Says which releases may take work and have effects: those from <paramref name="lowest"/> to <paramref name="highest"/>.</summary>
    public async Task MoveFenceAsync(long lowest, long highest, string by, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lowest, highest);
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        await using var command = Command(_sql.MoveFence);
        command.Parameters.AddWithValue("lowest", lowest);
        command.Parameters.AddWithValue("highest", highest);
        command.Parameters.AddWithValue("by", by);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Deletes one bounded batch of history that has had its time, with its attempts, progress and checkpoints.</summary>
    /// <param name="keepDays">Days that done, cancelled and acknowledged failed jobs are kept, 1 or more.</param>
    /// <param name="keepFailedDays">Days that other failed jobs are kept, 1 or more.</param>
    /// <param name="most">The most rows of one batch, 1 to 10,000.</param>
    /// <returns>Rows deleted; fewer than <paramref name="most"/> means that nothing is left to prune.</returns>
    public async Task<long> PruneAsync(int keepDays, int keepFailedDays, int most = 1000, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keepDays, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(keepFailedDays, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 10_000);
        await using (var servers = Command(_sql.PruneServers))
            await servers.ExecuteNonQueryAsync(ct);
        await using var command = Command(_sql.Prune);
        command.Parameters.AddWithValue("days", keepDays);
        command.Parameters.AddWithValue("failedDays", Math.Max(keepDays, keepFailedDays));
        command.Parameters.AddWithValue("most", most);
        return await command.ExecuteScalarAsync(ct) is long count ? count : 0;
    }

    private async Task PauseAsync(string scope, string name, string by, string? reason, CancellationToken ct)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        JobNames.Text(reason, nameof(reason), 500);
        await using var command = Command(_sql.Pause);
        command.Parameters.AddWithValue("scope", scope);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("by", by);
        command.Parameters.Add(Optional("reason", NpgsqlDbType.Text, reason));
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<bool> ResumeAsync(string scope, string name, CancellationToken ct)
    {
        await using var command = Command(_sql.Resume);
        command.Parameters.AddWithValue("scope", scope);
        command.Parameters.AddWithValue("name", name);
        AddWake(command);
        return await command.ExecuteScalarAsync(ct) is string;
    }

    private async Task<JobState?> StateOfAsync(Guid id, CancellationToken ct)
    {
        await using var command = Command(_sql.StateOf);
        command.Parameters.AddWithValue("id", id);
        return await command.ExecuteScalarAsync(ct) is string state ? StateNamed(state) : null;
    }

    private async Task<JobDetail?> ReadDetailAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql.Get, connection) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("id", id);
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return null;

        var row = new Columns(reader);
        return new JobDetail(
            row.Id("id"), StateNamed(row.Text("state")), row.Text("queue"), row.Text("kind"), row.Number("version"), row.Number("attempt"),
            row.Number("max_attempts"), row.TextOrNull("requested_by"), row.Time("enqueued_at"), row.Time("due_at"), row.TimeOrNull("expires_at"),
            row.TimeOrNull("started_at"), row.TimeOrNull("finished_at"), row.TextOrNull("server"), row.Cancellation(), row.TextOrNull("unique_key"),
            TraceIdOf(row.TextOrNull("traceparent")), row.Text("args"), row.TextOrNull("result"), row.TextOrNull("error"),
            row.TimeOrNull("acknowledged_at"), row.TextOrNull("acknowledged_by"), row.Progress(), Attempts: []);
    }

    private async Task<IReadOnlyList<JobAttempt>> AttemptsAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql.GetAttempts, connection) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("id", id);
        var attempts = new List<JobAttempt>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var row = new Columns(reader);
            attempts.Add(new JobAttempt(
                row.Number("number"), row.Text("outcome"), row.TimeOrNull("started_at"), row.Time("ended_at"), row.TextOrNull("server"), row.TextOrNull("error")));
        }
        return attempts;
    }

    private async Task<IReadOnlyList<JobLogLine>> LogAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql.GetLog, connection) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("id", id);
        var lines = new List<JobLogLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            lines.Add(new JobLogLine(reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt32(1), reader.GetString(2)));
        return lines;
    }

    private void AddWake(NpgsqlCommand command)
    {
        command.Parameters.AddWithValue("wake", _options.Notify);
        command.Parameters.AddWithValue("channel", _sql.Channel);
    }

    internal static string? TraceIdOf(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, out var context) ? context.TraceId.ToHexString() : null;

    private static string NameOf(JobState state) => state switch
    {
        JobState.Waiting => "waiting",
        JobState.Scheduled => "scheduled",
        JobState.Running => "running",
        JobState.Done => "done",
        JobState.Failed => "failed",
        JobState.Cancelled => "cancelled",
        JobState.Held => "held",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "There is no such state."),
    };

    private static JobState StateNamed(string name) => Enum.Parse<JobState>(name, ignoreCase: true);

    /// <summary>Columns by name, so that a list and its statement cannot drift apart unseen.</summary>
    private readonly struct Columns(NpgsqlDataReader reader)
    {
        public Guid Id(string name) => reader.GetGuid(reader.GetOrdinal(name));

        public string Text(string name) => reader.GetString(reader.GetOrdinal(name));

        public string[] Texts(string name) => reader.GetFieldValue<string[]>(reader.GetOrdinal(name));

        public string? TextOrNull(string name) => TextAt(reader, reader.GetOrdinal(name));

        public int Number(string name) => reader.GetInt32(reader.GetOrdinal(name));

        public long Long(string name) => reader.GetInt64(reader.GetOrdinal(name));

        public double Double(string name) => reader.GetDouble(reader.GetOrdinal(name));

        public bool Flag(string name) => reader.GetBoolean(reader.GetOrdinal(name));

        public DateTimeOffset Time(string name) => reader.GetFieldValue<DateTimeOffset>(reader.GetOrdinal(name));

        public DateTimeOffset? TimeOrNull(string name) => reader.IsDBNull(reader.GetOrdinal(name)) ? null : Time(name);

        public JobProgress? Progress() => reader.IsDBNull(reader.GetOrdinal("done"))
            ? null
            : new JobProgress(Long("done"), reader.IsDBNull(reader.GetOrdinal("total")) ? null : Long("total"), TextOrNull("message"));

        public JobCancellation? Cancellation() => TimeOrNull("cancel_at") is { } at
            ? new JobCancellation(at, TextOrNull("cancel_by") ?? "", TextOrNull("cancel_reason"))
            : null;
    }
}
