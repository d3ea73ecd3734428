using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Camino.Jobs;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>A fixed rate of jobs for a long time, with a report query held open in the middle of it: what it does to the table, and to the waits.</summary>
internal sealed class SoakBench(Report report, string connectionString, int perSecond, TimeSpan time)
{
    private const int Rows = 12;
    private readonly BenchProbe _probe = new();

    public static Command Verb()
    {
        var minutes = new Option<double>("--minutes") { Description = "How long, 1 to 1,440; 30 by default, 2 with --quick.", DefaultValueFactory = _ => 0 };
        var rate = new Option<int>("--rate") { Description = "Jobs enqueued in a second, 1 to 2,000.", DefaultValueFactory = _ => 200 };
        minutes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not 0 and (< 1 or > 1440))
                result.AddError("--minutes must be 1 to 1,440.");
        });
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 2000)
                result.AddError("--rate must be 1 to 2,000.");
        });
        return BenchVerb.Create(
            "soak", "A fixed rate of jobs while a report query is held open: dead rows and waits over time.",
            (report, parsed, ct) => RunAsync(report, parsed.GetValue(minutes) is > 0 and var given ? given : report.Quick ? 2 : 30, parsed.GetValue(rate), ct), minutes, rate);
    }

    private static async Task RunAsync(Report report, double minutes, int perSecond, CancellationToken ct)
    {
        await using var server = await QueueServer.StartAsync(report, ct);
        report.Remark($"Server: {server.Description}, fsync on; {perSecond} jobs a second for {Figure.Show(minutes)} minutes, history kept.");
        await new SoakBench(report, await server.NewDatabaseAsync(ct), perSecond, TimeSpan.FromMinutes(minutes)).RunAsync(ct);
    }

    private async Task RunAsync(CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 10 });
        await using (var install = await source.OpenConnectionAsync(ct))
            await JobSchema.InstallAsync(install, ct: ct);
        using var host = QueueHost.Make(connectionString, new JobServerOptions { ServerName = "soak", Queues = [new() { Name = JobQueues.Urgent, ReservedSlots = 1 }, new() { Name = JobQueues.Bulk }] }, _probe);
        await host.StartAsync(ct);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var feeding = FeedAsync(source, over.Token);
        try
        {
            await WatchAsync(source, ct);
        }
        finally
        {
            await over.CancelAsync();
            await feeding;
            await host.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>Three parts: without a report (a sixth), with one held open (two thirds), after it (a sixth).</summary>
    private async Task WatchAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        await using var pings = await source.OpenConnectionAsync(ct);
        var writer = new JobWriter(new JobClientOptions());
        NpgsqlConnection? held = null;
        NpgsqlTransaction? snapshot = null;
        var started = Stopwatch.GetTimestamp();
        try
        {
            for (var row = 1; row <= Rows; row++)
            {
                if (row == Rows / 6 + 1)
                {
                    held = await source.OpenConnectionAsync(ct);
                    snapshot = await held.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
                    await using var read = new NpgsqlCommand("SELECT count(*) FROM jobs.finished", held, snapshot);
                    await read.ExecuteScalarAsync(ct);
                }
                if (row == Rows - Rows / 6 + 1 && held is not null)
                    await EndReportAsync();
                var waits = await PingAsync(pings, writer, started + (long)(time.TotalSeconds * row / Rows * Stopwatch.Frequency), ct);
                await AddRowAsync(source, row, waits, held is not null, ct);
            }
        }
        finally
        {
            await EndReportAsync();
        }

        async Task EndReportAsync()
        {
            if (snapshot is not null)
                await snapshot.DisposeAsync();
            if (held is not null)
                await held.DisposeAsync();
            (held, snapshot) = (null, null);
        }
    }

    private async Task<List<double>> PingAsync(NpgsqlConnection connection, JobWriter writer, long until, CancellationToken ct)
    {
        var waits = new List<double>();
        while (Stopwatch.GetTimestamp() < until)
        {
            await Task.Delay(40 + Random.Shared.Next(20), ct);
            var began = _probe.ExpectPing();
            var asked = Stopwatch.GetTimestamp();
            await writer.EnqueueAsync(connection, transaction: null, new Ping(0), ct: ct);
            waits.Add(Stopwatch.GetElapsedTime(asked, await began.WaitAsync(TimeSpan.FromMinutes(1), ct)).TotalMilliseconds);
        }
        waits.Sort();
        return waits;
    }

    private async Task AddRowAsync(NpgsqlDataSource source, int row, List<double> waits, bool held, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            SELECT n_dead_tup, pg_relation_size('jobs.job'), pg_relation_size('jobs.job_ready'), (SELECT count(*) FROM jobs.job), (SELECT count(*) FROM jobs.finished)
            FROM pg_stat_user_tables WHERE relid = 'jobs.job'::regclass
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var minutes = time.TotalMinutes * row / Rows;
        var at = string.Create(CultureInfo.InvariantCulture, $"{minutes:0.0} min{(held ? ", report open" : "")}");
        report.Add(new Figure($"p50.{row}", $"{at}: urgent pick-up p50", OpenLoop.Percentile(waits, 50), "ms", $"p99 {Figure.Show(OpenLoop.Percentile(waits, 99))} ms of {waits.Count} samples"));
        report.Add(new Figure($"dead.{row}", "  dead rows in jobs.job", reader.GetInt64(0), "", string.Create(CultureInfo.InvariantCulture, $"table {reader.GetInt64(1) / 1e6:0.0} MB, claim index {reader.GetInt64(2) / 1e6:0.0} MB, {reader.GetInt64(3)} waiting, {reader.GetInt64(4):#,0} finished")));
        report.Say($"{at}: p50 {Figure.Show(OpenLoop.Percentile(waits, 50))} ms, {reader.GetInt64(0):#,0} dead rows");
    }

    /// <summary>When the clock says so, and not when the last answer came.</summary>
    private async Task FeedAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var writer = new JobWriter(new JobClientOptions());
        await using var connection = await source.OpenConnectionAsync(CancellationToken.None);
        var started = Stopwatch.GetTimestamp();
        for (var number = 0; !ct.IsCancellationRequested; number++)
        {
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), started + (long)number * Stopwatch.Frequency / perSecond);
            if (wait > TimeSpan.FromMilliseconds(1))
                await Task.Delay(wait, CancellationToken.None);
            await writer.EnqueueAsync(connection, transaction: null, new Noop(number), ct: CancellationToken.None);
        }
    }
}
