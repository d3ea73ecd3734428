using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Applications;

/// <summary>One offer as it was made: schedule, figures, where it stands.</summary>
[Authorize(Permissions.ApplicationsRead)]
public sealed class OfferDetailsPage(ShowOffers show, ShowApplication applications) : PageModel
{
    private OfferView? _offer;
    private ApplicationView? _application;

    public OfferView Offer => _offer ?? throw new InvalidOperationException("The offer was not read.");

    public ApplicationView Application => _application ?? throw new InvalidOperationException("The application was not read.");

    public async Task<IActionResult> OnGetAsync(Guid id, int number, CancellationToken ct)
    {
        _offer = await show.OneAsync(id, number, ct);
        _application = _offer is null ? null : await applications.RunAsync(id, ct);
        return _application is null ? NotFound() : Page();
    }
}
