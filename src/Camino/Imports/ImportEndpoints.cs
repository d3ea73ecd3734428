using System.Security.Claims;
using System.Text;
using Camino.Data;
using Camino.Resources;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;

namespace Camino.Imports;

/// <summary>Everything of imports that is not a page: the API, the upload of the page, downloads and live progress.</summary>
public static class ImportEndpoints
{
    /// <summary>Imports or rows of one answer at most.</summary>
    private const int MostItems = 200;

    public sealed record ImportPage(IReadOnlyList<ImportReport> Items, string? Next);

    /// <summary>One row that did not simply go in.</summary>
    /// <param name="Sentence">All findings in words, in the language of Accept-Language (en, es).</param>
    public sealed record RowView(long Line, string Outcome, string? Number, IReadOnlyList<Finding> Findings, string Sentence);

    public sealed record RowPage(IReadOnlyList<RowView> Items, string? Next);

    /// <summary>API of programs; they sign in by key.</summary>
    public static void MapImportApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/imports/template", () => Results.Text(Template, "text/csv")).RequireAuthorization(Permissions.ImportsRead).WithSummary("An example file with the columns of the house").Produces<string>(StatusCodes.Status200OK, "text/csv");
        api.MapPost("/imports", ImportUpload.PostAsync).RequireAuthorization(Permissions.ImportsWrite).WithSummary("Takes a file of loans as the body; the answer says where its progress is").Reads(null, "application/octet-stream", "text/csv", "application/gzip", "application/zip").DisableAntiforgery();
        api.MapGet("/imports", ListAsync).RequireAuthorization(Permissions.ImportsRead).WithSummary("Imports, the newest first");
        api.MapGet("/imports/{id:guid}", GetAsync).RequireAuthorization(Permissions.ImportsRead).WithSummary("An import: state, figures, problems");
        api.MapGet("/imports/{id:guid}/rows", RowsAsync).RequireAuthorization(Permissions.ImportsRead).WithSummary("Rows that were rejected or corrected, in the order of the file");
        api.MapGet("/imports/{id:guid}/rejected", (Guid id, RejectedRows rejected, IStringLocalizer<Texts> texts, CaminoDb db, CancellationToken ct) => RejectedAsync(id, rejected, f => $"{texts.Sentence(f)} [{f.Code}]", db, ct)).RequireAuthorization(Permissions.ImportsRead).WithSummary("The rejected rows as CSV, with what is wrong").Produces<string>(StatusCodes.Status200OK, "text/csv");
        api.MapGet("/imports/{id:guid}/events", EventsAsync).RequireAuthorization(Permissions.ImportsRead).WithSummary("Progress as server-sent events").Produces<string>(StatusCodes.Status200OK, "text/event-stream");
        api.MapPost("/imports/{id:guid}/load", async (Guid id, ClaimsPrincipal user, LoadImport load, CancellationToken ct) => TypedResults.Accepted($"/api/v1/imports/{id}", ImportReport.Of(await load.RunAsync(id, user.Id(), ct)))).RequireAuthorization(Permissions.ImportsWrite).WithSummary("Loads what a dry run or a review has checked");
        api.MapPost("/imports/{id:guid}/cancel", async (Guid id, ClaimsPrincipal user, CancelImport cancel, CancellationToken ct) => TypedResults.Ok(ImportReport.Of(await cancel.RunAsync(id, user.Id(), ct)))).RequireAuthorization(Permissions.ImportsWrite).WithSummary("Cancels an import; what was loaded stays");
        api.MapMappingApi();
    }

    /// <summary>What the pages need beside themselves; signed in by cookie.</summary>
    public static void MapImportDownloads(this IEndpointRouteBuilder pages)
    {
        pages.MapPost("/imports/upload", ImportUpload.UploadAsync).RequireAuthorization(Permissions.ImportsWrite);
        pages.MapGet("/imports/template.csv", () => Results.File(Encoding.UTF8.GetBytes(Template), "text/csv", "camino-loans.csv")).RequireAuthorization(Permissions.ImportsRead);
        pages.MapGet("/imports/{id:guid}/rejected.csv", (Guid id, RejectedRows rejected, IStringLocalizer<Texts> texts, CaminoDb db, CancellationToken ct) => RejectedAsync(id, rejected, texts.Sentence, db, ct)).RequireAuthorization(Permissions.ImportsRead);
        pages.MapGet("/imports/{id:guid}/events", EventsAsync).RequireAuthorization(Permissions.ImportsRead);
    }

    private static string Template => Layouts.TemplateCsv + "\r\n" + Layouts.TemplateExampleCsv + "\r\n";

    private static async Task<Ok<ImportPage>> ListAsync(CaminoDb db, CancellationToken ct, Guid? after = null, int take = 50)
    {
        var count = Math.Clamp(take, 1, MostItems);
        var imports = await db.Imports.AsNoTracking().Where(i => after == null || i.Id < after).OrderByDescending(i => i.Id).Take(count + 1).ToListAsync(ct);
        var next = imports.Count > count ? FormattableString.Invariant($"/api/v1/imports?after={imports[count - 1].Id}&take={count}") : null;
        return TypedResults.Ok(new ImportPage([.. imports.Take(count).Select(ImportReport.Of)], next));
    }

    private static async Task<Results<Ok<ImportReport>, ProblemHttpResult>> GetAsync(Guid id, CaminoDb db, CancellationToken ct) =>
        await ImportReport.FindAsync(db, id, ct) is { } import ? TypedResults.Ok(import) : NotFound(id);

    /// <summary>Rejected rows, or corrected ones with what was corrected, in the order of the file.</summary>
    private static async Task<Results<Ok<RowPage>, ProblemHttpResult>> RowsAsync(Guid id, ShowImport show, IStringLocalizer<Texts> texts, CancellationToken ct, string outcome = "rejected", long after = 0)
    {
        if (outcome is not ("rejected" or "corrected"))
            return TypedResults.Problem($"outcome is {outcome}; it must be rejected or corrected.", statusCode: StatusCodes.Status400BadRequest, type: "urn:camino:problem:request.bad");
        if (await show.RunAsync(id, ct) is not { } import)
            return NotFound(id);
        var rows = await show.RowsAsync(id, import.IsDryRun, outcome == "rejected" ? RowOutcome.Rejected : RowOutcome.Corrected, Math.Max(0, after), ct);
        var items = rows.Take(ShowImport.PageSize).Select(row => new RowView(row.Line, outcome, row.Number, row.Findings, string.Join(' ', row.Findings.Select(texts.Sentence)))).ToList();
        var next = rows.Count > items.Count ? FormattableString.Invariant($"/api/v1/imports/{id}/rows?outcome={outcome}&after={items[^1].Line}") : null;
        return TypedResults.Ok(new RowPage(items, next));
    }

    private static async Task<IResult> RejectedAsync(Guid id, RejectedRows rejected, Func<Finding, string> say, CaminoDb db, CancellationToken ct)
    {
        if (!await db.Imports.AnyAsync(i => i.Id == id, ct))
            return NotFound(id);
        return Results.Stream(output => rejected.WriteAsync(id, output, say, ct), "text/csv; charset=utf-8", $"rejected-{id:N}.csv");
    }

    private static async Task<IResult> EventsAsync(Guid id, ImportEvents events, CaminoDb db, HttpContext context, CancellationToken ct)
    {
        if (!await db.Imports.AnyAsync(i => i.Id == id, ct))
            return NotFound(id);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(events.WatchAsync(id, context.RequestAborted));
    }

    internal static ProblemHttpResult NotFound(Guid id) => TypedResults.Problem($"There is no import {id}.", statusCode: StatusCodes.Status404NotFound, type: "urn:camino:problem:import.not_found");
}
