using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>The jobs of a close: asked for under keys, so that asking again is harmless, and found by a tag, so that a close whose jobs have failed is seen.</summary>
public sealed class CloseWork(CaminoDb db, JobStore jobs)
{
    /// <summary>Jobs in these states will still do something.</summary>
    private static readonly JobState[] Alive = [JobState.Held, JobState.Scheduled, JobState.Waiting, JobState.Running];

    /// <summary>Closes that have not finished and of which no job is left that would: each has failed or was cancelled.</summary>
    public async Task<IReadOnlySet<Guid>> StuckAsync(CancellationToken ct)
    {
        var stuck = new HashSet<Guid>();
        foreach (var run in await db.CloseRuns.AsNoTracking().Where(run => run.FinishedAt == null).Select(run => run.Id).ToListAsync(ct))
        {
            if (!await IsAtWorkAsync(run, ct))
                stuck.Add(run);
        }

        return stuck;
    }

    /// <summary>Whether a job of the close waits or runs.</summary>
    public async Task<bool> IsAtWorkAsync(Guid runId, CancellationToken ct)
    {
        foreach (var state in Alive)
        {
            if ((await jobs.ListAsync(new JobFilter(state) { Tag = Tag(runId) }, take: 1, ct: ct)).Jobs.Count > 0)
                return true;
        }

        return false;
    }

    internal static void AskForPlan(CaminoDb db, Guid runId, string? by) => db.Enqueue(new PlanClose(runId), Options($"close-plan {runId:N}", runId, by));

    internal static void AskForChunk(CaminoDb db, Guid runId, int chunk, string? by) =>
        db.Enqueue(new CloseLoans(runId, chunk), Options(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"close-chunk {runId:N} {chunk}"), runId, by));

    private static JobOptions Options(string key, Guid runId, string? by) => new() { UniqueKey = key, Tags = [Tag(runId)], RequestedBy = by };

    private static string Tag(Guid runId) => $"close-{runId:N}";
}

/// <summary>Asks once more for what a close has not done: its plan, or its unfinished chunks. Jobs that wait or run already are left alone.</summary>
public sealed class ResumeClose(CaminoDb db, TimeProvider clock)
{
    /// <returns>How many pieces of work were open.</returns>
    /// <exception cref="RefusedException"><c>close.none_open</c>.</exception>
    public async Task<int> RunAsync(Guid? by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var unfinished = await db.CloseRuns.AsNoTracking().Where(run => run.FinishedAt == null).OrderBy(run => run.Id).ToListAsync(ct);
        Refuse.If(unfinished.Count == 0, "close.none_open", "Every close has finished; there is nothing to resume.");
        var open = 0;
        foreach (var run in unfinished)
        {
            if (run.PlannedAt is null)
            {
                CloseWork.AskForPlan(db, run.Id, by?.ToString());
                open++;
            }

            foreach (var chunk in await db.CloseChunks.AsNoTracking().Where(chunk => chunk.RunId == run.Id && chunk.DoneAt == null).Select(chunk => chunk.Number).ToListAsync(ct))
            {
                CloseWork.AskForChunk(db, run.Id, chunk, by?.ToString());
                open++;
            }

            db.AuditEntries.Add(new AuditEntry(at, by, "day.close_resumed", "day", CloseDay.Text(run.Closes), JsonSerializer.Serialize(new { open })));
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return open;
    }
}
