using System.Net;
using System.Net.Sockets;
using Camino.Host;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>What the driver and the server say, as they say it: the troubles differ in what somebody has to do about them.</summary>
[Parallelizable]
public sealed class DatabaseTroubleTests
{
    private TestDatabase _database = null!;

    [OneTimeSetUp]
    public async Task CreateAsync() => _database = await TestDatabase.CreateAsync("trouble", _ => Task.CompletedTask);

    [OneTimeTearDown]
    public async Task DropAsync() => await _database.DisposeAsync();

    [Test]
    public async Task A_full_pool_is_not_a_database_that_is_away()
    {
        await using var source = Source(pool: 1);
        await using var only = await source.OpenConnectionAsync();

        Assert.That(await TroubleAsync(async () => await source.OpenConnectionAsync()), Is.EqualTo(DatabaseTrouble.Exhausted));
    }

    [Test]
    public async Task A_database_that_is_away_is_unreachable()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        await using var source = NpgsqlDataSource.Create($"Host=127.0.0.1;Port={port};Username=nobody;Database=none;Timeout=5");

        Assert.That(await TroubleAsync(async () => await source.OpenConnectionAsync()), Is.EqualTo(DatabaseTrouble.Unreachable));
    }

    [Test]
    public async Task A_connection_that_the_server_ends_is_unreachable()
    {
        await using var source = Source(pool: 2);
        await using var doomed = await source.OpenConnectionAsync();
        await using (var end = source.CreateCommand($"select pg_terminate_backend({doomed.ProcessID}, 10000)"))
            await end.ExecuteNonQueryAsync();

        Assert.That(await TroubleAsync(() => RunAsync(doomed, "select 1")), Is.EqualTo(DatabaseTrouble.Unreachable));
    }

    [TestCase("set statement_timeout = 10; select pg_sleep(60)", nameof(DatabaseTrouble.Slow))]
    [TestCase("do $$ begin raise exception 'x' using errcode = '40P01'; end $$", nameof(DatabaseTrouble.Contended))]
    [TestCase("do $$ begin raise exception 'x' using errcode = '40001'; end $$", nameof(DatabaseTrouble.Contended))]
    [TestCase("do $$ begin raise exception 'x' using errcode = '53300'; end $$", nameof(DatabaseTrouble.Exhausted))]
    [TestCase("select 1 / 0", nameof(DatabaseTrouble.None))]
    public async Task A_statement_is_told_by_what_the_server_says(string sql, string trouble)
    {
        await using var source = Source(pool: 1);
        await using var connection = await source.OpenConnectionAsync();

        Assert.That((await TroubleAsync(() => RunAsync(connection, sql))).ToString(), Is.EqualTo(trouble));
    }

    [Test]
    public async Task A_statement_that_the_driver_gives_up_is_slow_and_so_is_what_it_caused()
    {
        await using var source = Source(pool: 1, commandSeconds: 1);
        await using var connection = await source.OpenConnectionAsync();

        Assert.That(await TroubleAsync(async () =>
        {
            try
            {
                await RunAsync(connection, "select pg_sleep(60)");
            }
            catch (NpgsqlException inside)
            {
                throw new InvalidOperationException("as EF wraps it", inside);
            }
        }), Is.EqualTo(DatabaseTrouble.Slow));
    }

    private NpgsqlDataSource Source(int pool, int commandSeconds = 30) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Pooling = true, MaxPoolSize = pool, Timeout = 1, CommandTimeout = commandSeconds }.ConnectionString);

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<DatabaseTrouble> TroubleAsync(Func<Task> what)
    {
        try
        {
            await what();
        }
        catch (Exception broken) when (broken is NpgsqlException or InvalidOperationException)
        {
            return DatabaseTroubles.Of(broken);
        }

        throw new AssertionException("nothing broke");
    }
}
