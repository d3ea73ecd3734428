using System.Collections.Concurrent;

namespace Camino.Jobs;

/// <summary>What went through each queue of this process: counts, and waits and runs by size class, so that percentiles can be told without keeping each figure.</summary>
internal sealed class JobFlow
{
    /// <summary>Upper ends of the size classes in seconds; what is longer falls into one more.</summary>
    internal static readonly double[] Ends = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

    /// <summary>Stretches that the figures of this process tell about: five minutes of ten seconds each.</summary>
    private const int Stretches = 30;

    private readonly ConcurrentDictionary<string, Counts> _now = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<IReadOnlyDictionary<string, Counts>> _lately = new();

    public void Waited(string queue, double seconds) => Interlocked.Increment(ref Of(queue).Wait[ClassOf(seconds)]);

    public void Ran(string queue, double seconds) => Interlocked.Increment(ref Of(queue).Run[ClassOf(seconds)]);

    public void Done(string queue) => Interlocked.Increment(ref Of(queue).Done);

    public void Failed(string queue) => Interlocked.Increment(ref Of(queue).Failed);

    public void Retried(string queue) => Interlocked.Increment(ref Of(queue).Retried);

    public void Cancelled(string queue) => Interlocked.Increment(ref Of(queue).Cancelled);

    /// <summary>What was counted since the last call.</summary>
    public IReadOnlyDictionary<string, Counts> Turn()
    {
        var turned = _now.ToDictionary(pair => pair.Key, pair => pair.Value.Take(), StringComparer.Ordinal);
        _lately.Enqueue(turned);
        if (_lately.Count > Stretches)
            _lately.TryDequeue(out _);
        return turned;
    }

    /// <summary>Puts back what could not be stored.</summary>
    public void Return(string queue, Counts counts) => Of(queue).Add(counts);

    /// <summary>All of the last five minutes.</summary>
    public IReadOnlyDictionary<string, Counts> Lately()
    {
        var sums = new Dictionary<string, Counts>(StringComparer.Ordinal);
        foreach (var (queue, counts) in _lately.SelectMany(stretch => stretch))
        {
            if (!sums.TryGetValue(queue, out var sum))
                sums[queue] = sum = new Counts();
            sum.Add(counts);
        }
        return sums;
    }

    /// <summary>The time under which a share of the figures lies, in seconds, straight-lined inside its class; null without figures.</summary>
    internal static double? Quantile(IReadOnlyList<int> classes, double share)
    {
        long all = 0;
        foreach (var count in classes)
            all += count;
        if (all == 0)
            return null;
        var wanted = share * all;
        double below = 0;
        for (var at = 0; at < classes.Count; at++)
        {
            if (below + classes[at] >= wanted && classes[at] > 0)
            {
                var low = at == 0 ? 0 : Ends[at - 1];
                var high = at < Ends.Length ? Ends[at] : Ends[^1] * 2;
                return low + (high - low) * ((wanted - below) / classes[at]);
            }
            below += classes[at];
        }
        return Ends[^1] * 2;
    }

    private static int ClassOf(double seconds)
    {
        var at = Array.BinarySearch(Ends, seconds);
        return at >= 0 ? at : ~at;
    }

    private Counts Of(string queue) => _now.GetOrAdd(queue, static _ => new Counts());

    /// <summary>The figures of one queue; counted by any thread.</summary>
    internal sealed class Counts
    {
        public int Done;
        public int Failed;
        public int Retried;
        public int Cancelled;
        public readonly int[] Wait = new int[Ends.Length + 1];
        public readonly int[] Run = new int[Ends.Length + 1];

        /// <summary>Nothing was counted.</summary>
        public bool IsEmpty => Done == 0 && Failed == 0 && Retried == 0 && Cancelled == 0 && Wait.All(count => count == 0) && Run.All(count => count == 0);

        /// <summary>What was counted, and begins anew.</summary>
        public Counts Take()
        {
            var taken = new Counts
            {
                Done = Interlocked.Exchange(ref Done, 0),
                Failed = Interlocked.Exchange(ref Failed, 0),
                Retried = Interlocked.Exchange(ref Retried, 0),
                Cancelled = Interlocked.Exchange(ref Cancelled, 0),
            };
            for (var at = 0; at < Wait.Length; at++)
            {
                taken.Wait[at] = Interlocked.Exchange(ref Wait[at], 0);
                taken.Run[at] = Interlocked.Exchange(ref Run[at], 0);
            }
            return taken;
        }

        public void Add(Counts other)
        {
            Interlocked.Add(ref Done, other.Done);
            Interlocked.Add(ref Failed, other.Failed);
            Interlocked.Add(ref Retried, other.Retried);
            Interlocked.Add(ref Cancelled, other.Cancelled);
            for (var at = 0; at < Wait.Length; at++)
            {
                Interlocked.Add(ref Wait[at], other.Wait[at]);
                Interlocked.Add(ref Run[at], other.Run[at]);
            }
        }
    }
}
