using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
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
    private readonly ILogger _logger;

    /// <summary>A store on one database and schema.</summary>
    /// <param name="logger">Where each job that somebody acts on is noted; null: nowhere.</param>
    public JobStore(NpgsqlDataSource source, JobClientOptions options, ILogger<JobStore>? logger = null)
    {
        _logger = logger ?? NullLogger<JobStore>.Instance;
        _source = source;
        _options = options;
        _sql = new JobSql(options.Schema);
    }

    internal JobSql Sql => _sql;

    /// <summary>Whether the statements of <see cref="RunBatchAsync"/> are prepared, see <see cref="JobConnections"/>.</summary>
    internal bool KeepsStatements { get; init; }

    /// <summary>Everything about one job, or null when there is none with that id.</summary>
    public async Task<JobDetail?> GetAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        // The job first: its attempts are stored in the statement that changes its state, so what is read next is at least as new.
        return await ReadDetailAsync(connection, id, ct) is { } job
            ? await BesideAsync(connection, job with { Attempts = await AttemptsAsync(connection, id, ct), Log = await LogAsync(connection, id, ct) }, ct)
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
                row.Id("id"), row.Text("name"), row.Text("role"), row.Text("release"), row.Long("number"), row.Text("state"), row.Number("slots"), row.Number("running"),
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
                    JobLog.Commanded(_logger, id, outcome == "cancelled" ? "cancelled" : "to be cancelled");
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
        if ((await ApplyAsync(new JobCommand(JobAction.Retry, by), [id], ct)).Done == 1)
            return JobCommandOutcome.Done;
        return await StateOfAsync(id, ct) switch
        {
            null => JobCommandOutcome.NotFound,
            JobState.Failed or JobState.Cancelled => JobCommandOutcome.KeyTaken,
            _ => JobCommandOutcome.WrongState,
        };
    }

    /// <summary>A scheduled job is due now; its limit and what it waits for stand.</summary>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    public Task<JobCommandOutcome> RunNowAsync(Guid id, string by, CancellationToken ct = default) => OneAsync(new JobCommand(JobAction.RunNow, by), id, ct);

    /// <summary>A job that does not run yet is due at another time.</summary>
    /// <param name="due">The new time; one that is past means at once.</param>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    public Task<JobCommandOutcome> ChangeDueAsync(Guid id, DateTimeOffset due, string by, CancellationToken ct = default) =>
        OneAsync(new JobCommand(JobAction.ChangeDue, by, Reason: null, due), id, ct);

    /// <summary>Notes that somebody has seen a failed job, so that it need not be kept longer than others.</summary>
    public Task<JobCommandOutcome> AcknowledgeAsync(Guid id, string by, CancellationToken ct = default) => OneAsync(new JobCommand(JobAction.Acknowledge, by), id, ct);

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

    private async Task<JobCommandOutcome> OneAsync(JobCommand command, Guid id, CancellationToken ct)
    {
        if ((await ApplyAsync(command, [id], ct)).Done == 1)
            return JobCommandOutcome.Done;
        return await StateOfAsync(id, ct) is null ? JobCommandOutcome.NotFound : JobCommandOutcome.WrongState;
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

    private async Task<JobDetail> BesideAsync(NpgsqlConnection connection, JobDetail job, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql.Beside, connection) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("id", job.Id);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? job with
            {
                Tags = reader.GetFieldValue<string[]>(0),
                ParentId = reader.IsDBNull(1) ? null : reader.GetGuid(1),
                Children = reader.GetFieldValue<Guid[]>(2),
                WaitsFor = reader.GetFieldValue<Guid[]>(3),
                WaitedForBy = reader.GetFieldValue<Guid[]>(4),
                Batch = reader.IsDBNull(5) ? null : new JobBatch(reader.GetInt32(5), reader.GetInt32(6), reader.GetInt32(7), reader.GetInt32(8)),
                LimitKey = TextAt(reader, 9),
                Schedule = TextAt(reader, 10),
                PlannedAt = reader.IsDBNull(11) ? null : reader.GetFieldValue<DateTimeOffset>(11),
            }
            : job;
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

        public Guid? IdOrNull(string name) => reader.IsDBNull(reader.GetOrdinal(name)) ? null : Id(name);

        public JobState? StateOrNull(string name) => TextOrNull(name) is { } state ? StateNamed(state) : null;

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
