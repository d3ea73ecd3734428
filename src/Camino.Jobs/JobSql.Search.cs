namespace Camino.Jobs;

/// <content>
/// Lists and commands on many. A list reads newest first along the index that fits its filter best, and looks at a bounded number of rows: a page takes the
/// same time with ten thousand jobs and with ten million.
/// </content>
internal sealed partial class JobSql
{
    public string CancelMany { get; } = In(schema, CancelManyText);

    public string RetryMany { get; } = In(schema, RetryManyText);

    public string RunNowMany { get; } = In(schema, RunNowManyText);

    public string ChangeDueMany { get; } = In(schema, ChangeDueManyText);

    public string AcknowledgeMany { get; } = In(schema, AcknowledgeManyText);

    public string Causes { get; } = In(schema, CausesText);

    public string Beside { get; } = In(schema, BesideText);

    /// <summary>The first line of an error without ids and numbers, so that the same trouble has the same name.</summary>
    private const string CauseOf =
        "left(regexp_replace(regexp_replace(split_part({t}.error, E'\\n', 1), '[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}', '#', 'g'), '[0-9]+', '#', 'g'), 200)";

    /// <summary>When a held job is due once what it waits for is over.</summary>
    private const string LiveDue = """
        CASE WHEN j.due_at < 'infinity' THEN j.due_at
             ELSE coalesce((SELECT h.due_at FROM {s}.held h WHERE h.job_id = j.id AND h.released_at IS NULL), (SELECT l.due_at FROM {s}.limited l WHERE l.job_id = j.id), j.enqueued_at) END
        """;

    /// <summary>The side of live jobs: <c>@look</c> rows at most, newest first.</summary>
    public string LiveIds(JobFilter filter) => In(schema, Side(filter, live: true));

    /// <summary>The side of jobs that are over.</summary>
    public string OverIds(JobFilter filter) => In(schema, Side(filter, live: false));

    /// <summary>Where a side's look ends: the id of its last row, or nothing when it has fewer. Null: the side is read to its end anyway.</summary>
    public string? LiveFloor(JobFilter filter) => Floor(filter, live: true);

    public string? OverFloor(JobFilter filter) => Floor(filter, live: false);

    /// <summary>The lines of these ids, newest first.</summary>
    public string Lines { get; } = In(schema, $$"""
        WITH page AS (
            SELECT j.id, {{LiveState}} AS state, j.queue, j.kind, j.attempt, j.max_attempts, j.requested_by, j.enqueued_at, {{LiveDue}} AS due_at,
                   j.claimed_at AS started_at, NULL::timestamptz AS finished_at, (SELECT v.name FROM {s}.server v WHERE v.id = j.server_id) AS server,
                   j.cancel_at IS NOT NULL AS cancel_requested, NULL::text AS error
            FROM {s}.job j WHERE j.id = ANY(@ids)
            UNION ALL
            SELECT f.id, f.state, f.queue, f.kind, f.attempt, f.max_attempts, f.requested_by, f.enqueued_at, f.due_at,
                   f.started_at, f.finished_at, f.server, f.cancel_at IS NOT NULL, left(f.error, 200)
            FROM {s}.finished f WHERE f.id = ANY(@ids)
        )
        SELECT DISTINCT ON (page.id) page.*, p.done, p.total, p.message, ARRAY(SELECT t.tag FROM {s}.tag t WHERE t.job_id = page.id ORDER BY t.tag) AS tags
        FROM page LEFT JOIN {s}.progress p ON p.job_id = page.id
        ORDER BY page.id DESC
        """);

    /// <summary>Every match, up to a cap: what a dry run says.</summary>
    public string Count(JobFilter filter)
    {
        var sides = new List<string>();
        if (TouchesLive(filter))
            sides.Add($"(SELECT 1 FROM {{s}}.job j WHERE {Where(filter, live: true)} LIMIT @cap)");
        if (TouchesOver(filter))
            sides.Add($"(SELECT 1 FROM {{s}}.finished f WHERE {Where(filter, live: false)} LIMIT @cap)");
        return In(schema, $"SELECT count(*) FROM (SELECT 1 FROM ({string.Join(" UNION ALL ", sides)}) s LIMIT @cap) c");
    }

    public static bool TouchesLive(JobFilter filter) =>
        filter.State is null or JobState.Waiting or JobState.Scheduled or JobState.Running or JobState.Held && filter is { Cause: null, Unacknowledged: false };

