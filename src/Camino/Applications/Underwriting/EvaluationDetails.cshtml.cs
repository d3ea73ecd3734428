using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Applications.Underwriting;

/// <summary>One evaluation as it was made, such as the one that a decision rests on.</summary>
[Authorize(Permissions.UnderwritingRead)]
public sealed class EvaluationDetailsPage(ShowApplication show, ShowEvaluation evaluations) : PageModel
{
    private ApplicationView? _view;
    private EvaluationView? _evaluation;

    public ApplicationView View => _view ?? throw new InvalidOperationException("The application was not read.");

    public EvaluationView Evaluation => _evaluation ?? throw new InvalidOperationException("The evaluation was not read.");

    public async Task<IActionResult> OnGetAsync(Guid id, int number, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        _evaluation = _view is null ? null : await evaluations.OneAsync(id, number, ct);
        return _evaluation is null ? NotFound() : Page();
    }
}
