using Camino.Lending.Ledger;
using Camino.Lending.Payments;

namespace Camino.Lending.Loans;

/// <content>What money does: it goes to what is due, and what is left goes where the product says.</content>
public sealed partial class LoanAccount
{
    private void Receive(LoanEvent one)
    {
        AccrueTo(one.On);
        var cents = one.Amount.Cents;
        if (_isChargedOff)
        {
            var owedBefore = OwedTotal;
            var rest = PayEverything(AllocateDue(cents));
            _recovered += owedBefore - OwedTotal;
            _credit += rest;
            Record(LedgerAct.Recover, one.On, "A recovery was received after charge-off.", one.Key, cents);
            return;
        }

        _credit += PaySurplus(AllocateDue(cents));
        Record(LedgerAct.Pay, one.On, "A payment was received.", one.Key, cents);
        var left = OwedTotal + AccruedCents;
        if (left > 0 && left <= _product.Tolerance.Cents)
        {
            GiveUpEverything();
            Record(LedgerAct.WriteOff, one.On, "What was left was within tolerance and was written off.", one.Key);
        }
    }

    private long OwedTotal => _owed[0] + _owed[1] + _owed[2] + _owed[3];

    /// <summary>Pays what is due, and fees on the upcoming installment, in the product's order.</summary>
    /// <returns>What is left.</returns>
    private long AllocateDue(long cents)
    {
        while (_firstOpen < _next && _installments[_firstOpen].UnpaidTotal == 0)
            _firstOpen++;
        var last = Math.Min(_next, _installments.Count - 1);
        if (_product.Order == AllocationOrder.InstallmentFirst)
        {
            for (var i = _firstOpen; i <= last && cents > 0; i++)
            {
                foreach (var portion in _product.Portions)
                    cents -= PayPortion(_installments[i], portion, cents);
            }

            return cents;
        }

        foreach (var portion in _product.Portions)
        {
            for (var i = _firstOpen; i <= last && cents > 0; i++)
                cents -= PayPortion(_installments[i], portion, cents);
        }

        return cents;
    }

    private long PayPortion(Installment installment, Portion portion, long most)
    {
        var cents = Math.Min(most, installment.Unpaid(portion));
        installment.Pay(portion, cents);
        installment.Settle(_at);
        _owed[(int)portion] -= cents;
        return cents;
    }

    private long PaySurplus(long cents)
    {
        if (cents == 0)
            return 0;
        var payoff = AccruedCents + UnbilledPrincipal;
        if (cents >= payoff)
            return PayEverything(cents);
        switch (_product.Surplus)
        {
            case SurplusRule.Credit:
                return cents;
            case SurplusRule.NextInstallment:
                return PayAhead(cents);
            default:
                cents = PayAccrued(cents, countsAhead: false);
                PayPrincipalEarly(Upcoming ?? _installments[^1], cents);
                if (_product.Surplus == SurplusRule.Reamortize && cents > 0)
                    Relevel();
                return 0;
        }
    }

    /// <summary>Pays accrued interest and principal as far as the money goes.</summary>
    private long PayEverything(long cents)
    {
        cents = PayAccrued(cents, countsAhead: false);
        var principal = Math.Min(cents, UnbilledPrincipal);
        PayPrincipalEarly(Upcoming ?? _installments[^1], principal);
        return cents - principal;
    }

    private long PayAhead(long cents)
    {
        cents = PayAccrued(cents, countsAhead: true);
        for (var i = _next; i < _installments.Count && cents > 0; i++)
        {
            var installment = _installments[i];
            var room = installment.IsLevel ? installment.Level - installment.AheadPrincipal - installment.AheadInterest : installment.PlannedPrincipal - installment.AheadPrincipal;
            var part = i == _installments.Count - 1 ? cents : Math.Clamp(room, 0, cents);
            part = Math.Min(part, UnbilledPrincipal);
            PayPrincipalEarly(installment, part);
            installment.AheadPrincipal += part;
            cents -= part;
        }

        return cents;
    }

