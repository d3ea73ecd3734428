using Camino.Lending;
using Camino.Resources;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>Signs staff in by e-mail and password. One answer for every refusal: it never tells whether an account exists or is locked.</summary>
[AllowAnonymous]
public sealed class SignInPage(SignInManager<StaffUser> signIn, Passkeys passkeys, PasskeySite site, IStringLocalizer<Texts> texts) : PageModel
{
    [BindProperty]
    public string? Email { get; set; }

    [BindProperty]
    public string? Password { get; set; }

    /// <summary>Where to go afterwards; only paths of this site are followed.</summary>
    [BindProperty(SupportsGet = true)]
    public string? ReturnUrl { get; set; }

    /// <summary>A form was sent after its session had ended, and was not carried out.</summary>
    [BindProperty(SupportsGet = true)]
    public bool Ended { get; set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    /// <summary>False where the address is none that a passkey can belong to.</summary>
    public bool CanUsePasskey => site.OriginOf(Request) is not null;

    public IActionResult OnGet() => User.Identity?.IsAuthenticated == true ? LocalRedirect(Target) : Page();

    public async Task<IActionResult> OnPostAsync()
    {
        if (string.IsNullOrWhiteSpace(Email) || string.IsNullOrEmpty(Password))
            return Refused(texts["SignIn.Missing"]);

        var user = await signIn.UserManager.FindByEmailAsync(Email.Trim());
        if (user is null)
        {
            // as much work as for an account that exists, so that the time tells nothing either
            signIn.UserManager.PasswordHasher.HashPassword(new StaffUser(), Password);
            return Refused(texts["SignIn.Refused"]);
        }

        try
        {
            var result = await signIn.PasswordSignInAsync(user, Password, isPersistent: false, lockoutOnFailure: true);
            return result.Succeeded ? LocalRedirect(Target) : result.RequiresTwoFactor ? RedirectToPage("/People/SignInCode", new { ReturnUrl }) : Refused(texts["SignIn.Refused"]);
        }
        catch (RefusedException)
        {
            return Refused(texts["SignIn.Refused"]); // disabled, or the password changed, at this very moment
        }
    }

    /// <summary>What the browser needs to sign in with a passkey; the page's script asks.</summary>
    public async Task<IActionResult> OnPostPasskeyOptionsAsync(CancellationToken ct) => CanUsePasskey ? HttpContext.Ask(await passkeys.AskAsync(null, HttpContext, ct)) : NotFound();

    /// <summary>Signs in whoever has the passkey: it stands for both factors.</summary>
    public async Task<IActionResult> OnPostPasskeyAsync(string? credential, CancellationToken ct)
    {
        try
        {
            if (!CanUsePasskey || await passkeys.PassAsync(HttpContext.Token(), credential, null, HttpContext, ct) is not { } user)
                return Refused(texts["Passkeys.Refused"]);
            await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: SignInCodePage.Method);
            return LocalRedirect(Target);
        }
        catch (RefusedException)
        {
            return Refused(texts["Passkeys.Refused"]); // disabled, or something of the account changed, at this very moment
        }
    }

    private string Target => Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : "/";

    private PageResult Refused(string problem)
    {
        Problem = problem;
        Password = null;
        return Page();
    }
}

/// <summary>Ends the session.</summary>
[AllowAnonymous]
public sealed class SignOutPage(SignInManager<StaffUser> signIn) : PageModel
{
    /// <summary>Looking at the address does nothing.</summary>
    public IActionResult OnGet() => LocalRedirect("/");

    public async Task<IActionResult> OnPostAsync()
    {
        await signIn.SignOutAsync();
        Response.Headers["Clear-Site-Data"] = "\"cache\", \"storage\""; // not the cookies: language and appearance stay
        return LocalRedirect("/sign-in");
    }
}
