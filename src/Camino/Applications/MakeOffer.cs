using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Disclosures;
using Camino.Lending.Loans;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>What is to be offered, as text.</summary>
public sealed record OfferInput : IAgreedTerms
{
    /// <summary>Code of a product with a published version.</summary>
    public string? Product { get; init; }

    /// <summary>The version that was looked at; left out, the published one.</summary>
    public int? ProductVersion { get; init; }

    /// <summary>Dollars within the product's limits.</summary>
    public string? Principal { get; init; }

    /// <summary>Percent a year within the product's limits.</summary>
    public string? AnnualRatePercent { get; init; }

    /// <summary>Installments within the product's limits.</summary>
    public int? Payments { get; init; }

    /// <summary>When the money is to be handed out: from the business date to 90 days later.</summary>
    public string? DisburseOn { get; init; }

    /// <summary>Left out, one period after the money is handed out.</summary>
    public string? FirstDueOn { get; init; }

    /// <summary>Principal left for the last installment.</summary>
    public string? Balloon { get; init; }

    /// <summary>Days for which it can be accepted, 1 to 30; left out, 14.</summary>
    public int? ValidDays { get; init; }

    /// <summary>Reads a body.</summary>
    internal static OfferInput From(JsonBody body) => body.All(one => new OfferInput
    {
        Product = one.Text("product"),
        ProductVersion = one.Whole("productVersion"),
        Principal = one.Text("principal"),
        AnnualRatePercent = one.Text("annualRatePercent"),
        Payments = one.Whole("payments"),
        DisburseOn = one.Text("disburseOn"),
        FirstDueOn = one.Text("firstDueOn"),
        Balloon = one.Text("balloon"),
        ValidDays = one.Whole("validDays"),
    });
}

/// <summary>What terms come to, from the lending core: the schedule, and the figures that disclosures show.</summary>
/// <param name="Form">The state's form that is due; null where there is none.</param>
public sealed record OfferFigures(ScheduleTerms Terms, Schedule Schedule, CommercialFigures Commercial, CommercialForm? Form)
{
    /// <param name="state">Where the business is: two letters, or empty.</param>
    /// <exception cref="RefusedException"><c>schedule.*</c>, <c>apr.no_answer</c>.</exception>
    internal static OfferFigures Of(ScheduleTerms terms, string state, DateOnly offeredOn) =>
        new(terms, Schedule.Of(terms), CommercialFigures.Of(terms, Money.Zero), CommercialForm.For(CommercialForm.Known, state, offeredOn, terms.Principal));

    /// <summary>The last due date.</summary>
    public DateOnly MaturesOn => Schedule.Rows[^1].DueOn;
}

/// <summary>An offer as it would be stored.</summary>
/// <param name="State">Where the business is: two letters, or empty.</param>
/// <param name="ExpiresOn">The last business date on which it can be accepted.</param>
public sealed record OfferDraft(AgreedLoan Agreed, string State, OfferFigures Figures, DateOnly OfferedOn, DateOnly ExpiresOn)
{
    /// <summary>Code of the product.</summary>
    public string Product => Agreed.Product.Code;

    public int ProductVersion => Agreed.Version.Number;
}

/// <summary>Makes an offer: its terms are frozen with the version of the product, and the application stands at offered.</summary>
public sealed class MakeOffer(CaminoDb db, BookLoan book, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.*</c>, <c>offer.too_many</c>, <c>product.*</c>, <c>book.*</c>, <c>input.*</c>, <c>schedule.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, OfferInput input, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.offer-made {id} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var (next, step) = course.Move(ApplicationMove.Offer, new Actor(ActorKind.Staff, by.UserId), null, at, by.Version);
        await db.CheckListedAsync(id, number, ct);
        var draft = await DraftAsync(id, input, ct);
        var made = await KeepAsync(id, draft, at, by.UserId, ct);
        foreach (var kind in new[] { PaperKind.Approval, PaperKind.Offer })
            await db.AskPaperAsync(id, kind, made, by.UserId, at, ct);
        await db.KeepCourseAsync(id, next, step, ct);
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, next) with { Offer = made }, by, "application.offer-made", at, new { version = next.Version, offer = made, product = draft.Product, productVersion = draft.ProductVersion }, ct);
    }

    /// <summary>The offer that would be made, with schedule and figures; keeps nothing.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.sanctions</c>, <c>product.*</c>, <c>book.*</c>, <c>input.*</c>, <c>schedule.*</c>.</exception>
    public async Task<OfferDraft> TryAsync(Guid id, OfferInput input, CancellationToken ct)
    {
        var numbers = await db.Database.SqlQuery<string>($"select number as \"Value\" from camino.applications where id = {id}").ToListAsync(ct);
        Refuse.If(numbers.Count == 0, "application.not_found", $"There is no application {id}.");
        await db.CheckListedAsync(id, numbers[0], ct);
        return await DraftAsync(id, input, ct);
    }

    private async Task<OfferDraft> DraftAsync(Guid id, OfferInput input, CancellationToken ct)
    {
        var today = await db.TodayAsync(ct);
        var expires = ApplicationOffer.Until(today, input.ValidDays);
        var agreed = await book.ReadAsync(input, ct);
        var version = agreed.Version.Number;
        Refuse.If(input.ProductVersion is { } seen && seen != version, "product.version", $"Product {agreed.Product.Code} has changed: version {input.ProductVersion} was looked at, {version} is published now. Look again.");
        var start = agreed.Terms.Disbursements[0].On;
        Refuse.If(start < today || start > today.AddDays(ApplicationOffer.MostDaysAhead), "input.disburseOn", $"disburseOn is {today:yyyy-MM-dd}, the business date, to {today.AddDays(ApplicationOffer.MostDaysAhead):yyyy-MM-dd}; got {start:yyyy-MM-dd}.");
        var state = await db.Database.SqlQuery<string>($"select coalesce(place_state, '') as \"Value\" from camino.applications where id = {id}").SingleAsync(ct);
        return new OfferDraft(agreed, state, OfferFigures.Of(agreed.Terms, state, today), today, expires);
    }

    /// <returns>The offer's number.</returns>
    private async Task<int> KeepAsync(Guid id, OfferDraft draft, DateTimeOffset at, Guid by, CancellationToken ct)
    {
        var number = await db.Database.SqlQuery<int>($"select coalesce(max(number), 0) + 1 as \"Value\" from camino.application_offers where application_id = {id}").SingleAsync(ct);
        Refuse.If(number > ApplicationOffer.MostOffers, "offer.too_many", $"An application has at most {ApplicationOffer.MostOffers} offers, those that ended too.");
        var (terms, figures) = (draft.Agreed.Terms, draft.Figures.Commercial);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_offers (id, application_id, number, state, product_id, product_version, terms, principal, rate_percent, payments, payment, finance_charge, total_payments, apr_percent, matures_on,
                place_state, offered_on, expires_on, made_at, made_by)
            values ({Guid.CreateVersion7()}, {id}, {(short)number}, {(short)OfferState.Open}, {draft.Agreed.Product.Id}, {draft.ProductVersion}, {draft.Agreed.Json}::jsonb, {terms.Principal.Dollars}, {terms.Rate.Percent}, {terms.Payments},
                {figures.RegularPayment.Dollars}, {figures.FinanceCharge.Dollars}, {figures.TotalPayments.Dollars}, {figures.AprPercent}, {draft.Figures.MaturesOn}, {draft.State}, {draft.OfferedOn}, {draft.ExpiresOn}, {at}, {by})
            """, ct);
        return number;
    }
}
