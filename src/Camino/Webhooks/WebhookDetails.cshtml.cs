using System.Globalization;
using Camino.Clients;
using Camino.Lending;
using Camino.People;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Webhooks;

/// <summary>What a form says of an endpoint, as it was typed, so that it can be shown again where it was refused.</summary>
public sealed class EndpointForm
{
    public string? Url { get; set; }

    public string? Description { get; set; }

    public IList<string> EventTypes { get; init; } = [];

    /// <summary>What stands in an empty form: every event.</summary>
    public static EndpointForm Everything => new() { EventTypes = [.. WebhookEvents.Types] };

    /// <summary>What stands in the form at first.</summary>
    internal static EndpointForm Of(EndpointLine line) => new() { Url = line.Url, Description = line.Description, EventTypes = [.. line.EventTypes] };

    internal EndpointInput ToInput() => new(Url, Description, [.. EventTypes]);
}

/// <summary>A secret that was just made, as the page shows it once.</summary>
/// <param name="Until">Until when the one before signs too; null: there was none.</param>
public sealed record ShownSecret(string Secret, DateTimeOffset? Until);

/// <summary>One endpoint: what was sent to it, its secret, what it is told, and whether it is told anything.</summary>
[Authorize(Permissions.ClientsManage)]
public sealed class WebhookDetailsPage(ListClients clients, ListWebhooks list, ChangeEndpoint change, RotateSecret rotate, SwitchEndpoint switchEndpoint, ReplayWebhooks replay, TimeProvider clock, IStringLocalizer<Texts> texts) : PageModel
{
    public EndpointLine Endpoint { get; private set; } = new(Guid.Empty, Guid.Empty, "", "", [], default, null, null, null, null);

    public string ClientName { get; private set; } = "";

    public ListPage<DeliveryLine> Deliveries { get; private set; } = ListPage.Empty<DeliveryLine>();

    /// <summary>The delivery that is looked at; null: none.</summary>
    public DeliveryView? Delivery { get; private set; }

    public DeliveryState? State { get; private set; }

    public EndpointForm Form { get; private set; } = new();

    public ShownSecret? Secret { get; private set; }

    public string? Problem { get; private set; }

    public string? Done { get; private set; }

    /// <summary>From when on failed deliveries are to be sent again, as the form says it.</summary>
    public string Since { get; private set; } = "";

    /// <summary>The colour of a state.</summary>
    public static string Tone(DeliveryState state) => state switch { DeliveryState.Waiting => "warn", DeliveryState.Delivered => "good", DeliveryState.Failed => "bad", _ => "quiet" };

    public Task<IActionResult> OnGetAsync(Guid id, Guid webhook, CancellationToken ct) => ShowAsync(id, webhook, null, ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostTestAsync(Guid id, Guid webhook, CancellationToken ct) => DoAsync(
        id, webhook, null, async actor =>
        {
            await replay.TestAsync(id, webhook, actor, ct);
            Done = texts["Webhooks.Tested"];
        }, ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostReplayAsync(Guid id, Guid webhook, Guid delivery, CancellationToken ct) => DoAsync(
        id, webhook, null, async actor =>
        {
            await replay.OneAsync(id, webhook, delivery, actor, ct);
            Done = texts.Count("Webhooks.Replayed", 1);
        }, ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostReplayFailedAsync(Guid id, Guid webhook, string? since, CancellationToken ct)
    {
        Since = since ?? "";
        return DoAsync(
            id, webhook, null, async actor =>
            {
                var (replayed, hasMore) = await replay.FailedAsync(id, webhook, WebhookApi.Since(since), actor, ct);
                Done = texts.Count("Webhooks.Replayed", replayed) + (hasMore ? " " + texts["Webhooks.HasMore"] : "");
            }, ct);
    }

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostRotateAsync(Guid id, Guid webhook, string? overlapHours, CancellationToken ct) => DoAsync(
        id, webhook, null, async actor =>
        {
            var (secret, until) = await rotate.RunAsync(id, webhook, overlapHours, actor, ct);
            Secret = new ShownSecret(secret, until);
        }, ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostChangeAsync(Guid id, Guid webhook, EndpointForm form, CancellationToken ct) => DoAsync(id, webhook, form, actor => change.RunAsync(id, webhook, form.ToInput(), actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostDisableAsync(Guid id, Guid webhook, CancellationToken ct) => DoAsync(id, webhook, null, actor => switchEndpoint.DisableAsync(id, webhook, actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostEnableAsync(Guid id, Guid webhook, CancellationToken ct) => DoAsync(id, webhook, null, actor => switchEndpoint.EnableAsync(id, webhook, actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public async Task<IActionResult> OnPostRemoveAsync(Guid id, Guid webhook, CancellationToken ct)
    {
        if (await list.EndpointAsync(id, webhook, ct) is null)
            return NotFound();
        await switchEndpoint.RemoveAsync(id, webhook, new StaffActor(User.Id(), null), ct);
        return LocalRedirect($"/clients/{id}");
    }

    /// <summary>What an attempt was answered, in the reader's language.</summary>
    public string Answer(int? status, string? problem) => status is { } number ? number.ToString(CultureInfo.InvariantCulture) : problem is null ? Show.None : texts.Or("Webhooks.Problem." + problem, problem);

    /// <summary>The page with one delivery on it.</summary>
    public string AddressOf(Guid delivery) => $"/clients/{Endpoint.ClientId}/webhooks/{Endpoint.Id}" + new ListAddressWriter().Add("state", State).Add("delivery", delivery.ToString());

    /// <summary>Another page of the list.</summary>
    public string PageAt(string cursorName, string cursor) => $"/clients/{Endpoint.ClientId}/webhooks/{Endpoint.Id}" + new ListAddressWriter().Add("state", State).ToQuery(cursorName, cursor);

    private async Task<IActionResult> DoAsync(Guid id, Guid webhook, EndpointForm? form, Func<StaffActor, Task> act, CancellationToken ct)
    {
        if (await list.EndpointAsync(id, webhook, ct) is null)
            return NotFound();
        try
        {
            await act(new StaffActor(User.Id(), null));
            if (Secret is null && Done is null)
                return LocalRedirect($"/clients/{id}/webhooks/{webhook}");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
        }

        return await ShowAsync(id, webhook, Problem is null ? null : form, ct);
    }

    private async Task<IActionResult> ShowAsync(Guid id, Guid webhook, EndpointForm? typed, CancellationToken ct)
    {
        if (await list.EndpointAsync(id, webhook, ct) is not { } endpoint || await clients.OneAsync(id, ct) is not { } client)
            return NotFound();
        Endpoint = endpoint;
        ClientName = client.Name;
        Form = typed ?? EndpointForm.Of(endpoint);
        State = new ListAddress(Request.Query).Name<DeliveryState>("state");
        if (Since.Length == 0)
            Since = WebhookEvents.Instant(clock.GetUtcNow().AddDays(-1));
        Deliveries = await list.DeliveriesAsync(webhook, State, ListCursor.Of(Request.Query["after"], Request.Query["before"]), ct);
        if (Guid.TryParse(Request.Query["delivery"], out var delivery))
            Delivery = await list.DeliveryAsync(webhook, delivery, ct);
        return Page();
    }
}
