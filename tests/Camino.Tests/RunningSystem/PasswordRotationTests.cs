using Camino.Host.Configuration;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>A password changes while connections are made all the time: nobody notices, nothing is started again.</summary>
[Parallelizable]
public sealed class PasswordRotationTests
{
    [Test]
    public async Task A_password_rotated_twice_under_load_needs_no_restart_and_refuses_nobody_but_who_signs_in_at_that_instant()
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
            var refused = 0;
            var load = Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
            {
                while (!stop.IsCancellationRequested)
                {
                    try
                    {
                        await RunAsync(source, "select 1");
                    }
                    catch (PostgresException instant) when (instant.SqlState == PostgresErrorCodes.InvalidPassword)
                    {
                        // the server had read the old password before the change, and the new one was tried after it
                        Interlocked.Increment(ref refused);
                        continue;
                    }

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
            Assert.That(refused, Is.LessThanOrEqualTo(6), "at most one sign-in of each of the three at each of the two changes");
            source.Clear();
            await RunAsync(administrator, $"drop role {user}");
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
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
