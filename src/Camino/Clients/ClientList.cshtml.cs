using System.Globalization;
using Camino.Branches;
using Camino.Lending;
using Camino.People;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Camino.Webhooks;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Clients;

/// <summary>The programs that call the API, and when each did so last.</summary>
[Authorize(Permissions.ClientsManage)]
public sealed class ClientListPage(ListClients list) : PageModel
{
    public IReadOnlyList<ClientLine> Lines { get; private set; } = [];

    public Guid? Next { get; private set; }

    public async Task OnGetAsync(Guid? after, CancellationToken ct)
    {
        var lines = await list.RunAsync(after, ListClients.PageSize + 1, ct);
        Lines = [.. lines.Take(ListClients.PageSize)];
        Next = lines.Count > ListClients.PageSize ? Lines[^1].Id : null;
    }
}

/// <summary>What a form says of a client, as it was typed, so that it can be shown again where it was refused.</summary>
public sealed class ClientForm
{
    public string? Name { get; set; }

    public IList<string> Scopes { get; init; } = [];

    public string? PerMinute { get; set; }

    public string? Burst { get; set; }

    /// <summary>Empty: no limit.</summary>
    public string? PerDay { get; set; }

    /// <summary>Days for which results are seen; empty: no limit.</summary>
    public string? ResultDays { get; set; }

    /// <summary>Days until the new key expires; empty: it does not.</summary>
    public string? ExpiresDays { get; set; }

    public string? Reason { get; set; }

    /// <summary>What stands in the form at first.</summary>
    public static ClientForm Of(ClientTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        return new ClientForm { Scopes = [.. terms.Scopes], PerMinute = Text(terms.RequestsAMinute), Burst = Text(terms.Burst), PerDay = Text(terms.RequestsADay), ResultDays = Text(terms.ResultDays) };
    }

    /// <exception cref="RefusedException"><c>client.*</c> names the field.</exception>
    public ClientTerms ToTerms() => ClientTerms.Read(Scopes, PerMinute, Burst, PerDay, ResultDays);

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A key that was just made, as the page shows it once.</summary>
/// <param name="Until">When the keys before it end; null: there were none.</param>
public sealed record ShownKey(string Key, DateTimeOffset? Until);

/// <summary>Adds a client, and shows its key once.</summary>
[Authorize(Permissions.ClientsManage)]
public sealed class ClientAddPage(AddClient add, IStringLocalizer<Texts> texts) : PageModel
{
    public ClientForm Form { get; private set; } = ClientForm.Of(new ClientTerms([], ClientTerms.UsualAMinute, ClientTerms.UsualBurst, null));

    /// <summary>Null until the client was added.</summary>
    public ShownKey? Key { get; private set; }

    public Guid? Added { get; private set; }

    public string? Problem { get; private set; }

    [Needs(Permissions.ClientsManage)]
    public async Task<IActionResult> OnPostAsync(ClientForm form, CancellationToken ct)
    {
        Form = form;
        try
        {
            (Added, var key) = await add.RunAsync(form.Name, form.ToTerms(), form.ExpiresDays, new StaffActor(User.Id(), null), ct);
            Key = new ShownKey(key, null);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
        }

        return Page();
    }
}

/// <summary>One client: its keys, a new key, scopes and limits, access.</summary>
[Authorize(Permissions.ClientsManage)]
public sealed class ClientDetailsPage(ListClients list, RotateClientKey rotate, ChangeClient change, DisableClient disable, ReadClientFigures figures, ListWebhooks webhooks, AddEndpoint addEndpoint, BindBranches bind, ListBranches branchList, IStringLocalizer<Texts> texts) : PageModel
{
    public ClientLine Line { get; private set; } = new(Guid.Empty, "", new ClientTerms([], 1, 1, null), default, false, null, 0, null, 0);

    public IReadOnlyList<ClientKeyLine> Keys { get; private set; } = [];

    /// <summary>Scopes and limits: as they are, or as they were typed where that was refused.</summary>
    public ClientForm Form { get; private set; } = new();

    public ShownKey? Key { get; private set; }

    /// <summary>The branches that the program is bound to.</summary>
    public IReadOnlyList<Guid> Branches { get; private set; } = [];

    public ClientFigures Figures { get; private set; } = new(0, 0, 0, null, []);

    /// <summary>Where the program is told what becomes of its applications.</summary>
    public IReadOnlyList<EndpointLine> Endpoints { get; private set; } = [];

    /// <summary>The endpoint to be added, as it was typed.</summary>
    public EndpointForm NewEndpoint { get; private set; } = EndpointForm.Everything;

    /// <summary>The secret of an endpoint that was just added.</summary>
    public ShownSecret? Secret { get; private set; }

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => ShowAsync(id, null, ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostRotateAsync(Guid id, string? overlapHours, string? expiresDays, Guid? newest, CancellationToken ct) => DoAsync(
        id, null, async actor =>
        {
            var (key, until) = await rotate.RunAsync(id, overlapHours, expiresDays, newest, actor, ct);
            Key = new ShownKey(key, until);
        }, ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostChangeAsync(Guid id, ClientForm form, CancellationToken ct) => DoAsync(id, form, actor => change.RunAsync(id, form.ToTerms(), form.Reason, actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostDisableAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, null, actor => disable.DisableAsync(id, reason, actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostEnableAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, null, actor => disable.EnableAsync(id, reason, actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostBranchesAsync(Guid id, Guid[]? branches, string? reason, CancellationToken ct) => DoAsync(id, null, actor => bind.ClientAsync(id, branches, reason, actor, ct), ct);

    [Needs(Permissions.ClientsManage)]
    public Task<IActionResult> OnPostAddEndpointAsync(Guid id, EndpointForm endpoint, CancellationToken ct)
    {
        NewEndpoint = endpoint;
        return DoAsync(
            id, null, async actor =>
            {
                var (_, secret) = await addEndpoint.RunAsync(id, endpoint.ToInput(), actor, ct);
                Secret = new ShownSecret(secret, null);
                NewEndpoint = EndpointForm.Everything;
            }, ct);
    }

    private async Task<IActionResult> DoAsync(Guid id, ClientForm? form, Func<StaffActor, Task> act, CancellationToken ct)
    {
        try
        {
            await act(new StaffActor(User.Id(), null));
            if (Key is null && Secret is null)
                return LocalRedirect($"/clients/{id}");
        }
        catch (RefusedException refused)
        {
            Problem = refused.Code.StartsWith("branch.", StringComparison.Ordinal) ? texts.Refused(refused) : texts.Refusal(refused);
        }

        return await ShowAsync(id, Problem is null ? null : form, ct);
    }

    private async Task<IActionResult> ShowAsync(Guid id, ClientForm? typed, CancellationToken ct)
    {
        if (await list.OneAsync(id, ct) is not { } line)
            return NotFound();
        Line = line;
        Keys = await list.KeysAsync(id, ct);
        Figures = await figures.RunAsync(id, ct);
        Branches = await branchList.OfClientAsync(id, ct);
        Endpoints = await webhooks.EndpointsAsync(id, ct);
        Form = typed ?? ClientForm.Of(line.Terms);
        return Page();
    }
}
