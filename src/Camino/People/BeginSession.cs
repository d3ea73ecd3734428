using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Begins a session of somebody whose password, and whatever else is asked for, was right. Each sign-in gets an id of its own, so that none that was known before opens anything.</summary>
public sealed class BeginSession(CaminoDb db, TimeProvider clock)
{
    /// <param name="userId">Who signs in.</param>
    /// <param name="securityStamp">As it was when the password was looked at: when it was changed meanwhile, nothing begins.</param>
    /// <param name="address">From <see cref="SessionPlace.Network"/>.</param>
    /// <param name="agent">From <see cref="SessionPlace.Family"/>.</param>
    /// <param name="replaces">The session that the same browser had until now; it ends.</param>
    /// <param name="hasSecondFactor">A second factor was asked and right; without it, nothing begins for whoever has one.</param>
    /// <exception cref="RefusedException"><c>session.refused</c>: the user was disabled, or the password changed, at that moment.</exception>
    public async Task<Guid> RunAsync(Guid userId, string securityStamp, string address, string agent, Guid? replaces, bool hasSecondFactor, CancellationToken ct)
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
            $"insert into camino.staff_sessions (id, user_id, begun_at, last_seen_at, address, agent) values ({id}, {userId}, {now}, {now}, {address}, {agent})", ct);
        db.AuditEntries.Add(new AuditEntry(now, userId, "session.begun", "user", userId.ToString(), $$"""{"session":"{{id}}"}"""));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return id;
    }
}
