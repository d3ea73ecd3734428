using Camino.Testing;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>A database of an earlier release takes each further step, with its jobs in it.</summary>
internal sealed class SchemaTests
{
    [Test]
    public async Task A_database_of_the_first_release_takes_every_step_and_keeps_its_jobs()
    {
        await using var database = await TestDatabase.CreateAsync("empty", _ => Task.CompletedTask);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await RunAsync(JobSchema.InstallSql(version: 2));
        await RunAsync("INSERT INTO jobs.job (id, max_attempts, queue, kind, args) VALUES (gen_random_uuid(), 3, 'default', 'test.act', '{}')");
        Assert.That(await JobSchema.InstalledVersionAsync(connection), Is.EqualTo(2));

        await RunAsync(JobSchema.InstallSql());
        Assert.That(await JobSchema.InstalledVersionAsync(connection), Is.EqualTo(JobSchema.Version));
        Assert.That((await new JobStore(source, new JobClientOptions()).ListAsync(new JobFilter())).Jobs, Has.Count.EqualTo(1));

        // An older release that installs once more must not pretend to be the newest.
        await RunAsync(JobSchema.InstallSql(version: 2));
        Assert.That(await JobSchema.InstalledVersionAsync(connection), Is.EqualTo(JobSchema.Version));

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    [TestCase(1)]
    [TestCase(JobSchema.Version + 1)]
    public void A_version_that_does_not_exist_is_refused(int version) =>
        Assert.That(() => JobSchema.InstallSql(version: version), Throws.ArgumentException.With.Message.Contains($"version is {version}; it must be 2 to {JobSchema.Version}"));
}
