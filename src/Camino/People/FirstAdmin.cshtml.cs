using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>Where the one-time link of the first start leads: the first administrator chooses name, e-mail and password.</summary>
[AllowAnonymous]
public sealed class FirstAdminPage(CreateFirstAdmin create, IStringLocalizer<Texts> texts) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Token { get; set; }

    [BindProperty]
    public string? DisplayName { get; set; }

    [BindProperty]
    public string? Email { get; set; }

    [BindProperty]
    public string? Password { get; set; }

    [BindProperty]
    public string? PasswordAgain { get; set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(DisplayName) || string.IsNullOrWhiteSpace(Email) || string.IsNullOrEmpty(Password))
            return Refused(texts["FirstAdmin.Missing"]);
        if (Password != PasswordAgain)
            return Refused(texts["FirstAdmin.NotTheSame"]);

        try
        {
            await create.RunAsync(Token ?? "", Email.Trim(), DisplayName.Trim(), Password, ct);
            return LocalRedirect("/sign-in");
        }
        catch (RefusedException refused)
        {
            return Refused(texts.Refusal(refused));
        }
    }

    private PageResult Refused(string problem)
    {
        Problem = problem;
        return Page();
    }
}
