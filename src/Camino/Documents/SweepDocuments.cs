using Camino.Data;
using Camino.Jobs;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>Takes out of the store what uploads left that never got a row, and makes a task of every document that expires soon.</summary>
public sealed record SweepDocuments : IJobArgs
{
    public static string Kind => "documents.sweep"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>Name of the text that says what is to be done.</summary>
    internal const string Said = "TaskSaid.DocumentExpires";

    private const string Prefix = "document-expires:";

    private sealed record Stray(string Key);

    private sealed record Expiring(Guid Id, short Subject, Guid SubjectId, DateOnly ExpiresOn);

    /// <remarks>Safe to run twice: an object that is gone is gone, and there is one task of a document and its day.</remarks>
    public sealed class Handler(CaminoDb db, IObjectStore store, DocumentOptions options, TimeProvider clock) : IJobHandler<SweepDocuments>
    {
        private const int Batch = 200;

        /// <summary>The longest upload has ended by then.</summary>
        private static readonly TimeSpan s_strayAge = TimeSpan.FromHours(24);

        public async Task RunAsync(SweepDocuments args, JobContext job, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            var swept = await SweepAsync(now, ct);
            var raised = 0;
            int rows;
            do
            {
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                rows = await RaiseAsync(now, ct);
                raised += rows;
                await job.HoldLeaseAsync(db, transaction, ct);
                await transaction.CommitAsync(ct);
                db.ChangeTracker.Clear();
            }
            while (rows == Batch);

            job.SetResult(new { swept, raised });
        }

        private async Task<int> SweepAsync(DateTimeOffset now, CancellationToken ct)
        {
            var swept = 0;
            while (true)
            {
                var strays = await db.Database.SqlQuery<Stray>($"select object_key as \"Key\" from camino.document_puts where at < {now - s_strayAge} order by at limit {Batch}").ToListAsync(ct);
                foreach (var stray in strays)
                {
                    // a commit whose answer was lost crossed the note out with its row, so what is noted has none
                    await store.DeleteAsync(stray.Key, ct);
                    await db.Database.ExecuteSqlAsync($"delete from camino.document_puts where object_key = {stray.Key}", ct);
                    swept++;
                }

                if (strays.Count < Batch)
                    return swept;
            }
        }

        private async Task<int> RaiseAsync(DateTimeOffset now, CancellationToken ct)
        {
            var today = DateOnly.FromDateTime(now.UtcDateTime);
            var soon = await db.Database.SqlQuery<Expiring>(
                $"""
                select d.id as "Id", d.subject as "Subject", d.subject_id as "SubjectId", d.expires_on as "ExpiresOn" from camino.documents d
                where d.removed_at is null and d.expires_on between {today.AddDays(-30)} and {today.AddDays(options.ExpiryDays)}
                    and not exists (select from camino.tasks t where t.source = {Prefix} || d.id || ':' || d.expires_on)
                order by d.expires_on, d.id limit {Batch}
                """).ToListAsync(ct);
            foreach (var one in soon)
            {
                var task = new NewTask($"A document expires on {one.ExpiresOn:yyyy-MM-dd}", null, one.ExpiresOn, null, ((SubjectKind)one.Subject, one.SubjectId));
                var id = await db.InsertTaskAsync(task, null, now, ct, $"{Prefix}{one.Id}:{one.ExpiresOn:yyyy-MM-dd}", Said);
                db.AuditEntries.Add(new Audit.AuditEntry(now, null, "task.added", "task", id.ToString(), System.Text.Json.JsonSerializer.Serialize(new { source = "document-expires", documentId = one.Id })));
            }

            await db.SaveChangesAsync(ct);
            return soon.Count;
        }
    }
}
