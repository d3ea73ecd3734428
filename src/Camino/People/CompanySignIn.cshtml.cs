using System.Security.Claims;
using Camino.Lending;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Camino.People;

/// <summary>Leads to the company's identity provider and back. What goes wrong there leads to the sign-in page with a word about it; reasons stand in the log, without who it was.</summary>
[AllowAnonymous]
public sealed partial class CompanySignInPage(CompanyProvider provider, FindCompanyUser find, SignInManager<StaffUser> signIn, IOptionsMonitor<OpenIdConnectOptions> options, TimeProvider clock, ILogger<CompanySignInPage> log) : PageModel
{
    /// <summary>What the sign-in page is told where the provider cannot be reached.</summary>
    public const string Away = "away";

    /// <summary>What it is told where the answer was not right in every part.</summary>
    public const string Refused = "refused";

    /// <summary>What it is told where the answer came too late, twice or into another browser.</summary>
    public const string Late = "late";

    /// <summary>What it is told where the provider's clock and ours differ too much.</summary>
    public const string Clock = "clock";

    /// <summary>What it is told where the provider let the person go no further, or the person turned back.</summary>
    public const string Denied = "denied";

    /// <summary>What it is told where the provider vouched for somebody who may not come in here.</summary>
    public const string Unknown = "unknown";

    /// <summary>What it is told after a sign-out of whoever came by the provider.</summary>
    public const string Left = "left";

    /// <summary>Where to go afterwards; only paths of this site are followed.</summary>
    [BindProperty(SupportsGet = true)]
    public string? ReturnUrl { get; set; }

    /// <summary>The provider is told to ask who it is, whatever session it has.</summary>
    [BindProperty(SupportsGet = true)]
    public bool Anew { get; set; }

    private string Target => Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : "/";

    /// <summary>To the provider.</summary>
    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!provider.IsThere)
            return NotFound();
        if (await SaidOfItselfAsync(ct) is null)
            return ToSignIn(Away);
        var asked = new OpenIdConnectChallengeProperties { RedirectUri = "/sign-in/company" + QueryString(("handler", "Done"), ("ReturnUrl", Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : null)) };
        if (Anew)
            (asked.Prompt, asked.MaxAge) = (OpenIdConnectPrompt.Login, TimeSpan.Zero);
        return Challenge(asked, CompanyProvider.Scheme);
    }

    /// <summary>Back from it, with an ID token that was checked.</summary>
    public async Task<IActionResult> OnGetDoneAsync(CancellationToken ct)
    {
        if (!provider.IsThere)
            return NotFound();
        var said = await HttpContext.AuthenticateAsync(IdentityConstants.ExternalScheme);
        await HttpContext.SignOutAsync(IdentityConstants.ExternalScheme);
        if (said.Principal is null)
            return ToSignIn(Late);
        if (await find.RunAsync(said.Principal, ct) is not { } user)
        {
            LogUnknown(log);
            return ToSignIn(Unknown);
        }

        var counts = provider.SecondFactorCounts(said.Principal);
        var vouched = CompanyVouched.Of(said.Principal, counts, clock.GetUtcNow());
        if (user.TwoFactorEnabled && !counts)
        {
            await AskForCodeAsync(user, vouched);
            return RedirectToPage("/People/SignInCode", new { ReturnUrl });
        }

        try
        {
            HttpContext.Features.Set(vouched);
            await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: counts ? SignInCodePage.Method : null);
            return LocalRedirect(Target);
        }
        catch (RefusedException)
        {
            return ToSignIn(Unknown); // disabled, or something of the account changed, at this very moment
        }
    }

    /// <summary>Out of the provider too, where it says how.</summary>
    public async Task<IActionResult> OnGetSignOutAsync(CancellationToken ct)
    {
        if (!provider.IsThere)
            return NotFound();
        if (await SaidOfItselfAsync(ct) is not { EndSessionEndpoint: { Length: > 0 } end })
            return LocalRedirect("/sign-in");
        var back = UriHelper.BuildAbsolute(Request.Scheme, Request.Host, Request.PathBase, "/sign-in");
        return Redirect(end + (end.Contains('?', StringComparison.Ordinal) ? "&" : "?") + QueryString(("client_id", options.Get(CompanyProvider.Scheme).ClientId), ("post_logout_redirect_uri", back))[1..]);
    }

    /// <summary>The step between the first factor, which was the provider's, and the own second one; it lasts as long as that after a password.</summary>
    private Task AskForCodeAsync(StaffUser user, CompanyVouched vouched) =>
        HttpContext.SignInAsync(IdentityConstants.TwoFactorUserIdScheme, new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, user.Id.ToString()), .. vouched.Claims()], IdentityConstants.TwoFactorUserIdScheme)));

    /// <summary>The provider's description of itself, from the memory of this process for as long as that is fresh; null: it cannot be had, or is that of another issuer.</summary>
    private async Task<OpenIdConnectConfiguration?> SaidOfItselfAsync(CancellationToken ct)
    {
        try
        {
            var said = options.Get(CompanyProvider.Scheme).ConfigurationManager is { } manager ? await manager.GetConfigurationAsync(ct) : null;
            if (said?.Issuer?.TrimEnd('/') == provider.Authority?.TrimEnd('/'))
                return said;
            LogAnotherIssuer(log);
            return null;
        }
        catch (Exception broken) when (broken is InvalidOperationException or IOException or HttpRequestException || (broken is OperationCanceledException && !ct.IsCancellationRequested))
        {
            LogAway(log, broken.GetType().Name);
            return null;
        }
    }

    private LocalRedirectResult ToSignIn(string what) => LocalRedirect(SignInAddress(what, Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : null));

    /// <summary>The sign-in page with a word about what became of it.</summary>
    public static string SignInAddress(string what, string? returnUrl) => "/sign-in" + QueryString(("Company", what), ("ReturnUrl", returnUrl));

    private static string QueryString(params (string Name, string? Value)[] values) => new QueryBuilder(values.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value ?? ""))).ToQueryString().Value ?? "";

    [LoggerMessage(160, LogLevel.Warning, "The company's identity provider could not be reached ({Trouble}); people sign in by password meanwhile, where that is allowed")]
    private static partial void LogAway(ILogger log, string trouble);

    [LoggerMessage(161, LogLevel.Error, "The description at SignIn:Provider:Authority names another issuer; nobody is led there")]
    private static partial void LogAnotherIssuer(ILogger log);

    [LoggerMessage(162, LogLevel.Information, "The company's identity provider vouched for somebody who may not come in")]
    private static partial void LogUnknown(ILogger log);
}
