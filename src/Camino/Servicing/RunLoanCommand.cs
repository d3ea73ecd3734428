using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Screening;

namespace Camino.Servicing;

/// <summary>What became of a command.</summary>
/// <param name="Event">Key of the event that was recorded.</param>
/// <param name="Version">The loan's version after it.</param>
public sealed record CommandAnswer(Guid LoanId, string Number, string Event, string Command, DateOnly On, int Version, LoanBalances Balances)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsRepeated { get; init; }
}

/// <summary>What is owed on a date. Amounts in dollars and cents.</summary>
public sealed record LoanBalances(DateOnly AsOf, string Status, string Principal, string Interest, string Fees, string Penalties, string AccruedInterest, string Owed, string Credit, string PastDue, int DaysPastDue, DateOnly? NextDueOn, string? NextDue)
{
    public static LoanBalances Of(ServicedLoan loan) => new(
        loan.AsOf, Words.Camel(loan.Status), Words.Amount(loan.PrincipalOwed), Words.Amount(loan.InterestOwed), Words.Amount(loan.FeesOwed), Words.Amount(loan.PenaltiesOwed), Words.Amount(loan.AccruedInterest),
        Words.Amount(loan.PrincipalOwed + loan.InterestOwed + loan.FeesOwed + loan.PenaltiesOwed + loan.AccruedInterest), Words.Amount(loan.Credit), Words.Amount(loan.PastDue), loan.DaysPastDue, loan.NextDueOn,
        loan.NextDue is { } next ? Words.Amount(next) : null);
}

/// <summary>What a command would change, for a person to look at before it is done.</summary>
/// <param name="Before">The loan on the business date without it.</param>
/// <param name="After">The loan on the business date with it.</param>
/// <param name="Entries">What would be posted to the ledger.</param>
/// <param name="Version">The version that was looked at.</param>
public sealed record CommandPreview(LoanInHand Loan, LoanEvent Event, LoanState Before, LoanState After, IReadOnlyList<(string Account, decimal Amount)> Entries, int Version);

/// <summary>Carries out one command on one loan: event, balances, ledger entries, audit entry, jobs and the answer are stored together or not at all.</summary>
public sealed class RunLoanCommand(CaminoDb db, LoanTurns turns, SanctionsGate sanctions, TimeProvider clock)
{
    /// <exception cref="RefusedException">The rules of <see cref="LoanInHand"/>; <c>loan.not_found</c>, <c>loan.version</c>, <c>loan.sanctions</c>, <c>idempotency.*</c>, <c>input.*</c>.</exception>
    public async Task<CommandAnswer> RunAsync(Guid loanId, LoanCommand command, CommandInput input, AskedBy by, CancellationToken ct)
    {
        using var turn = await turns.TakeAsync(loanId, ct);
        // on a transaction of its own, and before this one holds a connection: what is found stays, also where the loan is not paid out
        var stop = command == LoanCommand.Disburse ? await sanctions.LookAsync(loanId, by.UserId, ct) : null;
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var fingerprint = $"{command.Name} {loanId} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}";
        if (await db.ClaimAsync(by, fingerprint, at, ct) is { } before)
            return (JsonSerializer.Deserialize<CommandAnswer>(before, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };

        var loan = await db.LoanForChangeAsync(loanId, ct);
        Refuse.If(by.Version is { } seen && seen != loan.Loan.Version, "loan.version", $"Loan {loan.Loan.Number} has changed: version {by.Version} was looked at, it is now {loan.Loan.Version}. Look again.");
        stop?.Throw(loan.Loan.Number);
        var recorded = loan.Record(command.Read(input, loan.Today), string.IsNullOrWhiteSpace(input.Note) ? null : input.Note.Trim(), at, by.UserId);
        db.Keep(loan);
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, "loan." + command.Name, "loan", loanId.ToString(), JsonSerializer.Serialize(new { @event = recorded.Key, on = recorded.EffectiveOn })));
        if (command.Letter is not null)
            db.Enqueue(new WriteLetter(loanId, recorded.Sequence), new JobOptions { RequestedBy = by.UserId.ToString() });
        await db.SaveChangesAsync(ct);
        var answer = new CommandAnswer(loanId, loan.Loan.Number, recorded.Key, command.Name, recorded.EffectiveOn, loan.Loan.Version, LoanBalances.Of(loan.Loan));
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }

    /// <summary>Tries a command on the loan as it is now and keeps nothing.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>.</exception>
    public async Task<CommandPreview> TryAsync(Guid loanId, LoanCommand command, CommandInput input, CancellationToken ct)
    {
        var loan = await db.LoanToLookAtAsync(loanId, ct) ?? throw new RefusedException("loan.not_found", $"There is no loan {loanId}.");
        var version = loan.Loan.Version;
        var before = loan.StateOn(loan.Today);
        var one = command.Read(input, loan.Today);
        loan.Record(one, null, clock.GetUtcNow(), Guid.Empty);
        var after = loan.StateOn(loan.Today);
        var entries = loan.NewTransactions.Skip(loan.TimeTransactions).SelectMany(posted => posted.Entries).GroupBy(entry => entry.Account).Select(group => (Account: group.Key, Amount: group.Sum(entry => entry.Amount))).Where(line => line.Amount != 0m).ToList();
        return new CommandPreview(loan, loan.Events[^1], before, after, entries, version);
    }
}

/// <summary>Values as programs read them.</summary>
internal static class Words
{
    public static string Camel<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    public static string Amount(decimal dollars) => dollars.ToString("0.00", System.Globalization.CultureInfo.InvariantCulture);
}
