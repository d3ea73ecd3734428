using Camino.Data;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>How loans are loaded: for change, with their rows locked first; or to look at.</summary>
public static class LoanAccess
{
    /// <summary>Held shared by every command and exclusively by the close while it moves the date, so that nothing is posted to a day that has ended. "day" in base 36.</summary>
    internal const long DayLock = 17_218;

    /// <summary>Locks one loan and loads it: the one way to change a loan.</summary>
    /// <exception cref="RefusedException"><c>loan.not_found</c>.</exception>
    /// <exception cref="InvalidOperationException">there is no transaction that could hold the lock.</exception>
    public static async Task<LoanInHand> LoanForChangeAsync(this CaminoDb db, Guid id, CancellationToken ct) =>
        (await db.LockAndReadAsync([id], LoanReading.Whole, ct)) is [var loan] ? loan : throw new RefusedException("loan.not_found", $"There is no loan {id}.");

    /// <summary>Locks the loan that another one renews, whatever branch it is in.</summary>
    /// <exception cref="RefusedException"><c>loan.not_found</c>.</exception>
    internal static async Task<LoanInHand> RenewedLoanForChangeAsync(this CaminoDb db, Guid id, CancellationToken ct) =>
        (await db.LockAndReadAsync([id], LoanReading.Whole, ct, inScope: false)) is [var loan] ? loan : throw new RefusedException("loan.not_found", $"There is no loan {id}.");

    /// <summary>The same for several that only time passes for, locked in the order of their ids; those that are gone are left out.</summary>
    /// <remarks>
    /// The rows are locked in one statement and read in the next: a statement sees what was committed when it began, so one joined statement would wait for the lock and
    /// then still work on what it saw before.
    /// </remarks>
    public static Task<IReadOnlyList<LoanInHand>> LoansForChangeAsync(this CaminoDb db, IReadOnlyList<Guid> ids, CancellationToken ct) => db.LockAndReadAsync(ids, LoanReading.WithoutLedger, ct);

    private static async Task<IReadOnlyList<LoanInHand>> LockAndReadAsync(this CaminoDb db, IReadOnlyList<Guid> ids, LoanReading reading, CancellationToken ct, bool inScope = true)
    {
        if (db.Database.CurrentTransaction is null)
            throw new InvalidOperationException("A loan is loaded for change inside a transaction.");
        if (db.ChangeTracker.Entries<ServicedLoan>().Any(entry => ids.Contains(entry.Entity.Id)))
            throw new InvalidOperationException("The loan was read before it was locked.");
        var wanted = ids.Order().ToArray();
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock_shared({DayLock})", ct);
        if (inScope && db.Scope.Seen is { } seen && await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.loan_branches where loan_id = any({wanted}) and branch_id <> all({seen})").SingleAsync(ct) > 0)
            return []; // another branch's is not there
        await db.Database.ExecuteSqlAsync($"select 1 from camino.serviced_loans where id = any({wanted}) order by id for update", ct);
        return await db.ReadLoansAsync(wanted, tracked: true, reading, ct);
    }

    /// <summary>One loan as it is committed, to look at: nothing of it can be kept.</summary>
    /// <param name="toTry">Also what is posted and stored of it, to try an event on it.</param>
    /// <returns>Null when there is none.</returns>
    public static async Task<LoanInHand?> LoanToLookAtAsync(this CaminoDb db, Guid id, CancellationToken ct, bool toTry = false)
    {
        await using var snapshot = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        return (await db.ReadLoansAsync([id], tracked: false, toTry ? LoanReading.Whole : LoanReading.Events, ct)) is [var loan] ? loan : null;
    }

    /// <summary>Locks one loan and reads it to try something on it in the caller's transaction: nothing of it can be kept.</summary>
    /// <exception cref="RefusedException"><c>loan.not_found</c>.</exception>
    internal static async Task<LoanInHand> LoanToTryAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock_shared({DayLock})", ct);
        await db.LockLoanAsync(id, ct);
        return (await db.ReadLoansAsync([id], tracked: false, LoanReading.Whole, ct)) is [var loan] ? loan : throw new RefusedException("loan.not_found", $"There is no loan {id}.");
    }

    /// <summary>Has other changes of a loan wait until the caller's transaction ends.</summary>
    internal static Task LockLoanAsync(this CaminoDb db, Guid id, CancellationToken ct) => db.Database.ExecuteSqlAsync($"select 1 from camino.serviced_loans where id = {id} for update", ct);

    /// <summary>The open business date.</summary>
    public static Task<DateOnly> TodayAsync(this CaminoDb db, CancellationToken ct) => db.BusinessDays.AsNoTracking().Select(day => day.Today).SingleAsync(ct);

