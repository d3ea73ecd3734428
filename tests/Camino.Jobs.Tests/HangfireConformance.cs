#if HANGFIRE
using Camino.Jobs.Hangfire;

namespace Camino.Jobs.Tests;

/// <summary>Hangfire behind the contract: the same suite, and what is its own. Built with <c>-p:JobEngine=Hangfire</c>.</summary>
[TestFixture]
internal sealed class HangfireConformance : EngineConformance
{
    protected override async Task<IEngine> MakeAsync() => await MakeOnHangfireAsync();

    internal static async Task<EngineOnBed> MakeOnHangfireAsync()
    {
        var bed = await Bed.MakeAsync();
        await using (var connection = await bed.Source.OpenConnectionAsync())
            await HangfireHandOver.InstallAsync(connection);
        return new EngineOnBed(bed, (options, services) => services.AddHangfireCarrier(options));
    }
}

/// <summary>What Hangfire's storage and dashboard see of Camino's jobs, and the way over and back.</summary>
internal sealed class HangfireTests
{
    private EngineOnBed _engine = null!;

    private Bed Bed => _engine.Bed;

    [SetUp]
    public async Task SetUpAsync() => _engine = await HangfireConformance.MakeOnHangfireAsync();

    [TearDown]
    public async Task TearDownAsync() => await _engine.DisposeAsync();

