using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Camino.Jobs.Testing;

/// <summary>
/// Runs jobs in the process of a test, one after another and without a server: the same claim, run and finish as in production, on a real database, and nothing
/// that happens by itself. What waits for a limit or for another job is let go between two jobs.
/// </summary>
/// <param name="source">The database with the engine's schema.</param>
/// <param name="services">Where handlers come from, and the kinds.</param>
/// <param name="client">As the application has it; null for the defaults.</param>
public sealed class JobTestDesk(NpgsqlDataSource source, IServiceProvider services, JobClientOptions? client = null) : IAsyncDisposable
{
    private const int LimitLeaseSeconds = 60;

    private readonly JobStore _store = new(source, client ?? new JobClientOptions());
    private readonly JobRegistry _registry = services.GetRequiredService<JobRegistry>();
    private readonly JobMetrics _metrics = new(factory: null);
    private ServerIdentity? _me;

    /// <summary>Runs one attempt of one job, whatever its due time and whatever it waits for.</summary>
    /// <returns>The job as it stands after that attempt.</returns>
    /// <exception cref="InvalidOperationException">there is no such job, it runs or is over, or its kind has no handler here.</exception>
    public async Task<JobDetail> RunOneAsync(Guid id, CancellationToken ct = default)
    {
        var me = await BeginAsync(ct);
        var job = await _store.ClaimOneAsync(me, id, ct)
            ?? throw new InvalidOperationException($"Job {id} cannot be run: it is {(await _store.GetAsync(id, ct))?.State.ToString() ?? "not there"}.");
        var kind = _registry.Find(job.Kind) ?? throw new InvalidOperationException($"No handler is registered for '{job.Kind}'.");

        using var run = new JobRun(job, kind, me, _store, rank: 0);
        await using var stop = ct.Register(() => run.Stop(StopReason.ServerStopping));
        var end = await EndAsync(run);
        await _store.RunBatchAsync(me, end.Finish is { } finish ? [finish] : [], end.PutBack is { } back ? [back] : [], ask: null, CancellationToken.None);
        await LetGoAsync(id, ct);
        return await _store.GetAsync(id, ct) ?? throw new InvalidOperationException($"Job {id} is not there any more.");
    }

    /// <summary>Runs what is due, also what handlers ask for meanwhile, until nothing is: by queue as listed, then by due time.</summary>
    /// <param name="queues">Only these, the first one first; none: all, by due time alone.</param>
    /// <returns>Attempts made.</returns>
    /// <exception cref="InvalidOperationException">more than 10,000 attempts: something asks for itself for ever.</exception>
    public async Task<int> DrainAsync(params string[] queues)
    {
        var me = await BeginAsync(CancellationToken.None);
        await LetGoAsync(id: null, CancellationToken.None);
        for (var attempts = 0; ; attempts++)
        {
            if (await _store.NextDueAsync(me, queues, CancellationToken.None) is not { } next)
                return attempts;
            if (attempts == 10_000)
                throw new InvalidOperationException("10,000 attempts were made and jobs are still due; does a handler ask for itself for ever?");
            await RunOneAsync(next);
        }
    }

    /// <summary>
    /// Lets time pass for all jobs at once: what was due in an hour is due now. The database's clock decides about due times, so it is the world that is moved,
    /// not the clock; the same call gives the same result on every machine.
    /// </summary>
    /// <param name="time">Above zero.</param>
    public async Task AdvanceAsync(TimeSpan time, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        await _store.AdvanceAsync(time, ct);
        await LetGoAsync(id: null, ct);
    }

    /// <summary>The jobs of a kind that wait or run, oldest first.</summary>
    public async Task<IReadOnlyList<EnqueuedJob<TArgs>>> EnqueuedAsync<TArgs>(CancellationToken ct = default)
        where TArgs : IJobArgs
    {
        var jobs = new List<EnqueuedJob<TArgs>>();
        foreach (var id in await _store.LiveOfKindAsync(TArgs.Kind, ct))
        {
            if (await _store.GetAsync(id, ct) is { } job)
                jobs.Add(new EnqueuedJob<TArgs>(JsonSerializer.Deserialize<TArgs>(job.Args, JobJson.Options) ?? throw new InvalidOperationException($"Job {id} has no arguments."), job));
        }
        return jobs;
    }

    /// <summary>The one job of a kind that was enqueued and meets a condition; an assertion in every test framework.</summary>
    /// <exception cref="InvalidOperationException">there is none, or more than one; the message lists what there is.</exception>
    public async Task<EnqueuedJob<TArgs>> SingleAsync<TArgs>(Func<TArgs, bool>? where = null, CancellationToken ct = default)
        where TArgs : IJobArgs
    {
        var all = await EnqueuedAsync<TArgs>(ct);
        var found = all.Where(job => where is null || where(job.Args)).ToList();
        return found.Count == 1
            ? found[0]
            : throw new InvalidOperationException($"One job of '{TArgs.Kind}' was expected, {found.Count} meet the condition; enqueued are: {(all.Count == 0 ? "none" : string.Join("; ", all.Select(job => job.Args)))}.");
    }

    /// <summary>Says that no job of a kind was enqueued.</summary>
    /// <exception cref="InvalidOperationException">there is one; the message lists them.</exception>
    public async Task NoneAsync<TArgs>(CancellationToken ct = default)
        where TArgs : IJobArgs
    {
        var all = await EnqueuedAsync<TArgs>(ct);
        if (all.Count > 0)
            throw new InvalidOperationException($"No job of '{TArgs.Kind}' was expected; enqueued are: {string.Join("; ", all.Select(job => job.Args))}.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_me is { } me)
            await _store.StopServerAsync(me.Id, CancellationToken.None);
        _metrics.Dispose();
    }

    private Task<RunEnd> EndAsync(JobRun run)
    {
        var ended = new TaskCompletionSource<RunEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        run.Begin(new RunServices(services.GetRequiredService<IServiceScopeFactory>(), NullLogger.Instance, _metrics, StuckSeconds: 30, (_, end) => ended.TrySetResult(end)));
        return ended.Task;
    }

    private async Task<ServerIdentity> BeginAsync(CancellationToken ct)
    {
        if (_me is { } there)
            return there;
        var options = new JobServerOptions { ServerName = "test", Queues = [new JobQueueOptions { Name = JobQueues.Default }] };
        _me = ServerIdentity.Make(options, _registry);
        await _store.RegisterAsync(_me, ct);
        return _me;
    }

    private async Task LetGoAsync(Guid? id, CancellationToken ct)
    {
        if (id is { } ended)
            await _store.ResolveAsync([ended], ct);
        IReadOnlyList<Guid> unseen;
        while ((unseen = await _store.CheckEdgesAsync(ct)).Count > 0)
            await _store.ResolveAsync(unseen, ct);
        while (await _store.RunLimitsAsync(LimitLeaseSeconds, ct) is > 0)
        {
        }
    }
}

/// <summary>A job as it was enqueued.</summary>
/// <param name="Args">Its arguments.</param>
/// <param name="Job">Everything else.</param>
public sealed record EnqueuedJob<TArgs>(TArgs Args, JobDetail Job)
    where TArgs : IJobArgs;
