using Camino.Lending;
using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>One installment as a page shows it.</summary>
/// <param name="BalanceAfter">Principal that the installments after it still have.</param>
/// <param name="IsNew">Whether a command that is being looked at makes or changes it.</param>
/// <param name="State"><c>Paid</c>, <c>Today</c>, <c>Part</c>, <c>Open</c>, <c>Ahead</c> or <c>ToCome</c>: a text of each stands under <c>Serviced.Row</c>.</param>
public sealed record ScheduleLine(InstallmentState Row, Money BalanceAfter, bool IsNew, string State)
{
    /// <summary>How its state is coloured.</summary>
    public string Tone => State switch { "Paid" => "good", "Today" => "warn", "Part" or "Open" => "bad", "Ahead" => "info", _ => "quiet" };
}

/// <summary>A schedule as a page shows it, with its totals.</summary>
/// <param name="IsPlan">Nothing is due or paid yet: what is paid and open is left out.</param>
public sealed record ScheduleView(IReadOnlyList<ScheduleLine> Lines, Portions Due, Money Paid, Money Open, bool HasFees, bool IsPlan)
{
    /// <param name="rows">The installments in order.</param>
    /// <param name="today">The business date.</param>
    /// <param name="before">The installments without the command that is being looked at; null when there is none.</param>
    public static ScheduleView Of(IReadOnlyList<InstallmentState> rows, DateOnly today, IReadOnlyList<InstallmentState>? before = null)
    {
        var lines = new ScheduleLine[rows.Count];
        var (after, open, paid) = (Money.Zero, Money.Zero, Money.Zero);
        var due = default(Portions);
        for (var i = rows.Count - 1; i >= 0; i--)
        {
            var row = rows[i];
            lines[i] = new ScheduleLine(row, after, before is not null && (i >= before.Count || before[i] != row), StateOf(row, today));
            after += row.Due.Principal;
            open += row.Outstanding.Total;
            paid += row.Paid.Total;
            due = new Portions(due.Principal + row.Due.Principal, due.Interest + row.Due.Interest, due.Fee + row.Due.Fee, due.Penalty + row.Due.Penalty);
        }

        return new ScheduleView(lines, due, paid, open, due.Fee + due.Penalty > Money.Zero, rows.All(static row => !row.IsDue && row.Paid.Total == Money.Zero));
    }

    /// <summary>A schedule of which nothing is due yet.</summary>
    public static ScheduleView Of(Schedule schedule) =>
        Of([.. schedule.Rows.ToArray().Select(row => new InstallmentState(row.Number, row.DueOn, false, new Portions(row.Principal, row.Interest, Money.Zero, Money.Zero), default, default))], DateOnly.MinValue);

    private static string StateOf(InstallmentState row, DateOnly today)
    {
        if (!row.IsDue)
            return row.Paid.Total > Money.Zero ? "Ahead" : "ToCome";
        if (row.Outstanding.Total == Money.Zero)
            return "Paid";
        if (row.DueOn == today)
            return "Today";
        return row.Paid.Total > Money.Zero ? "Part" : "Open";
    }
}
