using System.CommandLine;

namespace Camino.Benchmarks;

/// <summary>The queue beside the physical limit of its server and, when asked for, beside its peers: one durable server, one run.</summary>
internal sealed class QueueBench(Report report, QueueServer server, PgBenchLimit? limit, Contender engine, IReadOnlyList<Contender> peers, bool isHangfire)
{
    /// <summary>Hangfire does in a second what takes the other engines a few milliseconds.</summary>
    private const int HangfireIsSlower = 20;

    private const double LeastOfLimitDropped = 0.8;
    private const double LeastOfLimitKept = 0.65;
    private const double MostIdleMedian = 2;
    private const double MostIdleTail = 6;
    private const double MostUrgentTail = 10;
    private const int MostConnections = 6;
    private const double MostCommits = 0.1;
    private static readonly int[] LimitClients = [1, 2, 4];

    private int Drained => (report.Quick ? 40_000 : 200_000) / (isHangfire ? HangfireIsSlower : 1);

    private int Rounds => report.Quick ? 1 : 3;

    public static Command Verb()
    {
        var peers = new Option<bool>("--peers") { Description = "Also graphile-worker and pg-boss, installed from npm into artifacts/." };
        var engine = new Option<string>("--engine") { Description = "camino or hangfire; the second needs a build with JobEngine=Hangfire, and works off a twentieth of the jobs.", DefaultValueFactory = _ => "camino" };
        engine.AcceptOnlyFromAmong("camino", "hangfire");
        return BenchVerb.Create(
            "queue", "The job queue beside pgbench's limit and, with --peers, beside graphile-worker and pg-boss.",
            (report, parsed, ct) => RunAsync(report, parsed.GetValue(peers), parsed.GetValue(engine) == "hangfire", ct), peers, engine);
    }

