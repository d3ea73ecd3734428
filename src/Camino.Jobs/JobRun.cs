using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>Why a run was told to stop; the first reason stands.</summary>
internal enum StopReason
{
    None,
    Cancelled,
    TimedOut,
    LeaseLost,
    ServerStopping,
}

/// <summary>How a run ended: exactly one of the two rows, and what to log once it is stored.</summary>
internal sealed record RunEnd(JobRun Run, FinishRow? Finish, PutBackRow? PutBack, Action<ILogger, JobMetrics> Tell)
{
    /// <summary>Those that one statement can write: it finds each by its job, so a job that was lost and taken again by this process comes with the next.</summary>
    public static List<RunEnd> Next(Queue<RunEnd> waiting, int most)
    {
        var ends = new List<RunEnd>(Math.Min(waiting.Count, most));
        var jobs = new HashSet<Guid>(ends.Capacity);
        while (ends.Count < most && waiting.TryPeek(out var next) && jobs.Add(next.Run.JobId))
            ends.Add(waiting.Dequeue());
        return ends;
    }
}

/// <summary>What every run of a server uses.</summary>
/// <param name="Ended">Called once for each run, when its end is decided.</param>
internal sealed record RunServices(IServiceScopeFactory Scopes, ILogger Logger, JobMetrics Metrics, int StuckSeconds, Action<JobRun, RunEnd> Ended);

/// <summary>One attempt at one job on this server: its context, its token, and what its end means.</summary>
internal sealed class JobRun(ClaimedJob job, JobKind kind, ServerIdentity server, JobStore store, int rank) : JobContext, IThreadPoolWorkItem, IDisposable
{
    private const int MostLines = 1000;
    private static readonly TimeSpan ChainTime = TimeSpan.FromMilliseconds(1);

    /// <summary>The run that this thread executes; one that its end lets begin can follow it here.</summary>
    [ThreadStatic]
    private static JobRun? _executing;

    [ThreadStatic]
    private static JobRun? _follower;

    private static readonly AsyncLocal<JobRun?> Ambient = new();

    /// <summary>The run whose handler the caller is part of; null outside of handlers.</summary>
    public static JobRun? Current => Ambient.Value;

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _latest = new();
    private SemaphoreSlim? _reporting;
    private RunServices? _services;
    private long _startedAt = Stopwatch.GetTimestamp();

    private int _reason;
    private int _ended;
    private long _stoppedAt;
    private CancelWish? _wish;
    private string? _result;
    private volatile bool _completed;
    private volatile bool _launched;
    private volatile bool _left;
    private int _decided;
    private (long Done, long? Total, string? Message)? _progress;
    private (long Done, long? Total, string? Message)? _unwritten;
    private long _writtenAt;
    private List<(long At, string Line)>? _lines;
    private int _lineCount;

    public ClaimedJob Job => job;

    public ServerIdentity Server => server;

    public int Rank => rank;

    public override Guid JobId => job.Id;

    public override string Kind => job.Kind;

    public override string Queue => job.Queue;

    public override int Attempt => job.Attempt;

    public override int MaxAttempts => job.MaxAttempts;

    public override string? RequestedBy => job.RequestedBy;

    public override DateTimeOffset? PlannedAt => job.PlannedAt is { } planned ? new DateTimeOffset(planned) : null;

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    public bool Completed => _completed;

    public TimeSpan Age => Stopwatch.GetElapsedTime(_startedAt);

    /// <summary>Since the token fired; null while it has not.</summary>
    public TimeSpan? StoppingFor => Volatile.Read(ref _stoppedAt) is var at and not 0 ? Stopwatch.GetElapsedTime(at) : null;

    public TimeSpan? Timeout => kind.Timeout;

    /// <summary>
    /// True when nothing hangs on the job that its end has to touch: its first attempt, and no progress, log line or checkpoint. What such a job's rows of
    /// an earlier, returned run may have left is history and is kept.
    /// </summary>
    public bool IsPlain => job.Attempt == 1 && job.Checkpoint is null && !_left;

    /// <summary>The properties of every log line of this run; the trace is that of the request that asked, also where nobody records it.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> LogScope => field ??=
    [
        new("JobId", job.Id), new("JobKind", job.Kind), new("TraceId", JobStore.TraceIdOf(job.TraceParent) ?? ""),
    ];

    /// <summary>A handler that still runs keeps its token.</summary>
    public void Dispose()
    {
        if (_launched && Volatile.Read(ref _ended) == 0)
            return;
        _stop.Dispose();
        _reporting?.Dispose();
    }

