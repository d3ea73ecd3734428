using System.Security.Claims;
using System.Text.Json;
using Camino.Approvals;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Operations;

/// <summary>Jobs, queues and servers for programs: what the job board shows and does.</summary>
public static class JobApi
{
    /// <summary>Jobs of one answer at most.</summary>
    private const int MostItems = 200;

    public sealed record EchoRequest(string? Queue, string? Text);

    public sealed record Enqueued(Guid JobId);

    public sealed record JobItem(
        Guid Id, string State, string Queue, string Kind, int Attempt, int MaxAttempts, string? RequestedBy, DateTimeOffset EnqueuedAt, DateTimeOffset DueAt, DateTimeOffset? StartedAt,
        DateTimeOffset? FinishedAt, string? Server, IReadOnlyList<string> Tags, long? Done, long? Total, string? Error);

    /// <param name="Next">The address of the page after; null on the last.</param>
    /// <param name="Cut">The look ended before the page was full; go on with <paramref name="Next"/>.</param>
    public sealed record JobItems(IReadOnlyList<JobItem> Items, string? Next, bool Cut);

    public sealed record AttemptView(int Number, string Outcome, DateTimeOffset? StartedAt, DateTimeOffset EndedAt, string? Server, string? Error);

    public sealed record LogView(DateTimeOffset At, int Attempt, string Line);

    public sealed record JobView(
        Guid Id, string State, string Queue, string Kind, int Attempt, int MaxAttempts, string? RequestedBy, DateTimeOffset EnqueuedAt, DateTimeOffset DueAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt,
        string? Server, long? Done, long? Total, string? Error, JsonElement? Result, JsonElement Args, string? TraceId, string? UniqueKey, IReadOnlyList<string> Tags, Guid? ParentId, IReadOnlyList<Guid> Children,
        IReadOnlyList<AttemptView> Attempts, IReadOnlyList<LogView> Log);

    public sealed record QueueView(string Name, long Ready, long Scheduled, long Running, long FailedLastHour, double? OldestSeconds, bool Paused, bool Served, long Held);

    public sealed record QueueList(IReadOnlyList<QueueView> Items);

    public sealed record ScheduleRunView(DateTimeOffset PlannedAt, string Outcome, Guid? JobId, string? State, DateTimeOffset At);

    public sealed record ScheduleRunList(IReadOnlyList<ScheduleRunView> Items);

    public sealed record ScheduleView(
        string Name, string Kind, string Queue, string Cron, string Zone, string? Calendar, string Closed, string Misfire, string Overlap, DateTimeOffset? NextAt, DateTimeOffset? DisabledAt, string? DisabledReason, ScheduleRunView? Last);

    public sealed record ScheduleList(IReadOnlyList<ScheduleView> Items);

    public sealed record JobServerView(Guid Id, string Name, string Role, string Release, string State, int Slots, int Running, IReadOnlyList<string> Queues, DateTimeOffset StartedAt, double SilentSeconds);

    public sealed record JobServerList(IReadOnlyList<JobServerView> Items);

    public sealed record CauseList(IReadOnlyList<JobCause> Items);

    /// <param name="Reason">Why, 3 to 300 characters.</param>
    /// <param name="DueAt">The new due time of change-due.</param>
    public sealed record ActRequest(string? Reason, DateTimeOffset? DueAt = null);

    /// <param name="Action">retry, cancel, run-now, change-due or acknowledge.</param>
    /// <param name="Ids">These jobs, at most 200; left out: all that match <paramref name="Filter"/>.</param>
    /// <param name="Filter">The words of the list: q, state, queue, kind, tag, key, by, parent, cause, open, from, to.</param>
    /// <param name="DryRun">Only say how many match.</param>
    public sealed record ManyRequest(string? Action, string? Reason, IReadOnlyList<Guid>? Ids = null, IReadOnlyDictionary<string, string>? Filter = null, DateTimeOffset? DueAt = null, bool DryRun = false);

