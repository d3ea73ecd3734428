using System.Globalization;
using Camino.Lending.Applications.CashFlows;
using Camino.Resources;
using Camino.Web;
using Camino.Web.Charts;
using Microsoft.Extensions.Localization;

namespace Camino.Applications.Statements;

/// <summary>Statements and their figures as pages say them.</summary>
public static class StatementText
{
    /// <summary>The single marks of a line, in the order in which they are shown.</summary>
    public static IEnumerable<LineMarks> Names(LineMarks marks) => Enum.GetValues<LineMarks>().Where(one => one is not (LineMarks.None or LineMarks.Lender) && (marks & one) == one);

    /// <summary>The colour of a mark.</summary>
    public static string Tone(LineMarks mark) => mark switch
    {
        LineMarks.Deposit => "good",
        LineMarks.KnownLender or LineMarks.LoanWords or LineMarks.RegularDaily or LineMarks.RegularWeekly => "warn",
        LineMarks.Returned or LineMarks.TakenBack or LineMarks.OverdraftFee => "bad",
        _ => "quiet",
    };

    /// <summary>The colour of a statement's state.</summary>
    public static string Tone(string state) => state switch { "read" => "good", "refused" => "bad", _ => "info" };

    /// <summary>Why a statement was refused, in the reader's language.</summary>
    public static string Say(StatementProblem problem) => string.Format(CultureInfo.CurrentCulture, Refusals.Find(problem.Pattern), [.. problem.Values]);

    /// <summary>How a file was read, in a few words.</summary>
    public static string Say(this IStringLocalizer<Texts> texts, StatementShape shape)
    {
        List<string> said = [texts["Statements.Format." + shape.Format], texts["Statements.Amounts." + shape.Amounts]];
        if (shape.Dates != StatementDates.Plain)
            said.Add(texts[(shape.DatesWereTaken ? "Statements.DatesTaken." : "Statements.Dates.") + shape.Dates]);
        if (shape.Format == "csv")
            said.Add(texts[!shape.HasBalance ? "Statements.NoBalance" : shape.BalanceAddsUp ? "Statements.BalanceAddsUp" : "Statements.BalanceBroken"]);
        if (shape.Skipped > 0)
            said.Add(texts.Count("Statements.Skipped", shape.Skipped));
        if (shape.Rounded > 0)
            said.Add(texts.Count("Statements.Rounded", shape.Rounded));
        return string.Join(" · ", said);
    }

    /// <summary>Name of a month: March 2026.</summary>
    public static string Month(DateOnly day) => day.ToString("MMMM yyyy", CultureInfo.CurrentCulture);

    /// <summary>Balances for the chart: where one is not known the line breaks.</summary>
    public static IReadOnlyList<IReadOnlyList<BalancePoint>> Stretches(IReadOnlyList<DayBalance> days)
    {
        var stretches = new List<IReadOnlyList<BalancePoint>>();
        var current = new List<BalancePoint>();
        foreach (var day in days)
        {
            if (current.Count > 0 && current[^1].On.AddDays(1) != day.On)
            {
                stretches.Add(current);
                current = [];
            }

            current.Add(new BalancePoint(day.On, day.Amount.Dollars));
        }

        if (current.Count > 0)
            stretches.Add(current);
        return stretches;
    }

    /// <summary>Deposits and withdrawals of each month, also of those between that no statement covers.</summary>
    public static IReadOnlyList<ChartColumn> Columns(this IStringLocalizer<Texts> texts, IReadOnlyList<CashPeriod> months)
    {
        if (months.Count == 0)
            return [];
        var columns = new List<ChartColumn>();
        var byMonth = months.ToDictionary(month => month.From);
        var every = (months[^1].From.Year - months[0].From.Year) * 12 + months[^1].From.Month - months[0].From.Month + 1;
        for (var month = months[0].From; month <= months[^1].From; month = month.AddMonths(1))
        {
            var label = month.ToString("MM/yy", CultureInfo.InvariantCulture);
            var weight = every <= 6 ? 2 - (columns.Count % 2) : columns.Count % 6 == 0 ? 2 : every <= 18 ? 1 : 0;
            columns.Add(byMonth.TryGetValue(month, out var one)
                ? new ChartColumn(label, weight, [one.Deposits.Dollars, one.LenderDebits.Dollars], texts["Statements.MonthTitle", Month(month), Show.Money(one.Deposits.Dollars), one.DepositCount, Show.Money(one.LenderDebits.Dollars)], null)
                : new ChartColumn(label, weight, [null, null], texts["Statements.MonthMissing", Month(month)], null));
        }

        return columns;
    }
}
