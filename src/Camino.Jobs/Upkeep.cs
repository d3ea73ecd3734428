using Microsoft.Extensions.Logging;

namespace Camino.Jobs;

/// <summary>What must be done now and then, by any server: figures for metrics and charts, alarms, keeping and pruning.</summary>
internal sealed class Upkeep(JobStore store, JobServerOptions options, JobMetrics metrics, Func<ServerIdentity?> me, ILogger logger)
{
    public const string Duty = "watch";

    private const int PruneBatch = 1000;
    private const int LeaseSeconds = 60;
    private const int WatchEveryRounds = 3;
    private const int PruneEveryRounds = 30;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private bool _watching;

    public async Task LoopAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every);
        for (var round = 1; !ct.IsCancellationRequested; round++)
        {
            try
            {
                await timer.WaitForNextTickAsync(ct);
                var figures = await store.QueueFiguresAsync(ct);
                metrics.Show(figures);
                await store.AddDepthAsync(figures, ct);
                if (me() is { } server)
                    await WriteFlowAsync(server, ct);
                if (round % WatchEveryRounds == 0)
                    await WatchAsync(figures, ct);
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

    /// <summary>What this server counted since the last time; also the last one when it stops.</summary>
    public async Task WriteFlowAsync(ServerIdentity server, CancellationToken ct)
    {
        foreach (var (queue, counts) in metrics.Flow.Turn())
        {
            if (counts.IsEmpty)
                continue;
            try
            {
                await store.AddFlowAsync(server.Id, queue, counts, ct);
            }
            catch
            {
                metrics.Flow.Return(queue, counts);
                throw;
            }
        }
    }

    /// <summary>Looks for troubles and sets the alarms accordingly; one server does, by a lease, and one outside the fence only while no other lives.</summary>
    public async Task WatchAsync(IReadOnlyList<QueueFigures> figures, CancellationToken ct)
    {
        if (me() is not { } server || !await store.LeadAsync(Duty, server, LeaseSeconds, ct, alsoFenced: true))
        {
            _watching = false;
            metrics.Alarm([]);
            return;
        }
        _watching = true;
        var found = await FindAsync(figures, ct);
        foreach (var (name, subject, message, raised) in await store.SetAlarmsAsync(found, ct))
        {
            if (raised)
                JobLog.AlarmRaised(logger, name, subject, message);
            else
                JobLog.AlarmCleared(logger, name, subject);
        }
        metrics.Alarm(found);
    }

    public async Task StepDownAsync(Guid server, CancellationToken ct)
    {
        if (_watching)
            await store.StepDownAsync(Duty, server, ct);
    }

    /// <summary>Bounded batches, each its own commit; several servers at it skip each other's rows. Failed jobs never go without a line that says so.</summary>
    public async Task PruneAsync(CancellationToken ct)
    {
        await store.PruneBesideAsync(orphans: !options.KeepDone, ct);
        var ruled = options.Retention.Select(rule => rule.Kind).ToArray();
        await PruneAsync(new KeepRule(Kind: null, options.KeepDays, options.KeepDays, Math.Max(options.KeepDays, options.KeepFailedDays)), ruled, ct);
        foreach (var rule in options.Retention)
        {
            await PruneAsync(
                new KeepRule(rule.Kind, rule.DoneDays ?? options.KeepDays, rule.CancelledDays ?? options.KeepDays, rule.FailedDays ?? Math.Max(options.KeepDays, options.KeepFailedDays)),
                [], ct);
        }
    }

    private async Task PruneAsync(KeepRule rule, string[] except, CancellationToken ct)
    {
        long rows = 0, failed = 0;
        var batch = new PrunedBatch(0, 0, Guid.Empty);
        do
        {
            batch = await store.PruneAsync(rule, except, batch.Last, PruneBatch, ct);
            rows += batch.Rows;
            failed += batch.Failed;
        }
        while (batch.Rows == PruneBatch);
        if (rows > 0)
            JobLog.Pruned(logger, rows, rule.Kind ?? "all kinds");
        if (failed > 0)
            JobLog.PrunedFailed(logger, failed, rule.Kind ?? "all kinds", rule.FailedDays);
    }

    private async Task<IReadOnlyList<AlarmFinding>> FindAsync(IReadOnlyList<QueueFigures> figures, CancellationToken ct)
    {
        var found = new List<AlarmFinding>();
        foreach (var kind in await store.UnservedAsync(ct))
        {
            found.Add(new AlarmFinding(
                "unserved", $"{kind.Queue}/{kind.Kind}", kind.Jobs, 0,
                $"{kind.Jobs} jobs of kind {kind.Kind} in queue {kind.Queue} wait since {kind.Since:u}, and no living server can run them; start one of a release and with a queue that can."));
        }
        var targets = await store.TargetsAsync(ct);
        foreach (var queue in figures)
        {
            if (queue is { OldestAge: { } age, Paused: false } && targets.TryGetValue(queue.Queue, out var target) && age.TotalSeconds > target)
                found.Add(new AlarmFinding("oldest-age", queue.Queue, age.TotalSeconds, target, $"The oldest job of queue {queue.Queue} waits for {age.TotalSeconds:F0} s; its target is {target} s. Add slots or servers."));
        }
        foreach (var (name, subject, value, note) in await store.HealthAsync([.. options.Retention.Select(rule => rule.Kind)], ct))
        {
            if (Judge(name, subject, value, note) is { } finding)
                found.Add(finding);
        }
        return [.. found.DistinctBy(one => (one.Name, one.Subject))];
    }

    private AlarmFinding? Judge(string name, string subject, double value, string note)
    {
        var (threshold, message) = name switch
        {
            "listener-down" => (-1, $"The listener of server {subject} is down; its work is found by polling. Look at its connection to PostgreSQL."),
            "horizon" => (options.Alarms.HorizonSeconds, $"The oldest transaction ({(note.Length == 0 ? subject : note)}) is open for {value:F0} s; dead rows behind it cannot be vacuumed. End it."),
            "dead-tuples" => (options.Alarms.DeadTuples, $"Table {subject} has {value:F0} dead rows and {note} live ones; look at autovacuum and at the oldest transaction."),
            "bloat" => (options.Alarms.BloatMegabytes, $"Index {subject} takes {value:F0} MB more than its rows need; run: REINDEX INDEX CONCURRENTLY {subject}"),
            "retry-storm" => (options.Alarms.RetriesInFiveMinutes, $"{value:F0} attempts of queue {subject} failed within five minutes and are made again, {note} jobs were done; look at the causes, pause the kind."),
            "recurring-late" => (120, $"Recurring entry {subject} is {value:F0} s late; look at the log for event 1039."),
            "pruning-lag" => (options.KeepDays + 1, $"The oldest done job is {value:F0} days old and should have been pruned after {options.KeepDays}; look at the log for event 1034."),
            _ => (double.MaxValue, ""),
        };
        return value > threshold ? new AlarmFinding(name, subject, value, Math.Max(0, threshold), message) : null;
    }
}
