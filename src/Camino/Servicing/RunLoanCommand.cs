using System.Globalization;
using System.Text.Json;
using Camino.Approvals;
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
    /// <summary>The loan that was paid off with the money that was handed out; left out elsewhere.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public RenewalPayoffView? Renewal { get; init; }

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
public sealed record CommandPreview(LoanInHand Loan, LoanEvent Event, LoanState Before, LoanState After, IReadOnlyList<(string Account, decimal Amount)> Entries, int Version)
{
    /// <summary>The loan that would be paid off with the money that is handed out; null elsewhere.</summary>
    public RenewalPayoff? Renewal { get; init; }
}

/// <summary>What a command led to: it is done, or it waits for a second person.</summary>
public sealed record CommandOutcome(CommandAnswer? Done, AskedApproval? Asked);

/// <summary>Carries out one command on one loan: event, balances, ledger entries, audit entry, jobs and the answer are stored together or not at all. What needs a second person is asked for instead.</summary>
public sealed class RunLoanCommand(CaminoDb db, LoanTurns turns, SanctionsGate sanctions, AskApproval ask, ApprovalOptions approvals, TimeProvider clock)
{
    /// <exception cref="RefusedException">The rules of <see cref="LoanInHand"/>; <c>loan.not_found</c>, <c>loan.version</c>, <c>loan.sanctions</c>, <c>renewal.*</c>, <c>approval.waiting</c>, <c>idempotency.*</c>, <c>input.*</c>.</exception>
    public Task<CommandOutcome> RunAsync(Guid loanId, LoanCommand command, CommandInput input, AskedBy by, CancellationToken ct) => RunAsync(loanId, command, input, by, asks: true, ct);

    /// <summary>Carries it out whatever it is; for what no person asks for: invented books for trying Camino out.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync(Guid, LoanCommand, CommandInput, AskedBy, CancellationToken)"/>.</exception>
    internal async Task<CommandAnswer> RunUnaskedAsync(Guid loanId, LoanCommand command, CommandInput input, AskedBy by, CancellationToken ct) =>
        (await RunAsync(loanId, command, input, by, asks: false, ct)).Done ?? throw new InvalidOperationException("The command waits for a second person.");

    /// <summary>Carries out what a second person approved, in the caller's transaction.</summary>
    /// <exception cref="RefusedException">The rules of <see cref="LoanInHand"/>; <c>loan.not_found</c>, <c>approval.version</c>, <c>input.*</c>.</exception>
    internal async Task<CommandAnswer> RunApprovedAsync(Guid loanId, LoanCommand command, CommandInput input, Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var loan = await db.LoanForChangeAsync(loanId, ct);
        Refuse.If(run.Seen is { } seen && seen != loan.Loan.Version, "approval.version", $"Loan {loan.Loan.Number} has changed: version {run.Seen} was looked at, it is now {loan.Loan.Version}. Look again.");
        return await RecordAsync(loan, command, input, approval.AskedBy, run.At, (run.By, approval.Id), ct);
    }

    /// <summary>Tries a command on the loan as it is now and keeps nothing.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync(Guid, LoanCommand, CommandInput, AskedBy, CancellationToken)"/>.</exception>
    public async Task<CommandPreview> TryAsync(Guid loanId, LoanCommand command, CommandInput input, CancellationToken ct)
    {
        var preview = Try(await db.LoanToLookAtAsync(loanId, ct, toTry: true) ?? throw new RefusedException("loan.not_found", $"There is no loan {loanId}."), command, input);
        if (TakesBack(command))
            await db.CheckNotFromRenewalAsync(preview.Loan, preview.Event, ct);
        if (command != LoanCommand.Disburse || await db.RenewedToLookAtAsync(loanId, ct) is not { } renewed || renewed.PayoffBy(preview.Event) is not { } payoff)
            return preview;
        return preview with { Renewal = RenewalPayoff.Of(renewed.Old.Loan, payoff, preview.Event.Amount) };
    }

    private async Task<CommandOutcome> RunAsync(Guid loanId, LoanCommand command, CommandInput input, AskedBy by, bool asks, CancellationToken ct)
    {
        using var turn = await turns.TakeAsync(loanId, ct);
        // on a transaction of its own, and before this one holds a connection: what is found stays, also where the loan is not paid out
        var stop = command == LoanCommand.Disburse ? await sanctions.LookAsync(loanId, by.UserId, ct) : null;
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var fingerprint = $"{command.Name} {loanId} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}";
        if (await db.ClaimAsync(by, fingerprint, at, ct) is { } before)
            return Repeated(before);
        if (asks && command.MayNeedSecondPerson)
        {
            var looked = await db.LoanToTryAsync(loanId, ct);
            CheckVersion(looked, by);
            if (NeedsSecondPerson(looked, command, input))
            {
                var asked = await AskAsync(looked, command, input, by.UserId, ct);
                await db.AnswerAsync(by, JsonSerializer.Serialize(asked, JsonSerializerOptions.Web), ct);
                await transaction.CommitAsync(ct);
                return new CommandOutcome(null, asked);
            }
        }

        var renewed = command == LoanCommand.Disburse || command == LoanCommand.Reverse ? await db.RenewedForChangeAsync(loanId, ct) : null;
        var loan = await db.LoanForChangeAsync(loanId, ct);
        CheckVersion(loan, by);
        stop?.Throw(loan.Loan.Number);
        var answer = await RecordAsync(loan, command, input, by.UserId, at, null, ct, renewed);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return new CommandOutcome(answer, null);
    }

