namespace Camino.Jobs;

/// <content>Recurring jobs, and who looks after them.</content>
internal sealed partial class JobSql
{
    public string Lead { get; } = In(schema, LeadText);

    public string StepDown { get; } = In(schema, StepDownText);

    public string ListEntries { get; } = In(schema, ListEntriesText);

    public string UnlistEntries { get; } = In(schema, UnlistEntriesText);

    public string DueEntries { get; } = In(schema, DueEntriesText);

    public string LockEntry { get; } = In(schema, LockEntryText);

    public string LiveRuns { get; } = In(schema, LiveRunsText);

    public string NoteRun { get; } = In(schema, NoteRunText);

    public string NoteJob { get; } = In(schema, NoteJobText);

    public string MoveEntry { get; } = In(schema, MoveEntryText);

    public string Recurring { get; } = In(schema, RecurringText);

    public string RecurringRuns { get; } = In(schema, RecurringRunsText);

    public string RunEntry { get; } = In(schema, RunEntryText);

    public string DisableEntry { get; } = In(schema, DisableEntryText);

    public string EnableEntry { get; } = In(schema, EnableEntryText);

    /// <summary>Takes or renews a duty; only a server that lives and may work gets it, and only its holder gives it back.</summary>
    private const string LeadText = """
        INSERT INTO {s}.leader AS l (duty, server_id, until)
        SELECT @duty, @server, clock_timestamp() + make_interval(secs => @seconds)
        WHERE EXISTS (SELECT FROM {s}.server v WHERE v.id = @server AND v.lost_at IS NULL AND v.stopped_at IS NULL AND NOT v.draining)
          AND (NOT EXISTS (SELECT FROM {s}.fence f WHERE @number < f.lowest OR @number > f.highest)
               OR (@alsoFenced AND NOT EXISTS (
                   SELECT FROM {s}.server v, {s}.fence f
                   WHERE v.number BETWEEN f.lowest AND f.highest AND v.lost_at IS NULL AND v.stopped_at IS NULL AND v.lease_until >= clock_timestamp() AND NOT v.draining)))
        ON CONFLICT (duty) DO UPDATE
        SET server_id = excluded.server_id, until = excluded.until, since = CASE WHEN l.server_id = excluded.server_id THEN l.since ELSE clock_timestamp() END
        WHERE l.server_id = excluded.server_id OR l.until < clock_timestamp()
        RETURNING true
        """;

    private const string StepDownText = "DELETE FROM {s}.leader WHERE duty = @duty AND server_id = @server";

    /// <summary>What this release lists; a newer release's entries are left alone. A changed time is looked at anew, an unchanged one goes on where it was.</summary>
    private const string ListEntriesText = """
        INSERT INTO {s}.recurring AS r (name, kind, version, queue, max_attempts, args, cron, zone, calendar, closed, misfire, window_seconds, overlap, number, listed, disabled_at, disabled_by)
        VALUES (@name, @kind, @version, @queue, @max, @args, @cron, @zone, @calendar, @closed, @misfire, @window, @overlap, @number, true,
                CASE WHEN @enabled THEN NULL ELSE clock_timestamp() END, CASE WHEN @enabled THEN NULL ELSE 'configuration' END)
        ON CONFLICT (name) DO UPDATE
        SET kind = excluded.kind, version = excluded.version, queue = excluded.queue, max_attempts = excluded.max_attempts, args = excluded.args, cron = excluded.cron,
            zone = excluded.zone, calendar = excluded.calendar, closed = excluded.closed, misfire = excluded.misfire, window_seconds = excluded.window_seconds,
            overlap = excluded.overlap, number = excluded.number, listed = true, changed_at = clock_timestamp(),
            next_at = CASE WHEN r.listed AND (r.cron, r.zone, r.calendar, r.closed) IS NOT DISTINCT FROM (excluded.cron, excluded.zone, excluded.calendar, excluded.closed)
                           THEN r.next_at END,
            disabled_at = CASE WHEN @enabled AND r.disabled_by = 'configuration' THEN NULL WHEN @enabled THEN r.disabled_at ELSE coalesce(r.disabled_at, clock_timestamp()) END,
            disabled_by = CASE WHEN @enabled AND r.disabled_by = 'configuration' THEN NULL WHEN @enabled THEN r.disabled_by ELSE coalesce(r.disabled_by, 'configuration') END
        WHERE excluded.number >= r.number
        """;

    private const string UnlistEntriesText = """
        UPDATE {s}.recurring SET listed = false, next_at = NULL, changed_at = clock_timestamp() WHERE listed AND number <= @number AND NOT name = ANY(@names)
        """;

