namespace Camino.Jobs;

/// <content>What people and pages ask for and command.</content>
internal sealed partial class JobSql
{
    public string Get { get; } = In(schema, GetText);

    public string GetAttempts { get; } = In(schema, GetAttemptsText);

    public string GetLog { get; } = In(schema, GetLogText);

    public string Figures { get; } = In(schema, FiguresText);

    public string Servers { get; } = In(schema, ServersText);

    public string RequestCancel { get; } = In(schema, RequestCancelText);

    public string StateOf { get; } = In(schema, StateOfText);

    public string Pause { get; } = In(schema, PauseText);

    public string Resume { get; } = In(schema, ResumeText);

    public string Paused { get; } = In(schema, PausedText);

    public string MoveFence { get; } = In(schema, MoveFenceText);

    public string PruneServers { get; } = In(schema, PruneServersText);

    public string Unserved { get; } = In(schema, UnservedText);

    /// <summary>A server <c>v</c> lives, and nobody wants it to be quiet, to drain or, by the fence, to stand aside.</summary>
    private const string TakesWork =
        "v.lost_at IS NULL AND v.stopped_at IS NULL AND v.lease_until >= clock_timestamp() AND NOT v.draining AND v.wish IS NULL AND NOT EXISTS (SELECT FROM {s}.fence f WHERE v.number < f.lowest OR v.number > f.highest)";

    /// <summary>The state as people name it, of a row in <c>job</c>.</summary>
    private const string LiveState = "CASE WHEN j.lease IS NOT NULL THEN 'running' WHEN j.due_at = 'infinity' THEN 'held' WHEN j.due_at > now() THEN 'scheduled' ELSE 'waiting' END";

    private const string GetText = $$"""
        SELECT o.*, p.done, p.total, p.message
        FROM (
            SELECT j.id, {{LiveState}} AS state, j.queue, j.kind, j.version, j.attempt, j.max_attempts, j.requested_by, j.enqueued_at, {{LiveDue}} AS due_at,
                   j.expires_at, j.claimed_at AS started_at, NULL::timestamptz AS finished_at,
                   (SELECT v.name FROM {s}.server v WHERE v.id = j.server_id) AS server,
                   j.cancel_at, j.cancel_by, j.cancel_reason, j.unique_key, j.traceparent, j.args::text AS args, NULL::text AS result, NULL::text AS error,
                   NULL::timestamptz AS acknowledged_at, NULL::text AS acknowledged_by
            FROM {s}.job j WHERE j.id = @id
            UNION ALL
            SELECT f.id, f.state, f.queue, f.kind, f.version, f.attempt, f.max_attempts, f.requested_by, f.enqueued_at, f.due_at,
                   f.expires_at, f.started_at, f.finished_at, f.server,
                   f.cancel_at, f.cancel_by, f.cancel_reason, f.unique_key, f.traceparent, f.args::text, f.result::text, f.error,
                   f.acknowledged_at, f.acknowledged_by
            FROM {s}.finished f WHERE f.id = @id
        ) o LEFT JOIN {s}.progress p ON p.job_id = o.id
        LIMIT 1
        """;

    private const string GetAttemptsText = """
        SELECT number, outcome, started_at, ended_at, server, error FROM {s}.attempt WHERE job_id = @id ORDER BY ended_at, number LIMIT 200
        """;

    /// <summary>The latest lines, oldest first.</summary>
    private const string GetLogText = """
        SELECT at, attempt, line FROM (SELECT number, at, attempt, line FROM {s}.log WHERE job_id = @id ORDER BY number DESC LIMIT 1000) latest ORDER BY number
        """;

