using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Camino.Jobs;
#if HANGFIRE
using Camino.Jobs.Hangfire;
#endif
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>This engine as a contender: a process of its own that speaks as peers/contender.mjs does.</summary>
internal sealed class QueueWorker(string connectionString, int count, int milliseconds, bool onHangfire) : IAsyncDisposable
{
    private const int Slots = 24;
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 20 });
    private readonly JobWriter _writer = new(new JobClientOptions());
    private readonly BenchProbe _probe = new();
    private readonly JobConnections _connections = QueueHost.Connections(connectionString);

    /// <summary>Hidden: the bench starts it.</summary>
    public static Command Verb()
    {
        var operation = new Argument<string>("operation");
        var connection = new Argument<string>("connection");
        var count = new Argument<int>("count");
        var milliseconds = new Argument<int>("milliseconds");
        var engine = new Option<string>("--engine") { DefaultValueFactory = _ => "camino" };
        var command = new Command("queue-worker", "One operation of this engine, for the bench.") { operation, connection, count, milliseconds, engine };
        command.Hidden = true;
        command.SetAction(async (parsed, _) =>
        {
            await using var worker = new QueueWorker(parsed.GetRequiredValue(connection), parsed.GetValue(count), parsed.GetValue(milliseconds), parsed.GetValue(engine) == "hangfire");
            await worker.RunAsync(parsed.GetRequiredValue(operation));
            return 0;
        });
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _connections.Engine.DisposeAsync();
        await _connections.Listener.DisposeAsync();
    }

    private async Task RunAsync(string operation)
    {
        await using (var install = await _source.OpenConnectionAsync())
        {
            await JobSchema.InstallAsync(install);
            if (onHangfire)
                await QueueHost.HandOverAsync(install);
        }

        await (operation switch
        {
            "single" => EnqueueAsync(() => EnqueueEachAsync(count)),
            "threads" => EnqueueAsync(() => Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => EnqueueEachAsync(count / 8))))),
            "bulk" => BulkAsync(),
            "drain" => DrainAsync(keep: true),
            "drop" => DrainAsync(keep: false),
            "idle" => IdleAsync(),
            "floor" => FloorAsync(),
            "urgent" => UrgentAsync(),
            _ => throw new BenchFailedException($"There is no operation '{operation}'."),
        });
    }

    private static async Task MeasuredAsync(Func<Task<Seen?>> part)
    {
        await Console.Out.WriteLineAsync("ready");
        await Console.In.ReadLineAsync();
        var started = Stopwatch.GetTimestamp();
        var seen = await part();
        var text = JsonSerializer.Serialize(new { seconds = Stopwatch.GetElapsedTime(started).TotalSeconds, waits = seen?.Waits ?? [], bulkPerSecond = seen?.BulkPerSecond ?? 0 });
        await Console.Out.WriteLineAsync($"over {text}");
        await Console.In.ReadLineAsync();
    }

    private async Task EnqueueAsync(Func<Task> enqueue)
    {
        await EnqueueEachAsync(200);
        await MeasuredAsync(async () =>
        {
            await enqueue();
            return null;
        });
    }

    private async Task EnqueueEachAsync(int jobs)
    {
        await using var connection = await _source.OpenConnectionAsync();
        for (var number = 0; number < jobs; number++)
            await _writer.EnqueueAsync(connection, transaction: null, new Noop(number));
    }

    private async Task EnqueueManyAsync<TArgs>(int jobs, Func<int, TArgs> make)
        where TArgs : IJobArgs
    {
        await using var connection = await _source.OpenConnectionAsync();
        await _writer.EnqueueManyAsync(connection, transaction: null, Enumerable.Range(0, jobs).Select(make));
    }

    private async Task BulkAsync()
    {
        await EnqueueManyAsync(1000, number => new Noop(number));
        await MeasuredAsync(async () =>
        {
            await EnqueueManyAsync(count, number => new Noop(number));
            return null;
        });
    }

    private async Task DrainAsync(bool keep)
    {
        await EnqueueManyAsync(20_000, number => new Noop(number));
        await StopAsync(await DrainOnceAsync(20_000, keep));
        await EnqueueManyAsync(count, number => new Noop(number));
        IHost? host = null;
        await MeasuredAsync(async () =>
        {
            host = await DrainOnceAsync(count, keep);
            return null;
        });
        if (host is not null)
            await StopAsync(host);
    }

    private async Task<IHost> DrainOnceAsync(int jobs, bool keep)
    {
        var all = _probe.ExpectNoops(jobs);
        var host = await StartAsync(options => options.KeepDone = keep);
        await all;
        await using var empty = _source.CreateCommand("SELECT NOT EXISTS (SELECT FROM jobs.job)");
        while (await empty.ExecuteScalarAsync() is not true)
            await Task.Delay(5);
        return host;
    }

    private async Task IdleAsync()
    {
        var host = await StartAsync();
        await using var connection = await _source.OpenConnectionAsync();
        await SampleAsync(100, 2, 5, () => PingAsync(connection));
        await MeasuredAsync(async () => new Seen(await SampleAsync(count, 15, 30, () => PingAsync(connection)), 0));
        await StopAsync(host);
    }

    /// <summary>The physical limit of a pick-up: one insert with NOTIFY until a listening connection has it.</summary>
    private async Task FloorAsync()
    {
        await using var listener = await _source.OpenConnectionAsync();
        await using var connection = await _source.OpenConnectionAsync();
        var heard = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.Notification += (_, _) => heard.TrySetResult(Stopwatch.GetTimestamp());
        await using (var listen = new NpgsqlCommand("CREATE TABLE floor (id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); LISTEN floor", listener))
            await listen.ExecuteNonQueryAsync();
        using var over = new CancellationTokenSource();
        var hearing = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
                await listener.WaitAsync(over.Token);
        });
        await SampleAsync(100, 2, 5, OnceAsync);
        await MeasuredAsync(async () => new Seen(await SampleAsync(count, 15, 30, OnceAsync), 0));
        await over.CancelAsync();
        await hearing.ContinueWith(static _ => { }, TaskScheduler.Default);

        async Task<double> OnceAsync()
        {
            heard = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            var asked = Stopwatch.GetTimestamp();
            await using var insert = new NpgsqlCommand("WITH i AS (INSERT INTO floor (id) VALUES ($1) RETURNING id) SELECT pg_notify('floor', '')::text FROM i", connection) { Parameters = { new() { Value = Guid.CreateVersion7() } } };
            await insert.ExecuteNonQueryAsync();
            return Stopwatch.GetElapsedTime(asked, await heard.Task).TotalMilliseconds;
        }
    }

    private async Task UrgentAsync()
    {
        const int backlog = 100_000;
        if (milliseconds > 0)
            await EnqueueManyAsync(backlog, _ => new Slow(milliseconds));
        else
            await EnqueueManyAsync(backlog, number => new Noop(number));
        _ = _probe.ExpectNoops(int.MaxValue);
        var host = await StartAsync();
        using var over = new CancellationTokenSource();
        var feeding = milliseconds > 0 ? Task.CompletedTask : FeedAsync(backlog, over.Token);
        while (_probe.Ran == 0)
            await Task.Delay(5);
        await using var connection = await _source.OpenConnectionAsync();
        await SampleAsync(20, 2, 5, () => PingAsync(connection));
        await MeasuredAsync(async () =>
        {
            var started = Stopwatch.GetTimestamp();
            var before = _probe.Ran;
            var waits = await SampleAsync(count, 2, 10, () => PingAsync(connection));
            return new Seen(waits, (_probe.Ran - before) / Stopwatch.GetElapsedTime(started).TotalSeconds);
        });
        await over.CancelAsync();
        await feeding;
        await StopAsync(host);
    }

    /// <summary>No-op jobs would be over before the last sample: what ran is put behind the rest again.</summary>
    private async Task FeedAsync(int backlog, CancellationToken ct)
    {
        var fed = 0L;
        while (!ct.IsCancellationRequested)
        {
            var missing = (int)(_probe.Ran - fed);
            if (missing >= backlog / 20)
            {
                await EnqueueManyAsync(missing, number => new Noop(number));
                fed += missing;
            }
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private async Task<double> PingAsync(NpgsqlConnection connection)
    {
        var began = _probe.ExpectPing();
        var asked = Stopwatch.GetTimestamp();
        await _writer.EnqueueAsync(connection, transaction: null, new Ping(0));
        return Stopwatch.GetElapsedTime(asked, await began).TotalMilliseconds;
    }

    private static async Task<List<double>> SampleAsync(int samples, int shortest, int spread, Func<Task<double>> call)
    {
        var waits = new List<double>();
        for (var sample = 0; sample < samples; sample++)
        {
            await Task.Delay(shortest + Random.Shared.Next(spread));
            waits.Add(await call());
        }
        return waits;
    }

    private async Task<IHost> StartAsync(Action<JobServerOptions>? change = null)
    {
        var options = new JobServerOptions
        {
            ServerName = "bench",
            Slots = Slots,
            GraceSeconds = 1,
            Queues = [new() { Name = JobQueues.Urgent, ReservedSlots = 1 }, new() { Name = JobQueues.Default }, new() { Name = JobQueues.Bulk }],
        };
        change?.Invoke(options);
        var host = QueueHost.Make(connectionString, options, _probe, _connections, onHangfire);
        await host.StartAsync();
        return host;
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private sealed record Seen(IReadOnlyList<double> Waits, double BulkPerSecond);
}

/// <summary>A host with a server and the bench's kinds, with connections of its own as the Async role has.</summary>
internal static class QueueHost
{
    /// <param name="shared">Connections of a worker that starts more than one server after another; null for connections of the host's own.</param>
    /// <param name="onHangfire">Hangfire brings the jobs.</param>
    public static IHost Make(string connectionString, JobServerOptions options, BenchProbe probe, JobConnections? shared = null, bool onHangfire = false)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton(probe);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        builder.Services.AddJobs(jobs => jobs.Add<Noop, Noop.Handler>().Add<Slow, Slow.Handler>().Add<Ping, Ping.Handler>());
#if HANGFIRE
        if (onHangfire)
        {
            options.AgeingSeconds = 0;
            builder.Services.AddHangfireCarrier(options);
        }
#endif
        builder.Services.AddJobServer(options, _ => shared ?? Connections(connectionString));
        return builder.Build();
    }

    /// <summary>Whether this bench was built with Hangfire.</summary>
    public static bool HasHangfire =>
#if HANGFIRE
        true;
#else
        false;
#endif

    /// <summary>From now on the database's jobs go to Hangfire.</summary>
    public static Task HandOverAsync(NpgsqlConnection connection) =>
#if HANGFIRE
        HangfireHandOver.InstallAsync(connection);
#else
        throw new BenchFailedException($"This bench was built without Hangfire; {connection.Database} keeps its jobs.");
#endif

    public static JobConnections Connections(string connectionString) => new(Own(connectionString, "jobs", 5), Own(connectionString, "jobs listener", 1), KeepsStatements: true);

    private static NpgsqlDataSource Own(string connectionString, string name, int most) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = name, MaxPoolSize = most, NoResetOnClose = true });
}