    [Test]
    public async Task A_job_that_is_rolled_back_never_reached_Hangfire_and_one_that_commits_is_there_in_the_same_transaction()
    {
        await using var connection = await Bed.Source.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Bed.Writer.EnqueueAsync(connection, transaction, new Act("lost"));
            await transaction.RollbackAsync();
        }

        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.job"), Is.Zero);
        await Bed.EnqueueManyAsync(Enumerable.Range(0, 2_000).Select(n => new Act($"{n}")));
        await Bed.EnqueueAsync(new Act("later"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(1) });
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.jobqueue"), Is.EqualTo(2_000));
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.set WHERE key = 'schedule'"), Is.EqualTo(1));
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.job j JOIN hangfire.state s ON s.id = j.stateid AND s.name = j.statename"), Is.EqualTo(2_001));
    }

    [Test]
    public async Task The_dashboard_shows_what_succeeded_and_what_failed_with_its_error_and_its_button_tries_it_again()
    {
        var heal = false;
        Bed.Probe.On("healed", (_, _) => heal ? Task.CompletedTask : throw new JobAbandonedException("not yet"));
        await using var server = await _engine.StartServerAsync("one");
        var id = await Bed.EnqueueAsync(new Act("healed"));
        await Bed.WaitForAsync(await Bed.EnqueueAsync(new Act("good")), JobState.Done);
        await Bed.WaitForAsync(id, JobState.Failed);
        await Bed.UntilAsync(async () => await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename = 'Failed'") == 1, () => "Hangfire's job to fail");
        Assert.That(await Bed.ScalarAsync<string>("SELECT s.data->>'ExceptionMessage' FROM hangfire.state s JOIN hangfire.job j ON j.stateid = s.id WHERE j.statename = 'Failed'"), Does.Contain("not yet"));
        await Bed.UntilAsync(async () => await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename = 'Succeeded'") == 1, () => "Hangfire's other job to succeed");

        heal = true;
        var number = await Bed.ScalarAsync<long>("SELECT id FROM hangfire.job WHERE statename = 'Failed'");
        HangfireDesk.Requeue(Bed.Source, number);
        await Bed.WaitForAsync(id, JobState.Done);
    }

    [Test]
    public async Task A_release_behind_the_fence_takes_nothing_and_the_job_waits_untouched()
    {
        await Bed.RunAsync("INSERT INTO jobs.fence (lowest, highest, moved_by) VALUES (7, 7, 'test')");
        await using (await _engine.StartServerAsync("old"))
        {
            var id = await Bed.EnqueueAsync(new Act("fenced"));
            await Bed.UntilAsync(async () => await Bed.ScalarAsync<long>("SELECT count(*) FROM jobs.server WHERE name = 'old'") == 1, () => "the server to register");
            Assert.That((await Bed.JobAsync(id)).State, Is.EqualTo(JobState.Waiting));

            await Bed.RunAsync("DELETE FROM jobs.fence");
            Assert.That((await Bed.WaitForAsync(id, JobState.Done, seconds: 60)).Attempt, Is.EqualTo(1));
        }

        Assert.That(Bed.Probe.Runs["fenced"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_paused_queue_is_not_worked_and_goes_on_when_it_is_resumed()
    {
        await Bed.RunAsync("INSERT INTO jobs.pause (scope, name, paused_by) VALUES ('queue', 'default', 'user-1')");
        await using var server = await _engine.StartServerAsync("one");
        var id = await Bed.EnqueueAsync(new Act("paused"));
        await Bed.UntilAsync(async () => await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.state WHERE reason LIKE 'Paused%'") > 0, () => "Hangfire to bring it in vain");
        Assert.That((await Bed.JobAsync(id)).State, Is.EqualTo(JobState.Waiting));

        await Bed.RunAsync("DELETE FROM jobs.pause");
        await Bed.WaitForAsync(id, JobState.Done, seconds: 60);
    }

    [Test]
    public async Task An_errand_whose_claim_the_database_refuses_once_is_brought_again()
    {
        await Bed.RunAsync(
            """
            CREATE SEQUENCE jobs.tries;
            CREATE FUNCTION jobs.fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.lease IS NOT NULL AND nextval('jobs.tries') = 1 THEN RAISE EXCEPTION 'not now'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fail_once BEFORE UPDATE ON jobs.job FOR EACH ROW EXECUTE FUNCTION jobs.fail_once();
            """);
        await using var server = await _engine.StartServerAsync("one");
        var id = await Bed.EnqueueAsync(new Act("refused once"));

        Assert.That((await Bed.WaitForAsync(id, JobState.Done, seconds: 60)).Attempt, Is.EqualTo(1));
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.state WHERE reason = 'The database did not answer'"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_errand_that_is_brought_before_its_time_is_kept_for_later()
    {
        await Bed.EnqueueAsync(new Act("early"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddHours(1) });
        await Bed.RunAsync("UPDATE hangfire.set SET score = 0 WHERE key = 'schedule'"); // as by a clock that is ahead of the database's
        await using var server = await _engine.StartServerAsync("one");

        await Bed.UntilAsync(async () => await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.state WHERE name = 'Scheduled' AND reason LIKE 'Not due yet%'") > 1, () => "Hangfire to bring it too early, twice");
        Assert.That(Bed.Probe.Began, Is.Empty);
    }

    [Test]
    public async Task Moving_over_and_back_loses_nothing_and_runs_each_job_once_while_servers_of_both_engines_work()
    {
        await using (var connection = await Bed.Source.OpenConnectionAsync())
            await JobSchema.TakeBackAsync(connection);
        await Bed.EnqueueManyAsync(Enumerable.Range(0, 300).Select(n => new Act($"before {n}")));
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.job"), Is.Zero);

        await using (var connection = await Bed.Source.OpenConnectionAsync())
            await HangfireHandOver.InstallAsync(connection);
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.jobqueue"), Is.EqualTo(300), "what waited is handed over");
        await using var hangfire = await _engine.StartServerAsync("hangfire");
        var own = await Bed.StartServerAsync(options => options.ServerName = "own");
        await Bed.EnqueueManyAsync(Enumerable.Range(0, 300).Select(n => new Act($"during {n}")));
        await Bed.DrainedAsync(60);

        await using (var connection = await Bed.Source.OpenConnectionAsync())
            await JobSchema.TakeBackAsync(connection);
        await hangfire.DisposeAsync();
        await Bed.EnqueueManyAsync(Enumerable.Range(0, 300).Select(n => new Act($"after {n}")));
        await Bed.DrainedAsync(60);
        await own.StopAsync();

        Assert.That(Bed.Probe.Runs, Has.Count.EqualTo(900));
        Assert.That(Bed.Probe.Runs.Values, Is.All.EqualTo(1));
    }

    [Test]
    public async Task Worker_processes_killed_again_and_again_leave_every_effect_exactly_once()
    {
        const int Jobs = 400;
        await Bed.EnqueueManyAsync(Enumerable.Range(0, Jobs).Select(number => new Count(number)));
        for (var kill = 1; kill <= 4; kill++)
        {
            using var victim = Worker.Start(Bed.ConnectionString, $"victim {kill}", "hangfire");
            var (name, least) = ($"victim {kill}", kill * 20);
            await Bed.UntilAsync(async () => await Bed.ScalarAsync<long>("SELECT count(*) FROM effect") >= least, () => $"{name} to have effects", seconds: 90);
            victim.Kill();
            await victim.WaitForExitAsync();
        }

        await using var heir = await _engine.StartServerAsync("heir");
        await Bed.DrainedAsync(seconds: 180);

        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(Jobs));
        Assert.That(await Bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(Jobs));
    }

    [Test]
    public async Task Queues_that_change_their_order_keep_their_jobs()
    {
        await Bed.EnqueueAsync(new Act("bulk"), new JobOptions { Queue = "bulk" });
        Assert.That(await Bed.ScalarAsync<string>("SELECT queue FROM hangfire.jobqueue"), Is.EqualTo("99-bulk"), "no server has named the queues yet");

        await HangfireHandOver.NameQueuesAsync(Bed.Source, "jobs", ["urgent", "default", "bulk"], CancellationToken.None);
        Assert.That(await Bed.ScalarAsync<string>("SELECT queue FROM hangfire.jobqueue"), Is.EqualTo("03-bulk"));
        await HangfireHandOver.NameQueuesAsync(Bed.Source, "jobs", ["bulk", "urgent", "default"], CancellationToken.None);
        Assert.That(await Bed.ScalarAsync<string>("SELECT queue || ' ' || (j.arguments->>2) FROM hangfire.jobqueue q JOIN hangfire.job j ON j.id = q.jobid"), Is.EqualTo("01-bulk \"01-bulk\""));
    }

    [Test]
    public async Task An_errand_that_was_deleted_on_the_dashboard_is_handed_over_again_by_the_next_migration_and_no_other_twice()
    {
        await Bed.EnqueueAsync(new Act("deleted"));
        await Bed.EnqueueAsync(new Act("kept"));
        await Bed.RunAsync("UPDATE hangfire.job SET statename = 'Deleted' WHERE id = (SELECT min(id) FROM hangfire.job)");
        await using (var connection = await Bed.Source.OpenConnectionAsync())
            await HangfireHandOver.InstallAsync(connection);

        Assert.That(await Bed.ScalarAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename = 'Enqueued'"), Is.EqualTo(2));
    }

    [Test]
    public void What_Hangfire_cannot_do_is_refused_by_name()
    {
        var options = Bed.Options(asked =>
        {
            asked.Order = JobOrder.Weighted;
            asked.AgeingSeconds = 300;
            asked.Queues[2].MaxSlots = 2;
        });

        Assert.That(HangfireServices.Faults(options), Has.Count.EqualTo(3).And.Some.Contain("Jobs:AgeingSeconds is 300").And.Some.Contain("Jobs:Order is Weighted").And.Some.Contain("Jobs:Queues:2:MaxSlots is 2"));
        Assert.That(HangfireServices.Faults(Bed.Options(asked => asked.AgeingSeconds = 0)), Is.Empty);
    }
}
#endif
