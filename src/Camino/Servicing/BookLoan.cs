using System.Text.Json;
using Camino.Audit;
using Camino.Borrowers;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>What was agreed, as text.</summary>
public sealed record BookingInput
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

        var (product, version, terms, json) = await ReadAsync(input, ct);
        var borrower = InputText.Text("borrowerName", input.BorrowerName, 200);
        var today = await db.TodayAsync(ct);
        var loan = new ServicedLoan(borrower, product.Id, version.Number, json, terms, Schedule.Of(terms).Rows[^1].DueOn, today, at, by.UserId);
        var booked = LoanInHand.Book(loan, StoredForm.ReadProduct(version.Rules), terms, today);
        db.ServicedLoans.Add(loan);
        db.Keep(booked);
        await db.LinkNewLoanAsync(loan.Id, input.BorrowerId, borrower, at, by.UserId, ct);
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, "loan.book", "loan", loan.Id.ToString(), JsonSerializer.Serialize(new { product = product.Code, version = version.Number })));
        await db.SaveChangesAsync(ct);
        var answer = new BookingAnswer(loan.Id, loan.Number, product.Code, version.Number, loan.Version);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }

    /// <summary>The terms that would be booked, with the schedule that follows; keeps nothing.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>.</exception>
    public async Task<ScheduleTerms> TryAsync(BookingInput input, CancellationToken ct)
    {
        InputText.Text("borrowerName", input.BorrowerName, 200);
        return (await ReadAsync(input, ct)).Terms;
    }

    private async Task<(Product Product, ProductVersion Version, ScheduleTerms Terms, string Json)> ReadAsync(BookingInput input, CancellationToken ct)
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
        return (product, version, terms, json);
    }
}