    /// <summary>Puts what was decided about a loan into the next save.</summary>
    public static void Keep(this CaminoDb db, LoanInHand loan)
    {
        db.LoanEvents.AddRange(loan.NewEvents);
        db.LedgerTransactions.AddRange(loan.NewTransactions);
        db.LoanInstallments.AddRange(loan.NewInstallments);
        db.LoanInstallments.RemoveRange(loan.GoneInstallments);
        db.LoanBalances.AddRange(loan.NewBalances);
    }

    /// <summary>Notes on a loan that the close could not bring it forward. Its row is locked like for any change, but nothing else is read: that is what failed.</summary>
    internal static async Task SetLoanAsideAsync(this CaminoDb db, Guid id, string reason, DateTimeOffset at, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select 1 from camino.serviced_loans where id = {id} for update", ct);
        (await db.ServicedLoans.SingleAsync(loan => loan.Id == id, ct)).SetAside(at, reason);
    }

    private static async Task<IReadOnlyList<LoanInHand>> ReadLoansAsync(this CaminoDb db, Guid[] ids, bool tracked, LoanReading reading, CancellationToken ct)
    {
        var tracking = tracked ? QueryTrackingBehavior.TrackAll : QueryTrackingBehavior.NoTracking;
        var loans = await db.ServicedLoans.AsTracking(tracking).Where(loan => ids.Contains(loan.Id)).OrderBy(loan => loan.Id).ToListAsync(ct);
        if (loans.Count == 0)
            return [];
        var today = await db.TodayAsync(ct);
        var productIds = loans.Select(loan => loan.ProductId).Distinct().ToArray();
        var products = (await db.ProductVersions.AsNoTracking().Where(version => productIds.Contains(version.ProductId)).ToListAsync(ct)).ToDictionary(version => (version.ProductId, version.Number));
        var events = (await db.LoanEvents.AsNoTracking().Where(one => ids.Contains(one.LoanId)).OrderBy(one => one.LoanId).ThenBy(one => one.Sequence).Select(one => new { one.LoanId, one.Body }).ToListAsync(ct)).ToLookup(one => one.LoanId, one => one.Body);
        var installments = (reading == LoanReading.Events ? [] : await db.LoanInstallments.AsTracking(tracking).Where(row => ids.Contains(row.LoanId)).ToListAsync(ct)).ToLookup(row => row.LoanId);
        var balances = (reading == LoanReading.Events ? [] : await db.LoanBalances.AsTracking(tracking).Where(balance => ids.Contains(balance.LoanId)).ToListAsync(ct)).ToLookup(balance => balance.LoanId);
        var posted = reading == LoanReading.Whole ? await db.PostedAsync(ids, ct) : null;
        var rules = new Dictionary<(Guid, int), LoanProduct>();
        var found = new List<LoanInHand>(loans.Count);
        foreach (var loan in loans)
        {
            var version = (loan.ProductId, loan.ProductVersion);
            if (!rules.TryGetValue(version, out var product))
                rules.Add(version, product = StoredForm.ReadProduct(products[version].Rules));
            found.Add(new LoanInHand(loan, product, StoredForm.ReadTerms(loan.Terms), [.. events[loan.Id].Select(StoredForm.ReadEvent)], installments[loan.Id], balances[loan.Id], posted?[loan.Id], today, isWhole: reading != LoanReading.Events));
        }

        return found;
    }

    /// <summary>What is posted for each loan, as the engine reads it.</summary>
    private static async Task<ILookup<Guid, Lending.Ledger.LedgerEntry>> PostedAsync(this CaminoDb db, Guid[] ids, CancellationToken ct)
    {
        var rows = await (
            from transaction in db.LedgerTransactions.AsNoTracking()
            join entry in db.LedgerEntries on transaction.Id equals entry.TransactionId
            where ids.Contains(transaction.LoanId)
            orderby transaction.Id, entry.Line
            select new { transaction.Id, transaction.LoanId, transaction.EffectiveOn, transaction.EventKey, transaction.Act, transaction.IsCorrection, entry.Account, entry.Amount }).ToListAsync(ct);
        return rows.GroupBy(row => row.Id).Select(group => (
            group.First().LoanId,
            Entry: new Lending.Ledger.LedgerEntry(
                group.First().EffectiveOn, group.First().EventKey, Enum.Parse<LedgerAct>(group.First().Act),
                [.. group.Select(row => new Lending.Ledger.LedgerLine(Enum.Parse<LedgerAccount>(row.Account), new Money(row.Amount)))], group.First().IsCorrection))).ToLookup(pair => pair.LoanId, pair => pair.Entry);
    }
}

/// <summary>How much of a loan is read.</summary>
internal enum LoanReading
{
    /// <summary>What happened, from which everything else follows: to look at.</summary>
    Events,

    /// <summary>Also what is stored of its reading: to let time pass.</summary>
    WithoutLedger,

    /// <summary>Also what is posted: to record an event.</summary>
    Whole,
}
