namespace Camino.Lending;

/// <summary>What happens to a date that is not a business day. Source: ISDA 2006 Definitions, section 4.12.</summary>
public enum BusinessDayShift
{
    /// <summary>The date stays.</summary>
    None,

    /// <summary>The next business day.</summary>
    Following,

    /// <summary>The next business day, unless that is in the next month: then the one before.</summary>
    ModifiedFollowing,

    /// <summary>The business day before.</summary>
    Preceding,
}

/// <summary>Business days: Monday to Friday without the given holidays. The holidays are data; the calendar knows no country.</summary>
public sealed class BusinessCalendar
{
    /// <summary>The most holidays of a calendar.</summary>
    public const int MaxHolidays = 10_000;

    private const int MaxRun = 31;

    private readonly HashSet<DateOnly> _holidays;

    /// <param name="holidays">Dates on which the banks are closed; weekends need not be listed. At most 10,000.</param>
    /// <exception cref="RefusedException"><c>calendar.too_many_holidays</c>.</exception>
    public BusinessCalendar(IEnumerable<DateOnly> holidays)
    {
        _holidays = [.. holidays];
        Refuse.If(_holidays.Count > MaxHolidays, "calendar.too_many_holidays", $"A calendar holds at most {MaxHolidays} holidays; got {_holidays.Count}.");
    }

    /// <summary>Weekends only.</summary>
    public static BusinessCalendar WeekendsOnly { get; } = new([]);

    /// <summary>The holidays, earliest first.</summary>
    public IReadOnlyList<DateOnly> Holidays => [.. _holidays.Order()];

    /// <summary>Whether the banks are open.</summary>
    public bool IsBusinessDay(DateOnly date) => date.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday) && !_holidays.Contains(date);

    /// <summary>Moves a date to a business day.</summary>
    /// <exception cref="RefusedException"><c>calendar.no_business_day</c> when 31 days in a row are closed.</exception>
    public DateOnly Shift(DateOnly date, BusinessDayShift shift)
    {
        switch (shift)
        {
            case BusinessDayShift.Following:
                return Walk(date, 1);
            case BusinessDayShift.Preceding:
                return Walk(date, -1);
            case BusinessDayShift.ModifiedFollowing:
                var next = Walk(date, 1);
                return next.Month == date.Month ? next : Walk(date, -1);
            default:
                return date;
        }
    }

    /// <summary>The date a number of business days later (or, below zero, earlier).</summary>
    /// <param name="date">Any date.</param>
    /// <param name="count">-366 to 366; 0 gives the date itself, business day or not.</param>
    /// <exception cref="RefusedException"><c>calendar.count</c>, <c>calendar.no_business_day</c>.</exception>
    public DateOnly AddBusinessDays(DateOnly date, int count)
    {
        Refuse.If(count is < -366 or > 366, "calendar.count", $"A number of business days is -366 to 366; got {count}.");
        for (var left = Math.Abs(count); left > 0; left--)
            date = Walk(date.AddDays(Math.Sign(count)), Math.Sign(count));
        return date;
    }

    private DateOnly Walk(DateOnly date, int step)
    {
        var moved = date;
        for (var run = 0; !IsBusinessDay(moved); run++)
        {
            Refuse.If(run >= MaxRun, "calendar.no_business_day", $"No business day within {MaxRun} days of {date:yyyy-MM-dd}.");
            moved = moved.AddDays(step);
        }

        return moved;
    }
}
