using Camino.Lending.Payments;

namespace Camino.Lending.Loans;

/// <content>What changes the installments to come.</content>
public sealed partial class LoanAccount
{
    private void Change(LoanEvent one)
    {
        AccrueTo(one.On);
        switch (one.Type)
        {
            case LoanEventType.RateChange:
                _rate = one.Rate;
                Relevel();
                Tell(one.On, $"The rate became {one.Rate} a year.", one.Key);
                break;
            case LoanEventType.InterestPause:
                var end = (one.Until ?? one.On).AddDays(1);
                _interestPausedUntil = end > _interestPausedUntil ? end : _interestPausedUntil;
                Tell(one.On, $"No interest accrues through {one.Until:yyyy-MM-dd}.", one.Key);
                break;
            case LoanEventType.DelinquencyPause:
                _delinquencyPauses.Add((one.On, (one.Until ?? one.On).AddDays(1)));
                Tell(one.On, $"Days do not count as past due through {one.Until:yyyy-MM-dd}.", one.Key);
                break;
            case LoanEventType.DueDateChange:
                Tell(one.On, MoveDueDates(one.Until ?? one.On) ? $"The next installment moved to {one.Until:yyyy-MM-dd}." : "A change of the due date had no effect: no installment was left to move.", one.Key);
                break;
            case LoanEventType.Skip:
                Tell(one.On, Skip(one.On) ? "The next installment was left out and put at the end." : "Leaving out an installment had no effect: none was left.", one.Key);
                break;
            case LoanEventType.Extend:
                Append(one.Count, isRestructured: false, one.On);
                Relevel();
                Tell(one.On, $"The term got {one.Count} more installments.", one.Key);
                break;
            case LoanEventType.Reamortize:
                Relevel();
                Tell(one.On, "The remaining installments got a new level.", one.Key);
                break;
            default:
                Restructure(one);
                break;
        }
    }

    private bool MoveDueDates(DateOnly to)
    {
        if (Upcoming is not { } upcoming || to <= upcoming.From)
            return false;
        _anchorDay = to.Day;
        var scheduled = to;
        for (var i = _next; i < _installments.Count; i++)
        {
            var installment = _installments[i];
            if (i > _next)
            {
                installment.From = _installments[i - 1].DueOn;
                scheduled = Step(scheduled);
            }

            installment.RegularFrom = installment.From;
            installment.ScheduledFor = scheduled;
            installment.DueOn = i > _next ? _terms.Shifted(scheduled) : scheduled;
            installment.Numerator = _basis.Numerator(installment.From, installment.DueOn, isRegular: i > _next);
        }

        return true;
    }

    private bool Skip(DateOnly on)
    {
        if (_next >= _installments.Count)
            return false;
        var skipped = _installments[_next];
        Append(1, isRestructured: false, on);
        var following = _installments[_next + 1];
        following.From = skipped.From;
        following.RegularFrom = skipped.From;
        following.Numerator += skipped.Numerator;
        following.AheadPrincipal += skipped.AheadPrincipal;
        following.AheadInterest += skipped.AheadInterest;
        following.PlannedInterest += skipped.PlannedInterest;
        _installments[^1].PlannedPrincipal = skipped.PlannedPrincipal;
        if (skipped.Due.Total != Money.Zero)
            following.TakeOver(skipped);
        _installments.RemoveAt(_next);
        for (var i = _next; i < _installments.Count; i++)
            _installments[i].Number = i == 0 ? 1 : _installments[i - 1].Number + 1;
        return true;
    }

