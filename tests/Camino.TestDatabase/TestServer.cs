using Camino.Host.Local;
using Npgsql;

namespace Camino.Testing;

/// <summary>
/// The PostgreSQL server of a test process, and the one place that chooses it: the one that CAMINO_TEST_DATABASE names; else a throw-away
/// server of this process alone, from the programs of this machine or the package; else, built with TestDatabase=Testcontainers, a container
/// of that library. Says once which it is. Nothing of it outlives the process, not even when the process is killed.
/// </summary>
public sealed class TestServer
{
    /// <summary>Names a server to use, as a connection string whose user may create databases.</summary>
    public const string Variable = "CAMINO_TEST_DATABASE";

#if TESTCONTAINERS
    /// <summary>With the value <c>true</c> the container is taken even where there are programs; the leg of the pipeline does so.</summary>
    public const string ContainerVariable = "CAMINO_TEST_CONTAINER";

#endif
    private static readonly Lazy<Task<TestServer>> Shared = new(StartAsync);
    private readonly string _connectionString;

    private TestServer(string connectionString, string description, string prefix)
    {
        _connectionString = connectionString;
        Description = description;
        Prefix = prefix;
    }

    /// <summary>What it is and where it comes from, for people.</summary>
    public string Description { get; }

    /// <summary>What the names of this process's databases begin with.</summary>
    internal string Prefix { get; }

    /// <summary>The server of this process; started by the first caller.</summary>
    public static Task<TestServer> SharedAsync() => Shared.Value;

    /// <summary>Connection string for one of its databases, with a small pool: many fixtures share the server's connections.</summary>
    public string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Database = database,
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = 20,
            ConnectionIdleLifetime = 10,
            ConnectionPruningInterval = 5,
            GssEncryptionMode = GssEncryptionMode.Disable,
            IncludeErrorDetail = true,
        }.ConnectionString;

    /// <summary>The database from which others are made and dropped, as the connection string names it. Not pooled.</summary>
    internal string Maintenance =>
        new NpgsqlConnectionStringBuilder(_connectionString) { Pooling = false, GssEncryptionMode = GssEncryptionMode.Disable, CommandTimeout = 120 }.ConnectionString;

    private static async Task<TestServer> StartAsync()
    {
        var server = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? await TakeGivenAsync(given) : await StartOwnAsync();
        Console.WriteLine($"Test databases: {server.Description}");
        return server;
    }

    private static async Task<TestServer> TakeGivenAsync(string connectionString)
    {
        var lease = await GivenServerLease.TakeAsync(connectionString);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => lease.Release();
        return new TestServer(connectionString, $"the server that {Variable} names ({lease.ServerVersion})", lease.Prefix);
    }

#if TESTCONTAINERS
    private static async Task<TestServer> StartOwnAsync()
    {
        if (Environment.GetEnvironmentVariable(ContainerVariable) == "true")
            return await StartContainerAsync();
        try
        {
            return await StartThrowAwayAsync(containers: false);
        }
        catch (LocalStartException none)
        {
            Console.WriteLine($"{none.Message} Testcontainers is tried.");
            return await StartContainerAsync();
        }
    }

    private static async Task<TestServer> StartContainerAsync()
    {
        var (connectionString, description) = await TestContainer.StartAsync();
        return new TestServer(connectionString, description, "camino_test_");
    }
#else
    private static Task<TestServer> StartOwnAsync() => StartThrowAwayAsync(containers: true);
#endif

    private static async Task<TestServer> StartThrowAwayAsync(bool containers)
    {
        if (OperatingSystem.IsWindows())
            throw new LocalStartException($"On Windows, use the Linux subsystem (WSL), or name a server in {Variable}.");

        var place = await ThrowAwayFolder.TakeAsync();
        var local = await LocalPostgres.StartAsync(
            new LocalPostgresOptions
            {
                Folder = place.Folder,
                PackageFolder = Path.Combine(Repository.Root ?? AppContext.BaseDirectory, ".camino", "postgres"),
                Say = Console.WriteLine,
                ThrowAway = true,
                Containers = containers,
            },
            CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (!OperatingSystem.IsWindows())
                place.Release();
        };
        return new TestServer(local.ConnectionString("postgres"), $"{local.Description}, thrown away afterwards, in {place.Folder}", "camino_test_");
    }
}
