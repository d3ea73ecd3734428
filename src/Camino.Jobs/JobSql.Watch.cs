namespace Camino.Jobs;

/// <content>Figures for charts, alarms, and keeping.</content>
internal sealed partial class JobSql
{
    public string AddFlow { get; } = In(schema, AddFlowText);

    public string AddDepth { get; } = In(schema, AddDepthText);

    public string Depths { get; } = In(schema, DepthsText);

    public string Flows { get; } = In(schema, FlowsText);

    public string Health { get; } = In(schema, HealthText);

    public string Targets { get; } = In(schema, TargetsText);

    public string Bloat { get; } = In(schema, BloatText);

    public string SetAlarms { get; } = In(schema, SetAlarmsText);

    public string Alarms { get; } = In(schema, AlarmsText);

    public string Prune { get; } = In(schema, PruneText);

    public string PruneBeside { get; } = In(schema, PruneBesideText);

    public string PruneOrphans { get; } = In(schema, PruneOrphansText);

    public string SetWish { get; } = In(schema, SetWishText);

    private const string AddFlowText = """
        INSERT INTO {s}.flow AS f (minute, queue, server_id, done, failed, retried, cancelled, wait, run)
        VALUES (date_trunc('minute', clock_timestamp()), @queue, @server, @done, @failed, @retried, @cancelled, @wait, @run)
        ON CONFLICT (minute, queue, server_id) DO UPDATE
        SET done = f.done + excluded.done, failed = f.failed + excluded.failed, retried = f.retried + excluded.retried, cancelled = f.cancelled + excluded.cancelled,
            wait = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0) FROM unnest(f.wait, excluded.wait) WITH ORDINALITY AS u(a, b, n) ORDER BY n),
            run = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0) FROM unnest(f.run, excluded.run) WITH ORDINALITY AS u(a, b, n) ORDER BY n)
        """;

    /// <summary>The first server that looks in a minute writes it.</summary>
    private const string AddDepthText = """
        INSERT INTO {s}.depth (minute, queue, ready, scheduled, running, oldest)
        SELECT date_trunc('minute', clock_timestamp()), d.queue, d.ready, d.scheduled, d.running, d.oldest
        FROM unnest(@queues, @readys, @scheduleds, @runnings, @oldests) AS d(queue, ready, scheduled, running, oldest)
        ON CONFLICT (minute, queue) DO NOTHING
        """;

    private const string DepthsText = """
        SELECT minute, queue, ready, scheduled, running, oldest FROM {s}.depth WHERE minute > clock_timestamp() - make_interval(secs => @seconds) ORDER BY minute, queue
        """;

    private const string FlowsText = """
        SELECT minute, queue, done, failed, retried, cancelled, wait, run FROM {s}.flow WHERE minute > clock_timestamp() - make_interval(secs => @seconds) ORDER BY minute, queue
        """;

    /// <summary>One row for each figure that an alarm hangs on: name, subject, value, note.</summary>
    private const string HealthText = """
        SELECT 'listener-down', v.name, extract(epoch FROM clock_timestamp() - v.started_at)::float8, v.id::text
        FROM {s}.server v WHERE NOT v.listening AND v.lost_at IS NULL AND v.stopped_at IS NULL AND v.lease_until >= clock_timestamp() AND v.started_at < clock_timestamp() - interval '1 minute'
        UNION ALL
        SELECT 'horizon', 'database', max(extract(epoch FROM clock_timestamp() - a.xact_start))::float8, (array_agg(a.application_name ORDER BY a.xact_start))[1]
        FROM pg_stat_activity a WHERE a.datname = current_database() AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
        HAVING count(*) > 0
        UNION ALL
        SELECT 'horizon', 'prepared transaction ' || p.gid, extract(epoch FROM clock_timestamp() - p.prepared)::float8, p.owner FROM pg_prepared_xacts p WHERE p.database = current_database()
        UNION ALL
        SELECT 'dead-tuples', t.relname, t.n_dead_tup::float8, t.n_live_tup::text FROM pg_stat_user_tables t WHERE t.schemaname = '{s}' AND t.n_dead_tup > t.n_live_tup
        UNION ALL
        SELECT 'retry-storm', f.queue, sum(f.retried)::float8, sum(f.done)::text FROM {s}.flow f WHERE f.minute > clock_timestamp() - interval '5 minutes'
        GROUP BY f.queue HAVING sum(f.retried) > sum(f.done)
        UNION ALL
        SELECT 'recurring-late', r.name, extract(epoch FROM clock_timestamp() - r.next_at)::float8, r.kind FROM {s}.recurring r WHERE r.listed AND r.disabled_at IS NULL AND r.next_at < clock_timestamp() - interval '2 minutes'
        UNION ALL
        (SELECT 'pruning-lag', 'finished', extract(epoch FROM clock_timestamp() - f.finished_at)::float8 / 86400, f.kind
         FROM {s}.finished f WHERE f.state = 'done' AND NOT f.kind = ANY(@ruled) ORDER BY f.id LIMIT 1)
        """;

