using System.Diagnostics;
using Npgsql;

namespace Camino.Jobs.Tests;

internal sealed class EnqueueTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task A_job_of_a_rolled_back_transaction_never_existed()
    {
        await _bed.StartServerAsync();
        Guid lost;
        await using (var connection = await _bed.Source.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            lost = await _bed.Writer.EnqueueAsync(connection, transaction, new Act("lost"));
            await transaction.RollbackAsync();
        }
        var kept = await _bed.EnqueueAsync(new Act("kept"));
        await _bed.WaitForAsync(kept, JobState.Done);

        Assert.That(_bed.Probe.Began, Is.EqualTo(new[] { "kept" }));
        Assert.That(await _bed.Store.GetAsync(lost), Is.Null);
    }

    [Test]
    public async Task A_job_is_not_seen_before_its_transaction_commits()
    {
        await _bed.StartServerAsync();
        await using var connection = await _bed.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var id = await _bed.Writer.EnqueueAsync(connection, transaction, new Act("late"));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("other")), JobState.Done);
        Assert.That(_bed.Probe.Began, Does.Not.Contain("late"));

        await transaction.CommitAsync();
        await _bed.WaitForAsync(id, JobState.Done);
    }

    [Test]
    public async Task A_second_enqueue_with_the_same_key_answers_with_the_first_ones_id()
    {
        var options = new JobOptions { UniqueKey = "loan 4711" };
        var first = await _bed.EnqueueAsync(new Act("first"), options);
        var second = await _bed.EnqueueAsync(new Act("second"), options);
        var otherKind = await _bed.EnqueueAsync(new BriefAct("third"), options);

        Assert.That(second, Is.EqualTo(first));
        Assert.That(otherKind, Is.Not.EqualTo(first));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_key_is_free_again_when_its_job_is_over()
    {
        await _bed.StartServerAsync();
        var options = new JobOptions { UniqueKey = "loan 4711" };
        var first = await _bed.EnqueueAsync(new Act("first"), options);
        await _bed.WaitForAsync(first, JobState.Done);

        Assert.That(await _bed.EnqueueAsync(new Act("second"), options), Is.Not.EqualTo(first));
    }

    [Test]
    public async Task Twenty_enqueues_of_one_key_at_once_make_one_job()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _bed.EnqueueAsync(new Act("one"), new JobOptions { UniqueKey = "k" }))));

        Assert.That(ids.Distinct().Count(), Is.EqualTo(1));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_mixed_group_keeps_its_order_and_its_keys()
    {
        var held = await _bed.EnqueueAsync(new Act("held"), new JobOptions { UniqueKey = "a" });
        NewJob[] jobs =
        [
            _bed.Writer.Prepare(new Act("1")),
            _bed.Writer.Prepare(new Act("2"), new JobOptions { UniqueKey = "a" }),
            _bed.Writer.Prepare(new Act("3"), new JobOptions { UniqueKey = "b" }),
            _bed.Writer.Prepare(new Count(4), new JobOptions { UniqueKey = "b", DueAt = DateTimeOffset.UtcNow.AddDays(1) }),
            _bed.Writer.Prepare(new Act("5"), new JobOptions { UniqueKey = "b" }),
        ];
        await using var connection = await _bed.Source.OpenConnectionAsync();
        var ids = await _bed.Writer.InsertAsync(connection, transaction: null, jobs);

        Assert.That(ids, Is.EqualTo(new[] { jobs[0].Id, held, jobs[2].Id, jobs[3].Id, jobs[2].Id }));
        Assert.That((await _bed.JobAsync(jobs[3].Id)).State, Is.EqualTo(JobState.Scheduled));
    }

    [Test]
    public async Task A_hundred_thousand_jobs_go_in_with_one_call_and_memory_stays_flat_but_for_their_ids()
    {
        const int Jobs = 100_000;
        const int Generous = 16_000_000; // the ids are 1.6 MB, in a list that doubles
        var live = new List<long>();
        IEnumerable<Count> All()
        {
            for (var number = 0; number < Jobs; number++)
            {
                if (number % 20_000 == 10_000)
                    live.Add(GC.GetTotalMemory(forceFullCollection: true));
                yield return new Count(number);
            }
        }

        var ids = await _bed.EnqueueManyAsync(All());

        Assert.That(ids, Has.Count.EqualTo(Jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job"), Is.EqualTo(Jobs));
        Assert.That(live.Max() - live[0], Is.LessThan(Generous), string.Join(", ", live));
    }

    [Test]
    public async Task A_bulk_of_twenty_thousand_is_one_transaction_in_its_order()
    {
        var ids = await _bed.EnqueueManyAsync(Enumerable.Range(0, 20_000).Select(number => new Count(number)));

        Assert.That(ids, Has.Count.EqualTo(20_000));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT xmin::text) FROM jobs.job"), Is.EqualTo(1));
        Assert.That(
            await _bed.ScalarAsync<string>("SELECT string_agg(args->>'number', ',') FROM (SELECT args FROM jobs.job ORDER BY queue, due_at, id LIMIT 5) j"),
            Is.EqualTo("0,1,2,3,4"));
    }

    [Test]
    public async Task A_job_for_later_waits_for_the_databases_clock()
    {
        await _bed.StartServerAsync(options => options.PollMilliseconds = 50);
        var due = await _bed.ScalarAsync<DateTime>("SELECT clock_timestamp() + interval '400 milliseconds'");
        var id = await _bed.EnqueueAsync(new Act("later"), new JobOptions { DueAt = new DateTimeOffset(due) });
        Assert.That((await _bed.JobAsync(id)).State, Is.EqualTo(JobState.Scheduled));

        var job = await _bed.WaitForAsync(id, JobState.Done);
        Assert.That(job.StartedAt, Is.GreaterThanOrEqualTo(job.DueAt));
    }

    [Test]
    public async Task A_job_that_was_not_started_in_time_is_cancelled_as_expired()
    {
        var now = await _bed.ScalarAsync<DateTime>("SELECT clock_timestamp()");
        var id = await _bed.EnqueueAsync(new Act("stale"), new JobOptions { ExpiresAt = new DateTimeOffset(now.AddMilliseconds(-1)) });
        await _bed.StartServerAsync();

        var job = await _bed.WaitForAsync(id, JobState.Cancelled);
        Assert.That(job.Error, Is.EqualTo("expired"));
        Assert.That(_bed.Probe.Began, Is.Empty);
    }

    [Test]
    public async Task The_trace_of_the_asking_request_goes_on_in_the_job_and_its_log()
    {
        await _bed.StartServerAsync();
        var seen = "";
        _bed.Probe.On("traced", (_, _) =>
        {
            seen = Activity.Current?.TraceId.ToHexString() ?? "";
            return Task.CompletedTask;
        });
        using var request = new Activity("request").Start();
        var id = await _bed.EnqueueAsync(new Act("traced"), new JobOptions { RequestedBy = "user-7" });
        var job = await _bed.WaitForAsync(id, JobState.Done);

        Assert.That(seen, Is.EqualTo(request.TraceId.ToHexString()));
        Assert.That(job.TraceId, Is.EqualTo(seen));
        Assert.That(job.RequestedBy, Is.EqualTo("user-7"));
        await Bed.UntilAsync(() => Task.FromResult(_bed.Log.Lines.Any(line => line.Event == 1002)), () => "the line that says done");
        var done = _bed.Log.Lines.First(line => line.Event == 1002);
        Assert.That(done.Scope["JobId"], Is.EqualTo(id));
        Assert.That(done.Scope["TraceId"], Is.EqualTo(seen));
        Assert.That(_bed.Log.Lines.Select(line => line.Text), Has.None.Contains("traced"), "arguments are never logged");
    }

    [Test]
    public void Bad_input_is_refused_with_the_field_the_value_and_what_is_allowed()
    {
        var registered = new JobWriter(_bed.Client, new JobRegistry().AddKind<Count>());
        Assert.Multiple(() =>
        {
            Assert.That(() => _bed.Writer.Prepare(new Act("x"), new JobOptions { Queue = "Urgent!" }), Refused("Queue is 'Urgent!'; a queue's name is 1 to 50"));
            Assert.That(() => _bed.Writer.Prepare(new Act(new string('x', 70_000))), Refused("takes 70011 bytes as JSON; at most 65536"));
            Assert.That(() => _bed.Writer.Prepare(new Act("a\0b")), Refused("holds a NUL character"));
            Assert.That(() => _bed.Writer.Prepare(new Act(@"a\u0000b")), Throws.Nothing, "a backslash and digits are plain text");
            Assert.That(() => _bed.Writer.Prepare(new Act("x"), new JobOptions { MaxAttempts = 0 }), Refused("MaxAttempts is 0; it must be 1 to 100"));
            Assert.That(() => _bed.Writer.Prepare(new Act("x"), new JobOptions { UniqueKey = "" }), Refused("UniqueKey has 0 characters; it must have 1 to 200"));
            Assert.That(() => registered.Prepare(new Act("x")), Refused("'test.act' is not registered in this process; known are test.count"));
            Assert.That(() => new JobRegistry().AddKind<Act>().AddKind<NewerAct>(), Refused("'test.act' is registered twice"));
            Assert.That(() => JobSchema.InstallSql("jobs; DROP"), Refused("schema is 'jobs; DROP'"));
        });

        static NUnit.Framework.Constraints.IResolveConstraint Refused(string words) => Throws.InstanceOf<ArgumentException>().With.Message.Contains(words);
    }

    [Test]
    public async Task The_schema_installs_twice_and_inside_a_transaction_that_may_roll_back()
    {
        await using var connection = await _bed.Source.OpenConnectionAsync();
        await JobSchema.InstallAsync(connection);
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var install = new NpgsqlCommand(JobSchema.InstallSql("other"), connection, transaction);
            await install.ExecuteNonQueryAsync();
            Assert.That(await JobSchema.InstalledVersionAsync(connection, "other"), Is.EqualTo(JobSchema.Version));
        }
        Assert.That(await JobSchema.InstalledVersionAsync(connection, "other"), Is.Zero);
        Assert.That(await JobSchema.InstalledVersionAsync(connection), Is.EqualTo(JobSchema.Version));
    }
}