    /// <summary>
    /// The queues that have rows are found by hopping through the index; counts stop at <c>@cap</c>, so the cost does not grow with the backlog.
    /// </summary>
    private const string FiguresText = $$"""
        WITH RECURSIVE waiting(queue) AS (
            (SELECT queue FROM {s}.job WHERE lease IS NULL ORDER BY queue LIMIT 1)
            UNION ALL
            SELECT (SELECT j.queue FROM {s}.job j WHERE j.lease IS NULL AND j.queue > w.queue ORDER BY j.queue LIMIT 1)
            FROM waiting w WHERE w.queue IS NOT NULL
        ), running AS (
            SELECT queue, count(*) AS jobs FROM {s}.job WHERE lease IS NOT NULL GROUP BY queue
        ), broken(queue) AS (
            (SELECT queue FROM {s}.finished WHERE state = 'failed' ORDER BY queue LIMIT 1)
            UNION ALL
            SELECT (SELECT f.queue FROM {s}.finished f WHERE f.state = 'failed' AND f.queue > b.queue ORDER BY f.queue LIMIT 1)
            FROM broken b WHERE b.queue IS NOT NULL
        ), known AS (
            SELECT queue FROM waiting WHERE queue IS NOT NULL
            UNION SELECT queue FROM running
            UNION SELECT queue FROM broken WHERE queue IS NOT NULL
            UNION SELECT unnest(v.queues) FROM {s}.server v WHERE v.lost_at IS NULL AND v.stopped_at IS NULL
            UNION SELECT p.name FROM {s}.pause p WHERE p.scope = 'queue'
        )
        SELECT k.queue,
               (SELECT count(*) FROM (SELECT 1 FROM {s}.job j WHERE j.lease IS NULL AND j.queue = k.queue AND j.due_at <= now() LIMIT @cap) c) AS ready,
               (SELECT count(*) FROM (SELECT 1 FROM {s}.job j WHERE j.lease IS NULL AND j.queue = k.queue AND j.due_at > now() AND j.due_at < 'infinity' LIMIT @cap) c) AS scheduled,
               coalesce((SELECT r.jobs FROM running r WHERE r.queue = k.queue), 0) AS running,
               (SELECT count(*) FROM (SELECT 1 FROM {s}.finished f WHERE f.state = 'failed' AND f.queue = k.queue
                                       AND f.finished_at > now() - interval '1 hour' LIMIT @cap) c) AS failed,
               (SELECT greatest(extract(epoch FROM now() - j.due_at), 0)::float8 FROM {s}.job j
                WHERE j.lease IS NULL AND j.queue = k.queue AND j.due_at <= now() ORDER BY j.due_at, j.id LIMIT 1) AS oldest,
               EXISTS (SELECT FROM {s}.pause p WHERE p.scope = 'queue' AND p.name = k.queue) AS paused,
               EXISTS (SELECT FROM {s}.server v WHERE {{TakesWork}} AND k.queue = ANY(v.queues)) AS served,
               (SELECT count(*) FROM (SELECT 1 FROM {s}.job j WHERE j.lease IS NULL AND j.queue = k.queue AND j.due_at = 'infinity' LIMIT @cap) c) AS held
        FROM known k
        ORDER BY k.queue
        """;

    private const string ServersText = """
        SELECT v.id, v.name, v.role, v.release, v.number, v.slots, v.queues, v.running, v.draining, v.started_at, v.beat_at, v.lost_at, v.stopped_at,
               CASE WHEN v.stopped_at IS NOT NULL THEN 'stopped'
                    WHEN v.lost_at IS NOT NULL OR v.lease_until < clock_timestamp() THEN 'lost'
                    WHEN EXISTS (SELECT FROM {s}.fence f WHERE v.number < f.lowest OR v.number > f.highest) THEN 'retired'
                    WHEN v.draining THEN 'draining'
                    WHEN v.wish = 'quiet' THEN 'quiet'
                    WHEN v.wish = 'drain' THEN CASE WHEN v.running = 0 THEN 'drained' ELSE 'draining' END
                    ELSE 'running' END AS state,
               extract(epoch FROM clock_timestamp() - v.beat_at)::float8 AS silent
        FROM {s}.server v
        ORDER BY (v.lost_at IS NULL AND v.stopped_at IS NULL) DESC, v.started_at DESC, v.id DESC
        LIMIT 200
        """;

