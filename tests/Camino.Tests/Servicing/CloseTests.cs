using System.Globalization;
using System.Net;
using Camino.Jobs;
using Camino.Servicing;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>The night: the recurring job closes the days that have passed, and a close that broke down neither stays undone nor stands in the way of the next.</summary>
internal sealed class CloseTests
{
    private static readonly TimeSpan BehindUtc = TimeSpan.FromHours(5);

    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;

    private static DateOnly Night => DateOnly.FromDateTime(DateTime.UtcNow - BehindUtc);

    private JobStore Jobs => _camino.Office.Services.GetRequiredService<JobStore>();

    [TearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task The_nightly_entry_closes_every_day_that_has_passed_and_then_rests()
    {
        await StartAsync(withAsync: true);
        var began = Night.AddDays(-2);
        await _book.PrepareAsync(Text(began));
        var due = began.AddDays(1);
        var loan = await _book.DisbursedLoanAsync(on: Text(due.AddMonths(-1)));

        var closing = await AskAsync();
        await OpenAsync(began.AddDays(1), closing);
        await OpenAsync(Night, closing);
        await DoneAsync(closing);
        await _book.FinishedAsync(await NewestRunAsync());

        Assert.That(await _camino.ScalarAsync<DateOnly>($"select as_of from camino.serviced_loans where id = '{loan}'"), Is.EqualTo(began.AddDays(2)));
        Assert.That(await _camino.ScalarAsync<int>($"select days_past_due from camino.serviced_loans where id = '{loan}'"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'day.closed' and user_id is null"), Is.EqualTo(2));
        await _book.MustBeRightAsync(loan);

        var again = await AskAsync();
        await DoneAsync(again);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.close_runs"), Is.EqualTo(2));
    }

    [Test]
    public async Task Books_that_are_many_days_behind_are_left_to_a_person()
    {
        await StartAsync(withAsync: true);
        await _book.PrepareAsync(Text(Night.AddDays(-30)));

        var asked = await AskAsync();
        await UntilAsync(async () => (await Jobs.GetAsync(asked))?.State == JobState.Failed);

        Assert.That((await Jobs.GetAsync(asked))?.Error, Does.Contain("closed by hand"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.close_runs"), Is.EqualTo(0));
    }

    [Test]
    public async Task A_close_whose_jobs_have_failed_does_not_stand_in_the_way_of_the_next()
    {
        await StartAsync(withAsync: false);
        await _book.PrepareAsync();
        var loan = await _book.DisbursedLoanAsync();
        var broken = await _book.CloseAsync("2026-03-01");
        Assert.That(async () => await _book.CloseAsync("2026-03-02"), Throws.InstanceOf<Lending.RefusedException>().With.Property("Code").EqualTo("close.running"), "Its job waits and will still do it.");
        await CancelAsync(PlanClose.Kind);

        var next = await _book.CloseAsync("2026-03-02");
        await _camino.StartAsyncServerAsync();
        await _book.FinishedAsync(next);

        Assert.That(await _camino.ScalarAsync<DateOnly>($"select as_of from camino.serviced_loans where id = '{loan}'"), Is.EqualTo(new DateOnly(2026, 3, 3)));
        Assert.That(await _camino.ScalarAsync<bool>($"select finished_at is not null and planned_at is null from camino.close_runs where id = '{broken.Id}'"), Is.True);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'day.close_taken_over'"), Is.EqualTo(1));
        await _book.MustBeRightAsync(loan);
    }

    [Test]
    public async Task A_close_that_stopped_in_its_plan_or_in_a_chunk_is_resumed_and_nothing_is_done_twice()
    {
        await StartAsync(withAsync: true);
        await _book.PrepareAsync();
        var loan = await _book.DisbursedLoanAsync();
        await Jobs.PauseKindAsync(CloseLoans.Kind, "user-1");
        var run = await _book.CloseAsync("2026-03-01");
        await UntilAsync(async () => await _camino.ScalarAsync<long>("select count(*) from camino.close_chunks") == 1);
        await CancelAsync(CloseLoans.Kind);
        await Jobs.ResumeKindAsync(CloseLoans.Kind);

        using var admin = await _camino.ApiOfAsync("admin");
        using var resumed = await _book.SendAsync("/api/v1/business-day/resume", new { }, null, null, admin);
        Assert.That(resumed.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        using var twice = await _book.SendAsync("/api/v1/business-day/resume", new { }, null, null, admin);
        Assert.That(twice.StatusCode, Is.EqualTo(HttpStatusCode.Accepted).Or.EqualTo(HttpStatusCode.Conflict), "At work still, or done already.");

        await _book.FinishedAsync(run);
        Assert.That(await _camino.ScalarAsync<int>($"select closed from camino.close_chunks where run_id = '{run.Id}'"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<DateOnly>($"select as_of from camino.serviced_loans where id = '{loan}'"), Is.EqualTo(new DateOnly(2026, 3, 2)));
        using var late = await _book.SendAsync("/api/v1/business-day/resume", new { }, null, null, admin);
        Assert.That((await ServicedBook.ReadAsync(late, HttpStatusCode.Conflict)).GetProperty("code").GetString(), Is.EqualTo("close.none_open"));
        await _book.MustBeRightAsync(loan);
    }

    private async Task StartAsync(bool withAsync)
    {
        _camino = await RunningCamino.StartAsync(withAsync);
        _book = new ServicedBook(_camino);
    }

    /// <summary>What the schedule does at its time, now. The Async Server lists its entries when it leads.</summary>
    private async Task<Guid> AskAsync()
    {
        Guid? asked = null;
        await UntilAsync(async () => (asked ??= await Jobs.RunRecurringAsync(CloseDue.Schedule, "user-1")) is not null);
        return asked ?? Guid.Empty;
    }

    /// <summary>Waits until the books are on a day. Between two days the job sleeps; it is woken, as its due time would.</summary>
    private Task OpenAsync(DateOnly day, Guid closing) => UntilAsync(async () =>
    {
        if (await _camino.ScalarAsync<DateOnly>("select today from camino.business_day") >= day)
            return true;
        if (await _camino.ScalarAsync<long>("select count(*) from camino.close_runs where finished_at is null") == 0 && (await Jobs.GetAsync(closing))?.State == JobState.Scheduled)
            await Jobs.RunNowAsync(closing, "user-1");
        return false;
    });

    private Task DoneAsync(Guid job) => UntilAsync(async () =>
    {
        var state = (await Jobs.GetAsync(job))?.State;
        if (state == JobState.Scheduled)
            await Jobs.RunNowAsync(job, "user-1");
        return state == JobState.Done;
    });

    private async Task<CloseRun> NewestRunAsync()
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        return scope.ServiceProvider.GetRequiredService<Data.CaminoDb>().CloseRuns.OrderByDescending(run => run.Id).First();
    }

    /// <summary>Ends the waiting jobs of a kind as a person would, or as a last failed attempt does.</summary>
    private async Task CancelAsync(string kind)
    {
        foreach (var job in (await Jobs.ListAsync(new JobFilter(Kind: kind))).Jobs)
            await Jobs.RequestCancelAsync(job.Id, "user-1", "to see what becomes of it");
        await UntilAsync(async () => (await Jobs.ListAsync(new JobFilter(Kind: kind))).Jobs.All(job => job.State == JobState.Cancelled));
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (!await isSo())
            await timer.WaitForNextTickAsync(limit.Token);
    }

    private static string Text(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
