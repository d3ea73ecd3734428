using Camino.Imports;
using Camino.Portfolio;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Web;

/// <summary>What waits for a person, what came in last, and how large the book is.</summary>
[Authorize(Permissions.Own)]
public sealed class HomePage(ListImports imports, ReadPortfolio portfolio) : PageModel
{
    private const int NewestShown = 5;

    public IReadOnlyList<ImportLine> Waiting { get; private set; } = [];

    public IReadOnlyList<ImportLine> Newest { get; private set; } = [];

    public (Figure Total, DateTimeOffset AsOf)? Book { get; private set; }

    public async Task OnGetAsync(CancellationToken ct)
    {
        var lines = await imports.ForHomeAsync(ct);
        Waiting = [.. lines.Where(line => line.WaitsForPerson)];
        Newest = [.. lines.Take(NewestShown)];
        Book = await portfolio.TotalAsync(ct);
    }
}
