using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Clients;

/// <summary>Makes a client a new key, while the one before is good until a stated time, so that a program can be moved over without a gap.</summary>
public sealed class RotateClientKey(CaminoDb db, TimeProvider clock)
{
    /// <summary>How long the key before is good where nothing is said.</summary>
    public const int UsualOverlapHours = 24;

    /// <summary>30 days.</summary>
    public const int MostOverlapHours = 720;

    /// <param name="overlapHours">0 to 720 as text: the keys until now are good so long, or until their own expiry if that comes first; 0: they open nothing from now on. Empty: 24.</param>
    /// <param name="expiresInDays">Of the new key, 1 to 3,650 days as text; empty: it does not expire.</param>
    /// <param name="newest">The newest key that whoever asks saw, so that a form sent twice makes one key; null: whatever it is.</param>
    /// <returns>The new key, and when the keys before it end.</returns>
    /// <exception cref="RefusedException"><c>client.overlap</c>, <c>client.expires</c>, <c>client.not_found</c>, <c>client.disabled</c>, <c>client.rotated</c>.</exception>
    public async Task<(string Key, DateTimeOffset Until)> RunAsync(Guid clientId, string? overlapHours, string? expiresInDays, Guid? newest, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var now = clock.GetUtcNow();
        var hours = ClientActs.Whole("overlap-hours", "client.overlap", overlapHours, 0, MostOverlapHours) ?? UsualOverlapHours;
        var expires = ClientActs.Expiry(expiresInDays, now);
        var until = now.AddHours(hours);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var state = await db.ClientForChangeAsync(clientId, ct);
        Refuse.If(state.IsDisabled, "client.disabled", "The client is disabled; enable it first.");
        var last = await db.Database.SqlQuery<Guid>($"""select id as "Value" from camino.api_client_keys where client_id = {clientId} order by id desc limit 1""").ToListAsync(ct);
        Refuse.If(newest is { } seen && !last.Contains(seen), "client.rotated", "The key was rotated meanwhile; look at the client again.");
        var before = await db.Database.SqlQuery<Guid>(
            $"""
            update camino.api_client_keys set expires_at = least(expires_at, {until})
            where client_id = {clientId} and (expires_at is null or expires_at > {now}) returning id as "Value"
            """).ToListAsync(ct);
        var (keyId, key) = await db.AddClientKeyAsync(clientId, expires, now, ct);
        db.AuditEntries.Add(ClientActs.Entry(now, actor, "client.key_rotated", clientId, new { key = keyId, expires, before, until }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (key, until);
    }
}
