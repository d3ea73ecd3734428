using System.Text.Json;
using Camino.Audit;
using Camino.Branches;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Loans;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>What is asked for when a loan is to be renewed; who asks is known.</summary>
public sealed record RenewalInput
{
    /// <summary>The whole new loan in dollars, 1.00 to 10,000,000.00: what pays the old one off comes out of it.</summary>
    public string? Amount { get; init; }

    /// <summary>What it is for: up to 500 characters.</summary>
    public string? Purpose { get; init; }

    /// <summary>For how long, 1 to 360 months.</summary>
    public int? TermMonths { get; init; }

    /// <summary>Sales of a year in dollars, 0.00 to 100,000,000.00.</summary>
    public string? AnnualRevenue { get; init; }

    /// <summary>The applicant agreed anew to be looked up at credit bureaus.</summary>
    public bool CreditConsent { get; init; }

    /// <summary>Reads a body.</summary>
    internal static RenewalInput From(JsonBody body) => body.All(one => new RenewalInput { Amount = one.Text("amount"), Purpose = one.Text("purpose"), TermMonths = one.Whole("termMonths"), AnnualRevenue = one.Text("annualRevenue"), CreditConsent = one.Flag("creditConsent") });
}

/// <summary>Takes the application for the renewal of a loan in. Whom it is from is taken over from the borrower, numbers sealed as they are; from there it takes the way of every application.</summary>
public sealed class RenewLoan(CaminoDb db, ExchangeKeys exchanges, TimeProvider clock)
{
    /// <param name="fromStaff">Typed by staff; else sent by a program.</param>
    /// <exception cref="RefusedException"><c>loan.not_found</c>, <c>renewal.*</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid loanId, RenewalInput input, bool fromStaff, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var wish = CheckedApplication.ReadWish(input);
        await exchanges.EnsureAsync(ct); // the checks seal what they ask under it
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"loan.renew {loanId} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var loan = await db.LoanToTryAsync(loanId, ct); // locked: of two who ask at once, one is first
        var number = loan.Loan.Number;
        loan.Renewal().Check(number);
        await db.CheckFreeAsync(loanId, number, null, ct);
        var borrower = await BorrowerAsync(loanId, number, ct);

