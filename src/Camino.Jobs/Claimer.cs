using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>
/// The one loop of a process that talks to the hot table: it writes the results that have gathered and takes the next jobs in the same round trip and the
/// same commit. Results are never dropped: while they cannot be written nothing new is taken, and each is kept until the database has answered.
/// </summary>
internal sealed class Claimer(
    JobStore store, JobServerOptions options, JobRegistry registry, IServiceScopeFactory scopes, JobMetrics metrics, TimeProvider time,
    Releaser releaser, ILogger logger) : IDisposable
{
    private const int LargestWrite = 512;
    private const int FullWrite = 128;
    private const int MostAhead = 256;
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan HotPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan HotFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FullLookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Signal _signal = new();
    private readonly SlotLedger _slots = new(options);
    private readonly SortedSet<ReadyJob> _ready = new(ReadyJob.InOrder);
    private readonly Dictionary<Guid, JobRun> _running = [];
    private readonly Queue<RunEnd> _ends = new();
    private readonly Dictionary<Guid, long> _doubtful = [];
    private readonly DateTime[] _lows = Enumerable.Repeat(DateTime.MinValue, options.Queues.Count).ToArray();

    private ServerIdentity? _me;
    private bool _hinted = true;
    private bool _more;
    private bool _draining;
    private bool _fenced;
    private long _firstEndAt;
    private long _lastLookAt;
    private long _lastFullLookAt;
    private long _lastFoundAt;
    private double _runMilliseconds = 1000;
    private double _endsPerMillisecond;
    private long _lastRateAt = Stopwatch.GetTimestamp();
    private int _endsSinceRate;

    /// <summary>When the database last answered this loop, by the process's clock: for people and health checks, never for decisions.</summary>
    public DateTimeOffset? LastAnswerAt { get; private set; }

    public int Running
    {
        get
        {
            lock (_gate)
                return _slots.Started;
        }
    }

    /// <summary>From now on jobs are taken in the name of this start.</summary>
    public void Begin(ServerIdentity me)
    {
        lock (_gate)
        {
            _me = me;
            _hinted = true;
        }
        _signal.Set();
    }

    /// <summary>Something may be there to take; null: in any queue.</summary>
    public void Hint(string? queue)
    {
        lock (_gate)
        {
            if (queue is not null && !_slots.Serves(queue))
                return;
            _hinted = true;
            _lastFoundAt = Stopwatch.GetTimestamp();
            if (queue is null)
                _lastFullLookAt = 0;
        }
        _signal.Set();
    }

    public void Fence(bool fenced)
    {
        lock (_gate)
            _fenced = fenced;
    }

    /// <summary>Takes no more from now on; what was taken and not begun goes back.</summary>
    public void Drain()
    {
        lock (_gate)
        {
            _draining = true;
            foreach (var ready in _ready)
                Unhold(ready, "the server stopped");
            _ready.Clear();
        }
        _signal.Set();
    }

    /// <summary>All that was taken under this name belongs to others.</summary>
    public int Lose(ServerIdentity lost)
    {
        List<JobRun> runs;
        lock (_gate)
        {
            _me = null;
            foreach (var ready in _ready)
                _slots.LetGo(ready.Run.Rank);
            _ready.Clear();
            runs = _running.Values.Where(run => run.Server.Id == lost.Id).ToList();
        }
        runs.ForEach(run => run.Stop(StopReason.LeaseLost));
        return runs.Count;
    }

    public void Cancel(CancelWish wish)
    {
        JobRun? run;
        lock (_gate)
        {
            if (!_running.TryGetValue(wish.Id, out run) && _ready.FirstOrDefault(one => one.Run.JobId == wish.Id && one.Run.Job.Lease == wish.Lease) is { } ready)
            {
                _ready.Remove(ready);
                _slots.LetGo(ready.Run.Rank);
                Put(Cancelled(ready.Run, wish.Reason ?? "no reason given"));
            }
        }
        if (run?.Job.Lease == wish.Lease)
            run.Stop(StopReason.Cancelled, wish);
        _signal.Set();
    }

    public void StopRuns(StopReason reason) => Runs().ForEach(run => run.Stop(reason));

    public List<JobRun> Runs()
    {
        lock (_gate)
            return [.. _running.Values];
    }

    /// <summary>Once a second: timeouts, handlers that do not return, progress not yet stored, jobs held too long without a slot.</summary>
    public async Task TickAsync(CancellationToken ct)
    {
        foreach (var run in Runs())
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
        lock (_gate)
        {
            foreach (var ready in _ready.Where(one => Stopwatch.GetElapsedTime(one.HeldAt) > TimeSpan.FromSeconds(1)).ToList())
            {
                _ready.Remove(ready);
                Unhold(ready, "no slot became free here within a second");
            }
        }
        await ReturnDoubtfulAsync(ct);
    }

    /// <summary>Runs until the server drains, nothing runs and every result is stored.</summary>
    public async Task LoopAsync(CancellationToken abandon)
    {
        var failures = 0;
        while (!abandon.IsCancellationRequested)
        {
            var (work, pause) = Plan();
            if (work is null)
            {
                if (pause is null)
                    return;
                await _signal.WaitAsync(pause.Value);
                continue;
            }
            try
            {
                var trip = await store.RunBatchAsync(work.Me, work.Finishes, work.PutBacks, work.Ask, abandon);
                failures = 0;
                Accept(work, trip);
            }
            catch (PostgresException e) when (work.Ends.Count > 0 && IsAboutData(e))
            {
                TakeBack(work);
                await WriteOneByOneAsync(work, abandon);
            }
            catch (Exception e)
            {
                TakeBack(work);
                if (abandon.IsCancellationRequested)
                    return;
                var wait = TimeSpan.FromMilliseconds(Math.Min(5000, 100 * Math.Pow(2, Math.Min(failures++, 10))) * (0.75 + Random.Shared.NextDouble() / 2));
                JobLog.RoundTripFailed(logger, e, work.Ends.Count, wait.TotalSeconds);
                await Task.Delay(wait, CancellationToken.None);
            }
        }
    }

    public void Dispose() => _signal.Dispose();

    /// <summary>What to do now, or how long to wait; neither when all is over.</summary>
    private (Work? Work, TimeSpan? Pause) Plan()
    {
        lock (_gate)
        {
            var ahead = Ahead();
            var room = _draining || _fenced || _me is null ? null : _slots.Room(ahead);
            var poll = Stopwatch.GetElapsedTime(_lastFoundAt) < HotFor ? HotPoll : TimeSpan.FromMilliseconds(options.PollMilliseconds);
            var untilPoll = room is null ? TimeSpan.FromSeconds(1) : poll - Stopwatch.GetElapsedTime(_lastLookAt);
            var untilFlush = _ends.Count == 0 ? TimeSpan.MaxValue : Linger - Stopwatch.GetElapsedTime(_firstEndAt);

            var look = room is not null && (_hinted || untilPoll <= TimeSpan.Zero || (_more && _ready.Count <= ahead / 2));
            var flush = _ends.Count > 0
                && (_ends.Count >= FullWrite || untilFlush <= TimeSpan.Zero || _draining || (_slots.Started == 0 && _ready.Count == 0));
            if (!look && !flush)
            {
                if (_draining && _running.Count == 0 && _ends.Count == 0 && _ready.Count == 0)
                    return (null, null);
                var wait = untilPoll < untilFlush ? untilPoll : untilFlush;
                return (null, wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait);
            }

            var ends = new List<RunEnd>(Math.Min(_ends.Count, LargestWrite));
            while (_ends.Count > 0 && ends.Count < LargestWrite)
                ends.Add(_ends.Dequeue());
            _firstEndAt = Stopwatch.GetTimestamp();
            var me = ends.Count > 0 ? ends[0].Run.Server : _me;
            return (new Work(_me ?? me ?? throw new InvalidOperationException("No server is registered."), ends, room is null ? null : Ask(room.Value)), null);
        }
    }

    private ClaimAsk Ask((int[] Takes, int[] Owns, int Shared) room)
    {
        _hinted = false;
        _lastLookAt = Stopwatch.GetTimestamp();
        var full = Stopwatch.GetElapsedTime(_lastFullLookAt) > FullLookEvery;
        if (full)
            _lastFullLookAt = _lastLookAt;
        var lows = full ? Enumerable.Repeat(DateTime.MinValue, _lows.Length).ToArray() : [.. _lows];
        return new ClaimAsk(Guid.CreateVersion7(), _slots.Queues, room.Takes, room.Owns, lows, room.Shared);
    }

    /// <summary>
    /// How many jobs to hold beyond the slots: ten milliseconds' worth while jobs are short, none while they take long, so that an urgent job does not
    /// stand behind held ones and another server's free slot finds the work.
    /// </summary>
    private int Ahead() => _runMilliseconds > 20 ? 0 : (int)Math.Clamp(_endsPerMillisecond * 10, 0, MostAhead);

    private void Accept(Work work, RoundTrip trip)
    {
        List<JobRun> begin;
        lock (_gate)
        {
            LastAnswerAt = time.GetUtcNow();
            if (work.Ask is { } ask)
                Take(work.Me, ask, trip.Claimed);
            begin = BeginReady();
        }
        begin.ForEach(Launch);
        if (work.Ends.Count > 0)
            metrics.Written(work.Ends.Count);
        foreach (var end in work.Ends)
            Tell(end, (end.Finish is not null ? trip.Finished : trip.PutBack).Contains(end.Run.JobId));
    }

    private void Tell(RunEnd end, bool accepted)
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
        }
        if (end.Run.Job.LimitKey is not null || (accepted && end.Finish is not null) || end.Run.Completed)
            releaser.OnEnded(end.Run.JobId, end.Run.Job.LimitKey is not null);
        end.Run.Dispose();
    }

    private void Take(ServerIdentity me, ClaimAsk ask, List<ClaimedJob> claimed)
    {
        var counts = new int[ask.Queues.Length];
        var newest = new DateTime[ask.Queues.Length];
        var shared = 0;
        foreach (var job in claimed)
        {
            var rank = _slots.RankOf(job.Queue);
            if (++counts[rank] > ask.Owns[rank])
                shared++;
            if (job.DueAt > newest[rank])
                newest[rank] = job.DueAt;
            metrics.Claimed(job);
            var run = new JobRun(job, KindOf(job), me, store, rank);
            if (job.Cancelled || job.Expired)
                Put(Cancelled(run, job.Cancelled ? null : "expired"));
            else if (_draining || _me?.Id != me.Id)
                Put(run.Return("the server stopped"));
            else
                Hold(run);
        }
        for (var rank = 0; rank < counts.Length; rank++)
        {
            if (counts[rank] > 0)
                _lows[rank] = newest[rank];
        }
        // A limit was reached somewhere: there may be more behind it.
        _more = claimed.Count > 0 && (shared >= ask.Shared || counts.Where((count, rank) => count > 0 && count >= ask.Takes[rank]).Any());
        if (claimed.Count > 0)
            _lastFoundAt = Stopwatch.GetTimestamp();
    }

    private JobKind KindOf(ClaimedJob job) =>
        registry.Find(job.Kind) ?? throw new InvalidOperationException($"The kind '{job.Kind}' was claimed and is not registered.");

    private void Hold(JobRun run)
    {
        var terms = options.AgeingSeconds > 0 ? (run.Job.ClaimedAt - run.Job.DueAt).TotalSeconds / options.AgeingSeconds : 0;
        _slots.Hold(run.Rank);
        _ready.Add(new ReadyJob(run, run.Rank - (int)Math.Clamp(terms, 0, run.Rank), Stopwatch.GetTimestamp()));
    }

    private void Unhold(ReadyJob ready, string reason)
    {
        _slots.LetGo(ready.Run.Rank);
        Put(ready.Run.Return(reason));
    }

    private List<JobRun> BeginReady()
    {
        var begin = new List<JobRun>();
        while (_ready.FirstOrDefault(one => _slots.CanStart(one.Run.Rank)) is { } ready)
        {
            _ready.Remove(ready);
            _slots.Start(ready.Run.Rank);
            _running[ready.Run.JobId] = ready.Run;
            begin.Add(ready.Run);
        }
        return begin;
    }

    private static RunEnd Cancelled(JobRun run, string? reason) =>
        new(run, new FinishRow(run.JobId, run.Job.Lease, "cancelled", Result: null, reason, Note: null), PutBack: null, (log, told) =>
        {
            JobLog.Cancelled(log, run.Kind, reason ?? "asked for before it started");
            told.Cancelled(run.Queue);
        });

    private void Launch(JobRun run) => _ = RunAsync(run);

    private async Task RunAsync(JobRun run)
    {
        RunEnd end;
        try
        {
            end = await run.ExecuteAsync(scopes, logger, metrics, options.StuckSeconds);
        }
        catch (Exception e)
        {
            // A logger or a meter that throws, for example: the slot and the job must not be lost with it.
            end = run.TryAgain("failed", JobErrorText.Of(e), e);
        }
        List<JobRun> begin;
        bool wake;
        lock (_gate)
        {
            // A job lost and taken again by this very process may stand under the same id.
            if (_running.TryGetValue(run.JobId, out var current) && ReferenceEquals(current, run))
                _running.Remove(run.JobId);
            _slots.End(run.Rank);
            _runMilliseconds += (run.Age.TotalMilliseconds - _runMilliseconds) * 0.05;
            CountEnd();
            Put(end);
            begin = BeginReady();
            wake = _ends.Count is 1 or FullWrite || _draining || _slots.Started == 0 || (_more && _ready.Count <= Ahead() / 2);
        }
        if (wake)
            _signal.Set();
        begin.ForEach(Launch);
    }

    private void CountEnd()
    {
        _endsSinceRate++;
        var span = Stopwatch.GetElapsedTime(_lastRateAt).TotalMilliseconds;
        if (span < 10)
            return;
        _endsPerMillisecond = (_endsPerMillisecond + _endsSinceRate / span) / 2;
        _endsSinceRate = 0;
        _lastRateAt = Stopwatch.GetTimestamp();
    }

    private void Put(RunEnd end)
    {
        if (_ends.Count == 0)
            _firstEndAt = Stopwatch.GetTimestamp();
        _ends.Enqueue(end);
    }

    /// <summary>The round trip has no answer: its results are kept; what it may have claimed is given back as soon as the database can be asked.</summary>
    private void TakeBack(Work work)
    {
        lock (_gate)
        {
            foreach (var end in work.Ends)
                Put(end);
            if (work.Ask is not null)
                _doubtful[work.Ask.Lease] = Stopwatch.GetTimestamp();
            _hinted = true;
        }
    }

    /// <summary>A statement may reach the table after its answer was given up, so the names of its leases are asked for again for five minutes.</summary>
    private async Task ReturnDoubtfulAsync(CancellationToken ct)
    {
        Guid[] leases;
        ServerIdentity? me;
        lock (_gate)
        {
            me = _me;
            foreach (var (lease, at) in _doubtful)
            {
                if (Stopwatch.GetElapsedTime(at) > TimeSpan.FromMinutes(5))
                    _doubtful.Remove(lease);
            }
            leases = [.. _doubtful.Keys];
        }
        if (leases.Length > 0 && me is not null)
            await store.ReturnLeasesAsync(me.Id, leases, ct);
    }

    /// <summary>One result cannot be stored as it is: find it, replace it by the error, and leave its neighbours alone.</summary>
    private async Task WriteOneByOneAsync(Work work, CancellationToken abandon)
    {
        foreach (var end in work.Ends)
        {
            var single = new Work(work.Me, [end], Ask: null);
            try
            {
                var trip = await store.RunBatchAsync(single.Me, single.Finishes, single.PutBacks, ask: null, abandon);
                Tell(end, trip.Finished.Count + trip.PutBack.Count > 0);
                Forget(end);
            }
            catch (PostgresException e) when (IsAboutData(e))
            {
                JobLog.Unstorable(logger, e, end.Run.Kind, e.SqlState);
                Replace(end, new FinishRow(
                    end.Run.JobId, end.Run.Job.Lease, "failed", Result: null, $"The end of the run could not be stored: {e.SqlState}.", "failed"));
            }
            catch (Exception e)
            {
                JobLog.RoundTripFailed(logger, e, results: 1, waitSeconds: 0);
                return;
            }
        }
    }

    private void Forget(RunEnd end) => Replace(end, row: null);

    private void Replace(RunEnd end, FinishRow? row)
    {
        lock (_gate)
        {
            var rest = _ends.Where(other => !ReferenceEquals(other, end)).ToList();
            _ends.Clear();
            rest.ForEach(_ends.Enqueue);
            if (row is not null)
                Put(new RunEnd(end.Run, row, PutBack: null, (_, told) => told.Failed(end.Run.Queue)));
        }
    }

    /// <summary>Classes 22 and 23 and limits: the same rows will be refused again.</summary>
    private static bool IsAboutData(PostgresException e) =>
        e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal)
        || e.SqlState.StartsWith("54", StringComparison.Ordinal);

    /// <summary>One round trip: what it writes and what it asks for.</summary>
    private sealed record Work(ServerIdentity Me, IReadOnlyList<RunEnd> Ends, ClaimAsk? Ask)
    {
        public List<FinishRow> Finishes { get; } = Ends.Select(end => end.Finish).OfType<FinishRow>().ToList();

        public List<PutBackRow> PutBacks { get; } = Ends.Select(end => end.PutBack).OfType<PutBackRow>().ToList();
    }
}

/// <summary>A job that is taken and waits for a slot of this process.</summary>
/// <param name="Level">The place of its queue, less one for each term of waiting.</param>
internal sealed record ReadyJob(JobRun Run, int Level, long HeldAt)
{
    /// <summary>Level, then age, then id: the order of the claim.</summary>
    public static IComparer<ReadyJob> InOrder { get; } = Comparer<ReadyJob>.Create((one, other) =>
    {
        var order = one.Level.CompareTo(other.Level);
        if (order == 0)
            order = one.Run.Job.DueAt.CompareTo(other.Run.Job.DueAt);
        return order != 0 ? order : one.Run.JobId.CompareTo(other.Run.JobId);
    });
}
