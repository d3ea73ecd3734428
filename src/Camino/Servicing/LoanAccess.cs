using Camino.Data;
using Camino.Lending;
using Camino.Lending.Quotes;
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
        (await db.LoansForChangeAsync([id], ct)) is [var loan] ? loan : throw new RefusedException("loan.not_found", $"There is no loan {id}.");

    /// <summary>The same for several, locked in the order of their ids; those that are gone are left out.</summary>
    /// <remarks>
    /// The rows are locked in one statement and read in the next: a statement sees what was committed when it began, so one joined statement would wait for the lock and
    /// then still work on what it saw before.
    /// </remarks>
    public static async Task<IReadOnlyList<LoanInHand>> LoansForChangeAsync(this CaminoDb db, IReadOnlyList<Guid> ids, CancellationToken ct)
    {
        if (db.Database.CurrentTransaction is null)
            throw new InvalidOperationException("A loan is loaded for change inside a transaction.");
        if (db.ChangeTracker.Entries<ServicedLoan>().Any(entry => ids.Contains(entry.Entity.Id)))
            throw new InvalidOperationException("The loan was read before it was locked.");
        var wanted = ids.Order().ToArray();
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock_shared({DayLock})", ct);
        await db.Database.ExecuteSqlAsync($"select 1 from camino.serviced_loans where id = any({wanted}) order by id for update", ct);
        return await db.ReadLoansAsync(wanted, tracked: true, ct);
    }

    /// <summary>One loan as it is committed, to look at and to try things on: nothing of it can be kept.</summary>
    /// <returns>Null when there is none.</returns>
    public static async Task<LoanInHand?> LoanToLookAtAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        await using var snapshot = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        return (await db.ReadLoansAsync([id], tracked: false, ct)) is [var loan] ? loan : null;
    }

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

    private static async Task<IReadOnlyList<LoanInHand>> ReadLoansAsync(this CaminoDb db, Guid[] ids, bool tracked, CancellationToken ct)
    {
        var tracking = tracked ? QueryTrackingBehavior.TrackAll : QueryTrackingBehavior.NoTracking;
        var loans = await db.ServicedLoans.AsTracking(tracking).Where(loan => ids.Contains(loan.Id)).OrderBy(loan => loan.Id).ToListAsync(ct);
        if (loans.Count == 0)
            return [];
        var today = await db.TodayAsync(ct);
        var productIds = loans.Select(loan => loan.ProductId).Distinct().ToArray();
        var products = (await db.ProductVersions.AsNoTracking().Where(version => productIds.Contains(version.ProductId)).ToListAsync(ct)).ToDictionary(version => (version.ProductId, version.Number));
        var events = (await db.LoanEvents.AsNoTracking().Where(one => ids.Contains(one.LoanId)).OrderBy(one => one.LoanId).ThenBy(one => one.Sequence).Select(one => new { one.LoanId, one.Body }).ToListAsync(ct)).ToLookup(one => one.LoanId, one => one.Body);
        var installments = (await db.LoanInstallments.AsTracking(tracking).Where(row => ids.Contains(row.LoanId)).ToListAsync(ct)).ToLookup(row => row.LoanId);
        var balances = (await db.LoanBalances.AsTracking(tracking).Where(balance => ids.Contains(balance.LoanId)).ToListAsync(ct)).ToLookup(balance => balance.LoanId);
        var rules = new Dictionary<(Guid, int), Lending.Loans.LoanProduct>();
        var found = new List<LoanInHand>(loans.Count);
        foreach (var loan in loans)
        {
            var version = (loan.ProductId, loan.ProductVersion);
            if (!rules.TryGetValue(version, out var product))
                rules.Add(version, product = BookForm.ReadProduct(products[version].Rules));
            found.Add(new LoanInHand(loan, product, BookForm.ReadTerms(loan.Terms), BookForm.ReadEvents(events[loan.Id]), installments[loan.Id], balances[loan.Id], today));
        }

        return found;
    }
}
