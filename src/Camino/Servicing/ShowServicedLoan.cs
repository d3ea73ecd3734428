using Camino.Data;
using Camino.Lending.Loans;
using Camino.Web.Charts;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>One event with who recorded it and what took it back.</summary>
public sealed record EventLine(LoanEvent Event, DateOnly PostedOn, DateTimeOffset RecordedAt, string RecordedBy, string? Note, string? TakenBackBy);

/// <summary>One letter of the loan.</summary>
public sealed record LetterLine(Guid Id, LetterKind Kind, DateTimeOffset WrittenAt);

/// <summary>A loan for its page.</summary>
/// <param name="OlderLetters">The last letter that is shown, where older ones follow.</param>
public sealed record ServicedView(LoanInHand InHand, LoanState State, string ProductCode, string ProductName, IReadOnlyList<EventLine> Events, IReadOnlyList<LetterLine> Letters, Guid? OlderLetters, IReadOnlyList<BalancePoint> Past, IReadOnlyList<BalancePoint> Future)
{
    public ServicedLoan Loan => InHand.Loan;
}

/// <summary>Reads one loan for its page: everything from one replay.</summary>
public sealed class ShowServicedLoan(CaminoDb db)
{
    /// <summary>Letters of one page.</summary>
    private const int LettersShown = 20;

    /// <summary>The loan, or null.</summary>
    /// <param name="lettersAfter">The last letter of the page before; null for the newest.</param>
    public async Task<ServicedView?> RunAsync(Guid id, CancellationToken ct, Guid? lettersAfter = null)
    {
        if (await db.LoanToLookAtAsync(id, ct) is not { } loan)
            return null;
        if (loan.HasDisbursements)
            _ = loan.AccountOn(loan.Today, explains: true); // the one replay that all of the page reads from
        var product = await db.Products.AsNoTracking().SingleAsync(one => one.Id == loan.Loan.ProductId, ct);
        var recorded = await (
            from one in db.LoanEvents.AsNoTracking()
            join user in db.Users on one.RecordedBy equals user.Id into users
            from user in users.DefaultIfEmpty()
            where one.LoanId == id
            orderby one.Sequence
            select new { one.Sequence, one.PostedOn, one.RecordedAt, one.Note, By = user == null ? null : user.DisplayName }).ToListAsync(ct);
        var takenBack = loan.TakenBack();
        var events = recorded.Where(row => row.Sequence <= loan.Events.Count).Select(row =>
        {
            var one = loan.Events[row.Sequence - 1];
            return new EventLine(one, row.PostedOn, row.RecordedAt, row.By ?? "", row.Note, takenBack.GetValueOrDefault(one.Key));
        }).ToList();
        var letters = await db.LoanLetters.AsNoTracking().Where(letter => letter.LoanId == id && (lettersAfter == null || letter.Id < lettersAfter)).OrderByDescending(letter => letter.Id).Take(LettersShown + 1).Select(letter => new LetterLine(letter.Id, letter.Kind, letter.WrittenAt)).ToListAsync(ct);
        var state = loan.StateOn(loan.Today);
        var (past, future) = Balances(loan, state);
        return new ServicedView(loan, state, product.Code, product.Name, events, [.. letters.Take(LettersShown)], letters.Count > LettersShown ? letters[LettersShown - 1].Id : null, past, future);
    }

    /// <summary>One letter, or null.</summary>
    public Task<LoanLetter?> LetterAsync(Guid loanId, Guid letterId, CancellationToken ct) => db.LoanLetters.AsNoTracking().SingleOrDefaultAsync(letter => letter.Id == letterId && letter.LoanId == loanId, ct);

    private static (List<BalancePoint> Past, List<BalancePoint> Future) Balances(LoanInHand loan, LoanState state)
    {
        var past = new List<BalancePoint>();
        if (loan.HasDisbursements)
        {
            foreach (var link in loan.AccountOn(loan.Today, explains: true).Explain().Where(link => link.Change != default))
            {
                if (past.Count > 0 && past[^1].On == link.On)
                    past.RemoveAt(past.Count - 1);
                past.Add(new BalancePoint(link.On, link.Owed.Principal.Dollars));
            }
        }

        if (past.Count == 0)
            return ([], []);
        var future = new List<BalancePoint>();
        // what is due already is taken as paid with the next installment
        var balance = past[^1].Amount - state.Rows.Where(row => row.IsDue).Sum(row => row.Outstanding.Principal.Dollars);
        foreach (var row in state.Rows.Where(row => !row.IsDue && row.DueOn > loan.Today))
        {
            balance -= row.Outstanding.Principal.Dollars;
            future.Add(new BalancePoint(row.DueOn, Math.Max(0m, balance)));
        }

        return (past, state.Status is LoanStatus.Current or LoanStatus.PastDue ? future : []);
    }
}
