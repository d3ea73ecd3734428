using System.Text.Json;
using Camino.Approvals;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.Operations;

/// <summary>
/// A person acts on every job that matches a filter, and a second one approves it. Then it is work like other work: it is a job itself, goes in batches, can be watched and cancelled, and takes
/// up where it stopped. What was ordered, by whom and why is the audit entry that the job names.
/// </summary>
public sealed class ActOnAllJobs(JobStore jobs, CaminoDb db, AskApproval ask, TimeProvider clock)
{
    /// <summary>The dry run: how many there are now.</summary>
    public Task<JobCount> CountAsync(JobAction action, JobFilter filter, CancellationToken ct) => jobs.CountAsync(Fitting(action, filter), ct);

    /// <summary>Asks for it. Jobs that are enqueued later are left alone, however long the second person takes.</summary>
    /// <exception cref="RefusedException"><c>job.no_match</c>, <c>approval.waiting</c>.</exception>
    public async Task<AskedApproval> AskAsync(JobAct act, JobFilter filter, Guid by, CancellationToken ct)
    {
        var fitting = Fitting(act.Action, filter);
        var count = await CountedAsync(fitting, ct);
        var frozen = new Order(JobAct.Word(act.Action), act.Reason, act.DueAt, fitting.Words(), count, Guid.CreateVersion7(clock.GetUtcNow()));
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var asked = await ask.AddAsync(new FrozenAct(ApprovalKinds.BulkJobs, "jobs", "all", null, JsonSerializer.Serialize(frozen, JsonSerializerOptions.Web), act.Reason), by, ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    /// <summary>Carries out what a second person approved, in the caller's transaction.</summary>
    /// <returns>The id of the job that does it.</returns>
    /// <exception cref="RefusedException"><c>job.no_match</c>.</exception>
    internal async Task<Guid> RunApprovedAsync(Order frozen, Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var order = frozen with { Counted = await CountedAsync(JobQuery.Read(frozen.Filter), ct), Approval = approval.Id, AskedBy = approval.AskedBy };
        var entry = new AuditEntry(run.At, run.By, "jobs.bulk_" + frozen.Action.Replace('-', '_'), "jobs", "all", JsonSerializer.Serialize(order, JsonSerializerOptions.Web));
        db.AuditEntries.Add(entry);
        var id = db.Enqueue(new ActOnManyJobs(entry.Id), new JobOptions { RequestedBy = approval.AskedBy.ToString() });
        await db.SaveChangesAsync(ct);
        return id;
    }

    private async Task<long> CountedAsync(JobFilter fitting, CancellationToken ct)
    {
        var count = await jobs.CountAsync(fitting, ct);
        Refuse.If(count.Count == 0, "job.no_match", "No job matches; nothing was done.");
        return count.Count;
    }

    /// <summary>The filter narrowed to the states in which the act makes sense, where the person named none.</summary>
    internal static JobFilter Fitting(JobAction action, JobFilter filter) => filter.State is not null ? filter : action switch
    {
        JobAction.Retry or JobAction.Acknowledge => filter with { State = JobState.Failed },
        JobAction.RunNow or JobAction.ChangeDue => filter with { State = JobState.Scheduled },
        _ => filter with { State = JobState.Waiting },
    };

    /// <summary>What was ordered; the details of its audit entry.</summary>
    /// <param name="Below">Jobs enqueued later are left alone.</param>
    /// <param name="Approval">The request that a second person approved; null in orders from before there was one.</param>
    internal sealed record Order(string Action, string Reason, DateTimeOffset? DueAt, IReadOnlyDictionary<string, string> Filter, long Counted, Guid Below, Guid? Approval = null, Guid? AskedBy = null);
}

/// <summary>Carries out an act on all jobs that match.</summary>
/// <param name="AuditEntryId">The entry that says what was ordered.</param>
public sealed record ActOnManyJobs(Guid AuditEntryId) : IJobArgs
{
    public static string Kind => "operations.act-on-jobs"; // stored in rows: never rename, never reuse

    /// <summary>How far it is.</summary>
    private sealed record Checkpoint(Guid? Below, long Matched, long Done, long Refused);

    /// <remarks>Safe to run twice: each job's state decides whether it is acted on, and what was enqueued after the order is left alone.</remarks>
    public sealed class Handler(JobStore jobs, CaminoDb db) : IJobHandler<ActOnManyJobs>
    {
        public async Task RunAsync(ActOnManyJobs args, JobContext job, CancellationToken ct)
        {
            var entry = await db.AuditEntries.AsNoTracking().SingleAsync(e => e.Id == args.AuditEntryId, ct);
            var order = JsonSerializer.Deserialize<ActOnAllJobs.Order>(entry.Details, JsonSerializerOptions.Web) ?? throw new JobAbandonedException("The audit entry says nothing.");
            var command = new JobCommand(JobAct.Words[order.Action], (entry.UserId ?? Guid.Empty).ToString(), order.Reason, order.DueAt);
            var filter = JobQuery.Read(order.Filter);
            var at = job.ReadCheckpoint<Checkpoint>() ?? new Checkpoint(order.Below, 0, 0, 0);
            while (at.Below is { } below)
            {
                var step = await jobs.ApplyNextAsync(command, filter, below, ct);
                at = new Checkpoint(step.Cursor, at.Matched + step.Matched, at.Done + step.Done, at.Refused + step.Refused);
                await KeepAsync(job, at, ct);
                await job.ReportProgressAsync(at.Matched, Math.Max(order.Counted, at.Matched), ct: ct);
            }

            job.SetResult(new { matched = at.Matched, done = at.Done, refused = at.Refused });
        }

        private async Task KeepAsync(JobContext job, Checkpoint at, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await job.WriteCheckpointAsync(db, transaction, at, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
