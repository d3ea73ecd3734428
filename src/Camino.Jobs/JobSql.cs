namespace Camino.Jobs;

/// <summary>Every statement of the engine, each a named constant; <c>{s}</c> is the schema.</summary>
/// <remarks>
/// Who changes a lease locks the row FOR UPDATE (or deletes it); who relies on one holds it FOR KEY SHARE. A request to cancel changes other columns
/// and waits for neither. All times are the database's. A lease is compared with IS NOT DISTINCT FROM, which no partial index can answer: the row is found by
/// its id, and never by a walk through <c>job_running</c>, whose dead entries an old transaction keeps.
/// </remarks>
internal sealed partial class JobSql(string schema)
{
    /// <summary>The channel of this schema: two schemas in one database do not wake each other.</summary>
    public string Channel { get; } = $"camino_jobs_{JobNames.Schema(schema)}";

    public string Claim { get; } = In(schema, ClaimText);

    public string ClaimErrand { get; } = In(schema, ClaimErrandText);

    public string Standing { get; } = In(schema, StandingText);

    public string Finish { get; } = In(schema, FinishText);

    public string FinishPlain { get; } = In(schema, FinishPlainText);

    public string PutBack { get; } = In(schema, PutBackText);

    public string ReturnLease { get; } = In(schema, ReturnLeaseText);

    public string Register { get; } = In(schema, RegisterText);

    public string Beat { get; } = In(schema, BeatText);

    public string Cancelled { get; } = In(schema, CancelledText);

    public string MarkLost { get; } = In(schema, MarkLostText);

    public string Rescue { get; } = In(schema, RescueText);

    public string StopServer { get; } = In(schema, StopServerText);

    public string HoldLease { get; } = In(schema, HoldLeaseText);

    public string Report { get; } = In(schema, ReportText);

    public string WriteLog { get; } = In(schema, WriteLogText);

    public string WriteCheckpoint { get; } = In(schema, WriteCheckpointText);

