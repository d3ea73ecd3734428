namespace Camino.Jobs.Tests;

/// <summary>At most so many at once, at most so many in a period, and what waits outside costs the claim nothing.</summary>
internal sealed class LimitTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task No_more_jobs_of_a_key_run_at_once_than_it_says_on_all_servers_together()
    {
        await _bed.StartServerAsync();
        await _bed.StartServerAsync(options => options.ServerName = "two");
        var running = 0;
        var most = 0;
        _bed.Probe.On("call", async (_, ct) =>
        {
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            await Task.Delay(10, ct);
            Interlocked.Decrement(ref running);
        });
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("call"), 60), new JobOptions { Limit = new JobLimit("bureau:one", AtOnce: 3) });
        await _bed.DrainedAsync();

        Assert.That(_bed.Probe.Runs["call"], Is.EqualTo(60));
        Assert.That(most, Is.LessThanOrEqualTo(3));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done'"), Is.EqualTo(60));
    }

    [Test]
    public async Task Jobs_of_another_key_and_without_a_limit_do_not_wait_for_a_full_one()
    {
        await _bed.StartServerAsync();
        var gate = new Gate();
        _bed.Probe.On("full", (_, ct) => gate.PassAsync(ct));
        var full = await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("full"), 50), new JobOptions { Limit = new JobLimit("a", AtOnce: 1) });
        await gate.Reached;

        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("other"), new JobOptions { Limit = new JobLimit("b", AtOnce: 1) }), JobState.Done);
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("plain")), JobState.Done);
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job WHERE due_at = 'infinity'"), Is.EqualTo(49), "outside of what a claim reads");
        Assert.That((await _bed.JobAsync(full[^1])).State, Is.EqualTo(JobState.Held));
        Assert.That((await _bed.Store.QueueFiguresAsync()).Single(queue => queue.Queue == "default").Held, Is.EqualTo(49));
        gate.Open();
        await _bed.DrainedAsync();
    }

    [Test]
    public async Task No_more_jobs_of_a_key_start_in_any_period_than_it_says()
    {
        await _bed.StartServerAsync();
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("call"), 9), new JobOptions { Limit = new JobLimit("bureau:two", Rate: 3, Period: TimeSpan.FromSeconds(2)) });
        await _bed.DrainedAsync(60);

        // Each start and the third after it lie at least a period apart.
        Assert.That(
            await _bed.ScalarAsync<double>("SELECT min(extract(epoch FROM later - started_at))::float8 FROM (SELECT started_at, lead(started_at, 3) OVER (ORDER BY started_at) AS later FROM jobs.finished) f"),
            Is.GreaterThanOrEqualTo(2.0));
    }

    [Test]
    public async Task A_start_that_fails_at_once_counts_against_the_rate()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("refused", (_, _) => throw new JobSnoozedException(TimeSpan.FromHours(1), "the bureau is down"));
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("refused"), 8), new JobOptions { Limit = new JobLimit("bureau:down", Rate: 3, Period: TimeSpan.FromHours(1)) });
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.attempt") >= 3, () => "three to be refused");
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.limit_slot WHERE ended_at IS NULL") == 0, () => "their slots to be seen as over");
        var beats = await _bed.ScalarAsync<DateTime>("SELECT beat_at FROM jobs.server");
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<DateTime>("SELECT beat_at FROM jobs.server") > beats.AddSeconds(2), () => "looks that could let more in");

        Assert.That(_bed.Probe.Runs["refused"], Is.EqualTo(3), "nobody else asks the bureau within the hour");
    }

    [Test]
    public async Task A_job_that_was_cancelled_while_it_waited_for_its_limit_waits_for_it_again_when_it_is_tried_again()
    {
        var gate = new Gate();
        await _bed.StartServerAsync();
        _bed.Probe.On("first", (_, ct) => gate.PassAsync(ct));
        var limit = new JobOptions { Limit = new JobLimit("k", AtOnce: 1) };
        var first = await _bed.EnqueueAsync(new Act("first"), limit);
        await gate.Reached;
        var cancelled = await _bed.EnqueueAsync(new Act("cancelled"), limit);
        await _bed.Store.RequestCancelAsync(cancelled, "user-1", "not now");
        var third = await _bed.EnqueueAsync(new Act("third"), limit);
        gate.Open();
        await _bed.WaitForAsync(first, JobState.Done);
        await _bed.WaitForAsync(third, JobState.Done);
        await _bed.Store.PauseQueueAsync("default", "user-1");
        await _bed.Store.RetryAsync(cancelled, "user-1");

        Assert.That(await _bed.ScalarAsync<long>($"SELECT count(*) FROM jobs.job WHERE id = '{cancelled}' AND limit_key = 'k'"), Is.EqualTo(1));
        await _bed.Store.ResumeQueueAsync("default");
        await _bed.WaitForAsync(cancelled, JobState.Done);
    }

    [Test]
    public async Task A_job_that_waits_for_its_next_attempt_holds_no_slot()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("snoozes", (job, _) => _bed.Probe.Runs["snoozes"] == 1 ? throw new JobSnoozedException(TimeSpan.FromHours(1), "closed") : Task.CompletedTask);
        var limit = new JobOptions { Limit = new JobLimit("k", AtOnce: 1) };
        var snoozing = await _bed.EnqueueAsync(new Act("snoozes"), limit);
        await Bed.UntilAsync(async () => (await _bed.JobAsync(snoozing)).Attempts.Count == 1, () => "the snooze");

        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("next"), limit), JobState.Done);
        Assert.That((await _bed.JobAsync(snoozing)).State, Is.EqualTo(JobState.Held).Or.EqualTo(JobState.Scheduled));
    }

    [Test]
    public async Task A_slot_that_a_paused_queue_does_not_use_goes_to_others_of_its_key()
    {
        await _bed.Store.PauseQueueAsync("urgent", "user-1");
        await _bed.StartServerAsync(options => options.LimitLeaseSeconds = 5);
        var stuck = await _bed.EnqueueAsync(new Act("stuck"), new JobOptions { Queue = "urgent", Limit = new JobLimit("k", AtOnce: 1) });
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.limit_slot") == 1, () => "the slot to be given");
        await _bed.RunAsync("UPDATE jobs.limit_slot SET admitted_at = admitted_at - interval '1 minute'");

        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("next"), new JobOptions { Limit = new JobLimit("k", AtOnce: 1) }), JobState.Done);
        await _bed.Store.ResumeQueueAsync("urgent");
        await _bed.WaitForAsync(stuck, JobState.Done);
    }

    [Test]
    public async Task A_dead_servers_slot_is_used_by_the_rescued_job_itself()
    {
        var host = await _bed.StartServerAsync();
        var gate = new Gate();
        _bed.Probe.On("call", (job, ct) => job.Attempt == 1 ? gate.PassAsync(ct) : Task.CompletedTask);
        var id = await _bed.EnqueueAsync(new Act("call"), new JobOptions { Limit = new JobLimit("k", AtOnce: 1) });
        await gate.Reached;
        await _bed.RunAsync("UPDATE jobs.server SET lost_at = now()");
        await _bed.StartServerAsync(options => options.ServerName = "two");

        await _bed.WaitForAsync(id, JobState.Done, seconds: 30);
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("next"), new JobOptions { Limit = new JobLimit("k", AtOnce: 1) }), JobState.Done);
        await host.StopAsync();
    }

    [Test]
    public void A_limit_out_of_range_is_refused_in_words()
    {
        Assert.Multiple(() =>
        {
            Assert.That(() => Limited(new JobLimit("k")), Throws.ArgumentException.With.Message.Contains("neither AtOnce nor Rate"));
            Assert.That(() => Limited(new JobLimit("k", AtOnce: 0)), Throws.ArgumentException.With.Message.Contains("Limit.AtOnce is 0; it must be 1 to 10000"));
            Assert.That(() => Limited(new JobLimit("k", Rate: 5)), Throws.ArgumentException.With.Message.Contains("belong together"));
            Assert.That(() => Limited(new JobLimit("", AtOnce: 1)), Throws.ArgumentException.With.Message.Contains("Limit.Key has 0 characters"));
        });

        NewJob Limited(JobLimit limit) => _bed.Writer.Prepare(new Act("x"), new JobOptions { Limit = limit });
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
