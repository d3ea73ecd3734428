using Camino.Lending;
using Camino.Resources;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>The second step of the sign-in: a code of the app, or a recovery code. Open for five minutes to whoever knew the password.</summary>
[AllowAnonymous]
public sealed class SignInCodePage(SignInManager<StaffUser> signIn, SecondFactors factors, Passkeys passkeys, PasskeySite site, SignInLog log, TimeProvider clock, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>How the claims of a session say that a second factor was asked.</summary>
    internal const string Method = "mfa";

    [BindProperty]
    public string? Code { get; set; }

    /// <summary>Where to go afterwards; only paths of this site are followed.</summary>
    [BindProperty(SupportsGet = true)]
    public string? ReturnUrl { get; set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whoever gave the password has a passkey too.</summary>
    public bool CanUsePasskey { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await signIn.GetTwoFactorAuthenticationUserAsync() is not { } user)
            return LocalRedirect("/sign-in");
        return await ShowAsync(user, ct);
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await signIn.GetTwoFactorAuthenticationUserAsync() is not { } user)
            return LocalRedirect("/sign-in");
        try
        {
            if (await factors.PassAsync(user.Id, Code, ct))
                return await PassedAsync(user);
        }
        catch (RefusedException)
        {
            return LocalRedirect("/sign-in"); // disabled, or the password changed, at this very moment
        }

        log.Refused(user.Id, SignInLog.Code);
        Code = null;
        Problem = texts["SignInCode.Refused"];
        return await ShowAsync(user, ct);
    }

    /// <summary>What the browser needs to use a passkey of whoever gave the password; the page's script asks.</summary>
    public async Task<IActionResult> OnPostPasskeyOptionsAsync(CancellationToken ct) =>
        site.OriginOf(Request) is not null && await signIn.GetTwoFactorAuthenticationUserAsync() is { } user ? HttpContext.Ask(await passkeys.AskAsync(user, HttpContext, ct)) : NotFound();

    public async Task<IActionResult> OnPostPasskeyAsync(string? credential, CancellationToken ct)
    {
        if (site.OriginOf(Request) is null || await signIn.GetTwoFactorAuthenticationUserAsync() is not { } user)
            return LocalRedirect("/sign-in");
        try
        {
            if (await passkeys.PassAsync(HttpContext.Token(), credential, user.Id, HttpContext, ct) is not null)
                return await PassedAsync(user);
        }
        catch (RefusedException)
        {
            return LocalRedirect("/sign-in"); // disabled, or the password changed, at this very moment
        }

        log.Refused(user.Id, SignInLog.Passkey);
        Problem = texts["Passkeys.Refused"];
        return await ShowAsync(user, ct);
    }

    private async Task<IActionResult> PassedAsync(StaffUser user)
    {
        var step = await HttpContext.AuthenticateAsync(IdentityConstants.TwoFactorUserIdScheme);
        await HttpContext.SignOutAsync(IdentityConstants.TwoFactorUserIdScheme);
        if (CompanyVouched.KeptIn(step.Principal, hasSecondFactor: true) is { } vouched)
            HttpContext.Features.Set(vouched with { SignedAt = clock.GetUtcNow() }); // the own factor was given just now
        await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: Method);
        return LocalRedirect(Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : "/");
    }

    private async Task<IActionResult> ShowAsync(StaffUser user, CancellationToken ct)
    {
        CanUsePasskey = site.OriginOf(Request) is not null && (await passkeys.ListAsync(user.Id, ct)).Count > 0;
        return Page();
    }
}
