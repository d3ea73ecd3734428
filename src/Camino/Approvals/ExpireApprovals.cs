using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Notices;
using Microsoft.EntityFrameworkCore;

namespace Camino.Approvals;

/// <summary>Notes which requests nobody decided in time, and tells whoever asked. What has expired cannot be approved before this ran either.</summary>
public sealed record ExpireApprovals : IJobArgs
{
    public static string Kind => "approvals.expire"; // stored in rows: never rename, never reuse

    /// <remarks>Safe to run twice: what has expired stays so. Each batch is a transaction of its own.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<ExpireApprovals>
    {
        private const int Batch = 200;

        public async Task RunAsync(ExpireApprovals args, JobContext job, CancellationToken ct)
        {
            var expired = 0L;
            int rows;
            do
            {
                rows = await BatchAsync(job, ct);
                expired += rows;
            }
            while (rows > 0);

            job.SetResult(new { expired });
        }

        private async Task<int> BatchAsync(JobContext job, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            // what somebody decides about at this moment is left to that person
            var rows = await db.Database.SqlQuery<Row>(
                $"""
                update camino.approvals a set state = 4, decided_at = {now} where a.id in (select id from camino.approvals where state = 0 and expires_at <= {now} order by expires_at limit {Batch} for update skip locked)
                returning a.id as "Id", a.kind as "Kind", a.subject as "Subject", a.subject_id as "SubjectId", a.asked_by as "AskedBy", exists (select from camino.staff_users u where u.id = a.asked_by) as "IsPerson"
                """).ToListAsync(ct);
            foreach (var row in rows)
            {
                db.AuditEntries.Add(new AuditEntry(now, null, "approval.expired", "approval", row.Id.ToString(), JsonSerializer.Serialize(new { row.Kind, row.Subject, row.SubjectId }, JsonSerializerOptions.Web)));
                if (row.IsPerson)
                    db.Notices.Add(new Notice(row.AskedBy, "Notice.ApprovalExpired", ["@ApprovalKind." + row.Kind], "/approvals/" + row.Id, now));
            }

            await db.SaveChangesAsync(ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
            db.Forget();
            return rows.Count;
        }

        private sealed record Row(Guid Id, string Kind, string Subject, string SubjectId, Guid AskedBy, bool IsPerson);
    }
}
