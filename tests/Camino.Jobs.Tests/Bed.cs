using System.Diagnostics;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>One database with the engine's schema, and the servers that a test starts on it.</summary>
internal sealed class Bed : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly List<IHost> _hosts = [];

    private Bed(TestDatabase database)
    {
        _database = database;
        Source = NpgsqlDataSource.Create(database.ConnectionString);
        Writer = new JobWriter(Client);
        Store = new JobStore(Source, Client);
    }

    public JobClientOptions Client { get; } = new();

    public NpgsqlDataSource Source { get; }

    public string ConnectionString => _database.ConnectionString;

    public JobWriter Writer { get; }

    public JobStore Store { get; }

    public Probe Probe { get; } = new();

    public Log Log { get; } = new();

    public static async Task<Bed> MakeAsync() => new(await TestDatabase.CreateAsync("jobs", async connectionString =>
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await JobSchema.InstallAsync(connection);
        await using var effect = new NpgsqlCommand("CREATE TABLE effect (number integer NOT NULL, server text NOT NULL)", connection);
        await effect.ExecuteNonQueryAsync();
    }));

    public static JobServerOptions Options(Action<JobServerOptions>? change = null)
    {
        var options = new JobServerOptions
        {
            ServerName = "one",
            Slots = 8,
            LeaseSeconds = 5,
            GraceSeconds = 5,
            Queues = [new() { Name = "urgent" }, new() { Name = "default" }, new() { Name = "bulk" }],
        };
        change?.Invoke(options);
        return options;
    }

    /// <summary>Starts a server in this process, with connections of its own as a real one has.</summary>
    /// <param name="change">Other options than those of <see cref="Options"/>.</param>
    /// <param name="pooler">Where statements go instead of straight to the database; the listener always goes straight.</param>
    /// <param name="configure">What the host has besides.</param>
    /// <param name="listener">Where the listener goes instead.</param>
    public async Task<IHost> StartServerAsync(
        Action<JobServerOptions>? change = null, string? pooler = null, Action<IServiceCollection>? configure = null, string? listener = null)
    {
        var host = MakeHost(pooler ?? ConnectionString, listener ?? ConnectionString, Options(change), builder =>
        {
            builder.Logging.AddProvider(Log);
            builder.Services.AddSingleton(Probe);
            configure?.Invoke(builder.Services);
        });
        _hosts.Add(host);
        await host.StartAsync();
        return host;
    }

    public static IHost MakeHost(string connectionString, string listenerString, JobServerOptions options, Action<HostApplicationBuilder>? configure = null)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        builder.Services.AddJobs(jobs => jobs
            .Add<Act, Act.Handler>("test.act-of-old").Add<BriefAct, BriefAct.Handler>().Add<Unmakeable, Unmakeable.Handler>()
            .Add<Count, Count.Handler>().Add<Hang, Hang.Handler>().Add<Late, Late.Handler>());
        builder.Services.AddJobServer(options, _ =>
        {
            var name = $"jobs {options.ServerName}";
            return new JobConnections(
                NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = name, MaxPoolSize = 5 }),
                NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(listenerString) { ApplicationName = name, MaxPoolSize = 1 }),
                KeepsStatements: connectionString == listenerString);
        });
        configure?.Invoke(builder);
        return builder.Build();
    }

    public async Task<Guid> EnqueueAsync<TArgs>(TArgs args, JobOptions? options = null)
        where TArgs : IJobArgs
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await Writer.EnqueueAsync(connection, transaction: null, args, options);
    }

    public async Task<IReadOnlyList<Guid>> EnqueueManyAsync<TArgs>(IEnumerable<TArgs> args, JobOptions? options = null)
        where TArgs : IJobArgs
    {
        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var ids = await Writer.EnqueueManyAsync(connection, transaction, args, options);
        await transaction.CommitAsync();
        return ids;
    }

    public async Task<JobDetail> JobAsync(Guid id) => await Store.GetAsync(id) ?? throw new AssertionException($"There is no job {id}.");

    public async Task<JobDetail> WaitForAsync(Guid id, JobState state, int seconds = 15)
    {
        JobDetail? job = null;
        await UntilAsync(async () => (job = await Store.GetAsync(id))?.State == state, () => $"job to be {state}, it is {job?.State} ({job?.Error})", seconds);
        return job ?? throw new AssertionException($"There is no job {id}.");
    }

    public Task DrainedAsync(int seconds = 30) =>
        UntilAsync(async () => await ScalarAsync<long>("SELECT count(*) FROM jobs.job") == 0, () => "all jobs to be over", seconds);

    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what, int seconds = 15)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(seconds))
                throw new AssertionException($"Waited {seconds} s for {what()}.");
            await Task.Delay(10);
        }
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is T value ? value : throw new AssertionException($"No {typeof(T).Name} from: {sql}");
    }

    public async Task<int> RunAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
        }
        await Source.DisposeAsync();
        await _database.DisposeAsync();
    }
}

/// <summary>A gate that a handler waits at until its test opens it, or its token fires.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when a handler stands at the gate.</summary>
    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(15));

    public void Open() => _open.TrySetResult();

    public async Task PassAsync(CancellationToken ct)
    {
        _reached.TrySetResult();
        await _open.Task.WaitAsync(ct);
    }
}