    /// <param name="JobId">Always null: acts on all that match wait for a second person, and the approved request names the job.</param>
    public sealed record ManyAnswer(long Matched, bool Capped, long? Done, long? Refused, Guid? JobId);

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapJobApi(this IEndpointRouteBuilder api)
    {
        api.MapPost("/jobs/echo", EchoAsync).RequireAuthorization(Permissions.JobsAct).WithSummary("Runs a job that gives its text back: for trying the queue");
        api.MapGet("/jobs", ListAsync).RequireAuthorization(Permissions.JobsRead).WithSummary("Jobs, the newest first")
            .Asks("q", "Text of arguments, errors or ids, 2 characters or more.").Asks("state", "waiting, scheduled, running, done, failed, cancelled or held.").Asks("queue", "Name of a queue.").Asks("kind", "Name of a kind.").Asks("tag", "A tag.").Asks("key", "The unique key.")
            .Asks("by", "Id of the user who asked.").Asks("parent", "Id of the job that asked.").Asks("cause", "A cause of /job-causes.").Asks("open", "true: only failures that nobody has acknowledged.").Asks("from", "Enqueued since, such as 2026-03-01T00:00:00Z.").Asks("to", "Enqueued before.");
        api.MapGet("/jobs/{id:guid}", GetAsync).RequireAuthorization(Permissions.JobsRead).WithSummary("A job with its whole life");
        foreach (var act in JobAct.Words.Keys)
            api.MapPost($"/jobs/{{id:guid}}/{act}", (Guid id, ActRequest? request, ClaimsPrincipal user, ActOnJobs some, CancellationToken ct) => ActAsync(act, id, request, user, some, ct)).RequireAuthorization(Permissions.JobsAct).WithSummary($"{act} for one job");
        api.MapPost("/jobs/act", ActOnManyAsync).RequireAuthorization(Permissions.JobsAct).WithSummary("Acts on some jobs; or asks for an act on all that match, which a second person approves (202)");
        api.MapGet("/job-causes", async (JobStore jobs, CancellationToken ct) => TypedResults.Ok(new CauseList(await jobs.CausesAsync(ct)))).RequireAuthorization(Permissions.JobsRead).WithSummary("Errors of failed jobs, grouped by cause");
        api.MapGet("/queues", ListQueuesAsync).RequireAuthorization(Permissions.JobsRead).WithSummary("Queues with what waits and runs");
        MapSteering(api);
        foreach (var scope in (string[])["queue", "kind"])
        {
            api.MapPost($"/{scope}s/{{name}}/pause", (string name, ActRequest? request, ClaimsPrincipal user, PauseWork pause, CancellationToken ct) => NothingAsync(pause.PauseAsync(scope, name, request?.Reason, user.Id(), ct))).RequireAuthorization(Permissions.JobsAll).WithSummary($"Nobody takes from this {scope} until it is resumed; what runs goes on");
            api.MapPost($"/{scope}s/{{name}}/resume", (string name, ActRequest? request, ClaimsPrincipal user, PauseWork pause, CancellationToken ct) => NothingAsync(pause.ResumeAsync(scope, name, request?.Reason, user.Id(), ct))).RequireAuthorization(Permissions.JobsAll).WithSummary($"Takes from this {scope} again");
        }
    }

