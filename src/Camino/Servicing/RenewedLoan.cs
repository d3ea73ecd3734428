using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Loans;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>What the money of a loan pays off when it is handed out.</summary>
/// <param name="LoanId">The loan that is paid off.</param>
/// <param name="Number">Its number.</param>
/// <param name="PaidOff">What pays it off.</param>
/// <param name="HandedOut">What is left for the borrower.</param>
public sealed record RenewalPayoff(Guid LoanId, string Number, Money PaidOff, Money HandedOut)
{
    internal static RenewalPayoff Of(ServicedLoan renewed, Money paidOff, Money principal) => new(renewed.Id, renewed.Number, paidOff, principal - paidOff);
}

/// <summary>The same as programs read it. Amounts in dollars and cents.</summary>
public sealed record RenewalPayoffView(Guid LoanId, string Number, string PaidOff, string HandedOut)
{
    public static RenewalPayoffView? Of(RenewalPayoff? one) => one is null ? null : new(one.LoanId, one.Number, Words.Amount(one.PaidOff.Dollars), Words.Amount(one.HandedOut.Dollars));
}

/// <summary>A loan that another one renews: the money of the new one pays it off, and taking that back takes the payment back too.</summary>
/// <param name="Old">The loan that is renewed.</param>
/// <param name="DisbursedEvent">Key of the new loan's event that paid it off; null before.</param>
/// <param name="PaidEvent">Key of the payment that it was; null before.</param>
internal sealed record RenewedLoan(LoanInHand Old, string? DisbursedEvent, string? PaidEvent);

/// <summary>The statements on renewals that the commands on loans share.</summary>
internal static class RenewedLoans
{
    private sealed record Stored(Guid RenewedId, string? DisbursedEvent, string? PaidEvent);

    /// <summary>Notes which loan a new one renews, in the transaction that books it.</summary>
    public static Task RenewAsync(this CaminoDb db, Guid loan, Guid renewed, CancellationToken ct) => db.Database.ExecuteSqlAsync($"insert into camino.loan_renewals (loan_id, renewed_id) values ({loan}, {renewed})", ct);

    /// <summary>Locks the loan that this one renews; null when it renews none. Before the lock on the new one: loans are locked in the order of their ids, and the old one's is lower.</summary>
    /// <remarks>The right to it comes from the new loan, so it is locked whatever branch it is in. What was noted of it is read after the lock: before it, another server may be changing it.</remarks>
    public static async Task<RenewedLoan?> RenewedForChangeAsync(this CaminoDb db, Guid loan, CancellationToken ct)
    {
        if (await db.StoredAsync(loan, ct) is not { } seen)
            return null;
        var old = await db.RenewedLoanForChangeAsync(seen.RenewedId, ct);
        var stored = await db.StoredAsync(loan, ct) ?? throw new InvalidOperationException("A renewal is never removed.");
        return new RenewedLoan(old, stored.DisbursedEvent, stored.PaidEvent);
    }

    /// <summary>The loan that this one renews, to look at; null when it renews none.</summary>
    public static async Task<RenewedLoan?> RenewedToLookAtAsync(this CaminoDb db, Guid loan, CancellationToken ct) =>
        await db.StoredAsync(loan, ct) is { } stored && await db.LoanToLookAtAsync(stored.RenewedId, ct) is { } old ? new RenewedLoan(old, stored.DisbursedEvent, stored.PaidEvent) : null;

    /// <summary>What pays a loan off that is renewed. A credit of the borrower is paid out first: some products keep it for installments, and what is less than all that is owed would join it.</summary>
    /// <exception cref="RefusedException"><c>renewal.credit</c>, and as for <see cref="LoanInHand.PayoffOn"/>.</exception>
    public static Money RenewalPayoffOn(this LoanInHand old, DateOnly on)
    {
        var quote = old.PayoffOn(on);
        Refuse.If(quote.Credit > Money.Zero, "renewal.credit", $"Loan {old.Loan.Number} has a credit of {quote.Credit}; refund it before the loan is renewed.");
        return quote.Amount;
    }

    /// <summary>What handing the money out would pay off; null when nothing is left to pay off, or it was paid off already.</summary>
    /// <exception cref="RefusedException"><c>renewal.charged_off</c>, <c>renewal.on</c>, <c>renewal.payoff</c>, <c>renewal.credit</c>.</exception>
    public static Money? PayoffBy(this RenewedLoan renewed, LoanEvent disbursement)
    {
        var old = renewed.Old;
        if (renewed.PaidEvent is not null)
            return null;
        Refuse.If(old.Loan.Status == LoanStatus.ChargedOff, "renewal.charged_off", $"Loan {old.Loan.Number}, which is to be renewed, is charged off.");
        Refuse.If(disbursement.On != old.Today, "renewal.on", $"The money of a renewal is handed out on {old.Today:yyyy-MM-dd}, the business date; got {disbursement.On:yyyy-MM-dd}.");
        var payoff = old.RenewalPayoffOn(old.Today);
        Refuse.If(payoff > disbursement.Amount, "renewal.payoff", $"{payoff} pays loan {old.Loan.Number} off, which is to be renewed; {disbursement.Amount} does not cover it.");
        return payoff == Money.Zero ? null : payoff;
    }

