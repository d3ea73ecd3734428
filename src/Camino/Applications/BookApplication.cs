using Camino.Applications.Underwriting;
using Camino.Audit;
using Camino.Borrowers;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Loans;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>Whose the loan is to be. Nothing: a new borrower, unless one with the same tax number is known.</summary>
public sealed record BookApplicationInput
{
    /// <summary>A borrower that shares name, phone or tax number with the application.</summary>
    public Guid? BorrowerId { get; init; }

    /// <summary>A new borrower, whoever is known already.</summary>
    public bool IsNew { get; init; }

    /// <summary>Reads a body.</summary>
    internal static BookApplicationInput From(JsonBody body) => body.All(one => new BookApplicationInput { BorrowerId = BorrowerOf(one.Text("borrowerId")), IsNew = one.Flag("isNew") });

    /// <exception cref="RefusedException"><c>input.borrowerId</c>.</exception>
    internal static Guid? BorrowerOf(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return Guid.TryParse(text, out var id) ? id : throw new RefusedException("input.borrowerId", $"borrowerId is the id of a borrower; got {InputText.Short(text)}.");
    }
}

/// <summary>Makes the accepted offer a loan with the very same schedule, and whoever applied its borrower: loan, borrower, event and audit entries are stored together or not at all.</summary>
public sealed class BookApplication(CaminoDb db, BookLoan book, FindDuplicates find, TimeProvider clock)
{
    private sealed record Accepted(int Number, Guid ProductId, int ProductVersion, string Terms, string Name, string Product, decimal Principal);

    /// <exception cref="RefusedException"><c>application.*</c>, <c>renewal.*</c>, <c>borrower.not_found</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, BookApplicationInput input, AskedBy by, CancellationToken ct)
    {
        var known = (await find.OfApplicationAsync(id, ct)).Where(one => one.Number is null).ToList(); // before this one holds a connection
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.booked {id} {input.BorrowerId} {input.IsNew}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var (next, step) = course.Move(ApplicationMove.Book, new Actor(ActorKind.Staff, by.UserId), null, at, by.Version);
        await db.CheckListedAsync(id, number, ct);
        var renewed = await db.RenewedByAsync(id, ct);
        if (renewed is { } old)
        {
            Refuse.If(input.IsNew || (input.BorrowerId is { } other && other != old.Borrower), "application.borrower", "A renewal goes to the borrower of the loan that it renews.");
            await db.RenewableAsync(old.Loan, ct);
        }
        else
        {
            Choose(input, known);
        }

        var offer = await db.Database.SqlQuery<Accepted>(
            $"""
            select o.number::int as "Number", o.product_id as "ProductId", o.product_version as "ProductVersion", o.terms::text as "Terms", a.name as "Name", (select p.code from camino.products p where p.id = o.product_id) as "Product", o.principal as "Principal"
            from camino.application_offers o join camino.applications a on a.id = o.application_id where o.application_id = {id} and o.state = {(short)OfferState.Accepted}
            """).SingleAsync(ct);
        await db.CheckBookingAsync(id, number, offer.Product, new Money(offer.Principal), ct);
        var borrower = renewed?.Borrower ?? input.BorrowerId ?? await AddBorrowerAsync(id, at, by.UserId, ct);
        await CarryAccountAsync(id, borrower, renewed is null && input.BorrowerId is null, by, at, ct);
        var loan = await book.AddAsync(await AgreedAsync(offer, ct), offer.Name, borrower, at, by.UserId, ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.loan_branches (loan_id, branch_id) select {loan.Id}, branch_id from camino.applications where id = {id} and branch_id is not null on conflict (loan_id) do update set branch_id = excluded.branch_id", ct);
        if (renewed is { } paidOff)
            await db.RenewAsync(loan.Id, paidOff.Loan, ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.application_loans (application_id, loan_id, offer_number, booked_at, booked_by) values ({id}, {loan.Id}, {(short)offer.Number}, {at}, {by.UserId})", ct);
        await db.KeepCourseAsync(id, next, step, ct);
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, next) with { Offer = offer.Number, LoanId = loan.Id }, by, "application.booked", at, new { version = next.Version, offer = offer.Number, loan = loan.Id, borrower, isNew = renewed is null && input.BorrowerId is null, renews = renewed?.Loan }, ct);
    }

