namespace Camino.Jobs.Tests;

/// <summary>What is taken and not begun: held ahead, given back, walked over.</summary>
internal sealed class ReturnTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task A_last_attempt_is_not_held_while_no_slot_is_free()
    {
        var gate = new Gate();
        _bed.Probe.On("once", (_, ct) => gate.PassAsync(ct));
        // Short jobs make the server hold many ahead; those that follow have one attempt, and none of them ends.
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("short"), 2000));
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("once"), 50), new JobOptions { MaxAttempts = 1 });
        await _bed.StartServerAsync(options => options.Slots = 4);
        await gate.Reached;
        await Bed.UntilAsync(async () => await LeasedAsync() == 4, () => "only those that run to be taken");

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job WHERE lease IS NULL AND attempt = 0"), Is.EqualTo(46), "no attempt is burnt");
        Assert.That(_bed.Log.Lines.Select(line => line.Text), Has.None.Contains("no slot became free here within a second"));
        gate.Open();
        await _bed.DrainedAsync();
        Assert.That(_bed.Probe.Runs["once"], Is.EqualTo(50));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done' AND attempt = 1"), Is.EqualTo(2050));
    }

    [Test]
    public async Task A_job_that_is_returned_has_its_key_until_started_again()
    {
        var id = await ReturnAsync(meanwhile: () => Task.CompletedTask);

        Assert.That(await _bed.EnqueueAsync(new Act("again"), Keyed), Is.EqualTo(id));
    }

    [Test]
    public async Task A_key_that_another_took_meanwhile_stays_with_the_other_and_the_returned_job_waits_all_the_same()
    {
        var other = Guid.Empty;
        var id = await ReturnAsync(meanwhile: async () => other = await _bed.EnqueueAsync(new Act("other"), Keyed));

        Assert.That(other, Is.Not.EqualTo(id));
        Assert.That(await _bed.EnqueueAsync(new Act("again"), Keyed), Is.EqualTo(other));
        await _bed.StartServerAsync(options => options.ServerName = "two");
        await _bed.WaitForAsync(id, JobState.Done);
        await _bed.WaitForAsync(other, JobState.Done);
    }

    [Test]
    public async Task A_large_backlog_that_a_server_may_not_take_is_not_walked_over_by_each_claim()
    {
        const int Backlog = 100_000, Jobs = 150;
        await _bed.RunAsync($$"""
            INSERT INTO jobs.job (id, due_at, max_attempts, queue, kind, args)
            SELECT gen_random_uuid(), now() - interval '1 hour', 3, 'default', 'test.from-tomorrow', '{}' FROM generate_series(1, {{Backlog}});
            """);
        await _bed.RunAsync("ANALYZE jobs.job");
        await _bed.StartServerAsync();
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("first")), JobState.Done);
        var before = await ReadAsync();
        for (var number = 0; number < Jobs; number++)
            await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("next")), JobState.Done);

        var perJob = (await ReadAsync() - before) / (double)Jobs;
        TestContext.Out.WriteLine($"{perJob:N0} rows read for each job behind {Backlog:N0} that wait for another release");
        Assert.That(perJob, Is.LessThan(Backlog / 2.0));
    }

    [Test]
    public async Task What_comes_before_where_the_claims_begin_is_found_when_its_kind_is_resumed()
    {
        await _bed.Store.PauseKindAsync("test.act", "user-1");
        var paused = (await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("paused"), 20_000)))[0];
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '1 hour'");
        await _bed.StartServerAsync();
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new BriefAct("other")), JobState.Done);

        await _bed.Store.ResumeKindAsync("test.act");
        await _bed.WaitForAsync(paused, JobState.Done);
    }

    private static JobOptions Keyed => new() { UniqueKey = "loan 4711", UniqueScope = JobUnique.UntilStarted };

    /// <summary>A job with the key that ran on a server which stopped, and waits again.</summary>
    private async Task<Guid> ReturnAsync(Func<Task> meanwhile)
    {
        var gate = new Gate();
        _bed.Probe.On("first", (_, ct) => _bed.Probe.Runs["first"] == 1 ? gate.PassAsync(ct) : Task.CompletedTask);
        var id = await _bed.EnqueueAsync(new Act("first"), Keyed);
        var host = await _bed.StartServerAsync(options => options.GraceSeconds = 0);
        await gate.Reached;
        await _bed.RunAsync("INSERT INTO jobs.pause (scope, name, paused_by) VALUES ('queue', 'default', 'user-1')");
        await meanwhile();
        await host.StopAsync();
        var job = await _bed.JobAsync(id);
        Assert.That((job.State, job.Attempt), Is.EqualTo((JobState.Waiting, 0)));
        await _bed.RunAsync("DELETE FROM jobs.pause");
        return id;
    }

    private Task<long> LeasedAsync() => _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job WHERE lease IS NOT NULL");

    /// <summary>Rows of the hot table read by index since the beginning; a session stores its counts when it is idle for a moment.</summary>
    private async Task<long> ReadAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(1));
        return await _bed.ScalarAsync<long>("SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE schemaname = 'jobs' AND relname = 'job'");
    }
}
