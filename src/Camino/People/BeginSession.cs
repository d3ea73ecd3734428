using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Notices;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Begins a session of somebody whose password, and whatever else is asked for, was right. Each sign-in gets an id of its own, so that none that was known before opens anything.</summary>
public sealed class BeginSession(CaminoDb db, TimeProvider clock, CompanyProvider? provider = null)
{
    /// <param name="userId">Who signs in.</param>
    /// <param name="securityStamp">As it was when the password was looked at: when it was changed meanwhile, nothing begins.</param>
    /// <param name="address">From <see cref="SessionPlace.Network"/>.</param>
    /// <param name="agent">From <see cref="SessionPlace.Family"/>.</param>
    /// <param name="replaces">The session that the same browser had until now; it ends.</param>
    /// <param name="hasSecondFactor">A second factor was asked and right; without it, nothing begins for whoever has one.</param>
    /// <param name="company">What the company's identity provider said; null: the person came by password or passkey.</param>
    /// <exception cref="RefusedException"><c>session.refused</c>: the user was disabled, or the password changed, at that moment.</exception>
    public async Task<Guid> RunAsync(Guid userId, string securityStamp, string address, string agent, Guid? replaces, bool hasSecondFactor, CompanyVouched? company, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // whoever disables the user waits for this row, or was first and nothing is begun; what waits finds the new session and ends it
        var may = await db.Database.SqlQuery<Guid>(
            $"""select id as "Value" from camino.staff_users where id = {userId} and security_stamp = {securityStamp} and lockout_end is distinct from 'infinity' and (not two_factor_enabled or {hasSecondFactor}) for share""").ToListAsync(ct);
        Refuse.If(may.Count == 0, "session.refused", "The account was changed at this moment; sign in again.");
        if (replaces is { } former)
            await db.Database.ExecuteSqlAsync($"update camino.staff_sessions set ended_at = {now}, ended_why = {SessionEnds.Replaced} where id = {former} and ended_at is null", ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.staff_sessions (id, user_id, begun_at, last_seen_at, address, agent, by_company, company_session, company_signed_at)
            values ({id}, {userId}, {now}, {now}, {address}, {agent}, {company is not null}, {company?.Session}, {company?.SignedAt})
            """, ct);
        var isLastResort = company is null && provider is { TakesLocal: false };
        if (isLastResort)
            await TellOthersAsync(userId, now, ct);
        var how = company is not null ? "company" : isLastResort ? "local-administrator" : "local";
        db.AuditEntries.Add(new AuditEntry(now, userId, "session.begun", "user", userId.ToString(), JsonSerializer.Serialize(new { session = id, how, secondFactor = hasSecondFactor }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return id;
    }

    /// <summary>Passwords are closed but for one administrator; the others hear of each use.</summary>
    private async Task TellOthersAsync(Guid userId, DateTimeOffset now, CancellationToken ct)
    {
        var others = await db.Database.SqlQuery<Guid>(
            $"""
            select one.id as "Value" from camino.staff_users one
            join camino.staff_user_roles link on link.user_id = one.id join camino.staff_roles role on role.id = link.role_id
            where role.name = {StaffRoles.Administrator} and one.id <> {userId} and one.lockout_end is distinct from 'infinity'
            """).ToListAsync(ct);
        db.Notices.AddRange(others.Select(other => new Notice(other, "Notice.LocalAdministrator", [], $"/people/{userId}", now)));
    }
}
