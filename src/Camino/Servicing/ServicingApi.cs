using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>The serviced book for programs: loans, products, the business date, the ledger.</summary>
public static class ServicingApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapServicingApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/loans", ListAsync).RequireAuthorization(Permissions.BookRead);
        api.MapPost("/loans", BookAsync).RequireAuthorization(Permissions.BookLoans);
        api.MapGet("/loans/{id:guid}", GetAsync).RequireAuthorization(Permissions.BookRead);
        api.MapGet("/loans/{id:guid}/schedule", ScheduleAsync).RequireAuthorization(Permissions.BookRead);
        api.MapGet("/loans/{id:guid}/events", EventsAsync).RequireAuthorization(Permissions.BookRead);
        api.MapGet("/loans/{id:guid}/explanation", ExplainAsync).RequireAuthorization(Permissions.BookRead);
        api.MapGet("/loans/{id:guid}/payoff", PayoffAsync).RequireAuthorization(Permissions.BookRead);
        api.MapGet("/loans/{id:guid}/ledger", LedgerAsync).RequireAuthorization(Permissions.BookRead);
        foreach (var command in LoanCommand.All)
        {
            api.MapPost($"/loans/{{id:guid}}/{command.Name}", (Guid id, HttpContext context, RunLoanCommand run, CancellationToken ct) => CommandAsync(id, command, context, run, ct)).RequireAuthorization(command.Permission);
            api.MapPost($"/loans/{{id:guid}}/{command.Name}/preview", (Guid id, HttpContext context, RunLoanCommand run, CancellationToken ct) => PreviewAsync(id, command, context, run, ct)).RequireAuthorization(command.Permission);
        }

        api.MapGet("/products", ProductsAsync).RequireAuthorization(Permissions.ProductsRead);
        api.MapPost("/products", AddProductAsync).RequireAuthorization(Permissions.ProductsChange);
        api.MapPut("/products/{id:guid}/draft", ChangeProductAsync).RequireAuthorization(Permissions.ProductsChange);
        api.MapPost("/products/{id:guid}/publish", async (Guid id, ClaimsPrincipal user, PublishProduct publish, CancellationToken ct) => TypedResults.Ok(new ProductVersionView(await publish.RunAsync(id, user.Id(), ct)))).RequireAuthorization(Permissions.ProductsChange);
        api.MapPost("/products/{id:guid}/retire", async (Guid id, ClaimsPrincipal user, RetireProduct retire, CancellationToken ct) =>
        {
            await retire.RunAsync(id, user.Id(), ct);
            return TypedResults.NoContent();
        }).RequireAuthorization(Permissions.ProductsChange);

        api.MapGet("/business-day", async (CaminoDb db, CancellationToken ct) => TypedResults.Ok(new BusinessDayView(await db.TodayAsync(ct), CloseView.Of(await db.CloseRuns.AsNoTracking().OrderByDescending(run => run.Id).FirstOrDefaultAsync(ct))))).RequireAuthorization(Permissions.LedgerRead);
        api.MapPost("/business-day/close", CloseAsync).RequireAuthorization(Permissions.DayClose);
        api.MapPost("/business-day/resume", async (ClaimsPrincipal user, ResumeClose resume, CancellationToken ct) => TypedResults.Accepted("/api/v1/business-day", new ResumedView(await resume.RunAsync(user.Id(), ct)))).RequireAuthorization(Permissions.DayClose);
        api.MapPost("/ledger/checks", async (ClaimsPrincipal user, AskLedgerCheck ask, CancellationToken ct) =>
        {
            var check = await ask.RunAsync(user.Id(), ct);
            return TypedResults.Accepted($"/api/v1/ledger/checks/{check.Id}", CheckView.Of(check));
        }).RequireAuthorization(Permissions.LedgerCheck);
        api.MapGet("/ledger/checks/{id:guid}", async (Guid id, CaminoDb db, CancellationToken ct) =>
            CheckView.Of(await db.LedgerChecks.AsNoTracking().SingleOrDefaultAsync(check => check.Id == id, ct) ?? throw new RefusedException("ledger_check.not_found", $"There is no ledger check {id}."))).RequireAuthorization(Permissions.LedgerRead);
        api.MapGet("/ledger/trial-balance", async (ReadLedger ledger, CancellationToken ct) => TypedResults.Ok(await ledger.TrialBalanceAsync(ct))).RequireAuthorization(Permissions.LedgerRead);
    }

    public sealed record CloseRequest(DateOnly? Closes);

    /// <summary>A product's version that a command made or published.</summary>
    public sealed record ProductVersionView(int Version);

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

    private static async Task<IResult> ListAsync(HttpContext context, ListServicedLoans list, CancellationToken ct)
    {
        var filter = ServicedFilter.FromQuery(context.Request.Query);
        var page = await list.RunAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new { items = page.Lines.Select(LineView.Of), next = page.Next is { } next ? "/api/v1/loans" + filter.ToQuery("after", next.ToString()) : null });
    }

    private static async Task<IResult> BookAsync(HttpContext context, BookingInput input, BookLoan book, CancellationToken ct)
    {
        var answer = await book.RunAsync(input, new AskedBy(context.User.Id(), KeyOf(context)), ct);
        Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Created($"/api/v1/loans/{answer.LoanId}", answer);
    }

    private static async Task<IResult> CommandAsync(Guid id, LoanCommand command, HttpContext context, RunLoanCommand run, CancellationToken ct)
    {
        var answer = await run.RunAsync(id, command, await ReadAsync(context, ct), new AskedBy(context.User.Id(), KeyOf(context), VersionOf(context)), ct);
        Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Created($"/api/v1/loans/{id}/events", answer);
    }

    private static async Task<IResult> PreviewAsync(Guid id, LoanCommand command, HttpContext context, RunLoanCommand run, CancellationToken ct)
    {
        var preview = await run.TryAsync(id, command, await ReadAsync(context, ct), ct);
        context.Response.Headers.ETag = Tag(preview.Version);
        return TypedResults.Ok(new
        {
            @event = JsonSerializer.Deserialize<JsonElement>(StoredForm.Of(preview.Event)).GetProperty("event"),
            before = StateView.Of(preview.Before),
            after = StateView.Of(preview.After),
            entries = preview.Entries.Select(entry => new { entry.Account, amount = Words.Amount(entry.Amount) }),
        });
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext context, CaminoDb db, CancellationToken ct)
    {
        var found = await (from loan in db.ServicedLoans.AsNoTracking() join product in db.Products on loan.ProductId equals product.Id where loan.Id == id select new { Loan = loan, product.Code }).SingleOrDefaultAsync(ct)
            ?? throw new RefusedException("loan.not_found", $"There is no loan {id}.");
        context.Response.Headers.ETag = Tag(found.Loan.Version);
        return TypedResults.Ok(new LoanView(
            id, found.Loan.Number, found.Loan.BorrowerName, found.Code, found.Loan.ProductVersion, found.Loan.Version, found.Loan.BookedOn, JsonSerializer.Deserialize<JsonElement>(found.Loan.Terms).GetProperty("terms"), LoanBalances.Of(found.Loan), found.Loan.SetAsideReason));
    }

    private static async Task<IResult> ScheduleAsync(Guid id, HttpContext context, CaminoDb db, CancellationToken ct, DateOnly? on = null)
    {
        var loan = await FindAsync(db, id, ct);
        context.Response.Headers.ETag = Tag(loan.Loan.Version);
        return TypedResults.Ok(StateView.Of(loan.StateOn(on ?? loan.Today)));
    }

    /// <summary>Events of one page.</summary>
    private const int EventsPage = 200;

    /// <param name="after">The key of the last event of the page before; keys are numbers without gaps.</param>
    private static async Task<IResult> EventsAsync(Guid id, CaminoDb db, CancellationToken ct, int after = 0)
    {
        var loan = await FindAsync(db, id, ct);
        var takenBack = loan.TakenBack();
        var begin = Math.Clamp(after, 0, loan.Events.Count);
        var next = begin + EventsPage < loan.Events.Count ? $"/api/v1/loans/{id}/events?after={(begin + EventsPage).ToString(CultureInfo.InvariantCulture)}" : null;
        return TypedResults.Ok(new { next, items = loan.Events.Skip(begin).Take(EventsPage).Select(one => new { body = JsonSerializer.Deserialize<JsonElement>(StoredForm.Of(one)).GetProperty("event"), takenBackBy = takenBack.GetValueOrDefault(one.Key) }) });
    }

    private static async Task<IResult> ExplainAsync(Guid id, CaminoDb db, CancellationToken ct, DateOnly? on = null, DateOnly? knownOn = null)
    {
        var loan = await FindAsync(db, id, ct);
        var chain = loan.HasDisbursements ? loan.AccountOn(on ?? loan.Today, explains: true, knownOn).Explain() : [];
        return TypedResults.Ok(new { on = on ?? loan.Today, items = chain.Select(link => new { link.On, link.What, link.Key, change = PortionsView.Of(link.Change), owed = PortionsView.Of(link.Owed), credit = Words.Amount(link.Credit.Dollars) }) });
    }

    private static async Task<IResult> PayoffAsync(Guid id, CaminoDb db, CancellationToken ct, DateOnly? on = null)
    {
        var loan = await FindAsync(db, id, ct);
        var quote = loan.PayoffOn(on ?? loan.Today);
        return TypedResults.Ok(new { quote.On, amount = Words.Amount(quote.Amount.Dollars), owed = PortionsView.Of(quote.Owed), credit = Words.Amount(quote.Credit.Dollars), perDiem = Words.Amount(quote.PerDiem.Dollars), quote.GoodThrough });
    }

    private static async Task<IResult> LedgerAsync(Guid id, ReadLedger ledger, CancellationToken ct, Guid? after = null)
    {
        var page = await ledger.OfLoanAsync(id, after, ct);
        return TypedResults.Ok(new { items = page.Lines, next = page.Next is { } next ? $"/api/v1/loans/{id}/ledger?after={next}" : null });
    }

    private static async Task<IResult> ProductsAsync(ReadProducts products, CancellationToken ct) => TypedResults.Ok(new { items = await products.AllAsync(ct) });

    private static async Task<IResult> AddProductAsync(ProductRequest request, ClaimsPrincipal user, AddProduct add, CancellationToken ct)
    {
        var product = await add.RunAsync(InputText.Text("code", request.Code, 20), InputText.Text("name", request.Name, 100), Raw(request.Rules), Raw(request.Offer), user.Id(), ct);
        return TypedResults.Created($"/api/v1/products/{product.Id}", new { product.Id, product.Code, version = 1 });
    }

    private static async Task<IResult> ChangeProductAsync(Guid id, ProductRequest request, ClaimsPrincipal user, ChangeProduct change, CancellationToken ct) =>
        TypedResults.Ok(new { version = await change.RunAsync(id, Raw(request.Rules), Raw(request.Offer), user.Id(), ct) });

    private static async Task<IResult> CloseAsync(CloseRequest request, ClaimsPrincipal user, CloseDay close, CancellationToken ct)
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

    private static string KeyOf(HttpContext context)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        Refuse.If(key.Length == 0, "idempotency.key_missing", "The header Idempotency-Key is missing: any text of 1 to 64 characters that this caller uses once, and again only to repeat this request.");
        return key;
    }

    private static int? VersionOf(HttpContext context)
    {
        var given = context.Request.Headers.IfMatch.ToString().Trim();
        Refuse.If(given.Length == 0, "loan.version_missing", "The header If-Match is missing: the ETag of the loan that was looked at, or * for whatever it is now.");
        if (given == "*")
            return null;
        return int.TryParse(given.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : throw new RefusedException("loan.version", $"If-Match is an ETag of the loan such as \"3\", or *; got {InputText.Short(given)}.");
    }

    private static void Mark(HttpContext context, int version, bool isRepeated)
    {
        context.Response.Headers.ETag = Tag(version);
        if (isRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
    }

    private static string Tag(int version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    private static string Raw(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? "null" : element.GetRawText();
}
