using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Lending;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Borrowers;

/// <summary>Borrowers for programs.</summary>
public static class BorrowerApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapBorrowerApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/borrowers", ListAsync).RequireAuthorization(Permissions.BorrowersRead).WithSummary("Borrowers, 50 a page").Asks("q", "Words of the name, at most 100 characters.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapPost("/borrowers", AddAsync).RequireAuthorization(Permissions.BorrowersChange).WithSummary("Adds a borrower").Reads(typeof(BorrowerInput), "application/json").NeedsIdempotencyKey();
        api.MapPost("/borrowers/find", FindAsync).RequireAuthorization(Permissions.BorrowersRead).WithSummary("Finds borrowers by a number that must not stand in an address").Reads(typeof(FindInput), "application/json");
        api.MapGet("/borrowers/{id:guid}", GetAsync).RequireAuthorization(Permissions.BorrowersRead).WithSummary("A borrower with owners, addresses, masked numbers and bank accounts");
        api.MapPatch("/borrowers/{id:guid}", ChangeAsync).RequireAuthorization(Permissions.BorrowersChange).WithSummary("Changes what is given of a borrower").Reads(typeof(BorrowerInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapGet("/borrowers/{id:guid}/timeline", TimelineAsync).RequireAuthorization(Permissions.BorrowersRead).WithSummary("What happened to a borrower, the newest first");
        api.MapPost("/borrowers/{id:guid}/identifiers", SetIdentifierAsync).RequireAuthorization(Permissions.BorrowersChange).WithSummary("Stores an SSN, ITIN or EIN, sealed").Reads(typeof(IdentifierInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/borrowers/{id:guid}/identifiers/{identifierId:guid}/reveal", RevealAsync).RequireAuthorization(Permissions.BorrowersReveal).WithSummary("Shows a number in full; who looked is in the audit trail");
        api.MapPost("/borrowers/{id:guid}/bank-accounts", AddAccountAsync).RequireAuthorization(Permissions.BorrowersChange).WithSummary("Adds a bank account").Reads(typeof(BankAccountInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/borrowers/{id:guid}/bank-accounts/{accountId:guid}/verify", VerifyAccountAsync).RequireAuthorization(Permissions.BorrowersChange).WithSummary("Says that a bank account was verified").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapDelete("/borrowers/{id:guid}/bank-accounts/{accountId:guid}", RemoveAccountAsync).RequireAuthorization(Permissions.BorrowersChange).WithSummary("Removes a bank account").NeedsIdempotencyKey().NeedsIfMatch();
    }

    public sealed record BorrowerLineView(Guid Id, string Name, string? TradeName, string Kind, string Language, string? City, string? State, int Loans)
    {
        public static BorrowerLineView Of(BorrowerLine line) => new(line.Id, line.Name, line.TradeName, line.Kind, line.Language, line.City, line.State, line.Loans);
    }

    public sealed record BorrowerPage(IReadOnlyList<BorrowerLineView> Items, string? Next);

    public sealed record FoundBorrowers(IReadOnlyList<BorrowerLineView> Items);

    public sealed record BorrowerTimeline(IReadOnlyList<TimelineEntry> Items, string? Next);

    /// <summary>A number in full.</summary>
    public sealed record RevealedView(string Value);

    private static JsonSerializerOptions Strict { get; } = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    private static async Task<Ok<BorrowerPage>> ListAsync(HttpContext context, ListBorrowers list, CancellationToken ct)
    {
        var filter = BorrowerFilter.FromQuery(context.Request.Query);
        var page = await list.RunAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new BorrowerPage([.. page.Lines.Select(BorrowerLineView.Of)], page.Next is { } next ? "/api/v1/borrowers" + filter.ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Ok<FoundBorrowers>> FindAsync(HttpContext context, FindBorrowers find, CancellationToken ct)
    {
        var found = await find.RunAsync(await ReadAsync<FindInput>(context, ct), ct);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new FoundBorrowers([.. found.Select(BorrowerLineView.Of)]));
    }

    /// <summary>A borrower that went into another is there under that one's id; the answer is not to be remembered, for a merge can be undone.</summary>
    private static async Task<Results<Ok<BorrowerView>, RedirectHttpResult>> GetAsync(Guid id, HttpContext context, ShowBorrower show, ShowMerges merges, CancellationToken ct)
    {
        if (await show.RunAsync(id, ct) is not { } found)
        {
            context.Response.Headers.CacheControl = "no-store";
            return await merges.SurvivorOfAsync(id, ct) is { } survivor ? TypedResults.Redirect($"/api/v1/borrowers/{survivor}", permanent: true, preserveMethod: true) : throw new RefusedException("borrower.not_found", $"There is no borrower {id}.");
        }

        VersionHeader.Mark(context, found.Version);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(found);
    }

    private static async Task<Created<BorrowerAnswer>> AddAsync(HttpContext context, AddBorrower add, CancellationToken ct)
    {
        var answer = await add.RunAsync(await ReadAsync<BorrowerInput>(context, ct), new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct);
        VersionHeader.Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Created($"/api/v1/borrowers/{answer.BorrowerId}", answer);
    }

    private static async Task<Ok<BorrowerAnswer>> ChangeAsync(Guid id, HttpContext context, ChangeBorrower change, CancellationToken ct) =>
        Ok(context, await change.RunAsync(id, await ReadAsync<BorrowerInput>(context, ct), By(context), ct));

    private static async Task<Ok<BorrowerTimeline>> TimelineAsync(Guid id, ShowBorrower show, CancellationToken ct, Guid? after = null)
    {
        var entries = await show.TimelineAsync(id, after, ct);
        var page = entries.Take(ShowBorrower.TimelinePage).ToList();
        return TypedResults.Ok(new BorrowerTimeline(page, entries.Count > page.Count ? $"/api/v1/borrowers/{id}/timeline?after={page[^1].Id}" : null));
    }

    private static async Task<Ok<BorrowerAnswer>> SetIdentifierAsync(Guid id, HttpContext context, SetIdentifier set, CancellationToken ct) =>
        Ok(context, await set.RunAsync(id, await ReadAsync<IdentifierInput>(context, ct), By(context), ct));

    private static async Task<Ok<RevealedView>> RevealAsync(Guid id, Guid identifierId, HttpContext context, RevealIdentifier reveal, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RevealedView(await reveal.RunAsync(id, identifierId, context.User.Id(), ct)));
    }

    private static async Task<Ok<BorrowerAnswer>> AddAccountAsync(Guid id, HttpContext context, AddBankAccount add, CancellationToken ct) =>
        Ok(context, await add.RunAsync(id, await ReadAsync<BankAccountInput>(context, ct), By(context), ct));

    private static async Task<Ok<BorrowerAnswer>> VerifyAccountAsync(Guid id, Guid accountId, HttpContext context, VerifyBankAccount verify, CancellationToken ct) =>
        Ok(context, await verify.RunAsync(id, accountId, By(context), ct));

    private static async Task<Ok<BorrowerAnswer>> RemoveAccountAsync(Guid id, Guid accountId, HttpContext context, RemoveBankAccount remove, CancellationToken ct) =>
        Ok(context, await remove.RunAsync(id, accountId, By(context), ct));

    internal static AskedBy By(HttpContext context) => new(context.User.Id(), ServicingApi.KeyOf(context), VersionHeader.Read(context, "borrower"));

    private static async Task<T> ReadAsync<T>(HttpContext context, CancellationToken ct)
        where T : class
    {
        try
        {
            return await context.Request.ReadFromJsonAsync<T>(Strict, ct) ?? throw new RefusedException("input.not_json", "The body is one JSON object; got nothing.");
        }
        catch (JsonException wrong)
        {
            throw new RefusedException("input.not_json", $"The body is one JSON object with fields that this address knows; at {InputText.Short(wrong.Path)} it is not.");
        }
    }

    private static Ok<BorrowerAnswer> Ok(HttpContext context, BorrowerAnswer answer)
    {
        VersionHeader.Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Ok(answer);
    }
}
