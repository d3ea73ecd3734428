using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending.Applications;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Webhooks;

/// <summary>What programs are told: each step of the course of an application that they handed in. Ids and states, never personal data.</summary>
public static class WebhookEvents
{
    /// <summary>Sent when somebody asks for it, whatever an endpoint chose.</summary>
    public const string Test = "webhook.test";

    /// <summary>Everything that an endpoint may choose, in the order of an application's course. The names are never changed.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. Enum.GetValues<ApplicationState>().Select(TypeOf)];

    /// <summary><c>application.underwriting</c></summary>
    public static string TypeOf(ApplicationState state) => "application." + Words.Camel(state);

    /// <summary>The body of one event, as it is signed and sent, the same at every attempt.</summary>
    internal static string Body(string type, DateTimeOffset at, object data) => JsonSerializer.Serialize(new { type, timestamp = Instant(at), data }, JsonSerializerOptions.Web);

    /// <summary><c>2026-03-01T10:15:30.123Z</c></summary>
    internal static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}

/// <summary>Writes an event down, and a delivery with its job for each endpoint that wants it, in the caller's transaction: what did not commit is told nobody, and what did is told at least once.</summary>
internal static class WebhookOutbox
{
    /// <summary>A delivery that was just written down.</summary>
    private sealed record Planned(Guid Id, Guid EndpointId, short State);

    /// <summary>An application that a program handed in took a step. The jobs ride in the next save.</summary>
    /// <param name="task">The state as programs read it: <c>IN_PROGRESS</c>.</param>
    public static async Task TellAsync(this CaminoDb db, Guid applicationId, ApplicationEvent step, string task, CancellationToken ct)
    {
        var type = WebhookEvents.TypeOf(step.To);
        var body = WebhookEvents.Body(type, step.At, new
        {
            applicationId,
            state = task,
            step = Words.Camel(step.To),
            previousStep = step.From is { } from ? Words.Camel(from) : null,
            version = step.Sequence,
        });
        var planned = await db.Database.SqlQuery<Planned>(
            $"""
            with told as (
                insert into camino.webhook_events (id, client_id, application_id, type, body, at)
                select camino.new_id(), a.received_by, a.id, {type}, {body}, {step.At} from camino.applications a
                where a.id = {applicationId} and a.channel = 'api' and exists (select from camino.webhook_endpoints p where p.client_id = a.received_by and p.removed_at is null and {type} = any (p.event_types))
                returning id, client_id
            )
            insert into camino.webhook_deliveries (id, event_id, endpoint_id, state, problem, made_at, ended_at)
            select camino.new_id(), t.id, p.id, case when p.disabled_at is null then 0 else 2 end, case when p.disabled_at is not null then 'disabled' end, {step.At}, case when p.disabled_at is not null then {step.At} end
            from told t join camino.webhook_endpoints p on p.client_id = t.client_id and p.removed_at is null and {type} = any (p.event_types)
            returning id as "Id", endpoint_id as "EndpointId", state as "State"
            """).ToListAsync(ct);
        foreach (var one in planned.Where(one => one.State == (short)DeliveryState.Waiting))
            db.EnqueueDelivery(one.Id, one.EndpointId);
    }

    /// <summary>An event for one endpoint, which somebody asked for.</summary>
    /// <returns>The delivery's id.</returns>
    public static async Task<Guid> TellTestAsync(this CaminoDb db, Guid clientId, Guid endpointId, DateTimeOffset at, CancellationToken ct)
    {
        var (eventId, delivery) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var body = WebhookEvents.Body(WebhookEvents.Test, at, new { endpointId });
        await db.Database.ExecuteSqlAsync($"insert into camino.webhook_events (id, client_id, type, body, at) values ({eventId}, {clientId}, {WebhookEvents.Test}, {body}, {at})", ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.webhook_deliveries (id, event_id, endpoint_id, state, made_at) values ({delivery}, {eventId}, {endpointId}, 0, {at})", ct);
        db.EnqueueDelivery(delivery, endpointId);
        return delivery;
    }

    /// <summary>The job of a delivery. Few of one endpoint run at once, so that one that answers slowly delays no other.</summary>
    public static void EnqueueDelivery(this CaminoDb db, Guid delivery, Guid endpoint) =>
        db.Enqueue(new DeliverWebhook(delivery), new JobOptions { Limit = new JobLimit($"webhook:{endpoint}", AtOnce: DeliverWebhook.AtOnce) });
}