    /// <summary>Recurring jobs, and what can be done to job servers.</summary>
    private static void MapSteering(IEndpointRouteBuilder api)
    {
        api.MapGet("/schedules", async (JobStore jobs, CancellationToken ct) => TypedResults.Ok(new ScheduleList([.. (await jobs.RecurringAsync(ct)).Select(Schedule)]))).RequireAuthorization(Permissions.JobsRead).WithSummary("Recurring jobs");
        api.MapGet("/schedules/{name}/runs", async (string name, JobStore jobs, CancellationToken ct, int take = 50) => TypedResults.Ok(new ScheduleRunList([.. (await jobs.RecurringRunsAsync(name, Math.Clamp(take, 1, MostItems), ct)).Select(Run)]))).RequireAuthorization(Permissions.JobsRead).WithSummary("The last runs of a recurring job");
        foreach (var act in SteerWork.OfSchedules.Keys.Order(StringComparer.Ordinal))
        {
            api.MapPost($"/schedules/{{name}}/{act}", async Task<Results<Accepted<Enqueued>, NoContent>> (string name, ActRequest? request, ClaimsPrincipal user, SteerWork steer, CancellationToken ct) =>
                await steer.ScheduleAsync(act, name, request?.Reason, user.Id(), ct) is { } job ? TypedResults.Accepted($"/api/v1/jobs/{job}", new Enqueued(job)) : TypedResults.NoContent()).RequireAuthorization(Permissions.JobsAll).WithSummary($"{act} for a recurring job");
        }

        api.MapGet("/job-servers", async (JobStore jobs, CancellationToken ct) => TypedResults.Ok(new JobServerList([.. (await jobs.ServersAsync(ct)).Select(s => new JobServerView(s.Id, s.Name, s.Role, s.Release, s.State, s.Slots, s.Running, s.Queues, s.StartedAt, s.SilentFor.TotalSeconds))]))).RequireAuthorization(Permissions.JobsRead).WithSummary("Servers that work the queues");
        foreach (var act in SteerWork.OfServers.Keys.Order(StringComparer.Ordinal))
            api.MapPost($"/job-servers/{{id:guid}}/{act}", (Guid id, ActRequest? request, ClaimsPrincipal user, SteerWork steer, CancellationToken ct) => NothingAsync(steer.ServerAsync(act, id, request?.Reason, user.Id(), ct))).RequireAuthorization(Permissions.JobsAll).WithSummary($"{act} for a job server");

        static ScheduleView Schedule(JobScheduleLine entry) =>
            new(entry.Name, entry.Kind, entry.Queue, entry.Cron, entry.Zone, entry.Calendar, entry.Closed, entry.Misfire, entry.Overlap, entry.NextAt, entry.DisabledAt, entry.DisabledReason, entry.Last is { } last ? Run(last) : null);
        static ScheduleRunView Run(JobScheduleRun run) => new(run.PlannedAt, run.Outcome, run.JobId, run.State is { } state ? Name(state) : null, run.At);
    }

    /// <summary>Live figures for the pages; signed in by cookie.</summary>
    public static void MapJobFeeds(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/jobs/events", (JobFeed feed, HttpContext context) => Stream(context, feed.WatchBoardAsync(context.RequestAborted))).RequireAuthorization(Permissions.JobsRead);
        pages.MapGet("/jobs/{id:guid}/events", (Guid id, JobFeed feed, HttpContext context) => Stream(context, feed.WatchJobAsync(id, context.RequestAborted))).RequireAuthorization(Permissions.JobsRead);
    }

