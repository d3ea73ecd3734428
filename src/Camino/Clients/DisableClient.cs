using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Clients;

/// <summary>Disables a client: its keys open nothing from the next request on, on every server; or lets it in again with the keys that it had.</summary>
public sealed class DisableClient(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>client.reason</c>, <c>client.not_found</c>, <c>client.already</c>.</exception>
    public Task DisableAsync(Guid clientId, string? reason, StaffActor actor, CancellationToken ct) => RunAsync(clientId, isDisabled: true, reason, actor, ct);

    /// <summary>Keys that expired meanwhile stay expired.</summary>
    /// <exception cref="RefusedException"><c>client.reason</c>, <c>client.not_found</c>, <c>client.already</c>.</exception>
    public Task EnableAsync(Guid clientId, string? reason, StaffActor actor, CancellationToken ct) => RunAsync(clientId, isDisabled: false, reason, actor, ct);

    private async Task RunAsync(Guid clientId, bool isDisabled, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = ClientActs.Reason(reason);
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var state = await db.ClientForChangeAsync(clientId, ct);
        Refuse.If(state.IsDisabled == isDisabled, "client.already", $"The client is {(isDisabled ? "disabled" : "enabled")} already.");
        await db.Database.ExecuteSqlAsync($"update camino.api_clients set disabled_at = {(isDisabled ? now : null)} where id = {clientId}", ct);
        db.AuditEntries.Add(ClientActs.Entry(now, actor, isDisabled ? "client.disabled" : "client.enabled", clientId, new { reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
