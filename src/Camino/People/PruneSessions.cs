using Camino.Jobs;
using Npgsql;

namespace Camino.People;

/// <summary>Forgets sessions that were begun long ago; each user's newest stays, so that it is known when somebody was here last.</summary>
public sealed record PruneSessions : IJobArgs
{
    public static string Kind => "people.prune-sessions"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>No session lives longer than a day, so all of these are over.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    private const int Batch = 5_000;

    private const string Delete =
        """
        delete from camino.staff_sessions where id = any (array(
            select old.id from camino.staff_sessions old
            where old.begun_at < $1 and exists (select from camino.staff_sessions newer where newer.user_id = old.user_id and newer.id > old.id)
            order by old.begun_at limit $2))
        """;

    /// <summary>Deletes in batches what was begun before; each user's newest stays.</summary>
    /// <returns>How many.</returns>
    public static async Task<long> ForgetAsync(NpgsqlDataSource source, DateTimeOffset before, CancellationToken ct)
    {
        var all = 0L;
        int some;
        do
        {
            await using var delete = source.CreateCommand(Delete);
            delete.Parameters.Add(new() { Value = before });
            delete.Parameters.Add(new() { Value = Batch });
            some = await delete.ExecuteNonQueryAsync(ct);
            all += some;
        }
        while (some == Batch);

        return all;
    }

    /// <remarks>Safe to run twice: a row that is gone is gone.</remarks>
    public sealed class Handler(NpgsqlDataSource source, TimeProvider clock) : IJobHandler<PruneSessions>
    {
        public async Task RunAsync(PruneSessions args, JobContext job, CancellationToken ct) =>
            job.SetResult(new { sessions = await ForgetAsync(source, clock.GetUtcNow() - Kept, ct) });
    }
}
