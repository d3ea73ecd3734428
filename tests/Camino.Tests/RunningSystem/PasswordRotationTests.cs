using Camino.Data;
using Camino.Host;
using Camino.Host.Configuration;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>A password changes while connections are made all the time: nobody notices, nothing is started again.</summary>
[Parallelizable]
public sealed class PasswordRotationTests
{
    [Test]
    public async Task A_password_rotated_twice_under_load_needs_no_restart_and_refuses_nobody()
    {
        await using var database = await OwnedDatabase.CreateAsync(migrated: false);
        var secrets = Directory.CreateTempSubdirectory("camino-secrets-").FullName;
        try
        {
            await using var administrator = NpgsqlDataSource.Create(database.Administrator);
            var user = $"camino_rotated_{Environment.ProcessId}";
            await RunAsync(administrator, $"create role {user} login password 'first one' in role camino_web");
            await File.WriteAllTextAsync(Path.Combine(secrets, "Database__Password"), "first one\n");
            var settings = new HostSettings
            {
                Role = Role.BackOffice,
                SecretsFolder = secrets,
                Database = new DatabaseSettings { ConnectionString = new NpgsqlConnectionStringBuilder(database.Of(user)) { Password = null, Pooling = true, ConnectionLifetime = 1 }.ConnectionString, MaxPoolSize = 4 },
            };
            await using var source = Camino.Host.Database.Connect(settings, "rotation");
            using var stop = new CancellationTokenSource();
            var asked = 0;
            var load = Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
            {
                var options = new DbContextOptionsBuilder<CaminoDb>();
                Camino.Host.Database.Configure(options, source);
                await using var db = new CaminoDb(options.Options);
                while (!stop.IsCancellationRequested)
                {
                    await db.Database.ExecuteSqlAsync($"select 1"); // a refused sign-in ends the load, and the test
                    if (Interlocked.Increment(ref asked) % 5 == 0)
                        source.Clear(); // the next one is a new connection
                }
            }));

            foreach (var next in new[] { "second one", "third one" })
            {
                await File.WriteAllTextAsync(Path.Combine(secrets, "Database__PasswordNext"), next);
                await RunAsync(administrator, $"alter role {user} password '{next}'");
                var since = Volatile.Read(ref asked);
                await UntilAsync(() => Volatile.Read(ref asked) > since + 30 || load.IsCompleted);
                File.Move(Path.Combine(secrets, "Database__PasswordNext"), Path.Combine(secrets, "Database__Password"), overwrite: true);
                since = Volatile.Read(ref asked);
                await UntilAsync(() => Volatile.Read(ref asked) > since + 30 || load.IsCompleted);
            }

            await stop.CancelAsync();
            await load;
            Assert.That(asked, Is.GreaterThan(120));
            source.Clear();
            await RunAsync(administrator, $"drop role {user}");
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
    }

    [TestCase("GET", 200, 2)]
    [TestCase("POST", 500, 1)]
    public async Task What_a_page_reads_is_read_again_when_a_sign_in_was_refused_and_what_it_writes_is_not(string method, int status, int times)
    {
        var asked = 0;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.UseMiddleware<ReadAgain>();
        app.Run(_ => Interlocked.Increment(ref asked) == 1
            ? throw new InvalidOperationException("as EF wraps it", new PostgresException("password authentication failed", "FATAL", "FATAL", PostgresErrorCodes.InvalidPassword))
            : Task.CompletedTask);
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri("/", UriKind.Relative));
        using var answer = await client.SendAsync(request);

        Assert.That(((int)answer.StatusCode, asked), Is.EqualTo((status, times)));
    }

    private static async Task RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition())
            await Task.Delay(20, limit.Token);
    }
}
