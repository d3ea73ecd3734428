using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Webhooks;

/// <summary>Sends notices again, under the same webhook-id, or one for a try.</summary>
public sealed class ReplayWebhooks(CaminoDb db, TimeProvider clock)
{
    /// <summary>Deliveries that one call has sent again; with more, it is called again.</summary>
    public const int Most = 10_000;

    /// <summary>Sends one delivery again that is over.</summary>
    /// <exception cref="RefusedException"><c>webhook.not_found</c>, <c>webhook.disabled</c>, <c>webhook_delivery.not_found</c>, <c>webhook_delivery.state</c>.</exception>
    public async Task OneAsync(Guid clientId, Guid endpointId, Guid deliveryId, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await EnabledAsync(clientId, endpointId, ct);
        var states = await db.Database.SqlQuery<short>($"""select state as "Value" from camino.webhook_deliveries where id = {deliveryId} and endpoint_id = {endpointId} for update""").ToListAsync(ct);
        Refuse.If(states.Count == 0, "webhook_delivery.not_found", "The endpoint has no such delivery.");
        Refuse.If(states[0] is not ((short)DeliveryState.Delivered or (short)DeliveryState.Failed), "webhook_delivery.state", "The delivery is still on its way; it is replayed when it was delivered or has failed.");
        await db.Database.ExecuteSqlAsync($"update camino.webhook_deliveries set state = 0, tries = 0, ended_at = null, next_at = null where id = {deliveryId}", ct);
        db.EnqueueDelivery(deliveryId, endpointId);
        db.AuditEntries.Add(EndpointTable.Entry(clock.GetUtcNow(), actor, "webhook.replayed", endpointId, new { client = clientId, delivery = deliveryId }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Sends everything again that failed since a time, or was missed while the endpoint was disabled: the oldest first, up to <see cref="Most"/>.</summary>
    /// <returns>How many are sent again, and whether there are more.</returns>
    /// <exception cref="RefusedException"><c>webhook.not_found</c>, <c>webhook.disabled</c>.</exception>
    public async Task<(int Replayed, bool HasMore)> FailedAsync(Guid clientId, Guid endpointId, DateTimeOffset since, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await EnabledAsync(clientId, endpointId, ct);
        var ids = await db.Database.SqlQuery<Guid>(
            $"""
            update camino.webhook_deliveries d set state = 0, tries = 0, ended_at = null, next_at = null
            where d.id in (select f.id from camino.webhook_deliveries f where f.endpoint_id = {endpointId} and f.state = 2 and f.made_at >= {since} order by f.id limit {Most} for update) returning d.id as "Value"
            """).ToListAsync(ct);
        foreach (var id in ids.Order())
            db.EnqueueDelivery(id, endpointId);
        db.AuditEntries.Add(EndpointTable.Entry(clock.GetUtcNow(), actor, "webhook.replayed", endpointId, new { client = clientId, since, deliveries = ids.Count }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (ids.Count, ids.Count == Most);
    }

    /// <summary>Sends an event for a try, whatever the endpoint chose.</summary>
    /// <returns>The delivery's id.</returns>
    /// <exception cref="RefusedException"><c>webhook.not_found</c>, <c>webhook.disabled</c>.</exception>
    public async Task<Guid> TestAsync(Guid clientId, Guid endpointId, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await EnabledAsync(clientId, endpointId, ct);
        var delivery = await db.TellTestAsync(clientId, endpointId, now, ct);
        db.AuditEntries.Add(EndpointTable.Entry(now, actor, "webhook.tested", endpointId, new { client = clientId, delivery }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return delivery;
    }

    private async Task EnabledAsync(Guid clientId, Guid endpointId, CancellationToken ct)
    {
        var endpoint = await db.EndpointForChangeAsync(clientId, endpointId, ct);
        Refuse.If(endpoint.IsDisabled, "webhook.disabled", "The endpoint is disabled; enable it first.");
    }
}
