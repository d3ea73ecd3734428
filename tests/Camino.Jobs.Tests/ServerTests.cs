using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Camino.Jobs.Tests;

internal sealed class ServerTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Two_servers_share_two_thousand_jobs_and_each_runs_once()
    {
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 2000).Select(number => new Count(number)));
        await Task.WhenAll(_bed.StartServerAsync(options => options.ServerName = "one"), _bed.StartServerAsync(options => options.ServerName = "two"));
        await _bed.DrainedAsync();

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(2000));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(2000));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done' AND attempt = 1"), Is.EqualTo(2000));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT server) FROM jobs.finished"), Is.EqualTo(2));
    }

    [Test]
    public async Task Queues_are_worked_in_the_order_of_the_configuration()
    {
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 5).Select(number => new Act($"bulk {number}")), new JobOptions { Queue = "bulk" });
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 5).Select(number => new Act($"default {number}")));
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 5).Select(number => new Act($"urgent {number}")), new JobOptions { Queue = "urgent" });
        await _bed.StartServerAsync(options => options.Slots = 1);
        await _bed.DrainedAsync();

        string[] expected = [.. from queue in new[] { "urgent", "default", "bulk" } from number in Enumerable.Range(0, 5) select $"{queue} {number}"];
        Assert.That(_bed.Probe.Began, Is.EqualTo(expected));
    }

    [Test]
    public async Task A_reserved_slot_takes_urgent_work_while_bulk_fills_all_others()
    {
        var gate = new Gate();
        _bed.Probe.On("bulk", (_, ct) => gate.PassAsync(ct));
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("bulk"), 20), new JobOptions { Queue = "bulk" });
        await _bed.StartServerAsync(options =>
        {
            options.Slots = 4;
            options.Queues = [new() { Name = "urgent", ReservedSlots = 1 }, new() { Name = "bulk" }];
        });
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Runs.GetValueOrDefault("bulk") == 3), () => "three bulk jobs to run");

        var urgent = await _bed.EnqueueAsync(new Act("urgent"), new JobOptions { Queue = "urgent" });
        await _bed.WaitForAsync(urgent, JobState.Done);
        Assert.That(_bed.Probe.Runs["bulk"], Is.EqualTo(3), "the fourth slot is reserved");
        gate.Open();
        await _bed.DrainedAsync();
    }

    [Test]
    public async Task A_queue_uses_no_more_than_its_most_slots()
    {
        var gate = new Gate();
        _bed.Probe.On("bulk", (_, ct) => gate.PassAsync(ct));
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("bulk"), 6), new JobOptions { Queue = "bulk" });
        await _bed.StartServerAsync(options => options.Queues = [new() { Name = "default" }, new() { Name = "bulk", MaxSlots = 2 }]);
        await gate.Reached;
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("other")), JobState.Done);

        Assert.That((await _bed.Store.QueueFiguresAsync()).Single(queue => queue.Queue == "bulk").Running, Is.EqualTo(2));
        gate.Open();
        await _bed.DrainedAsync();
    }

    [Test]
    public async Task Bulk_work_that_has_waited_long_enough_goes_before_fresh_urgent_work()
    {
        var bulk = await _bed.EnqueueAsync(new Act("aged bulk"), new JobOptions { Queue = "bulk" });
        var young = await _bed.EnqueueAsync(new Act("young bulk"), new JobOptions { Queue = "bulk" });
        await _bed.EnqueueAsync(new Act("urgent"), new JobOptions { Queue = "urgent" });
        await _bed.RunAsync($"UPDATE jobs.job SET due_at = due_at - interval '21 minutes' WHERE id = '{bulk}'");
        await _bed.StartServerAsync(options =>
        {
            options.Slots = 1;
            options.AgeingSeconds = 600;
        });
        await _bed.WaitForAsync(young, JobState.Done);

        Assert.That(_bed.Probe.Began, Is.EqualTo(new[] { "aged bulk", "urgent", "young bulk" }));
    }

    [Test]
    public async Task A_killed_servers_job_runs_elsewhere_within_seconds_at_its_old_place_with_the_reason()
    {
        var id = await _bed.EnqueueAsync(new Hang(1));
        using var worker = Worker.Start(_bed.ConnectionString, "doomed");
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM effect") == 1, () => "the worker to begin", seconds: 60);
        var due = (await _bed.JobAsync(id)).DueAt;
        worker.Kill();
        await worker.WaitForExitAsync();

        await _bed.StartServerAsync(options => options.ServerName = "heir");
        var job = await _bed.WaitForAsync(id, JobState.Done, seconds: 12);
        Assert.That(job.Server, Is.EqualTo("heir"));
        Assert.That(job.DueAt, Is.EqualTo(due));
        Assert.That(job.Attempts.Single().Outcome, Is.EqualTo("rescued"));
        Assert.That(job.Attempts.Single().Error, Is.EqualTo("Server doomed stopped answering while it had the job."));
        Assert.That((await _bed.Store.ServersAsync()).Single(server => server.Name == "doomed").State, Is.EqualTo("lost"));
    }

    [Test]
    public async Task A_server_that_was_frozen_longer_than_its_lease_can_change_nothing_any_more()
    {
        var id = await _bed.EnqueueAsync(new Hang(1));
        using var worker = Worker.Start(_bed.ConnectionString, "frozen");
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM effect") == 1, () => "the worker to begin", seconds: 60);
        Worker.Signal(worker, "STOP");
        try
        {
            await _bed.StartServerAsync(options => options.ServerName = "heir");
            var job = await _bed.WaitForAsync(id, JobState.Done, seconds: 15);
            Assert.That(job.Server, Is.EqualTo("heir"));
        }
        finally
        {
            Worker.Signal(worker, "CONT");
        }
        // It wakes up, learns that it was given up, and starts over under a new id.
        await Bed.UntilAsync(
            async () => (await _bed.Store.ServersAsync()).Any(server => server is { Name: "frozen", State: "running" }), () => "the frozen server to come back", seconds: 10);
        Assert.That((await _bed.JobAsync(id)).Server, Is.EqualTo("heir"));
        worker.Kill();
        await worker.WaitForExitAsync();
    }

    [Test]
    public async Task A_late_run_is_refused_by_its_token_in_every_write()
    {
        await _bed.StartServerAsync(options => options.ServerName = "late");
        var gate = new Gate();
        var refused = new List<string>();
        _bed.Probe.On("late", async (job, _) =>
        {
            if (job.Attempt > 1)
                return;
            await gate.PassAsync(CancellationToken.None);
            await using var connection = await _bed.Source.OpenConnectionAsync(CancellationToken.None);
            await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
            await TryAsync("hold", () => job.HoldLeaseAsync(connection, transaction, CancellationToken.None));
            await TryAsync("checkpoint", () => job.WriteCheckpointAsync(connection, transaction, new object(), CancellationToken.None));
            await TryAsync("complete", () => job.CompleteAsync(connection, transaction, result: null, CancellationToken.None));
            await TryAsync("progress", () => job.ReportProgressAsync(1, 1).AsTask());
        });
        var id = await _bed.EnqueueAsync(new Act("late"));
        await gate.Reached;
        // What a rescue does, while the run is in the middle.
        await _bed.RunAsync($"UPDATE jobs.job SET lease = NULL, server_id = NULL, claimed_at = NULL WHERE id = '{id}'");
        await Bed.UntilAsync(async () => (await _bed.JobAsync(id)).State == JobState.Done, () => "the second run");
        var before = await _bed.JobAsync(id);
        gate.Open();
        await Bed.UntilAsync(() => Task.FromResult(_bed.Log.Lines.Any(line => line.Event == 1008)), () => "the late end to be refused");

        Assert.That(refused, Is.EqualTo(new[] { "hold", "checkpoint", "complete", "progress" }));
        Assert.That((await _bed.JobAsync(id)).FinishedAt, Is.EqualTo(before.FinishedAt));
        Assert.That((await _bed.JobAsync(id)).Progress, Is.Null);

        async Task TryAsync(string what, Func<Task> write)
        {
            try
            {
                await write();
            }
            catch (LeaseLostException)
            {
                refused.Add(what);
            }
        }
    }

    [Test]
    public async Task A_job_whose_effect_is_being_committed_is_not_given_away()
    {
        await _bed.StartServerAsync(options => options.ServerName = "slow");
        var gate = new Gate();
        _bed.Probe.On("held", async (job, ct) =>
        {
            await using var connection = await _bed.Source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await job.HoldLeaseAsync(connection, transaction, ct);
            // a commit is not broken off: what the server that knows itself lost cancels is not heard here
            await gate.PassAsync(CancellationToken.None);
            await job.CompleteAsync(connection, transaction, result: null, CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
        });
        var id = await _bed.EnqueueAsync(new Act("held"));
        await gate.Reached;
        await _bed.StartServerAsync(options => options.ServerName = "heir");
        await _bed.RunAsync("UPDATE jobs.server SET lost_at = clock_timestamp() WHERE name = 'slow'");
        // The first server learns that it is lost, which says that the heir has had its chance as well.
        await Bed.UntilAsync(() => Task.FromResult(_bed.Log.Lines.Any(line => line.Event == 1023)), () => "the server to learn that it is lost");
        Assert.That((await _bed.JobAsync(id)).State, Is.EqualTo(JobState.Running));
        gate.Open();

        await Bed.UntilAsync(async () => (await _bed.JobAsync(id)).State == JobState.Done, () => "the job to be done");
    }

    [Test]
    public async Task A_stopping_server_returns_its_jobs_without_burning_an_attempt()
    {
        var host = await _bed.StartServerAsync(options =>
        {
            options.ServerName = "old";
            options.GraceSeconds = 0;
        });
        var gate = new Gate();
        _bed.Probe.On("long", (job, ct) => job.Attempt == 1 && _bed.Probe.Runs["long"] == 1 ? gate.PassAsync(ct) : Task.CompletedTask);
        var id = await _bed.EnqueueAsync(new Act("long"), new JobOptions { MaxAttempts = 1 });
        await gate.Reached;
        var due = (await _bed.JobAsync(id)).DueAt;
        await host.StopAsync();

        var returned = await _bed.JobAsync(id);
        Assert.That(returned.State, Is.EqualTo(JobState.Waiting));
        Assert.That(returned.Attempt, Is.Zero);
        Assert.That(returned.DueAt, Is.EqualTo(due));
        Assert.That(returned.Attempts, Is.Empty);

        await _bed.StartServerAsync(options => options.ServerName = "new");
        var job = await _bed.WaitForAsync(id, JobState.Done);
        Assert.That(job.Attempt, Is.EqualTo(1));
    }

    [Test]
    public async Task A_stopping_server_lets_running_jobs_finish_within_its_grace_and_takes_no_more()
    {
        var host = await _bed.StartServerAsync(options => options.Slots = 1);
        var gate = new Gate();
        _bed.Probe.On("long", (_, ct) => gate.PassAsync(ct));
        var id = await _bed.EnqueueAsync(new Act("long"));
        await gate.Reached;
        var stop = host.StopAsync();
        await Bed.UntilAsync(() => Task.FromResult(host.Services.GetRequiredService<IJobServerState>().Draining), () => "the server to drain");
        var next = await _bed.EnqueueAsync(new Act("next"));
        gate.Open();
        await stop;

        Assert.That((await _bed.JobAsync(id)).State, Is.EqualTo(JobState.Done));
        Assert.That((await _bed.JobAsync(next)).State, Is.EqualTo(JobState.Waiting));
    }

    [Test]
    public async Task SIGTERM_ends_a_server_process_with_exit_code_0_and_its_job_back_in_the_queue()
    {
        var id = await _bed.EnqueueAsync(new Hang(1));
        using var worker = Worker.Start(_bed.ConnectionString, "deployed");
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM effect") == 1, () => "the worker to begin", seconds: 60);
        Worker.Signal(worker, "TERM");
        await worker.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(worker.ExitCode, Is.Zero);
        var job = await _bed.JobAsync(id);
        Assert.That((job.State, job.Attempt), Is.EqualTo((JobState.Waiting, 0)));
        Assert.That((await _bed.Store.ServersAsync()).Single().State, Is.EqualTo("stopped"));
    }

    [Test]
    public async Task A_host_that_is_thrown_away_without_being_stopped_leaves_its_jobs_to_others()
    {
        var gate = new Gate();
        _bed.Probe.On("left", (_, ct) => _bed.Probe.Runs["left"] == 1 ? gate.PassAsync(CancellationToken.None) : Task.CompletedTask);
        var careless = Bed.MakeHost(_bed.ConnectionString, _bed.ConnectionString, Bed.Options(), builder => builder.Services.AddSingleton(_bed.Probe));
        await careless.StartAsync();
        var id = await _bed.EnqueueAsync(new Act("left"));
        await gate.Reached;
        careless.Dispose();

        await _bed.StartServerAsync(options => options.ServerName = "heir");
        Assert.That((await _bed.WaitForAsync(id, JobState.Done)).Server, Is.EqualTo("heir"));
        gate.Open();
    }

    [Test]
    public async Task Blocked_threads_do_not_stop_the_heartbeat()
    {
        await _bed.StartServerAsync(options =>
        {
            options.ServerName = "blocked";
            options.Slots = 16; // threads of the whole process: other tests run beside this one
        });
        using var never = new ManualResetEventSlim();
        _bed.Probe.On("block", (_, _) =>
        {
            never.Wait(CancellationToken.None);
            return Task.CompletedTask;
        });
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("block"), 16));
        await Bed.UntilAsync(() => Task.FromResult(_bed.Probe.Runs.GetValueOrDefault("block") >= 2), () => "threads to be blocked");
        var beat = (await _bed.Store.ServersAsync()).Single().LastBeatAt;
        await Bed.UntilAsync(async () => (await _bed.Store.ServersAsync()).Single().LastBeatAt > beat.AddSeconds(2), () => "two more heartbeats", seconds: 10);
        Assert.That((await _bed.Store.ServersAsync()).Single().State, Is.EqualTo("running"));
        never.Set();
    }

    [Test]
    public async Task A_release_outside_the_fence_takes_nothing_and_has_no_effect()
    {
        var host = await _bed.StartServerAsync(options =>
        {
            options.ServerName = "old release";
            options.ReleaseNumber = 5;
        });
        var state = host.Services.GetRequiredService<IJobServerState>();
        var gate = new Gate();
        var refused = false;
        _bed.Probe.On("across", async (job, ct) =>
        {
            if (_bed.Probe.Runs["across"] > 1)
                return;
            await gate.PassAsync(ct);
            await using var connection = await _bed.Source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            try
            {
                await job.HoldLeaseAsync(connection, transaction, ct);
            }
            catch (LeaseLostException)
            {
                refused = true;
                throw;
            }
        });
        var across = await _bed.EnqueueAsync(new Act("across"));
        await gate.Reached;
        await _bed.Store.MoveFenceAsync(6, 6, "pipeline");
        await Bed.UntilAsync(() => Task.FromResult(state.Fenced), () => "the server to see the fence");
        var next = await _bed.EnqueueAsync(new Act("next"));
        gate.Open();
        await Bed.UntilAsync(async () => (await _bed.JobAsync(across)).State == JobState.Waiting, () => "the refused job to be returned");
        Assert.That(refused, Is.True);
        Assert.That((await _bed.Store.ServersAsync()).Single().State, Is.EqualTo("retired"));

        await _bed.StartServerAsync(options => options.ReleaseNumber = 6);
        Assert.That((await _bed.WaitForAsync(next, JobState.Done)).Server, Is.EqualTo("one"));
        Assert.That((await _bed.WaitForAsync(across, JobState.Done)).Attempt, Is.EqualTo(1));
    }

    [Test]
    public async Task A_paused_queue_or_kind_rests_until_it_is_resumed()
    {
        await _bed.StartServerAsync();
        await _bed.Store.PauseQueueAsync("bulk", "user-5", "month end");
        await _bed.Store.PauseKindAsync(BriefAct.Kind, "user-5");
        var bulk = await _bed.EnqueueAsync(new Act("bulk"), new JobOptions { Queue = "bulk" });
        var brief = await _bed.EnqueueAsync(new BriefAct("brief"));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("other")), JobState.Done);
        Assert.That(_bed.Probe.Began, Is.EqualTo(new[] { "other" }));
        Assert.That((await _bed.Store.PausedAsync()).Select(pause => (pause.Scope, pause.Name)), Is.EqualTo(new[] { ("queue", "bulk"), ("kind", "test.brief-act") }));

        Assert.That(await _bed.Store.ResumeQueueAsync("bulk"), Is.True);
        Assert.That(await _bed.Store.ResumeKindAsync(BriefAct.Kind), Is.True);
        await _bed.WaitForAsync(bulk, JobState.Done);
        await _bed.WaitForAsync(brief, JobState.Done);
    }

    [Test]
    public async Task Killed_connections_are_survived_by_claimer_heartbeat_and_listener()
    {
        var host = await _bed.StartServerAsync();
        var state = host.Services.GetRequiredService<IJobServerState>();
        await Bed.UntilAsync(() => Task.FromResult(state is { Running: true, Listening: true }), () => "the server to run");
        var gate = new Gate();
        _bed.Probe.On("across", (_, ct) => gate.PassAsync(ct));
        var across = await _bed.EnqueueAsync(new Act("across"));
        await gate.Reached;
        await _bed.RunAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jobs one'");
        gate.Open();

        Assert.That((await _bed.WaitForAsync(across, JobState.Done)).Attempt, Is.EqualTo(1));
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("after")), JobState.Done);
        await Bed.UntilAsync(() => Task.FromResult(state is { Running: true, Listening: true }), () => "the listener to come back");
    }

    [Test]
    public async Task A_database_that_is_away_for_a_while_loses_and_doubles_nothing()
    {
        var host = await _bed.StartServerAsync();
        var state = host.Services.GetRequiredService<IJobServerState>();
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 500).Select(number => new Count(number)), new JobOptions { MaxAttempts = 100 });
        await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM effect") > 20, () => "some jobs to be done");
        var database = await _bed.ScalarAsync<string>("SELECT current_database()::text");
        var server = await TestServer.SharedAsync();
        await using (var other = new NpgsqlConnection(server.ConnectionString("postgres")))
        {
            await other.OpenAsync();
            await RunAsync(other, $"ALTER DATABASE \"{database}\" ALLOW_CONNECTIONS false");
            await RunAsync(other, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
            await Bed.UntilAsync(() => Task.FromResult(state.SinceHeartbeat > TimeSpan.FromSeconds(2)), () => "the server to miss its database");
            await RunAsync(other, $"ALTER DATABASE \"{database}\" ALLOW_CONNECTIONS true");
        }
        _bed.Source.Clear();
        await Bed.UntilAsync(() => Task.FromResult(state.SinceHeartbeat < TimeSpan.FromSeconds(1)), () => "the server to find its database again");
        await _bed.DrainedAsync();

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(500));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(500));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done'"), Is.EqualTo(500));

        static async Task RunAsync(NpgsqlConnection connection, string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Test]
    public async Task Servers_killed_again_and_again_leave_every_effect_exactly_once()
    {
        const int jobs = 3000;
        await _bed.EnqueueManyAsync(Enumerable.Range(0, jobs).Select(number => new Count(number)));
        for (var kill = 0; kill < 4; kill++)
        {
            var before = await _bed.ScalarAsync<long>("SELECT count(*) FROM effect");
            using var worker = Worker.Start(_bed.ConnectionString, $"victim {kill}");
            await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(*) FROM effect") > before + 100, () => "a hundred more effects", seconds: 30);
            worker.Kill();
            await worker.WaitForExitAsync();
        }
        await _bed.StartServerAsync(options => options.ServerName = "heir");
        await _bed.DrainedAsync();

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done'"), Is.EqualTo(jobs));
    }

    [Test]
    public async Task Two_schemas_in_one_database_do_not_wake_each_other()
    {
        await using var connection = await _bed.Source.OpenConnectionAsync();
        await JobSchema.InstallAsync(connection, "other");
        var heard = new List<string>();
        connection.Notification += (_, notification) => heard.Add(notification.Channel);
        await using (var listen = new NpgsqlCommand("LISTEN camino_jobs_jobs; LISTEN camino_jobs_other", connection))
            await listen.ExecuteNonQueryAsync();
        var writer = new JobWriter(new JobClientOptions { Schema = "other" });
        await writer.EnqueueAsync(connection, transaction: null, new Act("elsewhere"));
        if (heard.Count == 0)
            await connection.WaitAsync(TimeSpan.FromSeconds(5));

        Assert.That(heard, Is.EqualTo(new[] { "camino_jobs_other" }));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.job"), Is.Zero);
    }
}