        var id = Guid.CreateVersion7();
        var (course, received) = ApplicationCourse.Receive(new Actor(ActorKind.Staff, by.UserId), at);
        var stored = await db.Database.SqlQuery<string>(
            $"""
            insert into camino.applications (id, state, version, channel, name, trade_name, language, street, city, place_state, zip, amount, purpose, term_months, annual_revenue, started_on, credit_consent,
                received_at, received_by, changed_at, expires_at, branch_id)
            select {id}, {(short)course.State}, {course.Version}, {(fromStaff ? "staff" : "api")}, b.name, b.trade_name, b.language, p.street, p.city, case when length(p.state) = 2 then p.state end, case when length(p.zip) in (5, 10) then p.zip end,
                {wish.Amount}, {wish.Purpose}, {(short?)wish.TermMonths}, {wish.AnnualRevenue}, (select a.started_on from camino.application_loans l join camino.applications a on a.id = l.application_id where l.loan_id = {loanId}), {wish.CreditConsent},
                {at}, {by.UserId}, {at}, {course.ExpiresAt}, (select l.branch_id from camino.loan_branches l where l.loan_id = {loanId})
            from camino.borrowers b left join lateral (select * from camino.borrower_addresses a where a.borrower_id = b.id order by a.position limit 1) p on true where b.id = {borrower}
            returning number as "Value"
            """).ToListAsync(ct);
        await TakeOverAsync(id, borrower, at, by.UserId, ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.application_renewals (application_id, loan_id) values ({id}, {loanId})", ct);
        await db.KeepEventAsync(id, received, ct);
        db.Enqueue(new BeginChecks(id), new JobOptions { RequestedBy = by.UserId.ToString() });
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, "loan.renew", "loan", loanId.ToString(), JsonSerializer.Serialize(new { application = id })));
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, stored[0], course), by, "application.received", at, new { version = 1, channel = fromStaff ? "staff" : "api", renews = loanId }, ct);
    }

    private sealed record Known(Guid Id, bool CanBeReached);

    private async Task<Guid> BorrowerAsync(Guid loanId, string number, CancellationToken ct)
    {
        var (bound, seen) = (db.Scope.IsBound, db.Scope.Seen ?? []);
        var found = await db.Database.SqlQuery<Known>(
            $"""
            select b.id as "Id", exists (select from camino.borrower_contacts c where c.borrower_id = b.id) as "CanBeReached"
            from camino.loan_borrowers k join camino.borrowers b on b.id = k.borrower_id where k.loan_id = {loanId} and ({!bound} or b.branch_id is null or b.branch_id = any({seen}))
            """).ToListAsync(ct);
        Refuse.If(found.Count == 0, "renewal.borrower", $"Nobody knows yet whose loan {number} is; try again when its borrower was linked.");
        Refuse.If(!found[0].CanBeReached, "renewal.contact", $"The borrower of loan {number} has neither a phone nor an e-mail address; add one first.");
        return found[0].Id;
    }

    /// <summary>Ways to reach the borrower and what of them it chose, owners with the dates of birth of the application before, and every number as it is sealed.</summary>
    private Task<int> TakeOverAsync(Guid id, Guid borrower, DateTimeOffset at, Guid by, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
        insert into camino.application_contacts (application_id, position, kind, value, digits) select {id}, c.position, c.kind, c.value, c.digits from camino.borrower_contacts c where c.borrower_id = {borrower};
        insert into camino.application_contact_choices (application_id, email, text, chosen_at, chosen_by)
            select {id}, b.contact_by in ('any', 'email'), b.contact_by in ('any', 'phone'), {at}, {by} from camino.borrowers b where b.id = {borrower} and b.contact_by <> 'any';
        with owners as materialized (
            select o.*, camino.new_id() as new_id, (select a.birth_date from camino.application_owners a where a.id = o.id) as birth_date from camino.borrower_owners o where o.borrower_id = {borrower}
        ), kept as (
            insert into camino.application_owners (id, application_id, position, name, share_percent, is_guarantor, birth_date) select new_id, {id}, position, name, share_percent, is_guarantor, birth_date from owners
        )
        insert into camino.application_identifiers (id, application_id, owner_id, kind, sealed, hash, last4)
            select camino.new_id(), {id}, o.new_id, i.kind, i.sealed, i.hash, i.last4 from camino.borrower_identifiers i left join owners o on o.id = i.owner_id where i.borrower_id = {borrower}
        """, ct);
}

/// <summary>Whether a loan may be renewed, and what became of it.</summary>
/// <param name="MayRenew">Whether an application for its renewal would be taken in now.</param>
/// <param name="Months">Whole months without a late installment up to the business date.</param>
/// <param name="Since">From when it was paid on time.</param>
/// <param name="AskedMonths">What its product asks for; null where its loans are not renewed.</param>
/// <param name="GraceDays">Days after its due date on which an installment still counts as paid on time.</param>
/// <param name="Payoff">What pays it off on the business date, in dollars; null where nothing is owed.</param>
/// <param name="Application">The open application for its renewal.</param>
/// <param name="RenewedBy">The loan that renews it.</param>
/// <param name="Renews">The loan that it renews.</param>
/// <param name="PaidOff">What of <paramref name="Renews"/> was paid off with its money, in dollars; null before it was handed out.</param>
public sealed record RenewalView(bool MayRenew, int Months, DateOnly Since, int? AskedMonths, int? GraceDays, decimal? Payoff, NumberedLink? Application, NumberedLink? RenewedBy, NumberedLink? Renews, decimal? PaidOff);

/// <summary>Reads what there is to say about the renewal of a loan, and what an application renews.</summary>
public sealed class ShowRenewal(CaminoDb db, BranchScope scope)
{
    private sealed record Link(string Kind, Guid Id, string Number, decimal? Amount);

    /// <param name="loan">The loan as it was read.</param>
    public async Task<RenewalView> RunAsync(LoanInHand loan, CancellationToken ct)
    {
        var id = loan.Loan.Id;
        var (bound, seen) = (scope.IsBound, scope.Seen ?? []);
        var links = await db.Database.SqlQuery<Link>(
            $"""
            select 'application' as "Kind", a.id as "Id", a.number as "Number", null::numeric as "Amount" from camino.application_renewals r join camino.applications a on a.id = r.application_id
                where r.loan_id = {id} and a.ended_at is null and ({!bound} or a.branch_id is null or a.branch_id = any({seen}))
            union all
            (select 'renewedBy', s.id, s.number, r.payoff from camino.loan_renewals r join camino.serviced_loans s on s.id = r.loan_id left join camino.loan_branches b on b.loan_id = s.id
                where r.renewed_id = {id} and ({!bound} or b.branch_id is null or b.branch_id = any({seen})) order by (r.paid_event is null), s.id desc limit 1)
            union all
            select 'renews', s.id, s.number, r.payoff from camino.loan_renewals r join camino.serviced_loans s on s.id = r.renewed_id left join camino.loan_branches b on b.loan_id = s.id
                where r.loan_id = {id} and ({!bound} or b.branch_id is null or b.branch_id = any({seen}))
            """).ToListAsync(ct);
        var standing = loan.Renewal();
        var payoff = standing.Status is LoanStatus.Current or LoanStatus.PastDue ? loan.PayoffOn(loan.Today).Amount.Dollars : (decimal?)null;
        var open = Of("application");
        return new RenewalView(
            standing.MayRenew && open is null && Of("renewedBy") is null, standing.Months, standing.Since, standing.Rule?.OnTimeMonths, standing.Rule?.GraceDays, payoff, open, Of("renewedBy"), Of("renews"),
            links.Find(one => one.Kind == "renews")?.Amount);

        NumberedLink? Of(string kind) => links.Find(one => one.Kind == kind) is { } found ? new NumberedLink(found.Id, found.Number) : null;
    }

    /// <summary>The loan that an application is to renew; null when it renews none, or one of a branch that the reader does not see.</summary>
    public async Task<NumberedLink?> OfApplicationAsync(Guid application, CancellationToken ct)
    {
        var (bound, seen) = (scope.IsBound, scope.Seen ?? []);
        return (await db.Database.SqlQuery<NumberedLink>(
            $"""
            select s.id as "Id", s.number as "Number" from camino.application_renewals r join camino.serviced_loans s on s.id = r.loan_id left join camino.loan_branches b on b.loan_id = s.id
            where r.application_id = {application} and ({!bound} or b.branch_id is null or b.branch_id = any({seen}))
            """).ToListAsync(ct)) is [var one] ? one : null;
    }
}

/// <summary>What offers and the booking of a renewal have to do with the loan that is renewed.</summary>
internal static class Renewals
{
    private sealed record Renewed(Guid LoanId, Guid BorrowerId);

    /// <summary>The loan that an application is to renew, and whose it is; null when it renews none.</summary>
    public static async Task<(Guid Loan, Guid Borrower)?> RenewedByAsync(this CaminoDb db, Guid application, CancellationToken ct) =>
        (await db.Database.SqlQuery<Renewed>($"select r.loan_id as \"LoanId\", k.borrower_id as \"BorrowerId\" from camino.application_renewals r join camino.loan_borrowers k on k.loan_id = r.loan_id where r.application_id = {application}").ToListAsync(ct)) is [var one]
            ? (one.LoanId, one.BorrowerId) : null;

    /// <summary>What a renewal with these terms pays off on the day of its disbursement; null when the application renews nothing.</summary>
    /// <exception cref="RefusedException"><c>renewal.*</c>, <c>offer.renewal</c>.</exception>
    public static async Task<RenewalPayoff?> PayoffOfAsync(this CaminoDb db, Guid application, ScheduleTerms terms, CancellationToken ct)
    {
        if (await db.RenewedByAsync(application, ct) is not { } renewed)
            return null;
        var old = await db.RenewableAsync(renewed.Loan, ct);
        var on = terms.Disbursements[0].On;
        var payoff = old.RenewalPayoffOn(on);
        Refuse.If(terms.Principal <= payoff, "offer.renewal", $"{payoff} will pay loan {old.Loan.Number} off on {on:yyyy-MM-dd}; its renewal lends more than that, got {terms.Principal}.");
        return RenewalPayoff.Of(old.Loan, payoff, terms.Principal);
    }

    /// <summary>The loan that is to be renewed, while its product allows it; locked where the caller has a transaction.</summary>
    /// <exception cref="RefusedException"><c>renewal.*</c>, <c>loan.not_found</c>.</exception>
    public static async Task<LoanInHand> RenewableAsync(this CaminoDb db, Guid loanId, CancellationToken ct)
    {
        var loan = db.Database.CurrentTransaction is null ? await db.LoanToLookAtAsync(loanId, ct) : await db.LoanToTryAsync(loanId, ct);
        Refuse.If(loan is null, "loan.not_found", $"There is no loan {loanId}.");
        loan.Renewal().Check(loan.Loan.Number);
        await db.CheckNotRenewedAsync(loanId, loan.Loan.Number, ct);
        return loan;
    }

    /// <summary>A loan is renewed once: while another loan is booked that is to pay it off, and after that.</summary>
    /// <exception cref="RefusedException"><c>renewal.waiting</c>.</exception>
    public static async Task CheckNotRenewedAsync(this CaminoDb db, Guid loanId, string number, CancellationToken ct)
    {
        var by = await db.Database.SqlQuery<string>($"select s.number as \"Value\" from camino.loan_renewals r join camino.serviced_loans s on s.id = r.loan_id where r.renewed_id = {loanId} limit 1").ToListAsync(ct);
        Refuse.If(by.Count > 0, "renewal.waiting", $"Loan {number} is renewed by loan {by[0]} already.");
    }

    /// <summary>An application that ended is open again only while no other renews its loan.</summary>
    /// <exception cref="RefusedException"><c>renewal.waiting</c>.</exception>
    public static async Task CheckReopenAsync(this CaminoDb db, Guid application, CancellationToken ct)
    {
        if (await db.RenewedByAsync(application, ct) is not { } renewed)
            return;
        await db.LockLoanAsync(renewed.Loan, ct); // of two, one is first
        var number = await db.Database.SqlQuery<string>($"select number as \"Value\" from camino.serviced_loans where id = {renewed.Loan}").SingleAsync(ct);
        await db.CheckFreeAsync(renewed.Loan, number, application, ct);
    }

    /// <summary>No application for the renewal of a loan is open, and no loan renews it.</summary>
    /// <param name="but">An application that is left out.</param>
    /// <exception cref="RefusedException"><c>renewal.waiting</c>.</exception>
    public static async Task CheckFreeAsync(this CaminoDb db, Guid loanId, string number, Guid? but, CancellationToken ct)
    {
        var open = await db.Database.SqlQuery<string>($"select a.number as \"Value\" from camino.application_renewals r join camino.applications a on a.id = r.application_id where r.loan_id = {loanId} and r.application_id is distinct from {but} and a.ended_at is null").ToListAsync(ct);
        Refuse.If(open.Count > 0, "renewal.waiting", $"Application {open[0]} for the renewal of loan {number} is open already.");
        await db.CheckNotRenewedAsync(loanId, number, ct);
    }

    /// <summary>Keeps what an offer said it would pay off.</summary>
    public static Task KeepPayoffAsync(this CaminoDb db, Guid application, int offer, RenewalPayoff payoff, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"insert into camino.offer_payoffs (application_id, offer_number, loan_id, payoff) values ({application}, {(short)offer}, {payoff.LoanId}, {payoff.PaidOff.Dollars})", ct);
}
