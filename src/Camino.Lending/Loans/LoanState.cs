using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>Where a loan stands.</summary>
public enum LoanStatus
{
    /// <summary>No money has been handed out.</summary>
    Pending,

    /// <summary>Nothing is past due.</summary>
    Current,

    /// <summary>An installment is past due.</summary>
    PastDue,

    /// <summary>Nothing is owed.</summary>
    PaidOff,

    /// <summary>Nothing is owed and a credit is due back.</summary>
    Overpaid,

    /// <summary>Charged off.</summary>
    ChargedOff,
}

/// <summary>An amount for each portion.</summary>
/// <param name="Principal">Principal.</param>
/// <param name="Interest">Interest.</param>
/// <param name="Fee">Fees.</param>
/// <param name="Penalty">Penalties.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Portions(Money Principal, Money Interest, Money Fee, Money Penalty)
{
    /// <summary>The four together.</summary>
    public Money Total => Principal + Interest + Fee + Penalty;
}

/// <summary>One installment on a date; what is not yet due is a projection with all payments on time.</summary>
/// <param name="Number">1 for the first row.</param>
/// <param name="DueOn">When it is or was due.</param>
/// <param name="IsDue">Whether the date is reached; amounts of later installments are projected.</param>
/// <param name="Due">What is due, before anything paid or waived.</param>
/// <param name="Paid">What was paid.</param>
/// <param name="Waived">What was waived or written off.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct InstallmentState(int Number, DateOnly DueOn, bool IsDue, Portions Due, Portions Paid, Portions Waived)
{
    /// <summary>What is left to pay.</summary>
    public Portions Outstanding => new(
        Due.Principal - Paid.Principal - Waived.Principal, Due.Interest - Paid.Interest - Waived.Interest, Due.Fee - Paid.Fee - Waived.Fee, Due.Penalty - Paid.Penalty - Waived.Penalty);
}

/// <summary>One link of the chain that makes up a balance.</summary>
/// <param name="On">The date it counts from.</param>
/// <param name="What">A sentence fit to show to the borrower.</param>
/// <param name="Key">The event's key, or empty for what time did.</param>
/// <param name="Change">What it added to (above zero) or took from each portion of what is owed.</param>
/// <param name="Owed">What is owed after it, without interest not yet due.</param>
/// <param name="Credit">The credit after it.</param>
public sealed record Explanation(DateOnly On, string What, string Key, Portions Change, Portions Owed, Money Credit)
{
    /// <summary>Where the interest comes from, when interest came due, was paid or given up: stretch by stretch since the last time.</summary>
    public IReadOnlyList<InterestStretch> Interest { get; init; } = [];
}

/// <summary>Interest from one date to another, on one principal at one rate.</summary>
/// <param name="From">First day; it counts.</param>
/// <param name="To">The day after the last.</param>
/// <param name="Principal">What it accrued on.</param>
/// <param name="Rate">The yearly rate.</param>
/// <param name="Amount">Dollars at full precision, shown with 6 decimals: only what comes due is rounded to cents.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct InterestStretch(DateOnly From, DateOnly To, Money Principal, Rate Rate, decimal Amount);

/// <summary>A loan on a date: the result of a replay.</summary>
/// <param name="On">The date; events of the day and everything due on the day are in.</param>
/// <param name="Status">Where the loan stands.</param>
/// <param name="Rows">The installments in order.</param>
/// <param name="Owed">All principal outstanding, and interest, fees and penalties that are due.</param>
/// <param name="AccruedInterest">Interest accrued and not yet due, rounded to cents.</param>
/// <param name="Credit">Money of the borrower that is not used.</param>
/// <param name="DaysPastDue">Days since the oldest unpaid due date, less grace and pauses.</param>
/// <param name="PastDue">Principal and interest due before the date and unpaid.</param>
/// <param name="ChargedOff">What is charged off and not recovered.</param>
/// <param name="Recovered">What was recovered after charge-off.</param>
/// <param name="Restructures">How often the loan was restructured.</param>
public sealed record LoanState(
    DateOnly On, LoanStatus Status, IReadOnlyList<InstallmentState> Rows, Portions Owed, Money AccruedInterest, Money Credit, int DaysPastDue, Money PastDue, Money ChargedOff,
    Money Recovered, int Restructures);