    /// <summary>Adds installments in the rhythm of the last one; none comes due on a day that is over.</summary>
    private void Append(int count, bool isRestructured, DateOnly on)
    {
        // The one that was last bore the rest of the principal; now it is one among others.
        if (count > 0 && !isRestructured)
            _installments[^1].PlannedPrincipal = _terms.Method == ScheduleMethod.InterestOnly || _installments.Count < 2 ? 0 : _installments[^2].PlannedPrincipal;
        for (var i = 0; i < count; i++)
        {
            var last = _installments[^1];
            var scheduled = Step(last.ScheduledFor);
            var isRegular = _terms.Shifted(scheduled) > on;
            while (_terms.Shifted(scheduled) <= on)
                scheduled = Step(scheduled);
            var dueOn = _terms.Shifted(scheduled);
            Refuse.If(dueOn.Year > 2299, "event.count", "The installments run beyond the year 2299.");
            Refuse.If(_installments.Count >= 4 * ScheduleTerms.MaxPayments, "event.count", $"A loan has at most {4 * ScheduleTerms.MaxPayments} installments.");
            _installments.Add(new Installment
            {
                Number = last.Number + 1,
                From = last.DueOn,
                RegularFrom = last.DueOn,
                DueOn = dueOn,
                ScheduledFor = scheduled,
                Numerator = _basis.Numerator(last.DueOn, dueOn, isRegular),
                IsLevel = _terms.Method == ScheduleMethod.EqualPayment || isRestructured,
                Level = last.Level,
                PlannedPrincipal = last.PlannedPrincipal,
                IsRestructured = isRestructured,
            });
        }
    }

    private void Restructure(LoanEvent one)
    {
        var pastDueSince = PastDueSince(one.On);
        foreach (var installment in _installments.GetRange(0, _next))
        {
            // Principal moves to the new installments; the old ones keep what was paid, and interest and fees that are due.
            installment.Charge(Portion.Principal, -installment.Unpaid(Portion.Principal));
            installment.Settle(one.On);
        }

        // Installments to come that were paid ahead stay with what was paid on them; the others are replaced.
        _installments.RemoveAll(static installment => !installment.IsDue && installment.Due.Total == Money.Zero);
        for (; _next < _installments.Count; _next++)
        {
            _installments[_next].DueOn = one.On;
            _installments[_next].IsDue = true;
            _installments[_next].Settle(one.On);
        }

        var first = one.Until ?? one.On;
        _anchorDay = first.Day;
        _installments.Add(new Installment
        {
            Number = _installments.Count == 0 ? 1 : _installments[^1].Number + 1,
            From = one.On,
            RegularFrom = one.On,
            DueOn = first,
            ScheduledFor = first,
            Numerator = _basis.Numerator(one.On, first, isRegular: false),
            IsLevel = true,
            IsRestructured = true,
        });
        Append(one.Count - 1, isRestructured: true, one.On);
        _carriedPastDueSince ??= pastDueSince;
        _restructures++;
        _restructuredOn = one.On;
        _balloon = 0;
        Relevel();
        Tell(one.On, $"The loan was restructured to {one.Count} installments from {first:yyyy-MM-dd}.", one.Key);
    }

    /// <summary>The date one period after another, before it is moved to a business day; later in any case.</summary>
    private DateOnly Step(DateOnly date)
    {
        switch (_terms.Unit)
        {
            case PeriodUnit.Day:
                return date.AddDays(_terms.Every);
            case PeriodUnit.Week:
                return date.AddDays(7 * _terms.Every);
            case PeriodUnit.Month:
                return InMonth(Unrolled(date, _anchorDay), _terms.Every, _anchorDay);
            default:
                var (one, two) = _terms.HalfMonthDays ?? (_anchorDay <= 15 ? (_anchorDay, _anchorDay + 15) : (_anchorDay - 15, _anchorDay));
                var before = one > 1 ? Unrolled(date, two) : date;
                return before == date && date.Day < Math.Min(two, DateTime.DaysInMonth(date.Year, date.Month)) ? InMonth(date, 0, two) : InMonth(before, 1, one);
        }
    }

    /// <summary>The first of a month stands for a day that the month before lacks, where the product rolls such days on: then a date in that month.</summary>
    private DateOnly Unrolled(DateOnly date, int day) => _terms.MonthEnd == MonthEnd.Roll && date.Day == 1 && day > 28 ? date.AddDays(-1) : date;

    private DateOnly InMonth(DateOnly date, int months, int day)
    {
        var month = new DateOnly(date.Year, date.Month, 1).AddMonths(months);
        var days = DateTime.DaysInMonth(month.Year, month.Month);
        return day <= days ? new DateOnly(month.Year, month.Month, day) : new DateOnly(month.Year, month.Month, days).AddDays(_terms.MonthEnd == MonthEnd.Roll ? 1 : 0);
    }

