using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>What every carrier does with its runs and their ends, whichever engine brought the jobs.</summary>
internal static class RunCare
{
    /// <summary>Stops runs that take too long, gives up on those whose handler does not return, and stores what they report.</summary>
    public static async Task WatchAsync(List<JobRun> runs, JobServerOptions options, ILogger logger, CancellationToken ct)
    {
        foreach (var run in runs)
        {
            if (run.Timeout is { } timeout && run.Age > timeout)
                run.Stop(StopReason.TimedOut);
            if (run.StoppingFor is { } time && time > TimeSpan.FromSeconds(options.StuckSeconds))
                run.GiveUpOn();
            try
            {
                await run.WriteReportsAsync(ct);
            }
            catch (LeaseLostException)
            {
                // The run was told to stop.
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                JobLog.ProgressFailed(logger, e, run.Kind);
            }
        }
    }

    public static RunEnd Cancelled(JobRun run, string? reason) =>
        new(run, new FinishRow(run.JobId, run.Job.Lease, "cancelled", Result: null, reason, Note: null), PutBack: null, (log, told) =>
        {
            JobLog.Cancelled(log, run.Kind, reason ?? "asked for before it started");
            told.Cancelled(run.Queue);
        });

    public static RunEnd Unstorable(JobRun run, string sqlState) =>
        new(run, new FinishRow(run.JobId, run.Job.Lease, "failed", Result: null, $"The end of the run could not be stored: {sqlState}.", "failed"), PutBack: null, (_, told) => told.Failed(run.Queue));

    /// <summary>The end is in the database, or was refused there: says so, counts it, and lets those go on that waited for it.</summary>
    public static void Tell(RunEnd end, bool accepted, ILogger logger, JobMetrics metrics, Releaser releaser)
    {
        using var scope = logger.BeginScope(end.Run.LogScope);
        if (accepted)
        {
            end.Tell(logger, metrics);
        }
        else if (end.Run.Completed)
        {
            JobLog.Done(logger, end.Run.Kind, end.Run.Age.TotalSeconds);
            metrics.Done(end.Run.Queue);
        }
        else
        {
            JobLog.Refused(logger, end.Run.Kind);
            metrics.Refused(end.Run.Queue);
        }
        if (end.Run.Job.LimitKey is not null || (accepted && end.Finish is not null) || end.Run.Completed)
            releaser.OnEnded(end.Run.JobId, end.Run.Job.LimitKey is not null);
        end.Run.Dispose();
    }

    /// <summary>Classes 22 and 23 and limits: the same rows will be refused again.</summary>
    public static bool IsAboutData(PostgresException e) =>
        e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal)
        || e.SqlState.StartsWith("54", StringComparison.Ordinal);

    /// <summary>Somebody holds a row of the batch locked, and not for a moment.</summary>
    public static bool IsAboutLocks(PostgresException e) => e.SqlState == PostgresErrorCodes.LockNotAvailable;
}
