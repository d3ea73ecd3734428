using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace Camino.Testing;

/// <summary>A database of one test or fixture: a copy of a prepared template, made in some tens of milliseconds and dropped on dispose.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Templates = new(StringComparer.Ordinal);
    private static int _count;
    private readonly TestServer _server;
    private readonly string _name;

    private TestDatabase(TestServer server, string name)
    {
        _server = server;
        _name = name;
        ConnectionString = server.ConnectionString(name);
    }

    /// <summary>Pooled, with a small pool of this database alone.</summary>
    public string ConnectionString { get; }

    /// <summary>Makes a copy of a template.</summary>
    /// <param name="template">The template's name within this process, for example "migrated".</param>
    /// <param name="prepare">Fills the template, given its (not pooled) connection string; called once in a process for each name, however many callers come at once.</param>
    public static async Task<TestDatabase> CreateAsync(string template, Func<string, Task> prepare)
    {
        var server = await TestServer.SharedAsync();
        var prepared = await Templates.GetOrAdd(template, _ => new Lazy<Task<string>>(() => PrepareAsync(server, prepare))).Value;
        var name = NextName(server);
        await RunAsync(server, $"CREATE DATABASE \"{name}\" TEMPLATE \"{prepared}\"");
        return new TestDatabase(server, name);
    }

    /// <summary>Drops the database, whoever is still connected.</summary>
    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(ConnectionString))
            NpgsqlConnection.ClearPool(connection);
        await RunAsync(_server, $"DROP DATABASE IF EXISTS \"{_name}\" WITH (FORCE)");
    }

    private static async Task<string> PrepareAsync(TestServer server, Func<string, Task> prepare)
    {
        var name = NextName(server);
        await RunAsync(server, $"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'");
        var connectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString(name)) { Pooling = false }.ConnectionString;
        await prepare(connectionString);

        // A database can be copied only while nobody is connected to it, so nobody may connect from here on.
        await RunAsync(server, $"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
        await RunAsync(server, $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
        return name;
    }

    private static string NextName(TestServer server) =>
        server.Prefix + Interlocked.Increment(ref _count).ToString("d4", CultureInfo.InvariantCulture);

    private static async Task RunAsync(TestServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.Maintenance);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
