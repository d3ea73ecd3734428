using Hangfire;
using Hangfire.Server;
using Hangfire.States;
using Npgsql;

namespace Camino.Jobs.Hangfire;

/// <summary>
/// Hangfire's workers bring the jobs: each errand takes its job's row under the same rules as the engine's own claim, runs its handler and stores its end, fenced by the
/// lease. What cannot be taken now (paused, fenced, another version) goes back to Hangfire untouched.
/// </summary>
internal sealed class HangfireCarrier(CarrierParts parts, HangfireStorage storage) : IJobCarrier
{
    /// <summary>After so long an errand that could not be taken is brought again.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan NameEvery = TimeSpan.FromMinutes(1);
    private const string FailedBefore = "camino.failed";

    private readonly Lock _gate = new();
    private readonly Signal _signal = new();
    private readonly Dictionary<Guid, JobRun> _running = [];
    private readonly List<BackgroundJobServer> _servers = [];
    private readonly DoubtfulLeases _doubtful = new(parts.Store);
    private readonly CancellationTokenSource _abandon = new();
    private DateTimeOffset _namedAt;
    private ServerIdentity? _me;
    private bool _draining;
    private bool _fenced;

    public int Running
    {
        get
        {
            lock (_gate)
                return _running.Count;
        }
    }

    public DateTimeOffset? LastAnswerAt { get; private set; }

    public void Begin(ServerIdentity me)
    {
        lock (_gate)
            _me = me;
        _signal.Set();
    }

    /// <summary>Hangfire looks by itself.</summary>
    public void Hint(string? queue)
    {
    }

    public void Fence(bool fenced)
    {
        lock (_gate)
            _fenced = fenced;
        _signal.Set();
    }

    public void Drain()
    {
        lock (_gate)
            _draining = true;
        _signal.Set();
    }

    public int Lose(ServerIdentity lost)
    {
        List<JobRun> runs;
        lock (_gate)
        {
            _me = null;
            runs = _running.Values.Where(run => run.Server.Id == lost.Id).ToList();
        }

        runs.ForEach(run => run.Stop(StopReason.LeaseLost));
        return runs.Count;
    }

    public void Cancel(CancelWish wish)
    {
        JobRun? run;
        lock (_gate)
            _running.TryGetValue(wish.Id, out run);
        if (run?.Job.Lease == wish.Lease)
            run.Stop(StopReason.Cancelled, wish);
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
            return [.. _running.Keys];
    }

    public async Task TickAsync(CancellationToken ct)
    {
        await RunCare.WatchAsync(Runs(), parts.Options, parts.Logger, ct);
        if (LastAnswerAt is not { } at || parts.Time.GetUtcNow() - at > AskEvery)
        {
            await parts.Store.StandingAsync(Guid.Empty, ct);
            LastAnswerAt = parts.Time.GetUtcNow();
        }

        if (parts.Time.GetUtcNow() - _namedAt > NameEvery && _servers.Count > 0)
        {
            _namedAt = parts.Time.GetUtcNow();
            await storage.NameQueuesAsync(parts.Options, ct);
        }

        ServerIdentity? me;
        lock (_gate)
            me = _me;
        await _doubtful.ReturnAsync(me, ct);
    }

    public async Task LoopAsync(CancellationToken abandon)
    {
        await using var stop = abandon.Register(() =>
        {
            _abandon.Cancel();
            _signal.Set();
        });
        try
        {
            while (!abandon.IsCancellationRequested)
            {
                bool wanted, over;
                lock (_gate)
                {
                    wanted = !_draining && !_fenced && _me is not null;
                    over = _draining && _running.Count == 0 && _servers.Count == 0;
                }

                if (over)
                    return;
                if (wanted && _servers.Count == 0)
                    await OpenAsync(abandon);
                else if (!wanted && _servers.Count > 0)
                    await CloseAsync(abandon);
                else
                    await _signal.WaitAsync(TimeSpan.FromSeconds(1));
            }
        }
        finally
        {
            Send();
        }
    }

    public void Dispose()
    {
        Send();
        _signal.Dispose();
        _abandon.Dispose();
    }

    /// <summary>One errand, on a worker of Hangfire. Returns when the job's end is stored, or at once when there is nothing to run.</summary>
    internal async Task RunAsync(Guid id, string kind, PerformContext errand)
    {
        ServerIdentity? me;
        lock (_gate)
            me = _draining || _fenced ? null : _me;
        if (me is null || parts.Registry.Find(kind) is not { Run: not null } known)
        {
            errand.Items[CarriedStateAttribute.Key] = new ScheduledState(Later) { Reason = me is null ? "This server takes no jobs now" : $"This server knows no kind '{kind}'" };
            return;
        }

        if (await TakeAsync(me, id, errand) is not { } job)
            return;
        parts.Metrics.Claimed(job);
        using var run = new JobRun(job, known, me, parts.Store, rank: 0);
        var end = job.Cancelled || job.Expired ? RunCare.Cancelled(run, job.Cancelled ? null : "expired") : await HandleAsync(run);
        if (!await StoreAsync(me, end))
        {
            // the handler committed "done" together with its effect, or others have the job
            if (!run.Completed)
                errand.Items[CarriedStateAttribute.Key] = new DeletedState { Reason = "Its lease was lost; others have the job" };
            return;
        }

        switch (end)
        {
            case { Finish: { State: "failed" } failed }:
                errand.SetJobParameter(FailedBefore, true);
                throw new CarriedJobFailedException(failed.Error ?? "failed");
            case { Finish.State: "cancelled" }:
                errand.Items[CarriedStateAttribute.Key] = new DeletedState { Reason = "Cancelled" };
                break;
            case { PutBack: { } back }:
                errand.Items[CarriedStateAttribute.Key] = new DeletedState { Reason = back.Burn ? $"Attempt {job.Attempt} of {job.MaxAttempts} failed; the next has an entry of its own" : "Given back; it has a new entry" };
                break;
        }
    }