    private static ServerSentEventsResult<T> Stream<T>(HttpContext context, IAsyncEnumerable<T> news)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(news);
    }

    private static async Task<Accepted<Enqueued>> EchoAsync(EchoRequest request, ClaimsPrincipal user, CaminoDb db, CancellationToken ct)
    {
        var text = request.Text ?? "";
        Refuse.If(text.Length is 0 or > 200, "echo.text", $"text has {text.Length} characters; it must have 1 to 200.");
        Guid id;
        try
        {
            id = db.Enqueue(new Echo(text), new JobOptions { Queue = request.Queue, RequestedBy = user.Id().ToString() });
        }
        catch (ArgumentException wrong)
        {
            throw new RefusedException("job.invalid", wrong.Message);
        }

        await db.SaveChangesAsync(ct);
        return TypedResults.Accepted($"/api/v1/jobs/{id}", new Enqueued(id));
    }

    private static async Task<Ok<JobItems>> ListAsync(HttpRequest request, JobStore jobs, CancellationToken ct, Guid? after = null, int take = 50)
    {
        var filter = JobQuery.Read(request.Query);
        var page = await jobs.ListAsync(filter, after, Math.Clamp(take, 1, MostItems), ct);
        var next = page.Next is { } id ? "/api/v1/jobs" + filter.ToQuery(("take", request.Query["take"].FirstOrDefault()), ("after", id.ToString())) : null;
        return TypedResults.Ok(new JobItems([.. page.Jobs.Select(Item)], next, page.Cut));
    }

    private static async Task<Results<Ok<JobView>, ProblemHttpResult>> GetAsync(Guid id, JobStore jobs, ClaimsPrincipal user, CancellationToken ct)
    {
        if (await jobs.GetAsync(id, ct) is not { } job)
            return TypedResults.Problem($"There is no job {id}.", statusCode: StatusCodes.Status404NotFound);
        var everything = user.May(Permissions.JobsAll);
        JsonElement? result = job.Result is null ? null : Masked(job.Result, everything || job.RequestedBy == user.Id().ToString());
        return TypedResults.Ok(new JobView(
            job.Id, Name(job.State), job.Queue, job.Kind, job.Attempt, job.MaxAttempts, job.RequestedBy, job.EnqueuedAt, job.DueAt, job.StartedAt, job.FinishedAt, job.Server, job.Progress?.Done, job.Progress?.Total,
            job.Error, result, Masked(job.Args, everything), job.TraceId, job.UniqueKey, job.Tags, job.ParentId, job.Children,
            [.. job.Attempts.Select(a => new AttemptView(a.Number, a.Outcome, a.StartedAt, a.EndedAt, a.Server, a.Error))], [.. job.Log.Select(l => new LogView(l.At, l.Attempt, l.Line))]));
    }

    private static async Task<Accepted> ActAsync(string act, Guid id, ActRequest? request, ClaimsPrincipal user, ActOnJobs some, CancellationToken ct)
    {
        await some.RunAsync(JobAct.Of(act, request?.Reason, request?.DueAt), [id], ActorOf(user), ct);
        return TypedResults.Accepted($"/api/v1/jobs/{id}");
    }

    /// <summary>202 with the address of the request where all that match are meant: a second person has to approve that.</summary>
    private static async Task<Results<Ok<ManyAnswer>, Accepted<AskedApproval>>> ActOnManyAsync(ManyRequest request, HttpContext context, ActOnJobs some, ActOnAllJobs all, CancellationToken ct)
    {
        var actor = ActorOf(context.User);
        if (request.Ids is { } ids)
        {
            var done = await some.RunAsync(JobAct.Of(request.Action, request.Reason, request.DueAt), ids, actor, ct);
            return TypedResults.Ok(new ManyAnswer(done.Matched, Capped: false, done.Done, done.Refused, JobId: null));
        }

        Refuse.If(!actor.OnAll, "job.not_yours", "Only an administrator may act on all jobs that match.");
        var filter = JobQuery.ReadForAct(request.Filter ?? new Dictionary<string, string>(StringComparer.Ordinal));
        var act = JobAct.Of(request.Action, request.DryRun ? "dry run" : request.Reason, request.DueAt);
        if (!request.DryRun)
            return ApprovalApi.Accepted(context, await all.AskAsync(act, filter, actor.UserId, ct));
        var count = await all.CountAsync(act.Action, filter, ct);
        return TypedResults.Ok(new ManyAnswer(count.Count, count.Capped, Done: null, Refused: null, JobId: null));
    }

    private static async Task<Ok<QueueList>> ListQueuesAsync(JobStore jobs, CancellationToken ct) =>
        TypedResults.Ok(new QueueList([.. (await jobs.QueueFiguresAsync(ct)).Select(q => new QueueView(q.Queue, q.Ready, q.Scheduled, q.Running, q.FailedLastHour, q.OldestAge?.TotalSeconds, q.Paused, q.Served, q.Held))]));

    private static async Task<NoContent> NothingAsync(Task act)
    {
        await act;
        return TypedResults.NoContent();
    }

    private static JobActor ActorOf(ClaimsPrincipal user) => new(user.Id(), user.May(Permissions.JobsAll));

    private static JobItem Item(JobLine job) => new(
        job.Id, Name(job.State), job.Queue, job.Kind, job.Attempt, job.MaxAttempts, job.RequestedBy, job.EnqueuedAt, job.DueAt, job.StartedAt, job.FinishedAt, job.Server, job.Tags,
        job.Progress?.Done, job.Progress?.Total, job.Error);

    private static string Name(JobState state) => state.ToString().ToLowerInvariant();

    private static JsonElement Masked(string json, bool everything) => JsonSerializer.Deserialize<JsonElement>(JobArgsMask.Show(json, everything));
}
