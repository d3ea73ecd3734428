using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Borrowers;

/// <summary>Everybody who owes or owed: by name or by time, a page at a time.</summary>
[Authorize(Permissions.BorrowersRead)]
[Filters.KeepsFilters("borrowers")]
public sealed class BorrowerListPage(ListBorrowers list, FindBorrowers find, IStringLocalizer<Texts> texts) : PageModel
{
    public BorrowerFilter Filter { get; private set; } = new();

    public ListPage<BorrowerLine> Borrowers { get; private set; } = ListPage.Empty<BorrowerLine>();

    /// <summary>The list shows what a number found.</summary>
    public bool IsFound { get; private set; }

    public string? Problem { get; private set; }

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = BorrowerFilter.FromQuery(Request.Query);
        Borrowers = await list.RunAsync(Filter, ListCursor.Of(after, before), ct);
    }

    [Needs(Permissions.BorrowersRead)]
    public async Task<IActionResult> OnPostFindAsync(FindInput input, CancellationToken ct)
    {
        try
        {
            var found = await find.RunAsync(input, ct);
            if (found.Count == 1)
                return Redirect($"/borrowers/{found[0].Id}");
            IsFound = true;
            Borrowers = new ListPage<BorrowerLine>(found, found.Count, null, null);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
            Borrowers = await list.RunAsync(Filter, null, ct);
        }

        return Page();
    }

    /// <summary>The address that sorts by a column: a second press turns the order round.</summary>
    public string SortLink(BorrowerSort sort) => "/borrowers" + (Filter with { Sort = sort, Reverse = Filter.Sort == sort && !Filter.Reverse }).ToQuery();

    /// <summary>What a column's heading says about the order.</summary>
    public string? AriaSort(BorrowerSort sort) => Filter.Sort != sort ? null : Filter.Descending ? "descending" : "ascending";
}