    /// <summary>Fires the token once. Callbacks run elsewhere: the caller may be the heartbeat, which waits for nobody.</summary>
    public void Stop(StopReason reason, CancelWish? wish = null)
    {
        if (wish is not null)
            Interlocked.CompareExchange(ref _wish, wish, null);
        if (Interlocked.CompareExchange(ref _reason, (int)reason, 0) != 0 || Volatile.Read(ref _ended) != 0)
            return;
        Volatile.Write(ref _stoppedAt, Stopwatch.GetTimestamp());
        try
        {
            _ = _stop.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The run ended in this very moment.
        }
    }

    /// <summary>Begins on a thread of the pool.</summary>
    public void Begin(RunServices services)
    {
        _services = services;
        _launched = true;
        _startedAt = Stopwatch.GetTimestamp();
        // Only behind a run that is over: another's end may be told on the thread of a handler that is still busy.
        if (_follower is null && _executing is { } before && Volatile.Read(ref before._ended) != 0)
            _follower = this;
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>
    /// Runs this job and then those that its end, and theirs, let begin: a handler that returns at once needs no other thread to be woken. After a
    /// millisecond whatever else waits for a thread comes first.
    /// </summary>
    void IThreadPoolWorkItem.Execute()
    {
        var startedAt = Stopwatch.GetTimestamp();
        for (var run = this; run is not null; run = _follower)
        {
            _follower = null;
            _executing = Stopwatch.GetElapsedTime(startedAt) < ChainTime ? run : null;
            _ = run.RunAsync(run.Services);
            _executing = null;
        }
    }

    /// <summary>The handler does not return: decide without it.</summary>
    public void GiveUpOn()
    {
        if (_services is not { } services || !Decide())
            return;
        using (services.Logger.BeginScope(LogScope))
            JobLog.Stuck(services.Logger, job.Kind, services.StuckSeconds);
        services.Metrics.Ran(job.Queue, Age);
        services.Ended(this, EndOf(new TimeoutException($"The handler did not return within {services.StuckSeconds} s after its token fired.")));
    }

    private RunServices Services => _services ?? throw new InvalidOperationException("The run has not begun.");

    /// <summary>True for the first who asks: the end of a run is decided once, by its handler or without it.</summary>
    private bool Decide() => Interlocked.Exchange(ref _decided, 1) == 0;

    /// <summary>Runs the handler and says what its end means. Never throws.</summary>
    private async Task RunAsync(RunServices services)
    {
        Exception? fault = null;
        try
        {
            using var scope = services.Logger.BeginScope(LogScope);
            await HandleAsync(services);
        }
        catch (Exception e)
        {
            fault = e;
        }
        if (HasReports && Volatile.Read(ref _decided) == 0)
            fault = await WriteLastReportsAsync(services, fault);
        Volatile.Write(ref _ended, 1);
        if (!Decide())
            return;
        RunEnd end;
        try
        {
            services.Metrics.Ran(job.Queue, Age);
            end = EndOf(fault);
        }
        catch (Exception e)
        {
            // A meter that throws, for example: the slot and the job must not be lost with it.
            end = TryAgain("failed", JobErrorText.Of(e), e);
        }
        services.Ended(this, end);
    }

    private async Task<Exception?> WriteLastReportsAsync(RunServices services, Exception? fault)
    {
        try
        {
            await WriteReportsAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            // What the handler did stands; only its last words are lost, unless it was to be done and another server has the job.
            if (fault is null && e is LeaseLostException)
                return e;
            using var scope = services.Logger.BeginScope(LogScope);
            JobLog.ProgressFailed(services.Logger, e, job.Kind);
        }
        return fault;
    }

    private async Task HandleAsync(RunServices around)
    {
        using var activity = JobTelemetry.Source.StartActivity(job.Kind, ActivityKind.Consumer, job.TraceParent) ?? Untraced();
        if (activity.IsAllDataRequested)
        {
            activity.SetTag("camino.job.id", job.Id);
            activity.SetTag("camino.job.queue", job.Queue);
            activity.SetTag("camino.job.attempt", job.Attempt);
        }

        // behind the activity, so that the line belongs to its trace wherever lines are sent
        JobLog.Started(around.Logger, job.Kind, job.Queue, job.Attempt, job.MaxAttempts, Math.Max(0, (job.ClaimedAt - job.DueAt).TotalSeconds));
        Ambient.Value = this;
        try
        {
            await using var services = around.Scopes.CreateAsyncScope();
            var run = kind.Run ?? throw new InvalidOperationException($"No handler is registered for '{job.Kind}'.");
            await run(services.ServiceProvider, kind.Newest(job.Args, job.Version), this, _stop.Token);
        }
        catch (Exception e)
        {
            activity.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            throw;
        }
    }

    /// <summary>Nobody records activities: children and log lines go on with the trace all the same.</summary>
    private Activity Untraced()
    {
        var activity = new Activity(job.Kind) { IsAllDataRequested = false };
        if (job.TraceParent is not null)
            activity.SetParentId(job.TraceParent);
        return activity.Start();
    }

    private RunEnd EndOf(Exception? fault)
    {
        // "Done" was written inside the handler's transaction. If that was committed the row is gone and nothing below finds it; if not, the job is still
        // ours and must not be called done.
        if (_completed)
            fault ??= new InvalidOperationException("The handler completed the job inside a transaction and returned without committing it.");

        return fault switch
        {
            null => Done(),
            LeaseLostException => Return("its lease was lost"),
            _ when Reason == StopReason.LeaseLost => Return("its lease was lost"),
            _ when Reason == StopReason.Cancelled => Cancel(fault),
            JobAbandonedException => Fail("abandoned", fault.Message, fault),
            JobUnreadableException => Fail("failed", fault.Message, fault),
            JobSnoozedException snooze => Snooze(snooze),
            _ when Reason == StopReason.ServerStopping => Return("the server stopped"),
            _ when Reason == StopReason.TimedOut => TryAgain("timed_out", $"The attempt ran longer than {kind.Timeout}.\n{JobErrorText.Of(fault)}", fault),
            _ => TryAgain("failed", JobErrorText.Of(fault), fault),
        };
    }

    private RunEnd Done()
    {
        var seconds = Age.TotalSeconds;
        return new RunEnd(this, new FinishRow(job.Id, job.Lease, "done", _result, Error: null, Note: null, Plain: _result is null && IsPlain), PutBack: null, (log, metrics) =>
        {
            JobLog.Done(log, job.Kind, seconds);
            metrics.Done(job.Queue);
        });
    }

    private RunEnd Fail(string note, string error, Exception fault) =>
        new(this, new FinishRow(job.Id, job.Lease, "failed", Result: null, JobErrorText.Storable(error), note), PutBack: null, (log, metrics) =>
        {
            JobLog.Failed(log, fault, job.Kind, job.Attempt, job.MaxAttempts, note);
            metrics.Failed(job.Queue);
        });

    private RunEnd Cancel(Exception fault)
    {
        var error = fault is OperationCanceledException ? null : JobErrorText.Of(fault);
        return new RunEnd(this, new FinishRow(job.Id, job.Lease, "cancelled", Result: null, error, "cancelled"), PutBack: null, (log, metrics) =>
        {
            JobLog.Cancelled(log, job.Kind, _wish?.Reason ?? "no reason given");
            metrics.Cancelled(job.Queue);
        });
    }

    private RunEnd Snooze(JobSnoozedException snooze)
    {
        var seconds = snooze.Wait.TotalSeconds;
        return new RunEnd(
            this, Finish: null, new PutBackRow(job.Id, job.Lease, seconds, Burn: false, "snoozed", JobErrorText.Storable(snooze.Message)),
            (log, _) => JobLog.Snoozed(log, job.Kind, seconds));
    }

    /// <summary>To its old place, as if it had not been taken.</summary>
    public RunEnd Return(string reason) =>
        new(this, Finish: null, new PutBackRow(job.Id, job.Lease, WaitSeconds: null, Burn: false, Note: null, Error: null),
            (log, _) => JobLog.Returned(log, job.Kind, reason));

    /// <summary>Another attempt after a wait, or failed after the last.</summary>
    public RunEnd TryAgain(string note, string error, Exception fault)
    {
        if (job.Attempt >= job.MaxAttempts)
            return Fail(note, error, fault);
        var seconds = WaitAfter(kind.Retry, job.Attempt, Random.Shared.NextDouble()).TotalSeconds;
        return new RunEnd(this, Finish: null, new PutBackRow(job.Id, job.Lease, seconds, Burn: true, note, JobErrorText.Storable(error)), (log, metrics) =>
        {
            JobLog.Retried(log, fault, job.Kind, job.Attempt, job.MaxAttempts, seconds);
            metrics.Retried(job.Queue);
        });
    }

    /// <summary><c>First x 2^(attempt-1)</c>, at most <c>Longest</c>, then between three and five quarters of it.</summary>
    internal static TimeSpan WaitAfter(JobRetry retry, int attempt, double dice)
    {
        var seconds = Math.Min(retry.First.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 60)), retry.Longest.TotalSeconds);
        return TimeSpan.FromSeconds(seconds * (0.75 + dice / 2));
    }

    /// <inheritdoc/>
    public override async ValueTask ReportProgressAsync(long done, long? total, string? message = null, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(done);
        if (message is { Length: > 200 })
            throw new ArgumentException($"message has {message.Length} characters; at most 200 are allowed.", nameof(message));
        if (message is not null)
            message = JobErrorText.Storable(message);
        if (_completed)
            return;
        _left = true;
        lock (_latest)
        {
            _progress = (Math.Max(done, _progress?.Done ?? 0), total ?? _progress?.Total, message ?? _progress?.Message);
            _unwritten = _progress;
        }
        if (_writtenAt == 0 || Stopwatch.GetElapsedTime(_writtenAt) >= TimeSpan.FromSeconds(1))
            await WriteReportsAsync(ct);
    }

    /// <inheritdoc/>
    public override ValueTask LogAsync(string line, CancellationToken ct = default)
    {
        if (line.Length is 0 or > 500)
            throw new ArgumentException($"line has {line.Length} characters; it must have 1 to 500.", nameof(line));
        _left = true;
        lock (_latest)
        {
            // The last line that fits says that there were more.
            if (++_lineCount <= MostLines)
                (_lines ??= []).Add((Stopwatch.GetTimestamp(), _lineCount == MostLines ? "… more lines are left out …" : JobErrorText.Storable(line)));
        }
        return ValueTask.CompletedTask;
    }

    private bool HasReports => _unwritten is not null || _lines is not null;

    /// <summary>Writes what was reported and said last and is not stored yet.</summary>
    public async Task WriteReportsAsync(CancellationToken ct)
    {
        if (!HasReports || _completed)
            return;
        var reporting = LazyInitializer.EnsureInitialized(ref _reporting, static () => new SemaphoreSlim(1, 1));
        await reporting.WaitAsync(ct);
        try
        {
            (long Done, long? Total, string? Message)? latest;
            List<(long At, string Line)>? lines;
            lock (_latest)
            {
                latest = _unwritten;
                _unwritten = null;
                lines = _lines;
                _lines = null;
            }
            var held = true;
            if (latest is { } now)
            {
                _writtenAt = Stopwatch.GetTimestamp();
                held = await store.ReportAsync(job.Id, job.Lease, now.Done, now.Total, now.Message, ct);
            }
            if (held && lines is { Count: > 0 })
            {
                var ages = lines.ConvertAll(line => Stopwatch.GetElapsedTime(line.At).TotalSeconds).ToArray();
                held = await store.WriteLogAsync(job.Id, job.Lease, ages, lines.ConvertAll(line => line.Line).ToArray(), ct);
            }
            if (!held)
            {
                Stop(StopReason.LeaseLost);
                throw new LeaseLostException(job.Id);
            }
        }
        finally
        {
            reporting.Release();
        }
    }

    /// <inheritdoc/>
    public override T? ReadCheckpoint<T>()
        where T : class
        => job.Checkpoint is null ? null : JsonSerializer.Deserialize<T>(job.Checkpoint, JobJson.Options);

    /// <inheritdoc/>
    public override async Task WriteCheckpointAsync<T>(NpgsqlConnection connection, NpgsqlTransaction transaction, T checkpoint, CancellationToken ct)
    {
        _left = true;
        var state = JobJson.Encode(checkpoint, typeof(T), $"The checkpoint of '{job.Kind}'");
        if (!await store.WriteCheckpointAsync(connection, transaction, job.Id, job.Lease, server.ReleaseNumber, state, ct))
            throw new LeaseLostException(job.Id);
    }

    /// <inheritdoc/>
    public override async Task HoldLeaseAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        if (!await store.HoldLeaseAsync(connection, transaction, job.Id, job.Lease, server.ReleaseNumber, ct))
            throw new LeaseLostException(job.Id);
    }

    /// <inheritdoc/>
    public override async Task CompleteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, object? result, CancellationToken ct)
    {
        SetResult(result);
        await WriteReportsAsync(ct);
        if (!await store.CompleteAsync(connection, transaction, server, job.Id, job.Lease, _result, ct))
            throw new LeaseLostException(job.Id);
        _completed = true;
    }

    /// <inheritdoc/>
    public override void SetResult(object? result) =>
        _result = result is null ? null : JobJson.Encode(result, result.GetType(), $"The result of '{job.Kind}'");
}
