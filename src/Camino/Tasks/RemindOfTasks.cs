using Camino.Data;
using Camino.Jobs;
using Camino.Notices;
using Microsoft.EntityFrameworkCore;

namespace Camino.Tasks;

/// <summary>Tells everybody in the morning how many of their tasks are due or late.</summary>
public sealed record RemindOfTasks : IJobArgs
{
    public static string Kind => "tasks.remind"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Notices;

    private sealed record Due(Guid Id, long Tasks);

    /// <remarks>Safe to run twice: the notices and the end of the job are one transaction.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<RemindOfTasks>
    {
        private static readonly TimeZoneInfo s_newYork = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");

        public async Task RunAsync(RemindOfTasks args, JobContext job, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, s_newYork).DateTime);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var due = await db.Database.SqlQuery<Due>($"select assignee as \"Id\", count(*) as \"Tasks\" from camino.tasks where state = 0 and assignee is not null and due_sort <= {today} group by assignee").ToListAsync(ct);
            foreach (var one in due)
                db.Notices.Add(new Notice(one.Id, one.Tasks == 1 ? "Notice.TaskDue.One" : "Notice.TaskDue.Many", [one.Tasks.ToString(System.Globalization.CultureInfo.InvariantCulture)], "/tasks", now));
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, new { people = due.Count }, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
