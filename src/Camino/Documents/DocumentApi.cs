using Camino.Applications;
using Camino.Clients;
using Camino.Lending;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Camino.Documents;

/// <summary>Documents for programs, and the files of documents for pages.</summary>
public static class DocumentApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapDocumentApi(this IEndpointRouteBuilder api)
    {
        MapDocuments(api, SubjectKind.Borrower, "/borrowers/{id:guid}/documents", Permissions.BorrowersRead);
        MapDocuments(api.MapGroup("").AddEndpointFilter(ApplicationApi.OwnAsync), SubjectKind.Application, "/applications/{id:guid}/documents", Permissions.ApplicationsRead);
        MapDocuments(api, SubjectKind.Loan, "/loans/{id:guid}/documents", Permissions.BookRead);
        api.MapGet("/documents/{id:guid}", GetAsync).RequireAuthorization(Permissions.DocumentsRead).WithSummary("A document with its versions, the newest first");
        api.MapPost("/documents/{id:guid}/versions", VersionAsync).RequireAuthorization(Permissions.DocumentsWrite).WithSummary("Adds a newer version of a document").Reads(null, "multipart/form-data").NeedsIdempotencyKey().DisableAntiforgery();
        api.MapGet("/documents/{id:guid}/versions/{number:int}/content", (Guid id, int number, HttpContext context, OpenDocument open, CancellationToken ct) => SendAsync(id, number, isShown: false, context, open, ct)).RequireAuthorization(Permissions.DocumentsRead)
            .WithSummary("The file itself; who fetched it is in the audit trail").Produces<string>(StatusCodes.Status200OK, "application/octet-stream");
        api.MapPost("/documents/{id:guid}/read", ReadAsync).RequireAuthorization(Permissions.DocumentsWrite).WithSummary("Has the newest version of a document of an application read by the outside service").NeedsIdempotencyKey();
        api.MapGet("/documents/{id:guid}/reading", ReadingAsync).RequireAuthorization(Permissions.DocumentsRead).WithSummary("What was read out of the newest version of a document, and where it differs from the application");
        api.MapPost("/documents/{id:guid}/remove", RemoveAsync).RequireAuthorization(Permissions.DocumentsWrite).WithSummary("Takes a document off; its versions stay in the store").Reads(typeof(ReasonInput), "application/json").NeedsIdempotencyKey();
    }

    /// <summary>The files themselves, for pages; signed in by cookie.</summary>
    public static void MapDocumentFiles(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/documents/{id:guid}/versions/{number:int}", (Guid id, int number, HttpContext context, OpenDocument open, CancellationToken ct) => SendAsync(id, number, isShown: false, context, open, ct)).RequireAuthorization(Permissions.DocumentsRead);
        pages.MapGet("/documents/{id:guid}/versions/{number:int}/view", (Guid id, int number, HttpContext context, OpenDocument open, CancellationToken ct) => SendAsync(id, number, isShown: true, context, open, ct)).RequireAuthorization(Permissions.DocumentsRead);
    }

    /// <param name="Reason">1 to 500 characters.</param>
    public sealed record ReasonInput(string? Reason);

    /// <param name="Scan"><c>waiting</c>, <c>clean</c>, <c>infected</c> or <c>notScanned</c>.</param>
    public sealed record DocumentLineView(Guid Id, string Title, string Kind, DateOnly? ExpiresOn, int Number, string FileName, string MediaType, long Bytes, string Scan, DateTimeOffset AddedAt, string? AddedBy)
    {
        public static DocumentLineView Of(DocumentLine line) => new(line.Id, line.Title, Words.Camel(line.Kind), line.ExpiresOn, line.Number, line.FileName, line.MediaType, line.Bytes, Words.Camel(line.Scan), line.AddedAt, line.AddedByName);
    }

    public sealed record DocumentPage(IReadOnlyList<DocumentLineView> Items, string? Next);

    public sealed record DocumentVersionView(int Number, string FileName, string MediaType, long Bytes, string Sha256, string Scan, DateTimeOffset AddedAt, string? AddedBy);

    public sealed record DocumentDetailsView(DocumentLineView Document, string Subject, Guid SubjectId, IReadOnlyList<DocumentVersionView> Versions);

    /// <param name="Number">Of the version.</param>
    /// <param name="State"><c>queued</c>, <c>handed</c> (the service is at it), <c>read</c> or <c>failed</c>.</param>
    /// <param name="Agrees">Names of fields that say what the application says.</param>
    /// <param name="Differs">Names of fields that say something else.</param>
    public sealed record DocumentReadingView(int Number, string State, string? Problem, DateTimeOffset AskedAt, DateTimeOffset? ReadAt, IReadOnlyList<ReadField> Fields, IReadOnlyList<string> Agrees, IReadOnlyList<string> Differs);

    private static void MapDocuments(IEndpointRouteBuilder api, SubjectKind subject, string pattern, string subjectPermission)
    {
        api.MapGet(pattern, (Guid id, HttpContext context, ShowDocuments show, CancellationToken ct, Guid? after = null) => ListAsync(subject, id, after, context, show, ct)).RequireAuthorization(subjectPermission).RequireAuthorization(Permissions.DocumentsRead)
            .WithSummary($"Documents of a {TaskWords.Word(subject)}, the newest first");
        api.MapPost(pattern, (Guid id, HttpContext context, KeepDocument keep, CancellationToken ct) => AddAsync(subject, id, context, keep, ct)).RequireAuthorization(subjectPermission).RequireAuthorization(Permissions.DocumentsWrite)
            .WithSummary($"Adds a document to a {TaskWords.Word(subject)}: a form with the parts file, title, kind and expiresOn").Reads(null, "multipart/form-data").NeedsIdempotencyKey().DisableAntiforgery();
    }

    private static async Task<Ok<DocumentPage>> ListAsync(SubjectKind subject, Guid id, Guid? after, HttpContext context, ShowDocuments show, CancellationToken ct)
    {
        var lines = await show.RunAsync(subject, id, after, ct);
        var page = lines.Take(ShowDocuments.PageSize).ToList();
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new DocumentPage([.. page.Select(DocumentLineView.Of)], lines.Count > page.Count ? $"{context.Request.Path}?after={page[^1].Id}" : null));
    }

    private static async Task<Created<DocumentAnswer>> AddAsync(SubjectKind subject, Guid id, HttpContext context, KeepDocument keep, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var (form, file) = await FormAsync(context, ct);
        await using var content = file.OpenReadStream();
        var input = new DocumentInput { Title = form["title"], Kind = form["kind"], ExpiresOn = form["expiresOn"] };
        return Made(context, await keep.AddAsync(subject, id, input, content, file.FileName, new AskedBy(context.User.Id(), key), ct));
    }

    private static async Task<Created<DocumentAnswer>> VersionAsync(Guid id, HttpContext context, KeepDocument keep, ShowDocuments show, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        await MineAsync(id, context, show, ct);
        var (_, file) = await FormAsync(context, ct);
        await using var content = file.OpenReadStream();
        return Made(context, await keep.AddVersionAsync(id, content, file.FileName, new AskedBy(context.User.Id(), key), ct));
    }

    private static async Task<Ok<DocumentDetailsView>> GetAsync(Guid id, HttpContext context, ShowDocuments show, CancellationToken ct)
    {
        var view = await MineAsync(id, context, show, ct);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new DocumentDetailsView(
            DocumentLineView.Of(view.Line), TaskWords.Word(view.Line.Subject), view.Line.SubjectId,
            [.. view.Versions.Select(one => new DocumentVersionView(one.Number, one.FileName, one.MediaType, one.Bytes, one.Sha256, Words.Camel(one.Scan), one.AddedAt, one.AddedByName))]));
    }

    private static async Task<Ok<DocumentAnswer>> RemoveAsync(Guid id, HttpContext context, ChangeDocument change, ShowDocuments show, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var reason = (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("reason"));
        await MineAsync(id, context, show, ct);
        var answer = await change.RemoveAsync(id, reason, new AskedBy(context.User.Id(), key), ct);
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Ok(answer);
    }

    private static async Task<Accepted<DocumentAnswer>> ReadAsync(Guid id, HttpContext context, ReadDocument read, ShowDocuments show, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        await MineAsync(id, context, show, ct);
        var answer = await read.RunAsync(id, new AskedBy(context.User.Id(), key), ct);
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Accepted($"/api/v1/documents/{id}/reading", answer);
    }

    private static async Task<Results<Ok<DocumentReadingView>, NoContent>> ReadingAsync(Guid id, HttpContext context, ShowReading reading, ShowDocuments show, CancellationToken ct)
    {
        await MineAsync(id, context, show, ct);
        context.Response.Headers.CacheControl = "no-store";
        return await reading.RunAsync(id, ct) is { } view
            ? TypedResults.Ok(new DocumentReadingView(view.Number, Words.Camel(view.State), view.Problem, view.AskedAt, view.ReadAt, view.Fields, view.Agrees, view.Differs))
            : TypedResults.NoContent();
    }

    /// <summary>A document about what the caller may see.</summary>
    private static async Task<DocumentView> MineAsync(Guid id, HttpContext context, ShowDocuments show, CancellationToken ct)
    {
        var view = await show.FindAsync(id, ct);
        if (view is null || !await MayReadAsync(context, view.Line.Subject, view.Line.SubjectId))
            throw new RefusedException("document.not_found", $"There is no document {id}.");
        return view;
    }

    /// <summary>By permission, and for a client only what it handed in.</summary>
    private static async Task<bool> MayReadAsync(HttpContext context, SubjectKind subject, Guid subjectId) =>
        context.User.MayRead(subject)
        && (subject != SubjectKind.Application || context.Features.Get<KnownClient>() is not { } client || await context.RequestServices.GetRequiredService<ShowApplication>().IsOfAsync(subjectId, client.Id, context.RequestAborted));

    private static async Task<IResult> SendAsync(Guid id, int number, bool isShown, HttpContext context, OpenDocument open, CancellationToken ct)
    {
        var opened = await open.RunAsync(id, number, (subject, subjectId) => MayReadAsync(context, subject, subjectId), isShown, context.User.Id(), ct);
        context.Response.Headers.CacheControl = "no-store";
        var disposition = new ContentDispositionHeaderValue(isShown ? "inline" : "attachment");
        disposition.SetHttpFileName(opened.FileName);
        context.Response.Headers.ContentDisposition = disposition.ToString();
        context.Response.ContentLength = opened.Bytes;
        return Results.Stream(opened.Content, opened.MediaType);
    }

    private static async Task<(IFormCollection Form, IFormFile File)> FormAsync(HttpContext context, CancellationToken ct)
    {
        Refuse.If(!context.Request.HasFormContentType, "input.content_type", $"Content-Type is multipart/form-data with a part named file; got {InputText.Short(context.Request.ContentType)}.");
        var form = await context.Request.ReadFormAsync(ct);
        return (form, form.Files.GetFile("file") ?? throw new RefusedException("document.no_file", "No file was sent; the form needs a part named file."));
    }

    private static Created<DocumentAnswer> Made(HttpContext context, DocumentAnswer answer)
    {
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Created($"/api/v1/documents/{answer.DocumentId}", answer);
    }
}
