using Camino.Data;
using Camino.Servicing;
using Camino.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>What must hold of every loan at all times.</summary>
internal static class RightLoan
{
    /// <summary>The stored reading is that of a replay, the ledger is that of the reading, and every transaction comes to zero.</summary>
    public static async Task MustBeRightAsync(this ServicedBook book, Guid id)
    {
        await using var scope = book.Camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var loan = await db.LoanToLookAtAsync(id, CancellationToken.None) ?? throw new InvalidOperationException("There is no such loan.");
        var stored = loan.Loan;
        var state = loan.StateOn(stored.AsOf);
        var rows = await db.LoanInstallments.AsNoTracking().Where(row => row.LoanId == id).OrderBy(row => row.Number).ToListAsync();
        Assert.Multiple(() =>
        {
            Assert.That(stored.Events, Is.EqualTo(loan.Events.Count), "events counted");
            Assert.That(stored.Status, Is.EqualTo(state.Status));
            Assert.That((stored.PrincipalOwed, stored.InterestOwed, stored.FeesOwed, stored.PenaltiesOwed, stored.AccruedInterest, stored.Credit), Is.EqualTo(
                (state.Owed.Principal.Dollars, state.Owed.Interest.Dollars, state.Owed.Fee.Dollars, state.Owed.Penalty.Dollars, state.AccruedInterest.Dollars, state.Credit.Dollars)), "balances");
            Assert.That((stored.DaysPastDue, stored.PastDue), Is.EqualTo((state.DaysPastDue, state.PastDue.Dollars)), "days past due");
            Assert.That(rows.Select(row => (row.Number, row.DueOn, row.IsDue, row.DuePrincipal, row.DueInterest, row.PaidPrincipal, row.PaidInterest, row.PaidFee, row.WaivedFee)), Is.EqualTo(
                state.Rows.Select(row => (row.Number, row.DueOn, row.IsDue, row.Due.Principal.Dollars, row.Due.Interest.Dollars, row.Paid.Principal.Dollars, row.Paid.Interest.Dollars, row.Paid.Fee.Dollars, row.Waived.Fee.Dollars))), "installments");
        });
        Assert.That(await book.Camino.ScalarAsync<long>($"select count(*) from (select transaction_id from camino.ledger_entries where loan_id = '{id}' group by 1 having sum(amount) <> 0) unbalanced"), Is.Zero);
        Assert.That(await book.Camino.ScalarAsync<long>($"select count(*) from (select account, sum(amount) as amount from camino.ledger_entries where loan_id = '{id}' group by 1) e full join (select account, amount from camino.loan_balances where loan_id = '{id}') b using (account) where coalesce(e.amount, 0) <> coalesce(b.amount, 0)"), Is.Zero, "kept balances");
        Assert.That(await book.SumAsync(id, "LoansReceivable"), Is.EqualTo(stored.PrincipalReceivable));
        Assert.That(await book.SumAsync(id, "InterestReceivable"), Is.EqualTo(stored.InterestReceivable));
        Assert.That(await book.SumAsync(id, "BorrowerCredits"), Is.EqualTo(-stored.Credit));
    }
}
