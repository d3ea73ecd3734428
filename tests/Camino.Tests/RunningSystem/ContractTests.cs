using Camino.Data;
using Camino.Lending;
using Camino.Releases;
using Camino.Testing;
using Camino.Tests.Hosting;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>The second half of expand and contract: what only older releases needed goes, once none of them lives.</summary>
[Parallelizable]
public sealed class ContractTests
{
    private static readonly ContractStep Leftover = new(SchemaWindow.Newest, "leftover", "drop table camino.leftover");

    [Test]
    public async Task What_an_older_release_needs_stays_while_a_process_of_it_lives_and_goes_when_it_ended()
    {
        await using var place = await Place.CreateAsync();
        await place.ProcessAsync(release: 3, schemaNewest: SchemaWindow.NewestAccepted - 1);

        var refused = await Assert.ThrowsAsync<RefusedException>(() => place.ContractAsync(Leftover));
        Assert.That(refused?.Code, Is.EqualTo("schema.contract_needed"));
        Assert.That(refused?.Message, Does.Contain("leftover").And.Contain("release 3 on there (pid 1) gave a sign of life"));
        Assert.That(await place.IsThereAsync(), Is.True);

        await place.RunAsync("update camino.processes set state = 'ended'");
        Assert.That(await place.ContractAsync(Leftover), Is.EqualTo(new[] { "leftover" }));
        Assert.That(await place.IsThereAsync(), Is.False);
        Assert.That(await place.ContractAsync(Leftover), Is.Empty, "what ran is remembered");
        Assert.That(await place.ScalarAsync<string>("select details->>'by' from camino.audit_entries where action = 'schema.contracted' and subject_id = 'leftover'"), Is.EqualTo("test"));
    }

    [Test]
    public async Task A_release_that_the_fence_lets_work_counts_as_one_that_lives_though_no_process_of_it_runs()
    {
        await using var place = await Place.CreateAsync();
        await place.RunAsync($"insert into camino.releases (number, name, schema_oldest, schema_newest) values (3, 'three', 1, {SchemaWindow.NewestAccepted - 1}); insert into jobs.fence (lowest, highest, moved_by) values (3, 3, 'test')");

        var refused = await Assert.ThrowsAsync<RefusedException>(() => place.ContractAsync(Leftover));

        Assert.That(refused?.Message, Does.Contain("release 3 may take work"));
    }

    [Test]
    public async Task After_a_contract_step_nobody_goes_back_to_a_release_that_needs_what_is_gone()
    {
        await using var place = await Place.CreateAsync();
        await place.RunAsync(
            $"""
            insert into camino.releases (number, name, schema_oldest, schema_newest, promoted_at) values (3, 'three', 1, {SchemaWindow.NewestAccepted - 1}, now()), (4, 'four', 1, {SchemaWindow.NewestAccepted}, now());
            insert into jobs.fence (lowest, highest, moved_by) values (4, 4, 'test')
            """);
        await place.MoveAsync(move => move.GuardAsync(3, isRollback: true, CancellationToken.None));

        await place.ContractAsync(Leftover);

        var refused = await Assert.ThrowsAsync<RefusedException>(() => place.MoveAsync(move => move.GuardAsync(3, isRollback: true, CancellationToken.None)));
        Assert.That(refused?.Code, Is.EqualTo("release.schema"));
        await place.MoveAsync(move => move.GuardAsync(4, isRollback: true, CancellationToken.None));
    }

    [Test]
    public async Task A_step_that_does_not_get_its_locks_or_comes_too_early_leaves_nothing_behind()
    {
        await using var place = await Place.CreateAsync();
        var told = new List<string>();
        await using (var reader = await place.Source.OpenConnectionAsync())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            await using (var hold = new NpgsqlCommand("select * from camino.leftover", reader, transaction))
                await hold.ExecuteNonQueryAsync();
            var blocked = await Assert.ThrowsAsync<PostgresException>(() => Contractor.RunAsync(place.Source, [Leftover], "test", new MigratorOptions(LockTimeoutSeconds: 1, Attempts: 2, told.Add), CancellationToken.None));
            Assert.That(blocked?.SqlState, Is.EqualTo(PostgresErrorCodes.LockNotAvailable));
            Assert.That(told, Has.Count.EqualTo(1));
        }

