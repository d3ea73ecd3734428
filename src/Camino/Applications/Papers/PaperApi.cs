using Camino.Applications.Messages;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Applications.Papers;

/// <summary>Papers of applications for programs.</summary>
public static class PaperApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapPaperApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/applications/{id:guid}/papers", ListAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("Offers, letters, notices and contracts that Camino wrote about an application, the newest first");
        api.MapGet("/applications/{id:guid}/messages", MessagesAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("What the applicant was written by e-mail and text message, the newest first, at most 200");
        api.MapPost("/applications/{id:guid}/papers/{paperId:guid}/retry", RetryAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Has a paper made that could not be made").NeedsIdempotencyKey();
    }

    /// <summary>A message to the applicant; neither its address nor its words.</summary>
    /// <param name="Kind"><c>offer</c>, <c>decline</c> or <c>documents</c>.</param>
    /// <param name="Channel"><c>email</c> or <c>text</c>.</param>
    /// <param name="State"><c>queued</c>, <c>sent</c> or <c>failed</c>.</param>
    public sealed record MessageView(Guid Id, string Kind, string Channel, string State, int Attempts, string? Problem, DateTimeOffset AskedAt, string? AskedBy, DateTimeOffset? SentAt);

    public sealed record MessagePage(IReadOnlyList<MessageView> Items);

    /// <summary>A paper in one language.</summary>
    /// <param name="Kind"><c>offer</c>, <c>approval</c>, <c>contract</c> or <c>decline</c>.</param>
    /// <param name="Number">Of the offer, or of the event that declined the application.</param>
    /// <param name="Language"><c>en</c> or <c>es</c>.</param>
    /// <param name="Template">What it was made from, with its version: <c>offer.1</c>.</param>
    /// <param name="State"><c>waiting</c>, <c>made</c> or <c>failed</c>.</param>
    /// <param name="DocumentId">The document that keeps it, once it is made.</param>
    /// <param name="Sha256">Of the file, once it is made.</param>
    public sealed record PaperView(Guid Id, string Kind, int Number, string Language, string Template, string State, string? Problem, DateTimeOffset AskedAt, DateTimeOffset? MadeAt, Guid? DocumentId, string? Sha256)
    {
        public static PaperView Of(PaperLine line) => new(
            line.Id, Words.Camel(line.Kind), line.Number, line.Language, line.Template, Words.Camel(line.State), line.Problem, line.AskedAt, line.MadeAt, line.DocumentId, line.Sha256);
    }

    public sealed record PaperPage(IReadOnlyList<PaperView> Items);

    private static async Task<Ok<PaperPage>> ListAsync(Guid id, ShowPapers show, ShowApplication applications, CancellationToken ct)
    {
        var papers = await show.RunAsync(id, ct);
        if (papers.Count == 0)
            await applications.MustBeThereAsync(id, ct);
        return TypedResults.Ok(new PaperPage([.. papers.Select(PaperView.Of)]));
    }

    private static async Task<Ok<MessagePage>> MessagesAsync(Guid id, ShowMessages show, ShowApplication applications, CancellationToken ct)
    {
        var messages = (await show.RunAsync(id, ct)).Messages;
        if (messages.Count == 0)
            await applications.MustBeThereAsync(id, ct);
        return TypedResults.Ok(new MessagePage([.. messages.Select(one => new MessageView(one.Id, Words.Camel(one.Kind), Words.Camel(one.Channel), Words.Camel(one.State), one.Attempts, one.Problem, one.AskedAt, one.AskedByName, one.SentAt))]));
    }

    private static async Task<Accepted<ApplicationAnswer>> RetryAsync(Guid id, Guid paperId, HttpContext context, RetryPaper retry, CancellationToken ct)
    {
        var answer = await retry.RunAsync(id, paperId, new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct);
        ApplicationApi.Mark(context, answer);
        return TypedResults.Accepted($"/api/v1/applications/{id}/papers", answer);
    }
}
