namespace Camino.Lending;

/// <summary>How days and years between two dates are counted. Names and rules: ISDA 2006 Definitions, section 4.16, unless said otherwise.</summary>
public enum DayCountConvention
{
    /// <summary>30/360, bond basis: ISDA 2006, 4.16(f). A first 31st is a 30th; a second 31st too, when the first date is a 30th.</summary>
    Thirty360,

    /// <summary>30E/360, Eurobond basis: ISDA 2006, 4.16(g). Every 31st is a 30th.</summary>
    Thirty360European,

    /// <summary>30E/360 (ISDA): ISDA 2006, 4.16(h). Every month end is a 30th, except that a termination date in February stays.</summary>
    Thirty360EuropeanIsda,

    /// <summary>Actual/360: ISDA 2006, 4.16(e).</summary>
    Actual360,

    /// <summary>Actual/365 (fixed): ISDA 2006, 4.16(d).</summary>
    Actual365,

    /// <summary>Actual/actual (ISDA): ISDA 2006, 4.16(b). Split at 1 January: days in leap years / 366, other days / 365.</summary>
    ActualActual,

    /// <summary>Actual/actual (ICMA rule 251): actual days / (frequency x days of the reference period), period by period.</summary>
    ActualActualIcma,

    /// <summary>Actual/actual (AFB): whole years counted back from the end; the rest / 366 if it holds a 29 February, else / 365. Source: ISDA, "EMU and market conventions", 1998.</summary>
    ActualActualAfb,

    /// <summary>30/365: ISO 20022 interest computation method A002. Every 31st is a 30th; the days of 30-day months / 365.</summary>
    Thirty365,
}

/// <summary>Days and year fractions between two dates; exact integers as far as the convention allows.</summary>
public static class DayCount
{
    /// <summary>365 x 366: the one denominator that both kinds of year fit.</summary>
    internal const int BothYears = 365 * 366;

    /// <summary>Days from one date to another: 30-day months for the 30-day conventions, calendar days for all others.</summary>
    /// <param name="convention">The convention.</param>
    /// <param name="from">First date; its day counts.</param>
    /// <param name="to">Second date, not before <paramref name="from"/>; its day does not count.</param>
    /// <param name="terminationDate">Only for 30E/360 (ISDA): the loan's last date.</param>
    /// <exception cref="RefusedException"><c>daycount.order</c>.</exception>
    public static int Days(DayCountConvention convention, DateOnly from, DateOnly to, DateOnly? terminationDate = null)
    {
        Refuse.If(to < from, "daycount.order", $"The second date {to:yyyy-MM-dd} is before the first date {from:yyyy-MM-dd}.");
        return convention switch
        {
            DayCountConvention.Thirty360 => Thirty(from, to, from.Day == 31 ? 30 : from.Day, to.Day == 31 && from.Day >= 30 ? 30 : to.Day),
            DayCountConvention.Thirty360European or DayCountConvention.Thirty365 => Thirty(from, to, Math.Min(from.Day, 30), Math.Min(to.Day, 30)),
            DayCountConvention.Thirty360EuropeanIsda => Thirty(from, to,
                IsMonthEnd(from) ? 30 : from.Day,
                IsMonthEnd(to) && !(to.Month == 2 && to == terminationDate) ? 30 : to.Day),
            _ => to.DayNumber - from.DayNumber,
        };
    }

    /// <summary>The year fraction as a quotient of integers; not for ICMA and AFB, whose denominators are many.</summary>
    internal static (long Numerator, long Denominator) Ratio(DayCountConvention convention, DateOnly from, DateOnly to, DateOnly? terminationDate)
    {
        switch (convention)
        {
            case DayCountConvention.ActualActual:
                return (SplitAtNewYear(from, to), BothYears);
            case DayCountConvention.Actual365 or DayCountConvention.Thirty365:
                return (Days(convention, from, to, terminationDate), 365);
            case DayCountConvention.ActualActualIcma or DayCountConvention.ActualActualAfb:
                throw new RefusedException("daycount.calculator_only", $"{convention} is for the calculator, not for schedules.");
            default:
                return (Days(convention, from, to, terminationDate), 360);
        }
    }

    /// <summary>The part of a year from one date to another, at full precision.</summary>
    /// <param name="convention">The convention.</param>
    /// <param name="from">First date.</param>
    /// <param name="to">Second date, not before the first.</param>
    /// <param name="terminationDate">Only for 30E/360 (ISDA).</param>
    /// <param name="reference">Only for ICMA: the regular period the dates belong to; without it the dates themselves where they are one, else the one that ends with <paramref name="to"/>.</param>
    /// <param name="frequency">Only for ICMA: regular periods a year: 1, 2, 3, 4, 6 or 12.</param>
    /// <exception cref="RefusedException"><c>daycount.order</c>, <c>daycount.reference</c>, <c>daycount.frequency</c>.</exception>
    public static decimal Fraction(
        DayCountConvention convention, DateOnly from, DateOnly to, DateOnly? terminationDate = null, (DateOnly From, DateOnly To)? reference = null, int frequency = 1)
    {
        switch (convention)
        {
            case DayCountConvention.ActualActualIcma:
                return Icma(from, to, reference, frequency);
            case DayCountConvention.ActualActualAfb:
                return Afb(from, to);
            default:
                var (numerator, denominator) = Ratio(convention, from, to, terminationDate);
                return (decimal)numerator / denominator;
        }
    }

