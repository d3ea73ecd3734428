using Camino.People;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Branches;

/// <summary>Branches for programs, and moving things between them.</summary>
public static class BranchApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapBranchApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/branches", ListAsync).RequireAuthorization(Permissions.BranchesRead).WithSummary("Branches and their teams, at most 500; who is bound to some is told of those");
        api.MapPost("/branches", AddAsync).RequireAuthorization(Permissions.BranchesManage).WithSummary("Adds a branch, or a team of one").Reads(typeof(BranchInput), "application/json");
        api.MapPatch("/branches/{id:guid}", RenameAsync).RequireAuthorization(Permissions.BranchesManage).WithSummary("Gives a branch another name").Reads(typeof(NameInput), "application/json");
        api.MapPost("/branches/{id:guid}/close", CloseAsync).RequireAuthorization(Permissions.BranchesManage).WithSummary("Closes a branch: nothing new goes into it").Reads(typeof(ReasonInput), "application/json");
        api.MapPost("/branches/{id:guid}/open", OpenAsync).RequireAuthorization(Permissions.BranchesManage).WithSummary("Opens a closed branch").Reads(typeof(ReasonInput), "application/json");
        Move(api, "/borrowers/{id:guid}/branch", BranchThing.Borrower, Permissions.BorrowersRead, "Moves a borrower to another branch, alone or with its loans");
        Move(api.MapGroup("").AddEndpointFilter(Applications.ApplicationApi.OwnAsync), "/applications/{id:guid}/branch", BranchThing.Application, Permissions.ApplicationsRead, "Moves an application to another branch");
        Move(api, "/loans/{id:guid}/branch", BranchThing.Loan, Permissions.BookRead, "Moves a loan of the serviced book to another branch");
    }

    /// <param name="Code">1 to 20 letters, digits and hyphens.</param>
    /// <param name="Name">1 to 100 characters.</param>
    /// <param name="Parent">Code of the branch of which it is a team; left out: it is a branch.</param>
    public sealed record BranchInput(string? Code, string? Name, string? Parent);

    /// <param name="Name">1 to 100 characters.</param>
    public sealed record NameInput(string? Name);

    /// <param name="Reason">3 to 300 characters.</param>
    public sealed record ReasonInput(string? Reason);

    /// <param name="Parent">Code of the branch of which it is a team; null: it is a branch.</param>
    /// <param name="State"><c>open</c> or <c>closed</c>.</param>
    public sealed record BranchView(Guid Id, string Code, string Name, string? Parent, string State)
    {
        public static BranchView Of(BranchLine line) => new(line.Id, line.Code, line.Name, line.ParentCode, line.IsClosed ? "closed" : "open");
    }

    public sealed record BranchPage(IReadOnlyList<BranchView> Items);

    private static void Move(IEndpointRouteBuilder api, string pattern, BranchThing thing, string reads, string summary) =>
        api.MapPost(pattern, (Guid id, HttpContext context, MoveToBranch move, CancellationToken ct) => MoveAsync(thing, id, context, move, ct)).RequireAuthorization(reads).RequireAuthorization(Permissions.BranchesMove)
            .WithSummary(summary).Reads(typeof(MoveInput), "application/json").NeedsIdempotencyKey();

    private static async Task<Ok<BranchPage>> ListAsync(ListBranches list, CancellationToken ct) => TypedResults.Ok(new BranchPage([.. (await list.RunAsync(ct)).Select(BranchView.Of)]));

    private static async Task<Created<BranchAnswer>> AddAsync(HttpContext context, KeepBranch keep, CancellationToken ct)
    {
        var input = (await JsonBody.ReadAsync(context, ct)).All(body => new BranchInput(body.Text("code"), body.Text("name"), body.Text("parent")));
        var answer = await keep.AddAsync(input.Code, input.Name, input.Parent, By(context), ct);
        return TypedResults.Created($"/api/v1/branches/{answer.BranchId}", answer);
    }

    private static async Task<Ok<BranchAnswer>> RenameAsync(Guid id, HttpContext context, KeepBranch keep, CancellationToken ct) =>
        TypedResults.Ok(await keep.RenameAsync(id, (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("name")), By(context), ct));

    private static async Task<Ok<BranchAnswer>> CloseAsync(Guid id, HttpContext context, KeepBranch keep, CancellationToken ct) =>
        TypedResults.Ok(await keep.CloseAsync(id, (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("reason")), By(context), ct));

    private static async Task<Ok<BranchAnswer>> OpenAsync(Guid id, HttpContext context, KeepBranch keep, CancellationToken ct) =>
        TypedResults.Ok(await keep.OpenAsync(id, (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("reason")), By(context), ct));

    private static async Task<Ok<MoveAnswer>> MoveAsync(BranchThing thing, Guid id, HttpContext context, MoveToBranch move, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var input = (await JsonBody.ReadAsync(context, ct)).All(body => new MoveInput { Branch = body.Text("branch"), From = body.Text("from"), WithLoans = body.Flag("withLoans"), Reason = body.Text("reason") });
        var answer = await move.RunAsync(thing, id, input, new AskedBy(context.User.Id(), key), ct);
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Ok(answer);
    }

    private static StaffActor By(HttpContext context) => new(context.User.Id(), null);
}
