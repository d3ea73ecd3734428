using System.Globalization;
using Camino.Lending;

namespace Camino.Reference;

/// <summary>The days on which the Federal Reserve is closed, 1990 to 2045; outside of these years only weekends are closed days.</summary>
/// <remarks>
/// Made by rule of 5 U.S.C. 6103 and the Federal Reserve's own: a holiday on a Sunday closes the Monday after, one on a Saturday closes no other day.
/// Kept as a list so that a day that Congress adds is one line.
/// </remarks>
public static class BankHolidays
{
    /// <summary>The calendar's name in recurring entries.</summary>
    public const string CalendarName = "us-banks";

    private const string Resource = "Camino.Reference.us-federal-bank-holidays.csv";

    private static readonly Lazy<BusinessCalendar> Calendar = new(() => new BusinessCalendar(Read()));

    /// <summary>Monday to Friday without those days.</summary>
    public static BusinessCalendar UnitedStates => Calendar.Value;

    private static List<DateOnly> Read()
    {
        using var stream = typeof(BankHolidays).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"{Resource} is not part of the program.");
        using var reader = new StreamReader(stream);
        var days = new List<DateOnly>();
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
        {
            // The last column; empty where a holiday closes no other day. Names before it may hold commas.
            var day = line[(line.LastIndexOf(',') + 1)..];
            if (day.Length > 0)
                days.Add(DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture));
        }
        return days;
    }
}
