using Camino.Applications;
using Camino.Approvals;
using Camino.Borrowers;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Lending.Payments;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>One serviced loan: where it stands, its schedule, what happened and why each balance is what it is.</summary>
[Authorize(Permissions.BookRead)]
public sealed class ServicedDetailsPage(ShowServicedLoan show, ShowBorrower borrowers, ShowOffers offers, ShowRenewal renewals, ReadLedger ledger, ListApprovals approvals, ShowApproval showApproval, IStringLocalizer<Texts> texts) : PageModel
{
    private ServicedView? _view;

    public ServicedView View => _view ?? throw new InvalidOperationException("The loan was not read.");

    /// <summary>Whose it is; null until the loan was linked.</summary>
    public Guid? BorrowerId { get; private set; }

    /// <summary>The application that it came from; null when it was booked by itself.</summary>
    public NumberedLink? Application { get; private set; }

    /// <summary>Whether it may be renewed, and what became of it.</summary>
    public RenewalView Renewal { get; private set; } = null!;

    /// <summary>The date of the explanation.</summary>
    public DateOnly ExplainedOn { get; private set; }

    public IReadOnlyList<Explanation> Chain { get; private set; } = [];

    public PayoffQuote? Payoff { get; private set; }

    /// <summary>Why there is no payoff quote.</summary>
    public string? PayoffRefused { get; private set; }

    public LedgerPage Ledger { get; private set; } = new([], null);

    /// <summary>Whether the reader pages through the ledger, which is closed otherwise.</summary>
    public bool LedgerIsOpen { get; private set; }

    /// <summary>What was just done, to be confirmed on top of the page.</summary>
    public LoanCommand? Done { get; private set; }

    /// <summary>What was just asked for and waits for a second person.</summary>
    public Guid? Asked { get; private set; }

    /// <summary>What else waits for a second person and the reader may see, as a link and a sentence.</summary>
    public IReadOnlyList<(Guid Id, string Says)> Waiting { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(Guid id, DateOnly? on, DateOnly? payoff, string? done, Guid? asked, Guid? ledgerAfter, Guid? lettersAfter, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct, lettersAfter);
        if (_view is null)
            return NotFound();
        var loan = _view.InHand;
        BorrowerId = await borrowers.OfLoanAsync(id, ct);
        Application = await offers.OfLoanAsync(id, ct);
        Renewal = await renewals.RunAsync(loan, ct);
        Done = LoanCommand.Find(done);
        Asked = asked;
        Waiting = [.. (await approvals.WaitingAsync("loan", id.ToString(), User, ct)).Where(one => one.Approval.Id != asked).Select(one => (one.Approval.Id, showApproval.Say(one)))];
        ExplainedOn = on is { } wanted && wanted <= loan.Today && wanted.Year >= 1900 ? wanted : loan.Today;
        if (loan.HasDisbursements)
            Chain = loan.AccountOn(ExplainedOn, explains: true).Explain();
        Quote(loan, payoff ?? loan.Today);
        LedgerIsOpen = ledgerAfter is not null;
        Ledger = await ledger.OfLoanAsync(id, ledgerAfter, ct);
        return Page();
    }

    /// <summary>Whether the reader is shown a command: those that the loan's state rules out stay away, the operation decides.</summary>
    public bool Offers(LoanCommand command)
    {
        if (!User.May(command.Permission))
            return false;
        var status = View.Loan.Status;
        return command.Type switch
        {
            LoanEventType.Disburse => status != LoanStatus.ChargedOff && View.Events.Where(line => line.Event.Type == LoanEventType.Disburse && line.TakenBackBy is null).Sum(line => line.Event.Amount.Cents) < View.InHand.Terms.Principal.Cents,
            LoanEventType.Reverse or LoanEventType.Return => View.Events.Count > 0,
            LoanEventType.Recover => status == LoanStatus.ChargedOff,
            LoanEventType.Refund => View.State.Credit > Money.Zero,
            LoanEventType.Waive => View.State.Owed.Total > Money.Zero,
            _ => status is LoanStatus.Current or LoanStatus.PastDue,
        };
    }

    /// <summary>What the chart shows, in words.</summary>
    public string ChartTitle() => texts["Serviced.ChartTitle", Show.Money(View.Past[0].Amount), Show.Date(View.Past[0].On), Show.Money(View.Past[^1].Amount), Show.Date(View.InHand.Today)];

    private void Quote(LoanInHand loan, DateOnly on)
    {
        if (loan.Loan.Status is not (LoanStatus.Current or LoanStatus.PastDue))
            return;
        try
        {
            Payoff = loan.PayoffOn(on);
        }
        catch (RefusedException refused)
        {
            PayoffRefused = texts.Refused(refused);
        }
    }
}
