using System.Security.Claims;
using System.Text.Json;
using Camino.Clients;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Localization;

namespace Camino.Approvals;

/// <summary>Requests that wait for a second person, for programs. A program asks and takes back; people decide.</summary>
public static class ApprovalApi
{
    private const string One = "/approvals/{id:guid}";

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapApprovalApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/approvals", ListAsync).RequireAuthorization(Permissions.ApprovalsRead).WithSummary("Requests that the caller made or may decide; what waits first, then the newest, 50 a page")
            .Asks("state", $"One of {string.Join(", ", Enum.GetValues<ApprovalState>().Select(one => Words.Camel(one)))}.").Asks("kind", $"One of {string.Join(", ", ApprovalKinds.All.Select(one => one.Kind))}.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapGet(One, GetAsync).RequireAuthorization(Permissions.ApprovalsRead).WithSummary("A request with what it would change now; the ETag is the version of what it is about");
        api.MapPost(One + "/approve", ApproveAsync).RequireAuthorization(Permissions.ApprovalsDecide).WithSummary("Approves what another person asked for and has it done, checked anew").Reads(typeof(ApproveRequest), "application/json").NeedsIdempotencyKey();
        api.MapPost(One + "/decline", DeclineAsync).RequireAuthorization(Permissions.ApprovalsDecide).WithSummary("Declines what another person asked for, with a reason").Reads(typeof(DeclineRequest), "application/json").NeedsIdempotencyKey();
        api.MapPost(One + "/withdraw", WithdrawAsync).RequireAuthorization(Permissions.ApprovalsWithdraw).WithSummary("Takes the caller's own request back").NeedsIdempotencyKey();
    }

    /// <param name="Version">The version of what the request is about, as its ETag said it; left out: whatever it is now.</param>
    /// <param name="Note">Anything to be remembered, at most 300 characters.</param>
    public sealed record ApproveRequest(int? Version, string? Note);

    /// <param name="Reason">Why not, 3 to 300 characters.</param>
    public sealed record DeclineRequest(string? Reason);

    /// <summary>A person or an API client.</summary>
    public sealed record Party(Guid Id, string Name);

    /// <param name="Code">Of the refusal.</param>
    /// <param name="Detail">Why it was no longer possible.</param>
    public sealed record RefusalView(string Code, string Detail);

    /// <param name="Says">Exactly what is to be done, in one sentence.</param>
    /// <param name="Version">The subject's version that whoever asked looked at; null where it has none.</param>
    /// <param name="Request">What was frozen.</param>
    /// <param name="State"><c>waiting</c>, <c>approved</c>, <c>declined</c>, <c>withdrawn</c>, <c>expired</c>, or <c>refused</c>: approved, and no longer possible then.</param>
    /// <param name="Answer">What the act gave back; null unless it was approved.</param>
    public sealed record ApprovalItem(
        Guid Id, string Kind, string Says, string Subject, string SubjectId, string SubjectName, int? Version, JsonElement Request, string Reason, Party AskedBy, DateTimeOffset AskedAt, DateTimeOffset ExpiresAt, string State,
        Party? DecidedBy, DateTimeOffset? DecidedAt, string? Note, JsonElement? Answer, RefusalView? Refusal);

    public sealed record ApprovalPage(IReadOnlyList<ApprovalItem> Items, string? Next);

    /// <param name="Changes">Before and after, if it were approved now; empty once it is decided.</param>
    /// <param name="Problem">Why it could not be done now; null: it could.</param>
    public sealed record ApprovalDetails(ApprovalItem Approval, IReadOnlyList<ApprovalLine> Changes, string? Problem);

