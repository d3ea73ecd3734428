using System.Runtime.InteropServices;
using Camino.Lending.Loans;

namespace Camino.Lending.Ledger;

/// <summary>Works on the entries of one loan.</summary>
public static class LoanLedger
{
    /// <summary>What must be appended to the entries posted so far, so that they come to those of a new replay for each date, key, act and account.</summary>
    /// <param name="posted">All entries of the loan that are stored, corrections included, in any order.</param>
    /// <param name="replayed">The entries of a replay (<see cref="LoanAccount.Entries"/>) to a date not before that of any entry posted.</param>
    /// <returns>Balanced entries in order of their dates; empty when all is posted. Those for which something was posted before are corrections.</returns>
    /// <remarks>
    /// A back-dated event, a reversal or a return changes the replay; the difference is posted and nothing is edited. Asking again after the
    /// result is stored gives nothing, so a retry or a second worker cannot post twice.
    /// </remarks>
    public static IReadOnlyList<LedgerEntry> Missing(IEnumerable<LedgerEntry> posted, IEnumerable<LedgerEntry> replayed)
    {
        var groups = new Dictionary<EntryName, Sums>();
        foreach (var entry in posted)
            Add(groups, entry, -1, isPosted: true);
        foreach (var entry in replayed)
            Add(groups, entry, 1, isPosted: false);

        var missing = new List<LedgerEntry>();
        foreach (var (name, sums) in groups)
        {
            if (sums.ToEntry(name.On, name.Key, name.Act, sums.IsPosted) is { } entry)
                missing.Add(entry);
        }

        missing.Sort(static (one, other) => one.On != other.On ? one.On.CompareTo(other.On) : one.Act != other.Act ? one.Act.CompareTo(other.Act) : string.CompareOrdinal(one.Key, other.Key));
        return missing;
    }

    /// <summary>The balance of every account, debits less credits, in the order of <see cref="LedgerAccount"/>; accounts with no balance too.</summary>
    public static IReadOnlyDictionary<LedgerAccount, Money> Balances(IEnumerable<LedgerEntry> entries)
    {
        var sums = new Sums();
        foreach (var entry in entries)
            sums.Add(entry.Lines, 1);
        var balances = new Dictionary<LedgerAccount, Money>(ChartOfAccounts.Count);
        for (var i = 0; i < ChartOfAccounts.Count; i++)
            balances.Add((LedgerAccount)i, Money.FromCents(sums.Of((LedgerAccount)i)));
        return balances;
    }

    /// <summary>Where the general ledger and the loan do not agree; empty when they do.</summary>
    /// <param name="account">The loan, replayed with its ledger to the date of the entries.</param>
    /// <param name="entries">The entries of the loan that are stored.</param>
    /// <param name="basis">The product's basis: on the cash basis interest, fees and penalties owed are not in the ledger.</param>
    /// <remarks>Source: lending rules, "Ledger": a loan's balances equal the sum of its entries at all times. Interest accrued since the last posting is added.</remarks>
    public static IReadOnlyList<LedgerDifference> Differences(LoanAccount account, IEnumerable<LedgerEntry> entries, AccountingBasis basis)
    {
        var balances = Balances(entries);
        var state = account.State();
        var isGone = state.Status == LoanStatus.ChargedOff;
        var isAccrued = basis == AccountingBasis.Accrual && !isGone;
        var found = new List<LedgerDifference>();
        Compare(LedgerAccount.LoansReceivable, isGone ? Money.Zero : state.Owed.Principal);
        Compare(LedgerAccount.InterestReceivable, isAccrued ? state.Owed.Interest + state.AccruedInterest - account.AccruedSincePosting : Money.Zero);
        Compare(LedgerAccount.FeesReceivable, isAccrued ? state.Owed.Fee : Money.Zero);
        Compare(LedgerAccount.PenaltiesReceivable, isAccrued ? state.Owed.Penalty : Money.Zero);
        Compare(LedgerAccount.BorrowerCredits, -state.Credit);
        Compare(LedgerAccount.ChargedOffBalances, state.ChargedOff);
        Compare(LedgerAccount.ChargedOffContra, -state.ChargedOff);
        var sum = 0L;
        foreach (var balance in balances.Values)
            sum += balance.Cents;
        if (sum != 0)
            found.Add(new LedgerDifference(LedgerAccount.Cash, balances[LedgerAccount.Cash], balances[LedgerAccount.Cash] - Money.FromCents(sum)));
        return found;

        void Compare(LedgerAccount what, Money loan)
        {
            if (balances[what] != loan)
                found.Add(new LedgerDifference(what, balances[what], loan));
        }
    }

    /// <summary>Entries of one date, key and act become one; in order of their dates.</summary>
    internal static List<LedgerEntry> InOrder(List<LedgerEntry> entries)
    {
        var at = new Dictionary<EntryName, int>(entries.Count);
        var merged = new List<LedgerEntry>(entries.Count);
        foreach (var entry in entries)
        {
            var name = new EntryName(entry.On, entry.Key, entry.Act);
            if (!at.TryAdd(name, merged.Count))
            {
                var sums = new Sums();
                sums.Add(merged[at[name]].Lines, 1);
                sums.Add(entry.Lines, 1);
                merged[at[name]] = sums.ToEntry(entry.On, entry.Key, entry.Act, isCorrection: false) ?? entry with { Lines = [] };
                continue;
            }

            merged.Add(entry);
        }

        merged.RemoveAll(static entry => entry.Lines.Count == 0);
        return [.. merged.OrderBy(static entry => entry.On)]; // stable
    }

    private static void Add(Dictionary<EntryName, Sums> groups, LedgerEntry entry, int sign, bool isPosted)
    {
        var name = new EntryName(entry.On, entry.Key, entry.Act);
        ref var sums = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, name, out _);
        sums ??= new Sums();
        sums.IsPosted |= isPosted;
        sums.Add(entry.Lines, sign);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct EntryName(DateOnly On, string Key, LedgerAct Act);

    /// <summary>Cents for each account.</summary>
    internal sealed class Sums
    {
        private readonly long[] _cents = new long[ChartOfAccounts.Count];

        public bool IsPosted { get; set; }

        public long Of(LedgerAccount account) => _cents[(int)account];

        public void Add(IReadOnlyList<LedgerLine> lines, int sign)
        {
            foreach (var line in lines)
                _cents[(int)line.Account] += sign * line.Amount.Cents;
        }

        /// <summary>Posts an amount as a rule says; below zero the other way round.</summary>
        public void Add(PostingRule rule, long cents)
        {
            _cents[(int)rule.Debit] += cents;
            _cents[(int)rule.Credit] -= cents;
        }

        public LedgerEntry? ToEntry(DateOnly on, string key, LedgerAct act, bool isCorrection)
        {
            var count = 0;
            foreach (var cents in _cents)
                count += cents == 0 ? 0 : 1;
            if (count == 0)
                return null;
            var lines = new LedgerLine[count];
            var used = 0;
            for (var i = 0; i < _cents.Length; i++)
            {
                if (_cents[i] != 0)
                    lines[used++] = new LedgerLine((LedgerAccount)i, Money.FromCents(_cents[i]));
            }

            return new LedgerEntry(on, key, act, lines, isCorrection);
        }

        public void Clear() => Array.Clear(_cents);
    }
}
