using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>One engine behind the contract, on a database of its own, for <see cref="EngineConformance"/>.</summary>
internal interface IEngine : IAsyncDisposable
{
    /// <summary>Puts jobs in.</summary>
    IJobWriter Writer { get; }

    /// <summary>What people ask of and do to single jobs.</summary>
    IJobControl Control { get; }

    /// <summary>What the handlers do and saw.</summary>
    Probe Probe { get; }

    /// <summary>A connection to the engine's database, which also holds a table <c>effect (number integer, server text)</c>.</summary>
    Task<NpgsqlConnection> OpenAsync();

    /// <summary>Starts a server that works the queues urgent, default and bulk, in this order, with 8 slots.</summary>
    Task<IAsyncDisposable> StartServerAsync(string name);
}

/// <summary>
/// What every engine behind the contract must do, whatever carries the jobs. An engine adds a fixture with its own <see cref="MakeAsync"/>; what it cannot do is
/// listed by name in its documentation and overridden here with the refusal that it gives instead.
/// </summary>
internal abstract class EngineConformance
{
    private IEngine _engine = null!;

    protected abstract Task<IEngine> MakeAsync();

    [SetUp]
    public async Task SetUpAsync() => _engine = await MakeAsync();

    [TearDown]
    public async Task TearDownAsync() => await _engine.DisposeAsync();