    /// <summary>202 with the address of the request, as every act that needs a second person answers.</summary>
    internal static Accepted<AskedApproval> Accepted(HttpContext context, AskedApproval asked)
    {
        if (asked.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Accepted(asked.Address, asked);
    }

    private static async Task<Ok<ApprovalPage>> ListAsync(HttpContext context, ListApprovals list, ShowApproval show, CancellationToken ct)
    {
        var filter = ApprovalFilter.FromQuery(context.Request.Query);
        var page = await list.RunAsync(filter, context.User, ClientOf(context), ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new ApprovalPage([.. page.Lines.Select(show.Item)], page.Next is { } next ? "/api/v1/approvals" + filter.ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Ok<ApprovalDetails>> GetAsync(Guid id, HttpContext context, ShowApproval show, CancellationToken ct) => await DetailsAsync(id, context, show, ct);

    private static async Task<Ok<ApprovalDetails>> ApproveAsync(Guid id, HttpContext context, DecideApproval decide, ShowApproval show, CancellationToken ct)
    {
        var request = (await JsonBody.ReadAsync(context, ct)).All(body => new ApproveRequest(body.Whole("version"), body.Text("note")));
        return await DecidedAsync(id, context, show, await decide.ApproveAsync(id, request.Version, request.Note, context.User.Id(), ServicingApi.KeyOf(context), ct), ct);
    }

    private static async Task<Ok<ApprovalDetails>> DeclineAsync(Guid id, HttpContext context, DecideApproval decide, ShowApproval show, CancellationToken ct)
    {
        var request = (await JsonBody.ReadAsync(context, ct)).All(body => new DeclineRequest(body.Text("reason")));
        return await DecidedAsync(id, context, show, await decide.DeclineAsync(id, request.Reason, context.User.Id(), ServicingApi.KeyOf(context), ct), ct);
    }

    private static async Task<Ok<ApprovalDetails>> WithdrawAsync(Guid id, HttpContext context, DecideApproval decide, ShowApproval show, CancellationToken ct) =>
        await DecidedAsync(id, context, show, await decide.WithdrawAsync(id, context.User.Id(), ServicingApi.KeyOf(context), ct), ct);

    private static Task<Ok<ApprovalDetails>> DecidedAsync(Guid id, HttpContext context, ShowApproval show, bool isNew, CancellationToken ct)
    {
        if (!isNew)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return DetailsAsync(id, context, show, ct);
    }

    private static async Task<Ok<ApprovalDetails>> DetailsAsync(Guid id, HttpContext context, ShowApproval show, CancellationToken ct)
    {
        var (found, change) = await show.RunAsync(id, context.User, ClientOf(context), ct);
        if (change?.Version is { } version)
            VersionHeader.Mark(context, version);
        return TypedResults.Ok(new ApprovalDetails(show.Item(found), change?.Lines ?? [], change?.Problem));
    }

    private static Guid? ClientOf(HttpContext context) => context.Features.Get<KnownClient>()?.Id;
}

/// <summary>Shows one request with what it would change now.</summary>
public sealed class ShowApproval(ListApprovals list, IEnumerable<IApprovalKind> kinds, IStringLocalizer<Texts> texts, TimeProvider clock)
{
    /// <returns>The request, and while it waits what would change.</returns>
    /// <exception cref="RefusedException"><c>approval.not_found</c>.</exception>
    public async Task<(NamedApproval Approval, ApprovalChange? Change)> RunAsync(Guid id, ClaimsPrincipal reader, Guid? client, CancellationToken ct)
    {
        var found = await list.OneAsync(id, reader, client, ct) ?? throw new RefusedException("approval.not_found", $"There is no request {id} that is yours or that you may decide.");
        return (found, StateOf(found) == ApprovalState.Waiting ? await KindOf(found).LookAsync(found.Approval, texts, ct) : null);
    }

    /// <summary>Exactly what is to be done.</summary>
    public string Say(NamedApproval found) => KindOf(found).Say(found.Approval, found.SubjectName, texts);

    /// <summary>Where it stands now.</summary>
    public ApprovalState StateOf(NamedApproval found) => found.Approval.StateAt(clock.GetUtcNow());

    internal ApprovalApi.ApprovalItem Item(NamedApproval found)
    {
        var approval = found.Approval;
        return new ApprovalApi.ApprovalItem(
            approval.Id, approval.Kind, Say(found), approval.Subject, approval.SubjectId, found.SubjectName, approval.Version, JsonSerializer.Deserialize<JsonElement>(approval.Request), approval.Reason, new(approval.AskedBy, found.AskedByName),
            approval.AskedAt, approval.ExpiresAt, Words.Camel(StateOf(found)), approval.DecidedBy is { } by ? new(by, found.DecidedByName ?? "") : null, approval.DecidedAt, approval.Note,
            approval.Answer is { } answer ? JsonSerializer.Deserialize<JsonElement>(answer) : null, found.Refusal is { } refusal ? new(refusal.Code, refusal.English) : null);
    }

    private IApprovalKind KindOf(NamedApproval found) => kinds.First(kind => kind.Name == found.Approval.Kind);
}