    private async Task<ClaimedJob?> TakeAsync(ServerIdentity me, Guid id, PerformContext errand)
    {
        var lease = Guid.CreateVersion7();
        ClaimedJob? job;
        string? standing = null;
        try
        {
            job = await parts.Store.ClaimErrandAsync(me, id, lease, _abandon.Token);
            if (job is null)
                standing = await parts.Store.StandingAsync(id, _abandon.Token);
        }
        catch (Exception e)
        {
            // the claim may have reached the table without its answer reaching us; where it did not, this errand is the only one: it must not end as failed
            _doubtful.Add(lease);
            JobLog.RoundTripFailed(parts.Logger, e, 1, Later.TotalSeconds);
            errand.Items[CarriedStateAttribute.Key] = new ScheduledState(Later) { Reason = "The database did not answer" };
            return null;
        }

        LastAnswerAt = parts.Time.GetUtcNow();
        if (job is not null)
            return job;
        if (standing == "failed" && errand.GetJobParameter<bool>(FailedBefore))
        {
            // somebody pressed "requeue" on the dashboard
            await parts.Store.RetryAsync(id, "hangfire dashboard", _abandon.Token);
            errand.Items[CarriedStateAttribute.Key] = new DeletedState { Reason = "Tried again; it has a new entry" };
            return null;
        }

        errand.Items[CarriedStateAttribute.Key] = standing is "waits" or "later"
            ? new ScheduledState(Later) { Reason = standing is "later" ? "Not due yet by the database's clock" : "Paused, fenced, or for a newer release" }
            : new DeletedState { Reason = standing is null ? "There is no such job any more" : standing is "held" or "runs" ? "Another entry has it" : $"It is {standing} already" };
        return null;
    }

    private async Task<RunEnd> HandleAsync(JobRun run)
    {
        var ended = new TaskCompletionSource<RunEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _running[run.JobId] = run;
        try
        {
            bool lost;
            lock (_gate)
                lost = _me?.Id != run.Server.Id;
            if (lost)
                run.Stop(StopReason.LeaseLost); // between the claim and this line the server was given up
            run.Begin(new RunServices(parts.Scopes, parts.Logger, parts.Metrics, parts.Options.StuckSeconds, (_, end) => ended.TrySetResult(end)));
            return await ended.Task;
        }
        finally
        {
            lock (_gate)
            {
                if (_running.TryGetValue(run.JobId, out var current) && ReferenceEquals(current, run))
                    _running.Remove(run.JobId);
            }

            _signal.Set();
        }
    }

    /// <summary>Until the database has answered, or the server is abandoned and others take what it had.</summary>
    /// <returns>False when the row was not this run's any more.</returns>
    private async Task<bool> StoreAsync(ServerIdentity me, RunEnd end)
    {
        for (var failures = 0; ; failures++)
        {
            try
            {
                var trip = await parts.Store.RunBatchAsync(me, end.Finish is { } finish ? [finish] : [], end.PutBack is { } back ? [back] : [], ask: null, _abandon.Token);
                RunCare.Tell(end, trip.Refused.Count == 0, parts.Logger, parts.Metrics, parts.Releaser);
                return trip.Refused.Count == 0;
            }
            catch (PostgresException e) when (RunCare.IsAboutData(e) && e.ConstraintName != JobSchema.UntilStarted && failures == 0)
            {
                JobLog.Unstorable(parts.Logger, e, end.Run.Kind, e.SqlState);
                end = RunCare.Unstorable(end.Run, e.SqlState);
            }
            catch (Exception e) when (!_abandon.IsCancellationRequested)
            {
                var wait = TimeSpan.FromMilliseconds(Math.Min(5000, 100 * Math.Pow(2, Math.Min(failures, 10))));
                JobLog.RoundTripFailed(parts.Logger, e, 1, wait.TotalSeconds);
                await Task.Delay(wait, _abandon.Token);
            }
        }
    }

    private async Task OpenAsync(CancellationToken ct)
    {
        try
        {
            await storage.NameQueuesAsync(parts.Options, ct);
            foreach (var options in HangfireStorage.Workers(parts.Options))
            {
                options.Activator = new Activating(this);
                _servers.Add(new BackgroundJobServer(options, storage.Storage));
            }
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            JobLog.RoundTripFailed(parts.Logger, e, 0, 1);
            await Task.Delay(TimeSpan.FromSeconds(1), ct);
        }
    }

    private void Send() => _servers.ForEach(server => server.SendStop());

    private async Task CloseAsync(CancellationToken abandon)
    {
        Send();
        foreach (var server in _servers)
        {
            try
            {
                await server.WaitForShutdownAsync(abandon);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            server.Dispose();
        }

        _servers.Clear();
    }

    private sealed class Activating(HangfireCarrier carrier) : JobActivator
    {
        public override object ActivateJob(Type jobType) => new CarriedCall(carrier);
    }
}
