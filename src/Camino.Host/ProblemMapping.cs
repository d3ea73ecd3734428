using Camino.Host.Logging;
using Camino.Lending;
using Camino.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Camino.Host;

/// <summary>The one place where a refusal becomes an answer: problem+json (RFC 9457) for programs, a bare status for people, around which the pages put words.</summary>
internal sealed partial class ProblemMapping(IProblemDetailsService problems, ILogger<ProblemMapping> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken ct)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        if (exception is Data.ReleaseRetiredException)
            context.Response.Headers.RetryAfter = Data.ReleaseRetiredException.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var problem = exception switch
        {
            Data.ReleaseRetiredException retired => Problem(StatusCodes.Status503ServiceUnavailable, "Not now", retired.Message, "release.retired"),
            RefusedException refused => Problem(StatusOf(refused.Code), "Refused", refused.Message, refused.Code),
            BadHttpRequestException bad => Problem(bad.StatusCode, "Bad request", bad.Message, "request.bad"),
            AntiforgeryValidationException => Problem(StatusCodes.Status400BadRequest, "Bad request", "The form is too old or was not made by Camino; load the page again and repeat.", "request.token"),
            InvalidDataException data => Problem(StatusCodes.Status400BadRequest, "Bad request", data.Message, "request.body"),
            _ when IsDatabaseSilent(exception) => Problem(StatusCodes.Status503ServiceUnavailable, "Not available", "The database cannot be reached at the moment; nothing was changed. Try again in a few seconds.", "server.database"),
            IOException => Problem(StatusCodes.Status400BadRequest, "Bad request", "The body ended early; nothing was stored.", "request.body_ended"),
            _ => null,
        };
        if (problem is null)
        {
            LogBroken(exception, context.Request.Method);
            problem = Problem(StatusCodes.Status500InternalServerError, "Something broke", "The request was not carried out. The log has the details under the request id.", "server.broken");
        }

        context.Response.StatusCode = problem.Status ?? 500;
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            LogSilent(exception, context.Request.Method);
            context.Response.Headers.RetryAfter = "5";
        }

        if (!WebSetup.IsForPrograms(context))
            return true;
        problem.Extensions["requestId"] = RequestLog.IdOf(context);
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = context, ProblemDetails = problem });
    }

    /// <summary>A connection that was refused, lost or closed by a server that stops; not a statement that is wrong.</summary>
    private static bool IsDatabaseSilent(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is NpgsqlException { IsTransient: true })
                return true;
        }

        return false;
    }

    private static int StatusOf(string code) => code switch
    {
        "import.file.too_large" => StatusCodes.Status413PayloadTooLarge,
        "loan.version" => StatusCodes.Status412PreconditionFailed,
        "loan.version_missing" => StatusCodes.Status428PreconditionRequired,
        "idempotency.key_missing" or "idempotency.key" => StatusCodes.Status400BadRequest,
        "close.running" or "close.not_today" or "close.none_open" => StatusCodes.Status409Conflict,
        "import.disk_full" => StatusCodes.Status507InsufficientStorage,
        _ when code.EndsWith(".not_found", StringComparison.Ordinal) => StatusCodes.Status404NotFound,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    private static ProblemDetails Problem(int status, string title, string detail, string code) =>
        new() { Status = status, Title = title, Detail = detail, Type = $"urn:camino:problem:{code}", Extensions = { ["code"] = code } };

    [LoggerMessage(110, LogLevel.Error, "{Method} broke")]
    private partial void LogBroken(Exception exception, string method);

    [LoggerMessage(111, LogLevel.Warning, "{Method} was refused: the database cannot be reached")]
    private partial void LogSilent(Exception exception, string method);
}
