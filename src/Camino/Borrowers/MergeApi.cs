using Camino.Lending;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Borrowers;

/// <summary>Duplicates among borrowers for programs: who may be the same, made one, and brought back.</summary>
public static class MergeApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapMergeApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/borrowers/{id:guid}/duplicates", DuplicatesAsync).RequireAuthorization(Permissions.BorrowersRead).WithSummary("Borrowers that share the name, a phone or a tax number with one, at most 20");
        api.MapGet("/borrowers/{id:guid}/merges", MergesAsync).RequireAuthorization(Permissions.BorrowersRead).WithSummary("Merges into a borrower, the newest first, at most 50");
        api.MapPost("/borrowers/{id:guid}/merge", MergeAsync).RequireAuthorization(Permissions.BorrowersMerge).WithSummary("Merges another borrower into this one; it can be undone for 30 days").Reads(typeof(MergeInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/borrowers/{id:guid}/merges/{mergeId:guid}/undo", UndoAsync).RequireAuthorization(Permissions.BorrowersMerge).WithSummary("Undoes a merge; what happened since stays with this borrower").NeedsIdempotencyKey().NeedsIfMatch();
    }

    /// <param name="Why">What is the same: <c>name</c>, <c>phone</c>, <c>taxNumber</c>.</param>
    public sealed record BorrowerDuplicate(Guid Id, string Name, IReadOnlyList<string> Why);

    public sealed record BorrowerDuplicates(IReadOnlyList<BorrowerDuplicate> Items);

    public sealed record MergePage(IReadOnlyList<MergeLine> Items);

    private static async Task<Ok<BorrowerDuplicates>> DuplicatesAsync(Guid id, HttpContext context, ShowMerges show, CancellationToken ct)
    {
        var found = await show.DuplicatesAsync(id, ct) ?? throw new RefusedException("borrower.not_found", $"There is no borrower {id}.");
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new BorrowerDuplicates([.. found.Select(one => new BorrowerDuplicate(one.Id, one.Name, one.Why))]));
    }

    private static async Task<Ok<MergePage>> MergesAsync(Guid id, HttpContext context, ShowMerges show, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new MergePage(await show.RunAsync(id, ct)));
    }

    private static async Task<Ok<MergeAnswer>> MergeAsync(Guid id, HttpContext context, MergeBorrowers merge, CancellationToken ct)
    {
        var by = BorrowerApi.By(context);
        var input = (await JsonBody.ReadAsync(context, ct)).All(body => new MergeInput
        {
            GoneId = IdOf(body.Text("goneId")),
            GoneVersion = body.Whole("goneVersion"),
            Take = body.Texts("take", MergeBorrowers.Fields.Length),
            Phones = body.Text("phones"),
            Emails = body.Text("emails"),
            Addresses = body.Text("addresses"),
            Owners = body.Text("owners"),
            Reason = body.Text("reason"),
        });
        return Answer(context, await merge.RunAsync(id, input, by, ct));
    }

    private static async Task<Ok<MergeAnswer>> UndoAsync(Guid id, Guid mergeId, HttpContext context, UndoMerge undo, CancellationToken ct) => Answer(context, await undo.RunAsync(id, mergeId, BorrowerApi.By(context), ct));

    private static Ok<MergeAnswer> Answer(HttpContext context, MergeAnswer answer)
    {
        context.Response.Headers.ETag = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\"{answer.Version}\"");
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Ok(answer);
    }

    private static Guid? IdOf(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return Guid.TryParse(text, out var id) ? id : throw new RefusedException("input.goneId", $"goneId is the id of a borrower; got {InputText.Short(text)}.");
    }
}
