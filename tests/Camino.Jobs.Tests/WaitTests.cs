namespace Camino.Jobs.Tests;

/// <summary>Jobs that wait for other jobs, one by one and as a batch.</summary>
internal sealed class WaitTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task A_continuation_runs_when_the_job_before_it_is_done()
    {
        await _bed.StartServerAsync();
        var gate = new Gate();
        _bed.Probe.On("first", (_, ct) => gate.PassAsync(ct));
        var first = await _bed.EnqueueAsync(new Act("first"));
        var second = await _bed.EnqueueAsync(new Act("second"), new JobOptions { After = [first] });
        await gate.Reached;
        Assert.That((await _bed.JobAsync(second)).State, Is.EqualTo(JobState.Held));

        gate.Open();
        await _bed.WaitForAsync(second, JobState.Done);
        Assert.That(_bed.Probe.Began, Is.EqualTo(new[] { "first", "second" }));
    }

    [Test]
    public async Task A_continuation_of_a_job_that_is_over_already_runs_at_once()
    {
        await _bed.StartServerAsync();
        var first = await _bed.EnqueueAsync(new Act("first"));
        await _bed.WaitForAsync(first, JobState.Done);

        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("second"), new JobOptions { After = [first] }), JobState.Done);
    }

    [Test]
    public async Task A_chain_enqueued_in_one_transaction_runs_in_its_order()
    {
        await _bed.StartServerAsync();
        await using var connection = await _bed.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Guid? last = null;
        for (var link = 0; link < 10; link++)
            last = await _bed.Writer.EnqueueAsync(connection, transaction, new Act($"{link}"), new JobOptions { After = last is { } before ? [before] : [] });
        await transaction.CommitAsync();

        await _bed.WaitForAsync(last ?? Guid.Empty, JobState.Done);
        Assert.That(_bed.Probe.Began, Is.EqualTo(Enumerable.Range(0, 10).Select(link => $"{link}")));
    }

    [Test]
    public async Task A_continuation_waits_while_its_job_is_failed_and_goes_on_when_a_retry_succeeds()
    {
        await _bed.StartServerAsync();
        var heal = false;
        _bed.Probe.On("first", (_, _) => heal ? Task.CompletedTask : throw new JobAbandonedException("the file is gone"));
        var first = await _bed.EnqueueAsync(new Act("first"));
        var onDone = await _bed.EnqueueAsync(new Act("on done"), new JobOptions { After = [first] });
        var onAny = await _bed.EnqueueAsync(new Act("on any"), new JobOptions { After = [first], AfterEnd = JobEnd.Any });
        await _bed.WaitForAsync(onAny, JobState.Done);
        Assert.That((await _bed.JobAsync(onDone)).State, Is.EqualTo(JobState.Held));

        heal = true;
        await _bed.Store.RetryAsync(first, "user-1");
        await _bed.WaitForAsync(onDone, JobState.Done);
    }

    [Test]
    public async Task What_waited_for_a_cancelled_job_is_cancelled_down_the_whole_chain_with_the_reason()
    {
        var first = await _bed.EnqueueAsync(new Act("first"));
        var second = await _bed.EnqueueAsync(new Act("second"), new JobOptions { After = [first] });
        var third = await _bed.EnqueueAsync(new Act("third"), new JobOptions { After = [second] });
        await _bed.Store.RequestCancelAsync(first, "user-1", reason: null);

        Assert.That((await _bed.JobAsync(second)).Cancellation?.Reason, Is.EqualTo($"It waited for job {first}, which is cancelled."));
        Assert.That((await _bed.JobAsync(third)).State, Is.EqualTo(JobState.Cancelled));
        Assert.That((await _bed.JobAsync(third)).Cancellation?.By, Is.EqualTo("system"));
    }

    [Test]
    public async Task Acknowledging_a_failed_job_ends_the_wait_for_it()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("first", (_, _) => throw new JobAbandonedException("the file is gone"));
        var first = await _bed.EnqueueAsync(new Act("first"));
        var second = await _bed.EnqueueAsync(new Act("second"), new JobOptions { After = [first] });
        await _bed.WaitForAsync(first, JobState.Failed);
        await _bed.Store.AcknowledgeAsync(first, "user-1");

        await _bed.WaitForAsync(second, JobState.Cancelled);
    }

    [Test]
    public async Task The_end_job_of_a_batch_runs_once_when_all_are_over_and_knows_how_they_ended()
    {
        await _bed.StartServerAsync();
        await _bed.StartServerAsync(options => options.ServerName = "two");
        _bed.Probe.On("bad", (_, _) => throw new JobAbandonedException("no"));
        JobBatch? seen = null;
        _bed.Probe.On("end", async (job, ct) => seen = await _bed.Store.BatchAsync(job.JobId, ct));
        await using var connection = await _bed.Source.OpenConnectionAsync();
        var end = await _bed.Writer.EnqueueBatchAsync(
            connection, transaction: null, Enumerable.Range(0, 500).Select(n => _bed.Writer.Prepare(new Act(n == 7 ? "bad" : "good"))), _bed.Writer.Prepare(new Act("end")));

        await _bed.WaitForAsync(end, JobState.Done);
        Assert.That(seen, Is.EqualTo(new JobBatch(500, 499, 1, 0)));
        Assert.That(_bed.Probe.Runs["end"], Is.EqualTo(1));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.waits_on"), Is.Zero);
    }

    [Test]
    public async Task An_empty_batch_ends_at_once()
    {
        await _bed.StartServerAsync();
        await using var connection = await _bed.Source.OpenConnectionAsync();
        await _bed.WaitForAsync(await _bed.Writer.EnqueueBatchAsync(connection, transaction: null, [], _bed.Writer.Prepare(new Act("end"))), JobState.Done);
    }

    [Test]
    public async Task A_wait_that_nobody_heard_the_end_of_is_found_by_the_sweep()
    {
        var first = await _bed.EnqueueAsync(new Act("first"));
        var second = await _bed.EnqueueAsync(new Act("second"), new JobOptions { After = [first] });
        // As if a server had seen the edge, finished the parent and died before it could say so.
        await _bed.RunAsync($"UPDATE jobs.waits_on SET checked = true; DELETE FROM jobs.job WHERE id = '{first}'");
        await _bed.StartServerAsync();

        await _bed.WaitForAsync(second, JobState.Done);
    }
}