    private static async Task RunAsync(Report report, bool withPeers, bool onHangfire, CancellationToken ct)
    {
        if (onHangfire && !QueueHost.HasHangfire)
            throw new BenchFailedException("this bench was built without Hangfire; run it as: JobEngine=Hangfire ./camino bench queue --engine hangfire");
        var peers = withPeers ? await QueuePeers.InstallAsync(report, ct) : [];
        var folder = Bed.NewFolder();
        try
        {
            await using var server = await QueueServer.StartAsync(report, ct);
            report.Remark($"Server: {server.Description}, fsync on. Every contender is a process of its own; processor time is the kernel's, of the contender and of all of PostgreSQL.");
            var limit = PgBenchLimit.Find(server, folder);
            if (limit is null)
                report.Remark("There is no pgbench on this machine, so the limit was not measured.");
            string[] worker = [Environment.ProcessPath ?? "dotnet", .. Self(), "queue-worker"];
            var engine = onHangfire ? new Contender("hangfire", "Hangfire", [.. worker, "--engine", "hangfire"], ForNode: false) : new Contender("camino", "Camino.Jobs", worker, ForNode: false);
            await new QueueBench(report, server, limit, engine, peers, onHangfire).RunAsync(ct);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>This program is started as `dotnet camino-bench.dll`; its children are too.</summary>
    private static string[] Self() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(QueueBench).Assembly.Location] : [];

    private async Task RunAsync(CancellationToken ct)
    {
        await DrainAsync(ct);
        await EnqueueAsync("single", "enqueue one by one", report.Quick ? 1_000 : 5_000, ct);
        await EnqueueAsync("threads", "enqueue one by one, 8 at once", report.Quick ? 4_000 : 20_000, ct);
        await EnqueueAsync("bulk", "enqueue in bulk", report.Quick ? 50_000 : 100_000, ct);
        await IdleAsync(ct);
        await UrgentAsync("urgent.noop", "urgent while 100,000 no-op jobs wait", 0, ct);
        await UrgentAsync("urgent.slow", "urgent while 100,000 jobs of 50 ms wait", 50, ct);
        report.Remark("Each rate is the best of its rounds, which were taken in turn. Commits are those that write; statements are as PostgreSQL counts them, BEGIN and COMMIT included.");
    }

    private async Task DrainAsync(CancellationToken ct)
    {
        var runs = new Dictionary<string, List<Measured>>(StringComparer.Ordinal);
        for (var round = 1; round <= Rounds; round++)
        {
            report.Say($"drain, round {round} of {Rounds}");
            foreach (var clients in limit is null ? [] : LimitClients)
            {
                Add("limit.dropped", await LimitAsync(Drained, 100, clients, keep: false, ct));
                Add("limit.kept", await LimitAsync(Drained, 100, clients, keep: true, ct));
            }
            Add("dropped", await engine.RunAsync(server, "drop", Drained, 0, ct));
            Add("kept", await engine.RunAsync(server, "drain", Drained, 0, ct));
            foreach (var peer in peers)
                Add(peer.Key, await peer.RunAsync(server, "drain", Drained, 0, ct));
        }
        if (limit is not null)
        {
            var single = await LimitAsync(report.Quick ? 2_000 : 10_000, 1, 4, keep: false, ct);
            report.Add(new Figure("limit.one", "limit: pgbench, claim and finish in batches of 1", single.PerSecond, "jobs/s", "4 connections"));
            AddLimit("limit.dropped", "limit: pgbench, batches of 100, rows dropped", Best("limit.dropped"));
            AddLimit("limit.kept", "limit: pgbench, batches of 100, history kept", Best("limit.kept"));
        }
        AddDrain("drain.dropped", $"drain {Drained:#,0} no-op jobs, rows dropped", Best("dropped"));
        AddRatio("drain.dropped.ratioToLimit", "  as a part of pgbench's, rows dropped", "dropped", "limit.dropped", Aim(LeastOfLimitDropped));
        AddDrain("drain.kept", $"drain {Drained:#,0} no-op jobs, history kept", Best("kept"));
        AddRatio("drain.kept.ratioToLimit", "  as a part of pgbench's, rows dropped", "kept", "limit.dropped", Aim(LeastOfLimitKept));
        AddRatio("drain.kept.ratioToKeptLimit", "  as a part of pgbench's, history kept", "kept", "limit.kept", least: null);
        foreach (var peer in peers)
            AddDrain($"{peer.Key}.drain", $"{peer.Name}: drain {Drained:#,0} no-op jobs", Best(peer.Key));
        AddAhead("drain.aheadOfPeers", "  dropped, beside the better peer", Best("dropped"), [.. peers.Select(peer => Best(peer.Key))]);
        AddAhead("drain.kept.aheadOfPeers", "  kept, beside the better peer", Best("kept"), [.. peers.Select(peer => Best(peer.Key))]);
        var kept = Best("kept");
        report.Add(new Figure("connections", "connections of one server, most", kept.Connections, "", "those of handlers not among them") { AtMost = Aim(MostConnections) });
        report.Add(new Figure("commits", "commits per plain job, history kept", kept.Spent.WritingCommits / (double)kept.Count, "") { AtMost = Aim(MostCommits) });
        report.Add(new Figure("statements", "statements per plain job, history kept", kept.Spent.Statements / kept.Count, ""));
        report.Add(new Figure("wal", "log written per plain job, history kept", kept.Spent.WalBytes / kept.Count, "bytes", $"limit {Figure.Show(limit is null ? double.NaN : Best("limit.kept").Spent.WalBytes / Drained)} bytes"));

        void Add(string key, Measured run)
        {
            if (!runs.TryGetValue(key, out var all))
                runs[key] = all = [];
            all.Add(run);
        }
        Measured Best(string key) => runs[key].MaxBy(run => run.PerSecond) ?? throw new BenchFailedException($"Nothing was measured for {key}.");
        void AddRatio(string key, string what, string ours, string against, double? least)
        {
            if (limit is not null)
                report.Add(new Figure(key, what, Best(ours).PerSecond / Best(against).PerSecond, "x", $"limit {Figure.Show(Best(against).PerSecond)} jobs/s") { AtLeast = least });
        }
    }

    private Task<Measured> LimitAsync(int jobs, int batch, int clients, bool keep, CancellationToken ct) =>
        limit?.RunAsync(jobs, batch, clients, keep, ct) ?? throw new BenchFailedException("There is no pgbench.");

    private void AddLimit(string key, string what, Measured run) =>
        report.Add(new Figure(key, what, run.PerSecond, "jobs/s", $"best of {string.Join(", ", LimitClients)} connections: {run.Connections}; PostgreSQL {Microseconds(run.Spent.ServerSeconds, run)} us a job"));

    private void AddDrain(string key, string what, Measured run)
    {
        report.Add(new Figure(key, what, run.PerSecond, "jobs/s", $"processor: own {Microseconds(run.Spent.ClientSeconds, run)}, PostgreSQL {Microseconds(run.Spent.ServerSeconds, run)} us a job"));
        report.Add(new Figure($"{key}.cpu", "  processor time per job, both", (run.Spent.ClientSeconds + run.Spent.ServerSeconds) / run.Count * 1e6, "us", $"{run.Connections} connections, {Figure.Show(run.Spent.WritingCommits / (double)run.Count)} commits, {Figure.Show(run.Spent.Statements / run.Count)} statements a job"));
    }

    private void AddAhead(string key, string what, Measured ours, List<Measured> others)
    {
        if (others.Count > 0)
            report.Add(new Figure(key, what, ours.PerSecond / others.Max(other => other.PerSecond), "x", string.Join(", ", peers.Zip(others, (peer, run) => $"{peer.Name} {Figure.Show(run.PerSecond)}"))) { AtLeast = Aim(1) });
    }

    private async Task EnqueueAsync(string operation, string what, int count, CancellationToken ct)
    {
        report.Say(what);
        var runs = new List<Measured>();
        var others = peers.Select(_ => new List<Measured>()).ToList();
        for (var round = 0; round < Rounds; round++)
        {
            runs.Add(await engine.RunAsync(server, operation, count, 0, ct));
            for (var at = 0; at < peers.Count; at++)
                others[at].Add(await peers[at].RunAsync(server, operation, count, 0, ct));
        }
        var ours = runs.MaxBy(run => run.PerSecond) ?? throw new BenchFailedException("Nothing was measured.");
        var best = others.ConvertAll(list => list.MaxBy(run => run.PerSecond) ?? throw new BenchFailedException("Nothing was measured."));
        report.Add(new Figure($"enqueue.{operation}", $"{what}, {count:#,0}", ours.PerSecond, "jobs/s", $"processor: own {Microseconds(ours.Spent.ClientSeconds, ours)}, PostgreSQL {Microseconds(ours.Spent.ServerSeconds, ours)} us a job"));
        AddAhead($"enqueue.{operation}.aheadOfPeers", "  beside the better peer", ours, best);
        if (operation == "bulk")
            report.Add(new Figure("diskPerJob", "bytes on disk per waiting job, with indexes", ours.Spent.DatabaseBytes / (double)count, "bytes", string.Join(", ", peers.Zip(best, (peer, run) => $"{peer.Name} {Figure.Show(run.Spent.DatabaseBytes / (double)count)}"))));
    }

    private async Task IdleAsync(CancellationToken ct)
    {
        report.Say("pick-up on an idle server");
        var samples = report.Quick ? 150 : 500;
        var floor = await engine.RunAsync(server, "floor", samples, 0, ct);
        var ours = await engine.RunAsync(server, "idle", samples, 0, ct);
        var others = new List<Measured>();
        foreach (var peer in peers)
            others.Add(await peer.RunAsync(server, "idle", samples, 0, ct));
        report.Add(new Figure("idle.floor", "insert with NOTIFY until a listener has it, p50", floor.Percentile(50), "ms", $"p95 {Figure.Show(floor.Percentile(95))}, p99 {Figure.Show(floor.Percentile(99))} ms"));
        AddWaits("idle", "pick-up on an idle server", ours, others, Aim(MostIdleMedian), Aim(MostIdleTail));
    }

    private async Task UrgentAsync(string key, string what, int milliseconds, CancellationToken ct)
    {
        report.Say(what);
        var samples = report.Quick ? 100 : 400;
        var ours = await engine.RunAsync(server, "urgent", samples, milliseconds, ct);
        var others = new List<Measured>();
        foreach (var peer in peers)
            others.Add(await peer.RunAsync(server, "urgent", samples, milliseconds, ct));
        AddWaits(key, what, ours, others, mostMedian: null, Aim(MostUrgentTail));
        report.Add(new Figure($"{key}.bulk", "  bulk jobs that ran meanwhile", ours.BulkPerSecond, "jobs/s", string.Join(", ", peers.Zip(others, (peer, run) => $"{peer.Name} {Figure.Show(run.BulkPerSecond)}"))));
    }

    private void AddWaits(string key, string what, Measured ours, List<Measured> others, double? mostMedian, double? mostTail)
    {
        Add(50, mostMedian);
        Add(95, most: null);
        Add(99, mostTail);
        void Add(int percent, double? most) => report.Add(new Figure(
            $"{key}.p{percent}", percent == 50 ? $"{what}, p50" : $"  p{percent}", ours.Percentile(percent), "ms", string.Join(", ", peers.Zip(others, (peer, run) => $"{peer.Name} {Figure.Show(run.Percentile(percent))}")))
        { AtMost = most });
    }

    /// <summary>The aims are those of the own engine.</summary>
    private double? Aim(double aim) => isHangfire ? null : aim;

    private static string Microseconds(double seconds, Measured run) => Figure.Show(seconds / run.Count * 1e6);
}
