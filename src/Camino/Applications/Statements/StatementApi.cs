using Camino.Imports;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Applications.Statements;

/// <summary>Bank statements of applications for programs, and what they come to.</summary>
public static class StatementApi
{
    private const string Root = "/applications/{id:guid}/statements";

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapStatementApi(this IEndpointRouteBuilder api)
    {
        api.MapGet(Root, ListAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("Bank statements of an application, at most 60, and the cash flow that they show together");
        api.MapPost(Root, PostAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Takes a bank statement as the body (CSV, OFX 1 or 2); the same file again changes nothing").Reads(null, "application/octet-stream", "text/csv", "application/x-ofx").DisableAntiforgery();
        api.MapGet(Root + "/lines", LinesAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("Lines of all statements, the newest first, 50 a page, with what each counts as")
            .Asks("kind", "One of deposits, withdrawals, lenders, returned, leftOut.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapDelete(Root + "/{statementId:guid}", RemoveAsync).RequireAuthorization(Permissions.ApplicationsChange).WithSummary("Takes a statement back that was handed in by mistake; the figures are reckoned without it");
        api.MapGet(Root + "/{statementId:guid}", GetAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("One bank statement: its state, how it was read, why it was refused");
    }

    /// <summary>Why a statement was refused.</summary>
    public sealed record StatementProblemView(string Code, string Detail);

    /// <param name="State"><c>received</c>, <c>reading</c>, <c>read</c> or <c>refused</c>.</param>
    /// <param name="Format"><c>csv</c>, <c>ofx1</c> or <c>ofx2</c>.</param>
    /// <param name="Dates"><c>monthFirst</c>, <c>dayFirst</c> or <c>plain</c>.</param>
    /// <param name="DatesWereTaken">Nothing in the file says in which order its dates are.</param>
    /// <param name="BalanceAddsUp">The running balance follows from line to line; null where there is none.</param>
    public sealed record StatementView(
        Guid Id, string FileName, long SizeBytes, string State, string? Accounts, DateOnly? From, DateOnly? To, int Lines, string? Format, string? Dates, bool? DatesWereTaken, bool? BalanceAddsUp, StatementProblemView? Problem, DateTimeOffset ReceivedAt, DateTimeOffset? EndedAt)
    {
        public static StatementView Of(StatementSummary one) => new(
            one.Id, one.FileName, one.SizeBytes, one.State, one.Accounts, one.From, one.To, one.Lines, one.Shape?.Format, one.Shape is { } shape ? Words.Camel(shape.Dates) : null, one.Shape?.DatesWereTaken, one.Shape is { HasBalance: true } balanced ? balanced.BalanceAddsUp : null,
            one.Problem is { } problem ? new StatementProblemView(problem.Code, problem.Sentence) : null, one.ReceivedAt, one.EndedAt);
    }

    /// <summary>Figures of a month or of all days; amounts in dollars and cents, null where nothing proves a balance.</summary>
    public sealed record CashPeriodView(
        DateOnly From, DateOnly To, int DaysCovered, int DepositCount, string Deposits, int WithdrawalCount, string Withdrawals, int BalanceDays, string? AverageBalance, string? LowestBalance, DateOnly? LowestOn, int? NegativeDays, int ReturnedItems, int OverdraftFees,
        int LenderDebitCount, string LenderDebits, int LenderCreditCount, string LenderCredits, int LeftOutCount, string LeftOut)
    {
        public static CashPeriodView Of(CashPeriod one) => new(
            one.From, one.To, one.DaysCovered, one.DepositCount, Text(one.Deposits), one.WithdrawalCount, Text(one.Withdrawals), one.BalanceDays, Maybe(one.AverageBalance), Maybe(one.LowestBalance), one.LowestOn, one.NegativeDays, one.ReturnedItems, one.OverdraftFees,
            one.LenderDebitCount, Text(one.LenderDebits), one.LenderCreditCount, Text(one.LenderCredits), one.LeftOutCount, Text(one.LeftOut));
    }

    /// <param name="Sign"><c>knownLender</c>, <c>loanWords</c>, <c>regularDaily</c> or <c>regularWeekly</c>.</param>
    public sealed record LenderView(string Name, string Sign, int Debits, string Out, string In, DateOnly First, DateOnly Last);

    /// <summary>Days that no statement of an account covers.</summary>
    public sealed record GapView(string? Account, DateOnly From, DateOnly To);

    /// <param name="WordsVersion">Of the lists of words by which lines are told apart.</param>
    public sealed record CashFlowView(int WordsVersion, CashPeriodView? Whole, IReadOnlyList<CashPeriodView> Months, IReadOnlyList<LenderView> Lenders, IReadOnlyList<GapView> Gaps)
    {
        public static CashFlowView Of(CashFlow one) => new(
            one.WordsVersion, one.Whole is { } whole ? CashPeriodView.Of(whole) : null, [.. one.Months.Select(CashPeriodView.Of)],
            [.. one.Lenders.Select(lender => new LenderView(lender.Name, Words.Camel(lender.Sign), lender.Debits, Text(lender.Out), Text(lender.In), lender.First, lender.Last))], [.. one.Gaps.Select(gap => new GapView(gap.Last4, gap.From, gap.To))]);
    }

    /// <param name="CashFlow">Null until one statement is read.</param>
    public sealed record StatementList(IReadOnlyList<StatementView> Items, CashFlowView? CashFlow);

    /// <param name="Marks">What it counts as, such as <c>deposit</c>, <c>knownLender</c>, <c>repeated</c>.</param>
    public sealed record LineView(DateOnly On, string Amount, string Text, string? Balance, string? Account, IReadOnlyList<string> Marks, string? Lender)
    {
        public static LineView Of(StatementLineView line) => new(
            line.On, Words.Amount(line.Amount), line.Text, line.Balance is { } balance ? Words.Amount(balance) : null, line.Account, [.. StatementText.Names(line.Marks).Select(Words.Camel)], line.Lender);
    }

    public sealed record LinePage(IReadOnlyList<LineView> Items, string? Next);

    private static async Task<Ok<StatementList>> ListAsync(Guid id, ShowStatements show, ShowApplication applications, CancellationToken ct)
    {
        var view = await show.RunAsync(id, ct);
        if (view.Statements.Count == 0)
            await CheckThereAsync(id, applications, ct);
        return TypedResults.Ok(new StatementList([.. view.Statements.Select(StatementView.Of)], view.Figures is { } figures ? CashFlowView.Of(figures) : null));
    }

    private static async Task<Ok<StatementView>> GetAsync(Guid id, Guid statementId, ShowStatements show, CancellationToken ct)
    {
        var one = (await show.RunAsync(id, ct)).Statements.FirstOrDefault(statement => statement.Id == statementId) ?? throw new RefusedException("statement.not_found", "This application has no such statement.");
        return TypedResults.Ok(StatementView.Of(one));
    }

    private static async Task<Ok<LinePage>> LinesAsync(Guid id, HttpContext context, ShowStatements show, ShowApplication applications, CancellationToken ct)
    {
        await CheckThereAsync(id, applications, ct);
        var filter = new LineFilter(id, new ListAddress(context.Request.Query).Name<LineKind>("kind"));
        var page = await show.LinesAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new LinePage([.. page.Lines.Select(LineView.Of)], page.Next is { } next ? $"/api/v1/applications/{id}/statements/lines" + filter.ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Accepted<StatementAnswer>> PostAsync(Guid id, HttpContext context, ReceiveStatement receive, CancellationToken ct, string? fileName = null, string? account = null, string? dates = null)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = StatementReader.MostBytes + 1; // one more, so that the refusal is ours
        Refuse.If(context.Request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true, "input.content_type", "The statement is the body itself, not a part of a form.");
        try
        {
            var answer = await receive.RunAsync(id, new HandedInStatement(context.Request.Body, fileName ?? ImportUpload.NameInHeader(context.Request) ?? "statement", account, dates) { ExpectedBytes = context.Request.ContentLength }, context.User.Id(), ct);
            if (answer.IsRepeated)
                context.Response.Headers["Idempotency-Replayed"] = "true";
            return TypedResults.Accepted(answer.Url, answer);
        }
        catch (BadHttpRequestException beyond) when (beyond.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw new RefusedException("statement.too_large", $"A statement has at most {StatementReader.MostBytes} bytes; this file has more.");
        }
    }

    private static async Task<NoContent> RemoveAsync(Guid id, Guid statementId, HttpContext context, RemoveStatement remove, CancellationToken ct)
    {
        await remove.RunAsync(id, statementId, context.User.Id(), ct);
        return TypedResults.NoContent();
    }

    private static async Task CheckThereAsync(Guid id, ShowApplication applications, CancellationToken ct) =>
        await applications.MustBeThereAsync(id, ct);

    private static string Text(Money amount) => Words.Amount(amount.Dollars);

    private static string? Maybe(Money? amount) => amount is { } known ? Text(known) : null;
}
