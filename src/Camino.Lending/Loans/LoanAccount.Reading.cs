using Camino.Lending.Payments;

namespace Camino.Lending.Loans;

/// <content>What can be read off: the state, days past due, a payoff.</content>
public sealed partial class LoanAccount
{
    /// <summary>The loan on the date it was replayed to.</summary>
    public LoanState State()
    {
        var accrued = AccruedAt(_asOf);
        var pastDue = 0L;
        foreach (var installment in _installments)
        {
            if (installment.IsDue && installment.DueOn < _asOf)
                pastDue += installment.Overdue;
        }

        var days = _installments.Count == 0 ? 0 : DaysPastDue();
        var owed = new Portions(
            Money.FromCents(_owed[(int)Portion.Principal]), Money.FromCents(_owed[(int)Portion.Interest]), Money.FromCents(_owed[(int)Portion.Fee]), Money.FromCents(_owed[(int)Portion.Penalty]));
        return new LoanState(
            _asOf, StatusOf(accrued, days), Rows(), owed, Money.FromCents(accrued), Money.FromCents(_credit), days, Money.FromCents(pastDue),
            _isChargedOff ? owed.Total : Money.Zero, Money.FromCents(_recovered), _restructures);
    }

    /// <summary>What pays the loan off on the date it was replayed to.</summary>
    /// <remarks>Principal, interest to the day and unpaid fees, less the credit. Source: lending rules, "Payments".</remarks>
    public PayoffQuote Payoff()
    {
        var accrued = AccruedAt(_asOf);
        var owed = new Portions(
            Money.FromCents(_owed[(int)Portion.Principal]), Money.FromCents(_owed[(int)Portion.Interest] + accrued), Money.FromCents(_owed[(int)Portion.Fee]),
            Money.FromCents(_owed[(int)Portion.Penalty]));
        var amount = Money.Max(Money.Zero, owed.Total - Money.FromCents(_credit));
        var perDiem = amount == Money.Zero || _installments.Count == 0 ? 0 : PeriodBasis.Cents(Accrual(_asOf, _asOf.AddDays(1)), _terms.Rounding.Mode);
        return new PayoffQuote(_asOf, amount, owed, Money.FromCents(_credit), Money.FromCents(perDiem), _asOf.AddDays(_product.PayoffDays));
    }

    /// <summary>How long the loan has been paid on time, and whether that is long enough to renew it.</summary>
    public RenewalStanding Renewal()
    {
        var since = _terms.StartsOn;
        if (_restructuredOn is { } restructured && restructured > since)
            since = restructured;
        foreach (var installment in _installments)
        {
            if (!installment.IsDue)
                break;
            var until = installment.SettledOn ?? _asOf;
            if (until > since && DaysLate(installment.DueOn, until) > (_product.Renewal?.GraceDays ?? 0))
                since = until;
        }

        return new RenewalStanding(_product.Renewal, StatusOf(AccruedAt(_asOf), _installments.Count == 0 ? 0 : DaysPastDue()), since, _asOf);
    }

    private long AccruedAt(DateOnly date)
    {
        if (_installments.Count == 0)
            return 0;
        var accrued = date > _at ? _accrued + Accrual(_at, date) : _accrued;
        return Math.Max(0, _putOff + PeriodBasis.Cents(accrued, _terms.Rounding.Mode));
    }

    private LoanStatus StatusOf(long accrued, int daysPastDue)
    {
        if (_installments.Count == 0)
            return LoanStatus.Pending;
        if (_isChargedOff)
            return LoanStatus.ChargedOff;
        if (OwedTotal == 0 && accrued == 0)
            return _credit > 0 ? LoanStatus.Overpaid : LoanStatus.PaidOff;
        return daysPastDue > 0 ? LoanStatus.PastDue : LoanStatus.Current;
    }

    /// <summary>Days from the oldest due date with unpaid principal or interest, less grace and pauses. Fees alone make no loan late.</summary>
    private int DaysPastDue()
    {
        if (PastDueSince(_asOf) is not { } since)
            return 0;
        return Math.Max(0, DaysLate(since, _asOf) - _product.GraceDays);
    }

    /// <summary>Days from a due date to another date, without those on which nothing counts as past due.</summary>
    private int DaysLate(DateOnly dueOn, DateOnly date)
    {
        var days = date.DayNumber - dueOn.DayNumber;
        var pausedTo = dueOn;
        foreach (var (from, until) in _delinquencyPauses)
        {
            var start = from > pausedTo ? from : pausedTo;
            var end = until < date ? until : date;
            if (end <= start)
                continue;
            days -= end.DayNumber - start.DayNumber;
            pausedTo = end;
        }

        return days;
    }

    private DateOnly? PastDueSince(DateOnly date)
    {
        DateOnly? since = null;
        var isCured = false;
        foreach (var installment in _installments)
        {
            if (!installment.IsDue)
                break;
            if (installment.Overdue > 0 && installment.DueOn < date && (since is null || installment.DueOn < since))
                since = installment.DueOn;
            isCured |= installment.IsRestructured && installment.Overdue == 0;
        }

        // A restructure does not silently reset days past due: they go on until a new installment is paid.
        return _carriedPastDueSince is { } carried && !isCured && (since is null || carried < since) ? carried : since;
    }

    private List<InstallmentState> Rows()
    {
        var rows = new List<InstallmentState>(_installments.Count);
        var (principal, accrued) = _installments.Count == 0 || _isChargedOff ? (0, 0m) : ToCome();
        var putOff = _putOff;
        for (var i = 0; i < _installments.Count; i++)
        {
            var installment = _installments[i];
            var due = installment.Due;
            if (!installment.IsDue && !_isChargedOff)
                due = Project(installment, i, due, ref principal, ref accrued, ref putOff);
            rows.Add(new InstallmentState(installment.Number, installment.DueOn, installment.IsDue, due, installment.Paid, installment.Waived));
        }

        return rows;
    }

    /// <summary>What an installment to come will be, when everything before it is paid on time.</summary>
    private Portions Project(Installment installment, int index, Portions due, ref long principal, ref decimal accrued, ref long putOff)
    {
        var isLast = index == _installments.Count - 1;
        var from = index == _next && _at > installment.From ? _at : installment.From;
        if (from < _interestPausedUntil)
            from = _interestPausedUntil;
        accrued += AccruesAsScheduled
            ? (decimal)installment.PlannedInterest * Math.Max(0, installment.DueOn.DayNumber - from.DayNumber) / installment.Days
            : _basis.Interest(principal, installment, from, installment.DueOn, _rate);
        putOff = Math.Max(0, putOff + PeriodBasis.Cents(accrued, _terms.Rounding.Mode));
        accrued = 0m;
        var interest = installment.IsInterestPutOff && !isLast ? 0 : putOff;
        var ahead = installment.AheadPrincipal + installment.AheadInterest;
        if (installment.IsLevel && !isLast)
            interest = Math.Clamp(installment.Level - ahead, 0, interest);
        putOff -= interest;
        if (installment.IsAtDisbursement)
            interest = installment.PlannedInterest;
        var balloon = isLast || installment.IsAtDisbursement ? 0 : Math.Min(_balloon, principal);
        var wanted = installment.IsLevel ? installment.Level - ahead - interest : installment.PlannedPrincipal - installment.AheadPrincipal;
        var part = isLast ? principal : Math.Clamp(wanted, 0, Math.Max(0, principal - balloon));
        principal -= part;
        return due with { Principal = due.Principal + Money.FromCents(part), Interest = due.Interest + Money.FromCents(interest) };
    }
}
