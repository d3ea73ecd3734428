using System.Text.Json;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Audit;

/// <summary>Who did what, when and from where; the newest first, a page at a time.</summary>
[Authorize(Permissions.AuditRead)]
public sealed class AuditListPage(ListAudit list) : PageModel
{
    /// <summary>Characters of one detail that the list shows.</summary>
    private const int LongestDetail = 200;

    public AuditFilter Filter { get; private set; } = new();

    public ListPage<AuditLine> Entries { get; private set; } = ListPage.Empty<AuditLine>();

    public IReadOnlyList<string> Subjects { get; private set; } = [];

    public IReadOnlyList<(Guid Id, string Name)> People { get; private set; } = [];

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = AuditFilter.FromQuery(Request.Query);
        Entries = await list.RunAsync(Filter, ListCursor.Of(after, before), ct);
        (Subjects, People) = await list.ChoicesAsync(ct);
    }

    /// <summary>What an entry wrote down, a name and a value each.</summary>
    public static IEnumerable<(string Name, string Value)> Details(AuditLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        if (line.Details.ValueKind != JsonValueKind.Object)
            yield break;
        foreach (var detail in line.Details.EnumerateObject())
        {
            var value = detail.Value.ValueKind == JsonValueKind.String ? detail.Value.GetString() ?? "" : detail.Value.GetRawText();
            yield return (detail.Name, value.Length > LongestDetail ? value[..LongestDetail] + "…" : value);
        }
    }
}