        var early = await Assert.ThrowsAsync<RefusedException>(() => place.ContractAsync(Leftover with { Version = SchemaWindow.Newest + 1 }));
        Assert.That(early?.Code, Is.EqualTo("schema.contract_early"));
        Assert.That(await place.IsThereAsync(), Is.True);
        Assert.That(await place.ScalarAsync<long>("select count(*) from camino.schema_contracts"), Is.Zero);
        Assert.That(await place.ContractAsync(Leftover), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task The_command_says_what_it_would_do_and_refuses_a_name_that_is_too_long()
    {
        await using var place = await Place.CreateAsync();
        using var configs = new Configs();
        var file = configs.Of("Async");
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal) { ["CAMINO_Database__ConnectionString"] = place.ConnectionString };

        var (asked, ran, tooLong, alone) = (
            await CaminoProcess.RunAsync(variables, "migrate", "--contract", "--dry-run", "--config", file),
            await CaminoProcess.RunAsync(variables, "migrate", "--contract", "--by", "test", "--config", file),
            await CaminoProcess.RunAsync(variables, "migrate", "--contract", "--by", new string('x', 101), "--config", file),
            await CaminoProcess.RunAsync(variables, "migrate", "--dry-run", "--config", file));

        Assert.That((asked.Code, ran.Code), Is.EqualTo((0, 0)), $"{asked}\n{ran}");
        Assert.That(asked.Output, Does.Contain("nothing to take away"));
        Assert.That(tooLong.Error, Does.Contain("--by has 101 characters; it may have 100."));
        Assert.That(alone.Error, Does.Contain("--dry-run and --by go with --contract."));
    }

    /// <summary>A migrated database with one table that only an older release needs.</summary>
    private sealed class Place(TestDatabase database, NpgsqlDataSource source) : IAsyncDisposable
    {
        public NpgsqlDataSource Source => source;

        public string ConnectionString => database.ConnectionString;

        public static async Task<Place> CreateAsync()
        {
            var database = await TestDatabase.CreateAsync("empty", _ => Task.CompletedTask);
            var source = NpgsqlDataSource.Create(database.ConnectionString);
            await Migrator.MigrateAsync(source, options => Camino.Host.Database.Configure(options, source), CancellationToken.None);
            var place = new Place(database, source);
            await place.RunAsync("create table camino.leftover (id bigint)");
            return place;
        }

        public Task<IReadOnlyList<string>> ContractAsync(ContractStep step) => Contractor.RunAsync(source, [step], "test", new MigratorOptions(), CancellationToken.None);

        public Task<bool> IsThereAsync() => ScalarAsync<bool>("select to_regclass('camino.leftover') is not null");

        public Task ProcessAsync(long release, int schemaNewest) => RunAsync(
            $"""
            insert into camino.processes (id, release_number, release, role, host, pid, address, takes_work, schema_oldest, schema_newest, state)
            values (gen_random_uuid(), {release}, 'three', 'Async', 'there', 1, '', true, 1, {schemaNewest}, 'serving')
            """);

        public async Task MoveAsync(Func<MoveFence, Task> move)
        {
            var options = new DbContextOptionsBuilder<CaminoDb>();
            Camino.Host.Database.Configure(options, source);
            await using var db = new CaminoDb(options.Options);
            await move(new MoveFence(db, TimeProvider.System));
        }

        public async Task RunAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        public async Task<T?> ScalarAsync<T>(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (T?)await command.ExecuteScalarAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await source.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
