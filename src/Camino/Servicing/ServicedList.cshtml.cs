using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>The lender's own loans: searched, filtered, sorted, paged.</summary>
[Authorize(Permissions.BookRead)]
[Filters.KeepsFilters("servicing")]
public sealed class ServicedListPage(ListServicedLoans list, CaminoDb db) : PageModel
{
    public ServicedFilter Filter { get; private set; } = new();

    public ListPage<ServicedLine> Loans { get; private set; } = ListPage.Empty<ServicedLine>();

    public IReadOnlyList<string> Products { get; private set; } = [];

    public DateOnly Today { get; private set; }

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = ServicedFilter.FromQuery(Request.Query);
        Loans = await list.RunAsync(Filter, ListCursor.Of(after, before), ct);
        (Today, Products) = await ReadFrameAsync(ct);
    }

    private sealed record Frame(DateOnly Today, string[] Codes);

    /// <summary>The business date and the codes to choose from, in one question.</summary>
    private async Task<(DateOnly Today, IReadOnlyList<string> Codes)> ReadFrameAsync(CancellationToken ct)
    {
        var frame = await db.Database.SqlQuery<Frame>($"select today as \"Today\", array(select p.code from camino.products p order by p.code) as \"Codes\" from camino.business_day").SingleAsync(ct);
        return (frame.Today, frame.Codes);
    }

    /// <summary>The address that sorts by a column: a second press turns the order round.</summary>
    public string SortLink(ServicedSort sort) => "/servicing" + (Filter with { Sort = sort, Reverse = Filter.Sort == sort && !Filter.Reverse }).ToQuery();

    /// <summary>What a column's heading says about the order.</summary>
    public string? AriaSort(ServicedSort sort) => Filter.Sort != sort ? null : Filter.Descending ? "descending" : "ascending";
}
