using System.Globalization;
using Camino.Applications.Papers;
using Camino.Applications.Statements;
using Camino.Borrowers;
using Camino.Clients;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Camino.Applications;

/// <summary>Applications for programs: handed in at once, worked in the background, asked for as a task.</summary>
public static class ApplicationApi
{
    /// <summary>The longest that a request waits for news, in seconds.</summary>
    public const int LongestWait = 30;

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapApplicationApi(this IEndpointRouteBuilder root)
    {
        var api = root.MapGroup("").AddEndpointFilter(OwnAsync);
        api.MapPost("/applications", ReceiveAsync).RequireAuthorization(Permissions.ApplicationsCreate).WithSummary("Takes a loan application in; the answer says where its task is").Reads(typeof(ApplicationInput), "application/json").NeedsIdempotencyKey();
        root.MapGet("/loans/{id:guid}/renewal", RenewalAsync).RequireAuthorization(Permissions.BookRead).WithSummary("Whether a loan may be renewed: months on time, what its product asks for, what pays it off");
        root.MapPost("/loans/{id:guid}/renewal", RenewAsync).RequireAuthorization(Permissions.ApplicationsCreate, Permissions.BookRead).WithSummary("Takes the application for the renewal of a loan in; whom it is from is taken over from the borrower").Reads(typeof(RenewalInput), "application/json").NeedsIdempotencyKey();
        api.MapPost("/applications/bulk", (HttpContext context, BulkApplications bulk, CancellationToken ct) => bulk.RunAsync(context, ServicingApi.KeyOf(context), ct)).RequireAuthorization(Permissions.ApplicationsCreate).WithSummary("Takes many applications in, one a line (NDJSON, at most 100,000), and answers each line")
            .Reads(null, BulkApplications.ContentType).Produces<string>(StatusCodes.Status200OK, BulkApplications.ContentType).NeedsIdempotencyKey();
        api.MapGet("/applications", ListAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("Applications, the newest first, 50 a page; a client sees those that it handed in")
            .Asks("state", $"One of {string.Join(", ", Enum.GetValues<ApplicationState>().Select(one => Words.Camel(one)))}.").Asks("from", "Taken in at this moment or later, such as 2026-03-01T00:00:00Z.").Asks("until", "Taken in before this moment.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapGet("/applications/{id:guid}", GetAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("An application as a task: state, step, progress, result")
            .WithMetadata(new ApiParameter("Prefer", "wait=20: the answer comes when the task changes, or after so many seconds (1 to 30). With If-None-Match it comes at once when the ETag is another.", IsHeader: true, IsRequired: false))
            .WithMetadata(new ApiParameter("If-None-Match", "An ETag that is known already: 304 while it is the one of now.", IsHeader: true, IsRequired: false));
        foreach (var move in MoveApplication.Moves)
        {
            api.MapPost("/applications/{id:guid}/" + Words.Camel(move), (Guid id, HttpContext context, MoveApplication run, CancellationToken ct) => MoveAsync(id, move, context, run, ct)).RequireAuthorization(PermissionOf(move))
                .WithSummary(SentenceOf(move)).Reads(move == ApplicationMove.Decline ? typeof(DeclineInput) : typeof(MoveInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        }

        api.MapGet("/applications/{id:guid}/bank-account", AccountAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("The applicant's bank account: the last four digits of its number, and what the bank answered");
        api.MapPut("/applications/{id:guid}/bank-account", GiveAccountAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Keeps the applicant's bank account, in the place of the one before, and has it checked").Reads(typeof(BankAccountInput), "application/json").NeedsIdempotencyKey();
        api.MapOfferApi();
        api.MapPaperApi();
        api.MapStatementApi();
        api.MapReportApi();
        api.MapPost("/applications/{id:guid}/steps/{stepId:guid}/retry", RetryAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Tries one step of the checks again, at once").NeedsIdempotencyKey();
    }

    /// <summary>Why an application is moved.</summary>
    /// <param name="Reason">1 to 500 characters.</param>
    public sealed record MoveInput(string? Reason);

    /// <summary>Why an application is declined.</summary>
    /// <param name="Reason">1 to 500 characters.</param>
    /// <param name="Reasons">The principal reasons, 1 to 4 codes.</param>
    public sealed record DeclineInput(string? Reason, IReadOnlyList<string>? Reasons);

    /// <param name="Amount">Dollars.</param>
    public sealed record ApplicationLineView(Guid Id, string Number, string? ExternalId, string Name, string Amount, string State, string Step, DateTimeOffset ReceivedAt, DateTimeOffset ChangedAt)
    {
        public static ApplicationLineView Of(ApplicationLine line) => new(line.Id, line.Number, line.ExternalId, line.Name, Words.Amount(line.Amount), ApplicationWords.Task(line.State), ApplicationWords.Step(line.State), line.ReceivedAt, line.ChangedAt);
    }

    public sealed record ApplicationPage(IReadOnlyList<ApplicationLineView> Items, string? Next);

    /// <summary>Who may move an application so.</summary>
    internal static string PermissionOf(ApplicationMove move) => move == ApplicationMove.Decline ? Permissions.ApplicationsDecide : Permissions.ApplicationsChange;

    private static string SentenceOf(ApplicationMove move) => move switch
    {
        ApplicationMove.Withdraw => "Withdraws an application: the applicant does not want it any more",
        ApplicationMove.Cancel => "Cancels an application that was handed in by mistake",
        ApplicationMove.Decline => "Declines an application",
        _ => "Reopens an application that had ended",
    };

    /// <summary>An application that another handed in is not there for a client.</summary>
    internal static async ValueTask<object?> OwnAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        if (context.Features.Get<KnownClient>() is { } client && context.GetRouteValue("id") is string text && Guid.TryParse(text, out var id)
            && !await context.RequestServices.GetRequiredService<ShowApplication>().IsOfAsync(id, client.Id, context.RequestAborted))
            throw new RefusedException("application.not_found", $"There is no application {id}.");
        return await next(invocation);
    }

    private static async Task<Accepted<ApplicationAnswer>> ReceiveAsync(HttpContext context, ReceiveApplication receive, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var answer = await receive.RunAsync(ApplicationInput.From(await JsonBody.ReadAsync(context, ct)), fromStaff: false, new AskedBy(context.User.Id(), key), ct);
        Mark(context, answer);
        return TypedResults.Accepted($"/api/v1/applications/{answer.ApplicationId}", answer);
    }

    /// <summary>Whether a loan may be renewed, and what became of it. Amounts in dollars and cents.</summary>
    /// <param name="MayRenew">Whether an application for its renewal would be taken in now.</param>
    /// <param name="OnTimeMonths">Whole months without a late installment up to the business date.</param>
    /// <param name="OnTimeSince">From when it was paid on time.</param>
    /// <param name="AskedMonths">What its product asks for; null where its loans are not renewed.</param>
    /// <param name="GraceDays">Days after its due date on which an installment still counts as paid on time.</param>
    /// <param name="Payoff">What pays it off on the business date; null where nothing is owed.</param>
    /// <param name="Application">The open application for its renewal.</param>
    /// <param name="RenewedBy">The loan that renews it.</param>
    /// <param name="Renews">The loan that it renews.</param>
    /// <param name="PaidOff">What paid that loan off; null before the money was handed out.</param>
    public sealed record RenewalStatus(bool MayRenew, int OnTimeMonths, DateOnly OnTimeSince, int? AskedMonths, int? GraceDays, string? Payoff, NumberedLink? Application, NumberedLink? RenewedBy, NumberedLink? Renews, string? PaidOff);

    private static async Task<Ok<RenewalStatus>> RenewalAsync(Guid id, HttpContext context, CaminoDb db, ShowRenewal show, CancellationToken ct)
    {
        var loan = await db.LoanToLookAtAsync(id, ct) ?? throw new RefusedException("loan.not_found", $"There is no loan {id}.");
        VersionHeader.Mark(context, loan.Loan.Version);
        var view = await show.RunAsync(loan, ct);
        return TypedResults.Ok(new RenewalStatus(view.MayRenew, view.Months, view.Since, view.AskedMonths, view.GraceDays, Amount(view.Payoff), view.Application, view.RenewedBy, view.Renews, Amount(view.PaidOff)));

        static string? Amount(decimal? dollars) => dollars is { } some ? Words.Amount(some) : null;
    }

    private static async Task<Accepted<ApplicationAnswer>> RenewAsync(Guid id, HttpContext context, RenewLoan renew, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var answer = await renew.RunAsync(id, RenewalInput.From(await JsonBody.ReadAsync(context, ct)), fromStaff: false, new AskedBy(context.User.Id(), key), ct);
        Mark(context, answer);
        return TypedResults.Accepted($"/api/v1/applications/{answer.ApplicationId}", answer);
    }

    private static async Task<Ok<ApplicationPage>> ListAsync(HttpContext context, ListApplications list, CancellationToken ct)
    {
        var filter = ApplicationFilter.FromQuery(context.Request.Query) with { Client = context.Features.Get<KnownClient>()?.Id };
        var page = await list.RunAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new ApplicationPage([.. page.Lines.Select(ApplicationLineView.Of)], page.Next is { } next ? "/api/v1/applications" + filter.ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Results<Ok<ApplicationTask>, StatusCodeHttpResult>> GetAsync(Guid id, HttpContext context, ShowApplication show, ApplicationNews news, IHostApplicationLifetime host, CancellationToken ct)
    {
        var known = context.Request.Headers.IfNoneMatch.ToString().Trim();
        var task = await FindAsync(id, show, ct);
        if (WaitOf(context.Request) is { } seconds && task.EndedAt is null && (known.Length == 0 || known == task.Tag))
        {
            context.Response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"wait={seconds}");
            task = await WaitAsync(task, TimeSpan.FromSeconds(seconds), show, news, host.ApplicationStopping, ct);
        }

        if (context.Features.Get<KnownClient>() is not null)
            task = task.ForClient();
        context.Response.Headers.ETag = task.Tag;
        context.Response.Headers.CacheControl = "no-store";
        if (known.Length > 0 && known == task.Tag)
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        return TypedResults.Ok(task);
    }

    /// <summary>Looks again whenever there is news, until the task is another than it was or the time is over. While it waits it holds no connection of the database.</summary>
    private static async Task<ApplicationTask> WaitAsync(ApplicationTask seen, TimeSpan time, ShowApplication show, ApplicationNews news, CancellationToken stopping, CancellationToken ct)
    {
        using var waiting = await news.BeginAsync(seen.Id, ct);
        if (waiting is null)
            return seen;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, ct);
        either.CancelAfter(time);
        var now = await FindAsync(seen.Id, show, ct); // what happened before anybody listened
        try
        {
            while (now.Tag == seen.Tag)
            {
                await waiting.NextAsync(either.Token);
                now = await FindAsync(seen.Id, show, ct);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return await FindAsync(seen.Id, show, ct); // the time is over, or this process ends
        }

        return now;
    }

    private static async Task<ApplicationTask> FindAsync(Guid id, ShowApplication show, CancellationToken ct) =>
        await show.TaskAsync(id, ct) ?? throw new RefusedException("application.not_found", $"There is no application {id}.");

    private static async Task<Ok<ApplicationAnswer>> MoveAsync(Guid id, ApplicationMove move, HttpContext context, MoveApplication run, CancellationToken ct)
    {
        var by = new AskedBy(context.User.Id(), ServicingApi.KeyOf(context), VersionHeader.Read(context, "application", hasSteps: true));
        var (reason, adverse) = (await JsonBody.ReadAsync(context, ct)).All(body => (body.Text("reason"), move == ApplicationMove.Decline ? body.Texts("reasons", AdverseReasons.Codes.Count) : null));
        var answer = await run.RunAsync(id, move, reason, by, ct, adverse);
        Mark(context, answer);
        return TypedResults.Ok(answer);
    }

    private static async Task<Accepted<ApplicationAnswer>> RetryAsync(Guid id, Guid stepId, HttpContext context, RetryStep retry, CancellationToken ct)
    {
        var answer = await retry.RunAsync(id, stepId, new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct);
        Mark(context, answer);
        return TypedResults.Accepted($"/api/v1/applications/{id}", answer);
    }

    private static async Task<Results<Ok<ApplicantAccount>, NoContent>> AccountAsync(Guid id, HttpContext context, GiveBankAccount give, ShowApplication show, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (await give.FindAsync(id, ct) is { } account)
            return TypedResults.Ok(account);
        await show.MustBeThereAsync(id, ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ApplicationAnswer>> GiveAccountAsync(Guid id, HttpContext context, GiveBankAccount give, CancellationToken ct)
    {
        var by = new AskedBy(context.User.Id(), ServicingApi.KeyOf(context));
        var input = (await JsonBody.ReadAsync(context, ct)).All(body => new BankAccountInput { Holder = body.Text("holder"), Routing = body.Text("routing"), Account = body.Text("account") });
        var answer = await give.RunAsync(id, input, by, ct);
        Mark(context, answer);
        return TypedResults.Ok(answer);
    }

    /// <summary>Seconds of <c>Prefer: wait=20</c>, 1 to <see cref="LongestWait"/>; null when nothing that can be read is preferred.</summary>
    private static int? WaitOf(HttpRequest request)
    {
        var wait = request.Headers["Prefer"].SelectMany(value => (value ?? "").Split([',', ';'])).Select(part => part.Trim()).FirstOrDefault(part => part.StartsWith("wait=", StringComparison.OrdinalIgnoreCase));
        return int.TryParse(wait?["wait=".Length..].Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 ? Math.Min(seconds, LongestWait) : null;
    }

    internal static void Mark(HttpContext context, ApplicationAnswer answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
    }
}
