using System.Globalization;
using Camino.Applications.Papers;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Localization;
using Microsoft.Net.Http.Headers;

namespace Camino.Applications.Acceptance;

/// <summary>Where the link of an offer leads: an applicant, who has no account, reads the offer in the language of the application, signs and accepts it.</summary>
[AllowAnonymous]
public sealed class OfferLinkPage(OpenOffer open, SignOffer sign, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Token { get; set; }

    /// <summary>The language of the link.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Lang { get; set; }

    /// <summary>What the link opens; null for one that does not work.</summary>
    public OpenedOffer? Opened { get; private set; }

    public string? Name { get; private set; }

    public bool HasConsented { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>In which the page is written, and the documents that it shows.</summary>
    public string Language { get; } = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;

    /// <summary>A document is being made, so that the page looks again by itself.</summary>
    public bool IsWaiting => Opened is { } opened && Problem is null && opened.Paper(opened.AcceptedAt is null ? PaperKind.Offer : PaperKind.Contract, Language) is null;

    public string ConsentText => Opened is { } opened ? SignOffer.ConsentText(SignOffer.Consent, Language, opened.Lender, opened.Offer, opened.Applicant) : "";

    public Task OnGetAsync(CancellationToken ct) => LookAsync(ct);

    public async Task<IActionResult> OnPostAsync(string? name, bool consent, string? sha256, CancellationToken ct)
    {
        (Name, HasConsented) = (name, consent);
        try
        {
            await sign.RunAsync(Token, new SignatureInput(name, consent, Language, sha256, HttpContext.Connection.RemoteIpAddress?.ToString(), Request.Headers.UserAgent.ToString()), ct);
            return Redirect("/offer" + QueryString.Create([KeyValuePair.Create("token", Token), KeyValuePair.Create("lang", (string?)Language)]));
        }
        catch (RefusedException refused)
        {
            db.Forget();
            Problem = texts.Refused(refused);
            await LookAsync(ct);
            return Page();
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        Response.Headers.CacheControl = "no-store";
        try
        {
            Opened = await open.RunAsync(Token, ct);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }
    }
}

/// <summary>The documents that the link of an offer shows.</summary>
public static class OfferLinkFiles
{
    /// <summary>Adds the address; whoever has the link may read them.</summary>
    public static void MapOfferLinkFiles(this IEndpointRouteBuilder pages) => pages.MapGet("/offer/document", SendAsync).AllowAnonymous();

    private static async Task<IResult> SendAsync(string? token, string? kind, string? lang, HttpContext context, OpenOffer open, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            var (paper, content) = await open.FileAsync(token, kind == "contract" ? PaperKind.Contract : PaperKind.Offer, Web.Language.Find(lang)?.Code ?? Web.Language.English.Code, ct);
            var disposition = new ContentDispositionHeaderValue("inline");
            disposition.SetHttpFileName(paper.FileName);
            context.Response.Headers.ContentDisposition = disposition.ToString();
            context.Response.ContentLength = paper.Bytes;
            return Results.Stream(content, "application/pdf");
        }
        catch (RefusedException)
        {
            return Results.Redirect("/offer" + QueryString.Create([KeyValuePair.Create("token", token), KeyValuePair.Create("lang", lang)])); // which says why in words
        }
    }
}
