using System.Security.Cryptography;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Makes the one-time link with which a user chooses a password, at the beginning or when it was forgotten. A new link makes the one before useless.</summary>
public sealed class OfferPasswordLink(CaminoDb db, TimeProvider clock)
{
    /// <summary>The link works for so long.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <returns>The token for the link; only its hash is kept.</returns>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.disabled</c>.</exception>
    public async Task<string> RunAsync(Guid userId, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await db.UserForChangeAsync(userId, ct);
        Refuse.If(user.IsDisabled, "user.disabled", "The user is disabled; enable the account first.");
        var token = await StoreAsync(userId, ct);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.link_made", userId, new { hours = (int)Lifetime.TotalHours }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return token;
    }

    internal async Task<string> StoreAsync(Guid userId, CancellationToken ct)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var (hash, now) = (FirstAdmin.HashOf(token), clock.GetUtcNow());
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.staff_links (user_id, hash, made_at, expires_at) values ({userId}, {hash}, {now}, {now + Lifetime})
            on conflict (user_id) do update set hash = excluded.hash, made_at = excluded.made_at, expires_at = excluded.expires_at
            """, ct);
        return token;
    }
}