/// <summary>What the bench's handlers tell.</summary>
internal sealed class BenchProbe
{
    private TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<long> _ping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _ran;
    private long _expected;

    public long Ran => Interlocked.Read(ref _ran);

    public Task ExpectNoops(int jobs)
    {
        Interlocked.Exchange(ref _ran, 0);
        _expected = jobs;
        _all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _all.Task;
    }

    public Task<long> ExpectPing()
    {
        _ping = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _ping.Task;
    }

    public void Count()
    {
        if (Interlocked.Increment(ref _ran) == _expected)
            _all.TrySetResult();
    }

    public void Pong() => _ping.TrySetResult(Stopwatch.GetTimestamp());
}

/// <summary>Does nothing.</summary>
internal sealed record Noop(int Number) : IJobArgs
{
    public static string Kind => "bench.noop";

    public static string Queue => JobQueues.Bulk;

    public sealed class Handler(BenchProbe probe) : IJobHandler<Noop>
    {
        public Task RunAsync(Noop args, JobContext job, CancellationToken ct)
        {
            probe.Count();
            return Task.CompletedTask;
        }
    }
}

/// <summary>Waits for so many milliseconds.</summary>
internal sealed record Slow(int Milliseconds) : IJobArgs
{
    public static string Kind => "bench.slow";

    public static string Queue => JobQueues.Bulk;

    public sealed class Handler(BenchProbe probe) : IJobHandler<Slow>
    {
        public async Task RunAsync(Slow args, JobContext job, CancellationToken ct)
        {
            await Task.Delay(args.Milliseconds, ct);
            probe.Count();
        }
    }
}

/// <summary>Says that it began.</summary>
internal sealed record Ping(int Number) : IJobArgs
{
    public static string Kind => "bench.ping";

    public static string Queue => JobQueues.Urgent;

    public sealed class Handler(BenchProbe probe) : IJobHandler<Ping>
    {
        public Task RunAsync(Ping args, JobContext job, CancellationToken ct)
        {
            probe.Pong();
            return Task.CompletedTask;
        }
    }
}
