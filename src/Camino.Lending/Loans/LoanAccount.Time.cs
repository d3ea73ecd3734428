using Camino.Lending.Ledger;
using Camino.Lending.Payments;

namespace Camino.Lending.Loans;

/// <content>What time does: interest accrues, installments come due, late fees are charged.</content>
public sealed partial class LoanAccount
{
    private bool AccruesAsScheduled => _product.Accrual == AccrualBasis.Scheduled || _terms.Method == ScheduleMethod.Flat;

    private long UnbilledPrincipal
    {
        get
        {
            var unbilled = _owed[(int)Portion.Principal];
            for (var i = _firstOpen; i < _next; i++)
                unbilled -= _installments[i].Unpaid(Portion.Principal);
            return unbilled;
        }
    }

    private Installment? Upcoming => _next < _installments.Count ? _installments[_next] : null;

    private void AdvanceTo(DateOnly date, bool isBeforeDue = false)
    {
        while (!_isChargedOff)
        {
            var dueOn = Upcoming?.DueOn ?? DateOnly.MaxValue;
            var lateOn = NextLateFeeOn();
            if (_capitalizesOn is { } begins && begins <= date && begins <= dueOn && begins <= lateOn)
            {
                Capitalize(begins);
                continue;
            }

            if (Math.Min(dueOn.DayNumber, lateOn.DayNumber) > date.DayNumber || (isBeforeDue && dueOn >= date))
                return;
            if (dueOn <= lateOn)
                ComeDue(_installments[_next]);
            else
                ChargeLateFee(lateOn);
        }
    }

    private void ComeDue(Installment installment)
    {
        AccrueTo(installment.DueOn);
        var isLast = _next == _installments.Count - 1;
        var unbilled = UnbilledPrincipal;
        var interest = InterestComingDue(installment, isLast);
        var balloon = isLast || installment.IsAtDisbursement ? 0 : Math.Min(_balloon, unbilled);
        var wanted = installment.IsLevel
            ? installment.Level - installment.AheadPrincipal - installment.AheadInterest - interest
            : installment.PlannedPrincipal - installment.AheadPrincipal;
        var principal = isLast ? unbilled : Math.Clamp(wanted, 0, Math.Max(0, unbilled - balloon));

        installment.Charge(Portion.Interest, interest);
        installment.Charge(Portion.Principal, principal);
        installment.IsDue = true;
        installment.Settle(installment.DueOn);
        _owed[(int)Portion.Interest] += interest;
        _next++;
        Record(LedgerAct.ComeDue, installment.DueOn, _explains ? $"Installment {installment.Number} came due: {Money.FromCents(principal)} of principal, {Money.FromCents(interest)} of interest." : "", "");
        if (_credit <= 0)
            return;
        var credit = _credit;
        _credit = AllocateDue(credit);
        if (_credit != credit)
            Record(LedgerAct.UseCredit, installment.DueOn, "The credit was used.", "");
    }

    private long InterestComingDue(Installment installment, bool isLast)
    {
        if (installment.IsAtDisbursement)
            return installment.PlannedInterest;

        _interestIsTold = true;

        // Each period's interest is rounded once, when its installment comes due, also where it is put off.
        var interest = AccruedCents;
        _accrued = 0m;
        _putOff = interest;
        if (installment.IsInterestPutOff && !isLast)
            return 0;
        if (installment.IsLevel && !isLast)
            interest = Math.Clamp(installment.Level - installment.AheadPrincipal - installment.AheadInterest, 0, interest);
        _putOff -= interest;
        return interest;
    }

    /// <summary>Interest accrued and not yet due.</summary>
    private long AccruedCents => Math.Max(0, _putOff + PeriodBasis.Cents(_accrued, _terms.Rounding.Mode));

    private void AccrueTo(DateOnly date)
    {
        if (date <= _at)
            return;
        PostAccrualsBefore(date);
        if (_explains)
            AddStretch(_stretches, _at, date);
        _accrued += Accrual(_at, date);
        _at = date;
        PostAccrual(date, AccruedCents);
    }

