namespace Camino.Jobs;

/// <content>What lets jobs go on that wait for something else than time: other jobs, or a slot of their limit.</content>
internal sealed partial class JobSql
{
    public string Pending { get; } = In(schema, PendingText);

    public string CheckEdges { get; } = In(schema, CheckEdgesText);

    public string LostEdges { get; } = In(schema, LostEdgesText);

    public string LockHeld { get; } = In(schema, LockHeldText);

    public string MeetEdges { get; } = In(schema, MeetEdgesText);

    public string ReleaseHeld { get; } = In(schema, ReleaseHeldText);

    public string CancelHeld { get; } = In(schema, CancelHeldText);

    public string TryLimits { get; } = In(schema, TryLimitsText);

    public string WatchSlots { get; } = In(schema, WatchSlotsText);

    public string TakeEvents { get; } = In(schema, TakeEventsText);

    public string Admit { get; } = In(schema, AdmitText);

    public string Reopen { get; } = In(schema, ReopenText);

    public string Batch { get; } = In(schema, BatchText);

    /// <summary>Is there anything to look after? Three looks at the ends of indexes.</summary>
    private const string PendingText = """
        SELECT EXISTS (SELECT FROM {s}.waits_on) AS edges,
               EXISTS (SELECT FROM {s}.limit_event e WHERE e.at <= clock_timestamp()) OR EXISTS (SELECT FROM {s}.limit_slot l WHERE l.ended_at IS NULL) AS limits
        """;

    /// <summary>Edges that no server has seen yet: their parents may have ended before they were committed.</summary>
    private const string CheckEdgesText = """
        UPDATE {s}.waits_on w SET checked = true
        WHERE (w.parent_id, w.child_id) IN (SELECT u.parent_id, u.child_id FROM {s}.waits_on u WHERE NOT u.checked LIMIT 5000 FOR UPDATE SKIP LOCKED)
        RETURNING w.parent_id
        """;

    /// <summary>One stretch of edges in the order of their parents: those whose parent is not live, or whose child is not.</summary>
    private const string LostEdgesText = """
        WITH stretch AS MATERIALIZED (
            SELECT w.parent_id, w.child_id FROM {s}.waits_on w WHERE w.parent_id >= @after ORDER BY w.parent_id, w.child_id LIMIT 5000
        ), vain AS (
            DELETE FROM {s}.waits_on w USING stretch t
            WHERE w.parent_id = t.parent_id AND w.child_id = t.child_id AND NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = t.child_id)
        )
        SELECT DISTINCT t.parent_id, EXISTS (SELECT FROM {s}.job j WHERE j.id = t.parent_id) AS live FROM stretch t ORDER BY t.parent_id
        """;

    /// <summary>In one order, so that two servers at it wait for each other and never in a circle; what the first one did is seen by the next statement.</summary>
    private const string LockHeldText = """
        SELECT h.job_id FROM {s}.held h
        WHERE h.job_id IN (SELECT w.child_id FROM {s}.waits_on w WHERE w.parent_id = ANY(@ids))
        ORDER BY h.job_id FOR UPDATE
        """;

