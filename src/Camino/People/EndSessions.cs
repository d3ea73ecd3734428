using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>A person ends sessions of their own.</summary>
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
