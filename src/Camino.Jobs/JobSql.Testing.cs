namespace Camino.Jobs;

/// <content>For tests that run jobs one by one.</content>
internal sealed partial class JobSql
{
    public string ClaimOne { get; } = In(schema, ClaimOneText);

    public string NextDue { get; } = In(schema, NextDueText);

    public string LiveOfKind { get; } = In(schema, "SELECT id FROM {s}.job WHERE kind = @kind ORDER BY id LIMIT 10000");

    public string Advance { get; } = In(schema, AdvanceText);

    private const string ClaimOneText = """
        UPDATE {s}.job j
        SET lease = @lease, server_id = @server, claimed_at = now(), attempt = attempt + 1, taken_key = started_key, started_key = NULL
        WHERE j.id = @id AND j.lease IS NULL
        RETURNING j.id, j.queue, j.kind, j.version, j.attempt, j.max_attempts, CASE WHEN j.due_at = 'infinity' THEN now() ELSE j.due_at END, j.enqueued_at, j.requested_by,
                  j.traceparent, j.args, j.cancel_at IS NOT NULL AS cancelled, coalesce(j.expires_at <= now(), false) AS expired, j.claimed_at,
                  (SELECT c.state FROM {s}.checkpoint c WHERE c.job_id = j.id) AS checkpoint, j.planned_at, j.limit_key
        """;

    private const string NextDueText = """
        SELECT id FROM {s}.job
        WHERE lease IS NULL AND due_at <= clock_timestamp() AND kind = ANY(@kinds) AND (cardinality(@queues) = 0 OR queue = ANY(@queues))
        ORDER BY array_position(@queues, queue), due_at, id LIMIT 1
        """;

    /// <summary>Everything that waits for a moment comes nearer to it.</summary>
    private const string AdvanceText = """
        UPDATE {s}.job SET due_at = due_at - @by, expires_at = expires_at - @by WHERE lease IS NULL AND due_at < 'infinity';
        UPDATE {s}.job SET expires_at = expires_at - @by WHERE lease IS NOT NULL OR due_at = 'infinity';
        UPDATE {s}.held SET due_at = due_at - @by WHERE released_at IS NULL;
        UPDATE {s}.limited SET due_at = due_at - @by;
        UPDATE {s}.limit_event SET at = at - @by;
        UPDATE {s}.limit_slot SET admitted_at = admitted_at - @by, started_at = started_at - @by;
        UPDATE {s}.unique_period SET until = until - @by
        """;
}
