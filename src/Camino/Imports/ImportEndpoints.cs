using System.Security.Claims;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;
using Microsoft.Net.Http.Headers;

namespace Camino.Imports;

/// <summary>Everything of imports that is not a page: the API, the upload of the page, downloads and live progress.</summary>
public static class ImportEndpoints
{
    /// <summary>Imports of one answer at most.</summary>
    private const int MostItems = 200;

    /// <summary>Room for the boundaries and small fields of a multipart body.</summary>
    private const long MultipartOverhead = 1024 * 1024;

    public sealed record Accepted(Guid ImportId, string Status, string Url);

    public sealed record ImportPage(IReadOnlyList<ImportReport> Items, string? Next);

    /// <summary>API of programs; they sign in by key.</summary>
    public static void MapImportApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/imports/template", () => Results.Text(Layouts.TemplateCsv + "\r\n" + Layouts.TemplateExampleCsv + "\r\n", "text/csv"));
        api.MapPost("/imports", PostAsync).RequireAuthorization(Rights.CanWrite).DisableAntiforgery();
        api.MapGet("/imports", ListAsync);
        api.MapGet("/imports/{id:guid}", GetAsync);
        api.MapPost("/imports/{id:guid}/load", async (Guid id, ClaimsPrincipal user, LoadImport load, CancellationToken ct) => TypedResults.Accepted($"/api/v1/imports/{id}", ImportReport.Of(await load.RunAsync(id, user.Id(), ct)))).RequireAuthorization(Rights.CanWrite);
        api.MapPost("/imports/{id:guid}/cancel", async (Guid id, ClaimsPrincipal user, CancelImport cancel, CancellationToken ct) => TypedResults.Ok(ImportReport.Of(await cancel.RunAsync(id, user.Id(), ct)))).RequireAuthorization(Rights.CanWrite);
        api.MapGet("/imports/{id:guid}/rejected", (Guid id, RejectedRows rejected, HttpContext context, CancellationToken ct) => RejectedAsync(id, rejected, f => $"{f.Column}: {f.Code}", context, ct));
    }

    /// <summary>What the pages need beside themselves; signed in by cookie.</summary>
    public static void MapImportDownloads(this IEndpointRouteBuilder pages)
    {
        pages.MapPost("/imports/upload", UploadAsync).RequireAuthorization(Rights.CanWrite);
        pages.MapGet("/imports/template.csv", () => Results.File(System.Text.Encoding.UTF8.GetBytes(Layouts.TemplateCsv + "\r\n" + Layouts.TemplateExampleCsv + "\r\n"), "text/csv", "camino-loans.csv"));
        pages.MapGet("/imports/{id:guid}/rejected.csv", (Guid id, RejectedRows rejected, IStringLocalizer<Texts> texts, HttpContext context, CancellationToken ct) => RejectedAsync(id, rejected, texts.Sentence, context, ct));
        pages.MapGet("/imports/{id:guid}/events", (Guid id, ImportEvents events, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Headers["X-Accel-Buffering"] = "no";
            return TypedResults.ServerSentEvents(events.WatchAsync(id, context.RequestAborted));
        });
    }

    private static async Task<IResult> PostAsync(HttpContext context, ReceiveImport receive, FileStore files, CancellationToken ct, string? fileName = null, bool dryRun = false, bool review = false)
    {
        var plan = dryRun ? ImportPlan.DryRun : review ? ImportPlan.Review : ImportPlan.Load;
        var import = await ReceiveAsync(context, receive, files, fileName, plan, beforeFile: null, ct);
        return TypedResults.Accepted($"/api/v1/imports/{import.Id}", new Accepted(import.Id, ImportReport.Name(import.Status.ToString()), $"/api/v1/imports/{import.Id}"));
    }

    private static async Task<IResult> UploadAsync(HttpContext context, ReceiveImport receive, FileStore files, IAntiforgery antiforgery, CancellationToken ct, string? fileName = null, string? plan = null)
    {
        var isForm = context.Request.HasFormContentType;
        if (!isForm)
            await antiforgery.ValidateRequestAsync(context);
        var import = await ReceiveAsync(context, receive, files, fileName, PlanOf(plan), isForm ? token => CheckTokenAsync(context, antiforgery, token) : null, ct);
        return isForm ? Results.Redirect($"/imports/{import.Id}", permanent: false, preserveMethod: false) : TypedResults.Json(new Accepted(import.Id, "received", $"/imports/{import.Id}"), statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary>The framework reads a form whole before it looks for the token; here the token is the first part and the file is still to come.</summary>
    private static Task CheckTokenAsync(HttpContext context, IAntiforgery antiforgery, string token)
    {
        context.Request.Headers["X-CSRF-Token"] = token;
        return antiforgery.ValidateRequestAsync(context);
    }

    private static ImportPlan PlanOf(string? plan) => plan switch { "load" => ImportPlan.Load, "dryRun" => ImportPlan.DryRun, _ => ImportPlan.Review };

    private static async Task<Import> ReceiveAsync(HttpContext context, ReceiveImport receive, FileStore files, string? fileName, ImportPlan plan, Func<string, Task>? beforeFile, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = files.MaxBytes + MultipartOverhead;
        Refuse.If(context.Request.ContentLength > files.MaxBytes + MultipartOverhead, "import.file.too_large", FormattableString.Invariant($"The body has {context.Request.ContentLength} bytes; a file may have {files.MaxBytes}."));
        if (!context.Request.HasFormContentType)
        {
            Refuse.If(string.IsNullOrWhiteSpace(fileName), "import.file_name", "fileName is missing; say ?fileName=loans.csv, 1 to 255 characters.");
            return await receive.RunAsync(context.Request.Body, fileName, plan, context.User.Id(), ct);
        }

        var boundary = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) ? HeaderUtilities.RemoveQuotes(type.Boundary).Value : null;
        Refuse.If(string.IsNullOrEmpty(boundary) || !context.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase), "import.no_file", "The form must be multipart/form-data with a part named file.");
        var reader = new MultipartReader(boundary, context.Request.Body);
        var tokenSeen = false;
        while (await reader.ReadNextSectionAsync(ct) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
                continue;
            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value;
            if (disposition.IsFileDisposition())
            {
                if (beforeFile is not null && !tokenSeen)
                    throw new AntiforgeryValidationException("The form's token must come before its file.");
                var given = disposition.FileNameStar.HasValue ? disposition.FileNameStar.Value : HeaderUtilities.RemoveQuotes(disposition.FileName).Value;
                Refuse.If(string.IsNullOrEmpty(given), "import.no_file", "No file was chosen; choose one and send again.");
                return await receive.RunAsync(section.Body, given, plan, context.User.Id(), ct);
            }

            var value = await ReadFieldAsync(section, ct);
            if (name == "__RequestVerificationToken" && beforeFile is not null)
            {
                await beforeFile(value);
                tokenSeen = true;
            }
            else if (name == "plan")
            {
                plan = PlanOf(value);
            }
        }

        throw new RefusedException("import.no_file", "No file was sent; the form needs a part named file.");
    }

    private static async Task<string> ReadFieldAsync(MultipartSection section, CancellationToken ct)
    {
        var buffer = new byte[4096];
        var read = await section.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        Refuse.If(read == buffer.Length, "import.no_file", "A field of the form is longer than 4,096 bytes.");
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }

    private static async Task<Results<Ok<ImportPage>, BadRequest>> ListAsync(CaminoDb db, CancellationToken ct, Guid? after = null, int take = 50)
    {
        var count = Math.Clamp(take, 1, MostItems);
        var imports = await db.Imports.AsNoTracking().Where(i => after == null || i.Id < after).OrderByDescending(i => i.Id).Take(count + 1).ToListAsync(ct);
        var next = imports.Count > count ? $"/api/v1/imports?after={imports[count - 1].Id}&take={count}" : null;
        return TypedResults.Ok(new ImportPage([.. imports.Take(count).Select(ImportReport.Of)], next));
    }

    private static async Task<Results<Ok<ImportReport>, ProblemHttpResult>> GetAsync(Guid id, CaminoDb db, CancellationToken ct) =>
        await ImportReport.FindAsync(db, id, ct) is { } import ? TypedResults.Ok(import) : TypedResults.Problem($"There is no import {id}.", statusCode: StatusCodes.Status404NotFound);

    private static async Task<IResult> RejectedAsync(Guid id, RejectedRows rejected, Func<Finding, string> say, HttpContext context, CancellationToken ct)
    {
        if (!await context.RequestServices.GetRequiredService<CaminoDb>().Imports.AnyAsync(i => i.Id == id, ct))
            return TypedResults.Problem($"There is no import {id}.", statusCode: StatusCodes.Status404NotFound);
        return Results.Stream(output => rejected.WriteAsync(id, output, say, ct), "text/csv; charset=utf-8", $"rejected-{id:N}.csv");
    }
}
