using Camino.Host.Local;
using Camino.Testing;
using Camino.Tests.Hosting;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>A database as it is in production: made by an administrator, owned by the migrator, used by the roles' own users.</summary>
internal sealed class OwnedDatabase : IAsyncDisposable
{
    /// <summary>The users belong to the whole server, so every test gives them the same password.</summary>
    public const string Password = "a password of the tests 4711";

    private readonly TestDatabase _database;

    private OwnedDatabase(TestDatabase database) => _database = database;

    /// <summary>As the administrator.</summary>
    public string Administrator => _database.ConnectionString;

    public static async Task<OwnedDatabase> CreateAsync(bool migrated = true)
    {
        var owned = new OwnedDatabase(await TestDatabase.CreateAsync("nothing", _ => Task.CompletedTask));
        var script = await File.ReadAllTextAsync(Path.Combine(Repository.Root ?? "", "deploy", "postgres", "roles.sql"));
        await using var connection = new NpgsqlConnection(owned.Administrator);
        await connection.OpenAsync();
        await using (var alone = new NpgsqlCommand("select pg_advisory_lock(4711)", connection))
            await alone.ExecuteNonQueryAsync();
        await using (var roles = new NpgsqlCommand(script, connection))
            await roles.ExecuteNonQueryAsync();
        foreach (var user in new[] { "camino_migrator", "camino_web", "camino_async", "camino_readonly" })
        {
            await using var password = new NpgsqlCommand($"alter role {user} password '{Password}'", connection);
            await password.ExecuteNonQueryAsync();
        }

        await using (var done = new NpgsqlCommand("select pg_advisory_unlock(4711)", connection))
            await done.ExecuteNonQueryAsync();
        if (migrated)
            await owned.MigrateAsync();
        return owned;
    }

    /// <summary>A connection string of one of the users; the pool is small, because the users' connections are counted.</summary>
    public string Of(string user) => new NpgsqlConnectionStringBuilder(Administrator) { Username = user, Password = Password, MaxPoolSize = 10, IncludeErrorDetail = false }.ConnectionString;

    /// <summary>What a process of that user gets for an environment: its connection, and the migrator's only when it is an operator's verb.</summary>
    public Dictionary<string, string?> Environment(string user, params (string Name, string Value)[] more)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal) { ["CAMINO_Database__ConnectionString"] = Of(user), ["CAMINO_Log__Format"] = "Json" };
        foreach (var (name, value) in more)
            variables[name] = value;
        return variables;
    }

    public async Task MigrateAsync()
    {
        using var configs = new Configs();
        var ended = await CaminoProcess.RunAsync(Environment("camino_web", ("CAMINO_Migration__ConnectionString", Of("camino_migrator"))), "migrate", "--config", configs.Of("Async"));
        Assert.That(ended.Code, Is.Zero, ended.ToString());
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
