using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Clients;

/// <summary>Gives a client exactly these scopes and limits; its next request has them, on every server.</summary>
public sealed class ChangeClient(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>client.reason</c>, <c>client.not_found</c>, <c>client.already</c>.</exception>
    public async Task RunAsync(Guid clientId, ClientTerms terms, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(actor);
        var why = ClientActs.Reason(reason);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var before = (await db.ClientForChangeAsync(clientId, ct)).ToTerms();
        Refuse.If(before.Scopes.ToHashSet(StringComparer.Ordinal).SetEquals(terms.Scopes) && before with { Scopes = terms.Scopes } == terms, "client.already", "The client has these scopes and limits already.");
        await db.Database.ExecuteSqlAsync(
            $"update camino.api_clients set scopes = {terms.Scopes}, requests_a_minute = {terms.RequestsAMinute}, burst = {terms.Burst}, requests_a_day = {terms.RequestsADay}, result_days = {terms.ResultDays} where id = {clientId}", ct);
        db.AuditEntries.Add(ClientActs.Entry(clock.GetUtcNow(), actor, "client.changed", clientId, new { before, after = terms, reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
