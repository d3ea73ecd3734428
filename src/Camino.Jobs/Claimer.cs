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
    Releaser releaser, ILogger logger) : IJobCarrier
{
    private const int LargestWrite = 512;
    private const int FullWrite = 128;
    private const int MostAhead = 512;
    private const int LeastAhead = 64;
    private const int MostTake = 256;
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan HotPoll = TimeSpan.FromMilliseconds(20);
    /// <summary>After something was found. Hearing of something is not enough: every server hears of each job, and one finds it.</summary>
    private static readonly TimeSpan HotFor = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan BlockedPause = TimeSpan.FromSeconds(3);
    /// <summary>While jobs come that have one attempt left, none is held ahead: a server that dies would cost such a job its only start.</summary>
    private static readonly TimeSpan LastAttemptsFor = TimeSpan.FromSeconds(5);

    private readonly QueueTurns? _turns = options.Order == JobOrder.Weighted ? new QueueTurns([.. options.Queues.Select(queue => queue.Weight)]) : null;
    private readonly Lock _gate = new();
    private readonly Signal _signal = new();
    private readonly SlotLedger _slots = new(options);
    private readonly Signal _sideSignal = new();
    private readonly Signal _expressSignal = new();
    private readonly ReadyJobs _ready = new(options.Queues.Count);
    private readonly Dictionary<Guid, JobRun> _running = [];
    private readonly Queue<RunEnd> _ends = new();
    private readonly Queue<RunEnd> _blocked = new();
    private readonly DoubtfulLeases _doubtful = new(store);
    private readonly bool[] _express = new bool[options.Queues.Count];
    private readonly ClaimLows _lows = new(options.Queues.Count);

    private ServerIdentity? _me;
    private RunServices? _services;
    private bool _inFlight;
    private bool _sideBusy;
    private bool _expressBusy;
    private bool _over;
    private double _tripMilliseconds = 5;
    private bool _hinted = true;
    private bool _more;
    private bool _draining;
    private bool _fenced;
    private long _firstEndAt;
    private long _lastBlockedAt;
    private long _lastLookAt;
    private long _lastFoundAt;
    private long _lastAttemptSeenAt;
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
            LookFully();
        }
        _signal.Set();
    }

    /// <summary>Something may be there to take; null: in any queue. What has a reserved slot free goes by the express loop, all else by the main one.</summary>
    public void Hint(string? queue)
    {
        var signal = _signal;
        lock (_gate)
        {
            if (queue is not null && !_slots.Serves(queue))
                return;
            if (queue is not null && _slots.OwnFree(_slots.RankOf(queue)) > 0)
            {
                _express[_slots.RankOf(queue)] = true;
                signal = _expressSignal;
            }
            else
            {
                _hinted = true;
            }
            if (queue is null)
                LookFully();
        }
        signal.Set();
    }

    public void Fence(bool fenced)
    {
        lock (_gate)
        {
            _fenced = fenced;
            LookFully();
        }
    }

    /// <summary>Takes no more from now on; what was taken and not begun goes back.</summary>
    public void Drain()
    {
        lock (_gate)
        {
            _draining = true;
            foreach (var ready in _ready.Remove(static _ => true))
                Unhold(ready, "the server stopped");
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
            foreach (var ready in _ready.Remove(static _ => true))
                _slots.LetGo(ready.Run.Rank);
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
            if (!_running.TryGetValue(wish.Id, out run) && _ready.Remove(one => one.Run.JobId == wish.Id && one.Run.Job.Lease == wish.Lease) is [var ready])
            {
                _slots.LetGo(ready.Run.Rank);
                Put(RunCare.Cancelled(ready.Run, wish.Reason ?? "no reason given"));
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

    public Guid[] Holds()
    {
        lock (_gate)
            return [.. _running.Keys, .. _ready.Ids];
    }

    /// <summary>Once a second: timeouts, handlers that do not return, progress not yet stored, jobs held too long without a slot.</summary>
    public async Task TickAsync(CancellationToken ct)
    {
        await RunCare.WatchAsync(Runs(), options, logger, ct);
        ServerIdentity? me;
        lock (_gate)
        {
            me = _me;
            foreach (var ready in _ready.Remove(one => Stopwatch.GetElapsedTime(one.HeldAt) > TimeSpan.FromSeconds(1)))
                Unhold(ready, "no slot became free here within a second");
        }
        if (await _doubtful.ReturnAsync(me, ct))
        {
            lock (_gate)
                LookFully();
        }
    }

    /// <summary>Runs until the server drains, nothing runs and every result is stored.</summary>
    public Task LoopAsync(CancellationToken abandon) => Task.WhenAll(MainLoopAsync(abandon), SideLoopAsync(abandon), ExpressLoopAsync(abandon));

    public void Dispose()
    {
        _signal.Dispose();
        _sideSignal.Dispose();
        _expressSignal.Dispose();
    }

    private async Task MainLoopAsync(CancellationToken abandon)
    {
        var failures = 0;
        try
        {
            while (!abandon.IsCancellationRequested)
            {
                var (work, pause) = Plan();
                if (work is not null)
                    failures = await TripAsync(work, failures, abandon);
                else if (pause is { } time)
                    await _signal.WaitAsync(time);
                else
                    return;
            }
        }
        finally
        {
            lock (_gate)
                _over = true;
            _sideSignal.Set();
            _expressSignal.Set();
        }
    }

    /// <summary>While a round trip of the main loop is under way, on a second connection: writes the results that fill a statement.</summary>
    private Task SideLoopAsync(CancellationToken abandon) => BesideAsync(_sideSignal, PlanWrite, busy => _sideBusy = busy, abandon);

    /// <summary>
    /// On a third connection, while the others are at work: takes urgent jobs for slots that are reserved for them, so that they wait neither for a large claim of
    /// bulk work nor for its results.
    /// </summary>
    private Task ExpressLoopAsync(CancellationToken abandon) => BesideAsync(_expressSignal, PlanExpress, busy => _expressBusy = busy, abandon);

    private async Task BesideAsync(Signal signal, Func<TripWork?> plan, Action<bool> note, CancellationToken abandon)
    {
        var failures = 0;
        while (!abandon.IsCancellationRequested)
        {
            TripWork? work;
            lock (_gate)
            {
                if (_over)
                    return;
                work = plan();
                note(work is not null);
            }
            if (work is null)
            {
                await signal.WaitAsync(TimeSpan.FromSeconds(1));
                continue;
            }
            failures = await TripAsync(work, failures, abandon);
            lock (_gate)
                note(false);
            _signal.Set();
        }
    }

    /// <returns>How many round trips in a row have failed.</returns>
    private async Task<int> TripAsync(TripWork work, int failures, CancellationToken abandon)
    {
        try
        {
            var trip = await store.RunBatchAsync(work.Me, work.Finishes, work.PutBacks, work.Ask, abandon);
            Accept(work, trip);
            return 0;
        }
        catch (PostgresException e) when (work.Ends.Count > 0 && (RunCare.IsAboutData(e) || RunCare.IsAboutLocks(e)))
        {
            TakeBack(work with { Ends = [] });
            if (work.Ends.Count == 1 && RunCare.IsAboutLocks(e))
                Block(work.Ends[0]);
            else
                await WriteOneByOneAsync(work, abandon);
            return 0;
        }
        catch (Exception e)
        {
            TakeBack(work);
            if (abandon.IsCancellationRequested)
                return 0;
            var wait = TimeSpan.FromMilliseconds(Math.Min(5000, 100 * Math.Pow(2, Math.Min(failures, 10))) * (0.75 + Random.Shared.NextDouble() / 2));
            JobLog.RoundTripFailed(logger, e, work.Ends.Count, wait.TotalSeconds);
            await Task.Delay(wait, CancellationToken.None);
            return failures + 1;
        }
    }

    /// <summary>What to do now, or how long to wait; neither when all is over.</summary>
    private (TripWork? Work, TimeSpan? Pause) Plan()
    {
        lock (_gate)
        {
            var ahead = Ahead();
            var room = _draining || _fenced || _me is null ? null : _slots.Room(ahead, MostTake);
            var poll = Stopwatch.GetElapsedTime(_lastFoundAt) < HotFor ? HotPoll : TimeSpan.FromMilliseconds(options.PollMilliseconds);
            var untilPoll = room is null ? TimeSpan.FromSeconds(1) : poll - Stopwatch.GetElapsedTime(_lastLookAt);
            var untilFlush = _ends.Count == 0 ? TimeSpan.MaxValue : Linger - Stopwatch.GetElapsedTime(_firstEndAt);

            var look = room is not null && (_hinted || untilPoll <= TimeSpan.Zero || (_more && _ready.Count <= ahead / 2));
            var flush = _ends.Count > 0
                && (_ends.Count >= FullWrite || untilFlush <= TimeSpan.Zero || _draining || (_slots.Started == 0 && _ready.Count == 0));
            if (!look && !flush)
            {
                if (_draining && _running.Count == 0 && _ends.Count == 0 && _blocked.Count == 0 && _ready.Count == 0 && !_sideBusy && !_expressBusy)
                    return (null, null);
                var wait = untilPoll < untilFlush ? untilPoll : untilFlush;
                return (null, wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait);
            }

            _inFlight = true;
            // A full statement of results goes its own way beside the claim.
            var aside = look && !_sideBusy && _ends.Count >= FullWrite;
            if (aside)
                _sideSignal.Set();
            var ends = aside ? [] : TakeEnds();
            var me = ends.Count > 0 ? ends[0].Run.Server : _me;
            return (new TripWork(_me ?? me ?? throw new InvalidOperationException("No server is registered."), ends, room is null ? null : Ask(room.Value), Aside: false), null);
        }
    }

    private TripWork? PlanWrite()
    {
        if (_ends.Count < FullWrite)
            return PlanBlocked();
        var ends = TakeEnds();
        return new TripWork(_me ?? ends[0].Run.Server, ends, Ask: null, Aside: true);
    }

    /// <summary>A result whose row somebody held locked, usually a handler that does not return: tried again by itself now and then, so that nobody waits with it.</summary>
    private TripWork? PlanBlocked()
    {
        if (_blocked.Count == 0 || Stopwatch.GetElapsedTime(_lastBlockedAt) < BlockedPause)
            return null;
        var end = _blocked.Dequeue();
        return new TripWork(end.Run.Server, [end], Ask: null, Aside: true);
    }

    private TripWork? PlanExpress()
    {
        if (!_express.Contains(true))
            return null;
        var ranks = Enumerable.Range(0, _express.Length).Where(rank => _express[rank] && _slots.OwnFree(rank) > 0).ToList();
        // Whose slot was filled meanwhile is found by the main loop.
        _hinted |= ranks.Count < _express.Count(static wanted => wanted);
        Array.Clear(_express);
        return ranks.Count > 0 && !_draining && !_fenced && _me is { } me ? new TripWork(me, [], ExpressAsk(ranks), Aside: true) : null;
    }

    private List<RunEnd> TakeEnds()
    {
        var ends = RunEnd.Next(_ends, LargestWrite);
        _firstEndAt = Stopwatch.GetTimestamp();
        return ends;
    }

    /// <summary>For the queues' own free slots alone. Should the main loop take for the same slots, one job waits a moment for the next.</summary>
    private ClaimAsk ExpressAsk(List<int> ranks)
    {
        var free = ranks.Select(_slots.OwnFree).ToArray();
        return new ClaimAsk(Guid.CreateVersion7(), [.. ranks.Select(rank => _slots.Queues[rank])], free, free, [.. ranks.Select(rank => _lows[rank])], Shared: 0);
    }

    private ClaimAsk Ask((int[] Takes, int[] Owns, int Shared) room)
    {
        _hinted = false;
        _lastLookAt = Stopwatch.GetTimestamp();
        var (lows, full) = _lows.Next();
        return new ClaimAsk(Guid.CreateVersion7(), _slots.Queues, room.Takes, room.Owns, lows, room.Shared, full) { Order = _turns?.Order() };
    }

    /// <summary>Something may have come before where the claims begin now.</summary>
    private void LookFully()
    {
        _hinted = true;
        _lows.LookFully();
    }

    /// <summary>
    /// How many jobs to hold beyond the slots: as many as end during three round trips while jobs are short, none while they take long, so that another
    /// server's free slot finds the work. An urgent job does not stand behind held ones: they are begun in the order of the claim.
    /// </summary>
    private int Ahead() => _runMilliseconds > 20 || (_lastAttemptSeenAt != 0 && Stopwatch.GetElapsedTime(_lastAttemptSeenAt) < LastAttemptsFor)
        ? 0
        : (int)Math.Clamp(_endsPerMillisecond * Math.Max(10, 3 * _tripMilliseconds), _runMilliseconds < 2 ? LeastAhead : 0, MostAhead);

    private void Accept(TripWork work, RoundTrip trip)
    {
        List<JobRun> begin;
        lock (_gate)
        {
            LastAnswerAt = time.GetUtcNow();
            _tripMilliseconds += (work.Age.TotalMilliseconds - _tripMilliseconds) * 0.1;
            if (work.Ask is { } ask)
                Take(work, ask, trip.Claimed);
            Landed(work);
            begin = BeginReady();
            // What begins at once is no more at risk than any run; what would be held goes back.
            foreach (var ready in _ready.Remove(static one => one.Run.Job.Attempt >= one.Run.Job.MaxAttempts))
                Unhold(ready, "no slot was free here, and a last attempt is not held");
            // Back at its old place, before where the claims begin now.
            if (work.Ends.Any(end => end.PutBack is { WaitSeconds: null }))
                LookFully();
        }
        begin.ForEach(Launch);
        if (work.Ends.Count > 0)
            metrics.Written(work.Ends.Count);
        foreach (var end in work.Ends)
            Tell(end, !trip.Refused.Contains(end.Run.JobId));
    }

    /// <summary>The main loop's round trip is over; one that the side loop made says nothing about the main one.</summary>
    private void Landed(TripWork work)
    {
        if (!work.Aside)
            _inFlight = false;
    }

    private void Tell(RunEnd end, bool accepted) => RunCare.Tell(end, accepted, logger, metrics, releaser);

    private void Take(TripWork work, ClaimAsk ask, List<ClaimedJob> claimed)
    {
        var me = work.Me;
        var counts = new int[_slots.Queues.Length];
        var newest = new DateTime[_slots.Queues.Length];
        var shared = 0;
        foreach (var job in claimed)
        {
            var rank = _slots.RankOf(job.Queue);
            if (++counts[rank] > (work.Aside ? counts[rank] : ask.Owns[rank]))
                shared++;
            if (job.DueAt > newest[rank])
                newest[rank] = job.DueAt;
            metrics.Claimed(job);
            if (job.Attempt >= job.MaxAttempts)
                _lastAttemptSeenAt = Stopwatch.GetTimestamp();
            var run = new JobRun(job, KindOf(job), me, store, rank);
            if (job.Cancelled || job.Expired)
                Put(RunCare.Cancelled(run, job.Cancelled ? null : "expired"));
            else if (_draining || _me?.Id != me.Id)
                Put(run.Return("the server stopped"));
            else
                Hold(run);
        }
        _turns?.Took(counts);
        _lows.Learn(ask, counts, newest, shared, work.Age, alone: work.Ends.Count == 0, work.Aside);
        // A limit was reached somewhere: there may be more behind it. The side loop's claim of one queue says nothing about that.
        if (work.Aside)
            _hinted |= claimed.Count == ask.Takes.Sum();
        else
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
        while (_ready.Next(_slots) is { } ready)
        {
            _slots.Start(ready.Run.Rank);
            _running[ready.Run.JobId] = ready.Run;
            begin.Add(ready.Run);
        }
        return begin;
    }

    private void Launch(JobRun run) => run.Begin(_services ??= new RunServices(scopes, logger, metrics, options.StuckSeconds, Ended));

    /// <summary>Called once for each run that was begun, from whichever thread decided its end.</summary>
    private void Ended(JobRun run, RunEnd end)
    {
        List<JobRun> begin;
        bool wake, wakeSide;
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
            wakeSide = _inFlight && !_sideBusy && _ends.Count >= FullWrite;
            wake = !_inFlight && (_ends.Count is 1 or FullWrite || _draining || _slots.Started == 0 || (_more && _ready.Count <= Ahead() / 2));
        }
        if (wake)
            _signal.Set();
        if (wakeSide)
            _sideSignal.Set();
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
    private void TakeBack(TripWork work)
    {
        lock (_gate)
        {
            Landed(work);
            foreach (var end in work.Ends)
                Put(end);
            if (work.Ask is not null)
                _doubtful.Add(work.Ask.Lease);
            LookFully();
        }
    }

    private void Block(RunEnd end)
    {
        lock (_gate)
        {
            _blocked.Enqueue(end);
            _lastBlockedAt = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>One result cannot be stored as it is: find it, replace it by the error, and leave its neighbours alone.</summary>
    private async Task WriteOneByOneAsync(TripWork work, CancellationToken abandon)
    {
        for (var at = 0; at < work.Ends.Count; at++)
        {
            var end = work.Ends[at];
            var single = work with { Ends = [end], Ask = null };
            try
            {
                var trip = await store.RunBatchAsync(single.Me, single.Finishes, single.PutBacks, ask: null, abandon);
                Tell(end, trip.Refused.Count == 0);
            }
            catch (PostgresException e) when (e.ConstraintName == JobSchema.UntilStarted)
            {
                // Another job took the key that this one was to have back, at that very moment. The next try sees it.
                lock (_gate)
                    Put(end);
            }
            catch (PostgresException e) when (RunCare.IsAboutData(e))
            {
                JobLog.Unstorable(logger, e, end.Run.Kind, e.SqlState);
                lock (_gate)
                    Put(RunCare.Unstorable(end.Run, e.SqlState));
            }
            catch (PostgresException e) when (RunCare.IsAboutLocks(e))
            {
                Block(end);
            }
            catch (Exception e)
            {
                JobLog.RoundTripFailed(logger, e, work.Ends.Count - at, waitSeconds: 0);
                lock (_gate)
                {
                    foreach (var rest in work.Ends.Skip(at))
                        Put(rest);
                }
                return;
            }
        }
    }
}
