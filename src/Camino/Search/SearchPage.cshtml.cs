using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Search;

/// <summary>One field for everything. What is looked for comes in the body and stands in no address; the results are the answer to the form.</summary>
[Authorize(Permissions.SearchRead)]
public sealed class SearchPage(SearchEverything search, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>What was looked for.</summary>
    public string? Query { get; private set; }

    /// <summary>Null before anything was looked for.</summary>
    public SearchAnswer? Answer { get; private set; }

    public string? Problem { get; private set; }

    [Needs(Permissions.SearchRead)]
    public async Task OnPostAsync(string? q, CancellationToken ct)
    {
        Query = q;
        try
        {
            Answer = await search.RunAsync(q, User.May, ct);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }
    }

    /// <summary>What is found by what is typed so far; the script shows it below the field.</summary>
    [Needs(Permissions.SearchRead)]
    public async Task<IActionResult> OnPostHitsAsync(string? q, CancellationToken ct)
    {
        try
        {
            return Partial("/Search/SearchHits.cshtml", await search.RunAsync(q, User.May, ct));
        }
        catch (RefusedException)
        {
            return new NoContentResult(); // the form itself says what is wrong
        }
    }

    /// <summary>The state of something that was found, in the reader's language.</summary>
    public static string State(IStringLocalizer<Texts> texts, string kind, string state) => texts[kind switch
    {
        "applications" => "ApplicationState.",
        "servicedLoans" => "Serviced.Status.",
        _ => "LoanStatus.",
    } + char.ToUpperInvariant(state[0]) + state[1..]].Value;
}
