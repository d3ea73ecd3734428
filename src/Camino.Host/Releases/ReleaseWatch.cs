using Camino.Data;
using Camino.Host.Configuration;
using Camino.Jobs;
using Camino.Releases;
using Npgsql;

namespace Camino.Host.Releases;

/// <summary>What this process knows about its own release; asked on every request, so it is kept in memory and at most a second old.</summary>
internal sealed class ReleaseStanding
{
    private volatile FenceView _view = new(ReleaseState.Current, Lowest: null, Highest: null);

    /// <summary>What the fence said last; current until the first answer, for every save asks again by itself.</summary>
    public FenceView View => _view;

    public bool IsRetired => _view.State == ReleaseState.Retired;

    public void Set(FenceView view) => _view = view;

    /// <summary>One sentence for health and log; null while nothing is in the way.</summary>
    public string? Reason => _view.State switch
    {
        ReleaseState.Retired when _view.Lowest is { } current && current != Release.Number => FormattableString.Invariant($"Release {Release.Number} is retired; release {current} has taken over."),
        ReleaseState.Retired => FormattableString.Invariant($"Release {Release.Number} is retired."),
        _ => null,
    };
}

/// <summary>
/// Registers this start, gives signs of life, and carries out what the fence says: a retired server of queues takes nothing (the claim itself sees to that), says so, and
/// ends itself after its drain time when nobody stopped it; a retired Back Office fails its readiness and refuses writes.
/// </summary>
internal sealed partial class ReleaseWatch(ProcessRegistry registry, ThisProcess me, ReleaseStanding standing, HostSettings settings, IHostApplicationLifetime lifetime, TimeProvider clock, IServiceProvider services, ILogger<ReleaseWatch> log)
    : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private long? _retiredAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // nothing here may hold up the start
        await Task.Yield();
        var server = services.GetService<IJobServerState>();
        var registered = false;
        // it ends last: what drains still gives its signs of life, and says at once that it drains
        using var drains = new SemaphoreSlim(0, 1);
        await using var told = lifetime.ApplicationStopping.Register(() => drains.Release());
        do
        {
            try
            {
                if (!registered)
                {
                    await registry.RegisterAsync(stoppingToken);
                    registered = true;
                }

                Act(await registry.BeatAsync(Word, server?.RunningJobs ?? 0, stoppingToken));
            }
            catch (Exception silent) when (silent is NpgsqlException or TimeoutException)
            {
                // Readiness says that the database is away; the fence is asked again in a second, and every save asks for itself.
                LogSilent(silent.GetType().Name);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
        }
        while (await NextAsync(drains, stoppingToken));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await registry.EndAsync(limit.Token);
        }
        catch (Exception silent) when (silent is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            LogSilent(silent.GetType().Name);
        }
    }

    private string Word => lifetime.ApplicationStopping.IsCancellationRequested ? "draining" : standing.View.State switch
    {
        ReleaseState.Retired => "retired",
        ReleaseState.Waiting when me.TakesWork => "waiting",
        _ => "serving",
    };

    private void Act(FenceView view)
    {
        var before = standing.View.State;
        standing.Set(view);
        if (view.State == ReleaseState.Retired)
        {
            if (before != ReleaseState.Retired || _retiredAt is null)
            {
                _retiredAt ??= clock.GetTimestamp();
                LogRetired(me.Release.Number, view.Lowest ?? 0);
            }

            if (me.TakesWork && clock.GetElapsedTime(_retiredAt.Value) > TimeSpan.FromSeconds(settings.Jobs.RetireSeconds))
            {
                LogEnding(me.Release.Number, settings.Jobs.RetireSeconds);
                lifetime.StopApplication();
            }

            return;
        }

        _retiredAt = null;
        if (before == ReleaseState.Retired)
            LogBack(me.Release.Number);
        if (view.State == ReleaseState.Waiting && before != ReleaseState.Waiting && me.TakesWork)
            LogWaiting(me.Release.Number, view.Highest ?? 0);
    }

    /// <summary>Waits for a second, or until the process is told to stop; false when it is over.</summary>
    private async Task<bool> NextAsync(SemaphoreSlim drains, CancellationToken ct)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(drains.WaitAsync(either.Token), Task.Delay(s_interval, clock, either.Token));
            await either.CancelAsync();
            return !ct.IsCancellationRequested;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(130, LogLevel.Warning, "Release {Number} is retired, release {Current} has taken over: this process stores nothing and takes nothing any more")]
    private partial void LogRetired(long number, long current);

    [LoggerMessage(131, LogLevel.Warning, "Release {Number} has been retired for {Seconds} s and nobody stopped this process; it ends itself")]
    private partial void LogEnding(long number, int seconds);

    [LoggerMessage(132, LogLevel.Information, "Release {Number} is current again")]
    private partial void LogBack(long number);

    [LoggerMessage(133, LogLevel.Information, "Release {Number} is newer than release {Highest}, the newest one admitted: this process takes no work until it is admitted or promoted")]
    private partial void LogWaiting(long number, long highest);

    [LoggerMessage(134, LogLevel.Warning, "The fence could not be asked ({Reason}); it is asked again in a second")]
    private partial void LogSilent(string reason);
}