    public static bool TouchesOver(JobFilter filter) => filter.State is null or JobState.Done or JobState.Failed or JobState.Cancelled;

    /// <summary>What needs no look at arguments or errors is looked for further.</summary>
    public static int LookOf(JobFilter filter) => filter.Text is null && filter.Cause is null ? 50_000 : 20_000;

    private string? Floor(JobFilter filter, bool live) => filter switch
    {
        { Tag: not null } => In(schema, "SELECT g.job_id FROM {s}.tag g WHERE g.tag = @tag AND (@before IS NULL OR g.job_id < @before) ORDER BY g.job_id DESC OFFSET @look - 1 LIMIT 1"),
        { ParentId: not null } => In(schema, "SELECT l.job_id FROM {s}.lineage l WHERE l.parent_id = @parent AND (@before IS NULL OR l.job_id < @before) ORDER BY l.job_id DESC OFFSET @look - 1 LIMIT 1"),
        _ => Rest(filter, live).Length == 0 ? null : In(schema, $"SELECT x.id FROM ({Stretch(filter, live)}) x ORDER BY x.id DESC OFFSET @look - 1 LIMIT 1"),
    };

    private static string Side(JobFilter filter, bool live)
    {
        var rest = Rest(filter, live);
        return $"SELECT x.id FROM ({Stretch(filter, live)}) x{(rest.Length == 0 ? "" : $" WHERE {rest}")} ORDER BY x.id DESC LIMIT @take";
    }

    /// <summary>The rows that an index leads to, newest first, bounded; what no index answers is asked of these rows only.</summary>
    private static string Stretch(JobFilter filter, bool live)
    {
        var (table, t) = live ? ("job", "j") : ("finished", "f");
        var where = new List<string> { $"(@before IS NULL OR {t}.id < @before)" };
        if (filter.Tag is not null)
            where.Add($"{t}.id = ANY(ARRAY(SELECT g.job_id FROM {{s}}.tag g WHERE g.tag = @tag AND (@before IS NULL OR g.job_id < @before) ORDER BY g.job_id DESC LIMIT @look))");
        else if (filter.ParentId is not null)
            where.Add($"{t}.id = ANY(ARRAY(SELECT l.job_id FROM {{s}}.lineage l WHERE l.parent_id = @parent AND (@before IS NULL OR l.job_id < @before) ORDER BY l.job_id DESC LIMIT @look))");
        where.AddRange(Indexed(filter, live));
        return $"SELECT {t}.* FROM {{s}}.{table} {t} WHERE {string.Join(" AND ", where)} ORDER BY {t}.id DESC LIMIT @look";
    }

    private static IEnumerable<string> Indexed(JobFilter filter, bool live)
    {
        if (live && filter.State == JobState.Running)
            yield return "j.lease IS NOT NULL";
        if (!live && filter.State is not null)
            yield return "f.state = @state";
        if (!live && (filter.Cause is not null || filter.Unacknowledged))
            yield return "f.state = 'failed'";
        if (!live && filter.Kind is not null)
            yield return "f.kind = @kind";
    }

    /// <summary>Over the rows of a stretch, named <c>x</c>.</summary>
    private static string Rest(JobFilter filter, bool live) => string.Join(" AND ", Unindexed(filter, live, "x"));

    private static IEnumerable<string> Unindexed(JobFilter filter, bool live, string t)
    {
        if (live && filter.State is { } state)
        {
            yield return state switch
            {
                JobState.Waiting => $"{t}.lease IS NULL AND {t}.due_at <= now()",
                JobState.Scheduled => $"{t}.lease IS NULL AND {t}.due_at > now() AND {t}.due_at < 'infinity'",
                JobState.Held => $"{t}.lease IS NULL AND {t}.due_at = 'infinity'",
                _ => $"{t}.lease IS NOT NULL",
            };
        }
        if (filter.Queue is not null)
            yield return $"{t}.queue = @queue";
        if (live && filter.Kind is not null)
            yield return $"{t}.kind = @kind";
        if (filter.UniqueKey is not null)
            yield return live ? $"({t}.unique_key = @key OR {t}.started_key = @key)" : $"{t}.unique_key = @key";
        if (filter.RequestedBy is not null)
            yield return $"{t}.requested_by = @by";
        if (filter.From is not null)
            yield return $"{t}.enqueued_at >= @from";
        if (filter.To is not null)
            yield return $"{t}.enqueued_at < @to";
        if (filter.Text is not null)
            yield return live ? $"{t}.args::text ILIKE @text" : $"({t}.args::text ILIKE @text OR {t}.error ILIKE @text)";
        if (!live && filter.Unacknowledged)
            yield return $"{t}.acknowledged_at IS NULL";
        if (!live && filter.Cause is not null)
            yield return $"{CauseOf.Replace("{t}", t, StringComparison.Ordinal)} = @cause";
    }