    private const string DueEntriesText = """
        SELECT name FROM {s}.recurring
        WHERE listed AND disabled_at IS NULL AND (next_at IS NULL OR next_at <= clock_timestamp()) ORDER BY next_at NULLS FIRST, name
        """;

    private const string LockEntryText = """
        SELECT next_at, clock_timestamp() FROM {s}.recurring
        WHERE name = @name AND listed AND disabled_at IS NULL AND number <= @number AND (next_at IS NULL OR next_at <= clock_timestamp())
        FOR UPDATE
        """;

    /// <summary>Of the last thousand that came to a job: the history of a year is not read at every tick.</summary>
    private const string LiveRunsText = """
        SELECT j.id FROM (SELECT u.job_id, u.planned_at FROM {s}.recurring_run u WHERE u.name = @name AND u.job_id IS NOT NULL ORDER BY u.planned_at DESC LIMIT 1000) r
             JOIN {s}.job j ON j.id = r.job_id ORDER BY r.planned_at DESC LIMIT 100
        """;

    /// <summary>The unique key of a tick: no row comes back when somebody else had it.</summary>
    private const string NoteRunText = """
        INSERT INTO {s}.recurring_run (name, planned_at, outcome) VALUES (@name, @planned, @outcome) ON CONFLICT (name, planned_at) DO NOTHING RETURNING true
        """;

    private const string NoteJobText = "UPDATE {s}.recurring_run SET job_id = @job WHERE name = @name AND planned_at = @planned";

    private const string MoveEntryText = "UPDATE {s}.recurring SET next_at = @next WHERE name = @name";

    private const string RecurringText = """
        SELECT r.name, r.kind, r.queue, r.cron, r.zone, r.calendar, r.closed, r.misfire, r.overlap, r.next_at, r.disabled_at, r.disabled_by, r.disabled_reason,
               l.planned_at, l.outcome, l.job_id, coalesce(f.state, CASE WHEN j.lease IS NOT NULL THEN 'running' WHEN j.id IS NOT NULL THEN 'waiting' END) AS state,
               coalesce(f.finished_at, j.claimed_at, l.at) AS at
        FROM {s}.recurring r
             LEFT JOIN LATERAL (SELECT * FROM {s}.recurring_run u WHERE u.name = r.name ORDER BY u.planned_at DESC LIMIT 1) l ON true
             LEFT JOIN {s}.finished f ON f.id = l.job_id
             LEFT JOIN {s}.job j ON j.id = l.job_id
        WHERE r.listed
        ORDER BY r.name
        LIMIT 500
        """;

    private const string RecurringRunsText = """
        SELECT u.planned_at, u.outcome, u.at, u.asked_by, u.job_id,
               coalesce(f.state, CASE WHEN j.lease IS NOT NULL THEN 'running' WHEN j.id IS NOT NULL THEN 'waiting' END) AS state, f.started_at, f.finished_at
        FROM (SELECT * FROM {s}.recurring_run WHERE name = @name ORDER BY planned_at DESC LIMIT @take) u
             LEFT JOIN {s}.finished f ON f.id = u.job_id LEFT JOIN {s}.job j ON j.id = u.job_id
        ORDER BY u.planned_at DESC
        """;

    private const string RunEntryText = """
        WITH entry AS MATERIALIZED (
            SELECT r.*, clock_timestamp() AS at FROM {s}.recurring r WHERE r.name = @name AND r.listed
        ), noted AS (
            INSERT INTO {s}.recurring_run (name, planned_at, job_id, outcome, asked_by) SELECT name, at, @id, 'by_hand', @by FROM entry
        ), stored AS (
            INSERT INTO {s}.job (id, planned_at, version, max_attempts, queue, kind, requested_by, traceparent, args)
            SELECT @id, at, version, max_attempts, queue, kind, @by, @trace, args FROM entry
            RETURNING id, queue
        )
        SELECT id, CASE WHEN @wake THEN pg_notify(@channel, queue)::text END FROM stored
        """;

    private const string DisableEntryText = """
        UPDATE {s}.recurring SET disabled_at = clock_timestamp(), disabled_by = @by, disabled_reason = @reason, next_at = NULL
        WHERE name = @name AND listed AND disabled_at IS NULL
        """;

    private const string EnableEntryText = """
        UPDATE {s}.recurring SET disabled_at = NULL, disabled_by = NULL, disabled_reason = NULL, next_at = NULL
        WHERE name = @name AND listed AND disabled_at IS NOT NULL
        """;
}
