using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>What else can go wrong between servers, their machines and the database.</summary>
internal sealed partial class ProofTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Twenty_servers_on_ten_thousand_jobs_run_each_once()
    {
        const int jobs = 10_000;
        await _bed.EnqueueManyAsync(Enumerable.Range(0, jobs).Select(number => new Act(number.ToString(CultureInfo.InvariantCulture))));
        await Task.WhenAll(Enumerable.Range(1, 20).Select(server => _bed.StartServerAsync(options =>
        {
            options.ServerName = $"server {server}";
            // twenty hearts in one process on a full machine may be silent for longer than the tests' 5 seconds; then others rightly run what a server had
            options.LeaseSeconds = 120;
        })));
        await _bed.DrainedAsync(seconds: 90);

        Assert.That(_bed.Probe.Runs, Has.Count.EqualTo(jobs));
        Assert.That(_bed.Probe.Runs.Values, Has.All.EqualTo(1));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done' AND attempt = 1"), Is.EqualTo(jobs));
    }

    [TestCase(50_000, 60), Explicit("a minute of kills; ./camino test runs a shorter form: Servers_killed_again_and_again_leave_every_effect_exactly_once")]
    public async Task A_minute_of_kill_9_every_few_hundred_milliseconds_leaves_every_effect_exactly_once(int jobs, int seconds)
    {
        await _bed.EnqueueManyAsync(Enumerable.Range(0, jobs).Select(number => new Count(number)));
        var workers = new List<Process>();
        var watch = Stopwatch.StartNew();
        for (var kill = 0; watch.Elapsed < TimeSpan.FromSeconds(seconds); kill++)
        {
            while (workers.Count < 4)
                workers.Add(Worker.Start(_bed.ConnectionString, $"victim {kill}"));
            await Task.Delay(300);
            var victim = workers[kill % workers.Count];
            victim.Kill();
            await victim.WaitForExitAsync();
            workers.Remove(victim);
            victim.Dispose();
        }
        foreach (var worker in workers)
        {
            worker.Kill();
            await worker.WaitForExitAsync();
            worker.Dispose();
        }
        TestContext.Out.WriteLine($"{await _bed.ScalarAsync<long>("SELECT count(*) FROM effect")} effects when the killing ended");
        await _bed.StartServerAsync(options => options.ServerName = "heir");
        await _bed.DrainedAsync(seconds: 300);

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(jobs));
    }

    [Test]
    public async Task The_late_finish_of_a_server_that_was_stopped_longer_than_its_lease_is_refused()
    {
        var id = await _bed.EnqueueAsync(new Late(1));
        using var worker = Worker.Start(_bed.ConnectionString, "frozen");
        await Bed.UntilAsync(() => SaidAsync(-1, times: 1), () => "the worker to begin", seconds: 60);
        Worker.Signal(worker, "STOP");
        try
        {
            await _bed.StartServerAsync(options => options.ServerName = "heir");
            await Bed.UntilAsync(() => SaidAsync(-1, times: 2), () => "the heir to begin", seconds: 60);
            await _bed.RunAsync("INSERT INTO effect VALUES (0, 'go')");
            Assert.That((await _bed.WaitForAsync(id, JobState.Done, seconds: 60)).Server, Is.EqualTo("heir"));
        }
        finally
        {
            Worker.Signal(worker, "CONT");
        }
        await Bed.UntilAsync(() => SaidAsync(-2, times: 1), () => "the late finish to be refused", seconds: 60);
        worker.Kill();
        await worker.WaitForExitAsync();

        Assert.That(await SaidAsync(1, times: 1), "the effect stands once");
        Assert.That((await _bed.JobAsync(id)).Server, Is.EqualTo("heir"));
    }

    [Test]
    public async Task A_claimer_whose_connections_are_half_open_takes_new_ones_and_every_job_ends_once()
    {
        await using var proxy = new TcpProxy(_bed.ConnectionString);
        await _bed.StartServerAsync(pooler: proxy.ConnectionString);
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("before")), JobState.Done);

        proxy.CutOpenOnes();
        var ids = await _bed.EnqueueManyAsync(Enumerable.Range(0, 50).Select(number => new Act($"after {number}")));
        await _bed.DrainedAsync(seconds: 180);

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done'"), Is.EqualTo(ids.Count + 1));
    }

    [Test]
    public async Task A_half_open_listener_is_noticed_and_work_is_found_meanwhile()
    {
        await using var proxy = new TcpProxy(_bed.ConnectionString);
        var host = await _bed.StartServerAsync(options => options.PollMilliseconds = 100, listener: proxy.ConnectionString);
        var state = host.Services.GetRequiredService<IJobServerState>();
        await Bed.UntilAsync(() => Task.FromResult(state.Listening), () => "the listener to hear", seconds: 60);
        proxy.CutOpenOnes();
        await _bed.WaitForAsync(await _bed.EnqueueAsync(new Act("unheard")), JobState.Done, seconds: 60);

        await Bed.UntilAsync(() => Task.FromResult(_bed.Log.Lines.Any(line => line.Event == 1033)), () => "the silence to be noticed", seconds: 90);
        await Bed.UntilAsync(() => Task.FromResult(state.Listening), () => "the listener to hear again", seconds: 60);
    }

    [Test]
    public async Task Servers_whose_clocks_are_five_minutes_off_do_what_the_databases_clock_says()
    {
        await _bed.StartServerAsync(options => options.ServerName = "early", configure: services => services.AddSingleton<TimeProvider>(new Shifted(TimeSpan.FromMinutes(5))));
        await _bed.StartServerAsync(options => options.ServerName = "late", configure: services => services.AddSingleton<TimeProvider>(new Shifted(TimeSpan.FromMinutes(-5))));
        var due = await _bed.ScalarAsync<DateTime>("SELECT clock_timestamp() + interval '1 second'");
        var later = await _bed.EnqueueAsync(new Act("later"), new JobOptions { DueAt = new DateTimeOffset(due) });
        await _bed.EnqueueManyAsync(Enumerable.Range(0, 500).Select(number => new Count(number)));
        var job = await _bed.WaitForAsync(later, JobState.Done, seconds: 60);
        await _bed.DrainedAsync(seconds: 60);

        Assert.That(job.StartedAt, Is.GreaterThanOrEqualTo(job.DueAt));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(500));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(500));
        Assert.That((await _bed.Store.ServersAsync()).Select(server => server.State), Has.All.EqualTo("running"));
    }

    [Test]
    public async Task A_transaction_held_open_makes_claim_and_finish_read_no_more_than_three_times_as_much()
    {
        var me = ServerIdentity.Make(Bed.Options(), new JobRegistry().Add<Act, Act.Handler>());
        await _bed.RunAsync($"INSERT INTO jobs.server (id, name, release, number, slots, queues, kinds, lease_until) VALUES ('{me.Id}', 'x', 'x', 0, 1, '{{}}', '{{}}', now() + interval '1 hour')");
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("x"), 20_000));
        await using var report = await _bed.Source.OpenConnectionAsync();
        await using var snapshot = await report.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("SELECT count(*) FROM jobs.job", report, snapshot))
            Assert.That(await look.ExecuteScalarAsync(), Is.EqualTo(20_000));

        var low = DateTime.MinValue;
        var fresh = await CostAsync(me, low);
        for (var left = 20_000; left > 256; left -= 256)
        {
            var claimed = (await _bed.Store.RunBatchAsync(me, [], [], Ask(low, 256), CancellationToken.None)).Claimed;
            low = claimed.Max(job => job.DueAt);
            var rows = claimed.ConvertAll(job => new FinishRow(job.Id, job.Lease, "done", Result: null, Error: null, Note: null, Plain: true));
            Assert.That((await _bed.Store.RunBatchAsync(me, rows, [], ask: null, CancellationToken.None)).Refused, Is.Empty);
        }
        // What is younger than five seconds is always looked at; the rest of a claim begins where the last one ended.
        await _bed.RunAsync("UPDATE jobs.job SET due_at = due_at - interval '10 seconds'");
        await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("x"), 500));
        var held = await CostAsync(me, low);
        TestContext.Out.WriteLine($"buffers for 128 jobs: claim {fresh.Claim}, finish {fresh.Finish}; with 40,000 dead rows that an old transaction pins: {held.Claim}, {held.Finish}");

        Assert.That(held.Claim, Is.LessThan(fresh.Claim * 3));
        Assert.That(held.Finish, Is.LessThan(fresh.Finish * 3));
    }

    [Test]
    public async Task What_a_job_costs_is_what_the_table_in_the_README_says()
    {
        await using var proxy = new TcpProxy(_bed.ConnectionString);
        await using var source = NpgsqlDataSource.Create(proxy.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await _bed.Writer.EnqueueAsync(connection, transaction: null, new Act("first"));
        Assert.That(await CostOfAsync(() => _bed.Writer.EnqueueAsync(connection, transaction: null, new Act("one"))), Is.EqualTo((1, 1)), "enqueue one");
        var many = await CostOfAsync(() => _bed.Writer.EnqueueManyAsync(connection, transaction: null, Enumerable.Repeat(new Act("many"), 4_998)));
        Assert.That(many.Statements, Is.LessThanOrEqualTo(5), "enqueue many: the clock, COPY and the wake-up between BEGIN and COMMIT");
        Assert.That(many.Commits, Is.EqualTo(1), "enqueue many");

        var drain = await CostOfAsync(async () =>
        {
            await _bed.StartServerAsync(options => options.Slots = 24, pooler: proxy.ConnectionString);
            await _bed.DrainedAsync(seconds: 60);
        });
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"claim, run and finish 5,000 jobs: {drain.Statements / 5000.0:F4} statements and {drain.Commits / 5000.0:F4} commits for each"));
        Assert.That(drain.Statements / 5000.0, Is.LessThan(0.1));
        Assert.That(drain.Commits / 5000.0, Is.LessThan(0.1));

        async Task<(long Statements, long Commits)> CostOfAsync(Func<Task> act)
        {
            var statements = proxy.Statements;
            var commits = await WritingCommitsAsync();
            await act();
            return (proxy.Statements - statements, await WritingCommitsAsync() - commits);
        }
    }

    /// <summary>Transactions that left rows: other tests on the same server do not count.</summary>
    private Task<long> WritingCommitsAsync() => _bed.ScalarAsync<long>("SELECT count(*) FROM (SELECT DISTINCT xmin::text FROM jobs.job UNION SELECT DISTINCT xmin::text FROM jobs.finished) t");

    private static ClaimAsk Ask(DateTime low, int most) => new(Guid.CreateVersion7(), ["default"], [most], [0], [low], most);

    /// <summary>Buffers read by a claim of 128 jobs and by their end, which are both rolled back.</summary>
    private async Task<(long Claim, long Finish)> CostAsync(ServerIdentity me, DateTime low)
    {
        await using var connection = await _bed.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var ask = Ask(low, 128);
        var claim = await BuffersAsync(connection, transaction, _bed.Store.Sql.Claim, parameters => JobStore.AddClaim(parameters, me, ask));
        await using var taken = new NpgsqlCommand($"SELECT array_agg(id) FROM jobs.job WHERE lease = '{ask.Lease}'", connection, transaction);
        var ids = await taken.ExecuteScalarAsync() as Guid[] ?? [];
        Assert.That(ids, Has.Length.EqualTo(128));
        var finish = await BuffersAsync(connection, transaction, _bed.Store.Sql.FinishPlain, parameters =>
        {
            parameters.AddWithValue("ids", ids);
            parameters.AddWithValue("leases", Enumerable.Repeat(ask.Lease, ids.Length).ToArray());
            parameters.AddWithValue("name", "x");
            parameters.AddWithValue("keep", true);
        });
        await transaction.RollbackAsync();
        return (claim, finish);
    }

    private static async Task<long> BuffersAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, Action<NpgsqlParameterCollection> add)
    {
        await using var command = new NpgsqlCommand($"EXPLAIN (ANALYZE, BUFFERS) {sql}", connection, transaction);
        add(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            // The first line with buffers is the whole statement's.
            if (Buffers().Match(reader.GetString(0)) is { Success: true } found)
                return long.Parse(found.Groups["hit"].Value, CultureInfo.InvariantCulture) + (found.Groups["read"].Success ? long.Parse(found.Groups["read"].Value, CultureInfo.InvariantCulture) : 0);
        }
        throw new AssertionException("The plan names no buffers.");
    }

    private async Task<bool> SaidAsync(int number, int times) =>
        await _bed.ScalarAsync<long>($"SELECT count(*) FROM effect WHERE number = {number.ToString(CultureInfo.InvariantCulture)}") == times;

    [GeneratedRegex(@"Buffers: shared hit=(?<hit>\d+)( read=(?<read>\d+))?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Buffers();

    /// <summary>A machine whose clock is wrong.</summary>
    private sealed class Shifted(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
