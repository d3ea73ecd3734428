using System.Globalization;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Applications;

/// <summary>A new offer as a form: product, amount, rate, term; then what it comes to; then made.</summary>
[Authorize(Permissions.ApplicationsDecide)]
public sealed class OfferNewPage(MakeOffer make, ShowApplication show, ReadProducts products, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private ApplicationView? _view;

    public ApplicationView View => _view ?? throw new InvalidOperationException("The application was not read.");

    public IReadOnlyList<(string Code, string Name, ProductOffer Offer)> Offered { get; private set; } = [];

    public OfferInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, one offer is made.</summary>
    public string Key { get; private set; } = "";

    /// <summary>The application's version when the form was opened.</summary>
    public int Version { get; private set; }

    public OfferDraft? Draft { get; private set; }

    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct)
    {
        if (!await LookAsync(id, ct))
            return NotFound();
        (Key, Version) = (Guid.CreateVersion7().ToString("N"), View.Task.Version);
        Input = new OfferInput { Principal = Show.Plain(View.Amount), DisburseOn = (await db.TodayAsync(ct)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) };
        return Page();
    }

    [Needs(Permissions.ApplicationsDecide)]
    public async Task<IActionResult> OnPostPreviewAsync(Guid id, OfferInput input, string? key, int? version, CancellationToken ct)
    {
        if (!await LookAsync(id, ct))
            return NotFound();
        await TryAsync(id, input, key, version, ct);
        return Page();
    }

    [Needs(Permissions.ApplicationsDecide)]
    public async Task<IActionResult> OnPostConfirmAsync(Guid id, OfferInput input, string? key, int? version, CancellationToken ct)
    {
        if (key is null || version is null)
            return await OnPostPreviewAsync(id, input, key, version, ct);
        try
        {
            var outcome = await make.RunAsync(id, input, new AskedBy(User.Id(), key, version), ct);
            return Redirect(outcome.Asked is { } asked ? $"/applications/{id}?asked={asked.ApprovalId}" : $"/applications/{id}#offers-head");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            if (!await LookAsync(id, ct))
                return NotFound();
            // what has changed is shown with it, so that the next confirmation is of what is shown
            await TryAsync(id, input with { ProductVersion = null }, key, refused.Code == "application.version" ? View.Task.Version : version, ct);
            Problem = texts.Refused(refused);
            return Page();
        }
    }

    private async Task<bool> LookAsync(Guid id, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        Offered = await products.OfferedAsync(ct);
        return _view is not null;
    }

    private async Task TryAsync(Guid id, OfferInput input, string? key, int? version, CancellationToken ct)
    {
        (Input, Key, Version) = (input, key ?? Guid.CreateVersion7().ToString("N"), version ?? View.Task.Version);
        try
        {
            Draft = await make.TryAsync(id, input, User.Id(), ct);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }
    }
}