    [Test]
    public async Task A_rolled_back_job_never_existed_and_a_committed_one_runs()
    {
        await using var server = await _engine.StartServerAsync("one");
        Guid lost, kept;
        await using (var connection = await _engine.OpenAsync())
        {
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                lost = await EnqueueAsync(connection, transaction, new Act("lost"));
                await transaction.RollbackAsync();
            }
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                kept = await EnqueueAsync(connection, transaction, new Act("kept"));
                await transaction.CommitAsync();
            }
        }
        await WaitForAsync(kept, JobState.Done);

        Assert.That(_engine.Probe.Began, Is.EqualTo(new[] { "kept" }));
        Assert.That(await _engine.Control.GetAsync(lost), Is.Null);
    }

    [Test]
    public async Task Result_progress_user_and_attempt_can_be_read()
    {
        await using var server = await _engine.StartServerAsync("one");
        _engine.Probe.On("sum", async (job, ct) =>
        {
            await job.ReportProgressAsync(10, 10, "all of them", ct);
            job.SetResult(new { Rows = 10 });
        });
        var job = await WaitForAsync(await EnqueueAsync(new Act("sum"), new JobOptions { RequestedBy = "user-1" }), JobState.Done);

        Assert.That((job.Result, job.RequestedBy, job.Attempt), Is.EqualTo(("""{"rows": 10}""", "user-1", 1)));
        Assert.That(job.Progress, Is.EqualTo(new JobProgress(10, 10, "all of them")));
    }

    [Test]
    public async Task A_failing_job_is_tried_as_often_as_its_kind_says_and_kept_with_its_errors()
    {
        await using var server = await _engine.StartServerAsync("one");
        _engine.Probe.On("bad", (job, _) => throw new InvalidOperationException($"no luck in attempt {job.Attempt}"));
        var job = await WaitForAsync(await EnqueueAsync(new Act("bad")), JobState.Failed);

        Assert.That(_engine.Probe.Runs["bad"], Is.EqualTo(3));
        Assert.That(job.Error, Does.Contain("no luck in attempt 3"));
        Assert.That(job.Attempts.Count(attempt => attempt.Outcome == "failed"), Is.EqualTo(3));
    }

    [Test]
    public async Task A_failed_job_is_retried_by_hand()
    {
        await using var server = await _engine.StartServerAsync("one");
        var heal = false;
        _engine.Probe.On("healed", (_, _) => heal ? Task.CompletedTask : throw new JobAbandonedException("not yet"));
        var id = await EnqueueAsync(new Act("healed"));
        await WaitForAsync(id, JobState.Failed);
        heal = true;

        Assert.That(await _engine.Control.RetryAsync(id, "user-2"), Is.EqualTo(JobCommandOutcome.Done));
        await WaitForAsync(id, JobState.Done);
    }

    [Test]
    public async Task A_snoozed_job_comes_back_without_having_burnt_an_attempt()
    {
        await using var server = await _engine.StartServerAsync("one");
        _engine.Probe.On("closed", (_, _) => _engine.Probe.Runs["closed"] < 2 ? throw new JobSnoozedException(TimeSpan.FromMilliseconds(50), "closed") : Task.CompletedTask);

        Assert.That((await WaitForAsync(await EnqueueAsync(new Act("closed"), new JobOptions { MaxAttempts = 1 }), JobState.Done)).Attempt, Is.EqualTo(1));
    }

    [Test]
    public async Task A_key_is_held_while_its_job_waits_or_runs_and_answers_with_its_id()
    {
        var options = new JobOptions { UniqueKey = "loan 4711" };
        var first = await EnqueueAsync(new Act("first"), options);
        Assert.That(await EnqueueAsync(new Act("second"), options), Is.EqualTo(first));
        await using var server = await _engine.StartServerAsync("one");
        await WaitForAsync(first, JobState.Done);

        Assert.That(await EnqueueAsync(new Act("third"), options), Is.Not.EqualTo(first));
    }

    [Test]
    public async Task A_job_for_later_does_not_run_before()
    {
        await using var server = await _engine.StartServerAsync("one");
        var later = await EnqueueAsync(new Act("later"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(1) });
        await WaitForAsync(await EnqueueAsync(new Act("now")), JobState.Done);

        Assert.That((await JobAsync(later)).State, Is.EqualTo(JobState.Scheduled));
        Assert.That(_engine.Probe.Began, Does.Not.Contain("later"));
    }

    [Test]
    public async Task A_continuation_runs_after_the_job_it_waits_for()
    {
        await using var server = await _engine.StartServerAsync("one");
        var gate = new Gate();
        _engine.Probe.On("first", (_, ct) => gate.PassAsync(ct));
        var first = await EnqueueAsync(new Act("first"));
        var second = await EnqueueAsync(new Act("second"), new JobOptions { After = [first] });
        await gate.Reached;
        Assert.That(_engine.Probe.Began, Does.Not.Contain("second"));

        gate.Open();
        await WaitForAsync(second, JobState.Done);
    }

    [Test]
    public async Task A_waiting_job_is_cancelled_by_whom_and_why()
    {
        var id = await EnqueueAsync(new Act("unwanted"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(1) });
        Assert.That(await _engine.Control.RequestCancelAsync(id, "user-3", "entered twice"), Is.EqualTo(JobCommandOutcome.Done));

        var job = await JobAsync(id);
        Assert.That((job.State, job.Cancellation?.By, job.Cancellation?.Reason), Is.EqualTo((JobState.Cancelled, "user-3", "entered twice")));
        Assert.That(await _engine.Control.RequestCancelAsync(Guid.CreateVersion7(), "user-3", reason: null), Is.EqualTo(JobCommandOutcome.NotFound));
    }

    [Test]
    public async Task The_token_of_a_running_job_fires_when_it_is_cancelled()
    {
        await using var server = await _engine.StartServerAsync("one");
        var gate = new Gate();
        _engine.Probe.On("long", (_, ct) => gate.PassAsync(ct));
        var id = await EnqueueAsync(new Act("long"));
        await gate.Reached;
        await _engine.Control.RequestCancelAsync(id, "user-4", "wrong file");

        await WaitForAsync(id, JobState.Cancelled);
    }

    [Test]
    public async Task Effect_and_done_commit_together_or_not_at_all()
    {
        await using var server = await _engine.StartServerAsync("one");
        _engine.Probe.On("twice", async (job, ct) =>
        {
            await using var connection = await _engine.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var insert = new NpgsqlCommand("INSERT INTO effect VALUES (1, 'x')", connection, transaction);
            await insert.ExecuteNonQueryAsync(ct);
            await job.CompleteAsync(connection, transaction, result: null, ct);
            if (job.Attempt > 1)
                await transaction.CommitAsync(ct);
        });
        await WaitForAsync(await EnqueueAsync(new Act("twice")), JobState.Done);

        await using var counting = await _engine.OpenAsync();
        await using var count = new NpgsqlCommand("SELECT count(*) FROM effect", counting);
        Assert.That(await count.ExecuteScalarAsync(), Is.EqualTo(1L));
    }

    [Test]
    public async Task A_stopping_server_gives_its_job_to_the_next_without_burning_an_attempt()
    {
        var first = await _engine.StartServerAsync("one");
        var gate = new Gate();
        _engine.Probe.On("long", (_, ct) => _engine.Probe.Runs["long"] == 1 ? gate.PassAsync(ct) : Task.CompletedTask);
        var id = await EnqueueAsync(new Act("long"));
        await gate.Reached;
        await first.DisposeAsync();
        await using var second = await _engine.StartServerAsync("two");

        Assert.That((await WaitForAsync(id, JobState.Done, seconds: 60)).Attempt, Is.EqualTo(1));
    }

    [Test]
    public async Task Queues_are_worked_in_the_order_of_the_configuration()
    {
        // Everything that runs holds a gate until all slots are taken, so the order of starting is the order of taking.
        foreach (var queue in new[] { "bulk", "default", "urgent" })
        {
            for (var n = 0; n < 20; n++)
                await EnqueueAsync(new Act(queue), new JobOptions { Queue = queue });
        }
        await using var server = await _engine.StartServerAsync("one");
        await Bed.UntilAsync(() => Task.FromResult(_engine.Probe.Began.Count == 60), () => "all to begin", seconds: 60);

        var began = _engine.Probe.Began.ToList();
        Assert.That(began.Take(12), Is.All.EqualTo("urgent"));
        Assert.That(began.TakeLast(12), Is.All.EqualTo("bulk"));
    }

    [Test]
    public async Task Two_servers_run_each_of_a_thousand_jobs_once()
    {
        await using var one = await _engine.StartServerAsync("one");
        await using var two = await _engine.StartServerAsync("two");
        IReadOnlyList<Guid> ids;
        await using (var connection = await _engine.OpenAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            ids = await _engine.Writer.InsertAsync(connection, transaction, [.. Enumerable.Range(0, 1000).Select(n => _engine.Writer.Prepare(new Act($"{n}")))]);
            await transaction.CommitAsync();
        }
        await Bed.UntilAsync(() => Task.FromResult(_engine.Probe.Runs.Count == 1000), () => "all to run", seconds: 60);
        foreach (var id in ids.Take(20))
            await WaitForAsync(id, JobState.Done);

        Assert.That(_engine.Probe.Runs.Values, Is.All.EqualTo(1));
    }

    private async Task<Guid> EnqueueAsync<TArgs>(TArgs args, JobOptions? options = null)
        where TArgs : IJobArgs
    {
        await using var connection = await _engine.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var id = await EnqueueAsync(connection, transaction, args, options);
        await transaction.CommitAsync();
        return id;
    }

    private async Task<Guid> EnqueueAsync<TArgs>(NpgsqlConnection connection, NpgsqlTransaction transaction, TArgs args, JobOptions? options = null)
        where TArgs : IJobArgs
        => (await _engine.Writer.InsertAsync(connection, transaction, [_engine.Writer.Prepare(args, options)]))[0];

    private async Task<JobDetail> JobAsync(Guid id) => await _engine.Control.GetAsync(id) ?? throw new AssertionException($"There is no job {id}.");

    private async Task<JobDetail> WaitForAsync(Guid id, JobState state, int seconds = 30)
    {
        JobDetail? job = null;
        await Bed.UntilAsync(async () => (job = await _engine.Control.GetAsync(id))?.State == state, () => $"job to be {state}, it is {job?.State} ({job?.Error})", seconds);
        return job ?? throw new AssertionException($"There is no job {id}.");
    }
}

