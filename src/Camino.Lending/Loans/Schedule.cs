using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>One line of a schedule. All amounts in dollars and cents.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ScheduleRow
{
    internal ScheduleRow(int number, DateOnly dueOn, int days, long principal, long interest, long balance)
    {
        Number = number;
        DueOn = dueOn;
        Days = days;
        PrincipalCents = principal;
        InterestCents = interest;
        BalanceCents = balance;
    }

    /// <summary>1 for the first row; a row at disbursement counts.</summary>
    public int Number { get; }

    /// <summary>When it is due.</summary>
    public DateOnly DueOn { get; }

    /// <summary>Calendar days since the row before, or since the first disbursement; 0 for a row at disbursement.</summary>
    public int Days { get; }

    /// <summary>Principal due.</summary>
    public Money Principal => Money.FromCents(PrincipalCents);

    /// <summary>Interest due.</summary>
    public Money Interest => Money.FromCents(InterestCents);

    /// <summary>All that is due: terms carry no fees, those come with events.</summary>
    public Money Due => Money.FromCents(DueCents);

    /// <summary>Principal outstanding after this row, before a disbursement on the same day.</summary>
    public Money Balance => Money.FromCents(BalanceCents);

    internal long PrincipalCents { get; }

    internal long InterestCents { get; }

    internal long BalanceCents { get; }

    internal long DueCents => PrincipalCents + InterestCents;
}

/// <summary>A schedule: its rows and their totals.</summary>
public sealed class Schedule
{
    private readonly ScheduleRow[] _rows;

    internal Schedule(ScheduleRow[] rows)
    {
        _rows = rows;
        foreach (ref readonly var row in rows.AsSpan())
        {
            TotalPrincipalCents += row.PrincipalCents;
            TotalInterestCents += row.InterestCents;
        }
    }

    /// <summary>The rows in order of their due dates.</summary>
    public ReadOnlySpan<ScheduleRow> Rows => _rows;

    /// <summary>All principal; the amount lent, and financed interest where there is any.</summary>
    public Money TotalPrincipal => Money.FromCents(TotalPrincipalCents);

    /// <summary>All interest.</summary>
    public Money TotalInterest => Money.FromCents(TotalInterestCents);

    /// <summary>All that is due.</summary>
    public Money TotalDue => Money.FromCents(TotalPrincipalCents + TotalInterestCents);

    internal long TotalPrincipalCents { get; }

    internal long TotalInterestCents { get; }

    /// <summary>Works out the schedule of the terms.</summary>
    /// <exception cref="RefusedException">Codes <c>schedule.(field)</c>; see <see cref="ScheduleTerms"/> for the limits.</exception>
    /// <remarks>
    /// Interest is balance x period factor, an exact quotient rounded once to cents. The level payment is found at full precision from the
    /// product of the (1 + r), posted in cents, and then moved by (last - level) / n as long as that narrows the gap; the last row takes the
    /// remainder. A later disbursement sets a new level for the rows from then on. Source: lending rules, "Schedule"; Apache Fineract,
    /// ProgressiveEMICalculator (the search, the new level after a disbursement, 30/360 months).
    /// </remarks>
    public static Schedule Of(ScheduleTerms terms)
    {
        terms.Check();
        return new Schedule(ScheduleBuilder.Build(terms));
    }
}
