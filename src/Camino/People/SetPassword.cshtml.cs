using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>Where the one-time link leads: its owner chooses a password and signs in with it.</summary>
[AllowAnonymous]
public sealed class SetPasswordPage(ChoosePassword choose, IStringLocalizer<Texts> texts) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Token { get; set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    /// <summary>The link as it is handed over.</summary>
    public static string LinkOf(HttpRequest request, string token)
    {
        ArgumentNullException.ThrowIfNull(request);
        return $"{request.Scheme}://{request.Host}/set-password?token={token}";
    }

    public async Task<IActionResult> OnPostAsync(string? password, string? passwordAgain, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(password) || password != passwordAgain)
        {
            Problem = texts["FirstAdmin.NotTheSame"];
            return Page();
        }

        try
        {
            await choose.ByLinkAsync(Token, password, ct);
            return LocalRedirect("/sign-in");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
            return Page();
        }
    }
}

/// <summary>The reader changes the own password; every session ends, and the reader signs in with the new one.</summary>
[Authorize(Permissions.Own)]
public sealed class OwnPasswordPage(ChoosePassword choose, IStringLocalizer<Texts> texts) : PageModel
{
    public string? Problem { get; private set; }

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostAsync(string? present, string? password, string? passwordAgain, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(password) || password != passwordAgain)
        {
            Problem = texts["FirstAdmin.NotTheSame"];
            return Page();
        }

        try
        {
            await choose.ByPasswordAsync(User.Id(), present, password, ct);
            return LocalRedirect("/sign-in");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
            return Page();
        }
    }
}