    /// <summary>Interest in cents, at full precision, from one date to another with no installment due in between.</summary>
    private decimal Accrual(DateOnly from, DateOnly to)
    {
        if (_isChargedOff)
            return 0m;
        if (from < _interestPausedUntil)
            from = to < _interestPausedUntil ? to : _interestPausedUntil;
        var installment = Upcoming;
        if (_capitalizesOn is { } begins && from < begins)
        {
            return AccruesAsScheduled
                ? (decimal)_plannedOdd * Math.Max(0, to.DayNumber - from.DayNumber) / (begins.DayNumber - _terms.StartsOn.DayNumber)
                : OddInterest(from, begins) - OddInterest(to, begins); // as the schedule counts: from each date to the begin of the period
        }

        if (installment is not null && from < installment.From)
            from = to < installment.From ? to : installment.From;
        if (from >= to)
            return 0m;
        if (!AccruesAsScheduled)
            return _basis.Interest(_owed[(int)Portion.Principal], installment, from, to, _rate);
        return installment is null ? 0m : (decimal)installment.PlannedInterest * (to.DayNumber - from.DayNumber) / installment.Days;
    }

    private decimal OddInterest(DateOnly from, DateOnly to) => _basis.Interest(_owed[(int)Portion.Principal], installment: null, from, to, _rate);

    private void AddStretch(List<InterestStretch> stretches, DateOnly from, DateOnly to)
    {
        var amount = to > from ? Accrual(from, to) : 0m;
        if (amount == 0m)
            return;
        var principal = Money.FromCents(_owed[(int)Portion.Principal]);
        var dollars = decimal.Round(amount / 100m, 6, MidpointRounding.ToEven);
        if (stretches.Count > 0 && stretches[^1] is var last && last.To == from && last.Principal == principal && last.Rate == _rate)
            stretches[^1] = last with { To = to, Amount = last.Amount + dollars };
        else
            stretches.Add(new InterestStretch(from, to, principal, _rate, dollars));
    }

    /// <summary>Interest for the days before the first period, where it is financed: it accrues by day and becomes principal when that period begins.</summary>
    private void Capitalize(DateOnly on)
    {
        AccrueTo(on);
        _owed[(int)Portion.Principal] += Math.Max(0, PeriodBasis.Cents(_accrued, _terms.Rounding.Mode)); // what an installment put off stays interest
        _accrued = 0m;
        _capitalizesOn = null;
        _interestIsTold = true;
        Record(LedgerAct.Capitalize, on, "Interest for the days before the first period was added to the principal.", "");
    }

    /// <summary>What is not yet due, with odd interest that will be added to it, and the interest accrued besides.</summary>
    private (long Principal, decimal Accrued) ToCome() => _capitalizesOn is { } begins
        ? (UnbilledPrincipal + PeriodBasis.Cents(_accrued + Accrual(_at, begins), _terms.Rounding.Mode), 0m)
        : (UnbilledPrincipal, _accrued);

    private DateOnly NextLateFeeOn()
    {
        if (_product.LateFee is not { } rule)
            return DateOnly.MaxValue;
        while (_lateNext < _next && _installments[_lateNext].Overdue == 0)
            _lateNext++;
        return _lateNext < _next ? _installments[_lateNext].DueOn.AddDays(rule.GraceDays + 1) : DateOnly.MaxValue;
    }

    private void ChargeLateFee(DateOnly on)
    {
        var installment = _installments[_lateNext++];
        var fee = _product.LateFee?.Of(installment.Overdue, _lateCharged, _terms.Rounding) ?? 0;
        if (fee == 0)
            return;
        _lateCharged += fee;
        installment.Charge(Portion.Penalty, fee);
        _owed[(int)Portion.Penalty] += fee;
        Record(LedgerAct.LateFee, on, _explains ? $"Installment {installment.Number} was late: a late fee was charged." : "", "");
    }
}
