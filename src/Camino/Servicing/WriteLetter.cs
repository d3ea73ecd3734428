using System.Text.Json;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending.Loans;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>The amounts and dates that a letter states. What the letter says in words stands in the texts of the reader's language.</summary>
public sealed record LetterFacts(DateOnly On, string? Amount, string? BankCode, string Principal, string Interest, string Fees, string Penalties, string Owed, string Credit, DateOnly? NextDueOn, string? NextDue, int Installments, DateOnly? LastDueOn);

/// <summary>Writes the letter that an event asks for: a receipt, a notice of a returned payment, of changed terms, of a charge-off.</summary>
/// <param name="Sequence">The event's place in the loan's list.</param>
public sealed record WriteLetter(Guid LoanId, int Sequence) : IJobArgs
{
    public static string Kind => "servicing.write-letter"; // stored in rows: never rename, never reuse

    /// <remarks>Safe to run twice: an event has one letter of a kind. It states the loan as it was known when the event was recorded, whatever came since.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<WriteLetter>
    {
        public async Task RunAsync(WriteLetter args, JobContext job, CancellationToken ct)
        {
            var loan = await db.LoanToLookAtAsync(args.LoanId, ct) ?? throw new JobAbandonedException("There is no such loan.");
            if (args.Sequence < 1 || args.Sequence > loan.Events.Count)
                throw new JobAbandonedException("There is no such event.");
            var one = loan.Events[args.Sequence - 1];
            var on = one.PostedOn ?? one.On;
            var known = loan.Events.Take(args.Sequence).ToList();
            var then = LoanAccount.On(loan.Product, loan.Terms, known, on).State();
            var kind = then.Status is LoanStatus.PaidOff or LoanStatus.Overpaid && one.Type == LoanEventType.Pay ? LetterKind.PaidOff : LoanCommand.Of(one.Type).Letter ?? LetterKind.ChangedTerms;
            var of = one.Of is { } key ? loan.Events.FirstOrDefault(other => other.Key == key) : null;
            var next = then.Rows.FirstOrDefault(static row => !row.IsDue && row.Outstanding.Total.Cents > 0);
            var facts = new LetterFacts(
                one.On, (of ?? one).Amount.Cents == 0 ? null : Words.Amount((of ?? one).Amount.Dollars), one.BankCode, Words.Amount(then.Owed.Principal.Dollars), Words.Amount((then.Owed.Interest + then.AccruedInterest).Dollars),
                Words.Amount(then.Owed.Fee.Dollars), Words.Amount(then.Owed.Penalty.Dollars), Words.Amount((then.Owed.Total + then.AccruedInterest).Dollars), Words.Amount(then.Credit.Dollars),
                next.Number > 0 ? next.DueOn : null, next.Number > 0 ? Words.Amount(next.Outstanding.Total.Dollars) : null, then.Rows.Count(static row => !row.IsDue), then.Rows.Count == 0 ? null : then.Rows[^1].DueOn);

            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (!await db.LoanLetters.AnyAsync(letter => letter.LoanId == args.LoanId && letter.Sequence == args.Sequence && letter.Kind == kind, ct))
                db.LoanLetters.Add(new LoanLetter(args.LoanId, args.Sequence, kind, JsonSerializer.Serialize(facts, JsonSerializerOptions.Web), clock.GetUtcNow()));
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
