using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>What health checks and pages of this process may know of its job server.</summary>
public interface IJobServerState
{
    /// <summary>Registered, alive by its own heartbeat, and taking work.</summary>
    bool Running { get; }

    /// <summary>Takes no more; running jobs finish.</summary>
    bool Draining { get; }

    /// <summary>This release is outside the fence and takes nothing.</summary>
    bool Fenced { get; }

    /// <summary>Somebody told this server to be quiet or to drain; it takes nothing.</summary>
    bool Quiet { get; }

    /// <summary>The listener hears; without it work is found by polling.</summary>
    bool Listening { get; }

    /// <summary>Jobs that run now.</summary>
    int RunningJobs { get; }

    /// <summary>When the database last answered the claiming loop, by the process's clock; null before the first time.</summary>
    DateTimeOffset? LastClaimAt { get; }

    /// <summary>Since the database last answered the heartbeat.</summary>
    TimeSpan SinceHeartbeat { get; }

    /// <summary>The id of this start in the table of servers; null while it is not registered.</summary>
    Guid? ServerId { get; }
}

/// <summary>One server of the Async role: takes jobs, runs them, and gives back what it cannot finish.</summary>
internal sealed class JobServer : IHostedLifecycleService, IJobServerState, IHeartbeatListener, IDisposable
{
    private static readonly TimeSpan UnwindTime = TimeSpan.FromSeconds(5);

    private readonly JobServerOptions _options;
    private readonly JobRegistry _registry;
    private readonly ILogger<JobServer> _logger;
    private readonly JobMetrics _metrics;
    private readonly IJobCarrier _carrier;
    private readonly Heartbeat _heartbeat;
    private readonly WakeListener? _listener;
    private readonly Releaser _releaser;
    private readonly Scheduler _scheduler;
    private readonly JobSchedules _schedules;
    private readonly Upkeep _upkeep;
    private readonly JobStore _store;
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _onStopping;
    private readonly CancellationTokenSource _stopLoops = new();
    private readonly CancellationTokenSource _abandon = new();
    private Task _claiming = Task.CompletedTask;
    private Task _others = Task.CompletedTask;
    private bool _started;
    private int _disposed;
    private int _returned;
    private volatile bool _draining;
    private volatile bool _fenced;
    private volatile string? _wish;
    private long _wishedAt;

    public JobServer(
        JobConnections connections, JobClientOptions client, JobServerOptions options, JobRegistry registry, JobSchedules schedules, IServiceScopeFactory scopes,
        JobMetrics metrics, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<JobServer> logger, IJobCarrierFactory? carriers = null)
    {
        _options = options;
        _registry = registry;
        _logger = logger;
        _metrics = metrics;
        _time = time;
        _store = new JobStore(connections.Engine, client) { KeepsStatements = connections.KeepsStatements };
        _releaser = new Releaser(_store, options, logger);
        _carrier = carriers?.Make(new CarrierParts(_store, options, registry, scopes, metrics, time, _releaser, logger)) ?? new Claimer(_store, options, registry, scopes, metrics, time, _releaser, logger);
        _heartbeat = new Heartbeat(connections.Engine, _store.Sql, options, registry, this, logger);
        _listener = options.Listen ? new WakeListener(connections.Listener, _store.Channel, _carrier.Hint, _heartbeat.Nudge, _releaser, logger) : null;
        _schedules = schedules;
        _scheduler = new Scheduler(_store, new JobWriter(client), schedules, () => _draining || _fenced || Quiet ? null : _heartbeat.Me, logger);
        _upkeep = new Upkeep(_store, options, metrics, () => _draining ? null : _heartbeat.Me, logger);
        // The host tells everybody before it stops anybody: from here on nothing new is taken.
        _onStopping = lifetime.ApplicationStopping.Register(BeginDrain);
    }

    public bool Running => _started && !_draining && !_fenced && !Quiet && _heartbeat.Me is not null && SinceHeartbeat < TimeSpan.FromSeconds(_options.LeaseSeconds);

    public bool Draining => _draining;

    public bool Fenced => _fenced;

    public bool Quiet => _wish is not null;

    public bool Hears => _listener?.Up ?? true;

    public bool Listening => _listener?.Up ?? false;

    public int RunningJobs => _carrier.Running;

    int IHeartbeatListener.Running => _carrier.Running;

    Guid[] IHeartbeatListener.Holds() => _carrier.Holds();

    public DateTimeOffset? LastClaimAt => _carrier.LastAnswerAt;

    public TimeSpan SinceHeartbeat => _heartbeat.Silent;

