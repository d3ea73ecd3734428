using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;

namespace Camino.People;

/// <summary>Signs staff in by e-mail and password. One answer for every refusal: it never tells whether an account exists or is locked.</summary>
[AllowAnonymous]
public sealed class SignInPage(SignInManager<StaffUser> signIn, Passkeys passkeys, PasskeySite site, CompanyProvider provider, SignInLog log, IOptions<PasswordHasherOptions> hasher, IStringLocalizer<Texts> texts) : PageModel
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
    public bool CanUsePasskey => provider.TakesLocal && site.OriginOf(Request) is not null;

    /// <summary>What became of a sign-in at the company's identity provider: a word of <see cref="CompanySignInPage"/>.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Company { get; set; }

    /// <summary>The provider's name; null: there is none.</summary>
    public string? ProviderName => provider.IsThere ? provider.Name : null;

    /// <summary>What is said about it; null: nothing.</summary>
    public string? Said => ProviderName is null ? null : Company switch
    {
        CompanySignInPage.Away => "Company.Away",
        CompanySignInPage.Refused => "Company.Refused",
        CompanySignInPage.Late => "Company.Late",
        CompanySignInPage.Clock => "Company.Clock",
        CompanySignInPage.Denied => "Company.Denied",
        CompanySignInPage.Unknown => "Company.Unknown",
        _ => null,
    };

    /// <summary>The one administrator whose password is still taken wants the form.</summary>
    [BindProperty(SupportsGet = true)]
    public bool Local { get; set; }

    /// <summary>Passwords of everybody are taken.</summary>
    public bool TakesLocal => provider.TakesLocal;

    /// <summary>The provider is away and a password does as well.</summary>
    public bool OffersPassword => provider.TakesLocal && Company == CompanySignInPage.Away;

    /// <summary>The form for e-mail and password is shown.</summary>
    public bool ShowsForm => provider.TakesLocal || (provider.HasWayForOne && Local);

    /// <summary>A link to the form for one administrator is shown.</summary>
    public bool OffersWayForOne => provider.HasWayForOne && !Local;

    public IActionResult OnGet() => User.Identity?.IsAuthenticated == true ? LocalRedirect(Target) : Page();

    public async Task<IActionResult> OnPostAsync()
    {
        if (!provider.TakesLocal && !provider.HasWayForOne)
            return Refused(texts["Company.Only", provider.Name]);
        if (string.IsNullOrWhiteSpace(Email) || string.IsNullOrEmpty(Password))
            return Refused(texts["SignIn.Missing"]);

        var user = await signIn.UserManager.FindByEmailAsync(Email.Trim());
        if (user is null || !await MayUsePasswordAsync(user))
        {
            // as much work as for an account that exists, so that the time tells nothing either
            signIn.UserManager.PasswordHasher.HashPassword(new StaffUser(), Password);
            return Refused(texts["SignIn.Refused"], user?.Id, SignInLog.Unknown);
        }

        try
        {
            var stored = user.PasswordHash;
            var result = await signIn.PasswordSignInAsync(user, Password, isPersistent: false, lockoutOnFailure: true);
            if (result.IsLockedOut || (!result.Succeeded && !result.RequiresTwoFactor && PasswordRules.IsHashedWithLess(stored, hasher.Value.IterationCount)))
                signIn.UserManager.PasswordHasher.HashPassword(new StaffUser(), Password); // as much work as for any other account, or more
            return result.Succeeded ? LocalRedirect(Target)
                : result.RequiresTwoFactor ? RedirectToPage("/People/SignInCode", new { ReturnUrl })
                : Refused(texts["SignIn.Refused"], user.Id, result.IsLockedOut ? SignInLog.Locked : SignInLog.Password);
        }
        catch (RefusedException)
        {
            return Refused(texts["SignIn.Refused"], user.Id, SignInLog.Changed); // disabled, or the password changed, at this very moment
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
                return Refused(texts["Passkeys.Refused"], null, SignInLog.Passkey);
            await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: SignInCodePage.Method);
            return LocalRedirect(Target);
        }
        catch (RefusedException)
        {
            return Refused(texts["Passkeys.Refused"], null, SignInLog.Changed); // disabled, or something of the account changed, at this very moment
        }
    }

    /// <summary>Where passwords are not taken: the one whom the configuration names, as long as that one is an administrator.</summary>
    private async Task<bool> MayUsePasswordAsync(StaffUser user) =>
        provider.TakesLocal || (provider.TakesPasswordOf(user.Email ?? "") && await signIn.UserManager.IsInRoleAsync(user, StaffRoles.Administrator));

    private string Target => Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : "/";

    private PageResult Refused(string problem, Guid? user, string why)
    {
        log.Refused(user, why);
        return Refused(problem);
    }

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
        var isCompany = User.CameByCompany();
        await signIn.SignOutAsync();
        Response.Headers["Clear-Site-Data"] = "\"cache\", \"storage\""; // not the cookies: language and appearance stay
        return LocalRedirect(isCompany ? "/sign-in?Company=" + CompanySignInPage.Left : "/sign-in");
    }
}
