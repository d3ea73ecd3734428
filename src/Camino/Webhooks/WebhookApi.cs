using System.Globalization;
using Camino.Clients;
using Camino.Lending;
using Camino.People;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Webhooks;

/// <summary>The endpoints of the client that asks, and what was sent to them.</summary>
public static class WebhookApi
{
    private const string Root = "/webhooks";
    private const string One = "/webhooks/{id:guid}";
    private const string Delivery = "/webhooks/{id:guid}/deliveries/{deliveryId:guid}";

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapWebhookApi(this IEndpointRouteBuilder api)
    {
        api.MapGet(Root, ListAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("The client's own webhook endpoints, at most 10");
        api.MapPost(Root, AddAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Adds an endpoint; its secret is shown in this answer alone").Reads(typeof(EndpointInput), "application/json");
        api.MapGet(One, GetAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("One endpoint");
        api.MapPut(One, ChangeAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Gives an endpoint another address, description or event types").Reads(typeof(EndpointInput), "application/json");
        api.MapDelete(One, RemoveAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Removes an endpoint; what still waits for it is cancelled");
        api.MapPost(One + "/rotate", RotateAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Makes a new secret, shown in this answer alone; the one before signs too until the overlap is over").Reads(typeof(RotateInput), "application/json");
        api.MapPost(One + "/disable", (Guid id, HttpContext context, SwitchEndpoint run, ListWebhooks list, CancellationToken ct) => SwitchAsync(id, context, run.DisableAsync, list, ct)).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Sends nothing more to an endpoint; what happens meanwhile can be replayed");
        api.MapPost(One + "/enable", (Guid id, HttpContext context, SwitchEndpoint run, ListWebhooks list, CancellationToken ct) => SwitchAsync(id, context, run.EnableAsync, list, ct)).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Sends to a disabled endpoint again");
        api.MapPost(One + "/test", TestAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Sends an event webhook.test to an endpoint");
        api.MapPost(One + "/replay", ReplayFailedAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Sends everything again that failed since a time, at most 10,000 in one call").Reads(typeof(ReplayInput), "application/json");
        api.MapGet(One + "/deliveries", DeliveriesAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("What was sent to an endpoint, the newest first, 50 a page")
            .Asks("state", "One of waiting, delivered, failed, cancelled.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapGet(Delivery, DeliveryAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("One delivery with its body and its newest 100 attempts");
        api.MapPost(Delivery + "/replay", ReplayOneAsync).RequireAuthorization(Permissions.WebhooksManage).WithSummary("Sends one delivery again, under the same webhook-id");
    }

    /// <summary>How a secret is rotated.</summary>
    /// <param name="OverlapHours">0 to 720; left out: 24.</param>
    public sealed record RotateInput(int? OverlapHours);

    /// <summary>From when on failed deliveries are sent again.</summary>
    /// <param name="Since">Such as 2026-03-01T00:00:00Z.</param>
    public sealed record ReplayInput(string? Since);

    /// <param name="DisabledWhy"><c>byHand</c>, <c>failing</c> or <c>gone</c>; null: it is enabled.</param>
    public sealed record EndpointView(Guid Id, string Url, string Description, IReadOnlyList<string> EventTypes, DateTimeOffset MadeAt, DateTimeOffset? DisabledAt, string? DisabledWhy, DateTimeOffset? FailingSince, DateTimeOffset? OldSecretUntil)
    {
        /// <summary>As programs see it.</summary>
        public static EndpointView Of(EndpointLine line) => new(line.Id, line.Url, line.Description, line.EventTypes, line.MadeAt, line.DisabledAt, line.DisabledWhy is { } why ? Words.Camel(why) : null, line.FailingSince, line.OldSecretUntil);
    }

    /// <param name="Items">The oldest first.</param>
    /// <param name="EventTypes">What an endpoint may choose.</param>
    public sealed record EndpointList(IReadOnlyList<EndpointView> Items, IReadOnlyList<string> EventTypes);

    /// <param name="Secret"><c>whsec_</c> and 32 bytes in base 64.</param>
    public sealed record AddedEndpoint(Guid Id, string Secret);

    /// <param name="Until">Until when the secret before signs too.</param>
    public sealed record RotatedSecret(string Secret, DateTimeOffset Until);

    /// <param name="State"><c>waiting</c>, <c>delivered</c>, <c>failed</c> or <c>cancelled</c>.</param>
    public sealed record DeliveryItem(Guid Id, string MessageId, string Type, Guid? ApplicationId, string State, int Attempts, int? Status, string? Problem, DateTimeOffset MadeAt, DateTimeOffset? NextAt, DateTimeOffset? EndedAt)
    {
        internal static DeliveryItem Of(DeliveryLine line) => new(line.Id, line.MessageId, line.Type, line.ApplicationId, Words.Camel(line.State), line.Attempts, line.Status, line.Problem, line.MadeAt, line.NextAt, line.EndedAt);
    }

    public sealed record DeliveryPage(IReadOnlyList<DeliveryItem> Items, string? Next);

    public sealed record DeliveryDetails(DeliveryItem Delivery, string Body, IReadOnlyList<AttemptLine> Attempts);

    /// <param name="HasMore">There are more; ask again.</param>
    public sealed record Replayed(int Deliveries, bool HasMore);

    public sealed record Tested(Guid DeliveryId);

    private static async Task<Ok<EndpointList>> ListAsync(HttpContext context, ListWebhooks list, CancellationToken ct) =>
        TypedResults.Ok(new EndpointList([.. (await list.EndpointsAsync(ClientOf(context), ct)).Select(EndpointView.Of)], WebhookEvents.Types));

    private static async Task<Created<AddedEndpoint>> AddAsync(HttpContext context, AddEndpoint add, CancellationToken ct)
    {
        var client = ClientOf(context);
        var (id, secret) = await add.RunAsync(client, await InputAsync(context, ct), new StaffActor(client, null), ct);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Created($"/api/v1/webhooks/{id}", new AddedEndpoint(id, secret));
    }

    private static async Task<Ok<EndpointView>> GetAsync(Guid id, HttpContext context, ListWebhooks list, CancellationToken ct) => TypedResults.Ok(EndpointView.Of(await FindAsync(id, context, list, ct)));

    private static async Task<Ok<EndpointView>> ChangeAsync(Guid id, HttpContext context, ChangeEndpoint change, ListWebhooks list, CancellationToken ct)
    {
        var client = ClientOf(context);
        await change.RunAsync(client, id, await InputAsync(context, ct), new StaffActor(client, null), ct);
        return TypedResults.Ok(EndpointView.Of(await FindAsync(id, context, list, ct)));
    }

    private static async Task<NoContent> RemoveAsync(Guid id, HttpContext context, SwitchEndpoint run, CancellationToken ct)
    {
        var client = ClientOf(context);
        await run.RemoveAsync(client, id, new StaffActor(client, null), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<RotatedSecret>> RotateAsync(Guid id, HttpContext context, RotateSecret rotate, CancellationToken ct)
    {
        var client = ClientOf(context);
        var hours = (await JsonBody.ReadAsync(context, ct)).All(body => body.Whole("overlapHours"));
        var (secret, until) = await rotate.RunAsync(client, id, hours?.ToString(CultureInfo.InvariantCulture), new StaffActor(client, null), ct);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RotatedSecret(secret, until));
    }

    private static async Task<Ok<EndpointView>> SwitchAsync(Guid id, HttpContext context, Func<Guid, Guid, StaffActor, CancellationToken, Task> run, ListWebhooks list, CancellationToken ct)
    {
        var client = ClientOf(context);
        await run(client, id, new StaffActor(client, null), ct);
        return TypedResults.Ok(EndpointView.Of(await FindAsync(id, context, list, ct)));
    }

    private static async Task<Accepted<Tested>> TestAsync(Guid id, HttpContext context, ReplayWebhooks replay, CancellationToken ct)
    {
        var client = ClientOf(context);
        var delivery = await replay.TestAsync(client, id, new StaffActor(client, null), ct);
        return TypedResults.Accepted($"/api/v1/webhooks/{id}/deliveries/{delivery}", new Tested(delivery));
    }

    private static async Task<Accepted<Replayed>> ReplayFailedAsync(Guid id, HttpContext context, ReplayWebhooks replay, CancellationToken ct)
    {
        var client = ClientOf(context);
        var since = Since((await JsonBody.ReadAsync(context, ct)).All(body => body.Text("since")));
        var (replayed, hasMore) = await replay.FailedAsync(client, id, since, new StaffActor(client, null), ct);
        return TypedResults.Accepted($"/api/v1/webhooks/{id}/deliveries", new Replayed(replayed, hasMore));
    }

    private static async Task<Accepted> ReplayOneAsync(Guid id, Guid deliveryId, HttpContext context, ReplayWebhooks replay, CancellationToken ct)
    {
        var client = ClientOf(context);
        await replay.OneAsync(client, id, deliveryId, new StaffActor(client, null), ct);
        return TypedResults.Accepted($"/api/v1/webhooks/{id}/deliveries/{deliveryId}");
    }

    private static async Task<Ok<DeliveryPage>> DeliveriesAsync(Guid id, HttpContext context, ListWebhooks list, CancellationToken ct)
    {
        await FindAsync(id, context, list, ct);
        var state = new ListAddress(context.Request.Query).Name<DeliveryState>("state");
        var page = await list.DeliveriesAsync(id, state, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new DeliveryPage([.. page.Lines.Select(DeliveryItem.Of)], page.Next is { } next ? $"/api/v1/webhooks/{id}/deliveries" + new ListAddressWriter().Add("state", state).ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Ok<DeliveryDetails>> DeliveryAsync(Guid id, Guid deliveryId, HttpContext context, ListWebhooks list, CancellationToken ct)
    {
        await FindAsync(id, context, list, ct);
        var view = await list.DeliveryAsync(id, deliveryId, ct) ?? throw new RefusedException("webhook_delivery.not_found", "The endpoint has no such delivery.");
        return TypedResults.Ok(new DeliveryDetails(DeliveryItem.Of(view.Line), view.Body, view.Attempts));
    }

    /// <summary>A moment such as 2026-03-01T00:00:00Z.</summary>
    /// <exception cref="RefusedException"><c>webhook.since</c>.</exception>
    public static DateTimeOffset Since(string? text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var since) && since.Year is >= 2000 and < 2200
        ? since
        : throw new RefusedException("webhook.since", $"since is a moment such as 2026-03-01T00:00:00Z; got {InputText.Short(text)}.");

    private static async Task<EndpointInput> InputAsync(HttpContext context, CancellationToken ct) =>
        (await JsonBody.ReadAsync(context, ct)).All(body => new EndpointInput(body.Text("url"), body.Text("description"), body.Texts("eventTypes", WebhookEvents.Types.Count)));

    private static async Task<EndpointLine> FindAsync(Guid id, HttpContext context, ListWebhooks list, CancellationToken ct) =>
        await list.EndpointAsync(ClientOf(context), id, ct) ?? throw new RefusedException("webhook.not_found", "The client has no such endpoint.");

    private static Guid ClientOf(HttpContext context) =>
        context.Features.Get<KnownClient>()?.Id ?? throw new RefusedException("webhook.no_client", "Endpoints belong to API clients; this key is a person's.");
}