    /// <summary>Finds the level of the installments to come from what is outstanding, as the schedule does.</summary>
    private void Relevel()
    {
        if (_next >= _installments.Count)
            return;
        var (principal, accrued) = ToCome();
        var balloon = Math.Min(_balloon, principal);
        var first = _installments.FindIndex(_next, static one => one.IsLevel);
        if (first >= 0)
            FindLevel(first, principal, accrued, balloon);
        else
            SetShares(principal - balloon);
        if (AccruesAsScheduled && _terms.Method != ScheduleMethod.Flat)
            PlanInterest(principal);
    }

    /// <summary>The exact level posted in cents, moved by (last - level) / n while that narrows the gap, then rounded to the multiple.</summary>
    private void FindLevel(int first, long principal, decimal accrued, long balloon)
    {
        var rounding = _terms.Rounding;
        var exact = Math.Max(0m, ExactLevel(first, principal, accrued, balloon));
        var posted = Rounding.ToWhole(exact, rounding.Mode);
        var level = posted;
        var count = _installments.Count - first;
        SetLevel(first, level);
        var gap = count < 2 || AccruesAsScheduled ? 0 : LastProjected() - balloon - level;
        while (gap != 0)
        {
            var moved = Rounding.ToWhole(level + ((decimal)gap / count), rounding.Mode);
            if (moved == level || moved < 0)
                break;
            SetLevel(first, moved);
            var narrower = LastProjected() - balloon - moved;
            if (Math.Abs(narrower) >= Math.Abs(gap))
                break;
            (level, gap) = (moved, narrower);
        }

        SetLevel(first, rounding.ToMultiple((level == posted ? exact : level) / 100m).Cents);
    }

    private long LastProjected()
    {
        var (principal, accrued) = ToCome();
        var putOff = _putOff;
        Portions last = default;
        for (var i = _next; i < _installments.Count; i++)
            last = Project(_installments[i], i, default, ref principal, ref accrued, ref putOff);
        return last.Total.Cents;
    }

    /// <summary>Present value / sum of discount factors, in cents at full precision.</summary>
    private decimal ExactLevel(int first, long principal, decimal accrued, long balloon)
    {
        var discount = 1m;
        var sum = 0m;
        for (var i = first; i < _installments.Count; i++)
        {
            var installment = _installments[i];
            var from = i == _next && _at > installment.From ? _at : installment.From;
            discount /= 1m + _basis.Interest(1m, installment, from, installment.DueOn, _rate);
            sum += discount;
        }

        // Interest accrued so far comes due with the first of them.
        var firstDiscount = first == _next ? 1m / (1m + _basis.Interest(1m, _installments[first], _at > _installments[first].From ? _at : _installments[first].From, _installments[first].DueOn, _rate)) : 0m;
        return (principal + ((_putOff + accrued) * firstDiscount) - (balloon * discount)) / sum;
    }

    private void SetLevel(int first, long level)
    {
        for (var i = first; i < _installments.Count; i++)
        {
            _installments[i].Level = level;
            _installments[i].AheadPrincipal = 0;
            _installments[i].AheadInterest = 0;
        }
    }

    private void SetShares(long principal)
    {
        var shares = _installments.FindAll(one => !one.IsDue && (one.PlannedPrincipal > 0 || one == _installments[^1])).Count;
        var share = _terms.Method == ScheduleMethod.InterestOnly ? 0 : Rounding.Divide(principal, Math.Max(1, shares), _terms.Rounding.Mode);
        for (var i = _next; i < _installments.Count; i++)
        {
            if (_installments[i].PlannedPrincipal > 0 || i == _installments.Count - 1)
                _installments[i].PlannedPrincipal = share;
            _installments[i].AheadPrincipal = 0;
            _installments[i].AheadInterest = 0;
        }
    }

    private void PlanInterest(long principal)
    {
        for (var i = _next; i < _installments.Count; i++)
        {
            var installment = _installments[i];
            installment.PlannedInterest = PeriodBasis.Cents(_basis.Interest(principal, installment, installment.From, installment.DueOn, _rate), _terms.Rounding.Mode);
            principal -= Math.Clamp(installment.IsLevel ? installment.Level - installment.PlannedInterest : installment.PlannedPrincipal, 0, principal);
        }
    }
}
