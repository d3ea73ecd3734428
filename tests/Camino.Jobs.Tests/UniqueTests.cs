namespace Camino.Jobs.Tests;

/// <summary>Unique keys in each of their scopes, and what a second enqueue may change.</summary>
internal sealed class UniqueTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task A_key_until_started_is_free_as_soon_as_its_job_is_taken()
    {
        var gate = new Gate();
        _bed.Probe.On("first", (_, ct) => gate.PassAsync(ct));
        var options = new JobOptions { UniqueKey = "loan 4711", UniqueScope = JobUnique.UntilStarted };
        var first = await _bed.EnqueueAsync(new Act("first"), options);
        Assert.That(await _bed.EnqueueAsync(new Act("again"), options), Is.EqualTo(first));
        await _bed.StartServerAsync();
        await gate.Reached;

        var second = await _bed.EnqueueAsync(new Act("second"), options);
        Assert.That(second, Is.Not.EqualTo(first));
        await _bed.WaitForAsync(second, JobState.Done);
        gate.Open();
        await _bed.WaitForAsync(first, JobState.Done);
    }

    [Test]
    public async Task A_retry_does_not_take_a_key_until_started_again()
    {
        var options = new JobOptions { UniqueKey = "k", UniqueScope = JobUnique.UntilStarted };
        _bed.Probe.On("bad", (job, _) => job.Attempt == 1 ? throw new InvalidOperationException("once") : Task.CompletedTask);
        await _bed.StartServerAsync();
        var ids = new List<Guid>();
        for (var round = 0; round < 20; round++)
            ids.Add(await _bed.EnqueueAsync(new Act("bad"), options));

        foreach (var id in ids.Distinct())
            await _bed.WaitForAsync(id, JobState.Done);
    }

    [Test]
    public async Task A_key_within_a_period_stays_taken_when_its_job_is_long_over()
    {
        await _bed.StartServerAsync();
        var options = new JobOptions { UniqueKey = "statement 2026-03", UniqueScope = JobUnique.Within, UniqueFor = TimeSpan.FromHours(1) };
        var first = await _bed.EnqueueAsync(new Act("first"), options);
        await _bed.WaitForAsync(first, JobState.Done);
        Assert.That(await _bed.EnqueueAsync(new Act("second"), options), Is.EqualTo(first));

        await _bed.RunAsync("UPDATE jobs.unique_period SET until = now()");
        Assert.That(await _bed.EnqueueAsync(new Act("third"), options), Is.Not.EqualTo(first));
        Assert.That(_bed.Probe.Began, Does.Not.Contain("second"));
    }

    [Test]
    public async Task A_key_within_a_period_of_a_transaction_that_rolls_back_was_never_taken()
    {
        var options = new JobOptions { UniqueKey = "k", UniqueScope = JobUnique.Within, UniqueFor = TimeSpan.FromHours(1) };
        await using (var connection = await _bed.Source.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
            await _bed.Writer.EnqueueAsync(connection, transaction, new Act("lost"), options);

        var kept = await _bed.EnqueueAsync(new Act("kept"), options);
        Assert.That((await _bed.JobAsync(kept)).State, Is.EqualTo(JobState.Waiting));
    }

    [TestCase(JobUnique.UntilStarted)]
    [TestCase(JobUnique.Within)]
    public async Task Twenty_enqueues_of_one_key_at_once_make_one_job_in_every_scope(JobUnique scope)
    {
        var options = new JobOptions { UniqueKey = "k", UniqueScope = scope, UniqueFor = scope == JobUnique.Within ? TimeSpan.FromMinutes(1) : null };
        var ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _bed.EnqueueAsync(new Act("one"), options))));

        Assert.That(ids.Distinct().Count(), Is.EqualTo(1));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_second_enqueue_replaces_the_fields_it_names_of_a_waiting_job()
    {
        var first = await _bed.EnqueueAsync(new Act("old"), new JobOptions { UniqueKey = "k", DueAt = DateTimeOffset.UtcNow.AddDays(1), RequestedBy = "user-1" });
        await using var connection = await _bed.Source.OpenConnectionAsync();
        var receipt = await _bed.Writer.PutAsync(connection, transaction: null, _bed.Writer.Prepare(
            new Act("new"), new JobOptions { UniqueKey = "k", Queue = "urgent", RequestedBy = "user-2", MaxAttempts = 1, Replace = JobReplace.Args | JobReplace.DueAt | JobReplace.Queue }));

        Assert.That(receipt, Is.EqualTo(new JobReceipt(first, Existed: true, Replaced: true)));
        var job = await _bed.JobAsync(first);
        Assert.Multiple(() =>
        {
            Assert.That(job.Args, Is.EqualTo("""{"name": "new"}"""));
            Assert.That(job.State, Is.EqualTo(JobState.Waiting));
            Assert.That(job.Queue, Is.EqualTo("urgent"));
            Assert.That(job.RequestedBy, Is.EqualTo("user-1"));
            Assert.That(job.MaxAttempts, Is.EqualTo(3));
        });
    }

    [Test]
    public async Task A_running_job_is_not_changed_by_a_second_enqueue()
    {
        var gate = new Gate();
        _bed.Probe.On("old", (_, ct) => gate.PassAsync(ct));
        await _bed.StartServerAsync();
        var first = await _bed.EnqueueAsync(new Act("old"), new JobOptions { UniqueKey = "k" });
        await gate.Reached;
        await using var connection = await _bed.Source.OpenConnectionAsync();
        var receipt = await _bed.Writer.PutAsync(connection, transaction: null, _bed.Writer.Prepare(new Act("new"), new JobOptions { UniqueKey = "k", Replace = JobReplace.Args }));

        Assert.That(receipt, Is.EqualTo(new JobReceipt(first, Existed: true, Replaced: false)));
        gate.Open();
        Assert.That((await _bed.WaitForAsync(first, JobState.Done)).Args, Is.EqualTo("""{"name": "old"}"""));
    }

    [Test]
    public void A_scope_without_a_key_and_a_period_out_of_range_are_refused()
    {
        Assert.Multiple(() =>
        {
            Assert.That(() => _bed.Writer.Prepare(new Act("x"), new JobOptions { Replace = JobReplace.Args }), Throws.ArgumentException.With.Message.Contains("without a UniqueKey"));
            Assert.That(() => _bed.Writer.Prepare(new Act("x"), new JobOptions { UniqueKey = "k", UniqueScope = JobUnique.Within }), Throws.ArgumentException.With.Message.Contains("UniqueFor is missing"));
            Assert.That(
                () => _bed.Writer.Prepare(new Act("x"), new JobOptions { UniqueKey = "k", UniqueScope = JobUnique.Within, UniqueFor = TimeSpan.FromDays(400) }),
                Throws.ArgumentException.With.Message.Contains("it must be 1 second to 366 days"));
        });
    }
}
