using System.Runtime.InteropServices;
using Camino.Lending.Loans;

namespace Camino.Lending.Disclosures;

/// <summary>An amount on a date; one advance or one payment of a transaction.</summary>
/// <param name="On">The date.</param>
/// <param name="Amount">Above zero.</param>
/// <param name="DayOfMonth">The day its series is scheduled for (29 to 31 in a clamped month), or the date's own.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DatedAmount(DateOnly On, Money Amount, int DayOfMonth);

/// <summary>The time from the begin of a term: full unit-periods and a fraction of one.</summary>
/// <param name="Full">Full unit-periods, 0 or more.</param>
/// <param name="Numerator">Numerator of the fraction.</param>
/// <param name="Denominator">Denominator of the fraction, above zero.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct UnitTime(int Full, long Numerator, long Denominator);

/// <summary>The unit-period of a transaction and how dates are counted in it.</summary>
/// <remarks>Source: 12 CFR 1026 Appendix J (b)(3), (4) and (5).</remarks>
[StructLayout(LayoutKind.Auto)]
public readonly record struct UnitPeriod
{
    private readonly PeriodUnit _unit;
    private readonly int _length;
    private readonly int _wholeMonths;
    private readonly bool _isSingle;

    private UnitPeriod(PeriodUnit unit, int length, bool isSingle = false, int wholeMonths = 0)
    {
        _unit = unit;
        _length = length;
        _isSingle = isSingle;
        _wholeMonths = wholeMonths;
    }

    /// <summary>Unit-periods a year, a quotient: 12 / 1 for a month, 365 / 255 for a single payment after 255 days.</summary>
    public (int Numerator, int Denominator) PerYear => _isSingle && _wholeMonths > 0 ? (12, _wholeMonths) : _unit switch
    {
        PeriodUnit.Day when _length % 7 == 0 && !_isSingle => (52, _length / 7),
        PeriodUnit.Day => (365, _length),
        PeriodUnit.Week => (52, _length),
        PeriodUnit.HalfMonth => (24, 1),
        _ => (12, _length),
    };

    /// <summary>Finds the unit-period: the common period that occurs most often, the smaller of two as frequent, or the average rounded to a standard interval.</summary>
    /// <param name="advances">In order of their dates; the term begins with the first.</param>
    /// <param name="payments">In order of their dates.</param>
    public static UnitPeriod Of(ReadOnlySpan<DatedAmount> advances, ReadOnlySpan<DatedAmount> payments)
    {
        var begin = advances[0];
        if (advances.Length == 1 && payments.Length == 1)
            return Single(begin.On, payments[0]);

        var counts = new Dictionary<(PeriodUnit Unit, int Length), int>();
        var total = 0;
        var intervals = 0;
        Count(begin, advances[1..], counts, ref total, ref intervals);
        Count(begin, payments, counts, ref total, ref intervals);

        var best = default((PeriodUnit Unit, int Length));
        var bestCount = 1;
        foreach (var (key, count) in counts)
        {
            if (count > bestCount || (count == bestCount && count > 1 && Shorter(key, best)))
                (best, bestCount) = (key, count);
        }

        return bestCount > 1 ? new UnitPeriod(best.Unit, best.Length) : Average(total, Math.Max(1, intervals));
    }

    /// <summary>The time from the begin of the term to a date.</summary>
    /// <param name="begin">The begin of the term.</param>
    /// <param name="to">The later date; months are measured back from it.</param>
    public UnitTime Between(DateOnly begin, DatedAmount to)
    {
        if (_isSingle && _wholeMonths != 12)
            return new UnitTime(to.On == begin ? 0 : 1, 0, 1);
        var days = to.On.DayNumber - begin.DayNumber;
        switch (_unit)
        {
            case PeriodUnit.Day:
                return Divide(days, _length);
            case PeriodUnit.Week:
                return Divide(days, 7 * _length);
        }

        var (months, rest) = MonthsBack(begin, to);
        if (_unit == PeriodUnit.HalfMonth)
            return Divide((30 * months) + rest, 15);
        if (_length == 1)
            return new UnitTime(months, rest, 30);
        if (_length < 12)
            return Divide((30 * months) + rest, 30 * _length);

        // (b)(5)(v): whole months / 12 where the rest is whole months, else days / 365.
        var (years, monthsLeft) = Math.DivRem(months, 12);
        if (rest == 0)
            return new UnitTime(years, monthsLeft, 12);
        var firstFullYear = Back(to, years * 12);
        return new UnitTime(years, firstFullYear.DayNumber - begin.DayNumber, 365);
    }

    private static UnitPeriod Single(DateOnly begin, DatedAmount payment)
    {
        // (b)(4)(ii), (b)(5)(vi) and (vii): the term, but at most a year.
        var (months, rest) = MonthsBack(begin, payment);
        if (months >= 12)
            return new UnitPeriod(PeriodUnit.Month, 12, isSingle: true, wholeMonths: 12);
        return rest == 0
            ? new UnitPeriod(PeriodUnit.Month, months, isSingle: true, wholeMonths: months)
            : new UnitPeriod(PeriodUnit.Day, payment.On.DayNumber - begin.DayNumber, isSingle: true);
    }

    private static void Count(
        DatedAmount begin, ReadOnlySpan<DatedAmount> dated, Dictionary<(PeriodUnit Unit, int Length), int> counts, ref int total, ref int intervals)
    {
        var before = begin;
        foreach (var one in dated)
        {
            var days = one.On.DayNumber - before.On.DayNumber;
            if (days > 0)
            {
                total += days;
                intervals++;
                Note(before, one, days, counts);
            }

            before = one;
        }
    }

    // One interval can be several periods at once (1 to 29 February is 28 days, four weeks and, from the 1st to the 1st, a month): each is counted,
    // and the period that the whole series has in common comes out most often.
    private static void Note(DatedAmount before, DatedAmount one, int days, Dictionary<(PeriodUnit Unit, int Length), int> counts)
    {
        if (days <= 366)
            Add(counts, days % 7 == 0 && days / 7 <= 52 ? (PeriodUnit.Week, days / 7) : (PeriodUnit.Day, days));
        var (months, rest) = MonthsBack(before.On, one);
        if (rest == 0 && months is >= 1 and <= 12)
            Add(counts, (PeriodUnit.Month, months));
        if (days is >= 13 and <= 17 && DayOf(one) != DayOf(before) && Math.Abs(DayOf(one) - DayOf(before)) is 14 or 15 or 16)
            Add(counts, (PeriodUnit.HalfMonth, 1));
    }

    private static int DayOf(DatedAmount dated) => Math.Max(dated.DayOfMonth, dated.On.Day);

    private static void Add(Dictionary<(PeriodUnit Unit, int Length), int> counts, (PeriodUnit Unit, int Length) key) =>
        counts[key] = counts.GetValueOrDefault(key) + 1;

    private static bool Shorter((PeriodUnit Unit, int Length) one, (PeriodUnit Unit, int Length) other) => Hours(one) < Hours(other);

    private static int Hours((PeriodUnit Unit, int Length) period) => period.Unit switch
    {
        PeriodUnit.Day => period.Length * 24,
        PeriodUnit.Week => period.Length * 7 * 24,
        PeriodUnit.HalfMonth => 365,
        _ => period.Length * 730,
    };

    /// <summary>The average of all periods, rounded to the nearest standard interval; the lower of two as near (b)(4)(i)(B).</summary>
    private static UnitPeriod Average(int total, int intervals)
    {
        var best = new UnitPeriod(PeriodUnit.Day, 1);
        var bestGap = decimal.MaxValue;
        var average = (decimal)total / intervals;
        Try((PeriodUnit.Day, 1), 1m);
        for (var weeks = 1; weeks <= 52; weeks++)
            Try((PeriodUnit.Week, weeks), 7m * weeks);
        Try((PeriodUnit.HalfMonth, 1), 15m);
        for (var months = 1; months <= 12; months++)
            Try((PeriodUnit.Month, months), months == 12 ? 365m : 30m * months);
        return best;

        void Try((PeriodUnit Unit, int Length) standard, decimal days)
        {
            var gap = Math.Abs(days - average);
            if (gap > bestGap || (gap == bestGap && days >= (decimal)best.DaysRoughly))
                return;
            bestGap = gap;
            best = new UnitPeriod(standard.Unit, standard.Length);
        }
    }

    private int DaysRoughly => Hours((_unit, _length)) / 24;

    private static UnitTime Divide(int days, int length)
    {
        var (full, rest) = Math.DivRem(days, length);
        return new UnitTime(full, rest, length);
    }

    /// <summary>Full months measured back from the later date, and the days from the earlier date to the begin of the first of them: (b)(3)(iv), (b)(5)(ii).</summary>
    private static (int Months, int Days) MonthsBack(DateOnly begin, DatedAmount to)
    {
        var months = ((to.On.Year - begin.Year) * 12) + to.On.Month - begin.Month;
        while (months > 0 && Back(to, months) < begin)
            months--;
        return (months, Back(to, months).DayNumber - begin.DayNumber);
    }

    private static DateOnly Back(DatedAmount to, int months)
    {
        if (months == 0)
            return to.On;
        var month = to.On.AddMonths(-months);
        return new DateOnly(month.Year, month.Month, Math.Min(DayOf(to), DateTime.DaysInMonth(month.Year, month.Month)));
    }
}
