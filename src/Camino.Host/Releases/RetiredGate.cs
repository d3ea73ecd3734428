using System.Diagnostics.Metrics;
using Camino.Data;

namespace Camino.Host.Releases;

/// <summary>A retired Back Office answers writes with 503 and Retry-After at once; what it read stays readable until the load balancer has let go of it.</summary>
internal sealed class RetiredGate(RequestDelegate next, ReleaseStanding standing, FenceRefusals refusals)
{

    public Task InvokeAsync(HttpContext context)
    {
        if (!standing.IsRetired || IsRead(context.Request) || Limits.RouteClasses.Of(context.Request) == Limits.RouteClass.Always)
            return next(context);
        refusals.Count();
        return Shed.AnswerAsync(context, ReleaseRetiredException.RetryAfterSeconds, "release.retired", standing.Reason ?? "This release is retired.");
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
}

/// <summary>How often this process was refused by the fence, at its door or by the database in the transaction itself.</summary>
internal sealed class FenceRefusals(IMeterFactory meters)
{
    private readonly Counter<long> _refusals = meters.Create("Camino").CreateCounter<long>("camino.fence.refusals", "{request}", "Writes refused because this release is retired.");

    public void Count() => _refusals.Add(1);
}

/// <summary>The answer of a server that cannot take a request on now: status, Retry-After, and a body that programs and people can read.</summary>
internal static class Shed
{
    /// <param name="seconds">When asking again makes sense.</param>
    /// <param name="code">Stable code of the reason.</param>
    public static async Task AnswerAsync(HttpContext context, int seconds, string code, string sentence, int status = StatusCodes.Status503ServiceUnavailable)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers.CacheControl = "no-store";
        if (!Web.WebSetup.IsForPrograms(context))
            return; // the page of that status is shown by the status-code pages around us
        await context.Response.WriteAsJsonAsync(
            new Microsoft.AspNetCore.Mvc.ProblemDetails { Status = status, Title = status == StatusCodes.Status429TooManyRequests ? "Too many requests" : "Not now", Detail = sentence, Type = $"urn:camino:problem:{code}", Extensions = { ["code"] = code } },
            options: null, "application/problem+json", context.RequestAborted);
    }
}
