using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;

namespace Camino.Jobs.Hangfire;

/// <summary>Hangfire's storage on Camino's own data source, and the options that its defaults are too bold for.</summary>
internal sealed class HangfireStorage(NpgsqlDataSource source, JobClientOptions client)
{
    /// <summary>The longest wait until due work is noticed: Hangfire is not woken, it looks.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// A worker's errand that is silent for so long is given to another, which finds the job's row taken, or free again after its server's lease. Extended while it runs.
    /// </summary>
    private static readonly TimeSpan Silent = TimeSpan.FromMinutes(1);

    public PostgreSqlStorage Storage { get; } = new(new Connections(source), new PostgreSqlStorageOptions
    {
        SchemaName = HangfireHandOver.Schema,
        PrepareSchemaIfNecessary = false, // that is the migrator's
        AllowDegradedModeWithoutStorage = false,
        InvisibilityTimeout = Silent,
        DistributedLockTimeout = Silent, // Hangfire's locks are rows that a killed process leaves behind; by default they stand in the way for ten minutes
        UseSlidingInvisibilityTimeout = true,
        QueuePollInterval = Look,
        EnableLongPolling = false, // a connection for each worker, and none of them behind a pooler
        EnableTransactionScopeEnlistment = false,
    });

    public Task NameQueuesAsync(JobServerOptions options, CancellationToken ct) =>
        HangfireHandOver.NameQueuesAsync(source, client.Schema, [.. options.Queues.Select(queue => queue.Name)], ct);

    /// <summary>The workers of one server: those that a queue reserves, which serve it alone, and the shared ones.</summary>
    public static IEnumerable<BackgroundJobServerOptions> Workers(JobServerOptions options)
    {
        var names = options.Queues.Select((queue, place) => HangfireHandOver.CarriedName(queue.Name, place)).ToArray();
        var shared = options.Slots - options.Queues.Sum(queue => queue.ReservedSlots);
        if (shared > 0)
            yield return Make(options, "", shared, names, isHelper: false);
        for (var place = 0; place < options.Queues.Count; place++)
        {
            if (options.Queues[place].ReservedSlots is > 0 and var reserved)
                yield return Make(options, $" {options.Queues[place].Name}", reserved, [names[place]], isHelper: shared > 0 || place > 0);
        }
    }

    private static BackgroundJobServerOptions Make(JobServerOptions options, string suffix, int workers, string[] queues, bool isHelper) => new()
    {
        ServerName = $"{options.ServerName} {options.Release}{suffix}",
        WorkerCount = workers,
        Queues = queues,
        IsLightweightServer = isHelper,
        SchedulePollingInterval = TimeSpan.FromSeconds(1),
        HeartbeatInterval = TimeSpan.FromSeconds(5),
        ServerCheckInterval = TimeSpan.FromSeconds(15),
        ServerTimeout = TimeSpan.FromMinutes(1),
        StopTimeout = TimeSpan.FromSeconds(options.GraceSeconds + 10),
        ShutdownTimeout = TimeSpan.FromSeconds(options.GraceSeconds + 15),
    };

    private sealed class Connections(NpgsqlDataSource source) : IConnectionFactory
    {
        public NpgsqlConnection GetOrCreateConnection() => source.CreateConnection();
    }
}