    public Guid? ServerId => _heartbeat.Me?.Id;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _schedules.CheckFire(_time.GetUtcNow());
        _started = true;
        _heartbeat.Start();
        _claiming = Task.Run(() => _carrier.LoopAsync(_abandon.Token), CancellationToken.None);
        _others = Task.WhenAll(
            Task.Run(TickAsync, CancellationToken.None),
            Task.Run(() => _upkeep.LoopAsync(_stopLoops.Token), CancellationToken.None),
            Task.Run(() => _scheduler.LoopAsync(_stopLoops.Token), CancellationToken.None),
            Task.Run(() => _releaser.LoopAsync(_stopLoops.Token), CancellationToken.None),
            _listener is null ? Task.CompletedTask : Task.Run(() => _listener.LoopAsync(_stopLoops.Token), CancellationToken.None));
        JobLog.ServerStarted(
            _logger, _options.ServerName, _options.Release, string.Join(", ", _options.Queues.Select(queue => queue.Name)), _options.Slots, _registry.Kinds.Count);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Running jobs finish within the grace time. Then their tokens fire, and they have five seconds more to let go; what is left after that is returned to its
    /// old place without burning an attempt, whatever its handler still does: its lease is gone, and with it every effect.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_started)
            return;
        BeginDrain();
        if (!await EndedAsync(TimeSpan.FromSeconds(_options.GraceSeconds), cancellationToken))
        {
            var runs = _carrier.Runs();
            _returned = runs.Count;
            _carrier.StopRuns(StopReason.ServerStopping);
            if (!await EndedAsync(UnwindTime, CancellationToken.None))
            {
                _carrier.Runs().ForEach(run => run.GiveUpOn());
                await EndedAsync(UnwindTime, CancellationToken.None);
            }
        }
        await _abandon.CancelAsync();
        await _stopLoops.CancelAsync();
        _releaser.Wake();
        await _claiming;
        await _others;
        await SayGoodByeAsync();
        try
        {
            await _heartbeat.StopAsync().WaitAsync(UnwindTime, _time, CancellationToken.None);
        }
        catch (TimeoutException e)
        {
            // It hangs in a statement to a database that is away; the thread does not keep the process alive.
            JobLog.UpkeepFailed(_logger, e);
        }
        JobLog.ServerStopped(_logger, _options.ServerName, _returned);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        BeginDrain();
        return Task.CompletedTask;
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void OnRegistered(ServerIdentity me) => _carrier.Begin(me);

    public void OnLost(ServerIdentity me) => JobLog.Lost(_logger, me.Name, _carrier.Lose(me));

    public void OnFence(bool fenced)
    {
        if (fenced == _fenced)
            return;
        _fenced = fenced;
        _carrier.Fence(fenced || Quiet);
        if (fenced)
            JobLog.Fenced(_logger, _options.ServerName, _options.ReleaseNumber);
        else
            JobLog.Unfenced(_logger, _options.ServerName, _options.ReleaseNumber);
    }

    public void OnWish(string? wish)
    {
        if (wish != _wish)
        {
            _wish = wish;
            _wishedAt = Stopwatch.GetTimestamp();
            _carrier.Fence(_fenced || Quiet);
            if (wish is null)
                JobLog.Unquieted(_logger, _options.ServerName);
            else
                JobLog.Quieted(_logger, _options.ServerName, wish);
        }
        if (wish == "drain" && Stopwatch.GetElapsedTime(_wishedAt) > TimeSpan.FromSeconds(_options.GraceSeconds))
            _carrier.StopRuns(StopReason.ServerStopping);
    }

    public void OnCancel(CancelWish wish) => _carrier.Cancel(wish);

    public void OnRescued(IReadOnlyList<RescuedJob> jobs)
    {
        foreach (var job in jobs)
            _metrics.Rescued(job.Queue);
        _carrier.Hint(queue: null);
    }

    public void Dispose()
    {
        // Each service under which the container knows this server disposes it once.
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        // A host that is thrown away without being stopped takes its loops along.
        _abandon.Cancel();
        _stopLoops.Cancel();
        _ = _heartbeat.StopAsync();
        _onStopping.Dispose();
        _carrier.Dispose();
        _heartbeat.Dispose();
        _releaser.Wake();
        _stopLoops.Dispose();
        _abandon.Dispose();
    }

    private void BeginDrain()
    {
        if (_draining)
            return;
        _draining = true;
        JobLog.Draining(_logger, _options.ServerName, _carrier.Running, _options.GraceSeconds);
        _carrier.Drain();
    }

    /// <summary>True when all that ran has ended and is stored.</summary>
    private async Task<bool> EndedAsync(TimeSpan within, CancellationToken ct)
    {
        try
        {
            await _claiming.WaitAsync(within, _time, ct);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), _time);
        while (!_stopLoops.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(_stopLoops.Token);
                await _carrier.TickAsync(_stopLoops.Token);
            }
            catch (OperationCanceledException) when (_stopLoops.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                JobLog.UpkeepFailed(_logger, e);
            }
        }
    }

    private async Task SayGoodByeAsync()
    {
        if (_heartbeat.Me is not { } me)
            return;
        try
        {
            using var within = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await _upkeep.WriteFlowAsync(me, within.Token);
            await _upkeep.StepDownAsync(me.Id, within.Token);
            await _scheduler.StepDownAsync(within.Token);
            await _store.StopServerAsync(me.Id, within.Token);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // The lease ends by itself; others then take what is left.
            JobLog.UpkeepFailed(_logger, e);
        }
    }
}
