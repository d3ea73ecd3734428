namespace Camino.Jobs;

/// <content>What callers do inside their own transactions.</content>
internal sealed partial class JobSql
{
    public string Insert { get; } = In(schema, InsertText.Replace("{taken}", "(kind, unique_key) WHERE unique_key IS NOT NULL", StringComparison.Ordinal));

    public string InsertUntilStarted { get; } = In(schema, InsertText.Replace("{taken}", "(kind, started_key) WHERE started_key IS NOT NULL", StringComparison.Ordinal));

    public string InsertMany { get; } = In(schema, InsertManyText);

    public string Copy { get; } = In(schema, CopyText);

    public string CopyEdges { get; } = In(schema, CopyEdgesText);

    public string FindUnique { get; } = In(schema, FindUniqueText);

    public string FindUntilStarted { get; } = In(schema, FindUntilStartedText);

    public string FindUniqueMany { get; } = In(schema, FindUniqueManyText);

    public string TakePeriod { get; } = In(schema, TakePeriodText);

    public string FindPeriod { get; } = In(schema, FindPeriodText);

    public string Replace { get; } = In(schema, ReplaceText);

    public string AddHeld { get; } = In(schema, AddHeldText);

    public string AddEdges { get; } = In(schema, AddEdgesText);

    public string AddLimited { get; } = In(schema, AddLimitedText);

    public string AddTags { get; } = In(schema, AddTagsText);

    public string AddLineage { get; } = In(schema, AddLineageText);

    /// <summary>One wake-up for each queue, when the transaction commits.</summary>
    public const string Wake = "SELECT pg_notify(@channel, queue)::text FROM unnest(@queues) AS q(queue)";

    /// <summary>A job that waits for something else than time is due at infinity, where no claim looks; its real due time stands beside it.</summary>
    private const string InsertText = """
        WITH stored AS (
            INSERT INTO {s}.job (id, due_at, expires_at, version, max_attempts, queue, kind, unique_key, started_key, requested_by, traceparent,
                                 planned_at, limit_key, args)
            VALUES (@id, CASE WHEN @held THEN 'infinity' ELSE coalesce(@due, clock_timestamp()) END, @expires, @version, @max, @queue, @kind, @key, @startedKey,
                    @by, @trace, @planned, @limitKey, @args)
            ON CONFLICT {taken} DO NOTHING
            RETURNING id
        )
        SELECT id, CASE WHEN @wake THEN pg_notify(@channel, @queue)::text END FROM stored
        """;

    private const string InsertManyText = """
        INSERT INTO {s}.job (id, due_at, expires_at, version, max_attempts, queue, kind, unique_key, requested_by, traceparent, limit_key, args)
        SELECT n.id, CASE WHEN n.held THEN 'infinity' ELSE coalesce(n.due, clock_timestamp()) END, n.expires, n.version, n.max, n.queue, n.kind, n.key, n.by,
               n.trace, n.limit_key, n.args
        FROM unnest(@ids, @dues, @expires, @versions, @maxes, @queues, @kinds, @keys, @bys, @traces, @helds, @limitKeys, @args)
            AS n(id, due, expires, version, max, queue, kind, key, by, trace, held, limit_key, args)
        ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING
        RETURNING id
        """;

    private const string CopyText = """
        COPY {s}.job (id, due_at, version, max_attempts, queue, kind, args, expires_at, requested_by, traceparent, limit_key) FROM STDIN (FORMAT binary)
        """;

    private const string CopyEdgesText = "COPY {s}.waits_on (parent_id, child_id, any_end, checked) FROM STDIN (FORMAT binary)";

    private const string FindUniqueText = "SELECT id FROM {s}.job WHERE kind = @kind AND unique_key = @key";

    private const string FindUntilStartedText = "SELECT id FROM {s}.job WHERE kind = @kind AND started_key = @key";

    private const string FindUniqueManyText = """
        SELECT j.kind, j.unique_key, j.id
        FROM unnest(@kinds, @keys) AS w(kind, key) JOIN {s}.job j ON j.kind = w.kind AND j.unique_key = w.key
        """;

