using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.Approvals;

/// <summary>Keeps an act until a second person decides about it.</summary>
public sealed class AskApproval(CaminoDb db, ApprovalOptions options, TimeProvider clock)
{
    /// <summary>Adds the request and its audit entry to the caller's transaction, and saves.</summary>
    /// <param name="act">Checked as the act itself would have checked it.</param>
    /// <param name="by">A user or an API client.</param>
    /// <exception cref="RefusedException"><c>approval.waiting</c>.</exception>
    /// <exception cref="InvalidOperationException">there is no transaction that could hold it.</exception>
    internal async Task<AskedApproval> AddAsync(FrozenAct act, Guid by, CancellationToken ct)
    {
        if (db.Database.CurrentTransaction is null)
            throw new InvalidOperationException("A request for approval is made inside a transaction.");
        var at = clock.GetUtcNow();
        var waiting = await db.Database.SqlQuery<bool>(
            $"""
            select exists (select from camino.approvals where state = 0 and subject = {act.Subject} and subject_id = {act.SubjectId} and kind = {act.Kind} and expires_at > {at}
                and request - array['below', 'counted'] = {act.Request}::jsonb - array['below', 'counted']) as "Value"
            """).SingleAsync(ct);
        Refuse.If(waiting, "approval.waiting", "The same was asked for already and waits for a second person.");

        var asked = new AskedApproval(Guid.CreateVersion7(at), act.Kind, at + options.ExpireAfter);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.approvals (id, kind, subject, subject_id, version, request, reason, asked_by, asked_at, expires_at)
            values ({asked.ApprovalId}, {act.Kind}, {act.Subject}, {act.SubjectId}, {act.Version}, {act.Request}::jsonb, {act.Reason}, {by}, {at}, {asked.ExpiresAt})
            """, ct);
        // the reason stays with the request: it may name people, and the audit trail may not
        db.AuditEntries.Add(new AuditEntry(at, by, "approval.requested", "approval", asked.ApprovalId.ToString(), JsonSerializer.Serialize(new { act.Kind, act.Subject, act.SubjectId, act.Version }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        return asked;
    }
}
