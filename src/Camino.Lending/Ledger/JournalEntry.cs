using System.Runtime.InteropServices;

namespace Camino.Lending.Ledger;

/// <summary>An account of the house, as an accountant sees it.</summary>
/// <param name="Name">Stored: never rename, never reuse.</param>
/// <param name="Code">Its code in the general ledger.</param>
/// <param name="English">Its name in English.</param>
/// <param name="Kind">What it is.</param>
/// <param name="IsOpen">Entries by hand are taken. What the loans keep takes none: its balance is theirs, loan by loan.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct HouseAccount(string Name, string Code, string English, AccountKind Kind, bool IsOpen);

/// <summary>The chart of the house: what the loans post to, and what beside it is posted to by hand.</summary>
public static class HouseChart
{
    /// <summary>What each loan's own state says. An entry by hand would let ledger and loans part.</summary>
    private static readonly HashSet<LedgerAccount> s_ofLoans =
    [
        LedgerAccount.LoansReceivable, LedgerAccount.InterestReceivable, LedgerAccount.FeesReceivable, LedgerAccount.PenaltiesReceivable, LedgerAccount.BorrowerCredits, LedgerAccount.UnearnedInterest,
        LedgerAccount.ChargedOffBalances, LedgerAccount.ChargedOffContra,
    ];

    private static readonly HouseAccount[] s_byHand =
    [
        new("AllowanceForLosses", "1290", "Allowance for loan losses", AccountKind.Asset, true),
        new("Suspense", "2900", "Suspense", AccountKind.Liability, true),
        new("OtherIncome", "4900", "Other income", AccountKind.Income, true),
        new("ProvisionForLosses", "5100", "Provision for loan losses", AccountKind.Expense, true),
        new("BankCharges", "5210", "Bank charges", AccountKind.Expense, true),
    ];

    /// <summary>All, in the order of their codes.</summary>
    public static IReadOnlyList<HouseAccount> All { get; } =
        [.. ChartOfAccounts.Standard.Entries.Select(entry => new HouseAccount(entry.Account.ToString(), entry.Code, entry.Name, entry.Kind, !s_ofLoans.Contains(entry.Account))).Concat(s_byHand).OrderBy(account => account.Code, StringComparer.Ordinal)];

    /// <summary>By its name.</summary>
    public static HouseAccount? Find(string name)
    {
        foreach (var account in All)
        {
            if (account.Name == name)
                return account;
        }

        return null;
    }
}

/// <summary>One side of an entry by hand.</summary>
/// <param name="Account">Name of a <see cref="HouseAccount"/>.</param>
/// <param name="Amount">Above zero a debit, below zero a credit; never zero.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct JournalLine(string Account, Money Amount);

/// <summary>An entry that an accountant makes by hand: a provision, bank charges, a correction between accounts that no loan keeps. Never edited: it is reversed by another.</summary>
public sealed record JournalEntry
{
    /// <summary>Lines at most.</summary>
    public const int MostLines = 20;

    /// <summary>Longest memo, in characters; at least 3.</summary>
    public const int LongestMemo = 300;

    /// <summary>So many days before the business date an entry may take effect.</summary>
    public const int MostDaysBack = 366;

    /// <summary>The largest amount of a line.</summary>
    public static readonly Money Largest = Money.FromCents(10_000_000_000);

    private JournalEntry(DateOnly on, string memo, IReadOnlyList<JournalLine> lines, Guid? reverses)
    {
        On = on;
        Memo = memo;
        Lines = lines;
        Reverses = reverses;
    }

    /// <summary>From when it counts.</summary>
    public DateOnly On { get; }

    /// <summary>What it is for.</summary>
    public string Memo { get; }

    /// <summary>In the order in which they were given; debits equal credits, each account once.</summary>
    public IReadOnlyList<JournalLine> Lines { get; }

    /// <summary>The entry that this one takes back; null: none.</summary>
    public Guid? Reverses { get; }

    /// <summary>The sum of its debits, which is that of its credits.</summary>
    public Money Total => Lines.Aggregate(Money.Zero, static (sum, line) => sum + Money.Max(line.Amount, Money.Zero));

    /// <summary>An entry, as it is asked for or posted on a business date.</summary>
    /// <exception cref="RefusedException"><c>journal.on</c>, <c>journal.memo</c>, <c>journal.lines</c>, <c>journal.account</c>, <c>journal.amount</c>, <c>journal.unbalanced</c>.</exception>
    public static JournalEntry Of(DateOnly on, string? memo, IReadOnlyList<JournalLine> lines, DateOnly businessDate) => Make(on, memo, lines, null, businessDate);

    /// <summary>An entry that was posted; its rules were those of then.</summary>
    public static JournalEntry Posted(DateOnly on, string memo, IReadOnlyList<JournalLine> lines, Guid? reverses) => new(on, memo, lines, reverses);

    /// <summary>The entry that takes this one back, line by line.</summary>
    /// <param name="id">Of this one.</param>
    /// <param name="on">From when that counts; not before this one does.</param>
    /// <exception cref="RefusedException"><c>journal.reversal</c>, and as for <see cref="Of"/>.</exception>
    public JournalEntry Reversal(Guid id, DateOnly on, string? memo, DateOnly businessDate)
    {
        Refuse.If(Reverses is not null, "journal.reversal", "This entry takes another back; make that one anew instead.");
        Refuse.If(on < On, "journal.on", $"on is {on:yyyy-MM-dd}; it must not be before {On:yyyy-MM-dd}, when the entry that it takes back begins to count.");
        return Make(on, memo, [.. Lines.Select(static line => line with { Amount = -line.Amount })], id, businessDate);
    }

    private static JournalEntry Make(DateOnly on, string? memo, IReadOnlyList<JournalLine> lines, Guid? reverses, DateOnly businessDate)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var earliest = businessDate.AddDays(-MostDaysBack);
        Refuse.If(on > businessDate || on < earliest, "journal.on", $"on is {on:yyyy-MM-dd}; it must be {earliest:yyyy-MM-dd} to {businessDate:yyyy-MM-dd}, the business date.");
        var words = memo?.Trim() ?? "";
        Refuse.If(words.Length is < 3 or > LongestMemo || words.Any(char.IsControl), "journal.memo", $"memo has {words.Length} characters; it must have 3 to {LongestMemo}, without control characters.");
        Refuse.If(lines.Count is < 2 or > MostLines, "journal.lines", $"lines has {lines.Count} entries; it must have 2 to {MostLines}.");
        var (sum, seen) = (Money.Zero, new HashSet<string>(StringComparer.Ordinal));
        foreach (var line in lines)
        {
            var found = HouseChart.Find(line.Account);
            Refuse.If(found is null, "journal.account", $"account is \"{(line.Account.Length > 40 ? line.Account[..40] : line.Account)}\"; there is none of that name.");
            var account = found.Value;
            Refuse.If(!account.IsOpen, "journal.account", $"account is \"{account.Name}\"; the loans keep it, and it takes no entry by hand. Do it on the loan.");
            Refuse.If(!seen.Add(line.Account), "journal.account", $"account \"{account.Name}\" stands in two lines; put them together.");
            Refuse.If(line.Amount == Money.Zero || line.Amount > Largest || -line.Amount > Largest, "journal.amount", $"amount of {account.Name} is {line.Amount}; it must be $0.01 to {Largest}, as a debit or as a credit.");
            sum += line.Amount;
        }

        Refuse.If(sum != Money.Zero, "journal.unbalanced", $"Debits and credits differ by {(sum < Money.Zero ? -sum : sum)}; they must be equal.");
        return new JournalEntry(on, words, lines, reverses);
    }
}