    private long PayAccrued(long cents, bool countsAhead)
    {
        var interest = Math.Min(cents, AccruedCents);
        if (interest == 0)
            return cents;
        _interestIsTold = true;
        var installment = Upcoming ?? _installments[^1];
        installment.Charge(Portion.Interest, interest);
        installment.Pay(Portion.Interest, interest);
        if (countsAhead)
            installment.AheadInterest += interest;
        var putOff = Math.Min(_putOff, interest);
        _putOff -= putOff;
        _accrued -= interest - putOff;
        return cents - interest;
    }

    private void PayPrincipalEarly(Installment installment, long cents)
    {
        installment.Charge(Portion.Principal, cents);
        installment.Pay(Portion.Principal, cents);
        _owed[(int)Portion.Principal] -= cents;
    }

    private void Charge(Portion portion, long cents)
    {
        (Upcoming ?? _installments[^1]).Charge(portion, cents);
        _owed[(int)portion] += cents;
        _firstOpen = Math.Min(_firstOpen, _installments.Count - 1);
    }

    private void Waive(Portion portion, long cents)
    {
        for (var i = 0; i <= Math.Min(_next, _installments.Count - 1) && cents > 0; i++)
        {
            var part = Math.Min(cents, _installments[i].Unpaid(portion));
            _installments[i].Waive(portion, part);
            _installments[i].Settle(_at);
            _owed[(int)portion] -= part;
            cents -= part;
        }
    }

    /// <summary>Pays a credit out. What is paid out beyond the credit, because the bank returned the payment it came from, is owed as principal.</summary>
    private void Refund(LoanEvent one)
    {
        AccrueTo(one.On);
        var credit = Math.Min(_credit, one.Amount.Cents);
        var beyond = one.Amount.Cents - credit;
        _credit -= credit;
        _owed[(int)Portion.Principal] += beyond;
        if (beyond > 0 && _next >= _installments.Count)
        {
            // The last installment, which was paid, is open again.
            _installments[^1].Charge(Portion.Principal, beyond);
            _installments[^1].Settle(_at);
            _firstOpen = Math.Min(_firstOpen, _installments.Count - 1);
        }

        var what = beyond == 0 || !_explains ? "A credit was paid out." : $"{one.Amount} was paid out, {Money.FromCents(beyond)} more than the credit; that was added to the principal.";
        Record(LedgerAct.Refund, one.On, what, one.Key, one.Amount.Cents);
    }

    private void WriteOff(LoanEvent one)
    {
        AccrueTo(one.On);
        var left = OwedTotal + AccruedCents;
        if (left > one.Amount.Cents)
        {
            Tell(one.On, $"Nothing was written off: {Money.FromCents(left)} is left, the limit is {one.Amount}.", one.Key);
            return;
        }

        GiveUpEverything();
        Record(LedgerAct.WriteOff, one.On, "A small balance was written off.", one.Key);
    }

    private void GiveUpEverything()
    {
        foreach (var portion in _product.Portions)
            Waive(portion, long.MaxValue);
        var installment = Upcoming ?? _installments[^1];
        var principal = _owed[(int)Portion.Principal];
        installment.Charge(Portion.Principal, principal);
        installment.Waive(Portion.Principal, principal);
        _owed[(int)Portion.Principal] = 0;
        _interestIsTold = true;
        _accrued = 0m;
        _putOff = 0;
    }

    private void ChargeOff(LoanEvent one)
    {
        if (_isChargedOff)
            return;
        AccrueTo(one.On);
        if (_credit > 0)
        {
            _credit = PayEverything(AllocateDue(_credit));
            Record(LedgerAct.UseCredit, one.On, "The credit was set off against what was owed.", one.Key);
        }

        var interest = AccruedCents;
        (Upcoming ?? _installments[^1]).Charge(Portion.Interest, interest);
        _owed[(int)Portion.Interest] += interest;
        _interestIsTold = true;
        _accrued = 0m;
        _putOff = 0;
        _isChargedOff = true;
        Record(LedgerAct.ChargeOff, one.On, "The loan was charged off; interest no longer accrues.", one.Key);
    }
}
