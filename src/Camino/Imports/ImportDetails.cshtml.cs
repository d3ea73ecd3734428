using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Imports;

/// <summary>One import in whatever state it is: progress, dry-run report, result, reason of failure.</summary>
[Authorize(Permissions.ImportsRead)]
public sealed class ImportDetailsPage(ShowImport show, LoadImport load, CancelImport cancel, IStringLocalizer<Texts> texts) : PageModel
{
    private ImportView? _import;

    /// <summary>The import; set before the page is shown.</summary>
    public ImportView Import => _import ?? throw new InvalidOperationException("The import was not read.");

    /// <summary>Rows with the outcome that is looked at.</summary>
    public IReadOnlyList<ImportRowLine> Rows { get; private set; } = [];

    /// <summary>The outcome whose rows are shown.</summary>
    public RowOutcome Outcome { get; private set; }

    /// <summary>The line after which the rows begin; 0 on the first page.</summary>
    public long AfterLine { get; private set; }

    /// <summary>The last line shown, where more rows follow.</summary>
    public long? NextLine { get; private set; }

    /// <summary>Why the last act was refused.</summary>
    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, string? rows, long after, CancellationToken ct) => ShowAsync(id, rows, after, ct);

    [Needs(Permissions.ImportsWrite)]
    public Task<IActionResult> OnPostLoadAsync(Guid id, CancellationToken ct) => ActAsync(id, () => load.RunAsync(id, User.Id(), ct), ct);

    [Needs(Permissions.ImportsWrite)]
    public Task<IActionResult> OnPostCancelAsync(Guid id, CancellationToken ct) => ActAsync(id, () => cancel.RunAsync(id, User.Id(), ct), ct);

    private async Task<IActionResult> ActAsync(Guid id, Func<Task<Import>> act, CancellationToken ct)
    {
        try
        {
            await act();
            return LocalRedirect($"/imports/{id}");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
            return await ShowAsync(id, null, 0, ct);
        }
    }

    private async Task<IActionResult> ShowAsync(Guid id, string? rows, long after, CancellationToken ct)
    {
        _import = await show.RunAsync(id, ct);
        if (_import is null)
            return NotFound();

        if (_import.Figures is { } figures && !_import.IsMoving)
        {
            Outcome = rows switch
            {
                "rejected" => RowOutcome.Rejected,
                "corrected" => RowOutcome.Corrected,
                _ => figures is { Rejected: 0, Corrected: > 0 } ? RowOutcome.Corrected : RowOutcome.Rejected,
            };
            AfterLine = Math.Max(0, after);
            var found = await show.RowsAsync(id, _import.IsDryRun, Outcome, AfterLine, ct);
            Rows = [.. found.Take(ShowImport.PageSize)];
            NextLine = found.Count > ShowImport.PageSize ? Rows[^1].Line : null;
        }

        return Page();
    }
}