    /// <summary>
    /// A waiting job is cancelled at once; a running one is told through its server. The id comes back from whichever of the two matched; a job that is
    /// just being claimed matches neither, and the caller asks again.
    /// </summary>
    private const string RequestCancelText = """
        WITH gone AS (
            DELETE FROM {s}.job j WHERE j.id = @id AND j.lease IS NULL RETURNING j.*
        ), kept AS (
            INSERT INTO {s}.finished (id, due_at, enqueued_at, started_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                                      requested_by, traceparent, cancel_at, cancel_by, cancel_reason, args)
            SELECT id, due_at, enqueued_at, claimed_at, expires_at, version, attempt, max_attempts, 'cancelled', queue, kind, unique_key,
                   requested_by, traceparent, clock_timestamp(), @by, @reason, args
            FROM gone
        ), told AS (
            UPDATE {s}.job j
            SET cancel_at = coalesce(cancel_at, clock_timestamp()), cancel_by = coalesce(cancel_by, @by), cancel_reason = coalesce(cancel_reason, @reason)
            WHERE j.id = @id AND j.lease IS NOT NULL
            RETURNING j.id
        )
        SELECT 'cancelled' AS outcome, NULL::text AS woken FROM gone
        UNION ALL
        SELECT 'requested', CASE WHEN @wake THEN pg_notify(@channel, '!cancel')::text END FROM told
        """;

    private const string StateOfText = $$"""
        SELECT {{LiveState}} FROM {s}.job j WHERE j.id = @id
        UNION ALL SELECT f.state FROM {s}.finished f WHERE f.id = @id
        """;

    private const string PauseText = """
        INSERT INTO {s}.pause (scope, name, paused_by, reason) VALUES (@scope, @name, @by, @reason) ON CONFLICT (scope, name) DO NOTHING
        """;

    private const string ResumeText = """
        WITH gone AS (DELETE FROM {s}.pause WHERE scope = @scope AND name = @name RETURNING name)
        SELECT name, CASE WHEN @wake THEN pg_notify(@channel, '!all')::text END FROM gone
        """;

    private const string PausedText = "SELECT scope, name, paused_at, paused_by, reason FROM {s}.pause ORDER BY scope DESC, name";

    private const string MoveFenceText = """
        INSERT INTO {s}.fence (lowest, highest, moved_by) VALUES (@lowest, @highest, @by)
        ON CONFLICT (only_row) DO UPDATE SET lowest = excluded.lowest, highest = excluded.highest, moved_by = excluded.moved_by, moved_at = clock_timestamp()
        """;

    private const string PruneServersText = """
        DELETE FROM {s}.server v
        WHERE coalesce(v.stopped_at, v.lost_at) < now() - interval '7 days' AND NOT EXISTS (SELECT FROM {s}.job j WHERE j.server_id = v.id AND j.lease IS NOT NULL)
        """;

    /// <summary>Kinds that have waited at the head of their queue for a minute while no living server knows them: newer than every worker, or forgotten.</summary>
    private const string UnservedText = $$"""
        WITH RECURSIVE waiting(queue) AS (
            (SELECT queue FROM {s}.job WHERE lease IS NULL ORDER BY queue LIMIT 1)
            UNION ALL
            SELECT (SELECT j.queue FROM {s}.job j WHERE j.lease IS NULL AND j.queue > w.queue ORDER BY j.queue LIMIT 1)
            FROM waiting w WHERE w.queue IS NOT NULL
        ), heads AS (
            SELECT w.queue, h.kind, h.version, h.due_at
            FROM waiting w CROSS JOIN LATERAL (
                SELECT j.kind, j.version, j.due_at FROM {s}.job j
                WHERE j.lease IS NULL AND j.queue = w.queue AND j.due_at < now() - interval '1 minute'
                ORDER BY j.due_at, j.id LIMIT 1000) h
            WHERE w.queue IS NOT NULL
        )
        SELECT h.queue, h.kind, count(*) AS jobs, min(h.due_at) AS since
        FROM heads h
        WHERE NOT EXISTS (SELECT FROM {s}.server v
                          WHERE {{TakesWork}}
                            AND h.queue = ANY(v.queues)
                            AND EXISTS (SELECT FROM unnest(v.kinds, v.versions) AS k(kind, version) WHERE k.kind = h.kind AND k.version >= h.version))
        GROUP BY h.queue, h.kind
        ORDER BY h.queue, h.kind
        LIMIT 100
        """;
}
