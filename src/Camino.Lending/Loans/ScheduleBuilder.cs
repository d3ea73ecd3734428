using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>Works out one schedule: the dates and factors first, then the rows from one disbursement to the next.</summary>
internal ref struct ScheduleBuilder
{
    private const int MostOnStack = 128;

    private readonly ScheduleTerms _terms;
    private readonly PeriodFactors _factors;
    private readonly Span<Period> _periods;
    private readonly Draw[] _draws;
    private readonly ScheduleRow[] _rows;
    private readonly int _extraRows;

    private readonly long _financed;
    private long _balance;
    private long _carried;
    private long _flatInterest;

    private ScheduleBuilder(ScheduleTerms terms, PeriodFactors factors, Span<Period> periods)
    {
        _terms = terms;
        _factors = factors;
        _periods = periods;

        var start = terms.StartsOn;
        _balance = 0;
        _draws = [];
        var opening = 0L;
        var later = 0;
        for (var i = 0; i < terms.Disbursements.Count; i++)
        {
            if (terms.Disbursements[i].On == start)
                opening += terms.Disbursements[i].Amount.Cents;
            else
                later++;
        }

        if (later > 0)
            _draws = LaterDraws(later, start);

        var down = terms.DownPaymentOn(terms.Principal).Cents;
        Refuse.If(down > opening, "schedule.downPaymentPercent", $"The down payment of {Money.FromCents(down)} is more than the first disbursement of {Money.FromCents(opening)}.");
        Refuse.If(BalloonCents > terms.Principal.Cents - down, "schedule.balloon",
            $"A balloon is at most the {Money.FromCents(terms.Principal.Cents - down)} left after the down payment of {Money.FromCents(down)}; got {terms.Balloon}.");
        _balance = opening - down;
        var odd = OddInterestBeforeFirstPeriod();
        var prepaid = terms.OddInterest == OddInterest.Prepaid ? odd : 0L;
        _extraRows = down > 0 || prepaid > 0 ? 1 : 0;
        _rows = new ScheduleRow[terms.Payments + _extraRows];
        if (_extraRows > 0)
            _rows[0] = new ScheduleRow(1, start, 0, down, prepaid, _balance);
        _financed = terms.OddInterest == OddInterest.Financed ? odd : 0L;
        _balance += _financed;
    }

    private readonly int Count => _periods.Length;

    private readonly long BalloonCents => _terms.Method == ScheduleMethod.InterestOnly ? 0 : _terms.Balloon.Cents;

    /// <summary>The rows of checked terms.</summary>
    public static ScheduleRow[] Build(ScheduleTerms terms)
    {
        var dates = new DueDates(terms);
        var factors = new PeriodFactors(terms, dates);
        var periods = terms.Payments <= MostOnStack ? stackalloc Period[terms.Payments] : new Period[terms.Payments];
        factors.Fill(periods);
        var builder = new ScheduleBuilder(terms, factors, periods);
        builder.Run();
        return builder._rows;
    }

    /// <summary>The rows of checked terms, with what servicing needs to accrue as the schedule does.</summary>
    public static SchedulePlan Plan(ScheduleTerms terms)
    {
        var dates = new DueDates(terms);
        var factors = new PeriodFactors(terms, dates);
        var periods = new Period[terms.Payments];
        factors.Fill(periods);
        var builder = new ScheduleBuilder(terms, factors, periods);
        builder.Run();
        var begins = terms.OddInterest == OddInterest.Joins || dates.RegularStart < terms.StartsOn ? terms.StartsOn : dates.RegularStart;
        var regularFrom = dates.RegularStart > begins ? dates.RegularStart : begins;
        return new SchedulePlan(builder._rows, periods, builder._extraRows, begins, regularFrom, builder._financed, dates);
    }

    private void Run()
    {
        if (_terms.Method == ScheduleMethod.Flat)
            _flatInterest = AddOn(_balance, PeriodFactors.FromPeriod(_periods, 0), 1);

        // A disbursement sets a new level from the installment it falls in: each stretch of rows between disbursements has one level.
        var next = 0;
        var from = 0;
        while (from < Count)
        {
            while (next < _draws.Length && _draws[next].Period == from)
                next++;
            var to = next < _draws.Length ? _draws[next].Period : Count;
            RunStretch(from, to);
            from = to;
        }
    }

    private void RunStretch(int from, int to)
    {
        var balance = _balance;
        var carried = _carried;
        switch (_terms.Method)
        {
            case ScheduleMethod.EqualPayment:
                var level = PostedLevel(from);
                Pay(from, to, level, ref balance, ref carried, keep: true);
                break;
            case ScheduleMethod.Flat:
                PayFlat(from, to, ref balance);
                break;
            default:
                PayPrincipal(from, to, ref balance, ref carried);
                break;
        }

        _balance = balance;
        _carried = carried;
    }

    /// <summary>The installment of a stretch: found exactly, posted in cents, moved while that narrows the gap to the last one, then rounded to the multiple.</summary>
    private readonly long PostedLevel(int from)
    {
        var exact = Math.Max(0m, ExactLevel(from));
        var mode = _terms.Rounding.Mode;
        var first = Rounding.ToWhole(exact, mode);
        var level = first;
        var installments = Count - Math.Max(from, _terms.GracePrincipal);
        var gap = installments < 2 ? 0 : Gap(from, level);
        while (gap != 0)
        {
            var moved = Rounding.ToWhole(level + ((decimal)gap / installments), mode);
            if (moved == level || moved < 0)
                break;
            var narrower = Gap(from, moved);
            if (Math.Abs(narrower) >= Math.Abs(gap))
                break;
            (level, gap) = (moved, narrower);
        }

        var multiple = _terms.Rounding.MultipleCents;
        if (multiple == 1)
            return level;
        return Rounding.ToWhole((level == first ? exact : level) / multiple, mode) * multiple;
    }

    private readonly long Gap(int from, long level)
    {
        var balance = _balance;
        var carried = _carried;
        return Pay(from, Count, level, ref balance, ref carried, keep: false) - Math.Min(BalloonCents, OutstandingAt(from)) - level;
    }

    /// <summary>The level payment in cents at full precision: present value / sum of discount factors, each the product of the 1 / (1 + r) so far.</summary>
    /// <remarks>Within graces the balance is a linear function of the level, a - b x level, and so is the interest put off.</remarks>
    private readonly decimal ExactLevel(int from)
    {
        var grace = Math.Max(from, Math.Max(_terms.GracePrincipal, _terms.GraceInterest));
        decimal a = _balance;
        var b = 0m;
        decimal put = _carried;
        var putByLevel = 0m;
        for (var i = from; i < grace; i++)
        {
            var rate = _factors.Decimal(_periods[i].Numerator);
            put += (a * rate) + DrawInterest(i, from);
            putByLevel += b * rate;
            a += DrawAmount(i, from);
            var paid = 0m;
            var paidByLevel = 0m;
            if (i >= _terms.GraceInterest)
                (paid, paidByLevel, put, putByLevel) = (put, putByLevel, 0m, 0m);
            if (i < _terms.GracePrincipal)
                continue;
            a += paid;
            b += 1m + paidByLevel;
        }

        var value = a;
        var byLevel = b;
        var discount = 1m;
        var sum = 0m;

        // A year has few lengths of period: each one's 1 / (1 + r) is worked out once.
        Span<long> lengths = stackalloc long[8];
        Span<decimal> inverses = stackalloc decimal[8];
        var known = 0;
        for (var i = grace; i < Count; i++)
        {
            var numerator = _periods[i].Numerator;
            var at = lengths[..Math.Min(known, 8)].IndexOf(numerator);
            if (at < 0)
            {
                at = known++ % 8;
                lengths[at] = numerator;
                inverses[at] = 1m / (1m + _factors.Decimal(numerator));
            }

            discount *= inverses[at];
            sum += discount;
            if (i == grace)
            {
                value += (put + DrawAmount(i, from) + DrawInterest(i, from)) * discount;
                byLevel += putByLevel * discount;
            }
        }

        return (value - (Math.Min(BalloonCents, OutstandingAt(from)) * discount)) / (sum + byLevel);
    }

    /// <summary>Pays a level amount from one row to before another; the last row of all takes what is left.</summary>
    /// <returns>What the last row paid has due.</returns>
    private readonly long Pay(int from, int to, long level, ref long balance, ref long carried, bool keep)
    {
        var due = 0L;
        var balloon = Math.Min(BalloonCents, OutstandingAt(from));
        for (var i = from; i < to; i++)
        {
            var interest = Interest(i, from, balance) + carried;
            balance += DrawAmount(i, from);
            long principal;
            if (i == Count - 1)
            {
                carried = 0;
                principal = balance;
            }
            else if (i < _terms.GraceInterest)
            {
                carried = interest;
                interest = 0;
                principal = i < _terms.GracePrincipal ? 0 : Math.Clamp(level, 0, Math.Max(0, balance - balloon));
            }
            else if (i < _terms.GracePrincipal)
            {
                carried = 0;
                principal = 0;
            }
            else
            {
                // Interest beyond the level payment is put off, without interest on it: principal never grows.
                carried = Math.Max(0, interest - level);
                interest -= carried;
                principal = Math.Clamp(level - interest, 0, Math.Max(0, balance - balloon));
            }

            balance -= principal;
            due = principal + interest;
            if (keep)
                Keep(i, principal, interest, balance);
        }

        return due;
    }

    private readonly void PayPrincipal(int from, int to, ref long balance, ref long carried)
    {
        var interestOnly = _terms.Method == ScheduleMethod.InterestOnly;
        var rounding = _terms.Rounding;
        var balloon = Math.Min(BalloonCents, OutstandingAt(from));
        var shares = Count - Math.Max(from, _terms.GracePrincipal);
        var share = interestOnly ? 0 : Rounding.Divide(OutstandingAt(from) - balloon, shares, rounding.Mode);
        for (var i = from; i < to; i++)
        {
            var interest = Interest(i, from, balance) + carried;
            balance += DrawAmount(i, from);
            carried = i < _terms.GraceInterest ? interest : 0;
            interest -= carried;
            var principal = share;
            if (i == Count - 1)
            {
                principal = balance;
            }
            else if (i < _terms.GracePrincipal)
            {
                principal = 0;
            }
            else if (rounding.MultipleCents > 1 && !interestOnly)
            {
                principal = Rounding.ToWhole((decimal)(share + interest) / rounding.MultipleCents, rounding.Mode) * rounding.MultipleCents - interest;
            }

            principal = i == Count - 1 ? principal : Math.Clamp(principal, 0, Math.Max(0, balance - balloon));
            balance -= principal;
            Keep(i, principal, interest, balance);
        }
    }

    /// <summary>Add-on interest: the amount lent x rate x whole term, in equal parts; installments are (principal + interest) / n.</summary>
    private void PayFlat(int from, int to, ref long balance)
    {
        foreach (var draw in _draws)
        {
            if (draw.Period == from)
                _flatInterest += AddOn(draw.Cents, (draw.Part * (from >= _terms.InterestFree ? 1 : 0)) + ((Int128)PeriodFactors.FromPeriod(_periods, from + 1) * draw.Days), draw.Days);
        }

        var rounding = _terms.Rounding;
        var opening = OutstandingAt(from);
        var balloon = Math.Min(BalloonCents, opening);
        var interestRows = Count - Math.Max(from, Math.Min(Count - 1, Math.Max(_terms.GraceInterest, _terms.InterestFree)));
        var principalRows = Count - Math.Max(from, _terms.GracePrincipal);
        var exactInterest = (decimal)_flatInterest / interestRows;
        var interestShare = Rounding.ToWhole(exactInterest, rounding.Mode);
        var exactPrincipal = (decimal)(opening - balloon) / principalRows;
        balance = opening;
        for (var i = from; i < to; i++)
        {
            var isLast = i == Count - 1;
            var bearsInterest = i >= Count - interestRows;
            var interest = isLast ? _flatInterest : Math.Min(bearsInterest ? interestShare : 0, _flatInterest);
            var principal = 0L;
            if (isLast)
            {
                principal = balance;
            }
            else if (i >= _terms.GracePrincipal)
            {
                var due = Rounding.ToWhole((exactPrincipal + (bearsInterest ? exactInterest : 0m)) / rounding.MultipleCents, rounding.Mode) * rounding.MultipleCents;
                principal = Math.Clamp(due - interest, 0, Math.Max(0, balance - balloon));
            }

            balance -= principal;
            _flatInterest -= interest;
            Keep(i, principal, interest, balance);
        }
    }

    private readonly void Keep(int period, long principal, long interest, long balance)
    {
        var before = period == 0 ? _terms.StartsOn : _periods[period - 1].DueOn;
        var due = _periods[period].DueOn;
        _rows[period + _extraRows] = new ScheduleRow(period + _extraRows + 1, due, due.DayNumber - before.DayNumber, principal, interest, balance);
    }

    /// <summary>A period's interest, rounded once: what was outstanding at its start, and what was drawn within it for the days it was out.</summary>
    private readonly long Interest(int period, int from, long balance)
    {
        Int128 numerator = (Int128)balance * _periods[period].Numerator * _terms.Rate.Numerator;
        if (period != from || _draws.Length == 0 || period < _terms.InterestFree)
            return Rounding.Divide(numerator, _factors.Denominator, _terms.Rounding.Mode);

        var days = 1L;
        foreach (var draw in _draws)
        {
            if (draw.Period != period)
                continue;
            if (days == 1L)
                numerator *= days = draw.Days;
            numerator += (Int128)draw.Cents * draw.Part * _terms.Rate.Numerator;
        }

        return Rounding.Divide(numerator, _factors.Denominator * days, _terms.Rounding.Mode);
    }

    private readonly long AddOn(long cents, Int128 numerator, long days) =>
        Rounding.Divide(cents * numerator * _terms.Rate.Numerator, _factors.Denominator * days, _terms.Rounding.Mode);

    private readonly decimal DrawInterest(int period, int from)
    {
        var interest = 0m;
        if (period == from && period >= _terms.InterestFree)
        {
            foreach (var draw in _draws)
            {
                if (draw.Period == period)
                    interest += draw.Cents * _factors.Decimal(draw.Part) / draw.Days;
            }
        }

        return interest;
    }

    private readonly long DrawAmount(int period, int from)
    {
        var amount = 0L;
        if (period == from)
        {
            foreach (var draw in _draws)
            {
                if (draw.Period == period)
                    amount += draw.Cents;
            }
        }

        return amount;
    }

    private readonly long OutstandingAt(int from) => _balance + DrawAmount(from, from);

    private readonly Draw[] LaterDraws(int count, DateOnly start)
    {
        var draws = new Draw[count];
        var at = 0;
        foreach (var disbursement in _terms.Disbursements)
        {
            if (disbursement.On == start)
                continue;
            var period = 0;
            while (_periods[period].DueOn <= disbursement.On)
                period++;
            draws[at++] = new Draw(period, disbursement.Amount.Cents, _factors.PartDays(_periods, period), _factors.Part(_periods, period, disbursement.On));
        }

        Array.Sort(draws, static (one, other) => one.Period.CompareTo(other.Period));
        return draws;
    }

    private readonly long OddInterestBeforeFirstPeriod()
    {
        if (_terms.OddInterest == OddInterest.Joins || _terms.InterestFree > 0)
            return 0;
        var numerator = (Int128)_balance * _factors.OddNumerator(_terms.StartsOn);
        foreach (var disbursement in _terms.Disbursements)
        {
            if (disbursement.On != _terms.StartsOn)
                numerator += (Int128)disbursement.Amount.Cents * _factors.OddNumerator(disbursement.On);
        }

        return Rounding.Divide(numerator * _terms.Rate.Numerator, _factors.Denominator, _terms.Rounding.Mode);
    }

    /// <summary>A later disbursement: the installment it falls in, and the factor from its date to that installment's due date, x days of the period.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Draw(int Period, long Cents, int Days, long Part);
}

/// <summary>One installment's due date and the numerator of its period factor.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Period(DateOnly DueOn, long Numerator);

/// <summary>A schedule with its periods: how many rows come before them, where the first one and its regular part begin, and odd interest added to the principal.</summary>
internal sealed record SchedulePlan(ScheduleRow[] Rows, Period[] Periods, int ExtraRows, DateOnly FirstBegins, DateOnly FirstRegularFrom, long FinancedCents, DueDates Dates);
