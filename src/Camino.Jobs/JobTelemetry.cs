using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Camino.Jobs;

/// <summary>The names under which the engine tells what it does.</summary>
public static class JobTelemetry
{
    /// <summary>Name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string Name = "Camino.Jobs";

    internal static readonly ActivitySource Source = new(Name);
}

/// <summary>Figures per queue: counters and histograms of this process, gauges of the database as it was last asked.</summary>
internal sealed class JobMetrics : IDisposable
{
    private static readonly (double Share, string Name)[] Shares = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];

    private readonly Meter _meter;
    private readonly Histogram<double> _wait;
    private readonly Histogram<double> _run;
    private readonly Counter<long> _done;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _retried;
    private readonly Counter<long> _cancelled;
    private readonly Counter<long> _rescued;
    private readonly Counter<long> _refused;
    private readonly Histogram<int> _batch;

    private volatile IReadOnlyList<QueueFigures> _figures = [];
    private volatile IReadOnlyList<AlarmFinding> _alarms = [];

    public JobMetrics(IMeterFactory? factory)
    {
        _meter = factory?.Create(JobTelemetry.Name) ?? new Meter(JobTelemetry.Name);
        _wait = _meter.CreateHistogram<double>("camino.jobs.wait", "s", "From due to claimed.");
        _run = _meter.CreateHistogram<double>("camino.jobs.run", "s", "From start to end of one attempt.");
        _done = _meter.CreateCounter<long>("camino.jobs.done", "{job}", "Jobs done.");
        _failed = _meter.CreateCounter<long>("camino.jobs.failed", "{job}", "Jobs failed for good.");
        _retried = _meter.CreateCounter<long>("camino.jobs.retried", "{attempt}", "Attempts that failed and will be made again.");
        _cancelled = _meter.CreateCounter<long>("camino.jobs.cancelled", "{job}", "Jobs cancelled or expired.");
        _rescued = _meter.CreateCounter<long>("camino.jobs.rescued", "{job}", "Jobs taken from a server that stopped answering.");
        _refused = _meter.CreateCounter<long>("camino.jobs.refused", "{attempt}", "Ends of runs that changed nothing: the lease was lost, or the release was outside the fence.");
        _batch = _meter.CreateHistogram<int>("camino.jobs.batch", "{job}", "Results written with one commit.");
        _meter.CreateObservableGauge("camino.jobs.ready", () => Observe(queue => queue.Ready), "{job}", "Due and waiting; at most 100,000 are counted.");
        _meter.CreateObservableGauge("camino.jobs.running", () => Observe(queue => queue.Running), "{job}", "With a server.");
        _meter.CreateObservableGauge(
            "camino.jobs.oldest_age", () => Observe(queue => queue.OldestAge?.TotalSeconds ?? 0), "s", "How long the oldest due job has waited.");
        _meter.CreateObservableGauge("camino.jobs.wait.quantile", () => Quantiles(counts => counts.Wait), "s", "From due to claimed, on this server in the last five minutes.");
        _meter.CreateObservableGauge("camino.jobs.run.quantile", () => Quantiles(counts => counts.Run), "s", "One attempt, on this server in the last five minutes.");
        _meter.CreateObservableGauge(
            "camino.jobs.alarm", () => _alarms.Select(alarm => new Measurement<int>(1, new("name", alarm.Name), new("subject", alarm.Subject))), "{alarm}",
            "Alarms that last, told by the server that watches.");
    }

    /// <summary>The same, for charts and percentiles.</summary>
    public JobFlow Flow { get; } = new();

    /// <summary>What lasts, where this server watches.</summary>
    public void Alarm(IReadOnlyList<AlarmFinding> alarms) => _alarms = alarms;

    public void Show(IReadOnlyList<QueueFigures> figures) => _figures = figures;

    public void Claimed(ClaimedJob job)
    {
        var seconds = Math.Max(0, (job.ClaimedAt - job.DueAt).TotalSeconds);
        _wait.Record(seconds, Queue(job.Queue));
        Flow.Waited(job.Queue, seconds);
    }

    public void Ran(string queue, TimeSpan time)
    {
        _run.Record(time.TotalSeconds, Queue(queue));
        Flow.Ran(queue, time.TotalSeconds);
    }

    public void Written(int results) => _batch.Record(results);

    public void Done(string queue)
    {
        _done.Add(1, Queue(queue));
        Flow.Done(queue);
    }

    public void Failed(string queue)
    {
        _failed.Add(1, Queue(queue));
        Flow.Failed(queue);
    }

    public void Retried(string queue)
    {
        _retried.Add(1, Queue(queue));
        Flow.Retried(queue);
    }

    public void Cancelled(string queue)
    {
        _cancelled.Add(1, Queue(queue));
        Flow.Cancelled(queue);
    }

    public void Rescued(string queue) => _rescued.Add(1, Queue(queue));

    public void Refused(string queue) => _refused.Add(1, Queue(queue));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Queue(string name) => new("queue", name);

    private IEnumerable<Measurement<double>> Quantiles(Func<JobFlow.Counts, int[]> classes)
    {
        foreach (var (queue, counts) in Flow.Lately())
        {
            foreach (var (share, name) in Shares)
            {
                if (JobFlow.Quantile(classes(counts), share) is { } seconds)
                    yield return new Measurement<double>(seconds, Queue(queue), new("quantile", name));
            }
        }
    }

    private IEnumerable<Measurement<T>> Observe<T>(Func<QueueFigures, T> figure)
        where T : struct
        => _figures.Select(queue => new Measurement<T>(figure(queue), Queue(queue.Queue)));
}
