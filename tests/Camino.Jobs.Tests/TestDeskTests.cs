using Camino.Jobs.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Jobs.Tests;

/// <summary>The test support for other projects, used as they would.</summary>
internal sealed class TestDeskTests
{
    private Bed _bed = null!;
    private ServiceProvider _services = null!;
    private JobTestDesk _desk = null!;

    [SetUp]
    public async Task MakeAsync()
    {
        _bed = await Bed.MakeAsync();
        _services = new ServiceCollection().AddSingleton(_bed.Probe).AddSingleton(_bed.Source)
            .AddJobs(jobs => jobs.Add<Act, Act.Handler>().Add<Count, Count.Handler>()).BuildServiceProvider();
        _desk = new JobTestDesk(_bed.Source, _services);
    }

    [TearDown]
    public async Task DisposeAsync()
    {
        await _desk.DisposeAsync();
        await _services.DisposeAsync();
        await _bed.DisposeAsync();
    }

    [Test]
    public async Task One_job_is_run_once_in_the_process_of_the_test()
    {
        _bed.Probe.On("closed", (_, _) => throw new JobSnoozedException(TimeSpan.FromHours(1), "closed"));
        var id = await _bed.EnqueueAsync(new Act("closed"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddDays(1) });
        var job = await _desk.RunOneAsync(id);

        Assert.That((job.State, job.Attempt, job.Attempts.Single().Outcome), Is.EqualTo((JobState.Scheduled, 0, "snoozed")));
        Assert.That(async () => await _desk.RunOneAsync(Guid.CreateVersion7()), Throws.InvalidOperationException.With.Message.Contains("not there"));
    }

    [Test]
    public async Task A_drain_runs_what_is_due_and_what_comes_of_it_in_the_order_of_the_queues()
    {
        _bed.Probe.On("parent", async (_, _) => await _bed.EnqueueAsync(new Act("child")));
        await _bed.EnqueueAsync(new Act("bulk"), new JobOptions { Queue = "bulk" });
        var parent = await _bed.EnqueueAsync(new Act("parent"));
        await _bed.EnqueueAsync(new Act("after"), new JobOptions { After = [parent] });
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("limited"), 3), new JobOptions { Queue = "bulk", Limit = new JobLimit("k", AtOnce: 1) });
        await _bed.EnqueueAsync(new Act("later"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddDays(1) });

        Assert.That(await _desk.DrainAsync("default", "bulk"), Is.EqualTo(7));
        Assert.That(_bed.Probe.Began.Take(3), Is.EquivalentTo(new[] { "parent", "child", "after" }));
        Assert.That(_bed.Probe.Began.Skip(3), Is.EqualTo(new[] { "bulk", "limited", "limited", "limited" }));
    }

    [Test]
    public async Task Time_passes_when_the_test_says_so()
    {
        _bed.Probe.On("closed", (_, _) => _bed.Probe.Runs["closed"] < 3 ? throw new JobSnoozedException(TimeSpan.FromHours(1), "closed") : Task.CompletedTask);
        var id = await _bed.EnqueueAsync(new Act("closed"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(3) });
        Assert.That(await _desk.DrainAsync(), Is.Zero);
        await _desk.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.That(await _desk.DrainAsync(), Is.Zero);
        for (var run = 1; run <= 3; run++)
        {
            await _desk.AdvanceAsync(TimeSpan.FromHours(1.5));
            Assert.That(await _desk.DrainAsync(), Is.EqualTo(1));
        }
        Assert.That((await _bed.JobAsync(id)).State, Is.EqualTo(JobState.Done));
    }

    [Test]
    public async Task What_was_enqueued_is_asserted_with_its_arguments()
    {
        await _bed.EnqueueAsync(new Act("one"), new JobOptions { Queue = "urgent", RequestedBy = "user-1" });
        await _bed.EnqueueAsync(new Act("two"));
        var one = await _desk.SingleAsync<Act>(args => args.Name == "one");

        Assert.That((one.Args, one.Job.Queue, one.Job.RequestedBy), Is.EqualTo((new Act("one"), "urgent", "user-1")));
        await _desk.NoneAsync<Count>();
        Assert.That(async () => await _desk.SingleAsync<Act>(), Throws.InvalidOperationException.With.Message.Contains("2 meet the condition; enqueued are: Act { Name = one }; Act { Name = two }"));
        Assert.That(async () => await _desk.NoneAsync<Act>(), Throws.InvalidOperationException.With.Message.Contains("No job of 'test.act' was expected"));
    }

    [Test]
    public async Task A_handler_that_commits_its_own_effect_is_done_once()
    {
        var id = await _bed.EnqueueAsync(new Count(7));
        Assert.That((await _desk.RunOneAsync(id)).State, Is.EqualTo(JobState.Done));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect WHERE number = 7"), Is.EqualTo(1));
    }
}