    /// <summary>Nobody becomes two borrowers unseen, and no loan goes to somebody who has nothing in common with who applied.</summary>
    private static void Choose(BookApplicationInput input, List<DuplicateView> known)
    {
        Refuse.If(input is { BorrowerId: not null, IsNew: true }, "application.borrower", "A borrower is chosen or made, not both.");
        if (input.BorrowerId is { } chosen)
        {
            Refuse.If(known.TrueForAll(one => one.Id != chosen), "application.borrower", $"Borrower {chosen} shares neither name nor phone nor tax number with the application.");
            return;
        }

        var same = known.Count(one => one.Why.Contains("taxNumber"));
        Refuse.If(same > 0 && !input.IsNew, "application.borrower", $"{same} borrowers with the same tax number are known; choose one of them, or say that this is a new one.");
    }

    private async Task<AgreedLoan> AgreedAsync(Accepted offer, CancellationToken ct)
    {
        var product = await db.Products.AsNoTracking().SingleAsync(one => one.Id == offer.ProductId, ct);
        var version = await db.ProductVersions.AsNoTracking().SingleAsync(one => one.ProductId == offer.ProductId && one.Number == offer.ProductVersion, ct);
        return new AgreedLoan(product, version, StoredForm.ReadTerms(offer.Terms), offer.Terms);
    }

    /// <summary>The applicant's bank account becomes one of the borrower, sealed as it is, and verified where the service said so; one that is closed or was not found does not, nor one that the borrower has.</summary>
    private async Task CarryAccountAsync(Guid id, Guid borrower, bool isNew, AskedBy by, DateTimeOffset at, CancellationToken ct)
    {
        var accounts = await db.Database.SqlQuery<Guid>(
            $"""
            insert into camino.borrower_accounts (id, borrower_id, holder, routing, sealed, last4, added_at, added_by, verified_at)
            select camino.new_id(), {borrower}, x.holder, x.routing, x.sealed, x.last4, {at}, {by.UserId}, case when x.outcome = 'verified' then x.checked_at end
            from camino.application_accounts x where x.application_id = {id} and coalesce(x.outcome, '') not in ('closed', 'notFound')
                and not exists (select from camino.borrower_accounts b where b.borrower_id = {borrower} and b.routing = x.routing and b.last4 = x.last4)
                and (select count(*) from camino.borrower_accounts b where b.borrower_id = {borrower}) < {AddBankAccount.Most}
            returning id as "Value"
            """).ToListAsync(ct);
        if (accounts.Count == 0 || isNew)
            return;
        var version = await db.TouchBorrowerAsync(borrower, by with { Version = null }, at, ct);
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, "borrower.account-added", "borrower", borrower.ToString(), System.Text.Json.JsonSerializer.Serialize(new { version, accountId = accounts[0], application = id })));
    }

    /// <summary>The applicant as a borrower. Numbers go along sealed as they are, and owners keep their ids.</summary>
    private async Task<Guid> AddBorrowerAsync(Guid id, DateTimeOffset at, Guid by, CancellationToken ct)
    {
        var borrower = Guid.CreateVersion7();
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.borrowers (id, name, trade_name, kind, language, created_at, created_by, branch_id) select {borrower}, name, trade_name, 1, language, {at}, {by}, branch_id from camino.applications where id = {id};
            insert into camino.borrower_addresses (borrower_id, position, street, city, state, zip)
                select {borrower}, 1, street, city, place_state, zip from camino.applications where id = {id} and coalesce(street, city, place_state, zip) is not null;
            insert into camino.borrower_contacts (borrower_id, position, kind, value, digits)
                select {borrower}, (kind - 1) * {CheckedBorrower.LongestList} + row_number() over (partition by kind order by position), kind, value, digits from camino.application_contacts where application_id = {id};
            insert into camino.borrower_owners (id, borrower_id, position, name, share_percent, is_guarantor) select id, {borrower}, position, name, share_percent, is_guarantor from camino.application_owners where application_id = {id};
            insert into camino.borrower_identifiers (id, borrower_id, owner_id, kind, sealed, hash, last4, set_at, set_by)
                select camino.new_id(), {borrower}, owner_id, kind, sealed, hash, last4, {at}, {by} from camino.application_identifiers where application_id = {id}
            """, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "borrower.added", "borrower", borrower.ToString(), System.Text.Json.JsonSerializer.Serialize(new { version = 1, application = id })));
        return borrower;
    }
}
