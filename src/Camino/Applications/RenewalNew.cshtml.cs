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

/// <summary>The application for the renewal of a loan as a form: who asks is known, so only what is asked for is typed.</summary>
[Authorize(Permissions.ApplicationsCreate)]
public sealed class RenewalNewPage(RenewLoan renew, ShowRenewal show, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private LoanInHand? _loan;
    private RenewalView? _renewal;

    public LoanInHand Loan => _loan ?? throw new InvalidOperationException("The loan was not read.");

    public RenewalView Renewal => _renewal ?? throw new InvalidOperationException("The loan was not read.");

    public RenewalInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, one is stored.</summary>
    public string Key { get; private set; } = "";

    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct)
    {
        if (!User.May(Permissions.BookRead))
            return Forbid();
        if (!await LookAsync(id, ct))
            return NotFound();
        (Key, Input) = (Guid.CreateVersion7().ToString("N"), new RenewalInput { Amount = Show.Plain(Loan.Terms.Principal.Dollars) });
        return Page();
    }

    [Needs(Permissions.ApplicationsCreate)]
    public async Task<IActionResult> OnPostAsync(Guid id, RenewalInput input, string? key, CancellationToken ct)
    {
        if (!User.May(Permissions.BookRead))
            return Forbid();
        (Input, Key) = (input, key ?? Guid.CreateVersion7().ToString("N"));
        try
        {
            var answer = await renew.RunAsync(id, input, fromStaff: true, new AskedBy(User.Id(), Key), ct);
            return Redirect($"/applications/{answer.ApplicationId}");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return await LookAsync(id, ct) ? Page() : NotFound();
        }
    }

    private async Task<bool> LookAsync(Guid id, CancellationToken ct)
    {
        _loan = await db.LoanToLookAtAsync(id, ct);
        if (_loan is null)
            return false;
        _renewal = await show.RunAsync(_loan, ct);
        return true;
    }
}