    /// <summary>Each queue's shortest target among the servers that live, also of those that take nothing now.</summary>
    private const string TargetsText = """
        SELECT t.queue, min(t.seconds) FROM {s}.server v, unnest(v.queues, v.targets) AS t(queue, seconds)
        WHERE v.lost_at IS NULL AND v.stopped_at IS NULL AND v.lease_until >= clock_timestamp() AND t.seconds > 0
        GROUP BY t.queue
        """;

    /// <summary>What an index of the hot table takes beyond 120 bytes for each row.</summary>
    private const string BloatText = """
        SELECT c.relname, (pg_relation_size(c.oid) - greatest(t.reltuples, 0) * 120)::float8 / 1048576
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
        WHERE t.oid = '{s}.job'::regclass
        """;

    private const string SetAlarmsText = """
        WITH found AS MATERIALIZED (
            SELECT * FROM unnest(@names, @subjects, @values, @thresholds, @messages) AS f(name, subject, value, threshold, message)
        ), seen AS (
            UPDATE {s}.alarm a SET seen_at = clock_timestamp(), value = f.value, threshold = f.threshold, message = f.message
            FROM found f WHERE a.name = f.name AND a.subject = f.subject AND a.cleared_at IS NULL
            RETURNING a.name, a.subject
        ), raised AS (
            INSERT INTO {s}.alarm (name, subject, value, threshold, message)
            SELECT f.name, f.subject, f.value, f.threshold, f.message FROM found f
            WHERE NOT EXISTS (SELECT FROM {s}.alarm a WHERE a.name = f.name AND a.subject = f.subject AND a.cleared_at IS NULL)
            ON CONFLICT DO NOTHING
            RETURNING name, subject, message
        ), cleared AS (
            UPDATE {s}.alarm a SET cleared_at = clock_timestamp()
            WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT FROM found f WHERE f.name = a.name AND f.subject = a.subject)
            RETURNING a.name, a.subject, a.message
        )
        SELECT name, subject, message, true AS raised FROM raised UNION ALL SELECT name, subject, message, false FROM cleared
        """;

    private const string AlarmsText = """
        SELECT name, subject, since, seen_at, cleared_at, value, threshold, message FROM {s}.alarm
        WHERE cleared_at IS NULL OR @cleared ORDER BY cleared_at IS NOT NULL, since DESC, number DESC LIMIT 200
        """;

