using System.Security.Claims;
using System.Text.Json;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Operations;

/// <summary>Jobs and queues for programs.</summary>
public static class JobApi
{
    public sealed record EchoRequest(string? Queue, string? Text);

    public sealed record Enqueued(Guid JobId);

    public sealed record JobView(Guid Id, string State, string Queue, string Kind, int Attempt, int MaxAttempts, DateTimeOffset EnqueuedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, long? Done, long? Total, string? Error, JsonElement? Result);

    public sealed record QueueView(string Name, long Ready, long Scheduled, long Running, long FailedLastHour, double? OldestSeconds, bool Paused, bool Served);

    public sealed record QueueList(IReadOnlyList<QueueView> Items);

    /// <summary>Adds the endpoints to <c>/api/v1</c>.</summary>
    public static void MapJobApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/queues", ListQueuesAsync);
        api.MapPost("/jobs/echo", EchoAsync).RequireAuthorization(Rights.CanWrite);
        api.MapGet("/jobs/{id:guid}", GetAsync);
        api.MapPost("/jobs/{id:guid}/cancel", CancelAsync).RequireAuthorization(Rights.CanWrite);
    }

    private static async Task<Ok<QueueList>> ListQueuesAsync(JobStore jobs, CancellationToken ct) =>
        TypedResults.Ok(new QueueList([.. (await jobs.QueueFiguresAsync(ct)).Select(q => new QueueView(q.Queue, q.Ready, q.Scheduled, q.Running, q.FailedLastHour, q.OldestAge?.TotalSeconds, q.Paused, q.Served))]));

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

    private static async Task<Results<Ok<JobView>, ProblemHttpResult>> GetAsync(Guid id, JobStore jobs, CancellationToken ct)
    {
        if (await jobs.GetAsync(id, ct) is not { } job)
            return TypedResults.Problem($"There is no job {id}.", statusCode: StatusCodes.Status404NotFound);
        JsonElement? result = job.Result is null ? null : JsonSerializer.Deserialize<JsonElement>(job.Result);
        return TypedResults.Ok(new JobView(job.Id, job.State.ToString().ToLowerInvariant(), job.Queue, job.Kind, job.Attempt, job.MaxAttempts, job.EnqueuedAt, job.StartedAt, job.FinishedAt, job.Progress?.Done, job.Progress?.Total, job.Error, result));
    }

    private static async Task<Results<Accepted, ProblemHttpResult>> CancelAsync(Guid id, ClaimsPrincipal user, CancelJob cancel, CancellationToken ct)
    {
        await cancel.RunAsync(id, user.Id(), "asked through the API", ct);
        return TypedResults.Accepted($"/api/v1/jobs/{id}");
    }
}

/// <summary>A person stops a job; a running one is told within two seconds, on whichever server it runs.</summary>
public sealed class CancelJob(JobStore jobs, CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>job.not_found</c>, <c>job.is_over</c>.</exception>
    public async Task<JobCommandOutcome> RunAsync(Guid jobId, Guid userId, string? reason, CancellationToken ct)
    {
        db.AuditEntries.Add(new Audit.AuditEntry(clock.GetUtcNow(), userId, "job.cancelled", "job", jobId.ToString()));
        await db.SaveChangesAsync(ct);
        var outcome = await jobs.RequestCancelAsync(jobId, userId.ToString(), reason, ct);
        Refuse.If(outcome == JobCommandOutcome.NotFound, "job.not_found", $"There is no job {jobId}.");
        Refuse.If(outcome == JobCommandOutcome.WrongState, "job.is_over", $"Job {jobId} is over; there is nothing left to cancel.");
        return outcome;
    }
}
