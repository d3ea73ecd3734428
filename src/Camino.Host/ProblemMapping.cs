using Camino.Host.Logging;
using Camino.Host.Releases;
using Camino.Lending;
using Camino.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace Camino.Host;

/// <summary>The one place where a refusal becomes an answer: problem+json (RFC 9457) for programs, a bare status for people, around which the pages put words.</summary>
internal sealed partial class ProblemMapping(IProblemDetailsService problems, FenceRefusals fence, Clients.ClientTurns turns, ILogger<ProblemMapping> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken ct)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        if (exception is RefusedException { Code: var code } && context.Features.Get<Clients.KnownClient>() is { } client)
            turns.NoteRefusal(client.Id, code);
        var trouble = DatabaseTroubles.Of(exception);
        var problem = exception switch
        {
            Data.ReleaseRetiredException retired => Problem(StatusCodes.Status503ServiceUnavailable, "Not now", retired.Message, "release.retired"),
            RefusedException refused => Problem(StatusOf(refused.Code), "Refused", refused.Message, refused.Code),
            BadHttpRequestException bad => Problem(bad.StatusCode, "Bad request", bad.Message, "request.bad"),
            AntiforgeryValidationException => Problem(StatusCodes.Status400BadRequest, "Bad request", "The form is too old or was not made by Camino; load the page again and repeat.", "request.token"),
            InvalidDataException data => Problem(StatusCodes.Status400BadRequest, "Bad request", data.Message, "request.body"),
            _ when trouble != DatabaseTrouble.None => ProblemOf(trouble),
            IOException => Problem(StatusCodes.Status400BadRequest, "Bad request", "The body ended early; nothing was stored.", "request.body_ended"),
            _ => null,
        };
        if (problem is null)
        {
            LogBroken(exception, context.Request.Method);
            problem = Problem(StatusCodes.Status500InternalServerError, "Something broke", "The request was not carried out. The log has the details under the request id.", "server.broken");
        }

        if (exception is Data.ReleaseRetiredException)
            fence.Count();
        context.Response.StatusCode = problem.Status ?? 500;
        if (problem.Status == StatusCodes.Status429TooManyRequests)
            context.Response.Headers.RetryAfter = "30";
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            if (trouble != DatabaseTrouble.None)
                LogTrouble(exception, context.Request.Method, trouble);
            context.Response.Headers.RetryAfter = RetryAfter(trouble);
        }

        if (!WebSetup.IsForPrograms(context))
            return true;
        problem.Extensions["requestId"] = RequestLog.IdOf(context);
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = context, ProblemDetails = problem });
    }

    /// <summary>Each trouble has its own code and sentence. A line that is lost in the instant of the commit leaves open whether it was stored; the key of the request answers that.</summary>
    private static ProblemDetails? ProblemOf(DatabaseTrouble trouble) => trouble switch
    {
        DatabaseTrouble.Unreachable => NotNow("server.database", "The database cannot be reached at the moment. Try again in a few seconds; under the same Idempotency-Key nothing is done twice."),
        DatabaseTrouble.Exhausted => NotNow("server.busy", "Every connection to the database is in use; nothing of this request was stored. Try again in a few seconds."),
        DatabaseTrouble.Slow => NotNow("server.slow", "The database took longer than a request may take. Try again later; under the same Idempotency-Key nothing is done twice."),
        DatabaseTrouble.Contended => NotNow("server.contended", "Somebody else was changing the same at that moment; nothing of this request was stored. Try again."),
        _ => null,
    };

    private static ProblemDetails NotNow(string code, string sentence) => Problem(StatusCodes.Status503ServiceUnavailable, "Not now", sentence, code);

    /// <summary>Seconds after which asking again makes sense.</summary>
    private static string RetryAfter(DatabaseTrouble trouble) => (trouble switch
    {
        DatabaseTrouble.Contended => 1,
        DatabaseTrouble.None => Data.ReleaseRetiredException.RetryAfterSeconds,
        _ => 5,
    }).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static int StatusOf(string code) => code switch
    {
        "import.file.too_large" or "input.too_large" or "document.too_large" or "statement.too_large" => StatusCodes.Status413PayloadTooLarge,
        "input.content_type" or "document.kind" => StatusCodes.Status415UnsupportedMediaType,
        "loan.version" or "approval.version" or "policy.version" or "borrower.version" or "application.version" or "task.version" => StatusCodes.Status412PreconditionFailed,
        "loan.version_missing" or "borrower.version_missing" or "application.version_missing" or "task.version_missing" => StatusCodes.Status428PreconditionRequired,
        "bulk.running" => StatusCodes.Status429TooManyRequests,
        "idempotency.key_missing" or "idempotency.key" => StatusCodes.Status400BadRequest,
        "close.running" or "close.not_today" or "close.none_open" or "screening_hit.state" or "screening.no_list" or "application.state" or "application.ended" or "application_step.state" or "offer.state" or "task.state" or "document.not_scanned" or "approval.state" or "approval.expired" or "approval.waiting" or "branch.state" or "branch.moved" or "branch.same" or "borrower.merged" or "merge.state" or "merge.later" or "merge.expired" or "policy.no_draft" or "evaluation.state" or "evaluation.no_policy" or "application.checklist" or "application.evaluation" or "checklist.state" => StatusCodes.Status409Conflict,
        "branch.house" => StatusCodes.Status403Forbidden,
        "import.disk_full" => StatusCodes.Status507InsufficientStorage,
        _ when code.EndsWith(".not_found", StringComparison.Ordinal) => StatusCodes.Status404NotFound,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    private static ProblemDetails Problem(int status, string title, string detail, string code) =>
        new() { Status = status, Title = title, Detail = detail, Type = $"urn:camino:problem:{code}", Extensions = { ["code"] = code } };

    [LoggerMessage(110, LogLevel.Error, "{Method} broke")]
    private partial void LogBroken(Exception exception, string method);

    [LoggerMessage(111, LogLevel.Warning, "{Method} was refused; trouble with the database: {Trouble}")]
    private partial void LogTrouble(Exception exception, string method, DatabaseTrouble trouble);
}
