using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Imports;

/// <summary>Where files are handed in, and all that were.</summary>
[Authorize(Permissions.ImportsRead)]
public sealed class ImportListPage(ListImports list) : PageModel
{
    public IReadOnlyList<ImportLine> Lines { get; private set; } = [];

    public Guid? After { get; private set; }

    public Guid? Next { get; private set; }

    public async Task OnGetAsync(Guid? after, CancellationToken ct)
    {
        var lines = await list.RunAsync(after, ct);
        After = after;
        Lines = [.. lines.Take(ListImports.PageSize)];
        Next = lines.Count > ListImports.PageSize ? Lines[^1].Id : null;
    }
}
