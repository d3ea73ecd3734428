using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Jobs.Tests;

/// <summary>What operators see and decide: figures by the minute, alarms, keeping, quiet servers.</summary>
internal sealed class WatchTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task What_went_through_a_queue_is_told_by_the_minute_on_all_servers_together()
    {
        using var metrics = new JobMetrics(factory: null);
        var upkeep = Upkeep(metrics, out var me);
        await RegisterAsync(me);
        for (var n = 1; n <= 100; n++)
            metrics.Ran("bulk", TimeSpan.FromMilliseconds(n));
        metrics.Done("bulk");
        metrics.Retried("bulk");
        await upkeep.WriteFlowAsync(me, CancellationToken.None);
        metrics.Done("bulk");
        metrics.Failed("bulk");
        await upkeep.WriteFlowAsync(me, CancellationToken.None);
        var other = me with { Id = Guid.CreateVersion7() };
        metrics.Done("bulk");
        await upkeep.WriteFlowAsync(other, CancellationToken.None);
        await _bed.EnqueueAsync(new Act("waits"), new JobOptions { Queue = "bulk" });
        await _bed.Store.AddDepthAsync(await _bed.Store.QueueFiguresAsync(), CancellationToken.None);

        var samples = (await _bed.Store.SamplesAsync(TimeSpan.FromHours(1))).Where(sample => sample.Queue == "bulk").ToList();
        Assert.That((samples.Sum(sample => sample.Done), samples.Sum(sample => sample.Failed), samples.Sum(sample => sample.Retried)), Is.EqualTo((3, 1, 1)));
        Assert.That(samples.Max(sample => sample.Ready), Is.EqualTo(1));
        var run = samples.Single(sample => sample.Run.P50 is not null).Run;
        Assert.That(run.P50, Is.EqualTo(0.05).Within(0.02));
        Assert.That(run.P99, Is.EqualTo(0.1).Within(0.02));
        Assert.That(metrics.Flow.Turn().Values.All(counts => counts.IsEmpty), Is.True, "what was stored is not stored again");
    }

    [Test]
    public void Percentiles_are_told_to_the_width_of_their_class()
    {
        var classes = new int[JobFlow.Ends.Length + 1];
        Assert.That(JobFlow.Quantile(classes, 0.5), Is.Null);
        classes[3] = 99;
        classes[9] = 1;
        Assert.That(JobFlow.Quantile(classes, 0.5), Is.EqualTo(0.0075).Within(0.001));
        Assert.That(JobFlow.Quantile(classes, 0.99), Is.EqualTo(0.01).Within(0.0001));
        Assert.That(JobFlow.Quantile(classes, 1), Is.EqualTo(1));
    }

    [Test]
    public async Task Percentiles_are_metrics_of_each_queue()
    {
        using var metrics = new JobMetrics(factory: null);
        metrics.Ran("bulk", TimeSpan.FromSeconds(3));
        metrics.Flow.Turn();
        var seen = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == JobTelemetry.Name && instrument.Name == "camino.jobs.run.quantile")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => seen.Add($"{tags[0].Value} {tags[1].Value} {value is > 2 and <= 5}"));
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.That(seen, Is.SupersetOf(new[] { "bulk 0.5 True", "bulk 0.95 True", "bulk 0.99 True" }));
        await Task.CompletedTask;
    }

    [Test]
    public async Task An_alarm_is_raised_once_stays_while_its_trouble_lasts_and_is_cleared()
    {
        using var metrics = new JobMetrics(factory: null);
        var upkeep = Upkeep(metrics, out var me);
        await RegisterAsync(me);
        var id = await _bed.EnqueueAsync(new FromTomorrow(1));
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '2 minutes'");
        await WatchAsync(upkeep);
        await WatchAsync(upkeep);

        var alarm = (await _bed.Store.AlarmsAsync()).Single();
        Assert.That((alarm.Name, alarm.Subject, alarm.Value), Is.EqualTo(("unserved", "default/test.from-tomorrow", 1.0)));
        Assert.That(alarm.Message, Does.Contain("no living server can run them"));
        Assert.That(_bed.Log.Lines.Count(line => line.Event == 1035), Is.EqualTo(1));

        await _bed.Store.RequestCancelAsync(id, "user-1", reason: null);
        await WatchAsync(upkeep);
        Assert.That(await _bed.Store.AlarmsAsync(), Is.Empty);
        Assert.That((await _bed.Store.AlarmsAsync(cleared: true)).Single().ClearedAt, Is.Not.Null);
        Assert.That(_bed.Log.Lines.Count(line => line.Event == 1040), Is.EqualTo(1));
    }

    [Test]
    public async Task Each_trouble_has_its_alarm()
    {
        using var metrics = new JobMetrics(factory: null);
        var upkeep = Upkeep(metrics, out var me, options =>
        {
            options.Alarms.HorizonSeconds = 0;
            options.Alarms.DeadTuples = 10;
            options.Alarms.RetriesInFiveMinutes = 10;
        });
        await RegisterAsync(me);
        await _bed.EnqueueAsync(new Act("old"), new JobOptions { Queue = "urgent" });
        await _bed.EnqueueAsync(new Act("old"), new JobOptions { Queue = "default" });
        await _bed.Store.PauseQueueAsync("default", "user-1");
        await _bed.RunAsync($$"""
            UPDATE jobs.job SET due_at = due_at - interval '50 seconds';
            UPDATE jobs.server SET listening = false, started_at = now() - interval '5 minutes', queues = ARRAY['urgent', 'default'], targets = ARRAY[30, 30];
            INSERT INTO jobs.flow VALUES (date_trunc('minute', now()), 'bulk', '{{me.Id}}', 3, 0, 40, 0, ARRAY[]::integer[], ARRAY[]::integer[]);
            INSERT INTO jobs.recurring (name, kind, version, queue, max_attempts, args, cron, zone, closed, misfire, window_seconds, overlap, number, next_at)
            VALUES ('test.late', 'test.act', 1, 'default', 1, '{}', '@daily', 'UTC', 'skip', 'once', 60, 'skip', 0, now() - interval '1 hour');
            INSERT INTO jobs.finished (id, due_at, enqueued_at, finished_at, version, attempt, max_attempts, state, queue, kind, args)
            SELECT gen_random_uuid(), d, d, d, 1, 1, 1, 'done', 'bulk', 'test.act', '{}' FROM (SELECT now() - interval '60 days' AS d) x;
            """);
        await using var open = await _bed.Source.OpenConnectionAsync();
        await using var transaction = await open.BeginTransactionAsync();
        await using (var holds = new Npgsql.NpgsqlCommand("SELECT pg_current_xact_id()", open, transaction))
            await holds.ExecuteScalarAsync();
        await WatchAsync(upkeep);

        Assert.That(
            (await _bed.Store.AlarmsAsync()).Select(alarm => $"{alarm.Name} {alarm.Subject}"),
            Is.EquivalentTo(new[] { "oldest-age urgent", "listener-down x", "retry-storm bulk", "recurring-late test.late", "pruning-lag finished", "horizon database" }));
    }

    [Test]
    public async Task Only_one_server_watches()
    {
        using var metrics = new JobMetrics(factory: null);
        var one = Upkeep(metrics, out var me);
        await RegisterAsync(me);
        await _bed.EnqueueAsync(new FromTomorrow(1));
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '2 minutes'");
        var other = Upkeep(metrics, out var them);
        await RegisterAsync(them);
        await WatchAsync(other);
        await _bed.RunAsync("DELETE FROM jobs.alarm");
        await WatchAsync(one);
        Assert.That(await _bed.Store.AlarmsAsync(), Is.Empty);

        await other.StepDownAsync(them.Id, CancellationToken.None);
        await WatchAsync(one);
        Assert.That(await _bed.Store.AlarmsAsync(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task The_target_of_a_queue_that_only_another_server_serves_is_watched_too()
    {
        using var metrics = new JobMetrics(factory: null);
        var upkeep = Upkeep(metrics, out var me);
        await RegisterAsync(me);
        await _bed.RunAsync($"INSERT INTO jobs.server (id, name, release, number, slots, queues, targets, kinds, versions, lease_until) VALUES ('{Guid.CreateVersion7()}', 'y', 'x', 0, 1, ARRAY['notices', 'reports'], ARRAY[0, 30], ARRAY['test.act'], ARRAY[1], now() + interval '1 hour')");
        foreach (var queue in (string[])["notices", "reports"])
            await _bed.EnqueueAsync(new Act("old"), new JobOptions { Queue = queue });
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '50 seconds'");
        await WatchAsync(upkeep);

        var alarm = (await _bed.Store.AlarmsAsync()).Single();
        Assert.That((alarm.Name, alarm.Subject, alarm.Threshold), Is.EqualTo(("oldest-age", "reports", 30.0)));
    }

    [Test]
    public async Task A_server_outside_the_fence_watches_while_nobody_inside_lives()
    {
        using var metrics = new JobMetrics(factory: null);
        var retired = Upkeep(metrics, out var me);
        await RegisterAsync(me);
        await _bed.EnqueueAsync(new FromTomorrow(1));
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '2 minutes'");
        await _bed.Store.MoveFenceAsync(5, 9, "user-1");
        await WatchAsync(retired);
        Assert.That(await _bed.Store.AlarmsAsync(), Has.Count.EqualTo(1));

        await _bed.RunAsync($"INSERT INTO jobs.server (id, name, release, number, slots, queues, kinds, versions, lease_until) VALUES ('{Guid.CreateVersion7()}', 'y', 'y', 7, 1, ARRAY['default'], ARRAY['test.act'], ARRAY[1], now() + interval '1 hour')");
        await _bed.RunAsync("DELETE FROM jobs.alarm");
        await WatchAsync(retired);
        Assert.That(await _bed.Store.AlarmsAsync(), Is.Empty, "the other one's business now");
    }

    [Test]
    public async Task Pruning_goes_on_behind_what_is_kept_for_longer()
    {
        foreach (var (state, days) in new[] { ("failed", 90), ("failed", 80), ("done", 70), ("failed", 60), ("done", 50), ("done", 40) })
        {
            await _bed.RunAsync($$"""
                INSERT INTO jobs.finished (id, due_at, enqueued_at, finished_at, version, attempt, max_attempts, state, queue, kind, args)
                SELECT (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '7000' || '8000' || substr(md5(random()::text), 1, 12))::uuid, t, t, t, 1, 1, 1, '{{state}}', 'bulk', 'test.act', '{}'
                FROM (SELECT now() - interval '{{days}} days' AS t) x
                """);
        }
        var rule = new KeepRule(Kind: null, DoneDays: 30, CancelledDays: 30, FailedDays: 365);
        var batch = new PrunedBatch(0, 0, Guid.Empty);
        var lasts = new List<Guid>();
        do
        {
            batch = await _bed.Store.PruneAsync(rule, [], batch.Last, most: 1, CancellationToken.None);
            lasts.Add(batch.Last);
        }
        while (batch.Rows == 1);

        Assert.That(lasts, Has.Count.EqualTo(4).And.Ordered);
        Assert.That(await _bed.ScalarAsync<string>("SELECT string_agg(DISTINCT state, ',') FROM jobs.finished"), Is.EqualTo("failed"));
    }

    [Test]
    public async Task Jobs_are_kept_as_their_kind_and_outcome_say_and_nothing_that_waits_is_touched()
    {
        using var metrics = new JobMetrics(factory: null);
        var upkeep = Upkeep(metrics, out _, options =>
        {
            options.KeepDays = 10;
            options.KeepFailedDays = 100;
            options.Retention = [new() { Kind = "test.count", DoneDays = 30, FailedDays = 50 }];
        });
        foreach (var (kind, state, days) in new[]
        {
            ("test.act", "done", 11), ("test.act", "done", 9), ("test.act", "failed", 99), ("test.act", "failed", 101), ("test.act", "cancelled", 11),
            ("test.count", "done", 11), ("test.count", "done", 31), ("test.count", "failed", 51), ("test.count", "cancelled", 11),
        })
        {
            await _bed.RunAsync($$"""
                INSERT INTO jobs.finished (id, due_at, enqueued_at, finished_at, version, attempt, max_attempts, state, queue, kind, args)
                SELECT (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '7000' || '8000' || substr(md5(random()::text), 1, 12))::uuid, t, t, t, 1, 1, 1, '{{state}}', 'bulk', '{{kind}}', '{"days":{{days}}}'
                FROM (SELECT now() - interval '{{days}} days' AS t) x
                """);
        }
        // One that a live job waits for, although it has had its time.
        await _bed.RunAsync("INSERT INTO jobs.waits_on SELECT id, gen_random_uuid(), false, true FROM jobs.finished WHERE state = 'failed' AND (args->>'days')::int = 101");
        var waiting = await _bed.EnqueueAsync(new Act("waits"));
        await _bed.RunAsync("UPDATE jobs.job SET enqueued_at = now() - interval '900 days', due_at = now() - interval '900 days'");
        await upkeep.PruneAsync(CancellationToken.None);

        Assert.That(
            await _bed.ScalarAsync<string>("SELECT string_agg(kind || ' ' || state || ' ' || (args->>'days'), ', ' ORDER BY kind, state, args->>'days') FROM jobs.finished"),
            Is.EqualTo("test.act done 9, test.act failed 101, test.act failed 99, test.count done 11"));
        Assert.That((await _bed.JobAsync(waiting)).State, Is.EqualTo(JobState.Waiting));
        Assert.That(_bed.Log.Lines.Single(line => line.Event == 1041).Text, Is.EqualTo("Pruned 1 failed jobs of test.count that nobody acknowledged within 50 days"));
    }

    [Test]
    public async Task A_quiet_server_takes_nothing_and_works_again_when_told()
    {
        var host = await _bed.StartServerAsync();
        var state = host.Services.GetRequiredService<IJobServerState>();
        await Bed.UntilAsync(() => Task.FromResult(state.Running), () => "the server to run");
        var id = state.ServerId ?? Guid.Empty;
        Assert.That(await _bed.Store.QuietAsync(id, "user-1"), Is.True);
        await Bed.UntilAsync(() => Task.FromResult(state.Quiet), () => "the server to be quiet");
        var job = await _bed.EnqueueAsync(new Act("waits"));
        await Bed.UntilAsync(async () => (await _bed.Store.ServersAsync()).Single().State == "quiet", () => "the list to say so");
        Assert.That((await _bed.JobAsync(job)).State, Is.EqualTo(JobState.Waiting));

        await _bed.Store.WorkAsync(id, "user-1");
        await _bed.WaitForAsync(job, JobState.Done);
        Assert.That(await _bed.Store.QuietAsync(Guid.CreateVersion7(), "user-1"), Is.False);
    }

    [Test]
    public async Task A_drained_server_gives_back_what_runs_longer_than_its_grace_time()
    {
        var host = await _bed.StartServerAsync(options => options.GraceSeconds = 1);
        var gate = new Gate();
        _bed.Probe.On("long", (_, ct) => _bed.Probe.Runs["long"] == 1 ? gate.PassAsync(ct) : Task.CompletedTask);
        var id = await _bed.EnqueueAsync(new Act("long"));
        await gate.Reached;
        await _bed.Store.DrainAsync(host.Services.GetRequiredService<IJobServerState>().ServerId ?? Guid.Empty, "user-1");
        await Bed.UntilAsync(async () => (await _bed.Store.ServersAsync()).Single().State == "drained", () => "the server to be drained", seconds: 30);
        await Bed.UntilAsync(async () => (await _bed.JobAsync(id)).Attempt == 0, () => "the job to be back");

        await _bed.StartServerAsync(options => options.ServerName = "two");
        Assert.That((await _bed.WaitForAsync(id, JobState.Done)).Attempt, Is.EqualTo(1));
    }

    private Upkeep Upkeep(JobMetrics metrics, out ServerIdentity me, Action<JobServerOptions>? change = null)
    {
        var options = Bed.Options(change);
        var identity = me = ServerIdentity.Make(options, new JobRegistry().Add<Act, Act.Handler>());
        return new Upkeep(_bed.Store, options, metrics, () => identity, _bed.Log.CreateLogger("upkeep"));
    }

    private Task<int> RegisterAsync(ServerIdentity me) => _bed.RunAsync(
        $"INSERT INTO jobs.server (id, name, release, number, slots, queues, kinds, versions, lease_until) VALUES ('{me.Id}', 'x', 'x', 0, 1, ARRAY['default'], ARRAY['test.act'], ARRAY[1], now() + interval '1 hour')");

    private async Task WatchAsync(Upkeep upkeep) => await upkeep.WatchAsync(await _bed.Store.QueueFiguresAsync(), CancellationToken.None);
}