    /// <summary>
    /// One bounded batch of history that has had its time. Ids carry their time, so the search ends at the oldest id that can have finished too recently
    /// and needs no index of its own. What a live job waits for is left alone. The next batch goes on after the last id of this one, so that what is kept
    /// for longer is walked over once in a round.
    /// </summary>
    private const string PruneText = """
        WITH old AS MATERIALIZED (
            SELECT f.id, f.state = 'failed' AND f.acknowledged_at IS NULL AS unseen FROM {s}.finished f
            WHERE f.id > @after
              AND f.id < (lpad(to_hex(floor(extract(epoch FROM now() - make_interval(days => least(@doneDays, @cancelledDays, @failedDays))) * 1000)::bigint), 12, '0')
                          || '00000000000000000000')::uuid
              AND (@kind IS NULL OR f.kind = @kind) AND NOT f.kind = ANY(@except)
              AND f.finished_at < now() - make_interval(days => CASE f.state WHEN 'cancelled' THEN @cancelledDays
                                                                             WHEN 'failed' THEN CASE WHEN f.acknowledged_at IS NULL THEN @failedDays ELSE @doneDays END
                                                                             ELSE @doneDays END)
              AND NOT EXISTS (SELECT FROM {s}.waits_on w WHERE w.parent_id = f.id)
            ORDER BY f.id
            LIMIT @most
            FOR UPDATE SKIP LOCKED
        ), attempts AS (
            DELETE FROM {s}.attempt a USING old o WHERE a.job_id = o.id
        ), log AS (
            DELETE FROM {s}.log l USING old o WHERE l.job_id = o.id
        ), progress AS (
            DELETE FROM {s}.progress p USING old o WHERE p.job_id = o.id
        ), checkpoints AS (
            DELETE FROM {s}.checkpoint c USING old o WHERE c.job_id = o.id
        ), tags AS (
            DELETE FROM {s}.tag t USING old o WHERE t.job_id = o.id
        ), lineages AS (
            DELETE FROM {s}.lineage l USING old o WHERE l.job_id = o.id
        ), helds AS (
            DELETE FROM {s}.held h USING old o WHERE h.job_id = o.id
        ), limits AS (
            DELETE FROM {s}.limited l USING old o WHERE l.job_id = o.id
        ), gone AS (
            DELETE FROM {s}.finished f WHERE f.id = ANY(ARRAY(SELECT id FROM old)) RETURNING id
        )
        SELECT count(*), count(*) FILTER (WHERE o.unseen), (SELECT o.id FROM old o ORDER BY o.id DESC LIMIT 1) FROM gone g JOIN old o ON o.id = g.id
        """;

    /// <summary>What stands beside jobs and has had its time; each part bounded.</summary>
    private const string PruneBesideText = """
        DELETE FROM {s}.unique_period u WHERE (u.kind, u.key) IN (SELECT o.kind, o.key FROM {s}.unique_period o WHERE o.until < clock_timestamp() LIMIT 10000);
        DELETE FROM {s}.depth WHERE ctid = ANY(ARRAY(SELECT o.ctid FROM {s}.depth o WHERE o.minute < clock_timestamp() - interval '2 days' ORDER BY o.minute LIMIT 10000));
        DELETE FROM {s}.flow WHERE ctid = ANY(ARRAY(SELECT o.ctid FROM {s}.flow o WHERE o.minute < clock_timestamp() - interval '2 days' ORDER BY o.minute LIMIT 10000));
        DELETE FROM {s}.alarm WHERE ctid = ANY(ARRAY(SELECT o.ctid FROM {s}.alarm o WHERE o.cleared_at < clock_timestamp() - interval '90 days' LIMIT 10000));
        DELETE FROM {s}.recurring_run WHERE ctid = ANY(ARRAY(SELECT o.ctid FROM {s}.recurring_run o WHERE o.planned_at < clock_timestamp() - interval '400 days' LIMIT 10000))
        """;

    /// <summary>Where rows of jobs that are done are dropped at once: what stood beside them.</summary>
    private const string PruneOrphansText = """
        DELETE FROM {s}.tag t WHERE (t.tag, t.job_id) IN (
            SELECT o.tag, o.job_id FROM {s}.tag o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000);
        DELETE FROM {s}.lineage l WHERE l.job_id IN (
            SELECT o.job_id FROM {s}.lineage o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000);
        DELETE FROM {s}.held h WHERE h.job_id IN (
            SELECT o.job_id FROM {s}.held o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000);
        DELETE FROM {s}.limited l WHERE l.job_id IN (
            SELECT o.job_id FROM {s}.limited o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000);
        DELETE FROM {s}.attempt WHERE ctid = ANY(ARRAY(
            SELECT o.ctid FROM {s}.attempt o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000));
        DELETE FROM {s}.log WHERE ctid = ANY(ARRAY(
            SELECT o.ctid FROM {s}.log o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000));
        DELETE FROM {s}.progress WHERE ctid = ANY(ARRAY(
            SELECT o.ctid FROM {s}.progress o
            WHERE NOT EXISTS (SELECT FROM {s}.job j WHERE j.id = o.job_id) AND NOT EXISTS (SELECT FROM {s}.finished f WHERE f.id = o.job_id) LIMIT 5000))
        """;

    private const string SetWishText = """
        WITH wished AS (
            UPDATE {s}.server SET wish = @wish, wish_by = @by WHERE id = @id AND lost_at IS NULL AND stopped_at IS NULL RETURNING id
        )
        SELECT id, CASE WHEN @wake THEN pg_notify(@channel, '!cancel')::text END FROM wished
        """;
}
