using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Screening;

/// <summary>What one screening found and why, and the decision of two people on each hit.</summary>
[Authorize(Permissions.ScreeningRead)]
public sealed class ScreeningDetailsPage(ReadScreenings read, ReviewHit review, IStringLocalizer<Texts> texts) : PageModel
{
    private ScreeningView? _screening;

    public ScreeningView Screening => _screening ?? throw new InvalidOperationException("The screening was not read.");

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => ShowAsync(id, ct);

    [Needs(Permissions.ScreeningReview)]
    public Task<IActionResult> OnPostClearAsync(Guid id, Guid hit, string? reason, CancellationToken ct) => DoAsync(id, () => review.ProposeAsync(hit, isMatch: false, reason, User.Id(), ct), ct);

    [Needs(Permissions.ScreeningReview)]
    public Task<IActionResult> OnPostConfirmAsync(Guid id, Guid hit, string? reason, CancellationToken ct) => DoAsync(id, () => review.ProposeAsync(hit, isMatch: true, reason, User.Id(), ct), ct);

    [Needs(Permissions.ScreeningReview)]
    public Task<IActionResult> OnPostAgreeAsync(Guid id, Guid hit, CancellationToken ct) => DoAsync(id, () => review.AgreeAsync(hit, User.Id(), ct), ct);

    [Needs(Permissions.ScreeningReview)]
    public Task<IActionResult> OnPostDisagreeAsync(Guid id, Guid hit, string? reason, CancellationToken ct) => DoAsync(id, () => review.DisagreeAsync(hit, reason, User.Id(), ct), ct);

    private async Task<IActionResult> DoAsync(Guid id, Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
            return RedirectToPage(new { id });
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
            return await ShowAsync(id, ct);
        }
    }

    private async Task<IActionResult> ShowAsync(Guid id, CancellationToken ct)
    {
        try
        {
            _screening = await read.OneAsync(id, ct);
            return Page();
        }
        catch (RefusedException refused) when (refused.Code == "screening.not_found")
        {
            return NotFound();
        }
    }
}
