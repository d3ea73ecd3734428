using Camino.Applications.Statements;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Applications;

/// <summary>The lines of all bank statements of an application, the newest first, with what each counts as.</summary>
[Authorize(Permissions.ApplicationsRead)]
public sealed class StatementLinesPage(ShowStatements show, ShowApplication applications) : PageModel
{
    private ApplicationTask? _application;

    public ApplicationTask Application => _application ?? throw new InvalidOperationException("The application was not read.");

    public LineFilter Filter { get; private set; } = new(Guid.Empty, null);

    public ListPage<StatementLineView> Lines { get; private set; } = ListPage.Empty<StatementLineView>();

    public async Task<IActionResult> OnGetAsync(Guid id, string? after, string? before, CancellationToken ct)
    {
        _application = await applications.TaskAsync(id, ct);
        if (_application is null)
            return NotFound();
        Filter = new LineFilter(id, new ListAddress(Request.Query).Name<LineKind>("kind"));
        Lines = await show.LinesAsync(Filter, ListCursor.Of(after, before), ct);
        return Page();
    }
}
