using System.Security.Claims;
using Camino.Lending;
using Camino.Lending.Screening;
using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Screening;

/// <summary>Sanctions screening for programs.</summary>
public static class ScreeningApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapScreeningApi(this IEndpointRouteBuilder api)
    {
        api.MapPost("/screenings", PostAsync).RequireAuthorization(Permissions.ScreeningUse).WithSummary("Screens a name against the sanctions lists in force");
        api.MapGet("/screenings", async (ReadScreenings read, CancellationToken ct, Guid? after = null) =>
        {
            var (lines, next) = await read.HistoryAsync(after, ct);
            return TypedResults.Ok(new HistoryPage(lines, next is { } id ? $"/api/v1/screenings?after={id}" : null));
        }).RequireAuthorization(Permissions.ScreeningRead).WithSummary("Screenings, the newest first");
        api.MapGet("/screenings/{id:guid}", async (Guid id, ReadScreenings read, CancellationToken ct) => TypedResults.Ok(ScreeningAnswer.Of(await read.OneAsync(id, ct)))).RequireAuthorization(Permissions.ScreeningRead).WithSummary("A screening with its hits, each explained");
        api.MapGet("/screening-hits", async (ReadScreenings read, CancellationToken ct, Guid? after = null) =>
        {
            var (lines, next) = await read.WaitingAsync(after, ct);
            return TypedResults.Ok(new HitPage([.. lines.Select(HitAnswer.Of)], next is { } id ? $"/api/v1/screening-hits?after={id}" : null));
        }).RequireAuthorization(Permissions.ScreeningRead).WithSummary("Hits that wait for a person, the oldest first");
        api.MapPost("/screening-hits/{id:guid}/propose", async (Guid id, ProposeRequest request, ClaimsPrincipal user, ReviewHit review, CancellationToken ct) =>
        {
            Refuse.If(request.Outcome is not ("clear" or "confirm"), "screening_hit.outcome", "outcome is clear or confirm.");
            await review.ProposeAsync(id, request.Outcome == "confirm", request.Reason, user.Id(), ct);
            return TypedResults.NoContent();
        }).RequireAuthorization(Permissions.ScreeningReview).WithSummary("Says what a hit is, with a reason; another person has to agree");
        api.MapPost("/screening-hits/{id:guid}/agree", async (Guid id, ClaimsPrincipal user, ReviewHit review, CancellationToken ct) =>
        {
            await review.AgreeAsync(id, user.Id(), ct);
            return TypedResults.NoContent();
        }).RequireAuthorization(Permissions.ScreeningReview).WithSummary("Agrees to what another person proposed; the hit is decided");
        api.MapPost("/screening-hits/{id:guid}/disagree", async (Guid id, DisagreeRequest request, ClaimsPrincipal user, ReviewHit review, CancellationToken ct) =>
        {
            await review.DisagreeAsync(id, request.Reason, user.Id(), ct);
            return TypedResults.NoContent();
        }).RequireAuthorization(Permissions.ScreeningReview).WithSummary("Sends a proposal back with a reason; the hit is open again");
        api.MapGet("/watch-lists", async (ReadScreenings read, CancellationToken ct) => TypedResults.Ok(new VersionPage(await read.VersionsAsync(ct)))).RequireAuthorization(Permissions.ScreeningRead).WithSummary("The last versions of the sanctions lists");
        api.MapGet("/screening-runs", async (ReadScreenings read, CancellationToken ct) => TypedResults.Ok(new RunPage(await read.RunsAsync(ct)))).RequireAuthorization(Permissions.ScreeningRead).WithSummary("The last looks through all borrowers");
        api.MapPost("/screening-runs", async (ClaimsPrincipal user, AskForBook ask, CancellationToken ct) => TypedResults.Accepted("/api/v1/screening-runs", new RunAnswer(await ask.RunAsync(user.Id(), ct)))).RequireAuthorization(Permissions.ScreeningLists).WithSummary("Screens all borrowers again; the work goes on in the Async Server");
    }

    /// <param name="Kind">person or business; left out where it is not known.</param>
    /// <param name="Country">English name.</param>
    /// <param name="Threshold">60 to 100; left out: as the configuration says.</param>
    public sealed record ScreeningRequest(string? Name, string? Kind, DateOnly? BirthDate, string? Country, int? Threshold);

    public sealed record ProposeRequest(string? Outcome, string? Reason);

    public sealed record DisagreeRequest(string? Reason);

    public sealed record HistoryPage(IReadOnlyList<ScreeningLine> Items, string? Next);

    public sealed record HitPage(IReadOnlyList<HitAnswer> Items, string? Next);

    public sealed record VersionPage(IReadOnlyList<ListVersion> Items);

    public sealed record RunPage(IReadOnlyList<RunLine> Items);

    public sealed record RunAnswer(Guid RunId);

    public sealed record WordAnswer(string Given, string Listed, string How, int Likeness);

    public sealed record HitAnswer(Guid Id, Guid ScreeningId, string List, int Entry, int Score, int NameScore, string ListedName, string EntryName, string Programme, string Kind, IReadOnlyList<WordAnswer> Words, IReadOnlyList<string> Evidence, string State, string Reason, DateTimeOffset? ProposedAt, DateTimeOffset? DecidedAt)
    {
        public static HitAnswer Of(HitView hit) => new(
            hit.Id, hit.ScreeningId, hit.List, hit.Entry, hit.Score, hit.NameScore, hit.ListedName, hit.Why.EntryName, hit.Why.Programme, Camel(hit.Why.Kind.ToString()), [.. hit.Why.Words.Select(word => new WordAnswer(word.Given, word.Listed, Camel(word.How.ToString()), word.Likeness))],
            [.. hit.Why.Evidence.Select(one => Camel(one.ToString()))], Camel(hit.State.ToString()), hit.Reason, hit.ProposedAt, hit.DecidedAt);
    }

    public sealed record ScreeningAnswer(Guid Id, string Name, string Kind, DateOnly? BirthDate, string Country, DateTimeOffset AskedAt, int ListNumber, int Threshold, int Best, IReadOnlyList<HitAnswer> Hits)
    {
        public static ScreeningAnswer Of(ScreeningView view) => new(view.Id, view.Name, Camel(view.Kind.ToString()), view.BirthDate, view.Country, view.AskedAt, view.ListNumber, view.Threshold, view.Best, [.. view.Hits.Select(HitAnswer.Of)]);
    }

    private static async Task<Created<ScreeningAnswer>> PostAsync(ScreeningRequest request, ClaimsPrincipal user, ScreenName screen, ReadScreenings read, CancellationToken ct)
    {
        var id = await screen.RunAsync(new ScreenedParty(request.Name?.Trim() ?? "", KindOf(request.Kind), request.BirthDate, request.Country?.Trim() ?? ""), request.Threshold, user.Id(), ct);
        return TypedResults.Created($"/api/v1/screenings/{id}", ScreeningAnswer.Of(await read.OneAsync(id, ct)));
    }

    /// <summary>What the one who asks calls it.</summary>
    /// <exception cref="RefusedException"><c>screening.kind</c>.</exception>
    internal static PartyKind KindOf(string? kind) => kind switch
    {
        null or "" or "unknown" => PartyKind.Unknown,
        "person" => PartyKind.Person,
        "business" => PartyKind.Entity,
        _ => throw new RefusedException("screening.kind", "kind is person, business or unknown."),
    };

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