    /// <summary>
    /// Takes away the edges from parents that have ended, and says which children are to be looked at. A parent that is not there any more was done: what is
    /// failed or cancelled is kept, and not pruned while somebody waits for it.
    /// </summary>
    private const string MeetEdgesText = """
        WITH ended AS MATERIALIZED (
            SELECT w.parent_id, w.child_id, w.any_end, coalesce(f.state, 'done') AS state, f.acknowledged_at
            FROM {s}.waits_on w LEFT JOIN {s}.finished f ON f.id = w.parent_id
            WHERE w.parent_id = ANY(@ids) AND NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = w.parent_id)
        ), met AS (
            DELETE FROM {s}.waits_on w USING ended e
            WHERE w.parent_id = e.parent_id AND w.child_id = e.child_id AND (e.any_end OR e.state = 'done')
            RETURNING w.child_id, e.state
        ), counted AS (
            UPDATE {s}.held h SET done = h.done + c.done, failed = h.failed + c.failed, cancelled = h.cancelled + c.cancelled
            FROM (SELECT m.child_id, count(*) FILTER (WHERE m.state = 'done') AS done, count(*) FILTER (WHERE m.state = 'failed') AS failed,
                         count(*) FILTER (WHERE m.state = 'cancelled') AS cancelled
                  FROM met m GROUP BY m.child_id) c
            WHERE h.job_id = c.child_id
        )
        SELECT DISTINCT ON (e.child_id) e.child_id,
               NOT e.any_end AND (e.state = 'cancelled' OR e.state = 'failed' AND e.acknowledged_at IS NOT NULL) AS broken, e.parent_id, e.state
        FROM ended e
        ORDER BY e.child_id, broken DESC
        """;

    /// <summary>Children without an edge left go to their queue, or first to their limit.</summary>
    private const string ReleaseHeldText = """
        WITH free AS MATERIALIZED (
            SELECT h.job_id, h.due_at FROM {s}.held h
            WHERE h.job_id = ANY(@ids) AND h.released_at IS NULL AND NOT EXISTS (SELECT FROM {s}.waits_on w WHERE w.child_id = h.job_id)
        ), noted AS (
            UPDATE {s}.held h SET released_at = clock_timestamp() FROM free f WHERE h.job_id = f.job_id
        ), parked AS (
            UPDATE {s}.limited l SET parked = true, due_at = greatest(l.due_at, clock_timestamp()) FROM free f WHERE l.job_id = f.job_id RETURNING l.key, l.due_at
        ), told AS (
            INSERT INTO {s}.limit_event (key, at) SELECT key, min(due_at) FROM parked GROUP BY key, CASE WHEN due_at > clock_timestamp() THEN due_at END
        ), back AS (
            UPDATE {s}.job j SET due_at = greatest(f.due_at, clock_timestamp())
            FROM free f WHERE j.id = f.job_id AND j.limit_key IS NULL AND j.lease IS NULL AND j.due_at = 'infinity'
            RETURNING j.id, j.queue
        ), woken AS MATERIALIZED (
            SELECT pg_notify(@channel, b.queue)::text FROM (SELECT DISTINCT queue FROM back) b WHERE @wake
        )
        SELECT b.id, (SELECT count(*) FROM woken) FROM back b
        """;

    private const string CancelHeldText = """
        WITH broken AS MATERIALIZED (
            SELECT * FROM unnest(@ids, @reasons) AS b(id, reason)
        ), gone AS (
            DELETE FROM {s}.job j USING broken b WHERE j.id = b.id AND j.lease IS NULL AND j.due_at = 'infinity' RETURNING j.*, b.reason
        ), edges AS (
            DELETE FROM {s}.waits_on w USING gone g WHERE w.child_id = g.id
        ), kept AS (
            INSERT INTO {s}.finished (id, due_at, enqueued_at, started_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                                      requested_by, traceparent, cancel_at, cancel_by, cancel_reason, args)
            SELECT id, enqueued_at, enqueued_at, claimed_at, expires_at, version, attempt, max_attempts, 'cancelled', queue, kind, unique_key,
                   requested_by, traceparent, clock_timestamp(), 'system', reason, args
            FROM gone
        )
        SELECT id FROM gone
        """;

    /// <summary>One server at a time looks after the limits.</summary>
    private const string TryLimitsText = "SELECT pg_try_advisory_xact_lock(hashtextextended('camino.jobs.{s}.limits', 0))";

