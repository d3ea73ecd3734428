using Camino.Data;
using Camino.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>Ends the time for which clients see the results of applications; the lender's file stays, as long as the law asks for it.</summary>
public sealed record RemoveResults : IJobArgs
{
    public static string Kind => "applications.remove-results"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <remarks>Safe to run twice: a result that is removed stays so. Each batch is a transaction of its own.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<RemoveResults>
    {
        private const int Batch = 1_000;

        public async Task RunAsync(RemoveResults args, JobContext job, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            var removed = 0L;
            var clients = await db.Database.SqlQuery<Client>($"""select id as "Id", result_days as "Days" from camino.api_clients where result_days is not null order by id""").ToListAsync(ct);
            foreach (var client in clients)
            {
                var until = now.AddDays(-client.Days);
                var latest = ListApplications.LeastIdAt(until.AddMinutes(1)); // what ended before was taken in before
                int rows;
                do
                {
                    await using var transaction = await db.Database.BeginTransactionAsync(ct);
                    rows = await db.Database.ExecuteSqlAsync(
                        $"""
                        update camino.applications set result_removed_at = {now} where id in (
                            select id from camino.applications where received_by = {client.Id} and channel = 'api' and id < {latest} and ended_at <= {until} and result_removed_at is null order by id limit {Batch} for update)
                        """, ct);
                    await job.HoldLeaseAsync(db, transaction, ct);
                    await transaction.CommitAsync(ct);
                    removed += rows;
                }
                while (rows > 0);
            }

            job.SetResult(new { removed });
        }

        private sealed record Client(Guid Id, int Days);
    }
}
