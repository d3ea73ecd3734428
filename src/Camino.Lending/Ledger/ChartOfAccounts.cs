using System.Runtime.InteropServices;

namespace Camino.Lending.Ledger;

/// <summary>The accounts that a loan posts to. Stored by name: never rename, never reuse.</summary>
public enum LedgerAccount
{
    /// <summary>Money at the bank.</summary>
    Cash,

    /// <summary>Principal that borrowers owe.</summary>
    LoansReceivable,

    /// <summary>Interest accrued and not received, due or not yet due.</summary>
    InterestReceivable,

    /// <summary>Fees charged and not received.</summary>
    FeesReceivable,

    /// <summary>Late fees charged and not received.</summary>
    PenaltiesReceivable,

    /// <summary>Money of borrowers that is not used.</summary>
    BorrowerCredits,

    /// <summary>Interest for the days before the first period that was prepaid or financed and is not yet earned.</summary>
    UnearnedInterest,

    /// <summary>Interest earned.</summary>
    InterestIncome,

    /// <summary>Fees earned.</summary>
    FeeIncome,

    /// <summary>Late fees earned.</summary>
    PenaltyIncome,

    /// <summary>Money received after charge-off.</summary>
    Recoveries,

    /// <summary>Interest earned and then given up; less income.</summary>
    InterestWaived,

    /// <summary>Fees and late fees earned and then given up; less income.</summary>
    FeesWaived,

    /// <summary>Principal given up.</summary>
    PrincipalForgiven,

    /// <summary>What was owed at charge-off.</summary>
    ChargeOffLosses,

    /// <summary>Small balances written off.</summary>
    SmallBalanceLosses,

    /// <summary>Memorandum: what borrowers still owe after charge-off; no asset.</summary>
    ChargedOffBalances,

    /// <summary>Memorandum: the other side of <see cref="ChargedOffBalances"/>.</summary>
    ChargedOffContra,
}

/// <summary>What an account is.</summary>
public enum AccountKind
{
    /// <summary>Owned or owed to the lender; a debit balance.</summary>
    Asset,

    /// <summary>Owed by the lender; a credit balance.</summary>
    Liability,

    /// <summary>Earned; a credit balance.</summary>
    Income,

    /// <summary>Lost; a debit balance.</summary>
    Expense,

    /// <summary>Kept in view, outside the balance sheet.</summary>
    Memorandum,
}

/// <summary>An account as the general ledger knows it.</summary>
/// <param name="Account">What is posted to it.</param>
/// <param name="Code">Its code in the general ledger, 1 to 20 letters, digits, dots and hyphens.</param>
/// <param name="Name">Its name in English.</param>
/// <param name="Kind">What it is.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct AccountEntry(LedgerAccount Account, string Code, string Name, AccountKind Kind);

/// <summary>The general ledger's code for each account. A product may have codes of its own, so that two products are told apart in the general ledger.</summary>
public sealed record ChartOfAccounts
{
    /// <summary>How many accounts there are.</summary>
    internal const int Count = (int)LedgerAccount.ChargedOffContra + 1;

    private static readonly AccountEntry[] _standard =
    [
        new(LedgerAccount.Cash, "1010", "Cash", AccountKind.Asset),
        new(LedgerAccount.LoansReceivable, "1200", "Loans receivable", AccountKind.Asset),
        new(LedgerAccount.InterestReceivable, "1210", "Interest receivable", AccountKind.Asset),
        new(LedgerAccount.FeesReceivable, "1220", "Fees receivable", AccountKind.Asset),
        new(LedgerAccount.PenaltiesReceivable, "1230", "Late fees receivable", AccountKind.Asset),
        new(LedgerAccount.BorrowerCredits, "2100", "Borrower credits", AccountKind.Liability),
        new(LedgerAccount.UnearnedInterest, "2200", "Unearned interest", AccountKind.Liability),
        new(LedgerAccount.InterestIncome, "4010", "Interest income", AccountKind.Income),
        new(LedgerAccount.FeeIncome, "4020", "Fee income", AccountKind.Income),
        new(LedgerAccount.PenaltyIncome, "4030", "Late fee income", AccountKind.Income),
        new(LedgerAccount.Recoveries, "4100", "Recoveries of charged-off loans", AccountKind.Income),
        new(LedgerAccount.InterestWaived, "4910", "Interest waived", AccountKind.Income),
        new(LedgerAccount.FeesWaived, "4920", "Fees waived", AccountKind.Income),
        new(LedgerAccount.PrincipalForgiven, "5010", "Principal forgiven", AccountKind.Expense),
        new(LedgerAccount.ChargeOffLosses, "5020", "Charge-off losses", AccountKind.Expense),
        new(LedgerAccount.SmallBalanceLosses, "5030", "Small balances written off", AccountKind.Expense),
        new(LedgerAccount.ChargedOffBalances, "9100", "Charged-off balances (memorandum)", AccountKind.Memorandum),
        new(LedgerAccount.ChargedOffContra, "9900", "Charged-off balances, contra (memorandum)", AccountKind.Memorandum),
    ];

    private readonly AccountEntry[] _entries;

    private ChartOfAccounts(AccountEntry[] entries) => _entries = entries;

    /// <summary>The house's chart.</summary>
    public static ChartOfAccounts Standard { get; } = new(_standard);

    /// <summary>All accounts, in the order of <see cref="LedgerAccount"/>.</summary>
    public IReadOnlyList<AccountEntry> Entries => _entries;

    /// <summary>One account.</summary>
    public AccountEntry this[LedgerAccount account] => _entries[(int)account];

    /// <summary>The same chart with another code for one account. Two accounts may share a code where the general ledger does not tell them apart.</summary>
    /// <exception cref="RefusedException"><c>product.accounts</c>.</exception>
    public ChartOfAccounts With(LedgerAccount account, string code)
    {
        Refuse.If(!Enum.IsDefined(account), "product.accounts", $"Unknown account {account}.");
        Refuse.If(!IsCode(code), "product.accounts", $"The code of {account} has 1 to 20 letters, digits, dots and hyphens; got {(code.Length > 40 ? code[..40] : code)}.");
        var entries = _entries.ToArray();
        entries[(int)account] = entries[(int)account] with { Code = code };
        return new ChartOfAccounts(entries);
    }

    /// <inheritdoc/>
    public bool Equals(ChartOfAccounts? other) => other is not null && _entries.AsSpan().SequenceEqual(other._entries);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var entry in _entries)
            hash.Add(entry.Code, StringComparer.Ordinal);
        return hash.ToHashCode();
    }

    private static bool IsCode(string code)
    {
        foreach (var c in code)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-'))
                return false;
        }

        return code.Length is >= 1 and <= 20;
    }
}
