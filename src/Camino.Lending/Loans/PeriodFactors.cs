using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>
/// The parts of a year that installments are long: integers over one denominator for the whole schedule, so that interest is an exact quotient.
/// </summary>
/// <remarks>
/// 30/360 in months is 30 days a month and in half-months 15, also at clamped dates; with day or week periods it is actual days / 360 (Apache
/// Fineract, days in month 30, days in year 360). Within such a month a later disbursement bears interest for its share of the calendar days.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
internal readonly struct PeriodFactors
{
    private readonly ScheduleTerms _terms;
    private readonly DueDates _dates;
    private readonly long _yearParts;

    public PeriodFactors(ScheduleTerms terms, DueDates dates)
    {
        _terms = terms;
        _dates = dates;
        _yearParts = terms.DayCount switch
        {
            DayCountConvention.ActualActual => DayCount.BothYears,
            DayCountConvention.Actual365 => 365,
            _ => 360,
        };
    }

    /// <summary>Denominator of rate x period factor.</summary>
    public long Denominator => _yearParts * _terms.Rate.Denominator;

    private bool IsNominal => _terms.DayCount == DayCountConvention.Thirty360 && _terms.Unit >= PeriodUnit.Month;

    /// <summary>Sets every installment's due date and factor.</summary>
    public void Fill(Span<Period> periods)
    {
        var before = _terms.StartsOn;
        for (var i = 0; i < periods.Length; i++)
        {
            var due = _dates[i + 1];
            var numerator = i == 0 && _dates.HasOddPeriod ? First(due) : Regular(before, due);
            periods[i] = new Period(due, i < _terms.InterestFree ? 0 : numerator);
            before = due;
        }
    }

    /// <summary>rate x numerator / denominator, at full precision.</summary>
    public decimal Decimal(long numerator) => (decimal)numerator * _terms.Rate.Numerator / Denominator;

    /// <summary>The numerators of all periods from one on, added up.</summary>
    public static long FromPeriod(ReadOnlySpan<Period> periods, int from)
    {
        var sum = 0L;
        for (var i = from; i < periods.Length; i++)
            sum += periods[i].Numerator;
        return sum;
    }

    /// <summary>The factor from a date before the first regular period to that period's begin; 0 when the date is not before it.</summary>
    public long OddNumerator(DateOnly from) => from >= _dates.RegularStart ? 0 : Between(from, _dates.RegularStart);

    /// <summary>The calendar days that <see cref="Part"/> multiplies by: those of the regular period, or of a short first one.</summary>
    public int PartDays(ReadOnlySpan<Period> periods, int period)
    {
        var begins = period > 0 ? periods[period - 1].DueOn : Later(_terms.StartsOn, _dates.RegularStart);
        return Math.Max(1, periods[period].DueOn.DayNumber - begins.DayNumber);
    }

    /// <summary>The factor from a date within a period to its due date, x <see cref="PartDays"/>.</summary>
    public long Part(ReadOnlySpan<Period> periods, int period, DateOnly from)
    {
        var due = periods[period].DueOn;
        var days = PartDays(periods, period);
        if (period == 0 && from < _dates.RegularStart)
        {
            var odd = _terms.OddInterest == OddInterest.Joins ? OddNumerator(from) : 0;
            return (odd + Regular(_dates.RegularStart, due)) * days;
        }

        if (!IsNominal)
            return Between(from, due) * days;
        var whole = period == 0 && _dates.RegularStart < _terms.StartsOn ? First(due) : Regular(from, due);
        return whole * (due.DayNumber - from.DayNumber);
    }

    private static DateOnly Later(DateOnly one, DateOnly other) => one > other ? one : other;

    private long First(DateOnly due)
    {
        if (_dates.RegularStart < _terms.StartsOn)
            return Between(_terms.StartsOn, due);
        var regular = Regular(_dates.RegularStart, due);
        return _terms.OddInterest == OddInterest.Joins ? OddNumerator(_terms.StartsOn) + regular : regular;
    }

    private long Regular(DateOnly from, DateOnly due)
    {
        if (!IsNominal)
            return Between(from, due);
        return _terms.Unit == PeriodUnit.Month ? 30L * _terms.Every : 15L;
    }

    private long Between(DateOnly from, DateOnly to)
    {
        var days = to.DayNumber - from.DayNumber;
        return _terms.DayCount switch
        {
            DayCountConvention.Thirty360 => IsNominal ? DayCount.Days(DayCountConvention.Thirty360, from, to) : days,
            DayCountConvention.Actual360 or DayCountConvention.Actual365 => days,
            _ => DayCount.Ratio(_terms.DayCount, from, to, _dates.Last).Numerator,
        };
    }
}
