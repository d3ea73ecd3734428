using Camino.Applications.Acceptance;
using Camino.Applications.Messages;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Applications;

/// <summary>One offer as it was made: schedule, figures, where it stands, and the link by which the applicant accepts it.</summary>
[Authorize(Permissions.ApplicationsRead)]
public sealed class OfferDetailsPage(ShowOffers show, ShowApplication applications, LinkOffer links, AskSignature signatures, WriteApplicant write, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private OfferView? _offer;
    private ApplicationView? _application;

    public OfferView Offer => _offer ?? throw new InvalidOperationException("The offer was not read.");

    public ApplicationView Application => _application ?? throw new InvalidOperationException("The application was not read.");

    /// <summary>The newest link; null: none was made.</summary>
    public OfferLinkLine? Link { get; private set; }

    /// <summary>The newest envelope of the signature service; null: none was made.</summary>
    public EnvelopeLine? Envelope { get; private set; }

    /// <summary>The address of a link that was made just now, shown once.</summary>
    public string? Address { get; private set; }

    /// <summary>A link was made just now and is on its way.</summary>
    public bool IsSending { get; private set; }

    /// <summary>Made with the page's forms: pressed twice, one message is sent.</summary>
    public string Key { get; } = Guid.CreateVersion7().ToString("N");

    public string? Problem { get; private set; }

    /// <summary>Whether the reader may hand out a link now.</summary>
    public bool MayLink => Application.State == ApplicationState.Offered && Offer.Line.State == OfferState.Open && User.May(Permissions.ApplicationsChange);

    public Task<IActionResult> OnGetAsync(Guid id, int number, CancellationToken ct) => LookAsync(id, number, ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostLinkAsync(Guid id, int number, CancellationToken ct) => DoAsync(id, number, async () =>
    {
        var made = await links.RunAsync(id, number, User.Id(), ct);
        Address = $"{Request.Scheme}://{Request.Host}{made.Path}";
        Response.Headers.CacheControl = "no-store";
    }, ct);

    /// <summary>Makes a link and sends it; nobody of the house sees it.</summary>
    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostSendAsync(Guid id, int number, MessageChannel channel, string? key, CancellationToken ct) => DoAsync(id, number, async () =>
    {
        var by = new AskedBy(User.Id(), key ?? Guid.CreateVersion7().ToString("N"));
        var offer = await show.OneAsync(id, number, ct) ?? throw new RefusedException("offer.not_found", $"This application has no offer {number}.");
        var made = await links.RunAsync(id, number, User.Id(), ct);
        await write.RunAsync(id, new MessageInput(MessageKind.Offer, channel, number, $"{Request.Scheme}://{Request.Host}{made.Path}", offer.Line.ExpiresOn), by, ct);
        IsSending = true;
    }, ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostSignatureAsync(Guid id, int number, string? key, CancellationToken ct) => DoAsync(id, number, () => signatures.RunAsync(id, number, new AskedBy(User.Id(), key ?? Guid.CreateVersion7().ToString("N")), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostEndLinkAsync(Guid id, int number, CancellationToken ct) => DoAsync(id, number, () => links.EndAsync(id, number, User.Id(), ct), ct);

    private async Task<IActionResult> LookAsync(Guid id, int number, CancellationToken ct)
    {
        _offer = await show.OneAsync(id, number, ct);
        _application = _offer is null ? null : await applications.RunAsync(id, ct);
        if (_application is null)
            return NotFound();
        Link = await links.FindAsync(id, number, ct);
        Envelope = await signatures.FindAsync(id, number, ct);
        return Page();
    }

    private async Task<IActionResult> DoAsync(Guid id, int number, Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
        }
        catch (RefusedException refused)
        {
            db.Forget();
            Problem = texts.Refused(refused);
        }

        return await LookAsync(id, number, ct);
    }
}
