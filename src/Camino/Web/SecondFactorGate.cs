using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Camino.Web;

/// <summary>Leads whoever must set a second factor up to the page for it, from wherever they wanted to go; what is open to everybody stays open.</summary>
public sealed class SecondFactorGate(RequestDelegate next)
{
    private static readonly string[] s_open = ["/second-factor", "/sessions", "/password"];

    /// <summary>Passes the request on, or leads away.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.User.MustSetUp() || s_open.Contains(context.Request.Path.Value) || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return next(context);
        if (HttpMethods.IsGet(context.Request.Method) && context.Request.Headers["Sec-Fetch-Mode"] is not [{ } and not "navigate"])
            context.Response.Redirect("/second-factor");
        else
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}
