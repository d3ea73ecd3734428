using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Jobs.Tests;

/// <summary>Recurring jobs: one run per tick whatever the number of servers, what is made up for, and what people can do.</summary>
internal sealed class ScheduleTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Three_servers_make_one_job_of_each_tick_and_tell_it_its_time()
    {
        var planned = new System.Collections.Concurrent.ConcurrentBag<DateTimeOffset?>();
        _bed.Probe.On("tick", (job, _) =>
        {
            planned.Add(job.PlannedAt);
            return Task.CompletedTask;
        });
        foreach (var name in new[] { "one", "two", "three" })
            await StartAsync(schedules => schedules.Add("test.every-second", new Act("tick"), "* * * * * *"), name);
        await Bed.UntilAsync(() => Task.FromResult(planned.Count >= 4), () => "four ticks", seconds: 60);

        var runs = await _bed.Store.RecurringRunsAsync("test.every-second");
        Assert.That(planned, Is.Unique.And.All.Not.Null);
        Assert.That(planned.Select(at => at?.Millisecond), Is.All.EqualTo(0));
        Assert.That(runs.Select(run => run.PlannedAt), Is.Unique);
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.recurring_run r WHERE r.job_id IS NULL AND r.outcome = 'enqueued'"), Is.Zero);
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM (SELECT planned_at FROM jobs.recurring_run UNION ALL SELECT planned_at FROM jobs.job) t"), Is.GreaterThanOrEqualTo(4));
    }

    [Test]
    public async Task Another_server_leads_when_the_leader_stops()
    {
        var leader = await StartAsync(Daily, "one");
        await Bed.UntilAsync(async () => await LeaderAsync() == "one", () => "the first to lead", seconds: 30);
        await StartAsync(Daily, "two");
        await leader.StopAsync();

        await Bed.UntilAsync(async () => await LeaderAsync() == "two", () => "the second to lead", seconds: 30);
        // A server's lease of the duty is its own: the stopped one can neither renew nor give back what is another's.
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.leader"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_quiet_server_does_not_lead()
    {
        var quiet = await StartAsync(Daily, "one");
        await Bed.UntilAsync(async () => await LeaderAsync() == "one", () => "the first to lead", seconds: 30);
        await _bed.Store.QuietAsync(quiet.Services.GetRequiredService<IJobServerState>().ServerId ?? Guid.Empty, "user-1");
        await StartAsync(Daily, "two");

        await Bed.UntilAsync(async () => await LeaderAsync() == "two", () => "the second to lead", seconds: 60);
    }

    [Test]
    public async Task An_entry_is_run_by_hand_disabled_and_enabled()
    {
        await StartAsync(Daily, "one");
        await Bed.UntilAsync(async () => (await _bed.Store.RecurringAsync()).SingleOrDefault()?.NextAt is not null, () => "the entry to be listed", seconds: 30);
        Assert.That(await _bed.Store.DisableRecurringAsync("test.daily", "user-1", "month end"), Is.True);
        var line = (await _bed.Store.RecurringAsync()).Single();
        Assert.That((line.NextAt, line.DisabledBy, line.DisabledReason), Is.EqualTo(((DateTimeOffset?)null, "user-1", "month end")));

        var id = await _bed.Store.RunRecurringAsync("test.daily", "user-2") ?? throw new AssertionException("No such entry.");
        var job = await _bed.WaitForAsync(id, JobState.Done);
        Assert.That((job.Schedule, job.RequestedBy), Is.EqualTo(("test.daily", "user-2")));
        Assert.That(job.PlannedAt, Is.Not.Null);
        Assert.That((await _bed.Store.RecurringRunsAsync("test.daily")).Single().Outcome, Is.EqualTo("by_hand"));

        Assert.That(await _bed.Store.EnableRecurringAsync("test.daily"), Is.True);
        await Bed.UntilAsync(async () => (await _bed.Store.RecurringAsync()).Single().NextAt is not null, () => "a next moment", seconds: 30);
        Assert.That(await _bed.Store.RunRecurringAsync("test.unknown", "user-2"), Is.Null);
    }

    [TestCase(JobMisfire.Skip, 0, "missed")]
    [TestCase(JobMisfire.Once, 1, "enqueued")]
    [TestCase(JobMisfire.All, 3, "enqueued")]
    public async Task What_passed_while_nobody_was_there_is_made_up_for_as_the_entry_says(JobMisfire misfire, int jobs, string outcome)
    {
        await _bed.RunAsync("""
            INSERT INTO jobs.recurring (name, kind, version, queue, max_attempts, args, cron, zone, closed, misfire, window_seconds, overlap, number, next_at)
            VALUES ('test.hourly', 'test.act', 1, 'default', 1, '{"name":"tick"}', '30 * * * *', 'UTC', 'skip', 'once', 86400, 'allow', 0,
                    date_trunc('hour', now() - interval '5 minutes') - interval '5 hours' + interval '30 minutes')
            """);
        await StartAsync(
            schedules => schedules.Add("test.hourly", new Act("tick"), "30 * * * *", entry => entry with { Misfire = misfire, Overlap = JobOverlap.Allow, Window = TimeSpan.FromHours(3) }), "one");
        await Bed.UntilAsync(async () => (await _bed.Store.RecurringRunsAsync("test.hourly")).Count > 0, () => "the missed moments to be looked at", seconds: 30);
        await _bed.DrainedAsync();

        var runs = await _bed.Store.RecurringRunsAsync("test.hourly");
        Assert.That(runs[0].Outcome, Is.EqualTo(outcome));
        Assert.That(_bed.Probe.Runs.GetValueOrDefault("tick"), Is.EqualTo(jobs));
    }

    [Test]
    public async Task A_tick_is_left_out_while_the_job_before_it_runs()
    {
        var gate = new Gate();
        _bed.Probe.On("slow", (_, ct) => gate.PassAsync(ct));
        await StartAsync(schedules => schedules.Add("test.slow", new Act("slow"), "* * * * * *"), "one");
        await gate.Reached;
        await Bed.UntilAsync(async () => (await _bed.Store.RecurringRunsAsync("test.slow")).Count(run => run.Outcome == "overlap") >= 2, () => "two moments to be left out", seconds: 30);

        Assert.That(_bed.Probe.Runs["slow"], Is.EqualTo(1));
        gate.Open();
    }

    [Test]
    public void Moments_on_closed_days_are_left_out_or_moved()
    {
        // Saturday 2026-07-04 is a holiday of which the banks keep no other day; Monday 2026-09-07 is Labor Day.
        static bool IsOpen(DateOnly day) => day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday) && day != new DateOnly(2026, 9, 7);
        var daily = new JobSchedule { Name = "test.daily", Cron = Cron.Parse("0 6 * * *") };
        var first = new JobSchedule { Name = "test.first", Cron = Cron.Parse("0 6 7 * *") };

        Assert.That(daily.Next(At("2026-09-04 06:00"), IsOpen), Is.EqualTo(At("2026-09-08 06:00")));
        Assert.That((first with { Closed = JobClosedDay.Next }).Next(At("2026-09-01 00:00"), IsOpen), Is.EqualTo(At("2026-09-08 06:00")));
        Assert.That((first with { Closed = JobClosedDay.Previous }).Next(At("2026-09-01 00:00"), IsOpen), Is.EqualTo(At("2026-09-04 06:00")));
        Assert.That((first with { Closed = JobClosedDay.Previous }).Next(At("2026-09-04 06:00"), IsOpen), Is.EqualTo(At("2026-10-07 06:00")));
        Assert.That((daily with { Closed = JobClosedDay.Next }).Next(At("2026-09-04 06:00"), IsOpen), Is.EqualTo(At("2026-09-08 06:00")), "three moments moved onto one day are one");
    }

    [Test]
    public void An_entry_that_can_never_fire_is_refused_at_the_start()
    {
        var never = new JobSchedules().Add("test.never", new Act("x"), "0 0 30 2 *");
        var closed = new JobSchedules().Calendar("test.closed", _ => false).Add("test.closed-for-ever", new Act("x"), "0 0 * * *", entry => entry with { Calendar = "test.closed" });

        Assert.That(() => never.CheckFire(At("2026-01-01 00:00")), Throws.InvalidOperationException.With.Message.EqualTo("The recurring entry 'test.never' (0 0 30 2 *) can never fire."));
        Assert.That(() => closed.CheckFire(At("2026-01-01 00:00")), Throws.InvalidOperationException.With.Message.Contains("calendar test.closed"));
        Assert.That(async () => await StartAsync(schedules => schedules.Add("test.never", new Act("x"), "0 0 30 2 *"), "one"), Throws.InvalidOperationException);
    }

    [Test]
    public void The_configuration_changes_times_and_adds_entries_of_registered_kinds()
    {
        var registry = new JobRegistry().Add<Act, Act.Handler>();
        var schedules = new JobSchedules().Add("test.daily", new Act("x"), "0 6 * * *");
        schedules.Configure(
            [new() { Name = "test.daily", Cron = "0 7 * * *", Zone = "America/New_York", Enabled = false }, new() { Name = "test.added", Kind = "test.act", Args = """{"name":"y"}""", Cron = "@hourly" }], registry);

        Assert.That(schedules.Entries.Select(entry => $"{entry.Name} {entry.Cron} {entry.Zone.Id} {entry.Enabled}"), Is.EqualTo(new[] { "test.daily 0 7 * * * America/New_York False", "test.added @hourly UTC True" }));
        Assert.Multiple(() =>
        {
            Assert.That(Configure(new() { Name = "test.other", Cron = "@daily" }), Throws.ArgumentException.With.Message.Contains("Name is 'test.other'; without a Kind"));
            Assert.That(Configure(new() { Name = "test.more", Kind = "test.none", Cron = "@daily" }), Throws.ArgumentException.With.Message.Contains("Kind is 'test.none'; known are test.act"));
            Assert.That(Configure(new() { Name = "test.more", Kind = "test.act", Args = "{}", Cron = "@daily" }), Throws.ArgumentException.With.Message.Contains("Args cannot be read"));
            Assert.That(Configure(new() { Name = "test.daily", Zone = "Mars/Base" }), Throws.ArgumentException.With.Message.Contains("Zone is 'Mars/Base'"));
            Assert.That(Configure(new() { Name = "test.daily", Calendar = "test.moon" }), Throws.ArgumentException.With.Message.Contains("Calendar is 'test.moon'; known are none"));
        });

        Action Configure(JobScheduleOptions options) => () => schedules.Configure([options], registry);
    }

    private static void Daily(JobSchedules schedules) => schedules.Add("test.daily", new Act("daily"), "0 6 * * *", entry => entry with { Misfire = JobMisfire.Skip });

    private Task<Microsoft.Extensions.Hosting.IHost> StartAsync(Action<JobSchedules> add, string name) =>
        _bed.StartServerAsync(options => options.ServerName = name, configure: services => services.AddJobSchedules(add));

    private Task<string> LeaderAsync() => _bed.ScalarAsync<string>("SELECT coalesce((SELECT v.name FROM jobs.leader l JOIN jobs.server v ON v.id = l.server_id WHERE l.until > clock_timestamp()), '')");

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