    /// <summary>Pays the old loan off with money of the new one, in the caller's transaction.</summary>
    /// <exception cref="RefusedException">As for <see cref="PayoffBy"/>; the rules of <see cref="LoanInHand"/>.</exception>
    public static async Task<RenewalPayoff?> PayOffAsync(this CaminoDb db, RenewedLoan renewed, ServicedLoan by, RecordedEvent disbursed, LoanEvent disbursement, DateTimeOffset at, Guid user, CancellationToken ct)
    {
        var old = renewed.Old;
        if (renewed.PayoffBy(disbursement) is not { } payoff)
            return null;
        var paid = old.Record(new LoanEvent { Key = "new", Type = LoanEventType.Pay, On = old.Today, Amount = payoff }, null, at, user);
        if (old.Loan.Status is not (LoanStatus.PaidOff or LoanStatus.Overpaid))
            throw new InvalidOperationException("The payoff left something owed.");
        db.Keep(old);
        db.AuditEntries.Add(new AuditEntry(at, user, "loan." + LoanCommand.RecordPayment.Name, "loan", old.Loan.Id.ToString(), JsonSerializer.Serialize(new { @event = paid.Key, on = paid.EffectiveOn, renewedBy = by.Id })));
        db.Enqueue(new WriteLetter(old.Loan.Id, paid.Sequence), new JobOptions { RequestedBy = user.ToString() });
        await db.Database.ExecuteSqlAsync($"update camino.loan_renewals set disbursed_event = {disbursed.Key}, paid_event = {paid.Key}, payoff = {payoff.Dollars} where loan_id = {by.Id}", ct);
        return RenewalPayoff.Of(old.Loan, payoff, disbursement.Amount);
    }

    /// <summary>The money was not handed out after all: the old loan's payment is taken back with it.</summary>
    /// <exception cref="RefusedException">The rules of <see cref="LoanInHand"/>.</exception>
    public static async Task TakeBackAsync(this CaminoDb db, RenewedLoan renewed, ServicedLoan by, LoanEvent reversal, DateTimeOffset at, Guid user, CancellationToken ct)
    {
        if (renewed.PaidEvent is null || reversal.Of != renewed.DisbursedEvent)
            return;
        var back = renewed.Old.Record(new LoanEvent { Key = "new", Type = LoanEventType.Reverse, On = reversal.On, Of = renewed.PaidEvent }, null, at, user);
        db.Keep(renewed.Old);
        db.AuditEntries.Add(new AuditEntry(at, user, "loan." + LoanCommand.Reverse.Name, "loan", renewed.Old.Loan.Id.ToString(), JsonSerializer.Serialize(new { @event = back.Key, on = back.EffectiveOn, renewedBy = by.Id })));
        await db.Database.ExecuteSqlAsync($"update camino.loan_renewals set disbursed_event = null, paid_event = null, payoff = null where loan_id = {by.Id}", ct);
    }

    /// <summary>A payment that came from a renewal is taken back where it came from.</summary>
    /// <exception cref="RefusedException"><c>renewal.paid</c>, <c>renewal.reversed</c>.</exception>
    public static async Task CheckNotFromRenewalAsync(this CaminoDb db, LoanInHand loan, LoanEvent taking, CancellationToken ct)
    {
        if (taking.Of is not { } of)
            return;
        var (id, number) = (loan.Loan.Id, loan.Loan.Number);
        if (loan.Events.Any(one => one.Key == of && one.Type is LoanEventType.Reverse or LoanEventType.Return))
        {
            // taken back twice, an event counts again, and the other loan would not know
            var stands = await db.Database.SqlQuery<bool>($"select exists (select from camino.loan_renewals where loan_id = {id} or renewed_id = {id}) as \"Value\"").SingleAsync(ct);
            Refuse.If(stands, "renewal.reversed", $"Loan {number} renews a loan or was renewed; what was taken back there is not brought back by taking that back. Record it anew.");
        }

        var from = await db.Database.SqlQuery<string>($"select s.number as \"Value\" from camino.loan_renewals r join camino.serviced_loans s on s.id = r.loan_id where r.renewed_id = {id} and r.paid_event = {of}").ToListAsync(ct);
        Refuse.If(from.Count > 0, "renewal.paid", $"Loan {number} was paid off by this payment from loan {from[0]}; take the disbursement of that loan back, and this is taken back with it.");
    }

    private static async Task<Stored?> StoredAsync(this CaminoDb db, Guid loan, CancellationToken ct) =>
        (await db.Database.SqlQuery<Stored>($"select renewed_id as \"RenewedId\", disbursed_event as \"DisbursedEvent\", paid_event as \"PaidEvent\" from camino.loan_renewals where loan_id = {loan}").ToListAsync(ct)) is [var stored] ? stored : null;
}
