using System.Globalization;
using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Applications.Underwriting;

/// <summary>The credit policy and what it says about applications, for programs of the house; API clients see neither.</summary>
public static class UnderwritingApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapUnderwritingApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/underwriting/policies", ListAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("Versions of the credit policy, the newest first, 50 a page; below comes from next of the page before");
        api.MapGet("/underwriting/policies/{number:int}", GetAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("A version of the credit policy, and what it says otherwise than the version before");
        api.MapGet("/underwriting/policies/{number:int}/trial", TryAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("How applications that were evaluated last, 500 at most, would come out under a version; nothing is stored");
        api.MapPut("/underwriting/policies/draft", SaveAsync).RequireAuthorization(Permissions.UnderwritingChange).WithSummary("Keeps the body, a policy, as the draft; note says what it is about, seen is the number of the newest version that was looked at").Reads(null, "application/json");
        api.MapPost("/underwriting/policies/draft/publish", async (HttpContext context, PublishPolicy publish, CancellationToken ct) => ApprovalApi.Accepted(context, await publish.AskAsync(context.User.Id(), ct))).RequireAuthorization(Permissions.UnderwritingChange)
            .WithSummary("Asks for the draft to be published, which a second person approves: applications are judged by it then");
        api.MapChecklistApi();
        api.MapGet("/applications/{id:guid}/evaluation", NewestAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("What the credit policy says about an application, line by line");
        api.MapGet("/applications/{id:guid}/evaluations/{number:int}", OneAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("An evaluation as it was made, such as the one that a decision rests on");
        api.MapPost("/applications/{id:guid}/evaluation", EvaluateAsync).RequireAuthorization(Permissions.ApplicationsDecide).WithSummary("Evaluates an application anew, by the policy that is published now; the same on the same stays one evaluation");
    }

    /// <summary>Adds what programs ask of one application's checklist and decisions.</summary>
    private static void MapChecklistApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/applications/{id:guid}/checklist", ChecklistAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("What an application needs before an offer and before booking, and what of it is there");
        api.MapGet("/applications/{id:guid}/decisions", DecisionsAsync).RequireAuthorization(Permissions.UnderwritingRead).WithSummary("Offers and declines with the evaluation that each rests on, the newest first, 200 at most");
        api.MapPost("/applications/{id:guid}/checklist/{item}/tick", (Guid id, string item, HttpContext context, TickItem tick, CancellationToken ct) => TickAsync(id, item, TickAct.Tick, context, tick, ct)).RequireAuthorization(Permissions.ApplicationsChange).AddEndpointFilter(ApplicationApi.OwnAsync)
            .WithSummary("Ticks an item of the checklist").NeedsIdempotencyKey();
        api.MapPost("/applications/{id:guid}/checklist/{item}/take-back", (Guid id, string item, HttpContext context, TickItem tick, CancellationToken ct) => TickAsync(id, item, TickAct.TakeBack, context, tick, ct)).RequireAuthorization(Permissions.ApplicationsChange).AddEndpointFilter(ApplicationApi.OwnAsync)
            .WithSummary("Takes a tick or a waiver back").NeedsIdempotencyKey();
        api.MapPost("/applications/{id:guid}/checklist/{item}/waive", (Guid id, string item, HttpContext context, TickItem tick, CancellationToken ct) => TickAsync(id, item, TickAct.Waive, context, tick, ct)).RequireAuthorization(Permissions.ApplicationsDecide)
            .WithSummary("Waives an item of the checklist, with a reason").Reads(typeof(ApplicationApi.MoveInput), "application/json").NeedsIdempotencyKey();
    }

    /// <param name="State"><c>open</c>, <c>asked</c>, <c>met</c>, <c>ticked</c> or <c>waived</c>.</param>
    /// <param name="Before"><c>offer</c> or <c>booking</c>.</param>
    public sealed record ChecklistItemView(string Item, string Says, string Before, string From, IReadOnlyList<string> Products, string State, string? By, DateTimeOffset? At, string? Reason)
    {
        public static ChecklistItemView Of(ChecklistLine line) => new(
            line.Item.Code, line.Item.Says.En, Words.Camel(line.Item.Before), Words.Amount(line.Item.From.Dollars), line.Item.Products, Words.Camel(line.State), line.By, line.At, line.Reason);
    }

    public sealed record ChecklistView(IReadOnlyList<ChecklistItemView> Items);

    public sealed record DecisionPage(IReadOnlyList<DecisionLine> Items);

    /// <param name="Status"><c>draft</c>, <c>published</c> or <c>retired</c>.</param>
    public sealed record PolicyLine(int Number, string Status, string Note, DateTimeOffset ChangedAt, DateTimeOffset? PublishedAt)
    {
        public static PolicyLine Of(PolicyVersion one) => new(one.Number, Words.Camel(one.Status), one.Note, one.ChangedAt, one.PublishedAt);
    }

    public sealed record PolicyPage(IReadOnlyList<PolicyLine> Items, string? Next);

    /// <param name="Document">The policy as it is edited.</param>
    /// <param name="Before">The version whose place it took or would take.</param>
    public sealed record PolicyDetails(PolicyLine Policy, System.Text.Json.JsonElement Document, int? Before, IReadOnlyList<PolicyDifference> Differences);

    /// <param name="Number">Of the draft.</param>
    public sealed record DraftSaved(int Number);

    /// <param name="Rule">Its code.</param>
    /// <param name="Effect"><c>decline</c> or <c>refer</c>; null where it does not apply.</param>
    public sealed record RuleView(string Rule, string Says, string? Effect, string Reason, bool Absolute, IReadOnlyList<string> Missing);

    /// <param name="Value">Null where it is not known.</param>
    public sealed record PointsView(string Fact, string? Value, int Points, int Most);

    /// <param name="Recommendation"><c>approve</c>, <c>refer</c> or <c>decline</c>.</param>
    /// <param name="Reasons">Codes of the principal reasons, as a decline names them.</param>
    /// <param name="IsCurrent">Nothing that counts has changed since, and no other policy was published.</param>
    public sealed record EvaluationDetails(
        int Number, int Policy, string Principal, string Cause, string Recommendation, int? Score, int? Base, IReadOnlyList<string> Reasons, bool Absolute, IReadOnlyList<RuleView> Rules, IReadOnlyList<PointsView> Points, IReadOnlyDictionary<string, string> Facts,
        bool IsCurrent, DateTimeOffset At)
    {
        public static EvaluationDetails Of(EvaluationView view)
        {
            var (stored, result) = (view.Stored, view.Stored.Result);
            var rules = view.Rules.Rules.ToDictionary(rule => rule.Code, StringComparer.Ordinal);
            return new EvaluationDetails(
                stored.Number, stored.Policy, Words.Amount(stored.Principal), Words.Camel(stored.Cause), Words.Camel(result.Recommendation), result.Score, view.Rules.Scorecard?.Base, result.Reasons, result.IsAbsolute,
                [.. result.Rules.Select(one => new RuleView(one.Code, rules[one.Code].Says.En, !one.Applies ? null : one.IsReferral ? "refer" : "decline", rules[one.Code].Reason, rules[one.Code].IsAbsolute, one.Missing))],
                [.. result.Points.Select(one => new PointsView(one.Fact, one.Value, one.Points, one.Most))], stored.Facts.Values, view.IsCurrent, stored.At);
        }
    }

    private static async Task<Ok<PolicyPage>> ListAsync(ReadPolicies policies, CancellationToken ct, int? below = null)
    {
        var versions = await policies.ListAsync(below, ct);
        return TypedResults.Ok(new PolicyPage([.. versions.Select(PolicyLine.Of)], versions.Count == ReadPolicies.PageSize ? string.Create(CultureInfo.InvariantCulture, $"/api/v1/underwriting/policies?below={versions[^1].Number}") : null));
    }

    private static async Task<Ok<PolicyDetails>> GetAsync(int number, ReadPolicies policies, CancellationToken ct)
    {
        var version = await FindAsync(number, policies, ct);
        var before = await policies.BeforeAsync(number, ct);
        return TypedResults.Ok(new PolicyDetails(PolicyLine.Of(version), System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(version.Document), before?.Number, PolicyDifference.Between(before?.Policy, version.Policy)));
    }

    private static async Task<Ok<PolicyTrial>> TryAsync(int number, ReadPolicies policies, ShowEvaluation show, CancellationToken ct)
    {
        var version = await FindAsync(number, policies, ct);
        return TypedResults.Ok(await show.TryAsync(version.Policy, (await policies.PublishedAsync(ct))?.Policy, ct));
    }

    private static async Task<Ok<DraftSaved>> SaveAsync(HttpContext context, SavePolicyDraft save, CancellationToken ct, string? note = null, int? seen = null) =>
        TypedResults.Ok(new DraftSaved(await save.RunAsync(await JsonBody.TextAsync(context, ct), note, seen, context.User.Id(), ct)));

    private static async Task<Ok<EvaluationDetails>> NewestAsync(Guid id, ShowEvaluation show, ShowApplication applications, CancellationToken ct)
    {
        if (await show.RunAsync(id, ct) is { } view)
            return TypedResults.Ok(EvaluationDetails.Of(view));
        await applications.MustBeThereAsync(id, ct);
        throw new RefusedException("evaluation.not_found", "This application was not evaluated yet.");
    }

    private static async Task<Ok<EvaluationDetails>> OneAsync(Guid id, int number, ShowEvaluation show, CancellationToken ct) =>
        TypedResults.Ok(EvaluationDetails.Of(await show.OneAsync(id, number, ct) ?? throw new RefusedException("evaluation.not_found", $"This application has no evaluation {number}.")));

    private static async Task<Ok<EvaluationDetails>> EvaluateAsync(Guid id, HttpContext context, EvaluateApplication evaluate, ShowEvaluation show, CancellationToken ct)
    {
        await evaluate.RunAsync(id, context.User.Id(), ct);
        return TypedResults.Ok(EvaluationDetails.Of(await show.RunAsync(id, ct) ?? throw new RefusedException("evaluation.not_found", "This application was not evaluated yet.")));
    }

    private static async Task<Ok<ChecklistView>> ChecklistAsync(Guid id, ShowChecklist show, ShowApplication applications, CancellationToken ct)
    {
        var view = await applications.RunAsync(id, ct) ?? throw new RefusedException("application.not_found", $"There is no application {id}.");
        return TypedResults.Ok(new ChecklistView([.. (await show.RunAsync(id, new Money(view.Amount), ct)).Select(ChecklistItemView.Of)]));
    }

    private static async Task<Ok<DecisionPage>> DecisionsAsync(Guid id, ShowDecisions show, ShowApplication applications, CancellationToken ct)
    {
        var lines = await show.RunAsync(id, ct);
        if (lines.Count == 0)
            await applications.MustBeThereAsync(id, ct);
        return TypedResults.Ok(new DecisionPage(lines));
    }

    private static async Task<Ok<ApplicationAnswer>> TickAsync(Guid id, string item, TickAct act, HttpContext context, TickItem tick, CancellationToken ct)
    {
        var by = new AskedBy(context.User.Id(), ServicingApi.KeyOf(context));
        var reason = act == TickAct.Waive ? (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("reason")) : null;
        var answer = await tick.RunAsync(id, item, act, reason, by, ct);
        ApplicationApi.Mark(context, answer);
        return TypedResults.Ok(answer);
    }

    private static async Task<PolicyVersion> FindAsync(int number, ReadPolicies policies, CancellationToken ct) =>
        await policies.OneAsync(number, ct) ?? throw new RefusedException("policy.not_found", $"The credit policy has no version {number}.");
}
