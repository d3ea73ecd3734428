using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Borrowers;

/// <summary>One borrower: who it is, whom to reach, its numbers and accounts, its loans, and what happened.</summary>
[Authorize(Permissions.BorrowersRead)]
public sealed class BorrowerDetailsPage(
    ShowBorrower show, SetIdentifier setIdentifier, RevealIdentifier reveal, AddBankAccount addAccount, VerifyBankAccount verifyAccount, RemoveBankAccount removeAccount, ShowMerges merges, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private BorrowerView? _view;

    public BorrowerView View => _view ?? throw new InvalidOperationException("The borrower was not read.");

    public IReadOnlyList<TimelineEntry> Timeline { get; private set; } = [];

    /// <summary>Where the next page of the timeline begins; null on the last.</summary>
    public Guid? Older { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>A number in full, shown once.</summary>
    public (IdentifierView Identifier, string Digits)? Revealed { get; private set; }

    /// <summary>Made with the page's forms: pressed twice, one is carried out.</summary>
    public string Key { get; } = Guid.CreateVersion7().ToString("N");

    public Task<IActionResult> OnGetAsync(Guid id, Guid? after, CancellationToken ct) => LookAsync(id, after, ct);

    [Needs(Permissions.BorrowersChange)]
    public Task<IActionResult> OnPostIdentifierAsync(Guid id, IdentifierInput input, string? key, int? version, CancellationToken ct) => DoAsync(id, () => setIdentifier.RunAsync(id, input, By(key, version), ct), ct);

    [Needs(Permissions.BorrowersReveal)]
    public async Task<IActionResult> OnPostRevealAsync(Guid id, Guid identifierId, CancellationToken ct)
    {
        string digits;
        try
        {
            digits = await reveal.RunAsync(id, identifierId, User.Id(), ct);
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(id, refused, ct);
        }

        var page = await LookAsync(id, null, ct);
        if (_view?.Identifiers.FirstOrDefault(one => one.Id == identifierId) is { } identifier)
            Revealed = (identifier, digits);
        return page;
    }

    [Needs(Permissions.BorrowersChange)]
    public Task<IActionResult> OnPostAccountAsync(Guid id, BankAccountInput input, string? key, int? version, CancellationToken ct) => DoAsync(id, () => addAccount.RunAsync(id, input, By(key, version), ct), ct);

    [Needs(Permissions.BorrowersChange)]
    public Task<IActionResult> OnPostVerifyAsync(Guid id, Guid accountId, string? key, int? version, CancellationToken ct) => DoAsync(id, () => verifyAccount.RunAsync(id, accountId, By(key, version), ct), ct);

    [Needs(Permissions.BorrowersChange)]
    public Task<IActionResult> OnPostRemoveAsync(Guid id, Guid accountId, string? key, int? version, CancellationToken ct) => DoAsync(id, () => removeAccount.RunAsync(id, accountId, By(key, version), ct), ct);

    /// <summary>What was done, in the reader's language.</summary>
    public string What(TimelineEntry entry)
    {
        var otherwise = entry.Action.StartsWith("loan.", StringComparison.Ordinal) ? texts.Or("Serviced.Command." + entry.Action["loan.".Length..], entry.Action) : entry.Action;
        var what = texts.Or("Timeline." + entry.Action, otherwise);
        return entry.Fields.Count == 0 ? what : what + ": " + string.Join(", ", entry.Fields.Select(field => texts.Or("Borrowers.Field." + field, field)));
    }

    /// <summary>The state of a loan as a chip.</summary>
    public Microsoft.AspNetCore.Html.IHtmlContent Chip(BorrowerLoan loan) =>
        loan.OwnBook ? texts.Chip((Lending.Loans.LoanStatus)loan.Status) : texts.Chip((Imports.LoanStatus)loan.Status);

    private AskedBy By(string? key, int? version) => new(User.Id(), key ?? Guid.CreateVersion7().ToString("N"), version ?? 0);

    private async Task<IActionResult> LookAsync(Guid id, Guid? after, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        if (_view is null)
        {
            // a merge can be undone, so that no browser may remember where it led
            Response.Headers.CacheControl = "no-store";
            return await merges.SurvivorOfAsync(id, ct) is { } survivor ? LocalRedirectPermanentPreserveMethod($"/borrowers/{survivor}") : NotFound();
        }

        var entries = await show.TimelineAsync(id, after, ct);
        Timeline = [.. entries.Take(ShowBorrower.TimelinePage)];
        Older = entries.Count > Timeline.Count ? Timeline[^1].Id : null;
        return Page();
    }

    private async Task<IActionResult> DoAsync(Guid id, Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
            return Redirect($"/borrowers/{id}");
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(id, refused, ct);
        }
    }

    private async Task<IActionResult> RefusedAsync(Guid id, RefusedException refused, CancellationToken ct)
    {
        db.ChangeTracker.Clear();
        Problem = texts.Refused(refused);
        return await LookAsync(id, null, ct);
    }
}
