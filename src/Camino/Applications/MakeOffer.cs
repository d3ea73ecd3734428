using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Applications.Papers;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Audit;
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

    /// <summary>Why it is made although the credit policy recommends to decline: <c>knownBorrower</c>, <c>strongCashFlow</c>, <c>guarantee</c>, <c>collateral</c>, <c>newFacts</c>, <c>wrongData</c> or <c>other</c>; not read where it does not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OverrideCode { get; init; }

    /// <summary>The same in words, 10 to 500 characters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OverrideReason { get; init; }

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
        OverrideCode = one.Text("overrideCode"),
        OverrideReason = one.Text("overrideReason"),
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

    /// <summary>The loan that would be paid off with it; null when the application renews none.</summary>
    public RenewalPayoff? Renewal { get; init; }

    /// <summary>What the credit policy says to it; null where none is published.</summary>
    public OfferJudgement? Judgement { get; init; }
}

/// <summary>What became of an offer that was to be made: it is made, or it waits for a second person.</summary>
public sealed record OfferOutcome(ApplicationAnswer? Done, AskedApproval? Asked);

/// <summary>Makes an offer: its terms are frozen with the version of the product, and the application stands at offered.</summary>
/// <remarks>The credit policy is asked in the transaction of the decision: what it says is kept with the offer, whoever goes against it says why, and what goes beyond a limit waits for a second person.</remarks>
public sealed class MakeOffer(CaminoDb db, BookLoan book, AskApproval ask, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.*</c>, <c>offer.too_many</c>, <c>product.*</c>, <c>book.*</c>, <c>renewal.*</c>, <c>offer.renewal</c>, <c>input.*</c>, <c>schedule.*</c>, <c>approval.waiting</c>, <c>idempotency.*</c>.</exception>
    public async Task<OfferOutcome> RunAsync(Guid id, OfferInput input, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.offer-made {id} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return AskedApproval.TryRead(before, out var earlier) ? new OfferOutcome(null, earlier with { IsRepeated = true }) : new OfferOutcome(ApplicationAnswer.Repeated(before), null);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var (next, step) = course.Move(ApplicationMove.Offer, new Actor(ActorKind.Staff, by.UserId), null, at, by.Version);
        await db.CheckListedAsync(id, number, ct);
        var draft = await DraftAsync(id, input, ct);
        var judged = await db.PassAsync(id, number, draft.Product, draft.Agreed.Terms.Principal, by.UserId, at, ct);
        var why = judged is { NeedsOverride: true } ? Override.Read(input.OverrideCode, input.OverrideReason) : null;
        if (judged is { NeedsSecondPerson: true })
        {
            var asked = await ask.AddAsync(Frozen(id, course.Version, input, draft, judged, why), by.UserId, ct);
            await db.AnswerAsync(by, JsonSerializer.Serialize(asked, JsonSerializerOptions.Web), ct);
            await transaction.CommitAsync(ct);
            return new OfferOutcome(null, asked);
        }

        var made = await KeepAsync(id, draft, at, by.UserId, ct);
        await AskPapersAsync(id, made, by.UserId, at, ct);
        await db.KeepCourseAsync(id, next, step, ct);
        if (judged is not null)
            await db.KeepDecisionAsync(id, step.Sequence, made, judged.Evaluation, judged.NeedsOverride, why, by.UserId, null, at, ct);
        var details = new { version = next.Version, offer = made, product = draft.Product, productVersion = draft.ProductVersion, evaluation = judged?.Evaluation, against = why?.Code };
        return new OfferOutcome(await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, next) with { Offer = made }, by, "application.offer-made", at, details, ct), null);
    }

    /// <summary>Carries out what a second person signed, in the caller's transaction, with everything checked anew.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>; <c>approval.version</c>, <c>approval.limit</c>, <c>application.evaluation</c>.</exception>
    internal async Task<ApplicationAnswer> RunApprovedAsync(Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var id = Guid.Parse(approval.SubjectId);
        var frozen = approval.Read<FrozenOffer>();
        var (number, course) = await db.LockApplicationAsync(id, ct);
        Refuse.If(run.Seen is { } seen && seen != course.Version, "approval.version", $"Application {number} has changed: version {run.Seen} was looked at, it is now {course.Version}. Look again.");
        var (next, step) = course.Move(ApplicationMove.Offer, new Actor(ActorKind.Staff, approval.AskedBy), null, run.At);
        await db.CheckListedAsync(id, number, ct);
        var draft = await DraftAsync(id, frozen.Input, ct);
        var principal = draft.Agreed.Terms.Principal;
        var judged = await db.PassAsync(id, number, draft.Product, principal, approval.AskedBy, run.At, ct) ?? throw new InvalidOperationException("The policy is gone.");
        Refuse.If(judged.Result.Recommendation > frozen.Recommendation, "application.evaluation", "The credit policy recommends otherwise now than when this was asked for; look at it and ask anew.");
        await db.CheckSignerAsync(judged, principal, run.By, ct);
        var why = judged.NeedsOverride ? Override.Read(frozen.Input.OverrideCode, frozen.Input.OverrideReason) : null;
        var made = await KeepAsync(id, draft, run.At, approval.AskedBy, ct);
        await AskPapersAsync(id, made, approval.AskedBy, run.At, ct);
        await db.KeepCourseAsync(id, next, step, ct);
        await db.KeepDecisionAsync(id, step.Sequence, made, judged.Evaluation, judged.NeedsOverride, why, approval.AskedBy, (run.By, approval.Id), run.At, ct);
        var details = new { version = next.Version, offer = made, product = draft.Product, productVersion = draft.ProductVersion, evaluation = judged.Evaluation, against = why?.Code, approval = approval.Id, askedBy = approval.AskedBy };
        db.AuditEntries.Add(new AuditEntry(run.At, run.By, "application.offer-made", "application", id.ToString(), JsonSerializer.Serialize(details)));
        await db.SaveChangesAsync(ct);
        return ApplicationAnswer.Of(id, number, next) with { Offer = made };
    }

    /// <summary>The offer that waits for a second person as it would be made now, and the version of the application; keeps nothing.</summary>
    /// <exception cref="RefusedException">As for <see cref="TryAsync"/>; <c>application.state</c>.</exception>
    internal async Task<(OfferDraft Draft, int Version)> LookApprovedAsync(Approval approval, CancellationToken ct)
    {
        var id = Guid.Parse(approval.SubjectId);
        var draft = await TryAsync(id, approval.Read<FrozenOffer>().Input, approval.AskedBy, ct);
        var found = await db.Database.SqlQuery<Standing>($"select version as \"Version\", state as \"State\" from camino.applications where id = {id}").SingleAsync(ct);
        Refuse.If((ApplicationState)found.State is not (ApplicationState.Underwriting or ApplicationState.Offered), "application.state", $"An application that stands at {(ApplicationState)found.State} does not take the step {ApplicationMove.Offer}; look at it again.");
        return (draft, found.Version);
    }

    private sealed record Standing(int Version, short State);

    private async Task AskPapersAsync(Guid id, int offer, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        foreach (var kind in new[] { PaperKind.Approval, PaperKind.Offer })
            await db.AskPaperAsync(id, kind, offer, by, at, ct);
    }

    /// <summary>Nothing is left to the day of the signature: product version, dates and days stand as they are today.</summary>
    private static FrozenAct Frozen(Guid id, int version, OfferInput input, OfferDraft draft, OfferJudgement judged, Override? why)
    {
        var frozen = input with
        {
            Product = draft.Product,
            ProductVersion = draft.ProductVersion,
            Principal = Words.Amount(draft.Agreed.Terms.Principal.Dollars),
            DisburseOn = draft.Agreed.Terms.Disbursements[0].On.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            OverrideCode = why?.Code,
            OverrideReason = why?.Text,
        };
        return new FrozenAct(ApprovalKinds.Offer, "application", id.ToString(), version, JsonSerializer.Serialize(new FrozenOffer(frozen, judged.Result.Recommendation, judged.Evaluation), JsonSerializerOptions.Web), why?.Text ?? "");
    }

    /// <summary>The offer that would be made, with schedule and figures, and what the credit policy says to it; keeps nothing.</summary>
    /// <param name="by">Who would make it.</param>
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.sanctions</c>, <c>product.*</c>, <c>book.*</c>, <c>input.*</c>, <c>schedule.*</c>.</exception>
    public async Task<OfferDraft> TryAsync(Guid id, OfferInput input, Guid by, CancellationToken ct)
    {
        var numbers = await db.Database.SqlQuery<string>($"select number as \"Value\" from camino.applications where id = {id}").ToListAsync(ct);
        Refuse.If(numbers.Count == 0, "application.not_found", $"There is no application {id}.");
        await db.CheckListedAsync(id, numbers[0], ct);
        var draft = await DraftAsync(id, input, ct);
        return draft with { Judgement = await db.LookAsync(id, draft.Product, draft.Agreed.Terms.Principal, by, ct) };
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
        return new OfferDraft(agreed, state, OfferFigures.Of(agreed.Terms, state, today), today, expires) { Renewal = await db.PayoffOfAsync(id, agreed.Terms, ct) };
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
        if (draft.Renewal is { } renewal)
            await db.KeepPayoffAsync(id, number, renewal, ct);
        return number;
    }
}
