using System.Diagnostics;
using System.Globalization;
using Camino.Jobs;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>
/// What more servers bring and cost: jobs that wait (as those do that ask others) with 1, 2 and 4 Async Servers beside what so many slots could do at best; then as many
/// simulated servers as 200, each the whole engine with connections of its own, idle and at work.
/// </summary>
internal sealed class ScaleBench(Report report, QueueServer server)
{
    private const int Slots = 8;
    private const int SimulatedSlots = 2;
    private const int Milliseconds = 50;
    private const double LeastOfPerfect = 0.8;
    private const int MostConnections = 1_500;

    private readonly BenchProbe _probe = new();
    private readonly JobWriter _writer = new(new JobClientOptions());

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var server = await QueueServer.StartAsync(report, ct, MostConnections);
        report.Remark($"Server: {server.Description}, fsync on.");
        var bench = new ScaleBench(report, server);
        foreach (var servers in new[] { 1, 2, 4 })
            await bench.WorkAsync(servers, ct);
        foreach (var servers in report.Quick ? new[] { 1, 10, 20 } : [1, 10, 50, 100, 200])
            await bench.SimulateAsync(servers, ct);
        report.Remark($"Work: jobs of {Milliseconds} ms without processor time, {Slots} slots a server. Simulated servers have {SimulatedSlots} slots, and share this process and the machine's {Environment.ProcessorCount} cores with PostgreSQL: more of them add claimers, signs of life and listeners, not processors.");
    }

    private async Task WorkAsync(int servers, CancellationToken ct)
    {
        report.Say($"{servers} at work");
        var connectionString = await server.NewDatabaseAsync(ct);
        await using var source = await InstallAsync(connectionString, ct);
        var jobs = servers * Slots * (report.Quick ? 60 : 200);
        await using (var connection = await source.OpenConnectionAsync(ct))
            await _writer.EnqueueManyAsync(connection, transaction: null, Enumerable.Repeat(new Slow(Milliseconds), jobs), ct: ct);
        var all = _probe.ExpectNoops(jobs);
        var started = Stopwatch.GetTimestamp();
        var hosts = await StartAsync(connectionString, servers, Slots, ct);
        await all.WaitAsync(TimeSpan.FromMinutes(5), ct);
        var perSecond = jobs / Stopwatch.GetElapsedTime(started).TotalSeconds;
        await StopAsync(hosts);
        var perfect = servers * Slots * 1000.0 / Milliseconds;
        report.Add(new Figure($"work.{servers}", string.Create(CultureInfo.InvariantCulture, $"{servers} Async Server{(servers == 1 ? "" : "s")}, start included"), perSecond, "jobs/s"));
        report.Add(new Figure($"work.{servers}.part", "  as a part of what the slots could do at best", perSecond / perfect, "x", string.Create(CultureInfo.InvariantCulture, $"{perfect:0} jobs/s")) { AtLeast = LeastOfPerfect });
    }

    private async Task SimulateAsync(int servers, CancellationToken ct)
    {
        report.Say($"{servers} simulated");
        var connectionString = await server.NewDatabaseAsync(ct);
        await using var source = await InstallAsync(connectionString, ct);
        var hosts = await StartAsync(connectionString, servers, SimulatedSlots, ct);
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await PingAsync(connection, 20, ct);
            var before = await server.SpentAsync(null, ct);
            var started = Stopwatch.GetTimestamp();
            await Task.Delay(TimeSpan.FromSeconds(report.Quick ? 4 : 20), ct);
            var idle = await server.SpentAsync(null, ct) - before;
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var waits = await PingAsync(connection, report.Quick ? 60 : 300, ct);

            var jobs = report.Quick ? 4_000 : 20_000;
            await _writer.EnqueueManyAsync(connection, transaction: null, Enumerable.Range(0, jobs).Select(number => new Noop(number)), ct: ct);
            var ran = _probe.Ran;
            var drain = Stopwatch.GetTimestamp();
            while (_probe.Ran < ran + jobs - (jobs / 10))
                await Task.Delay(10, ct);
            var perSecond = (_probe.Ran - ran) / Stopwatch.GetElapsedTime(drain).TotalSeconds;
            var connections = await server.ConnectionsAsync(ct);
            while (await LeftAsync(source, ct) > 0)
                await Task.Delay(20, ct);

            report.Add(new Figure($"{servers}.p50", string.Create(CultureInfo.InvariantCulture, $"{servers} simulated: urgent pick-up p50"), OpenLoop.Percentile(waits, 50), "ms", $"p99 {Figure.Show(OpenLoop.Percentile(waits, 99))} ms"));
            report.Add(new Figure($"{servers}.claims", "  no-op jobs, claimed and finished", perSecond, "jobs/s"));
            report.Add(new Figure($"{servers}.connections", "  connections at work", connections, "", string.Create(CultureInfo.InvariantCulture, $"{connections / (double)servers:0.0} a server")));
            report.Add(new Figure($"{servers}.idle", "  statements a second when idle", idle.Statements / seconds, "", string.Create(CultureInfo.InvariantCulture, $"PostgreSQL {100 * idle.ServerSeconds / seconds:0} % of a core")));
            report.Check($"{servers} simulated: every job is finished once", await CountAsync(source, "select count(*) from jobs.finished where kind = 'bench.noop' and state = 'done'", ct) == jobs);
        }
        finally
        {
            await StopAsync(hosts);
        }
    }

    private static async Task<NpgsqlDataSource> InstallAsync(string connectionString, CancellationToken ct)
    {
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 5 });
        await using var install = await source.OpenConnectionAsync(ct);
        await JobSchema.InstallAsync(install, ct: ct);
        return source;
    }

    private async Task<List<IHost>> StartAsync(string connectionString, int servers, int slots, CancellationToken ct)
    {
        var hosts = new List<IHost>();
        for (var number = 1; number <= servers; number++)
        {
            var host = QueueHost.Make(connectionString, new JobServerOptions { ServerName = string.Create(CultureInfo.InvariantCulture, $"scale {number}"), Slots = slots, GraceSeconds = 1, Queues = [new() { Name = JobQueues.Urgent, ReservedSlots = 1 }, new() { Name = JobQueues.Default }, new() { Name = JobQueues.Bulk }] }, _probe);
            await host.StartAsync(ct);
            hosts.Add(host);
        }

        return hosts;
    }

    private static Task StopAsync(List<IHost> hosts) => Task.WhenAll(hosts.Select(async host =>
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }));

    private async Task<List<double>> PingAsync(NpgsqlConnection connection, int samples, CancellationToken ct)
    {
        var waits = new List<double>();
        for (var sample = 0; sample < samples; sample++)
        {
            await Task.Delay(10 + Random.Shared.Next(20), ct);
            var began = _probe.ExpectPing();
            var asked = Stopwatch.GetTimestamp();
            await _writer.EnqueueAsync(connection, transaction: null, new Ping(0), ct: ct);
            waits.Add(Stopwatch.GetElapsedTime(asked, await began.WaitAsync(TimeSpan.FromMinutes(1), ct)).TotalMilliseconds);
        }

        waits.Sort();
        return waits;
    }

    private static Task<long> LeftAsync(NpgsqlDataSource source, CancellationToken ct) => CountAsync(source, "select count(*) from jobs.job where kind like 'bench.%'", ct);

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(ct) is long count ? count : 0;
    }
}
