namespace Camino.Lending.Applications.CashFlows;

/// <summary>What kind of account a statement is of. The values are stored and never change.</summary>
public enum BankAccountKind
{
    /// <summary>The statement does not say.</summary>
    Unknown = 0,

    /// <summary>A checking account.</summary>
    Checking = 1,

    /// <summary>A savings account.</summary>
    Savings = 2,

    /// <summary>A money market account.</summary>
    MoneyMarket = 3,

    /// <summary>A credit card: what is paid to it is no income.</summary>
    CreditCard = 4,

    /// <summary>A line of credit: what is drawn from it is no income.</summary>
    CreditLine = 5,

    /// <summary>Cash that lies with a broker.</summary>
    Investment = 6,
}

/// <summary>One line of a bank statement.</summary>
/// <param name="On">The day on which the bank posted it.</param>
/// <param name="Amount">Above zero: money came in; below: it went out.</param>
/// <param name="Text">What the bank wrote.</param>
/// <param name="BankId">The bank's own name for it (FITID); null where there is none.</param>
/// <param name="IsTransfer">The bank calls it a transfer between accounts.</param>
/// <param name="Balance">The balance after it; null where the statement does not say.</param>
public sealed record StatementLine(DateOnly On, Money Amount, string Text, string? BankId = null, bool IsTransfer = false, Money? Balance = null);

/// <summary>A balance that the bank states for the end of a day.</summary>
public readonly record struct StatedBalance(DateOnly On, Money Amount);

/// <summary>What one statement says of one account.</summary>
/// <param name="Last4">The last four characters of its number; null where nobody said it: all of these are taken for one account.</param>
/// <param name="From">The first day that it covers.</param>
/// <param name="To">The last day that it covers.</param>
/// <param name="Stated">The balance at the end of a day, where the statement has one.</param>
/// <param name="Lines">In the order of the file.</param>
public sealed record StatementAccount(string? Last4, BankAccountKind Kind, DateOnly From, DateOnly To, StatedBalance? Stated, IReadOnlyList<StatementLine> Lines)
{
    /// <summary>The same account in two statements has the same name.</summary>
    public string Name => (Last4 ?? "") + (Kind is BankAccountKind.Savings or BankAccountKind.MoneyMarket or BankAccountKind.CreditCard or BankAccountKind.CreditLine ? "/" + Kind : "");

    /// <summary>Whether money in it is the business's own: what is borrowed on a card or a line of credit is none.</summary>
    public bool IsCash => Kind is not (BankAccountKind.CreditCard or BankAccountKind.CreditLine);
}
