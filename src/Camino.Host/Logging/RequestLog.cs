using System.Diagnostics;
using System.Security.Claims;

namespace Camino.Host.Logging;

/// <summary>
/// One line a request: method, route (the pattern, never the path: paths and queries may hold what was searched for), status, duration, and the id of the user or client who asked. Gives the request an id,
/// answers with it, and names the server span after the route.
/// </summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> log)
{
    /// <summary>The id under which the log has this request.</summary>
    public static string IdOf(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    public async Task InvokeAsync(HttpContext context)
    {
        var started = Stopwatch.GetTimestamp();
        var trace = IdOf(context);
        // at the last moment: whoever turns an exception into an answer clears the headers first
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["X-Request-Id"] = trace;
            return Task.CompletedTask;
        });
        using var scope = log.BeginScope(new Dictionary<string, object>(StringComparer.Ordinal) { ["RequestId"] = trace });
        try
        {
            await next(context);
        }
        finally
        {
            var route = ((context.Features.Get<FirstRoute>()?.Endpoint ?? context.GetEndpoint()) as RouteEndpoint)?.RoutePattern.RawText ?? "(none)";
            if (Activity.Current is { } activity)
            {
                activity.DisplayName = $"{context.Request.Method} {route}";
                activity.SetTag("http.route", route);
                activity.SetTag("http.response.status_code", context.Response.StatusCode);
            }

            var milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            if (context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
                LogHealth(context.Request.Method, route, context.Response.StatusCode, milliseconds);
            else
                LogRequest(context.Request.Method, route, context.Response.StatusCode, milliseconds, context.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? "nobody");
        }
    }

    /// <summary>Remembers where a request led at first: what is refused is answered by the page of errors, under another route.</summary>
    public static Task KeepRouteAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is { } endpoint && context.Features.Get<FirstRoute>() is null)
            context.Features.Set(new FirstRoute(endpoint));
        return next(context);
    }

    private sealed record FirstRoute(Endpoint Endpoint);

    [LoggerMessage(100, LogLevel.Information, "{Method} {Route} answered {Status} in {Milliseconds:0.0} ms for {User}")]
    private partial void LogRequest(string method, string route, int status, double milliseconds, string user);

    [LoggerMessage(101, LogLevel.Debug, "{Method} {Route} answered {Status} in {Milliseconds:0.0} ms")]
    private partial void LogHealth(string method, string route, int status, double milliseconds);
}
