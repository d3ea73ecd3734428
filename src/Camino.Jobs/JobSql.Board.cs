namespace Camino.Jobs;

/// <content>What the job board shows beside lists, and commands that ride in the caller's transaction.</content>
internal sealed partial class JobSql
{
    public string History { get; } = In(schema, HistoryText);

    public string Requesters { get; } = In(schema, RequestersText);

    /// <summary>60 minutes for each queue that has any sample: the keys are a minute and a queue, so an hour is a short stretch of each index.</summary>
    private const string HistoryText = """
        WITH minutes AS (
            SELECT generate_series(date_trunc('minute', now()) - interval '60 minutes', date_trunc('minute', now()) - interval '1 minute', interval '1 minute') AS minute
        ), stood AS MATERIALIZED (
            SELECT d.minute, d.queue, d.ready, d.oldest FROM {s}.depth d WHERE d.minute >= date_trunc('minute', now()) - interval '60 minutes'
        ), went AS MATERIALIZED (
            SELECT f.minute, f.queue, sum(f.done) AS done, sum(f.failed) AS failed
            FROM {s}.flow f WHERE f.minute >= date_trunc('minute', now()) - interval '60 minutes' GROUP BY f.minute, f.queue
        ), known AS (
            SELECT queue FROM stood UNION SELECT queue FROM went
        )
        SELECT k.queue, m.minute, s.ready, s.oldest, coalesce(w.done, 0) AS done, coalesce(w.failed, 0) AS failed
        FROM known k CROSS JOIN minutes m
        LEFT JOIN stood s ON s.queue = k.queue AND s.minute = m.minute
        LEFT JOIN went w ON w.queue = k.queue AND w.minute = m.minute
        ORDER BY k.queue, m.minute
        """;

    private const string RequestersText = """
        SELECT j.id, j.requested_by FROM {s}.job j WHERE j.id = ANY(@ids)
        UNION SELECT f.id, f.requested_by FROM {s}.finished f WHERE f.id = ANY(@ids)
        """;
}
