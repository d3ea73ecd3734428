using Camino.Applications;
using Camino.Lending;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Tasks;

/// <summary>Tasks and notes for programs.</summary>
public static class TaskApi
{
    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapTaskApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/tasks", ListAsync).RequireAuthorization(Permissions.TasksRead).WithSummary("Tasks, 50 a page: open ones the first due first, those that are over the newest first")
            .Asks("whose", "mine (given to who asks; the default), unassigned, asked (made by who asks) or all.").Asks("state", "over: those that were done or cancelled.").Asks("after", "From next of the page before.").Asks("before", "The other way.");
        api.MapPost("/tasks", AddAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Makes a task").Reads(typeof(TaskInput), "application/json").NeedsIdempotencyKey();
        api.MapGet("/tasks/{id:guid}", GetAsync).RequireAuthorization(Permissions.TasksRead).WithSummary("A task with what happened to it");
        api.MapPost("/tasks/{id:guid}/assign", AssignAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Gives a task to a user, or back to everybody").Reads(typeof(AssignInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/tasks/{id:guid}/due", DueAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Says until which day a task is to be done").Reads(typeof(DueInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/tasks/{id:guid}/comments", CommentAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Writes something about a task; who is mentioned in it is told").Reads(typeof(TextInput), "application/json").NeedsIdempotencyKey();
        api.MapPost("/tasks/{id:guid}/done", DoneAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Says that a task was done, and what follows").Reads(typeof(DoneInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/tasks/{id:guid}/cancel", CancelAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Cancels a task").Reads(typeof(ReasonInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();
        api.MapPost("/tasks/{id:guid}/reopen", ReopenAsync).RequireAuthorization(Permissions.TasksWork).WithSummary("Opens a task again").Reads(typeof(ReasonInput), "application/json").NeedsIdempotencyKey().NeedsIfMatch();

        MapNotes(api, SubjectKind.Borrower, "/borrowers/{id:guid}/notes", Permissions.BorrowersRead);
        MapNotes(api.MapGroup("").AddEndpointFilter(ApplicationApi.OwnAsync), SubjectKind.Application, "/applications/{id:guid}/notes", Permissions.ApplicationsRead);
        MapNotes(api, SubjectKind.Loan, "/loans/{id:guid}/notes", Permissions.BookRead);
        api.MapPost("/notes/{id:guid}/remove", RemoveNoteAsync).RequireAuthorization(Permissions.NotesWrite).WithSummary("Takes a note off the pages; only who wrote it may").NeedsIdempotencyKey();
    }

    /// <param name="Assignee">The id of a user; left out or null: whoever comes first.</param>
    public sealed record AssignInput(string? Assignee);

    /// <param name="DueOn">Such as 2026-03-01; left out or null: it does not matter.</param>
    public sealed record DueInput(string? DueOn);

    /// <param name="Text">1 to 4,000 characters; <c>@ana.ruiz</c> mentions the user whose e-mail address begins so.</param>
    public sealed record TextInput(string? Text);

    /// <param name="Reason">1 to 4,000 characters.</param>
    public sealed record ReasonInput(string? Reason);

    /// <param name="Outcome">What came of it: up to 4,000 characters.</param>
    /// <param name="FollowUp">A task that follows; about the same and for the same person where it does not say so.</param>
    public sealed record DoneInput(string? Outcome, TaskInput? FollowUp);

    /// <param name="Subject"><c>borrower</c>, <c>application</c> or <c>loan</c>; null for nothing in particular.</param>
    public sealed record TaskLineView(Guid Id, string Title, string State, DateOnly? DueOn, Guid? Assignee, string? AssigneeName, string? Subject, Guid? SubjectId)
    {
        public static TaskLineView Of(TaskLine line) => new(line.Id, line.Title, TaskWords.Word(line.State), line.DueOn, line.Assignee, line.AssigneeName, line.Subject is { } kind ? TaskWords.Word(kind) : null, line.SubjectId);
    }

    public sealed record TaskPage(IReadOnlyList<TaskLineView> Items, string? Next);

    /// <param name="Act"><c>added</c>, <c>assigned</c>, <c>due</c>, <c>comment</c>, <c>done</c>, <c>cancelled</c> or <c>reopened</c>.</param>
    public sealed record TaskEntryView(string Act, DateTimeOffset At, string? By, string? Text, string? Assignee, DateOnly? DueOn);

    public sealed record TaskDetailsView(TaskLineView Task, string Detail, int Version, DateTimeOffset CreatedAt, string? CreatedBy, IReadOnlyList<TaskEntryView> Entries);

    public sealed record NotePage(IReadOnlyList<NoteLine> Items, string? Next);

    private static void MapNotes(IEndpointRouteBuilder api, SubjectKind kind, string pattern, string subjectPermission)
    {
        api.MapGet(pattern, (Guid id, HttpContext context, ListNotes notes, CancellationToken ct, Guid? after = null) => NotesAsync(kind, id, after, context, notes, ct)).RequireAuthorization(subjectPermission).RequireAuthorization(Permissions.NotesRead)
            .WithSummary($"Notes about a {TaskWords.Word(kind)}, the newest first");
        api.MapPost(pattern, (Guid id, HttpContext context, AddNote add, CancellationToken ct) => AddNoteAsync(kind, id, context, add, ct)).RequireAuthorization(subjectPermission).RequireAuthorization(Permissions.NotesWrite)
            .WithSummary($"Writes a note about a {TaskWords.Word(kind)}; who is mentioned in it is told").Reads(typeof(TextInput), "application/json").NeedsIdempotencyKey();
    }

    private static async Task<Ok<TaskPage>> ListAsync(HttpContext context, ListTasks list, CancellationToken ct)
    {
        var filter = TaskFilter.FromQuery(context.Request.Query);
        var page = await list.RunAsync(filter, context.User.Id(), ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new TaskPage([.. page.Lines.Select(TaskLineView.Of)], page.Next is { } next ? "/api/v1/tasks" + filter.ToQuery("after", next.ToString()) : null));
    }

    private static async Task<Created<TaskAnswer>> AddAsync(HttpContext context, AddTask add, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var answer = await add.RunAsync((await JsonBody.ReadAsync(context, ct)).All(ReadTask), new AskedBy(context.User.Id(), key), ct);
        VersionHeader.Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Created($"/api/v1/tasks/{answer.TaskId}", answer);
    }

    private static async Task<Ok<TaskDetailsView>> GetAsync(Guid id, HttpContext context, ShowTask show, CancellationToken ct)
    {
        var view = await show.RunAsync(id, ct) ?? throw new RefusedException("task.not_found", $"There is no task {id}.");
        VersionHeader.Mark(context, view.Version);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new TaskDetailsView(
            TaskLineView.Of(view.Line), view.Detail, view.Version, view.CreatedAt, view.CreatedByName, [.. view.Entries.Select(entry => new TaskEntryView(Words.Camel(entry.Act), entry.At, entry.ByName, entry.Text, entry.AssigneeName, entry.DueOn))]));
    }

    private static async Task<Ok<TaskAnswer>> AssignAsync(Guid id, HttpContext context, WorkOnTask work, CancellationToken ct) => Ok(context, await work.AssignAsync(id, await TextAsync(context, "assignee", ct), By(context), ct));

    private static async Task<Ok<TaskAnswer>> DueAsync(Guid id, HttpContext context, WorkOnTask work, CancellationToken ct) => Ok(context, await work.DueAsync(id, await TextAsync(context, "dueOn", ct), By(context), ct));

    private static async Task<Ok<TaskAnswer>> CommentAsync(Guid id, HttpContext context, WorkOnTask work, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        return Ok(context, await work.CommentAsync(id, await TextAsync(context, "text", ct), new AskedBy(context.User.Id(), key), ct));
    }

    private static async Task<Ok<TaskAnswer>> DoneAsync(Guid id, HttpContext context, WorkOnTask work, CancellationToken ct)
    {
        var by = By(context);
        var (outcome, next) = (await JsonBody.ReadAsync(context, ct)).All(body => (body.Text("outcome"), body.Part("followUp", ReadTask)));
        return Ok(context, await work.DoneAsync(id, outcome, next, by, ct));
    }

    private static async Task<Ok<TaskAnswer>> CancelAsync(Guid id, HttpContext context, WorkOnTask work, CancellationToken ct) => Ok(context, await work.CancelAsync(id, await TextAsync(context, "reason", ct), By(context), ct));

    private static async Task<Ok<TaskAnswer>> ReopenAsync(Guid id, HttpContext context, WorkOnTask work, CancellationToken ct) => Ok(context, await work.ReopenAsync(id, await TextAsync(context, "reason", ct), By(context), ct));

    private static async Task<Ok<NotePage>> NotesAsync(SubjectKind kind, Guid id, Guid? after, HttpContext context, ListNotes notes, CancellationToken ct)
    {
        var lines = await notes.RunAsync(kind, id, after, ct);
        var page = lines.Take(ListNotes.PageSize).ToList();
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new NotePage(page, lines.Count > page.Count ? $"{context.Request.Path}?after={page[^1].Id}" : null));
    }

