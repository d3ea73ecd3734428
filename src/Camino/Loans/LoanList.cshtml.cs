using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Loans;

/// <summary>The book: searched, filtered, sorted, paged.</summary>
[Authorize(Permissions.LoansRead)]
[Filters.KeepsFilters("loans")]
public sealed class LoanListPage(ListLoans list) : PageModel
{
    public LoanFilter Filter { get; private set; } = new();

    public ListPage<LoanLine> Loans { get; private set; } = ListPage.Empty<LoanLine>();

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = LoanFilter.FromQuery(Request.Query);
        Loans = await list.RunAsync(Filter, ListCursor.Of(after, before), ct);
    }

    /// <summary>The address that sorts by a column: a second press turns the order round.</summary>
    public string SortLink(LoanSort sort) => "/loans" + (Filter with { Sort = sort, Reverse = Filter.Sort == sort && !Filter.Reverse }).ToQuery();

    /// <summary>What a column's heading says about the order.</summary>
    public string? AriaSort(LoanSort sort) => Filter.Sort != sort ? null : Filter.Descending ? "descending" : "ascending";
}
