namespace Camino.Jobs.Tests;

internal sealed class ReadTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Pages_go_newest_first_through_live_and_finished_jobs_without_gap_or_double()
    {
        await _bed.StartServerAsync(options => options.Queues = [new() { Name = "default" }]);
        var ids = new List<Guid>();
        for (var number = 0; number < 10; number++)
            ids.Add(await _bed.EnqueueAsync(new Act($"{number}"), new JobOptions { Queue = number % 2 == 0 ? "default" : "bulk" }));
        foreach (var id in ids.Where((_, number) => number % 2 == 0))
            await _bed.WaitForAsync(id, JobState.Done);

        var seen = new List<JobLine>();
        Guid? cursor = null;
        do
        {
            var page = await _bed.Store.ListAsync(new JobFilter(), cursor, take: 3);
            Assert.That(page.Jobs, Has.Count.LessThanOrEqualTo(3));
            seen.AddRange(page.Jobs);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.That(seen.Select(job => job.Id), Is.EqualTo(ids.OrderDescending()));
        Assert.That(seen.Count(job => job.State == JobState.Done), Is.EqualTo(5));
    }

    [Test]
    public async Task Living_servers_stand_before_those_that_are_gone_however_many_have_died_since()
    {
        await _bed.RunAsync("""
            INSERT INTO jobs.server (id, name, release, number, slots, queues, kinds, versions, started_at, lease_until, lost_at)
            SELECT gen_random_uuid(), 'n' || n, 'x', 0, 1, ARRAY['default'], ARRAY['test.act'], ARRAY[1], now() - n * interval '1 second', now() + interval '1 hour', CASE WHEN n < 300 THEN now() END
            FROM generate_series(1, 300) n
            """);

        var servers = await _bed.Store.ServersAsync();
        Assert.That(servers[0].Name, Is.EqualTo("n300"));
        Assert.That(servers, Has.Count.EqualTo(200));
    }

    [Test]
    public async Task Lists_are_filtered_by_state_queue_and_kind()
    {
        await _bed.StartServerAsync(options => options.Queues = [new() { Name = "default" }]);
        _bed.Probe.On("bad", (_, _) => throw new JobAbandonedException("no"));
        var gate = new Gate();
        _bed.Probe.On("long", (_, ct) => gate.PassAsync(ct));
        var failed = await _bed.EnqueueAsync(new Act("bad"));
        await _bed.WaitForAsync(failed, JobState.Failed);
        var done = await _bed.EnqueueAsync(new BriefAct("good"));
        await _bed.WaitForAsync(done, JobState.Done);
        var running = await _bed.EnqueueAsync(new Act("long"));
        await gate.Reached;
        var waiting = await _bed.EnqueueAsync(new Act("later"), new JobOptions { Queue = "bulk" });
        var scheduled = await _bed.EnqueueAsync(new Act("much later"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(1) });
        var cancelled = await _bed.EnqueueAsync(new Act("never"), new JobOptions { Queue = "bulk" });
        await _bed.Store.RequestCancelAsync(cancelled, "user-1", reason: null);

        foreach (var (state, id) in new[]
        {
            (JobState.Failed, failed), (JobState.Done, done), (JobState.Running, running), (JobState.Waiting, waiting), (JobState.Scheduled, scheduled),
            (JobState.Cancelled, cancelled),
        })
        {
            var page = await _bed.Store.ListAsync(new JobFilter(state));
            Assert.That(page.Jobs.Select(job => (job.Id, job.State)), Is.EqualTo(new[] { (id, state) }));
        }
        Assert.That((await _bed.Store.ListAsync(new JobFilter(Kind: BriefAct.Kind))).Jobs.Single().Id, Is.EqualTo(done));
        Assert.That((await _bed.Store.ListAsync(new JobFilter(Queue: "bulk"))).Jobs.Select(job => job.Id), Is.EqualTo(new[] { cancelled, waiting }.OrderDescending()));
        gate.Open();
        await _bed.WaitForAsync(running, JobState.Done);
    }

    [Test]
    public async Task Figures_say_for_each_queue_what_waits_runs_and_failed()
    {
        await _bed.StartServerAsync(options => options.Queues = [new() { Name = "default" }]);
        _bed.Probe.On("bad", (_, _) => throw new JobAbandonedException("no"));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("bad")), JobState.Failed);
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 7).Select(number => new Count(number)));
        await _bed.EnqueueAsync(new Act("later"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(1), Queue = "bulk" });
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '90 seconds' WHERE due_at < now()");

        var figures = (await _bed.Store.QueueFiguresAsync()).ToDictionary(queue => queue.Queue, StringComparer.Ordinal);
        Assert.That(figures.Keys, Is.EquivalentTo(new[] { "default", "bulk" }));
        Assert.That(figures["bulk"], Is.EqualTo(new QueueFigures("bulk", 7, 1, 0, 0, figures["bulk"].OldestAge, Paused: false, Served: false)));
        Assert.That(figures["bulk"].OldestAge, Is.GreaterThan(TimeSpan.FromSeconds(89)).And.LessThan(TimeSpan.FromSeconds(120)));
        Assert.That(figures["default"], Is.EqualTo(new QueueFigures("default", 0, 0, 0, 1, OldestAge: null, Paused: false, Served: true)));
    }

    [Test]
    public async Task History_is_pruned_in_bounded_batches_and_unseen_failures_are_kept_longer()
    {
        await _bed.RunAsync("""
            INSERT INTO jobs.finished (id, due_at, enqueued_at, finished_at, version, attempt, max_attempts, state, queue, kind, args)
            SELECT (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
                   t, t, t, 1, 1, 1, CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'done' END, 'default', 'test.act', '{}'
            FROM generate_series(1, 100) n, LATERAL (SELECT now() - make_interval(days => n) AS t) d
            """);
        await _bed.RunAsync("UPDATE jobs.finished SET acknowledged_at = now() WHERE finished_at < now() - interval '99 days 12 hours'");

        // Older than 30 days: 70, of which 7 failed, of which one was seen.
        Assert.That(await _bed.Store.PruneAsync(keepDays: 30, keepFailedDays: 365, most: 40), Is.EqualTo(40));
        Assert.That(await _bed.Store.PruneAsync(keepDays: 30, keepFailedDays: 365, most: 40), Is.EqualTo(24));
        Assert.That(await _bed.Store.PruneAsync(keepDays: 30, keepFailedDays: 365, most: 40), Is.Zero);
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'failed'"), Is.EqualTo(9));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished"), Is.EqualTo(36));
    }

    [Test]
    public async Task A_failure_is_acknowledged_once()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("bad", (_, _) => throw new JobAbandonedException("no"));
        var id = await _bed.EnqueueAsync(new Act("bad"));
        await _bed.WaitForAsync(id, JobState.Failed);

        Assert.That(await _bed.Store.AcknowledgeAsync(id, "user-6"), Is.EqualTo(JobCommandOutcome.Done));
        Assert.That((await _bed.JobAsync(id)).AcknowledgedBy, Is.EqualTo("user-6"));
        Assert.That(await _bed.Store.AcknowledgeAsync(id, "user-6"), Is.EqualTo(JobCommandOutcome.WrongState));
    }
}