    /// <summary>
    /// What became of the jobs that were let in. Gone, or waiting for a further attempt: the slot is free, and a job that waits stands outside of the claim
    /// again; it counts as a start, also where nobody saw it run. Let in and not taken for a minute (a paused queue, a busy one): the slot's lease is over, others of its key go first.
    /// </summary>
    private const string WatchSlotsText = """
        WITH seen AS MATERIALIZED (
            SELECT s.number, s.key, s.job_id, s.period_seconds, s.admitted_at, s.started_at, j.id IS NULL AS gone, j.lease IS NOT NULL AS running, j.claimed_at,
                   j.due_at
            FROM {s}.limit_slot s LEFT JOIN {s}.job j ON j.id = s.job_id
            WHERE s.ended_at IS NULL
        ), back AS (
            UPDATE {s}.job j SET due_at = 'infinity'
            FROM seen s
            WHERE j.id = s.job_id AND NOT s.gone AND NOT s.running AND j.lease IS NULL
              AND (j.due_at > clock_timestamp() OR s.started_at IS NOT NULL OR s.admitted_at < clock_timestamp() - make_interval(secs => @seconds))
            RETURNING j.id
        ), parked AS (
            UPDATE {s}.limited l
            SET parked = true,
                due_at = CASE WHEN s.started_at IS NULL AND s.due_at <= clock_timestamp() THEN clock_timestamp() + make_interval(secs => @seconds / 2) ELSE s.due_at END
            FROM seen s JOIN back b ON b.id = s.job_id
            WHERE l.job_id = s.job_id
            RETURNING l.key, l.due_at
        ), over AS (
            UPDATE {s}.limit_slot t
            SET ended_at = clock_timestamp(), started_at = CASE WHEN s.gone OR s.due_at > clock_timestamp() THEN coalesce(t.started_at, clock_timestamp()) ELSE t.started_at END
            FROM seen s
            WHERE t.number = s.number AND (s.gone OR s.job_id IN (SELECT id FROM back) OR s.running AND s.claimed_at > s.started_at)
            RETURNING t.key, t.job_id, s.running, s.claimed_at, s.period_seconds, s.gone
        ), started AS (
            UPDATE {s}.limit_slot t SET started_at = s.claimed_at FROM seen s WHERE t.number = s.number AND s.running AND s.started_at IS NULL
        ), dropped AS (
            DELETE FROM {s}.limited l USING over o WHERE l.job_id = o.job_id AND o.gone
              AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = l.job_id AND f.state IN ('failed', 'cancelled'))
        ), told AS (
            INSERT INTO {s}.limit_event (key, at)
            SELECT DISTINCT key, now() FROM over UNION ALL SELECT key, due_at FROM parked WHERE due_at > now()
        ), old AS (
            DELETE FROM {s}.limit_slot t
            WHERE t.ended_at IS NOT NULL AND (t.period_seconds IS NULL OR t.started_at IS NULL OR t.started_at < clock_timestamp() - make_interval(secs => t.period_seconds))
        )
        SELECT o.key, o.job_id, o.period_seconds, o.claimed_at FROM over o WHERE o.running
        """;

    private const string ReopenText = "INSERT INTO {s}.limit_slot (key, job_id, period_seconds, started_at) VALUES (@key, @job, @period, @at)";

    private const string BatchText = "SELECT total, done, failed, cancelled FROM {s}.held WHERE job_id = @id";

    private const string TakeEventsText = """
        WITH due AS MATERIALIZED (
            SELECT e.number, e.key FROM {s}.limit_event e WHERE e.at <= clock_timestamp() ORDER BY e.at LIMIT 10000
        ), keys AS MATERIALIZED (
            SELECT DISTINCT key FROM due LIMIT 500
        ), taken AS (
            DELETE FROM {s}.limit_event e USING due d WHERE e.number = d.number AND d.key IN (SELECT key FROM keys)
        )
        SELECT key FROM keys
        """;