    private static async Task<Created<NoteAnswer>> AddNoteAsync(SubjectKind kind, Guid id, HttpContext context, AddNote add, CancellationToken ct)
    {
        var key = ServicingApi.KeyOf(context);
        var answer = await add.RunAsync(kind, id, await TextAsync(context, "text", ct), new AskedBy(context.User.Id(), key), ct);
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Created(context.Request.Path, answer);
    }

    private static async Task<Ok<NoteAnswer>> RemoveNoteAsync(Guid id, HttpContext context, RemoveNote remove, CancellationToken ct)
    {
        var answer = await remove.RunAsync(id, new AskedBy(context.User.Id(), ServicingApi.KeyOf(context)), ct);
        if (answer.IsRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
        return TypedResults.Ok(answer);
    }

    private static TaskInput ReadTask(JsonBody body) => new()
    {
        Title = body.Text("title"),
        Detail = body.Text("detail"),
        DueOn = body.Text("dueOn"),
        Assignee = body.Text("assignee"),
        Subject = body.Text("subject"),
        SubjectId = body.Text("subjectId"),
    };

    private static async Task<string?> TextAsync(HttpContext context, string name, CancellationToken ct) => (await JsonBody.ReadAsync(context, ct)).All(body => body.Text(name));

    private static AskedBy By(HttpContext context) => new(context.User.Id(), ServicingApi.KeyOf(context), VersionHeader.Read(context, "task"));

    private static Ok<TaskAnswer> Ok(HttpContext context, TaskAnswer answer)
    {
        VersionHeader.Mark(context, answer.Version, answer.IsRepeated);
        return TypedResults.Ok(answer);
    }
}