    private static string Where(JobFilter filter, bool live)
    {
        var t = live ? "j" : "f";
        var all = Indexed(filter, live).Concat(Unindexed(filter, live, t)).ToList();
        if (filter.Tag is not null)
            all.Add($"{t}.id IN (SELECT g.job_id FROM {{s}}.tag g WHERE g.tag = @tag)");
        if (filter.ParentId is not null)
            all.Add($"{t}.id IN (SELECT l.job_id FROM {{s}}.lineage l WHERE l.parent_id = @parent)");
        return all.Count == 0 ? "true" : string.Join(" AND ", all);
    }

    private const string CancelManyText = """
        WITH gone AS (
            DELETE FROM {s}.job j WHERE j.id = ANY(@ids) AND j.lease IS NULL RETURNING j.*
        ), kept AS (
            INSERT INTO {s}.finished (id, due_at, enqueued_at, started_at, expires_at, version, attempt, max_attempts, state, queue, kind, unique_key,
                                      requested_by, traceparent, cancel_at, cancel_by, cancel_reason, args)
            SELECT id, least(due_at, clock_timestamp()), enqueued_at, claimed_at, expires_at, version, attempt, max_attempts, 'cancelled', queue, kind, unique_key,
                   requested_by, traceparent, clock_timestamp(), @by, @reason, args
            FROM gone
        ), told AS (
            UPDATE {s}.job j
            SET cancel_at = coalesce(cancel_at, clock_timestamp()), cancel_by = coalesce(cancel_by, @by), cancel_reason = coalesce(cancel_reason, @reason)
            WHERE j.id = ANY(@ids) AND j.lease IS NOT NULL
            RETURNING j.id
        ), woken AS MATERIALIZED (
            SELECT pg_notify(@channel, '!cancel')::text WHERE @wake AND EXISTS (SELECT FROM told)
        )
        SELECT id, (SELECT count(*) FROM woken) FROM gone UNION ALL SELECT id, 0 FROM told
        """;

    /// <summary>What had a limit waits for it again. A job whose key is taken meanwhile stays where it is.</summary>
    private const string RetryManyText = """
        WITH gone AS (
            DELETE FROM {s}.finished f
            WHERE f.id = ANY(@ids) AND f.state IN ('failed', 'cancelled')
              AND (f.unique_key IS NULL OR NOT EXISTS (SELECT FROM {s}.job k WHERE k.kind = f.kind AND k.unique_key = f.unique_key))
            RETURNING f.*
        ), noted AS (
            INSERT INTO {s}.attempt (job_id, number, outcome, error)
            SELECT id, attempt, 'retried', 'Asked for by ' || @by || '.' FROM gone
        ), parked AS (
            UPDATE {s}.limited l SET parked = true, due_at = clock_timestamp() FROM gone g WHERE l.job_id = g.id RETURNING l.job_id, l.key
        ), told AS (
            INSERT INTO {s}.limit_event (key, at) SELECT DISTINCT key, now() FROM parked
        ), back AS (
            INSERT INTO {s}.job (id, due_at, enqueued_at, version, attempt, max_attempts, queue, kind, unique_key, requested_by, traceparent, planned_at, limit_key, args)
            SELECT g.id, CASE WHEN p.key IS NULL THEN clock_timestamp() ELSE 'infinity' END, g.enqueued_at, g.version, g.attempt, greatest(g.max_attempts, g.attempt + 1),
                   g.queue, g.kind, g.unique_key, g.requested_by, g.traceparent, (SELECT r.planned_at FROM {s}.recurring_run r WHERE r.job_id = g.id LIMIT 1), p.key, g.args
            FROM gone g LEFT JOIN parked p ON p.job_id = g.id
            RETURNING id, queue, limit_key
        ), hurried AS (
            UPDATE {s}.job j SET due_at = clock_timestamp()
            WHERE j.id = ANY(@ids) AND j.lease IS NULL AND j.due_at > clock_timestamp() AND j.due_at < 'infinity' RETURNING j.id, j.queue, NULL::text
        ), all_of_them AS (
            SELECT * FROM back UNION ALL SELECT * FROM hurried
        ), woken AS MATERIALIZED (
            SELECT pg_notify(@channel, w.payload)::text
            FROM (SELECT DISTINCT CASE WHEN limit_key IS NULL THEN queue ELSE '!limit' END AS payload FROM all_of_them) w WHERE @wake
        )
        SELECT id, (SELECT count(*) FROM woken) FROM all_of_them
        """;