    /// <summary>
    /// Lets in, for each key, as many by due time as its slots and its rate allow. A start counts from the moment it is let in until its period after the real
    /// start is over, so never more than the rate start in any period.
    /// </summary>
    private const string AdmitText = """
        WITH used AS MATERIALIZED (
            SELECT k.key, (SELECT count(*) FROM {s}.limit_slot s WHERE s.key = k.key AND s.ended_at IS NULL) AS open FROM unnest(@keys) AS k(key)
        ), heads AS MATERIALIZED (
            SELECT h.*, u.open, row_number() OVER (PARTITION BY h.key ORDER BY h.due_at, h.job_id) AS nth
            FROM used u CROSS JOIN LATERAL (
                SELECT l.job_id, l.key, l.due_at, l.at_once, l.rate, l.period_seconds
                FROM {s}.limited l WHERE l.key = u.key AND l.parked AND l.due_at <= clock_timestamp()
                ORDER BY l.due_at, l.job_id LIMIT 200) h
        ), spent AS MATERIALIZED (
            SELECT d.key, d.period_seconds, count(s.number) AS starts,
                   min(s.started_at) FILTER (WHERE s.started_at IS NOT NULL) + make_interval(secs => d.period_seconds) AS next_at
            FROM (SELECT DISTINCT key, period_seconds FROM heads WHERE rate IS NOT NULL) d
                 LEFT JOIN {s}.limit_slot s ON s.key = d.key
                      AND (s.started_at > clock_timestamp() - make_interval(secs => d.period_seconds) OR s.started_at IS NULL AND s.ended_at IS NULL)
            GROUP BY d.key, d.period_seconds
        ), judged AS MATERIALIZED (
            SELECT h.*, s.next_at, coalesce(h.nth <= h.at_once - h.open, true) AND coalesce(h.nth <= h.rate - s.starts, true) AS let_in,
                   NOT coalesce(h.nth <= h.rate - s.starts, true) AS slowed,
                   EXISTS (SELECT FROM {s}.finished f WHERE f.id = h.job_id AND f.state IN ('failed', 'cancelled')) AS may_return -- by a person's retry, which keeps its limit
            FROM heads h LEFT JOIN spent s ON s.key = h.key AND s.period_seconds = h.period_seconds AND h.rate IS NOT NULL
        ), into_queue AS (
            UPDATE {s}.job j SET due_at = g.due_at FROM judged g
            WHERE g.let_in AND j.id = g.job_id AND j.lease IS NULL AND j.due_at = 'infinity'
            RETURNING j.id, j.queue, j.due_at
        ), opened AS (
            INSERT INTO {s}.limit_slot (key, job_id, period_seconds)
            SELECT g.key, g.job_id, g.period_seconds FROM judged g WHERE g.job_id IN (SELECT id FROM into_queue)
        ), unparked AS (
            UPDATE {s}.limited l SET parked = false FROM judged g WHERE g.let_in AND l.job_id = g.job_id AND (l.job_id IN (SELECT id FROM into_queue) OR g.may_return)
        ), orphans AS (
            DELETE FROM {s}.limited l USING judged g WHERE g.let_in AND l.job_id = g.job_id AND NOT g.may_return AND l.job_id NOT IN (SELECT id FROM into_queue) RETURNING l.key
        ), told AS (
            INSERT INTO {s}.limit_event (key, at)
            SELECT o.key, now() FROM (SELECT key FROM orphans UNION SELECT key FROM judged WHERE let_in AND may_return) o
            UNION ALL SELECT g.key, now() FROM judged g WHERE g.nth = 200 AND g.let_in
            UNION ALL SELECT g.key, min(g.next_at) FROM judged g WHERE g.slowed AND g.next_at IS NOT NULL GROUP BY g.key
        ), woken AS MATERIALIZED (
            SELECT pg_notify(@channel, w.payload)::text
            FROM (SELECT DISTINCT CASE WHEN q.due_at < clock_timestamp() - interval '4 seconds' THEN '!all' ELSE q.queue END AS payload FROM into_queue q) w
            WHERE @wake
        )
        SELECT count(*), (SELECT count(*) FROM woken) FROM into_queue
        """;
}
