using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Servicing;

/// <summary>The lender's own loans: searched, filtered, sorted, paged.</summary>
[Authorize(Permissions.BookRead)]
[Filters.KeepsFilters("servicing")]
public sealed class ServicedListPage(ListServicedLoans list, ReadProducts products, CaminoDb db) : PageModel
{
    public ServicedFilter Filter { get; private set; } = new();

    public ListPage<ServicedLine> Loans { get; private set; } = ListPage.Empty<ServicedLine>();

    public IReadOnlyList<string> Products { get; private set; } = [];

    public DateOnly Today { get; private set; }

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = ServicedFilter.FromQuery(Request.Query);
        Loans = await list.RunAsync(Filter, ListCursor.Of(after, before), ct);
        Products = [.. (await products.AllAsync(ct)).Select(product => product.Code)];
        Today = await db.TodayAsync(ct);
    }

    /// <summary>The address that sorts by a column: a second press turns the order round.</summary>
    public string SortLink(ServicedSort sort) => "/servicing" + (Filter with { Sort = sort, Reverse = Filter.Sort == sort && !Filter.Reverse }).ToQuery();

    /// <summary>What a column's heading says about the order.</summary>
    public string? AriaSort(ServicedSort sort) => Filter.Sort != sort ? null : Filter.Descending ? "descending" : "ascending";
}
