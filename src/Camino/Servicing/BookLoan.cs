using System.Text.Json;
using Camino.Audit;
using Camino.Borrowers;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>What a loan of a product would look like, as text.</summary>
public interface IAgreedTerms
{
    /// <summary>Code of a product with a published version.</summary>
    string? Product { get; }

    string? Principal { get; }

    /// <summary>Percent a year.</summary>
    string? AnnualRatePercent { get; }

    int? Payments { get; }

    /// <summary>When the money is to be handed out; the schedule follows the real date.</summary>
    string? DisburseOn { get; }

    string? FirstDueOn { get; }

    string? Balloon { get; }
}

/// <summary>What was agreed, as text.</summary>
public sealed record BookingInput : IAgreedTerms
{
    /// <summary>Code of a product with a published version.</summary>
    public string? Product { get; init; }

    /// <summary>A borrower that is kept already; left out, one is made with the loan.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public Guid? BorrowerId { get; init; }

    /// <summary>1 to 200 characters.</summary>
    public string? BorrowerName { get; init; }

    public string? Principal { get; init; }

    /// <summary>Percent a year.</summary>
    public string? AnnualRatePercent { get; init; }

    public int? Payments { get; init; }

    /// <summary>When the money is to be handed out; the schedule follows the real date.</summary>
    public string? DisburseOn { get; init; }

    public string? FirstDueOn { get; init; }

    public string? Balloon { get; init; }
}

/// <summary>What became of a booking.</summary>
public sealed record BookingAnswer(Guid LoanId, string Number, string Product, int ProductVersion, int Version)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsRepeated { get; init; }
}

/// <summary>Terms that were agreed under a version of a product.</summary>
/// <param name="Json">The terms in the stable form of <see cref="StoredForm"/>.</param>
public sealed record AgreedLoan(Product Product, ProductVersion Version, ScheduleTerms Terms, string Json);

/// <summary>Books a loan under the published version of a product; nothing is owed until money is handed out.</summary>
public sealed class BookLoan(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_published</c>, <c>borrower.not_found</c>, <c>book.*</c>, <c>input.*</c>, <c>schedule.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<BookingAnswer> RunAsync(BookingInput input, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, "book " + JsonSerializer.Serialize(input, JsonSerializerOptions.Web), at, ct) is { } before)
            return (JsonSerializer.Deserialize<BookingAnswer>(before, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };

        var agreed = await ReadAsync(input, ct);
        var loan = await AddAsync(agreed, InputText.Text("borrowerName", input.BorrowerName, 200), input.BorrowerId, at, by.UserId, ct);
        var answer = new BookingAnswer(loan.Id, loan.Number, agreed.Product.Code, agreed.Version.Number, loan.Version);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }

    /// <summary>Stores a new loan, whose it is and the audit entry in the caller's transaction.</summary>
    /// <param name="borrowerId">Null: a borrower is made with the loan.</param>
    /// <exception cref="RefusedException"><c>borrower.not_found</c>.</exception>
    internal async Task<ServicedLoan> AddAsync(AgreedLoan agreed, string borrower, Guid? borrowerId, DateTimeOffset at, Guid by, CancellationToken ct)
    {
        var today = await db.TodayAsync(ct);
        var loan = new ServicedLoan(borrower, agreed.Product.Id, agreed.Version.Number, agreed.Json, agreed.Terms, Schedule.Of(agreed.Terms).Rows[^1].DueOn, today, at, by);
        var booked = LoanInHand.Book(loan, StoredForm.ReadProduct(agreed.Version.Rules), agreed.Terms, today);
        db.ServicedLoans.Add(loan);
        db.Keep(booked);
        await db.LinkNewLoanAsync(loan.Id, borrowerId, borrower, at, by, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "loan.book", "loan", loan.Id.ToString(), JsonSerializer.Serialize(new { product = agreed.Product.Code, version = agreed.Version.Number })));
        await db.SaveChangesAsync(ct);
        return loan;
    }

    /// <summary>The terms that would be booked, with the schedule that follows; keeps nothing.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>.</exception>
    public async Task<ScheduleTerms> TryAsync(BookingInput input, CancellationToken ct)
    {
        InputText.Text("borrowerName", input.BorrowerName, 200);
        return (await ReadAsync(input, ct)).Terms;
    }

    /// <summary>Reads terms under the published version of their product.</summary>
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_published</c>, <c>book.*</c>, <c>input.*</c>, <c>schedule.*</c>.</exception>
    internal async Task<AgreedLoan> ReadAsync(IAgreedTerms input, CancellationToken ct)
    {
        var code = InputText.Text("product", input.Product, 20).ToUpperInvariant();
        var product = await db.Products.AsNoTracking().SingleOrDefaultAsync(one => one.Code == code, ct) ?? throw new RefusedException("product.not_found", $"There is no product {code}.");
        var version = await db.ProductVersions.AsNoTracking().SingleOrDefaultAsync(one => one.ProductId == product.Id && one.Status == ProductStatus.Published, ct)
            ?? throw new RefusedException("product.not_published", $"Product {code} has no published version; publish one first.");
        var (terms, json) = ProductOffer.Read(version.Offer).TermsOf(
            InputText.Amount("principal", input.Principal), InputText.Rate("annualRatePercent", input.AnnualRatePercent),
            input.Payments ?? throw new RefusedException("input.payments", "payments is missing; it is a number of installments."), InputText.Date("disburseOn", input.DisburseOn),
            string.IsNullOrWhiteSpace(input.FirstDueOn) ? null : InputText.Date("firstDueOn", input.FirstDueOn), string.IsNullOrWhiteSpace(input.Balloon) ? Money.Zero : InputText.Amount("balloon", input.Balloon));
        Schedule.Of(terms);
        return new AgreedLoan(product, version, terms, json);
    }
}
