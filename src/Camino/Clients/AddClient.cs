using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Clients;

/// <summary>Adds an API client with its first key, which is shown once.</summary>
public sealed class AddClient(CaminoDb db, TimeProvider clock)
{
    /// <param name="name">1 to 100 characters; no other client has it, whatever its capitals.</param>
    /// <param name="expiresInDays">Of the key, 1 to 3,650 days as text; empty: it does not expire.</param>
    /// <returns>The client's id, and the key; only its hash is kept.</returns>
    /// <exception cref="RefusedException"><c>client.name</c>, <c>client.expires</c>, <c>client.exists</c>.</exception>
    public async Task<(Guid Id, string Key)> RunAsync(string? name, ClientTerms terms, string? expiresInDays, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(actor);
        var called = ClientActs.Name(name);
        var (id, now) = (Guid.CreateVersion7(), clock.GetUtcNow());
        var expires = ClientActs.Expiry(expiresInDays, now);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var added = await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.api_clients (id, name, scopes, requests_a_minute, burst, requests_a_day, result_days, made_at)
            values ({id}, {called}, {terms.Scopes}, {terms.RequestsAMinute}, {terms.Burst}, {terms.RequestsADay}, {terms.ResultDays}, {now}) on conflict do nothing
            """, ct);
        Refuse.If(added == 0, "client.exists", "A client of this name is there already; it may be disabled.");
        var (keyId, key) = await db.AddClientKeyAsync(id, expires, now, ct);
        db.AuditEntries.Add(ClientActs.Entry(now, actor, "client.added", id, new { name = called, terms, key = keyId, expires }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (id, key);
    }
}
