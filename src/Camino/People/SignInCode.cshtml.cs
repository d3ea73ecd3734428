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
public sealed class SignInCodePage(SignInManager<StaffUser> signIn, SecondFactors factors, IStringLocalizer<Texts> texts) : PageModel
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

    public async Task<IActionResult> OnGetAsync() => await signIn.GetTwoFactorAuthenticationUserAsync() is null ? LocalRedirect("/sign-in") : Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await signIn.GetTwoFactorAuthenticationUserAsync() is not { } user)
            return LocalRedirect("/sign-in");
        try
        {
            if (await factors.PassAsync(user.Id, Code, ct))
            {
                await HttpContext.SignOutAsync(IdentityConstants.TwoFactorUserIdScheme);
                await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: Method);
                return LocalRedirect(Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : "/");
            }
        }
        catch (RefusedException)
        {
            return LocalRedirect("/sign-in"); // disabled, or the password changed, at this very moment
        }

        Code = null;
        Problem = texts["SignInCode.Refused"];
        return Page();
    }
}
