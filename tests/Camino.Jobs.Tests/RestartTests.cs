using Camino.Host.Local;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>The database goes away under a server that works, and comes back on its old place.</summary>
internal sealed class RestartTests
{
    private const int Jobs = 300;

    [Test]
    [CancelAfter(180_000)]
    public async Task A_restart_of_the_database_in_the_middle_of_work_loses_no_job_and_doubles_no_effect(CancellationToken ct)
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("PostgreSQL is not started on Windows here.");
        var folder = Directory.CreateTempSubdirectory("camino-restart-").FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("755", 8)); // PostgreSQL may run as another user
        var options = new LocalPostgresOptions { Folder = Path.Combine(folder, "postgres"), PackageFolder = Path.Combine(Repository.Root ?? folder, ".camino", "postgres"), Say = TestContext.Out.WriteLine, ThrowAway = true };
        var postgres = await LocalPostgres.StartAsync(options, ct);
        try
        {
            var connectionString = postgres.ConnectionString("postgres");
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using (var install = await source.OpenConnectionAsync(ct))
            {
                await JobSchema.InstallAsync(install, ct: ct);
                await using var effect = new NpgsqlCommand("CREATE TABLE effect (job_id uuid NOT NULL)", install);
                await effect.ExecuteNonQueryAsync(ct);
                await new JobWriter(new JobClientOptions()).EnqueueManyAsync(install, transaction: null, Enumerable.Repeat(new Act("effect"), Jobs), new JobOptions { MaxAttempts = 50 }, ct);
            }

            var probe = new Probe().On("effect", async (job, stop) =>
            {
                await using var connection = await source.OpenConnectionAsync(stop);
                await using var transaction = await connection.BeginTransactionAsync(stop);
                await using var insert = new NpgsqlCommand("INSERT INTO effect VALUES ($1)", connection, transaction) { Parameters = { new() { Value = job.JobId } } };
                await insert.ExecuteNonQueryAsync(stop);
                await job.CompleteAsync(connection, transaction, result: null, stop);
                await transaction.CommitAsync(stop);
            });
            using var host = Bed.MakeHost(connectionString, connectionString, Bed.Options(), builder => builder.Services.AddSingleton(probe));
            await host.StartAsync(ct);
            await Bed.UntilAsync(async () => await CountAsync(source, "SELECT count(*) FROM effect") >= 20, () => "the work to begin", seconds: 60);

            await postgres.StopAsync(TimeSpan.FromSeconds(10));
            postgres = await LocalPostgres.StartAsync(options, ct);

            await Bed.UntilAsync(async () => await CountAsync(source, "SELECT count(*) FROM jobs.finished WHERE state = 'done'") == Jobs, () => "the work to end", seconds: 120);
            Assert.That(await CountAsync(source, "SELECT count(*) FROM effect"), Is.EqualTo(Jobs));
            Assert.That(await CountAsync(source, "SELECT count(DISTINCT job_id) FROM effect"), Is.EqualTo(Jobs));
            await host.StopAsync(ct);
        }
        finally
        {
            await postgres.StopAsync(TimeSpan.Zero);
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>-1 while nobody answers.</summary>
    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql)
    {
        try
        {
            await using var command = source.CreateCommand(sql);
            return await command.ExecuteScalarAsync() is long count ? count : -1;
        }
        catch (NpgsqlException)
        {
            return -1;
        }
    }
}