    private static CommandOutcome Repeated(string before) => AskedApproval.TryRead(before, out var asked)
        ? new CommandOutcome(null, asked with { IsRepeated = true })
        : new CommandOutcome((JsonSerializer.Deserialize<CommandAnswer>(before, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true }, null);

    private static void CheckVersion(LoanInHand loan, AskedBy by) =>
        Refuse.If(by.Version is { } seen && seen != loan.Loan.Version, "loan.version", $"Loan {loan.Loan.Number} has changed: version {by.Version} was looked at, it is now {loan.Loan.Version}. Look again.");

    /// <summary>Charge-offs and write-offs always do; a waiver does when more than the limit would be waived on the loan on one business day, in however many pieces.</summary>
    private bool NeedsSecondPerson(LoanInHand loan, LoanCommand command, CommandInput input)
    {
        if (command.Type != LoanEventType.Waive)
            return command.MayNeedSecondPerson;
        var waived = loan.Events.Where(one => one.Type == LoanEventType.Waive && one.PostedOn == loan.Today).Sum(one => one.Amount.Dollars);
        return waived + InputText.Amount("amount", input.Amount).Dollars > approvals.WaiveOver;
    }

    /// <summary>Checks the command as carrying it out would, and keeps it with nothing left open.</summary>
    private async Task<AskedApproval> AskAsync(LoanInHand loan, LoanCommand command, CommandInput input, Guid by, CancellationToken ct)
    {
        var preview = Try(loan, command, input);
        var frozen = input with { On = preview.Event.On.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Note = string.IsNullOrWhiteSpace(input.Note) ? null : input.Note.Trim() };
        return await ask.AddAsync(new FrozenAct("loan." + command.Name, "loan", loan.Loan.Id.ToString(), preview.Version, JsonSerializer.Serialize(frozen, JsonSerializerOptions.Web), frozen.Note ?? ""), by, ct);
    }

    private CommandPreview Try(LoanInHand loan, LoanCommand command, CommandInput input)
    {
        var version = loan.Loan.Version;
        var before = loan.StateOn(loan.Today);
        var one = command.Read(input, loan.Today);
        loan.Record(one, null, clock.GetUtcNow(), Guid.Empty);
        var after = loan.StateOn(loan.Today);
        var entries = loan.NewTransactions.Skip(loan.TimeTransactions).SelectMany(posted => posted.Entries).GroupBy(entry => entry.Account).Select(group => (Account: group.Key, Amount: group.Sum(entry => entry.Amount))).Where(line => line.Amount != 0m).ToList();
        return new CommandPreview(loan, loan.Events[^1], before, after, entries, version);
    }

    private static bool TakesBack(LoanCommand command) => command.Type is LoanEventType.Reverse or LoanEventType.Return;

    /// <param name="approved">Who approved it, and which request; null where nobody had to.</param>
    /// <param name="renewed">The loan that this one renews, where money is handed out or that is taken back.</param>
    private async Task<CommandAnswer> RecordAsync(LoanInHand loan, LoanCommand command, CommandInput input, Guid by, DateTimeOffset at, (Guid By, Guid Approval)? approved, CancellationToken ct, RenewedLoan? renewed = null)
    {
        var one = command.Read(input, loan.Today);
        if (TakesBack(command))
            await db.CheckNotFromRenewalAsync(loan, one, ct);
        var recorded = loan.Record(one, string.IsNullOrWhiteSpace(input.Note) ? null : input.Note.Trim(), at, by);
        db.Keep(loan);
        var paidOff = renewed is not null && command == LoanCommand.Disburse ? await db.PayOffAsync(renewed, loan.Loan, recorded, one, at, by, ct) : null;
        if (renewed is not null && command == LoanCommand.Reverse)
            await db.TakeBackAsync(renewed, loan.Loan, one, at, by, ct);
        var details = approved is { } second
            ? JsonSerializer.Serialize(new { @event = recorded.Key, on = recorded.EffectiveOn, approval = second.Approval, askedBy = by })
            : JsonSerializer.Serialize(new { @event = recorded.Key, on = recorded.EffectiveOn });
        db.AuditEntries.Add(new AuditEntry(at, approved?.By ?? by, "loan." + command.Name, "loan", loan.Loan.Id.ToString(), details));
        if (command.Letter is not null)
            db.Enqueue(new WriteLetter(loan.Loan.Id, recorded.Sequence), new JobOptions { RequestedBy = by.ToString() });
        await db.SaveChangesAsync(ct);
        return new CommandAnswer(loan.Loan.Id, loan.Loan.Number, recorded.Key, command.Name, recorded.EffectiveOn, loan.Loan.Version, LoanBalances.Of(loan.Loan)) { Renewal = RenewalPayoffView.Of(paidOff) };
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

    public static string Amount(decimal dollars) => dollars.ToString("0.00", CultureInfo.InvariantCulture);
}
