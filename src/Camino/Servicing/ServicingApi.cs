using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Delinquency;
using Camino.Lending.Loans;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>The serviced book for programs: loans, products, the business date, the ledger.</summary>
public static class ServicingApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapServicingApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/loans", ListAsync).RequireAuthorization(Permissions.BookRead).WithSummary("Loans of the serviced book, 50 a page")
            .Asks("q", "Words of the borrower or the number, at most 100 characters.").Asks("status", $"One of {string.Join(", ", Enum.GetValues<LoanStatus>().Select(one => Words.Camel(one)))}.").Asks("bucket", $"Days past due: one of {string.Join(", ", Enum.GetValues<Bucket>().Select(one => Words.Camel(one)))}.")
            .Asks("product", "Code of a product.").Asks("aside", "yes: only loans that a close set aside.").Asks("sort", $"One of {string.Join(", ", Enum.GetValues<ServicedSort>().Select(one => Words.Camel(one)))}; with a minus in front the other way round.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapPost("/loans", BookAsync).RequireAuthorization(Permissions.BookLoans).WithSummary("Books a loan under a published product").NeedsIdempotencyKey();
        api.MapGet("/loans/{id:guid}", GetAsync).RequireAuthorization(Permissions.BookRead).WithSummary("A loan: terms, version and balances");
        api.MapGet("/loans/{id:guid}/schedule", ScheduleAsync).RequireAuthorization(Permissions.BookRead).WithSummary("The loan on a date: schedule, what is owed, what is past due");
        api.MapGet("/loans/{id:guid}/events", EventsAsync).RequireAuthorization(Permissions.BookRead).WithSummary("Everything that happened to the loan, in order");
        api.MapGet("/loans/{id:guid}/explanation", ExplainAsync).RequireAuthorization(Permissions.BookRead).WithSummary("How the balance came about, step by step");
        api.MapGet("/loans/{id:guid}/payoff", PayoffAsync).RequireAuthorization(Permissions.BookRead).WithSummary("What pays the loan off on a date");
        api.MapGet("/loans/{id:guid}/ledger", LedgerAsync).RequireAuthorization(Permissions.BookRead).WithSummary("Ledger lines of the loan, the newest transactions first");
        foreach (var command in LoanCommand.All)
        {
            (command.MayNeedSecondPerson
                ? api.MapPost($"/loans/{{id:guid}}/{command.Name}", (Guid id, HttpContext context, RunLoanCommand run, CancellationToken ct) => CommandOrAskAsync(id, command, context, run, ct))
                : api.MapPost($"/loans/{{id:guid}}/{command.Name}", (Guid id, HttpContext context, RunLoanCommand run, CancellationToken ct) => CommandAsync(id, command, context, run, ct))).RequireAuthorization(command.Permission)
                .WithSummary($"{SentenceOf(command)}").Reads(typeof(CommandInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
            api.MapPost($"/loans/{{id:guid}}/{command.Name}/preview", (Guid id, HttpContext context, RunLoanCommand run, CancellationToken ct) => PreviewAsync(id, command, context, run, ct)).RequireAuthorization(command.Permission)
                .WithSummary($"What {command.Name} would do; nothing is stored").Reads(typeof(CommandInput), "application/json");
        }

        api.MapGet("/products", ProductsAsync).RequireAuthorization(Permissions.ProductsRead).WithSummary("Products with their versions");
        api.MapPost("/products", AddProductAsync).RequireAuthorization(Permissions.ProductsChange).WithSummary("Adds a product as a draft");
        api.MapPut("/products/{id:guid}/draft", ChangeProductAsync).RequireAuthorization(Permissions.ProductsChange).WithSummary("Changes the draft of a product, or begins one");
        api.MapPost("/products/{id:guid}/publish", async (Guid id, HttpContext context, PublishProduct publish, CancellationToken ct) => ApprovalApi.Accepted(context, await publish.AskAsync(id, context.User.Id(), ct))).RequireAuthorization(Permissions.ProductsChange).WithSummary("Asks for the draft to be published, which a second person approves: new loans are booked under it then");
        api.MapPost("/products/{id:guid}/retire", async (Guid id, HttpContext context, RetireProduct retire, CancellationToken ct) => ApprovalApi.Accepted(context, await retire.AskAsync(id, context.User.Id(), ct))).RequireAuthorization(Permissions.ProductsChange).WithSummary("Asks for a product to be retired, which a second person approves: no new loan is booked under it then");

        api.MapGet("/business-day", async (CaminoDb db, CancellationToken ct) => TypedResults.Ok(new BusinessDayView(await db.TodayAsync(ct), CloseView.Of(await db.CloseRuns.AsNoTracking().OrderByDescending(run => run.Id).FirstOrDefaultAsync(ct))))).RequireAuthorization(Permissions.LedgerRead).WithSummary("The business date, and the last close");
        api.MapPost("/business-day/close", CloseAsync).RequireAuthorization(Permissions.DayClose).WithSummary("Closes the business date; the work goes on in the Async Server");
        api.MapPost("/business-day/resume", async (ClaimsPrincipal user, ResumeClose resume, CancellationToken ct) => TypedResults.Accepted("/api/v1/business-day", new ResumedView(await resume.RunAsync(user.Id(), ct)))).RequireAuthorization(Permissions.DayClose).WithSummary("Goes on with a close that stopped");
        api.MapPost("/ledger/checks", async (ClaimsPrincipal user, AskLedgerCheck ask, CancellationToken ct) =>
        {
            var check = await ask.RunAsync(user.Id(), ct);
            return TypedResults.Accepted($"/api/v1/ledger/checks/{check.Id}", CheckView.Of(check));
        }).RequireAuthorization(Permissions.LedgerCheck).WithSummary("Proves the ledger against the loans; the work goes on in the Async Server");
        api.MapGet("/ledger/checks/{id:guid}", async (Guid id, CaminoDb db, CancellationToken ct) =>
            CheckView.Of(await db.LedgerChecks.AsNoTracking().SingleOrDefaultAsync(check => check.Id == id, ct) ?? throw new RefusedException("ledger_check.not_found", $"There is no ledger check {id}."))).RequireAuthorization(Permissions.LedgerRead).WithSummary("A proof of the ledger, with its differences");
        api.MapGet("/ledger/trial-balance", async (ReadLedger ledger, CancellationToken ct) => TypedResults.Ok(await ledger.TrialBalanceAsync(ct))).RequireAuthorization(Permissions.LedgerRead).WithSummary("The trial balance");
    }

    public sealed record CloseRequest(DateOnly? Closes);

    /// <summary>A product's version that a command made or published.</summary>
    public sealed record ProductVersionMade(int Version);

    /// <param name="Version">Always 1: a draft.</param>
    public sealed record ProductAdded(Guid Id, string Code, int Version);

    public sealed record ProductPage(IReadOnlyList<ProductView> Items);

    public sealed record LoanPage(IReadOnlyList<LineView> Items, string? Next);

    public sealed record PostingView(string Account, string Amount);

    /// <summary>What a command would do: the event, the loan before and behind it, and what would be posted.</summary>
    /// <param name="Renewal">The loan that would be paid off with the money; null elsewhere.</param>
    public sealed record PreviewView(JsonElement Event, StateView Before, StateView After, IReadOnlyList<PostingView> Entries, RenewalPayoffView? Renewal);

    /// <param name="TakenBackBy">The key of the event that reversed or returned it.</param>
    public sealed record EventView(JsonElement Body, string? TakenBackBy);

    public sealed record EventPage(string? Next, IReadOnlyList<EventView> Items);

    public sealed record ExplainedView(DateOnly On, string What, string Key, PortionsView Change, PortionsView Owed, string Credit);

    public sealed record ExplanationView(DateOnly On, IReadOnlyList<ExplainedView> Items);

    /// <param name="PerDiem">What a day more costs.</param>
    public sealed record PayoffView(DateOnly On, string Amount, PortionsView Owed, string Credit, string PerDiem, DateOnly GoodThrough);

    public sealed record LoanLedgerPage(IReadOnlyList<LedgerLine> Items, string? Next);

    public sealed record BusinessDayView(DateOnly Today, CloseView? LastClose);

    /// <param name="Open">Pieces of work of the night that were given to the queue again.</param>
    public sealed record ResumedView(int Open);

    public sealed record CloseView(Guid Id, DateOnly Closes, DateOnly Opens, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt)
    {
        public static CloseView? Of(CloseRun? run) => run is null ? null : new(run.Id, run.Closes, run.Opens, run.StartedAt, run.FinishedAt);
    }

    public sealed record CheckView(Guid Id, DateOnly On, DateTimeOffset AskedAt, DateTimeOffset? FinishedAt, long Loans, long Entries, long Differences, string Total)
    {
        public static CheckView Of(LedgerCheck check) => new(check.Id, check.On, check.AskedAt, check.FinishedAt, check.Loans, check.Entries, check.Differences, Words.Amount(check.Total));
    }

    public sealed record LineView(Guid Id, string Number, string BorrowerName, string Product, string Status, string Principal, string Owed, string PastDue, int DaysPastDue, DateOnly? NextDueOn, string? NextDue, DateOnly AsOf, bool SetAside)
    {
        public static LineView Of(ServicedLine line) => new(
            line.Id, line.Number, line.BorrowerName, line.Product, Words.Camel(line.Status), Words.Amount(line.Principal), Words.Amount(line.Owed), Words.Amount(line.PastDue), line.DaysPastDue, line.NextDueOn,
            line.NextDue is { } next ? Words.Amount(next) : null, line.AsOf, line.SetAside);
    }

    public sealed record ProductRequest(string? Code, string? Name, JsonElement Rules, JsonElement Offer);

    public sealed record LoanView(Guid Id, string Number, string BorrowerName, string Product, int ProductVersion, int Version, DateOnly BookedOn, JsonElement Terms, LoanBalances Balances, string? SetAside);

    private static string SentenceOf(LoanCommand command) =>
        $"Command {command.Name} on a loan; asks for {string.Join(", ", Enum.GetValues<CommandFields>().Where(field => field != CommandFields.None && command.Fields.HasFlag(field)).Select(Words.Camel))}{(command.MayNeedSecondPerson ? "; 202 where a second person has to approve it" : "")}";

    private static async Task<Ok<LoanPage>> ListAsync(HttpContext context, ListServicedLoans list, CancellationToken ct)
    {
        var filter = ServicedFilter.FromQuery(context.Request.Query);
        var page = await list.RunAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new LoanPage([.. page.Lines.Select(LineView.Of)], page.Next is { } next ? "/api/v1/loans" + filter.ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Created<BookingAnswer>> BookAsync(HttpContext context, BookingInput input, BookLoan book, CancellationToken ct)
    {
        var answer = await book.RunAsync(input, new AskedBy(context.User.Id(), KeyOf(context)), ct);
        VersionHeader.Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Created($"/api/v1/loans/{answer.LoanId}", answer);
    }

    private static async Task<Created<CommandAnswer>> CommandAsync(Guid id, LoanCommand command, HttpContext context, RunLoanCommand run, CancellationToken ct) =>
        Done(context, (await RunAsync(id, command, context, run, ct)).Done ?? throw new InvalidOperationException($"{command.Name} waits for a second person."));

    /// <summary>202 with the address of the request where a second person has to approve it.</summary>
    private static async Task<Results<Created<CommandAnswer>, Accepted<AskedApproval>>> CommandOrAskAsync(Guid id, LoanCommand command, HttpContext context, RunLoanCommand run, CancellationToken ct)
    {
        var outcome = await RunAsync(id, command, context, run, ct);
        if (outcome is { Done: { } done })
            return Done(context, done);
        return outcome.Asked is { } asked ? ApprovalApi.Accepted(context, asked) : throw new InvalidOperationException($"{command.Name} led to nothing.");
    }

    private static async Task<CommandOutcome> RunAsync(Guid id, LoanCommand command, HttpContext context, RunLoanCommand run, CancellationToken ct) =>
        await run.RunAsync(id, command, await ReadAsync(context, ct), new AskedBy(context.User.Id(), KeyOf(context), VersionHeader.Read(context, "loan")), ct);

    private static Created<CommandAnswer> Done(HttpContext context, CommandAnswer answer)
    {
        VersionHeader.Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Created($"/api/v1/loans/{answer.LoanId}/events", answer);
    }

    private static async Task<Ok<PreviewView>> PreviewAsync(Guid id, LoanCommand command, HttpContext context, RunLoanCommand run, CancellationToken ct)
    {
        var preview = await run.TryAsync(id, command, await ReadAsync(context, ct), ct);
        VersionHeader.Mark(context, preview.Version);
        return TypedResults.Ok(new PreviewView(
            JsonSerializer.Deserialize<JsonElement>(StoredForm.Of(preview.Event)).GetProperty("event"), StateView.Of(preview.Before), StateView.Of(preview.After),
            [.. preview.Entries.Select(entry => new PostingView(entry.Account, Words.Amount(entry.Amount)))], RenewalPayoffView.Of(preview.Renewal)));
    }

    private static async Task<Ok<LoanView>> GetAsync(Guid id, HttpContext context, CaminoDb db, CancellationToken ct)
    {
        var found = await (from loan in db.ServicedLoans.AsNoTracking() join product in db.Products on loan.ProductId equals product.Id where loan.Id == id select new { Loan = loan, product.Code }).SingleOrDefaultAsync(ct)
            ?? throw new RefusedException("loan.not_found", $"There is no loan {id}.");
        VersionHeader.Mark(context, found.Loan.Version);
        return TypedResults.Ok(new LoanView(
            id, found.Loan.Number, found.Loan.BorrowerName, found.Code, found.Loan.ProductVersion, found.Loan.Version, found.Loan.BookedOn, JsonSerializer.Deserialize<JsonElement>(found.Loan.Terms).GetProperty("terms"), LoanBalances.Of(found.Loan), found.Loan.SetAsideReason));
    }

    private static async Task<Ok<StateView>> ScheduleAsync(Guid id, HttpContext context, CaminoDb db, CancellationToken ct, DateOnly? on = null)
    {
        var loan = await FindAsync(db, id, ct);
        VersionHeader.Mark(context, loan.Loan.Version);
        return TypedResults.Ok(StateView.Of(loan.StateOn(on ?? loan.Today)));
    }

    /// <summary>Events of one page.</summary>
    private const int EventsPage = 200;

    /// <param name="after">The key of the last event of the page before; keys are numbers without gaps.</param>
    private static async Task<Ok<EventPage>> EventsAsync(Guid id, CaminoDb db, CancellationToken ct, int after = 0)
    {
        var loan = await FindAsync(db, id, ct);
        var takenBack = loan.TakenBack();
        var begin = Math.Clamp(after, 0, loan.Events.Count);
        var next = begin + EventsPage < loan.Events.Count ? $"/api/v1/loans/{id}/events?after={(begin + EventsPage).ToString(CultureInfo.InvariantCulture)}" : null;
        return TypedResults.Ok(new EventPage(next, [.. loan.Events.Skip(begin).Take(EventsPage).Select(one => new EventView(JsonSerializer.Deserialize<JsonElement>(StoredForm.Of(one)).GetProperty("event"), takenBack.GetValueOrDefault(one.Key)))]));
    }

    private static async Task<Ok<ExplanationView>> ExplainAsync(Guid id, CaminoDb db, CancellationToken ct, DateOnly? on = null, DateOnly? knownOn = null)
    {
        var loan = await FindAsync(db, id, ct);
        var chain = loan.HasDisbursements ? loan.AccountOn(on ?? loan.Today, explains: true, knownOn).Explain() : [];
        return TypedResults.Ok(new ExplanationView(on ?? loan.Today, [.. chain.Select(link => new ExplainedView(link.On, link.What, link.Key, PortionsView.Of(link.Change), PortionsView.Of(link.Owed), Words.Amount(link.Credit.Dollars)))]));
    }

    private static async Task<Ok<PayoffView>> PayoffAsync(Guid id, CaminoDb db, CancellationToken ct, DateOnly? on = null)
    {
        var loan = await FindAsync(db, id, ct);
        var quote = loan.PayoffOn(on ?? loan.Today);
        return TypedResults.Ok(new PayoffView(quote.On, Words.Amount(quote.Amount.Dollars), PortionsView.Of(quote.Owed), Words.Amount(quote.Credit.Dollars), Words.Amount(quote.PerDiem.Dollars), quote.GoodThrough));
    }

    private static async Task<Ok<LoanLedgerPage>> LedgerAsync(Guid id, ReadLedger ledger, CancellationToken ct, Guid? after = null)
    {
        var page = await ledger.OfLoanAsync(id, after, ct);
        return TypedResults.Ok(new LoanLedgerPage(page.Lines, page.Next is { } next ? $"/api/v1/loans/{id}/ledger?after={next}" : null));
    }

    private static async Task<Ok<ProductPage>> ProductsAsync(ReadProducts products, CancellationToken ct) => TypedResults.Ok(new ProductPage(await products.AllAsync(ct)));

    private static async Task<Created<ProductAdded>> AddProductAsync(ProductRequest request, ClaimsPrincipal user, AddProduct add, CancellationToken ct)
    {
        var product = await add.RunAsync(InputText.Text("code", request.Code, 20), InputText.Text("name", request.Name, 100), Raw(request.Rules), Raw(request.Offer), user.Id(), ct);
        return TypedResults.Created($"/api/v1/products/{product.Id}", new ProductAdded(product.Id, product.Code, 1));
    }

    private static async Task<Ok<ProductVersionMade>> ChangeProductAsync(Guid id, ProductRequest request, ClaimsPrincipal user, ChangeProduct change, CancellationToken ct) =>
        TypedResults.Ok(new ProductVersionMade(await change.RunAsync(id, Raw(request.Rules), Raw(request.Offer), user.Id(), ct)));

    private static async Task<Accepted<CloseView>> CloseAsync(CloseRequest request, ClaimsPrincipal user, CloseDay close, CancellationToken ct)
    {
        Refuse.If(request.Closes is null, "input.closes", "closes is missing; it is the business date to end, such as 2026-03-01.");
        return TypedResults.Accepted("/api/v1/business-day", CloseView.Of(await close.RunAsync(request.Closes.Value, user.Id(), ct)));
    }

    private static async Task<LoanInHand> FindAsync(CaminoDb db, Guid id, CancellationToken ct) =>
        await db.LoanToLookAtAsync(id, ct) ?? throw new RefusedException("loan.not_found", $"There is no loan {id}.");

    private static async Task<CommandInput> ReadAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Request.ContentLength == 0)
            return new CommandInput();
        try
        {
            return await context.Request.ReadFromJsonAsync<CommandInput>(StrictInput, ct) ?? new CommandInput();
        }
        catch (JsonException wrong)
        {
            throw new RefusedException("input.not_json", $"The body is one JSON object with on, amount, annualRatePercent, until, count, portion, of, bankCode and note as the command needs them; at {InputText.Short(wrong.Path)} it is not.");
        }
    }

    private static JsonSerializerOptions StrictInput { get; } = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow };

    /// <exception cref="RefusedException"><c>idempotency.key_missing</c>.</exception>
    internal static string KeyOf(HttpContext context)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        Refuse.If(key.Length == 0, "idempotency.key_missing", "The header Idempotency-Key is missing: any text of 1 to 64 characters that this caller uses once, and again only to repeat this request.");
        return key;
    }

    private static string Raw(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? "null" : element.GetRawText();
}
