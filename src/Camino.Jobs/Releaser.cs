using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Camino.Jobs;

/// <summary>
/// Lets jobs go on that wait for other jobs or for a slot of their limit. It works beside the claim and is told of ends only while anybody waits; what it misses
/// (a server that dies, a command from elsewhere) the sweep finds within ten seconds. While nobody waits it asks one cheap question a second.
/// </summary>
internal sealed class Releaser(JobStore store, JobServerOptions options, ILogger logger) : IDisposable
{
    private const int MostAtOnce = 500;
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(10);

    private readonly Signal _signal = new();
    private readonly ConcurrentQueue<Guid> _ended = new();
    private volatile bool _edges;
    private volatile bool _limits;
    private volatile bool _new;
    private long _sweptAt;

    /// <summary>A job has ended, and that is stored.</summary>
    public void OnEnded(Guid id, bool limited)
    {
        if (_edges)
            _ended.Enqueue(id);
        if (limited)
            _limits = true;
        if (limited || _edges)
            _signal.Set();
    }

    /// <summary>Somebody was enqueued that waits for other jobs.</summary>
    public void OnWaiting()
    {
        _edges = true;
        _new = true;
        _signal.Set();
    }

    /// <summary>Somebody was enqueued that waits for its limit.</summary>
    public void OnLimited()
    {
        _limits = true;
        _signal.Set();
    }

    public async Task LoopAsync(CancellationToken ct)
    {
        var pause = TimeSpan.FromSeconds(1);
        while (!ct.IsCancellationRequested)
        {
            await _signal.WaitAsync(pause);
            if (ct.IsCancellationRequested)
                return;
            try
            {
                pause = await RoundAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                JobLog.ReleaseFailed(logger, e);
                pause = TimeSpan.FromSeconds(1);
            }
        }
    }

    /// <summary>Ends a wait that nothing else would.</summary>
    public void Wake() => _signal.Set();

    public void Dispose() => _signal.Dispose();

    private async Task<TimeSpan> RoundAsync(CancellationToken ct)
    {
        var sweep = Stopwatch.GetElapsedTime(_sweptAt) >= SweepEvery;
        if (!_limits || !_edges || sweep)
        {
            var pending = await store.PendingAsync(ct);
            _edges = pending.Edges;
            _limits |= pending.Limits;
        }
        if (_edges)
            await ReleaseAsync(sweep, ct);
        if (sweep)
            _sweptAt = Stopwatch.GetTimestamp();
        if (!_limits)
            return TimeSpan.FromSeconds(1);

        _limits = false;
        if (await store.RunLimitsAsync(options.LimitLeaseSeconds, ct) is not { } letIn)
        {
            // Another server is at it and may have looked before our job ended.
            _limits = true;
            return TimeSpan.FromMilliseconds(20);
        }
        if (letIn > 0)
            JobLog.LetIn(logger, letIn);
        return TimeSpan.FromSeconds(1);
    }

    private async Task ReleaseAsync(bool sweep, CancellationToken ct)
    {
        _new = false;
        IReadOnlyList<Guid> unseen;
        do
        {
            unseen = await store.CheckEdgesAsync(ct);
            await ResolveAsync(unseen, ct);
        }
        while (unseen.Count > 0 && !_new);

        while (!_ended.IsEmpty)
        {
            var some = new List<Guid>(MostAtOnce);
            while (some.Count < MostAtOnce && _ended.TryDequeue(out var id))
                some.Add(id);
            await ResolveAsync(some, ct);
        }
        Guid? after = sweep ? Guid.Empty : null;
        while (after is { } from)
        {
            (var over, after) = await store.LostEdgesAsync(from, ct);
            await ResolveAsync(over, ct);
        }
    }

    private async Task ResolveAsync(IReadOnlyCollection<Guid> ended, CancellationToken ct)
    {
        foreach (var some in ended.Chunk(MostAtOnce))
        {
            var released = await store.ResolveAsync(some, ct);
            if (released > 0)
                JobLog.Released(logger, released);
        }
    }
}
