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
    private readonly Meter _meter;
    private readonly Histogram<double> _wait;
    private readonly Histogram<double> _run;
    private readonly Counter<long> _done;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _retried;
    private readonly Counter<long> _cancelled;
    private readonly Counter<long> _rescued;
    private readonly Histogram<int> _batch;

    private volatile IReadOnlyList<QueueFigures> _figures = [];

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
        _batch = _meter.CreateHistogram<int>("camino.jobs.batch", "{job}", "Results written with one commit.");
        _meter.CreateObservableGauge("camino.jobs.ready", () => Observe(queue => queue.Ready), "{job}", "Due and waiting; at most 100,000 are counted.");
        _meter.CreateObservableGauge("camino.jobs.running", () => Observe(queue => queue.Running), "{job}", "With a server.");
        _meter.CreateObservableGauge(
            "camino.jobs.oldest_age", () => Observe(queue => queue.OldestAge?.TotalSeconds ?? 0), "s", "How long the oldest due job has waited.");
    }

    public void Show(IReadOnlyList<QueueFigures> figures) => _figures = figures;

    public void Claimed(ClaimedJob job) => _wait.Record(Math.Max(0, (job.ClaimedAt - job.DueAt).TotalSeconds), Queue(job.Queue));

    public void Ran(string queue, TimeSpan time) => _run.Record(time.TotalSeconds, Queue(queue));

    public void Written(int results) => _batch.Record(results);

    public void Done(string queue) => _done.Add(1, Queue(queue));

    public void Failed(string queue) => _failed.Add(1, Queue(queue));

    public void Retried(string queue) => _retried.Add(1, Queue(queue));

    public void Cancelled(string queue) => _cancelled.Add(1, Queue(queue));

    public void Rescued(string queue) => _rescued.Add(1, Queue(queue));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Queue(string name) => new("queue", name);

    private IEnumerable<Measurement<T>> Observe<T>(Func<QueueFigures, T> figure)
        where T : struct
        => _figures.Select(queue => new Measurement<T>(figure(queue), Queue(queue.Queue)));
}
