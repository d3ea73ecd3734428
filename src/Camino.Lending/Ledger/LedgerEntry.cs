using System.Runtime.InteropServices;

namespace Camino.Lending.Ledger;

/// <summary>One side of an entry.</summary>
/// <param name="Account">The account.</param>
/// <param name="Amount">Above zero a debit, below zero a credit; never zero.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LedgerLine(LedgerAccount Account, Money Amount)
{
    /// <summary>The debit, or $0.00.</summary>
    public Money Debit => Money.Max(Amount, Money.Zero);

    /// <summary>The credit, or $0.00.</summary>
    public Money Credit => Money.Max(-Amount, Money.Zero);
}

/// <summary>A balanced entry. Never edited: a mistake is corrected by a further entry (<see cref="LoanLedger.Missing"/>).</summary>
/// <param name="On">The effective date. The business date on which an entry is booked is later where it is back-dated; the one who stores it adds that.</param>
/// <param name="Key">The key of the event it comes from; empty for what time did.</param>
/// <param name="Act">What it records. Date, key and act name an entry within its loan.</param>
/// <param name="Lines">At least two, in the order of <see cref="LedgerAccount"/>, each account once; debits equal credits.</param>
/// <param name="IsCorrection">Whether it corrects what was posted for the same date, key and act.</param>
public sealed record LedgerEntry(DateOnly On, string Key, LedgerAct Act, IReadOnlyList<LedgerLine> Lines, bool IsCorrection = false)
{
    /// <summary>Whether debits equal credits.</summary>
    public bool IsBalanced
    {
        get
        {
            var sum = 0L;
            foreach (var line in Lines)
                sum += line.Amount.Cents;
            return sum == 0;
        }
    }
}

/// <summary>What one account holds more or less than the loan says.</summary>
/// <param name="Account">The account of the general ledger.</param>
/// <param name="Ledger">Its balance, debits less credits.</param>
/// <param name="Loan">What the loan (the sub-ledger) says it is.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LedgerDifference(LedgerAccount Account, Money Ledger, Money Loan);
