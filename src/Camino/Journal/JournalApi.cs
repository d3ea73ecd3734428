using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Journal;

/// <summary>Entries by hand for programs, such as the house's accounting system. A program asks; people approve.</summary>
public static class JournalApi
{
    private const string Entries = "/ledger/entries";

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapJournalApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/ledger/accounts", () => TypedResults.Ok(new AccountPage([.. HouseChart.All.Select(account => new AccountView(account.Name, account.Code, account.English, Words.Camel(account.Kind), account.IsOpen))])))
            .RequireAuthorization(Permissions.LedgerRead).WithSummary("The accounts of the house, and which take entries by hand");
        api.MapGet(Entries, ListAsync).RequireAuthorization(Permissions.LedgerRead).WithSummary("Entries by hand, the newest first, 50 a page")
            .Asks("from", "Posted on this business date or later.").Asks("to", "Posted on this business date or earlier.").Asks("account", "Name of an account that one of the lines is on.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapGet(Entries + "/{id:guid}", async (Guid id, ReadJournal journal, CancellationToken ct) => TypedResults.Ok(EntryView.Of(await journal.OneAsync(id, ct) ?? throw new RefusedException("journal.not_found", $"There is no entry {id} in the journal."))))
            .RequireAuthorization(Permissions.LedgerRead).WithSummary("An entry by hand with its lines");
        api.MapPost(Entries, async (HttpContext context, PostJournal post, CancellationToken ct) => ApprovalApi.Accepted(context, await post.AskAsync(await InputAsync(context, ct), new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct)))
            .RequireAuthorization(Permissions.LedgerPost).WithSummary("Asks for an entry by hand, which a second person approves: it is posted on the business date of that day").Reads(typeof(JournalInput), "application/json").NeedsIdempotencyKey();
        api.MapPost(Entries + "/{id:guid}/reverse", async (Guid id, HttpContext context, PostJournal post, CancellationToken ct) =>
        {
            var input = (await JsonBody.ReadAsync(context, ct)).All(body => new ReversalRequest(body.Text("on"), body.Text("memo")));
            return ApprovalApi.Accepted(context, await post.AskReversalAsync(id, input.On, input.Memo, new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct));
        })
            .RequireAuthorization(Permissions.LedgerPost).WithSummary("Asks for the entry that takes this one back, which a second person approves").Reads(typeof(ReversalRequest), "application/json").NeedsIdempotencyKey();
    }

    /// <param name="On">From when the reversal counts; the business date when left out.</param>
    /// <param name="Memo">Why, 3 to 300 characters.</param>
    public sealed record ReversalRequest(string? On, string? Memo);

    /// <param name="Kind"><c>asset</c>, <c>liability</c>, <c>income</c>, <c>expense</c> or <c>memorandum</c>.</param>
    /// <param name="ByHand">Whether entries by hand are taken; what the loans keep takes none.</param>
    public sealed record AccountView(string Account, string Code, string Name, string Kind, bool ByHand);

    public sealed record AccountPage(IReadOnlyList<AccountView> Items);

    /// <param name="Debit">Null where it is a credit.</param>
    /// <param name="Credit">Null where it is a debit.</param>
    public sealed record EntryLineView(string Account, string? Debit, string? Credit);

    /// <param name="On">From when it counts.</param>
    /// <param name="Reverses">The entry that it takes back.</param>
    /// <param name="ReversedBy">The entry that took it back.</param>
    public sealed record EntryView(Guid Id, long Number, DateOnly PostedOn, DateOnly On, string Memo, string Total, Guid? Reverses, Guid? ReversedBy, Guid ApprovalId, Guid AskedBy, Guid ApprovedBy, DateTimeOffset PostedAt, IReadOnlyList<EntryLineView> Lines)
    {
        public static EntryView Of(PostedEntry entry) => new(
            entry.Id, entry.Number, entry.PostedOn, entry.On, entry.Memo, Words.Amount(entry.Total.Dollars), entry.Reverses, entry.ReversedBy, entry.ApprovalId, entry.AskedBy, entry.ApprovedBy, entry.PostedAt,
            [.. entry.Lines.Select(line => new EntryLineView(line.Account, line.Amount > Money.Zero ? Words.Amount(line.Amount.Dollars) : null, line.Amount < Money.Zero ? Words.Amount(-line.Amount.Dollars) : null))]);
    }

    public sealed record EntryPage(IReadOnlyList<EntryView> Items, string? Next);

    private static async Task<JournalInput> InputAsync(HttpContext context, CancellationToken ct) =>
        (await JsonBody.ReadAsync(context, ct)).All(body => new JournalInput(body.Text("on"), body.Text("memo"), body.Parts("lines", JournalEntry.MostLines, line => new JournalLineInput(line.Text("account"), line.Text("debit"), line.Text("credit")))));

    private static async Task<Ok<EntryPage>> ListAsync(HttpContext context, ReadJournal journal, CancellationToken ct)
    {
        var filter = JournalFilter.FromQuery(context.Request.Query);
        var page = await journal.ListAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new EntryPage([.. page.Lines.Select(EntryView.Of)], page.Next is { } next ? "/api/v1" + Entries + filter.ToQuery("after", next.ToString()) : null));
    }
}
