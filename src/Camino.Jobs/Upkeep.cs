using Microsoft.Extensions.Logging;

namespace Camino.Jobs;

/// <summary>What must be done now and then, by any server: figures for the metrics, the alarm for jobs that nobody can run, pruning.</summary>
internal sealed class Upkeep(JobStore store, JobServerOptions options, JobMetrics metrics, ILogger logger)
{
    private const int PruneBatch = 1000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private const int PruneEveryRounds = 30;

    public async Task LoopAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every);
        for (var round = 1; !ct.IsCancellationRequested; round++)
        {
            try
            {
                await timer.WaitForNextTickAsync(ct);
                metrics.Show(await store.QueueFiguresAsync(ct));
                if (round % 6 == 0)
                    await WarnAsync(ct);
                if (round % PruneEveryRounds == 0)
                    await PruneAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                JobLog.UpkeepFailed(logger, e);
            }
        }
    }

    private async Task WarnAsync(CancellationToken ct)
    {
        foreach (var kind in await store.UnservedAsync(ct))
            JobLog.Unserved(logger, kind.Queue, kind.Kind, kind.Jobs, kind.Since);
    }

    /// <summary>Bounded batches, each its own commit; several servers at it skip each other's rows.</summary>
    private async Task PruneAsync(CancellationToken ct)
    {
        long pruned = 0, batch;
        do
        {
            batch = await store.PruneAsync(options.KeepDays, options.KeepFailedDays, PruneBatch, ct);
            pruned += batch;
        }
        while (batch == PruneBatch);
        if (pruned > 0)
            JobLog.Pruned(logger, pruned);
    }
}
