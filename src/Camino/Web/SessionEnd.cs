using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Camino.Web;

/// <summary>What somebody meets who is not signed in (any more): a page leads to the sign-in and back, a script is told so.</summary>
public static class SessionEnd
{
    /// <summary>Scripts get 401; a form that was sent too late leads back to the page it stood on, with a word that it was not carried out.</summary>
    public static Task LeadToSignIn(RedirectContext<CookieAuthenticationOptions> context)
    {
        var request = context.Request;
        if (WebSetup.IsForPrograms(context.HttpContext) || IsFromScript(request))
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        else if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            context.Response.Redirect(context.RedirectUri);
        else
            context.Response.Redirect(UriHelper.BuildRelative(request.PathBase, "/sign-in", QueryString.Create("ReturnUrl", PageOf(request)).Add("Ended", "true")));
        return Task.CompletedTask;
    }

    /// <summary>Whoever may not is told so in place, and not led away: the address stays, and the log has it with its status.</summary>
    public static Task Refuse(RedirectContext<CookieAuthenticationOptions> context)
    {
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    /// <summary>Browsers say what they ask for; a page that is opened is a navigation.</summary>
    private static bool IsFromScript(HttpRequest request) =>
        request.Headers["Sec-Fetch-Mode"] is [{ } mode] ? mode != "navigate" : request.Headers.Accept.ToString().StartsWith("text/event-stream", StringComparison.Ordinal);

    /// <summary>The page that the form stood on, as the browser names it; else the address that it was sent to.</summary>
    private static string PageOf(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer, UriKind.Absolute, out var page) && page.Authority == request.Host.Value ? page.PathAndQuery : request.PathBase + request.Path;
}
