using Camino.Data;
using Camino.Testing;
using Camino.Tests.Hosting;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>The third way to run the image: migrations, while the application works.</summary>
[Parallelizable]
public sealed class MigrateTests
{
    [Test]
    public async Task A_migration_blocked_by_a_long_transaction_fails_within_its_budget_leaves_nothing_and_goes_through_on_a_retry()
    {
        await using var database = await TestDatabase.CreateAsync("nothing", _ => Task.CompletedTask);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await Migrator.MigrateAsync(source, options => Camino.Host.Database.Configure(options, source), CancellationToken.None);
        await RunAsync(source, "delete from camino.migrations_history where \"MigrationId\" like '%_Releases'; drop function camino.async_demand(); drop function camino.release_state(bigint); drop table camino.processes; drop table camino.releases; update camino.schema_info set version = 3");
        var told = new List<string>();
        await using (var blocker = await source.OpenConnectionAsync())
        {
            await using var transaction = await blocker.BeginTransactionAsync();
            await using (var hold = new NpgsqlCommand("lock table camino.schema_info in access exclusive mode", blocker, transaction))
                await hold.ExecuteNonQueryAsync();

            var blocked = await Assert.ThrowsAsync<PostgresException>(() => Migrator.MigrateAsync(source, options => Camino.Host.Database.Configure(options, source), new MigratorOptions(LockTimeoutSeconds: 1, Attempts: 2, told.Add), CancellationToken.None));
            Assert.That(blocked?.SqlState, Is.EqualTo(PostgresErrorCodes.LockNotAvailable));
            Assert.That(told, Has.Count.EqualTo(1).And.All.Contains("Attempt 1 of 2"));
        }

        Assert.That(await ScalarAsync<bool>(source, "select to_regclass('camino.releases') is null"), Is.True, "what was not committed is not there");
        Assert.That(await Migrator.MigrateAsync(source, options => Camino.Host.Database.Configure(options, source), CancellationToken.None), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Of_three_migrators_at_once_one_works_and_one_that_is_killed_half_way_is_made_up_for_by_the_next()
    {
        await using var database = await OwnedDatabase.CreateAsync(migrated: false);
        using var configs = new Configs();
        var file = configs.Of("Async");
        var variables = database.Environment("camino_web", ("CAMINO_Migration__ConnectionString", database.Of("camino_migrator")));
        await using (var killed = CaminoProcess.Start(variables, "migrate", "--config", file))
        {
            await using var watch = NpgsqlDataSource.Create(database.Administrator);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            // half-way: its session lock is taken, and not everything is there yet
            while (!killed.HasEnded && !await ScalarAsync<bool>(watch, "select exists (select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()))"))
                await Task.Delay(5, limit.Token);
            await killed.KillAsync();
        }

        var ended = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => CaminoProcess.RunAsync(variables, "migrate", "--config", file)));

        Assert.That(ended.Select(e => e.Code), Is.All.Zero, string.Join('\n', ended.Select(e => e.ToString())));
        Assert.That(ended.Count(e => e.Output.Contains("Applied", StringComparison.Ordinal)), Is.LessThanOrEqualTo(1));
        await using var source = NpgsqlDataSource.Create(database.Administrator);
        Assert.That(await ScalarAsync<int>(source, "select version from camino.schema_info"), Is.EqualTo(SchemaWindow.Newest));
        Assert.That(await ScalarAsync<string>(source, "select tableowner::text from pg_tables where schemaname = 'camino' and tablename = 'loans'"), Is.EqualTo("camino_migrator"));
    }

    private static async Task RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T?> ScalarAsync<T>(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (T?)await command.ExecuteScalarAsync();
    }
}
