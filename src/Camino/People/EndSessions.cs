using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Sessions end: a person ends own ones, an administrator all of somebody's.</summary>
public sealed class EndSessions(CaminoDb db, TimeProvider clock)
{
    /// <summary>Ends one.</summary>
    /// <param name="why">One of <see cref="SessionEnds"/>.</param>
    /// <returns>False when the user has no such open session.</returns>
    public async Task<bool> OneAsync(Guid userId, Guid session, string why, CancellationToken ct) =>
        await RunAsync(userId, why, $"update camino.staff_sessions set ended_at = {clock.GetUtcNow()}, ended_why = {why} where id = {session} and user_id = {userId} and ended_at is null returning id as \"Value\"", ct) > 0;

    /// <summary>Ends all but the one that asks.</summary>
    /// <returns>How many.</returns>
    public Task<int> OthersAsync(Guid userId, Guid session, CancellationToken ct) =>
        RunAsync(userId, SessionEnds.Owner, $"update camino.staff_sessions set ended_at = {clock.GetUtcNow()}, ended_why = {SessionEnds.Owner} where user_id = {userId} and id <> {session} and ended_at is null returning id as \"Value\"", ct);

    /// <summary>Ends all that somebody has, who may sign in again: for a lost laptop, or a browser left open somewhere.</summary>
    /// <param name="reason">3 to 300 characters.</param>
    /// <returns>How many ended.</returns>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.reason</c>, <c>session.none</c>.</exception>
    public async Task<int> AllAsync(Guid userId, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = StaffActs.Reason(reason);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.UserForChangeAsync(userId, ct); // whoever signs in meanwhile waits, or was first and is ended too
        var now = clock.GetUtcNow();
        var ended = await db.Database.SqlQuery<Guid>($"update camino.staff_sessions set ended_at = {now}, ended_why = {SessionEnds.Administrator} where user_id = {userId} and ended_at is null returning id as \"Value\"").ToListAsync(ct);
        Refuse.If(ended.Count == 0, "session.none", "The user has no open session.");
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.sessions_ended", userId, new { reason = why, sessions = ended }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return ended.Count;
    }

    private async Task<int> RunAsync(Guid userId, string why, FormattableString end, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var ended = await db.Database.SqlQuery<Guid>(end).ToListAsync(ct);
        if (ended.Count == 0)
            return 0;
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "session.ended", "user", userId.ToString(), JsonSerializer.Serialize(new { sessions = ended, why }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return ended.Count;
    }
}
