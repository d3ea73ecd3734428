using System.Data.Common;
using System.Runtime.ExceptionServices;
using System.Security.Claims;
using Camino.Lending;
using Camino.People;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Camino.Web;

/// <summary>Ties the cookie to a row of the database: begun at the sign-in, asked at every request, ended at the sign-out.</summary>
public static class SessionGuard
{
    /// <summary>The session begins with a new id, whichever way of signing in led here.</summary>
    /// <exception cref="RefusedException"><c>session.refused</c>.</exception>
    public static async Task BeginAsync(CookieSigningInContext context)
    {
        var http = context.HttpContext;
        var stampType = http.RequestServices.GetRequiredService<IOptions<IdentityOptions>>().Value.ClaimsIdentity.SecurityStampClaimType;
        if (context.Principal?.Identity is not ClaimsIdentity identity)
            throw new InvalidOperationException("Nobody signs in.");
        if (identity.FindFirst(SessionClaims.Session) is { } copied)
            identity.RemoveClaim(copied);
        var id = await http.RequestServices.GetRequiredService<BeginSession>().RunAsync(
            context.Principal.Id(), identity.FindFirst(stampType)?.Value ?? "", SessionPlace.Network(http.Connection.RemoteIpAddress), SessionPlace.Family(http.Request.Headers.UserAgent), http.User.SessionId(), identity.HasClaim(ClaimTypes.AuthenticationMethod, SignInCodePage.Method), http.Features.Get<CompanyVouched>(), http.RequestAborted);
        identity.AddClaim(new Claim(SessionClaims.Session, id.ToString()));
    }

    /// <summary>Nobody is signed in whose session is over. While the database does not answer, that is so as well, and the request is answered as what it is: not now.</summary>
    public static async Task CheckAsync(CookieValidatePrincipalContext context)
    {
        var http = context.HttpContext;
        if (IsForEverybody(http))
            return;
        try
        {
            if (context.Principal?.SessionId() is { } id && await http.RequestServices.GetRequiredService<CheckSession>().FindAsync(id, context.Principal.Id(), IsUse(http.Request), http.RequestAborted) is { } open)
            {
                http.Features.Set(open);
                http.Features.Set(open.Branches);
            }
            else
                context.RejectPrincipal();
        }
        catch (DbException broken)
        {
            context.RejectPrincipal();
            http.Features.Set(new SessionTrouble(ExceptionDispatchInfo.Capture(broken)));
        }
    }

    /// <summary>What the cookie opened is closed for copies of it too.</summary>
    public static async Task EndAsync(CookieSigningOutContext context)
    {
        var http = context.HttpContext;
        if (http.User.SessionId() is { } id)
            await http.RequestServices.GetRequiredService<EndSessions>().OneAsync(http.User.Id(), id, SessionEnds.SignedOut, http.RequestAborted);
    }

    /// <summary>Style sheets and health: answered to anybody, so that nobody need be known.</summary>
    private static bool IsForEverybody(HttpContext http) =>
        http.GetEndpoint()?.Metadata is { } metadata && metadata.GetMetadata<IAllowAnonymous>() is not null && metadata.GetMetadata<PageActionDescriptor>() is null;

    /// <summary>Opening a page and sending a form are use; what a page's script asks for by itself is not.</summary>
    private static bool IsUse(HttpRequest request) => !HttpMethods.IsGet(request.Method) || request.Headers["Sec-Fetch-Mode"] is not [{ } mode] || mode == "navigate";
}

/// <summary>The database did not say whether the session is open.</summary>
internal sealed record SessionTrouble(ExceptionDispatchInfo Broken)
{
    public bool IsTold { get; set; }
}

/// <summary>
/// Stands behind the authentication. Tells once that the database did not answer (the page of that error is shown to nobody in particular), and ends an open line of events when its session ends.
/// </summary>
public sealed class SessionWatch(RequestDelegate next, TimeProvider clock)
{
    /// <summary>An open line outlives its session by this at most.</summary>
    public static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);

    /// <summary>Passes the request on.</summary>
    public async Task InvokeAsync(HttpContext context, CheckSession check)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(check);
        if (context.Features.Get<SessionTrouble>() is { IsTold: false } trouble)
        {
            trouble.IsTold = true;
            trouble.Broken.Throw();
        }

        if (context.User.SessionId() is not { } session || context.Request.Path.Value?.EndsWith("/events", StringComparison.Ordinal) != true)
        {
            await next(context);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var watching = WatchAsync(session, context, check, over.Token);
        try
        {
            await next(context);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }
    }

    private async Task WatchAsync(Guid session, HttpContext context, CheckSession check, CancellationToken ct)
    {
        var user = context.User.Id();
        try
        {
            using var timer = new PeriodicTimer(AskEvery, clock);
            while (await timer.WaitForNextTickAsync(ct))
            {
                if (await check.IsOpenAsync(session, user, isUse: false, ct))
                    continue;
                context.Abort();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // the line ended before its session
        }
        catch (DbException)
        {
            context.Abort(); // the page asks again, and is answered as everything is while the database is away
        }
    }
}
