using System.Globalization;
using Camino.Lending.Loans;

namespace Camino.Lending.Tests;

/// <summary>Fills in what a test does not care about.</summary>
internal static class Make
{
    public static Money Usd(decimal dollars) => new(dollars);

    public static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static ScheduleTerms Terms(
        decimal principal = 12_000m, decimal percent = 12m, int payments = 12, string on = "2026-01-01", PeriodUnit unit = PeriodUnit.Month, int every = 1,
        DayCountConvention dayCount = DayCountConvention.Thirty360, ScheduleMethod method = ScheduleMethod.EqualPayment) => new()
        {
            Principal = Usd(principal),
            Rate = Rate.FromPercent(percent),
            Payments = payments,
            Disbursements = [new Disbursement(Day(on), Usd(principal))],
            Unit = unit,
            Every = every,
            DayCount = dayCount,
            Method = method,
        };

    public static decimal[] Dues(Schedule schedule)
    {
        var dues = new decimal[schedule.Rows.Length];
        for (var i = 0; i < dues.Length; i++)
            dues[i] = schedule.Rows[i].Due.Dollars;
        return dues;
    }

    public static decimal[] Interests(Schedule schedule)
    {
        var interests = new decimal[schedule.Rows.Length];
        for (var i = 0; i < interests.Length; i++)
            interests[i] = schedule.Rows[i].Interest.Dollars;
        return interests;
    }

    public static string[] DueDates(Schedule schedule)
    {
        var dates = new string[schedule.Rows.Length];
        for (var i = 0; i < dates.Length; i++)
            dates[i] = schedule.Rows[i].DueOn.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return dates;
    }
}