/// <summary>Camino's own engine.</summary>
[TestFixture]
internal sealed class CaminoConformance : EngineConformance
{
    protected override async Task<IEngine> MakeAsync() => new EngineOnBed(await Bed.MakeAsync());
}

/// <summary>An engine on a <see cref="Bed"/>: its servers differ by what brings the jobs.</summary>
internal sealed class EngineOnBed(Bed bed, Action<JobServerOptions, IServiceCollection>? carrier = null) : IEngine
{
    public Bed Bed => bed;

    public IJobWriter Writer => bed.Writer;

    public IJobControl Control => bed.Store;

    public Probe Probe => bed.Probe;

    public async Task<NpgsqlConnection> OpenAsync() => await bed.Source.OpenConnectionAsync();

    public async Task<IAsyncDisposable> StartServerAsync(string name)
    {
        void Change(JobServerOptions options)
        {
            options.ServerName = name;
            options.GraceSeconds = 1;
            if (carrier is not null)
                options.AgeingSeconds = 0;
        }

        return new Running(await bed.StartServerAsync(Change, configure: services => carrier?.Invoke(Bed.Options(Change), services)));
    }

    public ValueTask DisposeAsync() => bed.DisposeAsync();

    private sealed class Running(IHost host) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await host.StopAsync();
    }
}