    /// <summary>
    /// Before prepared statements of the same transaction: their plan is made once for each connection and kept, and it reads indexes only. A plan that is kept
    /// may have been made when the table was empty; it must not be one that reads the table from end to end when a million jobs wait.
    /// </summary>
    public const string PlanOnce =
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true), " + WaitBriefly;

    /// <summary>What a handler holds locked and does not let go must not hold up the results of its neighbours: after this wait they are written without it.</summary>
    public const string WaitBrieflyOnce = "SELECT " + WaitBriefly;

    private const string WaitBriefly = "set_config('lock_timeout', '2s', true)";

    private static string In(string schema, string text) => text.Replace("{s}", schema, StringComparison.Ordinal);

    /// <summary>
    /// Takes up to <c>@most</c> jobs of each queue, then keeps those that the slots allow: the queue's own reserved ones first, the shared ones by level
    /// and age. The inner LIMIT is a parameter so that the planner sees a number; the outer one stops locking where the queue's own limit is reached.
    /// </summary>
    /// <remarks>
    /// <c>@lows</c>: where this server's last claim of the queue ended, so that dead index entries before it are not read again; rows that came late are
    /// found by the full look that every server takes once a second, or as often as costs it a twentieth of its time; whatever is younger than 5 seconds is
    /// always looked at.
    /// <c>@lazy</c>: nothing else is written in this transaction, so its commit need not wait for the disk. Should the machine lose it, the jobs are unclaimed
    /// again and every write of the runs that it had begun is refused by the lease.
    /// </remarks>
    private const string ClaimText = """
        WITH wanted AS MATERIALIZED (
            SELECT w.queue, w.take, w.own, w.low, w.rank
            FROM unnest(@queues, @takes, @owns, @lows) WITH ORDINALITY AS w(queue, take, own, low, rank)
            WHERE EXISTS (SELECT FROM {s}.server v WHERE v.id = @server AND v.lost_at IS NULL AND v.stopped_at IS NULL)
              AND NOT EXISTS (SELECT FROM {s}.fence f WHERE @number < f.lowest OR @number > f.highest)
              AND NOT EXISTS (SELECT FROM {s}.pause p WHERE p.scope = 'queue' AND p.name = w.queue)
              AND (NOT @lazy OR set_config('synchronous_commit', 'off', true) IS NOT NULL)
        ), heads AS MATERIALIZED (
            SELECT h.id, h.due_at, w.queue, w.own, w.rank
            FROM wanted w CROSS JOIN LATERAL (
                SELECT * FROM (
                    SELECT j.id, j.due_at
                    FROM {s}.job j
                    WHERE j.lease IS NULL AND j.queue = w.queue AND j.due_at <= now()
                      AND j.due_at >= least(w.low, now() - interval '5 seconds')
                      AND j.kind = ANY(ARRAY(SELECT k.kind FROM unnest(@kinds) AS k(kind)
                                             WHERE NOT EXISTS (SELECT FROM {s}.pause p WHERE p.scope = 'kind' AND p.name = k.kind)))
                      AND (j.version = 1 OR EXISTS (SELECT FROM unnest(@kinds, @versions) AS k(kind, version)
                                                    WHERE k.kind = j.kind AND k.version >= j.version))
                    ORDER BY j.due_at, j.id
                    LIMIT @most
                    FOR UPDATE SKIP LOCKED) AS first_ones
                LIMIT w.take) AS h
        ), numbered AS (
            SELECT id, due_at, own,
                   row_number() OVER (PARTITION BY queue ORDER BY due_at, id) AS nth,
                   CASE WHEN @ageing > 0 THEN greatest(1, rank - floor(extract(epoch FROM now() - due_at)::float8 / @ageing)) ELSE rank END AS level
            FROM heads
        ), placed AS (
            SELECT id, nth <= own AS reserved, row_number() OVER (PARTITION BY nth <= own ORDER BY level, due_at, id) AS place
            FROM numbered
        )
        UPDATE {s}.job j
        SET lease = @lease, server_id = @server, claimed_at = now(), attempt = attempt + 1, taken_key = started_key, started_key = NULL
        WHERE j.id = ANY(ARRAY(SELECT id FROM placed WHERE reserved OR place <= @shared))
        RETURNING j.id, j.queue, j.kind, j.version, j.attempt, j.max_attempts, j.due_at, j.enqueued_at, j.requested_by, j.traceparent,
                  j.args, j.cancel_at IS NOT NULL AS cancelled, coalesce(j.expires_at <= now(), false) AS expired, j.claimed_at,
                  (SELECT c.state FROM {s}.checkpoint c WHERE c.job_id = j.id) AS checkpoint, j.planned_at, j.limit_key
        """;

    /// <summary>Takes one job that another engine brought, under the same rules as the claim of many: alive, inside the fence, not paused, a kind and version that this server knows.</summary>
    private const string ClaimErrandText = """
        UPDATE {s}.job j
        SET lease = @lease, server_id = @server, claimed_at = now(), attempt = attempt + 1, taken_key = started_key, started_key = NULL
        WHERE j.id = @id AND j.lease IS NULL AND j.due_at <= now()
          AND EXISTS (SELECT FROM {s}.server v WHERE v.id = @server AND v.lost_at IS NULL AND v.stopped_at IS NULL)
          AND NOT EXISTS (SELECT FROM {s}.fence f WHERE @number < f.lowest OR @number > f.highest)
          AND NOT EXISTS (SELECT FROM {s}.pause p WHERE (p.scope = 'queue' AND p.name = j.queue) OR (p.scope = 'kind' AND p.name = j.kind))
          AND EXISTS (SELECT FROM unnest(@kinds, @versions) AS k(kind, version) WHERE k.kind = j.kind AND k.version >= j.version)
        RETURNING j.id, j.queue, j.kind, j.version, j.attempt, j.max_attempts, j.due_at, j.enqueued_at, j.requested_by, j.traceparent,
                  j.args, j.cancel_at IS NOT NULL AS cancelled, coalesce(j.expires_at <= now(), false) AS expired, j.claimed_at,
                  (SELECT c.state FROM {s}.checkpoint c WHERE c.job_id = j.id) AS checkpoint, j.planned_at, j.limit_key
        """;

    /// <summary>Why one job could not be taken: over, running, for later, or not for this server now.</summary>
    private const string StandingText = """
        SELECT CASE WHEN j.lease IS NOT NULL THEN 'runs' WHEN j.due_at = 'infinity' THEN 'held' WHEN j.due_at > now() THEN 'later' ELSE 'waits' END FROM {s}.job j WHERE j.id = @id
        UNION ALL
        SELECT f.state FROM {s}.finished f WHERE f.id = @id
        """;

    /// <summary>Moves finished jobs to history; whoever lost its lease finds no row and changes nothing.</summary>
    /// <remarks>
    /// What belongs to a job is looked up in the arrays by its place there, and not joined: a planner that takes the table for small, because a moment ago it was,
    /// joins by comparing each row with each.
    /// </remarks>
    private const string FinishText = """
        WITH gone AS (
            DELETE FROM {s}.job j
            WHERE j.id = ANY(@ids) AND j.lease IS NOT DISTINCT FROM (@leases)[array_position(@ids, j.id)]
            RETURNING j.*, array_position(@ids, j.id) AS place
        ), ended AS (
            SELECT g.*, (@states)[place] AS state, (@results)[place] AS result, (@errors)[place] AS error, (@notes)[place] AS note FROM gone g
        ), noted AS (
            INSERT INTO {s}.attempt (job_id, number, outcome, started_at, server, error)
            SELECT id, attempt, note, claimed_at, @name, error FROM ended WHERE note IS NOT NULL
        ), cleared AS (
            DELETE FROM {s}.checkpoint c WHERE c.job_id = ANY(ARRAY(SELECT id FROM ended WHERE state = 'done'))
        ), dropped_attempts AS (
            DELETE FROM {s}.attempt a WHERE NOT @keep AND a.job_id = ANY(ARRAY(SELECT id FROM ended WHERE state = 'done'))
        ), dropped_log AS (
            DELETE FROM {s}.log l WHERE NOT @keep AND l.job_id = ANY(ARRAY(SELECT id FROM ended WHERE state = 'done'))
        ), dropped_progress AS (
            DELETE FROM {s}.progress p WHERE NOT @keep AND p.job_id = ANY(ARRAY(SELECT id FROM ended WHERE state = 'done'))
        ), kept AS (
            INSERT INTO {s}.finished (id, due_at, enqueued_at, started_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                                      requested_by, traceparent, server, error, cancel_at, cancel_by, cancel_reason, args, result)
            SELECT id, due_at, enqueued_at, claimed_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                   requested_by, traceparent, @name, error, cancel_at, cancel_by,
                   CASE WHEN state = 'cancelled' AND cancel_at IS NULL THEN error ELSE cancel_reason END, args, result
            FROM ended WHERE @keep OR state <> 'done'
        )
        SELECT CASE WHEN count(*) < cardinality(@ids) THEN coalesce(array_agg(id), '{}') END FROM gone
        """;

    /// <summary>The same for jobs that are done and on which nothing hangs, see <see cref="JobRun.IsPlain"/>: two thirds of all the work that a small job is.</summary>
    private const string FinishPlainText = """
        WITH gone AS (
            DELETE FROM {s}.job j
            WHERE j.id = ANY(@ids) AND j.lease IS NOT DISTINCT FROM (@leases)[array_position(@ids, j.id)]
            RETURNING j.*
        ), kept AS (
            INSERT INTO {s}.finished (id, due_at, enqueued_at, started_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                                      requested_by, traceparent, server, cancel_at, cancel_by, cancel_reason, args)
            SELECT id, due_at, enqueued_at, claimed_at, expires_at, version, attempt, max_attempts, 'done', queue, kind, unique_key,
                   requested_by, traceparent, @name, cancel_at, cancel_by, cancel_reason, args
            FROM gone WHERE @keep
        )
        SELECT CASE WHEN count(*) < cardinality(@ids) THEN coalesce(array_agg(id), '{}') END FROM gone
        """;

    /// <summary>
    /// Gives jobs back to their queue: for another attempt (<c>wait</c> seconds from now), or returned to the old place (<c>wait</c> null) without burning one.
    /// A job with a wish to cancel comes at once, so that the wish is carried out. One that is returned holds its key until started again, unless another has taken it.
    /// </summary>
    private const string PutBackText = """
        WITH held AS MATERIALIZED (
            SELECT j.id, j.attempt, j.claimed_at, array_position(@ids, j.id) AS place
            FROM {s}.job j
            WHERE j.id = ANY(@ids) AND j.lease IS NOT DISTINCT FROM (@leases)[array_position(@ids, j.id)]
            FOR UPDATE
        ), noted AS (
            INSERT INTO {s}.attempt (job_id, number, outcome, started_at, server, error)
            SELECT id, attempt, (@notes)[place], claimed_at, @name, (@errors)[place] FROM held WHERE (@notes)[place] IS NOT NULL
        ), back AS (
            UPDATE {s}.job j
            SET lease = NULL, server_id = NULL, claimed_at = NULL,
                attempt = CASE WHEN (@burns)[array_position(@ids, j.id)] THEN j.attempt ELSE greatest(j.attempt - 1, 0) END,
                started_key = CASE WHEN j.taken_key IS NOT NULL AND NOT (@burns)[array_position(@ids, j.id)] AND (@waits)[array_position(@ids, j.id)] IS NULL
                                        AND NOT EXISTS (SELECT FROM {s}.job o WHERE o.kind = j.kind AND o.started_key = j.taken_key) THEN j.taken_key END,
                taken_key = NULL,
                due_at = CASE WHEN (@waits)[array_position(@ids, j.id)] IS NULL OR j.cancel_at IS NOT NULL THEN least(j.due_at, clock_timestamp())
                              ELSE clock_timestamp() + make_interval(secs => (@waits)[array_position(@ids, j.id)]) END
            WHERE j.id = ANY(ARRAY(SELECT id FROM held))
            RETURNING j.id
        )
        SELECT CASE WHEN count(*) < cardinality(@ids) THEN coalesce(array_agg(id), '{}') END FROM back
        """;

    /// <summary>Gives back what a claim took whose answer never arrived: nobody runs it, nobody burnt an attempt.</summary>
    private const string ReturnLeaseText = """
        UPDATE {s}.job j
        SET lease = NULL, server_id = NULL, claimed_at = NULL, attempt = greatest(attempt - 1, 0), taken_key = NULL,
            started_key = CASE WHEN j.taken_key IS NOT NULL AND NOT EXISTS (SELECT FROM {s}.job o WHERE o.kind = j.kind AND o.started_key = j.taken_key) THEN j.taken_key END
        WHERE j.server_id = @server AND j.lease IS NOT NULL AND j.lease = @lease
        """;

    private const string RegisterText = """
        INSERT INTO {s}.server (id, name, role, release, number, slots, queues, targets, kinds, versions, lease_until)
        VALUES (@server, @name, @role, @release, @number, @slots, @queues, @targets, @kinds, @versions, clock_timestamp() + make_interval(secs => @seconds))
        """;

    /// <summary>No row: this server was declared lost, and all that it ran belongs to others.</summary>
    private const string BeatText = """
        UPDATE {s}.server
        SET beat_at = clock_timestamp(), lease_until = clock_timestamp() + make_interval(secs => @seconds), running = @running, draining = @draining, listening = @listening
        WHERE id = @server AND lost_at IS NULL AND stopped_at IS NULL
        RETURNING EXISTS (SELECT FROM {s}.fence f WHERE @number < f.lowest OR @number > f.highest) AS fenced, wish
        """;

    private const string CancelledText = """
        SELECT id, lease, cancel_by, cancel_reason FROM {s}.job
        WHERE id = ANY(@ids) AND server_id IS NOT DISTINCT FROM @server AND cancel_at IS NOT NULL
        """;

    private const string MarkLostText = """
        UPDATE {s}.server SET lost_at = clock_timestamp()
        WHERE lost_at IS NULL AND stopped_at IS NULL AND lease_until < clock_timestamp()
        RETURNING id, name, release, beat_at
        """;

    /// <summary>
    /// Jobs of servers that are gone go back to their old place with the reason, or are failed when that was the last attempt. A job whose effect is just
    /// being committed is locked: it is passed over and, if need be, found by the next round. Each gone server is looked up by itself, so that the living
    /// ones' entries are not read.
    /// </summary>
    private const string RescueText = """
        WITH orphan AS MATERIALIZED (
            SELECT j.id, j.attempt, j.claimed_at, j.attempt >= j.max_attempts AND j.cancel_at IS NULL AS spent, v.name AS server
            FROM {s}.server v CROSS JOIN LATERAL (
                SELECT * FROM {s}.job r WHERE r.server_id = v.id AND r.lease IS NOT NULL ORDER BY r.id LIMIT 500 FOR UPDATE SKIP LOCKED) AS j
            WHERE v.lost_at IS NOT NULL OR v.stopped_at IS NOT NULL
            LIMIT 500
        ), noted AS (
            INSERT INTO {s}.attempt (job_id, number, outcome, started_at, server, error)
            SELECT id, attempt, 'rescued', claimed_at, server, 'Server ' || server || ' stopped answering while it had the job.' FROM orphan
        ), gone AS (
            DELETE FROM {s}.job j USING orphan o WHERE j.id = o.id AND o.spent RETURNING j.*, o.server
        ), kept AS (
            INSERT INTO {s}.finished (id, due_at, enqueued_at, started_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                                      requested_by, traceparent, server, error, args)
            SELECT id, due_at, enqueued_at, claimed_at, expires_at, version, attempt, max_attempts, 'failed', queue, kind, unique_key,
                   requested_by, traceparent, server, 'Server ' || server || ' stopped answering while it had the job; that was the last attempt.', args
            FROM gone
        ), back AS (
            UPDATE {s}.job j SET lease = NULL, server_id = NULL, claimed_at = NULL, taken_key = NULL
            FROM orphan o WHERE j.id = o.id AND NOT o.spent
            RETURNING j.id, j.kind, j.queue, j.attempt, o.server
        )
        SELECT id, kind, queue, attempt, server, false AS spent FROM back
        UNION ALL
        SELECT id, kind, queue, attempt, server, true FROM gone
        """;

    private const string StopServerText = """
        UPDATE {s}.server SET stopped_at = clock_timestamp(), running = 0, draining = true WHERE id = @server AND lost_at IS NULL
        """;

    /// <summary>Inside the handler's transaction: nobody can be given the job until it ends, and a release behind the fence has no effect.</summary>
    private const string HoldLeaseText = """
        SELECT true FROM {s}.job
        WHERE id = @id AND lease IS NOT DISTINCT FROM @lease AND NOT EXISTS (SELECT FROM {s}.fence f WHERE @number < f.lowest OR @number > f.highest)
        FOR KEY SHARE
        """;

    private const string ReportText = """
        WITH held AS MATERIALIZED (
            SELECT id FROM {s}.job WHERE id = @id AND lease IS NOT DISTINCT FROM @lease FOR KEY SHARE
        )
        INSERT INTO {s}.progress AS p (job_id, done, total, message)
        SELECT id, @done, @total, @message FROM held
        ON CONFLICT (job_id) DO UPDATE
        SET done = greatest(p.done, excluded.done), total = coalesce(excluded.total, p.total), message = coalesce(excluded.message, p.message),
            changed_at = clock_timestamp()
        RETURNING true
        """;

    /// <summary>Lines with their age in seconds: they were said before they were stored. Their number is their order.</summary>
    private const string WriteLogText = """
        WITH held AS MATERIALIZED (
            SELECT id, attempt FROM {s}.job WHERE id = @id AND lease IS NOT DISTINCT FROM @lease FOR KEY SHARE
        ), stored AS (
            INSERT INTO {s}.log (job_id, at, attempt, line)
            SELECT h.id, now() - make_interval(secs => l.age), h.attempt, l.line
            FROM held h, unnest(@ages, @lines) WITH ORDINALITY AS l(age, line, nth)
            ORDER BY l.nth
        )
        SELECT true FROM held
        """;

    private const string WriteCheckpointText = """
        WITH held AS MATERIALIZED (
            SELECT id FROM {s}.job
            WHERE id = @id AND lease IS NOT DISTINCT FROM @lease AND NOT EXISTS (SELECT FROM {s}.fence f WHERE @number < f.lowest OR @number > f.highest)
            FOR KEY SHARE
        )
        INSERT INTO {s}.checkpoint AS c (job_id, state)
        SELECT id, @state FROM held
        ON CONFLICT (job_id) DO UPDATE SET state = excluded.state, changed_at = clock_timestamp()
        RETURNING true
        """;
}
