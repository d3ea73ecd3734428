namespace Camino.Jobs.Tests;

/// <summary>What bad handlers get: a stated outcome, a clear message on the job, and no effect on their neighbours.</summary>
internal sealed class BadUseTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Handlers_that_block_their_threads_hold_up_neither_heartbeat_nor_neighbours()
    {
        using var until = new ManualResetEventSlim();
        _bed.Probe.On("blocks", (_, _) =>
        {
            until.Wait(CancellationToken.None);
            return Task.CompletedTask;
        });
        await _bed.StartServerAsync(options => options.Queues = [new() { Name = "urgent", ReservedSlots = 2 }, new() { Name = "default" }, new() { Name = "bulk" }]);
        var blocking = await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("blocks"), 6), new JobOptions { Queue = "bulk" });
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Runs.GetValueOrDefault("blocks") == 6), () => "all to block", seconds: 60);

        for (var round = 0; round < 5; round++)
            await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("neighbour"), new JobOptions { Queue = "urgent" }), JobState.Done, seconds: 60);
        Assert.That((await _bed.Store.ServersAsync()).Single().State, Is.EqualTo("running"));
        until.Set();
        foreach (var id in blocking)
            await _bed.WaitForAsync(id, JobState.Done);
    }

    [Test]
    public async Task A_handler_that_runs_out_of_memory_fails_and_says_so()
    {
        _bed.Probe.On("eats", (_, _) => Task.FromResult(new byte[int.MaxValue]));
        var eats = await _bed.EnqueueAsync(new Act("eats"), new JobOptions { MaxAttempts = 1 });
        var neighbour = await _bed.EnqueueAsync(new Act("neighbour"));
        await _bed.StartServerAsync();

        Assert.That((await _bed.WaitForAsync(eats, JobState.Failed)).Error, Does.StartWith("System.OutOfMemoryException: Array dimensions exceeded"));
        await _bed.WaitForAsync(neighbour, JobState.Done);
    }

    [Test]
    public async Task A_handler_that_returns_after_its_cancellation_without_having_looked_is_done()
    {
        await _bed.StartServerAsync();
        var gate = new Gate();
        _bed.Probe.On("late", async (_, _) => await gate.PassAsync(CancellationToken.None));
        var id = await _bed.EnqueueAsync(new Act("late"));
        await gate.Reached;
        Assert.That(await _bed.Store.RequestCancelAsync(id, "user-1", "too late"), Is.EqualTo(JobCommandOutcome.Requested));
        await Bed.UntilAsync(async () => (await _bed.JobAsync(id)).Cancellation is not null, () => "the wish to be stored");
        gate.Open();

        var job = await _bed.WaitForAsync(id, JobState.Done);
        Assert.That(job.Cancellation?.By, Is.EqualTo("user-1"), "the wish stays on its page");
    }

    [Test]
    public async Task A_handler_that_never_returns_after_its_cancellation_is_decided_without_it()
    {
        using var never = new ManualResetEventSlim();
        await _bed.StartServerAsync(options => options.StuckSeconds = 1);
        _bed.Probe.On("deaf", (_, _) =>
        {
            never.Wait(CancellationToken.None);
            return Task.CompletedTask;
        });
        var id = await _bed.EnqueueAsync(new Act("deaf"));
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Runs.ContainsKey("deaf")), () => "the deaf handler to run");
        await _bed.Store.RequestCancelAsync(id, "user-1", "stop it");

        Assert.That((await _bed.WaitForAsync(id, JobState.Cancelled, seconds: 30)).Error, Does.Contain("did not return within 1 s"));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("neighbour")), JobState.Done);
        never.Set();
    }

    [Test]
    public async Task A_handler_that_asks_for_itself_for_ever_ends_at_the_limit_of_its_chain_and_neighbours_run_meanwhile()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("again", async (_, _) => await _bed.EnqueueAsync(new Act("again"), new JobOptions { MaxAttempts = 1 }));
        var first = await _bed.EnqueueAsync(new Act("again"));
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.lineage") > 20, () => "a chain of twenty", seconds: 60);
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("neighbour")), JobState.Done, seconds: 60);

        // The rest of the way to the limit is taken at once, and again: a job that is being enqueued meanwhile has read its parent's depth already.
        JobPage failed = new([], null);
        await Bed.UntilAsync(
            async () =>
            {
                await _bed.RunAsync($"UPDATE jobs.lineage SET depth = depth + {JobWriter.MostGenerations} WHERE depth < {JobWriter.MostGenerations}");
                return (failed = await _bed.Store.ListAsync(new JobFilter(JobState.Failed))).Jobs.Count > 0;
            },
            () => "the chain to end",
            seconds: 60);
        Assert.That(failed.Jobs[0].Error, Does.Contain($"is the {JobWriter.MostGenerations}th of a chain of jobs that asked for each other"));
        Assert.That((await _bed.JobAsync(first)).State, Is.EqualTo(JobState.Done));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job"), Is.Zero);
    }

    [Test]
    public async Task A_job_without_a_handler_on_any_server_waits_and_raises_an_alarm()
    {
        await _bed.StartServerAsync();
        var id = await _bed.EnqueueAsync(new FromTomorrow(1));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("neighbour")), JobState.Done);
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '2 minutes'");

        Assert.That((await _bed.JobAsync(id)).State, Is.EqualTo(JobState.Waiting));
        Assert.That((await _bed.Store.UnservedAsync()).Single().Kind, Is.EqualTo("test.from-tomorrow"));
    }

    [TestCase("UPDATE jobs.server SET wish = 'quiet'")]
    [TestCase("UPDATE jobs.server SET draining = true")]
    [TestCase("INSERT INTO jobs.fence (lowest, highest, moved_by) VALUES (7, 7, 'user-1')")]
    public async Task Servers_that_may_take_nothing_serve_nothing(string standsAside)
    {
        var me = ServerIdentity.Make(Bed.Options(), new JobRegistry().Add<Act, Act.Handler>());
        await _bed.RunAsync($"INSERT INTO jobs.server (id, name, release, number, slots, queues, kinds, versions, lease_until) VALUES ('{me.Id}', 'x', 'x', 1, 1, '{{default}}', '{{test.act}}', '{{1}}', now() + interval '1 hour')");
        await _bed.EnqueueAsync(new Act("waits"));
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '2 minutes'");
        var before = (await _bed.Store.UnservedAsync()).Count;
        await _bed.RunAsync(standsAside);

        Assert.That((before, (await _bed.Store.UnservedAsync()).Single().Kind), Is.EqualTo((0, "test.act")));
        Assert.That((await _bed.Store.QueueFiguresAsync()).Single(queue => queue.Queue == "default").Served, Is.False);
    }

    [Test]
    public async Task Arguments_of_an_older_version_are_converted_step_by_step()
    {
        var registry = new JobRegistry().AddKind<Third>()
            .Convert<Third>(1, json => new() { ["name"] = json["title"]?.DeepClone() })
            .Convert<Third>(2, json =>
            {
                json["name"] = $"{json["name"]}!";
                return json;
            });
        var kind = registry.Find("test.third") ?? throw new AssertionException("It is not there.");

        Assert.That(kind.Newest("""{"title":"x"}""", version: 1), Is.EqualTo("""{"name":"x!"}"""));
        Assert.That(kind.Newest("""{"name":"x"}""", version: 2), Is.EqualTo("""{"name":"x!"}"""));
        Assert.That(kind.Newest("""{"name":"x"}""", version: 3), Is.EqualTo("""{"name":"x"}"""));
        Assert.That(() => kind.Newest("[]", version: 1), Throws.InstanceOf<JobUnreadableException>());
        Assert.That(() => registry.Convert<Third>(3, json => json), Throws.ArgumentException.With.Message.Contains("from is 3; 'test.third' is version 3, so it must be 1 to 2"));
        await Task.CompletedTask;
    }

    private sealed record Third(string Name) : IJobArgs
    {
        public static string Kind => "test.third";

        public static int Version => 3;
    }
}
