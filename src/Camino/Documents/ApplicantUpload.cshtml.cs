using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Documents;

/// <summary>Where the link of a request leads: an applicant, who has no account, hands documents in, in the language of the application. The page tells nothing of the application but its number.</summary>
[AllowAnonymous]
public sealed class ApplicantUploadPage(ReceiveFromApplicant receive, DocumentOptions options, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Token { get; set; }

    /// <summary>The language of the link.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Lang { get; set; }

    /// <summary>What the link opens; null for one that does not work.</summary>
    public OpenRequest? Opened { get; private set; }

    /// <summary>What the applicant chose.</summary>
    public string? Kind { get; private set; }

    /// <summary>A file was kept just now.</summary>
    public bool IsKept { get; private set; }

    public string? Problem { get; private set; }

    public long MaxBytes => options.MaxBytes;

    /// <summary>Made with the form: pressed twice, one file is kept.</summary>
    public string Key { get; private set; } = Guid.CreateVersion7().ToString("N");

    public Task OnGetAsync(bool kept, CancellationToken ct)
    {
        IsKept = kept;
        return LookAsync(ct);
    }

    public async Task<IActionResult> OnPostAsync(string? kind, IFormFile? file, string? key, CancellationToken ct)
    {
        Kind = kind;
        try
        {
            Refuse.If(file is null, "document.no_file", "No file was sent; the form needs a part named file.");
            await using var content = file.OpenReadStream();
            await receive.RunAsync(Token, kind, content, file.FileName, key ?? Key, ct);
            return Redirect("/upload" + QueryString.Create([KeyValuePair.Create("token", Token), KeyValuePair.Create("lang", Language.Find(Lang)?.Code), KeyValuePair.Create("kept", (string?)"true")]));
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            await LookAsync(ct);
            Problem ??= texts.Refused(refused);
            return Page();
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        Response.Headers.CacheControl = "no-store";
        try
        {
            Opened = await receive.FindAsync(Token, ct);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }
    }
}