    /// <summary>A row comes back when the key was free or its period over; then it belongs to this job.</summary>
    private const string TakePeriodText = """
        INSERT INTO {s}.unique_period AS u (kind, key, job_id, until)
        VALUES (@kind, @key, @id, clock_timestamp() + make_interval(secs => @seconds))
        ON CONFLICT (kind, key) DO UPDATE SET job_id = excluded.job_id, until = excluded.until WHERE u.until <= clock_timestamp()
        RETURNING u.job_id
        """;

    private const string FindPeriodText = "SELECT job_id FROM {s}.unique_period WHERE kind = @kind AND key = @key";

    /// <summary>Changes the named fields of a job that still waits; one that a server has is left alone.</summary>
    private const string ReplaceText = """
        WITH changed AS (
            UPDATE {s}.job j
            SET args = CASE WHEN @args IS NULL THEN j.args ELSE @args END,
                version = CASE WHEN @args IS NULL THEN j.version ELSE @version END,
                due_at = CASE WHEN NOT @setDue OR j.due_at = 'infinity' THEN j.due_at ELSE coalesce(@due, clock_timestamp()) END,
                queue = coalesce(@queue, j.queue),
                max_attempts = greatest(coalesce(@max, j.max_attempts), j.attempt + 1),
                expires_at = CASE WHEN @setExpires THEN @expires ELSE j.expires_at END,
                requested_by = CASE WHEN @setBy THEN @by ELSE j.requested_by END
            WHERE j.id = @holder AND j.lease IS NULL
            RETURNING j.id, j.queue
        ), waiting AS (
            UPDATE {s}.held h SET due_at = coalesce(@due, clock_timestamp()) FROM changed c WHERE @setDue AND h.job_id = c.id AND h.released_at IS NULL
        ), parked AS (
            UPDATE {s}.limited l SET due_at = coalesce(@due, clock_timestamp()) FROM changed c WHERE @setDue AND l.job_id = c.id RETURNING l.key, l.due_at
        ), told AS (
            INSERT INTO {s}.limit_event (key, at) SELECT key, due_at FROM parked
        )
        SELECT id, CASE WHEN @wake THEN pg_notify(@channel, queue)::text END FROM changed
        """;

    private const string AddHeldText = """
        INSERT INTO {s}.held (job_id, due_at, total)
        SELECT n.id, coalesce(n.due, clock_timestamp()), n.total FROM unnest(@ids, @dues, @totals) AS n(id, due, total)
        """;

    private const string AddEdgesText = """
        INSERT INTO {s}.waits_on (parent_id, child_id, any_end)
        SELECT n.parent, n.child, n.any_end FROM unnest(@parents, @children, @anyEnds) AS n(parent, child, any_end)
        """;

    private const string AddLimitedText = """
        WITH stored AS (
            INSERT INTO {s}.limited (job_id, key, due_at, at_once, rate, period_seconds, parked)
            SELECT n.id, n.key, coalesce(n.due, clock_timestamp()), n.at_once, n.rate, n.period, n.parked
            FROM unnest(@ids, @keys, @dues, @atOnces, @rates, @periods, @parkeds) AS n(id, key, due, at_once, rate, period, parked)
            RETURNING key, due_at, parked
        )
        INSERT INTO {s}.limit_event (key, at) SELECT key, min(due_at) FROM stored WHERE parked
        GROUP BY key, CASE WHEN due_at > clock_timestamp() THEN due_at END
        """;

    private const string AddTagsText = """
        INSERT INTO {s}.tag (tag, job_id) SELECT n.tag, n.id FROM unnest(@tags, @ids) AS n(tag, id)
        """;

    /// <summary>The depth of the whole group, which has one parent.</summary>
    private const string AddLineageText = """
        WITH depth AS MATERIALIZED (
            SELECT coalesce((SELECT l.depth FROM {s}.lineage l WHERE l.job_id = @parent), 0) + 1 AS depth
        ), stored AS (
            INSERT INTO {s}.lineage (job_id, parent_id, depth) SELECT n.id, @parent, d.depth FROM depth d, unnest(@ids) AS n(id)
        )
        SELECT depth FROM depth
        """;
}
