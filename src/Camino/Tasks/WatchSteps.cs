using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Camino.Tasks;

/// <summary>The service level of the checks of applications.</summary>
/// <param name="StepLimit">A step that takes longer raises a task.</param>
public sealed record ServiceLevels(TimeSpan StepLimit);

/// <summary>Raises a task for every application of which a step of the checks takes too long, and ends the task when the application has gone on.</summary>
public sealed record WatchSteps : IJobArgs
{
    public static string Kind => "applications.watch-steps"; // stored in rows: never rename, never reuse

    /// <summary>Name of the text that says what is to be done.</summary>
    internal const string Said = "TaskSaid.SlowSteps";

    private const string Prefix = "application-steps:";

    private sealed record Slow(Guid Id, string Number);

    private sealed record Over(Guid Id);

    /// <remarks>Safe to run twice: an application has one open task of this source, and one that somebody ended is not raised again for a day.</remarks>
    public sealed class Handler(CaminoDb db, ServiceLevels levels, TimeProvider clock) : IJobHandler<WatchSteps>
    {
        /// <summary>Tasks that one run raises or ends at most; the next one goes on.</summary>
        private const int Most = 500;

        public async Task RunAsync(WatchSteps args, JobContext job, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var slow = await db.Database.SqlQuery<Slow>(
                $"""
                select a.id as "Id", a.number as "Number" from camino.applications a
                where a.state = 2 and a.changed_at < {now - levels.StepLimit}
                    and exists (select from camino.application_steps s where s.application_id = a.id and s.state in (0, 1, 3))
                    and not exists (select from camino.tasks t where t.source = {Prefix} || a.id and (t.state = 0 or t.ended_at > {now.AddDays(-1)}))
                order by a.id limit {Most}
                """).ToListAsync(ct);
            foreach (var one in slow)
            {
                var task = new NewTask($"Checks of application {one.Number} take too long", null, DateOnly.FromDateTime(now.UtcDateTime), null, (SubjectKind.Application, one.Id));
                var id = await db.InsertTaskAsync(task, null, now, ct, Prefix + one.Id.ToString(), Said);
                db.AuditEntries.Add(new AuditEntry(now, null, "task.added", "task", id.ToString(), JsonSerializer.Serialize(new { source = "application-steps", subject = "application", subjectId = one.Id })));
            }

            var over = await db.Database.SqlQuery<Over>(
                $"""
                update camino.tasks t set state = 1, ended_at = {now}, version = version + 1
                where t.id in (
                    select t.id from camino.tasks t join camino.applications a on a.id = t.subject_id
                    where t.state = 0 and t.subject = 2 and t.said = {Said} and a.state <> 2 order by t.id limit {Most} for update of t)
                returning t.id as "Id"
                """).ToListAsync(ct);
            foreach (var one in over)
            {
                await db.TaskEntryAsync(one.Id, TaskAct.Done, null, now, null, null, null, ct);
                db.AuditEntries.Add(new AuditEntry(now, null, "task.done", "task", one.Id.ToString(), "{}"));
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, new { raised = slow.Count, ended = over.Count }, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
