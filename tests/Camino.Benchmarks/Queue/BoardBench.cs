using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Camino.Jobs;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>What the job board asks, at 10,000,000 jobs: each list, search and figure, beside a bare page by primary key.</summary>
internal sealed class BoardBench(Report report, string connectionString, int rows)
{
    private const int Runs = 15;

    /// <summary>Of which one in ten waits and one in a thousand of the rest failed; ids and times grow together, as they do in life.</summary>
    private const string Fill =
        """
        INSERT INTO jobs.job (id, due_at, enqueued_at, max_attempts, queue, kind, args, requested_by)
        SELECT bench_id(t, 'w' || n), t, t, 3, (ARRAY['urgent', 'default', 'bulk', 'bulk', 'bulk'])[1 + n % 5], 'kind.' || n % 20, jsonb_build_object('name', 'waiting ' || n), 'user ' || n % 50
        FROM generate_series(1, $1::int) n, LATERAL (SELECT now() - make_interval(secs => ($1::int - n) / 10.0) AS t) d;
        INSERT INTO jobs.finished (id, due_at, enqueued_at, started_at, finished_at, version, attempt, max_attempts, state, queue, kind, args, requested_by, error)
        SELECT bench_id(t, 'f' || n), t, t, t, t, 1, 1, 3, CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'done' END, 'bulk', CASE WHEN n % 5000 = 0 THEN 'kind.rare' ELSE 'kind.' || n % 20 END,
               jsonb_build_object('name', 'finished ' || n), 'user ' || n % 50, CASE WHEN n % 1000 = 0 THEN 'TimeoutException: no answer from host ' || n % 7 END
        FROM generate_series(1, $2::int) n, LATERAL (SELECT now() - interval '1 day' - make_interval(secs => ($2::int - n) / 10.0) AS t) d;
        INSERT INTO jobs.tag (tag, job_id) SELECT 'rare', id FROM jobs.finished WHERE kind = 'kind.rare'
        """;

    private const string Id =
        """
        CREATE FUNCTION bench_id(t timestamptz, salt text) RETURNS uuid LANGUAGE sql STABLE AS
        $f$ SELECT (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '7' || substr(md5(salt), 1, 3) || '8' || substr(md5(salt), 4, 15))::uuid $f$
        """;

    public static Command Verb()
    {
        var rows = new Option<int>("--rows") { Description = "Jobs in the tables, 10,000 to 50,000,000; 10,000,000 by default, 200,000 with --quick." };
        rows.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is not 0 and (< 10_000 or > 50_000_000))
                result.AddError("--rows must be 10,000 to 50,000,000.");
        });
        return BenchVerb.Create(
            "board", "What the job board asks, at 10,000,000 jobs, beside a bare page by primary key.",
            (report, parsed, ct) => RunAsync(report, parsed.GetValue(rows) is > 0 and var given ? given : report.Quick ? 200_000 : 10_000_000, ct), rows);
    }

    private static async Task RunAsync(Report report, int rows, CancellationToken ct)
    {
        await using var server = await QueueServer.StartAsync(report, ct);
        report.Remark($"Server: {server.Description}; {rows.ToString("#,0", CultureInfo.InvariantCulture)} jobs, one in ten waits, one in a thousand of the others failed. Median and longest of {Runs.ToString(CultureInfo.InvariantCulture)} runs each.");
        await new BoardBench(report, await server.NewDatabaseAsync(ct), rows).RunAsync(ct);
    }

    private async Task RunAsync(CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 4, CommandTimeout = 3600 });
        await using (var install = await source.OpenConnectionAsync(ct))
            await JobSchema.InstallAsync(install, ct: ct);
        report.Say("filling the tables");
        await ExecuteAsync(source, Id, ct);
        var waiting = rows / 10;
        await ExecuteAsync(source, Fill.Replace("$1", waiting.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("$2", (rows - waiting).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), ct);
        await ExecuteAsync(source, "VACUUM ANALYZE", ct);

        var store = new JobStore(source, new JobClientOptions());
        var bare = await TimeAsync("bare", "bare: 50 ids by primary key", null, () => BareAsync(source, ct));
        await TimeAsync("queues", "figures of the queues", bare, () => store.QueueFiguresAsync(ct));
        await TimeAsync("causes", "errors by cause", bare, () => store.CausesAsync(ct));
        await ListAsync("all", "newest of all", new JobFilter());
        await ListAsync("failed", "failed", new JobFilter(JobState.Failed));
        await ListAsync("ready", "waiting of a queue", new JobFilter(JobState.Waiting, "bulk"));
        await ListAsync("kind", "a common kind", new JobFilter(Kind: "kind.7"));
        await ListAsync("rare", "a rare kind", new JobFilter(Kind: "kind.rare"));
        await ListAsync("tag", "a rare tag", new JobFilter { Tag = "rare" });
        await ListAsync("by", "asked for by one", new JobFilter { RequestedBy = "user 7" });
        await ListAsync("cause", "one cause of errors", new JobFilter(JobState.Failed) { Cause = (await store.CausesAsync(ct))[0].Cause });
        await ListAsync("text", "text of arguments that many have", new JobFilter { Text = "waiting 99" });
        await ListAsync("nowhere", "text that nobody has", new JobFilter { Text = "nobody has this" });
        await TimeAsync("count", "count of a common kind, up to 100,000 (dry run)", bare, () => store.CountAsync(new JobFilter(Kind: "kind.7"), ct));

        async Task ListAsync(string key, string what, JobFilter filter)
        {
            JobPage first = null!, deep = null!;
            await TimeAsync(key, $"{what}: first page", bare, async () => first = await store.ListAsync(filter, null, 50, ct));
            deep = first;
            for (var page = 2; page <= 20 && deep.Next is { } next; page++)
                deep = await store.ListAsync(filter, next, 50, ct);
            if (deep.Next is { } far)
                await TimeAsync($"{key}.deep", "  page 21", bare, () => store.ListAsync(filter, far, 50, ct));
        }
    }

    private async Task<double> TimeAsync(string key, string what, double? bare, Func<Task> ask)
    {
        await ask(); // the first run reads what none has read yet
        var took = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            var started = Stopwatch.GetTimestamp();
            await ask();
            took.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        took.Sort();
        var median = took[Runs / 2];
        report.Add(new Figure(key, what, median, "ms", string.Create(CultureInfo.InvariantCulture, $"longest {Figure.Show(took[^1])} ms{(bare is { } limit ? $", {median / limit:0.0} x bare" : "")}")));
        report.Say($"{what}: {Figure.Show(median)} ms");
        return median;
    }

    private static async Task BareAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        await using var command = source.CreateCommand("SELECT id FROM jobs.finished ORDER BY id DESC LIMIT 50");
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            _ = reader.GetGuid(0);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }
}
