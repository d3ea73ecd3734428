using System.Diagnostics;
using Camino.Resources;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Web;

/// <summary>Says in words that something could not be shown or done, and what to do next; never how the program looks inside.</summary>
[AllowAnonymous]
[IgnoreAntiforgeryToken]
public sealed class ProblemPage(IStringLocalizer<Texts> texts) : PageModel
{
    private static readonly int[] Known = [400, 403, 404, 413, 429, 500, 503];

    public int Code { get; private set; }

    public string Title => texts["Problem.Title." + Key];

    public string Advice => texts["Problem.Advice." + Key];

    /// <summary>For server errors: the id under which the log tells the whole story.</summary>
    public string? TraceId { get; private set; }

    private string Key => Known.Contains(Code) ? Code.ToString(System.Globalization.CultureInfo.InvariantCulture) : Code >= 500 ? "500" : "400";

    public void OnGet(int code) => Say(code);

    public void OnPost(int code) => Say(code);

    private void Say(int code)
    {
        Code = code is >= 400 and <= 599 ? code : 404;
        Response.StatusCode = Code;
        if (Code >= 500)
            TraceId = Activity.Current?.TraceId.ToHexString() ?? HttpContext.TraceIdentifier;
    }
}
