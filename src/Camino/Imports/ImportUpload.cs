using System.Text;
using Camino.Lending;
using Camino.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Camino.Imports;

/// <summary>Takes a file out of a request, as the whole body or as a part of a form, and streams it to the store.</summary>
public static class ImportUpload
{
    /// <summary>Room for the boundaries and small fields of a multipart body.</summary>
    private const long MultipartOverhead = 1024 * 1024;

    private const int LongestField = 4096;

    /// <summary>What a program's raw body is called that gives no name.</summary>
    private const string Unnamed = "unnamed.csv";

    /// <summary>The file is here and a job has it.</summary>
    public sealed record Accepted(Guid ImportId, string Status, string Url);

    /// <summary><c>POST /api/v1/imports</c>: multipart with a part named file, or the file as the body of any other content type.</summary>
    internal static async Task<Accepted<Accepted>> PostAsync(
        HttpContext context, ReceiveImport receive, FileStore files, CancellationToken ct, string? fileName = null, bool dryRun = false, bool review = false, string? mapping = null, string? branch = null)
    {
        var plan = dryRun ? ImportPlan.DryRun : review ? ImportPlan.Review : ImportPlan.Load;
        var asked = new Asked(fileName ?? NameInHeader(context.Request) ?? Unnamed, plan, mapping, branch);
        var import = await ReceiveAsync(context, receive, files, asked, beforeFile: null, ct);
        return TypedResults.Accepted($"/api/v1/imports/{import.Id}", new Accepted(import.Id, ImportReport.Name(import.Status.ToString()), $"/api/v1/imports/{import.Id}"));
    }

    /// <summary><c>POST /imports/upload</c> of the page: by its script as a raw body, without scripts as a form.</summary>
    internal static async Task<IResult> UploadAsync(HttpContext context, ReceiveImport receive, FileStore files, IAntiforgery antiforgery, CancellationToken ct, string? fileName = null, string? plan = null, string? branch = null)
    {
        var isForm = IsMultipart(context.Request);
        if (!isForm)
            await antiforgery.ValidateRequestAsync(context);
        var import = await ReceiveAsync(context, receive, files, new Asked(fileName ?? "", PlanOf(plan), null, branch), isForm ? token => CheckTokenAsync(context, antiforgery, token) : null, ct);
        return isForm
            ? Results.Redirect($"/imports/{import.Id}", permanent: false, preserveMethod: false)
            : TypedResults.Json(new Accepted(import.Id, "received", $"/imports/{import.Id}"), statusCode: StatusCodes.Status202Accepted);
    }

    private sealed record Asked(string FileName, ImportPlan Plan, string? Mapping, string? Branch);

    private static async Task<Import> ReceiveAsync(HttpContext context, ReceiveImport receive, FileStore files, Asked asked, Func<string, Task>? beforeFile, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = files.MaxBytes + MultipartOverhead;
        Refuse.If(context.Request.ContentLength > files.MaxBytes + MultipartOverhead, "import.file.too_large", FormattableString.Invariant($"The body has {context.Request.ContentLength} bytes; a file may have {files.MaxBytes}."));
        try
        {
            return IsMultipart(context.Request)
                ? await ReceivePartAsync(context, receive, asked, beforeFile, ct)
                : await receive.RunAsync(new HandedIn(context.Request.Body, asked.FileName, asked.Plan) { Mapping = asked.Mapping, Branch = asked.Branch, ExpectedBytes = context.Request.ContentLength }, context.User.Id(), ct);
        }
        catch (BadHttpRequestException beyond) when (beyond.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            // the web server reads ahead, and may see the limit before the file's own is counted
            throw new RefusedException("import.file.too_large", FormattableString.Invariant($"The body is larger than {files.MaxBytes} bytes, the limit of one import; split the file."));
        }
    }

    /// <summary>The fields that decide (plan, mapping, token) must stand before the file: what comes behind it is not read.</summary>
    private static async Task<Import> ReceivePartAsync(HttpContext context, ReceiveImport receive, Asked asked, Func<string, Task>? beforeFile, CancellationToken ct)
    {
        var boundary = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) ? HeaderUtilities.RemoveQuotes(type.Boundary).Value : null;
        Refuse.If(string.IsNullOrEmpty(boundary), "import.no_file", "The form has no boundary; it must be multipart/form-data with a part named file.");
        var reader = new MultipartReader(boundary, context.Request.Body);
        var tokenSeen = false;
        while (await reader.ReadNextSectionAsync(ct) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
                continue;
            if (disposition.IsFileDisposition())
            {
                if (beforeFile is not null && !tokenSeen)
                    throw new AntiforgeryValidationException("The form's token must come before its file.");
                var given = NameOf(disposition);
                Refuse.If(string.IsNullOrEmpty(given), "import.no_file", "No file was chosen; choose one and send again.");
                return await receive.RunAsync(new HandedIn(section.Body, given, asked.Plan) { Mapping = asked.Mapping, Branch = asked.Branch, ExpectedBytes = context.Request.ContentLength }, context.User.Id(), ct);
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value ?? "";
            var value = await ReadFieldAsync(section, name, ct);
            switch (name)
            {
                case "__RequestVerificationToken" when beforeFile is not null:
                    await beforeFile(value);
                    tokenSeen = true;
                    break;
                case "plan":
                    asked = asked with { Plan = PlanOf(value) };
                    break;
                case "mapping" when value.Length > 0:
                    asked = asked with { Mapping = value };
                    break;
                case "branch" when value.Length > 0:
                    asked = asked with { Branch = value };
                    break;
                default:
                    break;
            }
        }

        throw new RefusedException("import.no_file", "No file was sent; the form needs a part named file.");
    }

    /// <summary>The framework reads a form whole before it looks for the token; here the token is the first part and the file is still to come.</summary>
    private static Task CheckTokenAsync(HttpContext context, IAntiforgery antiforgery, string token)
    {
        context.Request.Headers[WebSetup.AntiforgeryHeader] = token;
        return antiforgery.ValidateRequestAsync(context);
    }

    /// <summary>Everything else is taken as the file itself, whatever its content type says: programs call a CSV many things.</summary>
    private static bool IsMultipart(HttpRequest request) => request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true;

    internal static string? NameInHeader(HttpRequest request) =>
        ContentDispositionHeaderValue.TryParse(request.Headers.ContentDisposition.ToString(), out var disposition) ? NameOf(disposition) : null;

    private static string? NameOf(ContentDispositionHeaderValue disposition) =>
        disposition.FileNameStar.HasValue ? disposition.FileNameStar.Value : HeaderUtilities.RemoveQuotes(disposition.FileName).Value;

    private static ImportPlan PlanOf(string? plan) => plan switch { "load" => ImportPlan.Load, "dryRun" => ImportPlan.DryRun, _ => ImportPlan.Review };

    private static async Task<string> ReadFieldAsync(MultipartSection section, string name, CancellationToken ct)
    {
        var buffer = new byte[LongestField + 1];
        var read = await section.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        Refuse.If(read == buffer.Length, "import.field_too_long", FormattableString.Invariant($"The field {name} of the form is longer than {LongestField} bytes."));
        return Encoding.UTF8.GetString(buffer, 0, read);
    }
}
