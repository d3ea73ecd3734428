using Microsoft.Extensions.DependencyInjection;

namespace Camino.Jobs.Tests;

internal sealed class RunTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task A_job_runs_and_its_result_and_life_can_be_read()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("sum", async (job, ct) =>
        {
            await job.ReportProgressAsync(3, 10, "three of ten", ct);
            await job.ReportProgressAsync(10, 10, "all of them", ct);
            job.SetResult(new { Rows = 10 });
        });
        var id = await _bed.EnqueueAsync(new Act("sum"), new JobOptions { Queue = "urgent", RequestedBy = "user-1" });
        var job = await _bed.WaitForAsync(id, JobState.Done);

        Assert.Multiple(() =>
        {
            Assert.That(job.Result, Is.EqualTo("""{"rows": 10}"""));
            Assert.That(job.Progress, Is.EqualTo(new JobProgress(10, 10, "all of them")));
            Assert.That(job.Queue, Is.EqualTo("urgent"));
            Assert.That(job.Attempt, Is.EqualTo(1));
            Assert.That(job.Server, Is.EqualTo("one"));
            Assert.That(job.RequestedBy, Is.EqualTo("user-1"));
            Assert.That(job.FinishedAt, Is.GreaterThan(job.EnqueuedAt));
            Assert.That(job.Attempts, Is.Empty);
        });
    }

    [Test]
    public async Task A_failing_job_is_tried_again_with_stored_errors_and_then_kept_as_failed()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("bad", (job, _) => throw new InvalidOperationException($"no luck in attempt {job.Attempt}"));
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("bad")), JobState.Failed);

        Assert.That(job.Attempts.Select(attempt => attempt.Outcome), Is.EqualTo(new[] { "failed", "failed", "failed" }));
        Assert.That(job.Attempts.Select(attempt => attempt.Number), Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That(job.Attempts[1].Error, Does.Contain("no luck in attempt 2"));
        Assert.That(job.Error, Does.Contain("no luck in attempt 3"));
        Assert.That(_bed.Probe.Runs["bad"], Is.EqualTo(3));
    }

    [Test]
    public void Waits_between_attempts_double_up_to_the_longest_and_are_jittered_by_a_quarter()
    {
        var retry = new JobRetry(10, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1));

        Assert.That(JobRun.WaitAfter(retry, attempt: 1, dice: 0.5).TotalSeconds, Is.EqualTo(5).Within(0.001));
        Assert.That(JobRun.WaitAfter(retry, attempt: 3, dice: 0.5).TotalSeconds, Is.EqualTo(20).Within(0.001));
        Assert.That(JobRun.WaitAfter(retry, attempt: 9, dice: 0).TotalSeconds, Is.EqualTo(45).Within(0.001));
        Assert.That(JobRun.WaitAfter(retry, attempt: 90, dice: 1).TotalSeconds, Is.EqualTo(75).Within(0.001));
    }

    [Test]
    public async Task A_failed_job_is_retried_by_hand_once_more()
    {
        await _bed.StartServerAsync();
        var heal = false;
        _bed.Probe.On("healed", (_, _) => heal ? Task.CompletedTask : throw new InvalidOperationException("not yet"));
        var id = await _bed.EnqueueAsync(new Act("healed"));
        await _bed.WaitForAsync(id, JobState.Failed);
        heal = true;

        Assert.That(await _bed.Store.RetryAsync(id, "user-2"), Is.EqualTo(JobCommandOutcome.Done));
        var job = await _bed.WaitForAsync(id, JobState.Done);
        Assert.That(job.Attempt, Is.EqualTo(4));
        Assert.That(job.Attempts[^1].Outcome, Is.EqualTo("retried"));
        Assert.That(job.Attempts[^1].Error, Is.EqualTo("Asked for by user-2."));
        Assert.That(await _bed.Store.RetryAsync(id, "user-2"), Is.EqualTo(JobCommandOutcome.WrongState));
        Assert.That(await _bed.Store.RetryAsync(Guid.CreateVersion7(), "user-2"), Is.EqualTo(JobCommandOutcome.NotFound));
    }

    [Test]
    public async Task An_abandoned_job_is_failed_at_once_with_its_reason()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("hopeless", (_, _) => throw new JobAbandonedException("the file is gone"));
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("hopeless")), JobState.Failed);

        Assert.That(job.Error, Is.EqualTo("the file is gone"));
        Assert.That(job.Attempts.Single().Outcome, Is.EqualTo("abandoned"));
    }

    [Test]
    public async Task A_snoozed_job_comes_back_without_having_burnt_an_attempt()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("closed", (_, _) => _bed.Probe.Runs["closed"] < 3
            ? throw new JobSnoozedException(TimeSpan.FromMilliseconds(30), "the bureau is closed")
            : Task.CompletedTask);
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("closed"), new JobOptions { MaxAttempts = 1 }), JobState.Done);

        Assert.That(job.Attempt, Is.EqualTo(1));
        Assert.That(job.Attempts.Select(attempt => attempt.Outcome), Is.EqualTo(new[] { "snoozed", "snoozed" }));
    }

    [Test]
    public async Task An_attempt_that_takes_too_long_is_stopped_and_tried_again()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("slow", (_, ct) => Task.Delay(Timeout.Infinite, ct));
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new BriefAct("slow")), JobState.Failed);

        Assert.That(job.Attempts.Select(attempt => attempt.Outcome), Is.EqualTo(new[] { "timed_out", "timed_out" }));
        Assert.That(job.Error, Does.StartWith("The attempt ran longer than 00:00:01."));
    }

    [Test]
    public async Task A_handler_that_does_not_return_loses_its_slot_and_hurts_nobody()
    {
        await _bed.StartServerAsync(options =>
        {
            options.Slots = 1;
            options.StuckSeconds = 1;
            options.GraceSeconds = 0;
        });
        using var never = new ManualResetEventSlim();
        _bed.Probe.On("deaf", (_, _) =>
        {
            never.Wait(CancellationToken.None);
            return Task.CompletedTask;
        });
        var deaf = await _bed.EnqueueAsync(new BriefAct("deaf"), new JobOptions { MaxAttempts = 1 });
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Runs.ContainsKey("deaf")), () => "the deaf handler to run");
        var next = await _bed.EnqueueAsync(new Act("next"));

        await _bed.WaitForAsync(next, JobState.Done);
        Assert.That((await _bed.WaitForAsync(deaf, JobState.Failed)).Error, Does.Contain("did not return within 1 s"));
        never.Set();
    }

    [Test]
    public async Task A_handler_that_hangs_and_holds_its_own_job_locked_holds_up_nobody_and_its_end_is_stored_when_it_lets_go()
    {
        await _bed.StartServerAsync(options =>
        {
            options.Slots = 2;
            options.StuckSeconds = 1;
            options.GraceSeconds = 0;
        });
        using var never = new ManualResetEventSlim();
        _bed.Probe.On("holds", async (job, _) =>
        {
            await using var connection = await _bed.Source.OpenConnectionAsync(CancellationToken.None);
            await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
            await job.HoldLeaseAsync(connection, transaction, CancellationToken.None);
            never.Wait(CancellationToken.None);
        });
        var holds = await _bed.EnqueueAsync(new BriefAct("holds"), new JobOptions { MaxAttempts = 1 });
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Runs.ContainsKey("holds")), () => "the handler to run");
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'") > 0, () => "its end to meet the lock");

        for (var number = 0; number < 20; number++)
            await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act($"neighbour {number}")), JobState.Done);
        Assert.That((await _bed.Store.GetAsync(holds))?.State, Is.EqualTo(JobState.Running), "what it holds locked is not over yet");
        never.Set();

        Assert.That((await _bed.WaitForAsync(holds, JobState.Failed)).Error, Does.Contain("did not return within 1 s"));
    }

    [Test]
    public async Task What_cannot_run_says_so_and_its_neighbours_run()
    {
        var wrong = await _bed.EnqueueAsync(new WrongAct(3));
        var unmakeable = await _bed.EnqueueAsync(new Unmakeable());
        var huge = await _bed.EnqueueAsync(new Act("huge"), new JobOptions { MaxAttempts = 1 });
        var big = await _bed.EnqueueAsync(new Act("big result"), new JobOptions { MaxAttempts = 1 });
        var neighbours = await _bed.EnqueueManyAsync(Enumerable.Range(0, 20).Select(number => new Act($"n{number}")));
        _bed.Probe.On("huge", (_, _) => throw new InvalidOperationException("\0start" + new string('x', 10_000_000) + "end\ud800\0"));
        _bed.Probe.On("big result", (job, _) =>
        {
            job.SetResult(new string('x', 70_000));
            return Task.CompletedTask;
        });
        await _bed.StartServerAsync();

        Assert.That((await _bed.WaitForAsync(wrong, JobState.Failed)).Error, Does.StartWith("The stored arguments cannot be read as those of 'test.act'"));
        Assert.That((await _bed.WaitForAsync(unmakeable, JobState.Failed)).Error, Does.Contain("the bureau's certificate is missing"));
        var error = (await _bed.WaitForAsync(huge, JobState.Failed)).Error;
        Assert.That(error, Does.Contain("start").And.Length.LessThan(17_000));
        Assert.That((await _bed.WaitForAsync(big, JobState.Failed)).Error, Does.Contain("at most 65536 are allowed"));
        foreach (var neighbour in neighbours)
            await _bed.WaitForAsync(neighbour, JobState.Done);
    }

    [Test]
    public async Task A_job_of_a_newer_release_waits_and_an_alarm_can_be_seen()
    {
        await _bed.StartServerAsync();
        var kind = await _bed.EnqueueAsync(new FromTomorrow(1));
        var version = await _bed.EnqueueAsync(new NewerAct("newer"));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("known")), JobState.Done);
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '2 minutes'");

        Assert.That((await _bed.JobAsync(kind)).State, Is.EqualTo(JobState.Waiting));
        Assert.That((await _bed.JobAsync(version)).State, Is.EqualTo(JobState.Waiting));
        Assert.That((await _bed.Store.UnservedAsync()).Select(unserved => unserved.Kind), Is.EqualTo(new[] { "test.act", "test.from-tomorrow" }));
    }

    [Test]
    public async Task A_waiting_job_is_cancelled_at_once()
    {
        var id = await _bed.EnqueueAsync(new Act("unwanted"));
        Assert.That(await _bed.Store.RequestCancelAsync(id, "user-3", "entered twice"), Is.EqualTo(JobCommandOutcome.Done));

        var job = await _bed.JobAsync(id);
        Assert.That(job.State, Is.EqualTo(JobState.Cancelled));
        Assert.That(job.Cancellation?.By, Is.EqualTo("user-3"));
        Assert.That(job.Cancellation?.Reason, Is.EqualTo("entered twice"));
        Assert.That(await _bed.Store.RequestCancelAsync(id, "user-3", reason: null), Is.EqualTo(JobCommandOutcome.WrongState));
        Assert.That(await _bed.Store.RequestCancelAsync(Guid.CreateVersion7(), "user-3", reason: null), Is.EqualTo(JobCommandOutcome.NotFound));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task The_token_of_a_running_job_fires_within_two_seconds_of_its_cancellation(bool listen)
    {
        await _bed.StartServerAsync(options => options.Listen = listen);
        var gate = new Gate();
        _bed.Probe.On("long", (_, ct) => gate.PassAsync(ct));
        var id = await _bed.EnqueueAsync(new Act("long"));
        await gate.Reached;
        Assert.That(await _bed.Store.RequestCancelAsync(id, "user-4", "wrong file"), Is.EqualTo(JobCommandOutcome.Requested));

        var job = await _bed.WaitForAsync(id, JobState.Cancelled, seconds: 3);
        Assert.That(job.FinishedAt - job.Cancellation?.At, Is.LessThan(TimeSpan.FromSeconds(2)));
        Assert.That(job.Cancellation?.By, Is.EqualTo("user-4"));
    }

    [Test]
    public async Task Progress_never_goes_back_and_a_checkpoint_is_found_by_the_next_attempt()
    {
        await _bed.StartServerAsync();
        var found = "";
        _bed.Probe.On("long", async (job, ct) =>
        {
            if (job.Attempt == 1)
            {
                await using var connection = await _bed.Source.OpenConnectionAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await job.WriteCheckpointAsync(connection, transaction, new Place("row 500"), ct);
                await transaction.CommitAsync(ct);
                await job.ReportProgressAsync(500, 1000, "half", ct);
                throw new InvalidOperationException("interrupted");
            }
            found = job.ReadCheckpoint<Place>()?.Row ?? "";
            await job.ReportProgressAsync(100, 1000, "again", ct);
        });
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("long")), JobState.Done);

        Assert.That(found, Is.EqualTo("row 500"));
        Assert.That(job.Progress, Is.EqualTo(new JobProgress(500, 1000, "again")));
    }

    [Test]
    public async Task The_last_progress_is_stored_while_the_handler_goes_on()
    {
        await _bed.StartServerAsync();
        var gate = new Gate();
        _bed.Probe.On("quiet", async (job, ct) =>
        {
            await job.ReportProgressAsync(1, 3, "first", ct);
            await job.ReportProgressAsync(2, 3, "second", ct);
            await gate.PassAsync(ct);
        });
        var id = await _bed.EnqueueAsync(new Act("quiet"));
        await Bed.UntilAsync(async () => (await _bed.JobAsync(id)).Progress?.Done == 2, () => "the second report", seconds: 4);
        gate.Open();
        await _bed.WaitForAsync(id, JobState.Done);
    }

    [Test]
    public async Task What_a_handler_says_is_read_in_order_on_the_jobs_page()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("talks", async (job, ct) =>
        {
            for (var line = 1; line <= 1200; line++)
                await job.LogAsync($"line {line}\0", ct);
            if (job.Attempt == 1)
                throw new InvalidOperationException("again");
        });
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("talks")), JobState.Done);

        Assert.That(job.Log, Has.Count.EqualTo(1000));
        Assert.That(job.Log.Select(line => line.Attempt).Distinct(), Is.EqualTo(new[] { 2 }), "the latest thousand");
        Assert.That(job.Log.Select(line => line.Line).Take(2), Is.EqualTo(new[] { "line 1", "line 2" }));
        Assert.That(job.Log[^1].Line, Is.EqualTo("… more lines are left out …"));
    }

    [Test]
    public async Task A_row_with_the_name_that_a_kind_had_before_is_run_by_its_handler()
    {
        await _bed.StartServerAsync();
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new OldAct("renamed")), JobState.Done);
        Assert.That(_bed.Probe.Began, Is.EqualTo(new[] { "renamed" }));
    }

    [Test]
    public async Task Effect_and_done_commit_together_or_not_at_all()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("twice", async (job, ct) =>
        {
            await using var connection = await _bed.Source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var insert = new Npgsql.NpgsqlCommand("INSERT INTO effect VALUES (1, 'x')", connection, transaction);
            await insert.ExecuteNonQueryAsync(ct);
            await job.CompleteAsync(connection, transaction, new { Ok = true }, ct);
            // The first attempt forgets its commit: nothing of it stands, and the job is not done.
            if (job.Attempt > 1)
                await transaction.CommitAsync(ct);
        });
        var job = await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("twice")), JobState.Done);

        Assert.That(job.Attempt, Is.EqualTo(2));
        Assert.That(job.Attempts.Single().Error, Does.Contain("returned without committing it"));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(1));
    }

    [Test]
    public async Task Without_listener_and_notify_work_is_found_by_polling()
    {
        await _bed.StartServerAsync(options =>
        {
            options.Listen = false;
            options.PollMilliseconds = 50;
        });
        _bed.Client.Notify = false;
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("quiet")), JobState.Done);
    }

    [Test]
    public async Task Queues_with_weights_share_the_slots_in_turns_instead_of_waiting_for_each_other()
    {
        foreach (var queue in new[] { "urgent", "bulk" })
            await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act(queue), 30), new JobOptions { Queue = queue });
        await _bed.StartServerAsync(options =>
        {
            options.Slots = 1;
            options.Order = JobOrder.Weighted;
            options.Queues = [new() { Name = "urgent", Weight = 3 }, new() { Name = "bulk" }];
        });
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Began.Count >= 40), () => "forty to begin", seconds: 60);

        Assert.That(_bed.Probe.Began.Take(40).Count(name => name == "bulk"), Is.InRange(8, 12));
        await _bed.DrainedAsync();
    }

    [Test]
    public async Task The_state_of_the_server_can_be_asked_for_health_checks()
    {
        var host = await _bed.StartServerAsync();
        var state = host.Services.GetRequiredService<IJobServerState>();
        await Bed.UntilAsync(() => Task.FromResult(state is { Running: true, Listening: true, LastClaimAt: not null }), () => "the server to run");

        await host.StopAsync();
        Assert.That(state.Running, Is.False);
        Assert.That(state.Draining, Is.True);
        Assert.That((await _bed.Store.ServersAsync()).Single().State, Is.EqualTo("stopped"));
    }

    private sealed record Place(string Row);
}
