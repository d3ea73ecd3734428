using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>The due dates that terms lead to, counted from an anchor and never from the date before, so that a clamped day returns.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct DueDates
{
    private readonly ScheduleTerms _terms;
    private readonly int _monthIndex;
    private readonly int _day;
    private readonly int _otherDay;
    private readonly DateOnly _first;

    /// <exception cref="RefusedException"><c>schedule.firstDueOn</c>, <c>schedule.payments</c>, <c>schedule.disbursements</c>.</exception>
    public DueDates(ScheduleTerms terms)
    {
        _terms = terms;
        var start = terms.StartsOn;
        var regular = terms.FirstDueOn is null;
        switch (terms.Unit)
        {
            case PeriodUnit.Month:
                // A given date that is the disbursement's own day one period on, clamped or not, makes a regular period with that day.
                var onePeriodOn = (start.Year * 12) + start.Month - 1 + terms.Every;
                regular = terms.FirstDueOn is not { } given || given == InMonth(onePeriodOn, start.Day);
                _day = regular || terms.FirstDueOn is not { } first ? start.Day : first.Day;
                _monthIndex = regular || terms.FirstDueOn is not { } due ? onePeriodOn : (due.Year * 12) + due.Month - 1;
                break;
            case PeriodUnit.HalfMonth:
                (_monthIndex, _day, _otherDay) = HalfMonths(terms, start);
                regular = Unshifted(0) == start;
                break;
            default:
                _first = terms.FirstDueOn ?? start.AddDays(StepDays);
                regular = Unshifted(0) == start;
                break;
        }

        RegularStart = regular ? start : Unshifted(0) is var begin && begin > start ? terms.Shifted(begin) : begin;
        HasOddPeriod = RegularStart != start;
        Last = this[terms.Payments];
        Refuse.If(Last.Year > 2299, "schedule.payments", $"{terms.Payments} payments run to {Last:yyyy-MM-dd}; the last due date is before the year 2300.");
        for (var i = 0; i < terms.Disbursements.Count; i++)
        {
            Refuse.If(terms.Disbursements[i].On >= Last, "schedule.disbursements",
                $"A disbursement comes before the last due date {Last:yyyy-MM-dd}; got {terms.Disbursements[i].On:yyyy-MM-dd}.");
        }
    }

    /// <summary>The last due date.</summary>
    public DateOnly Last { get; }

    /// <summary>Whether the first period is longer or shorter than a regular one.</summary>
    public bool HasOddPeriod { get; }

    /// <summary>Where the first regular period begins: one period before the first due date.</summary>
    public DateOnly RegularStart { get; }

    private int StepDays => _terms.Unit == PeriodUnit.Week ? 7 * _terms.Every : _terms.Every;

    /// <summary>The due date of an installment, 1 for the first, moved to a business day where the product says so.</summary>
    public DateOnly this[int number] => _terms.Shift == BusinessDayShift.None ? Unshifted(number) : _terms.Shifted(Unshifted(number));

    /// <summary>The due date of an installment before it is moved to a business day.</summary>
    public DateOnly Unshifted(int number)
    {
        switch (_terms.Unit)
        {
            case PeriodUnit.Month:
                return InMonth(_monthIndex + ((number - 1) * _terms.Every), _day);
            case PeriodUnit.HalfMonth:
                var steps = number - 1;
                var half = steps & 1;
                var months = (steps - half) / 2;
                // From the second day of a month the next half-month is the first day of the month after.
                return half == 0 ? InMonth(_monthIndex + months, _day) : InMonth(_monthIndex + months + (_day > _otherDay ? 1 : 0), _otherDay);
            default:
                return _first.AddDays((number - 1) * StepDays);
        }
    }

    private DateOnly InMonth(int monthIndex, int day)
    {
        var (year, month) = Math.DivRem(monthIndex, 12);
        Refuse.If(year is < 1 or > 9998, "schedule.payments", $"The payments run to the year {year}; the last due date is before the year 2300.");
        var days = DateTime.DaysInMonth(year, month + 1);
        if (day <= days)
            return new DateOnly(year, month + 1, day);
        var end = new DateOnly(year, month + 1, days);
        return _terms.MonthEnd == MonthEnd.Roll ? end.AddDays(1) : end;
    }

    private static (int MonthIndex, int Day, int OtherDay) HalfMonths(ScheduleTerms terms, DateOnly start)
    {
        if (terms.FirstDueOn is { } first)
        {
            var days = terms.HalfMonthDays ?? (first.Day <= 15 ? (first.Day, first.Day + 15) : (first.Day - 15, first.Day));
            var month = (first.Year * 12) + first.Month - 1;
            var lastDay = DateTime.DaysInMonth(first.Year, first.Month);
            if (first.Day == days.Item1)
                return (month, days.Item1, days.Item2);
            Refuse.If(first.Day != Math.Min(days.Item2, lastDay), "schedule.firstDueOn",
                $"With half-months the first due date is on day {days.Item1} or {days.Item2} of its month; got {first:yyyy-MM-dd}.");
            return (month, days.Item2, days.Item1);
        }

        var (one, two) = terms.HalfMonthDays ?? (1, 16);
        var index = (start.Year * 12) + start.Month - 1;
        if (start.Day < one)
            return (index, one, two);
        return start.Day < Math.Min(two, DateTime.DaysInMonth(start.Year, start.Month)) ? (index, two, one) : (index + 1, one, two);
    }
}