    private const string RunNowManyText = """
        WITH hurried AS (
            UPDATE {s}.job j SET due_at = clock_timestamp()
            WHERE j.id = ANY(@ids) AND j.lease IS NULL AND j.due_at > clock_timestamp() AND j.due_at < 'infinity' RETURNING j.id, j.queue
        ), woken AS MATERIALIZED (
            SELECT pg_notify(@channel, w.queue)::text FROM (SELECT DISTINCT queue FROM hurried) w WHERE @wake
        )
        SELECT id, (SELECT count(*) FROM woken) FROM hurried
        """;

    private const string ChangeDueManyText = """
        WITH held AS (
            UPDATE {s}.held h SET due_at = @due FROM {s}.job j
            WHERE h.job_id = ANY(@ids) AND j.id = h.job_id AND j.lease IS NULL AND j.due_at = 'infinity' AND h.released_at IS NULL RETURNING h.job_id
        ), limited AS (
            UPDATE {s}.limited l SET due_at = @due FROM {s}.job j
            WHERE l.job_id = ANY(@ids) AND j.id = l.job_id AND j.lease IS NULL AND j.due_at = 'infinity' RETURNING l.job_id, l.key
        ), told AS (
            INSERT INTO {s}.limit_event (key, at) SELECT DISTINCT key, @due FROM limited
        ), moved AS (
            UPDATE {s}.job j SET due_at = @due WHERE j.id = ANY(@ids) AND j.lease IS NULL AND j.due_at < 'infinity' RETURNING j.id, j.queue
        ), woken AS MATERIALIZED (
            SELECT pg_notify(@channel, '!all')::text WHERE @wake AND @due <= clock_timestamp()
        )
        SELECT id, (SELECT count(*) FROM woken) FROM moved UNION SELECT job_id, 0 FROM held UNION SELECT job_id, 0 FROM limited
        """;

    private const string AcknowledgeManyText = """
        UPDATE {s}.finished SET acknowledged_at = clock_timestamp(), acknowledged_by = @by
        WHERE id = ANY(@ids) AND state = 'failed' AND acknowledged_at IS NULL
        RETURNING id
        """;

    private static readonly string CausesText = $$"""
        WITH latest AS MATERIALIZED (
            SELECT f.id, f.kind, f.error, f.finished_at FROM {s}.finished f WHERE f.state = 'failed' AND f.acknowledged_at IS NULL ORDER BY f.id DESC LIMIT 10000
        )
        SELECT {{CauseOf.Replace("{t}", "l", StringComparison.Ordinal)}} AS cause, l.kind, count(*) AS jobs, min(l.finished_at), max(l.finished_at), (array_agg(l.id ORDER BY l.id DESC))[1] AS example
        FROM latest l
        GROUP BY cause, l.kind
        ORDER BY jobs DESC, cause
        LIMIT 200
        """;

    /// <summary>What stands beside a job.</summary>
    private const string BesideText = """
        SELECT ARRAY(SELECT t.tag FROM {s}.tag t WHERE t.job_id = @id ORDER BY t.tag) AS tags,
               (SELECT l.parent_id FROM {s}.lineage l WHERE l.job_id = @id) AS parent,
               ARRAY(SELECT l.job_id FROM {s}.lineage l WHERE l.parent_id = @id ORDER BY l.job_id LIMIT 100) AS children,
               ARRAY(SELECT w.parent_id FROM {s}.waits_on w WHERE w.child_id = @id LIMIT 100) AS waits_for,
               ARRAY(SELECT w.child_id FROM {s}.waits_on w WHERE w.parent_id = @id LIMIT 100) AS waited_by,
               h.total, h.done, h.failed, h.cancelled,
               (SELECT l.key FROM {s}.limited l WHERE l.job_id = @id) AS limit_key,
               r.name AS schedule, r.planned_at
        FROM (SELECT 1) one LEFT JOIN {s}.held h ON h.job_id = @id LEFT JOIN {s}.recurring_run r ON r.job_id = @id
        LIMIT 1
        """;
}