    /// <summary>Whether a date is the last of its month.</summary>
    public static bool IsMonthEnd(DateOnly date) => date.Day == DateTime.DaysInMonth(date.Year, date.Month);

    private static int Thirty(DateOnly from, DateOnly to, int fromDay, int toDay) =>
        ((to.Year - from.Year) * 360) + ((to.Month - from.Month) * 30) + (toDay - fromDay);

    private static long SplitAtNewYear(DateOnly from, DateOnly to)
    {
        Refuse.If(to < from, "daycount.order", $"The second date {to:yyyy-MM-dd} is before the first date {from:yyyy-MM-dd}.");
        if (from.Year == to.Year)
            return (long)(to.DayNumber - from.DayNumber) * OtherYear(from.Year);

        var numerator = (long)(new DateOnly(from.Year, 12, 31).DayNumber + 1 - from.DayNumber) * OtherYear(from.Year);
        numerator += (long)(to.Year - from.Year - 1) * BothYears;
        return numerator + ((long)(to.DayOfYear - 1) * OtherYear(to.Year));
    }

    private static int OtherYear(int year) => DateTime.IsLeapYear(year) ? 365 : 366;

    private static decimal Icma(DateOnly from, DateOnly to, (DateOnly From, DateOnly To)? given, int frequency)
    {
        Refuse.If(to < from, "daycount.order", $"The second date {to:yyyy-MM-dd} is before the first date {from:yyyy-MM-dd}.");
        Refuse.If(frequency is not (1 or 2 or 3 or 4 or 6 or 12), "daycount.frequency", $"A frequency is 1, 2, 3, 4, 6 or 12 a year; got {frequency}.");
        if (from == to)
            return 0m;
        var reference = given ?? (IsMonthsLong(from, to, 12 / frequency) ? (from, to) : (to.AddMonths(-12 / frequency), to));
        Refuse.If(reference.To <= reference.From, "daycount.reference", "The reference period must end after it begins.");

        // A stub longer than its reference period is cut into notional regular periods, counted from the reference (ICMA rule 251).
        var months = 12 / frequency;
        var monthEnd = IsMonthEnd(reference.From) && IsMonthEnd(reference.To);
        var fraction = 0m;
        for (var step = 0; Bound(reference.From, -step * months, monthEnd) > from; step++)
            fraction += Overlap(from, to, Bound(reference.From, -(step + 1) * months, monthEnd), Bound(reference.From, -step * months, monthEnd), frequency);
        fraction += Overlap(from, to, reference.From, reference.To, frequency);
        for (var step = 0; Bound(reference.To, step * months, monthEnd) < to; step++)
            fraction += Overlap(from, to, Bound(reference.To, step * months, monthEnd), Bound(reference.To, (step + 1) * months, monthEnd), frequency);
        return fraction;
    }

    /// <summary>Whether one date is so many months after the other: on the same day, or clamped, or both on month ends.</summary>
    internal static bool IsMonthsLong(DateOnly from, DateOnly to, int months) =>
        from.AddMonths(months) == to || to.AddMonths(-months) == from
        || (IsMonthEnd(from) && IsMonthEnd(to) && ((to.Year - from.Year) * 12) + to.Month - from.Month == months);

    private static DateOnly Bound(DateOnly date, int months, bool monthEnd)
    {
        var moved = date.AddMonths(months);
        return monthEnd ? new DateOnly(moved.Year, moved.Month, DateTime.DaysInMonth(moved.Year, moved.Month)) : moved;
    }

    private static decimal Overlap(DateOnly from, DateOnly to, DateOnly start, DateOnly end, int frequency)
    {
        var days = Math.Min(to.DayNumber, end.DayNumber) - Math.Max(from.DayNumber, start.DayNumber);
        return days <= 0 ? 0m : (decimal)days / ((long)frequency * (end.DayNumber - start.DayNumber));
    }

    private static decimal Afb(DateOnly from, DateOnly to)
    {
        Refuse.If(to < from, "daycount.order", $"The second date {to:yyyy-MM-dd} is before the first date {from:yyyy-MM-dd}.");
        var years = 0;
        while (BackFrom(to, years + 1) is { } earlier && earlier >= from)
            years++;
        var rest = BackFrom(to, years) ?? from;
        return years + ((decimal)(rest.DayNumber - from.DayNumber) / (HoldsLeapDay(from, rest) ? 366 : 365));
    }

    // Counting back from 28 February reaches 29 February where that exists (ISDA, "EMU and market conventions").
    private static DateOnly? BackFrom(DateOnly to, int years)
    {
        var year = to.Year - years;
        if (year < 1)
            return null;
        if (years == 0)
            return to;
        return to is { Month: 2, Day: 28 or 29 }
            ? new DateOnly(year, 2, DateTime.DaysInMonth(year, 2))
            : new DateOnly(year, to.Month, to.Day);
    }

    private static bool HoldsLeapDay(DateOnly from, DateOnly to)
    {
        for (var year = from.Year; year <= to.Year; year++)
        {
            if (DateTime.IsLeapYear(year) && new DateOnly(year, 2, 29) is var leap && leap >= from && leap < to)
                return true;
        }

        return false;
    }
}
