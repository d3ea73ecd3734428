using System.Globalization;
using Camino.Applications.Acceptance;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Disclosures;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Applications;

/// <summary>Offers of applications for programs, and the booking of the one that was accepted.</summary>
public static class OfferApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapOfferApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/applications/{id:guid}/offers", ListAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("Offers of an application, at most 20, in the order in which they were made");
        api.MapGet("/applications/{id:guid}/offers/{number}", GetAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("An offer with its schedule and the figures of its disclosure");
        api.MapPost("/applications/{id:guid}/offers", MakeAsync).RequireAuthorization(Permissions.ApplicationsDecide).WithSummary("Makes an offer from a product; its terms are frozen. 202: it goes beyond what one person may decide, and waits for a second").Reads(typeof(OfferInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/applications/{id:guid}/offers/preview", PreviewAsync).RequireAuthorization(Permissions.ApplicationsDecide).WithSummary("The offer that would be made; nothing is stored").Reads(typeof(OfferInput), "application/json");
        api.MapPost("/applications/{id:guid}/offers/{number}/accept", AcceptAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Writes down that the applicant took an offer; the others are closed").Reads(typeof(AcceptInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/applications/{id:guid}/offers/{number}/withdraw", WithdrawAsync).RequireAuthorization(Permissions.ApplicationsDecide).WithSummary("Takes an offer back").Reads(typeof(ApplicationApi.MoveInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/applications/{id:guid}/offers/{number:int}/link", LinkAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Makes the link by which the applicant accepts an offer; the one before ends");
        api.MapPost("/applications/{id:guid}/offers/{number:int}/link/end", EndLinkAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Makes the link of an offer useless");
        api.MapPost("/applications/{id:guid}/offers/{number:int}/signature", SignatureAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Has an offer signed with the signature service; a link that was made before ends").NeedsIdempotencyKey();
        api.MapGet("/applications/{id:guid}/offers/{number:int}/signature", EnvelopeAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("How the newest envelope of an offer stands at the signature service");
        api.MapPost("/applications/{id:guid}/book", BookAsync).RequireAuthorization(Permissions.BookLoans).WithSummary("Books the accepted offer as a loan with the same schedule").Reads(typeof(BookApplicationInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
    }

    /// <summary>An offer, as programs read it. Amounts in dollars and cents.</summary>
    /// <param name="State"><c>open</c>, <c>accepted</c>, <c>withdrawn</c>, <c>expired</c> or <c>closed</c>.</param>
    /// <param name="Payment">The first regular installment.</param>
    /// <param name="ExpiresOn">The last business date on which it can be accepted.</param>
    /// <param name="AcceptedBy"><c>phone</c>, <c>paper</c>, <c>inPerson</c> or <c>link</c>.</param>
    public sealed record OfferSummary(
        int Number, string State, string Product, int ProductVersion, string Principal, string AnnualRatePercent, int Payments, string Payment, string FinanceCharge, string TotalPayments, string AprPercent, DateOnly MaturesOn, DateOnly OfferedOn, DateOnly ExpiresOn,
        string? AcceptedBy)
    {
        public static OfferSummary Of(OfferLine line) => new(
            line.Number, Words.Camel(line.State), line.Product, line.ProductVersion, Words.Amount(line.Principal), Percent(line.RatePercent), line.Payments, Words.Amount(line.Payment), Words.Amount(line.FinanceCharge), Words.Amount(line.TotalPayments),
            Percent(line.AprPercent), line.MaturesOn, line.OfferedOn, line.ExpiresOn, line.How is { } how ? Words.Camel(how) : null);
    }

    public sealed record OfferPage(IReadOnlyList<OfferSummary> Items);

    /// <param name="Balance">Principal outstanding after it.</param>
    public sealed record PlannedInstallment(int Number, DateOnly DueOn, string Principal, string Interest, string Due, string Balance);

    /// <summary>The state's form that is due, and what it asks for besides.</summary>
    /// <param name="Source">The regulation.</param>
    /// <param name="AprPercent">As the form shows it.</param>
    /// <param name="TermDays">From the day of disbursement to the last due date.</param>
    public sealed record OfferForm(string State, string Source, string AprPercent, string FundingProvided, string AverageMonthlyCost, int TermDays);

    /// <summary>What an offer comes to.</summary>
    /// <param name="Form">Null where no state's form is due.</param>
    public sealed record OfferFiguresView(
        string Principal, string AnnualRatePercent, int Payments, string Payment, string FinanceCharge, string TotalPayments, string AprPercent, DateOnly MaturesOn, OfferForm? Form, IReadOnlyList<PlannedInstallment> Installments)
    {
        public static OfferFiguresView Of(OfferFigures one)
        {
            var figures = one.Commercial;
            return new OfferFiguresView(
                Words.Amount(one.Terms.Principal.Dollars), Percent(one.Terms.Rate.Percent), one.Terms.Payments, Words.Amount(figures.RegularPayment.Dollars), Words.Amount(figures.FinanceCharge.Dollars), Words.Amount(figures.TotalPayments.Dollars),
                Percent(figures.AprPercent), one.MaturesOn, one.Form is { } form ? FormOf(form, figures) : null,
                [.. one.Schedule.Rows.ToArray().Select(row => new PlannedInstallment(row.Number, row.DueOn, Words.Amount(row.Principal.Dollars), Words.Amount(row.Interest.Dollars), Words.Amount(row.Due.Dollars), Words.Amount(row.Balance.Dollars)))]);
        }

        private static OfferForm FormOf(CommercialForm form, CommercialFigures figures) => new(
            form.State, form.Source, Percent(form.ShownApr(figures.AprPercent)), Words.Amount(figures.Funding.Dollars), Words.Amount(figures.AverageMonthlyCost.Dollars), figures.TermDays);
    }

    /// <param name="State"><c>queued</c>, <c>out</c>, <c>accepted</c>, <c>declined</c>, <c>ended</c> or <c>failed</c>.</param>
    public sealed record EnvelopeView(Guid Id, string State, string? Problem, DateTimeOffset AskedAt, string? AskedBy, DateTimeOffset? EndedAt);

    private static async Task<Accepted<ApplicationAnswer>> SignatureAsync(Guid id, int number, HttpContext context, AskSignature ask, CancellationToken ct)
    {
        var answer = await ask.RunAsync(id, number, new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct);
        ApplicationApi.Mark(context, answer);
        return TypedResults.Accepted($"/api/v1/applications/{id}/offers/{number}/signature", answer);
    }

    private static async Task<Results<Ok<EnvelopeView>, NoContent>> EnvelopeAsync(Guid id, int number, AskSignature ask, ShowApplication show, CancellationToken ct)
    {
        if (await ask.FindAsync(id, number, ct) is { } line)
            return TypedResults.Ok(new EnvelopeView(line.Id, Words.Camel(line.State), line.Problem, line.AskedAt, line.AskedByName, line.EndedAt));
        await show.MustBeThereAsync(id, ct);
        return TypedResults.NoContent();
    }

    /// <summary>An offer that would be made. Renewal: the loan that would be paid off with it. Given back with productVersion, it is made only while that version is the published one.</summary>
    public sealed record OfferPreview(string Product, int ProductVersion, DateOnly OfferedOn, DateOnly ExpiresOn, OfferFiguresView Figures, OfferJudgementView? Policy, RenewalPayoffView? Renewal);

    /// <summary>What the credit policy says to an offer.</summary>
    /// <param name="Recommendation"><c>approve</c>, <c>refer</c> or <c>decline</c>.</param>
    /// <param name="IsPossible">False: a rule speaks against it that nobody decides against, or the checklist misses something.</param>
    /// <param name="NeedsOverride">It goes against the recommendation: overrideCode and overrideReason are needed.</param>
    /// <param name="OpenItems">What the checklist misses.</param>
    public sealed record OfferJudgementView(string Recommendation, int? Score, IReadOnlyList<string> Reasons, bool IsPossible, bool NeedsOverride, bool NeedsSecondPerson, IReadOnlyList<string> OpenItems)
    {
        public static OfferJudgementView Of(OfferJudgement one) => new(
            Words.Camel(one.Result.Recommendation), one.Result.Score, one.Result.Reasons, !one.IsAbsolute && one.OpenItems.Count == 0, one.NeedsOverride, one.NeedsSecondPerson, [.. one.OpenItems.Select(line => line.Item.Code)]);
    }

    /// <param name="Renewal">The loan that it was to pay off, and what, on the day of its disbursement; null when the application renews none.</param>
    public sealed record OfferDetails(OfferSummary Offer, OfferFiguresView Figures, RenewalPayoffView? Renewal);

    private static async Task<Ok<OfferPage>> ListAsync(Guid id, ShowOffers show, ShowApplication applications, CancellationToken ct)
    {
        var offers = await show.RunAsync(id, ct);
        if (offers.Count == 0)
            await applications.MustBeThereAsync(id, ct);
        return TypedResults.Ok(new OfferPage([.. offers.Select(OfferSummary.Of)]));
    }

    private static async Task<Ok<OfferDetails>> GetAsync(Guid id, int number, ShowOffers show, CancellationToken ct)
    {
        var offer = await show.OneAsync(id, number, ct) ?? throw new RefusedException("offer.not_found", $"This application has no offer {number}.");
        return TypedResults.Ok(new OfferDetails(OfferSummary.Of(offer.Line), OfferFiguresView.Of(offer.Figures), RenewalPayoffView.Of(offer.Renewal)));
    }

    private static async Task<Results<Created<ApplicationAnswer>, Accepted<AskedApproval>>> MakeAsync(Guid id, HttpContext context, MakeOffer make, CancellationToken ct)
    {
        var by = ByOf(context);
        var outcome = await make.RunAsync(id, OfferInput.From(await JsonBody.ReadAsync(context, ct)), by, ct);
        if (outcome.Asked is { } asked)
            return ApprovalApi.Accepted(context, asked);
        var answer = outcome.Done ?? throw new InvalidOperationException("The offer is neither made nor asked for.");
        ApplicationApi.Mark(context, answer);
        return TypedResults.Created(string.Create(CultureInfo.InvariantCulture, $"/api/v1/applications/{id}/offers/{answer.Offer}"), answer);
    }

    private static async Task<Ok<OfferPreview>> PreviewAsync(Guid id, HttpContext context, MakeOffer make, CancellationToken ct)
    {
        var draft = await make.TryAsync(id, OfferInput.From(await JsonBody.ReadAsync(context, ct)), context.User.Id(), ct);
        return TypedResults.Ok(new OfferPreview(draft.Product, draft.ProductVersion, draft.OfferedOn, draft.ExpiresOn, OfferFiguresView.Of(draft.Figures), draft.Judgement is { } judged ? OfferJudgementView.Of(judged) : null, RenewalPayoffView.Of(draft.Renewal)));
    }

    private static async Task<Ok<ApplicationAnswer>> AcceptAsync(Guid id, int number, HttpContext context, AcceptOffer accept, CancellationToken ct)
    {
        var by = ByOf(context);
        var answer = await accept.RunAsync(id, number, AcceptInput.From(await JsonBody.ReadAsync(context, ct)), by, ct);
        ApplicationApi.Mark(context, answer);
        return TypedResults.Ok(answer);
    }

    private static async Task<Ok<ApplicationAnswer>> WithdrawAsync(Guid id, int number, HttpContext context, WithdrawOffer withdraw, CancellationToken ct)
    {
        var by = ByOf(context);
        var reason = (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("reason"));
        var answer = await withdraw.RunAsync(id, number, reason, by, ct);
        ApplicationApi.Mark(context, answer);
        return TypedResults.Ok(answer);
    }

    private static async Task<Created<OfferLinkMade>> LinkAsync(Guid id, int number, HttpContext context, LinkOffer link, CancellationToken ct)
    {
        var made = await link.RunAsync(id, number, context.User.Id(), ct);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Created(string.Create(CultureInfo.InvariantCulture, $"/api/v1/applications/{id}/offers/{number}"), made);
    }

    private static async Task<NoContent> EndLinkAsync(Guid id, int number, HttpContext context, LinkOffer link, CancellationToken ct)
    {
        await link.EndAsync(id, number, context.User.Id(), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Created<ApplicationAnswer>> BookAsync(Guid id, HttpContext context, BookApplication book, CancellationToken ct)
    {
        var by = ByOf(context);
        var answer = await book.RunAsync(id, BookApplicationInput.From(await JsonBody.ReadAsync(context, ct)), by, ct);
        ApplicationApi.Mark(context, answer);
        return TypedResults.Created($"/api/v1/loans/{answer.LoanId}", answer);
    }

    private static AskedBy ByOf(HttpContext context) => new(context.User.Id(), ServicingApi.KeyOf(context), VersionHeader.Read(context, "application", hasSteps: true));

    private static string Percent(decimal percent) => percent.ToString("0.########", CultureInfo.InvariantCulture);
}
