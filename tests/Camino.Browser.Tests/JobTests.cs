using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The job board as an administrator works with it.</summary>
internal sealed class JobTests : BrowserTest
{
    [Test]
    public async Task A_queue_is_paused_with_a_reason_its_backlog_is_seen_live_and_it_is_resumed()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/jobs");
        await page.GetByRole(AriaRole.Link, new() { Name = "Pause the queue urgent" }).ClickAsync();
        await Access.CheckAsync(page, "pause");
        await PictureAsync(page, "jobs-pause");
        await page.GetByLabel("Reason").FillAsync("Bureau closed until noon");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        var urgent = page.Locator("tbody tr", new() { HasText = "urgent" }).First;
        await Expect(urgent.Locator(".chip")).ToHaveTextAsync("Paused");

        await page.EvaluateAsync("window.sameDocument = true");
        using var asked = await Site.Camino.Api.PostAsJsonAsync(new Uri("/api/v1/jobs/echo", UriKind.Relative), new { queue = "urgent", text = "browser" });
        var id = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("jobId").GetGuid();
        await Expect(page.Locator("[data-figure='urgent.ready']")).ToHaveTextAsync("1");
        Assert.That(await page.EvaluateAsync<bool>("window.sameDocument === true"), Is.True, "The page was loaded again.");
        await PictureAsync(page, "jobs-board");

        var other = await OpenAsync("admin");
        await other.GotoAsync($"/jobs/{id}");
        await Expect(other.Locator(".head-sub .chip")).ToHaveTextAsync("Waiting");
        await page.GetByRole(AriaRole.Link, new() { Name = "Resume the queue urgent" }).ClickAsync();
        await page.GetByLabel("Reason").FillAsync("Bureau open again");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(other.Locator(".head-sub .chip")).ToHaveTextAsync("Done");
        await Expect(other.Locator("main")).ToContainTextAsync("browser");
    }

    [Test]
    public async Task Failed_jobs_are_found_by_cause_chosen_and_retried_with_a_reason_that_stands_in_their_story()
    {
        var ids = await FailAsync(5, "Warehouse {0} closed", "browser.unknown");
        var page = await OpenAsync("admin");
        await page.GotoAsync("/");
        await Access.CheckAsync(page, "the day");
        await PictureAsync(page, "home-day");
        await page.GetByRole(AriaRole.Link, new() { Name = "failed jobs nobody has dealt with" }).ClickAsync();
        await Access.CheckAsync(page, "errors");
        await PictureAsync(page, "jobs-errors");
        await page.GetByRole(AriaRole.Link, new() { Name = "Warehouse # closed" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(5);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Retry" })).ToBeDisabledAsync();

        await page.Locator("tbody input[name=ids]").Nth(0).CheckAsync();
        await page.Locator("tbody input[name=ids]").Nth(1).CheckAsync();
        await Expect(page.Locator("[data-chosen]")).ToHaveTextAsync("2 chosen:");
        await PictureAsync(page, "jobs-chosen");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(page.Locator(".act-count")).ToHaveTextAsync("2 jobs");
        await page.GetByLabel("Reason").FillAsync("Warehouse open again");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Done to 2 jobs");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(3);

        await page.GotoAsync("/jobs/all");
        await page.GetByLabel("Job id, arguments or error").FillAsync(ids[^1].ToString());
        await page.GetByLabel("Job id, arguments or error").PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(Site.Camino.OfficeAddress + $"jobs/{ids[^1]}");
        await Expect(page.Locator("#story-head + ul")).ToContainTextAsync("Warehouse open again");
        await Access.CheckAsync(page, "job with a story");
        await PictureAsync(page, "job-story");
        await page.GetByRole(AriaRole.Link, new() { Name = "Cancel", Exact = true }).ClickAsync();
        await page.GetByLabel("Reason").FillAsync("Nobody knows this work");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Cancelled");
    }

    [Test]
    public async Task All_that_match_are_acted_on_after_a_dry_run_by_a_job_that_can_be_watched()
    {
        await FailAsync(320, "Printer {0} jammed", "browser.printed");
        var page = await OpenAsync("admin");
        await page.GotoAsync("/jobs/all?state=failed&kind=browser.printed");
        await page.Locator(".selection-all summary").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Mark as seen" }).ClickAsync();
        await Expect(page.Locator(".act-count")).ToHaveTextAsync("320 jobs");
        await Access.CheckAsync(page, "act on all");
        await PictureAsync(page, "jobs-act-on-all");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as seen" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/jobs/act"));
        await page.GetByLabel("Reason").FillAsync("Printers were replaced");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as seen" }).DblClickAsync();
        await Expect(page.Locator("main")).ToContainTextAsync("You asked for this");
        var approved = await Site.Camino.ApproveAsync(Guid.Parse(page.Url[^36..]));
        await page.GotoAsync($"/jobs/{approved.GetProperty("approval").GetProperty("answer").GetProperty("jobId").GetGuid()}");
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");
        Assert.That(await Site.Camino.ScalarAsync<long>("select count(*) from jobs.finished where kind = 'browser.printed' and acknowledged_at is not null"), Is.EqualTo(320));
        Assert.That(await Site.Camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'jobs.bulk_acknowledge'"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_officer_is_offered_acts_on_own_jobs_only()
    {
        var others = await FailAsync(1, "Not yours {0}", "browser.others");
        var page = await OpenAsync("officer");
        await page.GotoAsync($"/jobs/{others[0]}");
        await Expect(page.Locator(".head-acts")).ToHaveCountAsync(0);
        await page.GotoAsync("/jobs");
        await Expect(page.Locator("a[href^='/jobs/pause']")).ToHaveCountAsync(0);
        await page.GotoAsync($"/jobs/act?act=retry&id={others[0]}");
        await page.GetByLabel("Reason").FillAsync("Let me");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Only an administrator");
        Tolerate("403");
        await page.GotoAsync("/jobs/pause?scope=queue&name=bulk");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("You may not do that");
    }

    [Test]
    public async Task An_administrator_runs_a_recurring_job_by_hand_and_lets_it_rest()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/jobs/recurring");
        await Expect(page.Locator("table.list tbody tr").First).ToBeVisibleAsync();
        await Access.CheckAsync(page, "recurring jobs");
        await PictureAsync(page, "jobs-recurring");
        var row = page.Locator("table.list tbody tr").First;
        await row.GetByRole(AriaRole.Link, new() { Name = "Run now" }).ClickAsync();
        await Access.CheckAsync(page, "run a recurring job");
        await page.GetByLabel("Reason").FillAsync("The morning meeting asks for it");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");

        await page.GotoAsync("/jobs/recurring");
        await Expect(row).ToContainTextAsync("by hand");
        await row.GetByRole(AriaRole.Link, new() { Name = "Disable" }).ClickAsync();
        await page.GetByLabel("Reason").FillAsync("Audit week");
        await page.GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await Expect(row).ToContainTextAsync("Audit week");
        await Expect(row).ToContainTextAsync("Only by hand");
        await row.GetByRole(AriaRole.Link, new() { Name = "Enable" }).ClickAsync();
        await page.GetByLabel("Reason").FillAsync("It is over");
        await page.GetByRole(AriaRole.Button, new() { Name = "Enable" }).ClickAsync();
        await Expect(row.Locator(".chip")).ToHaveTextAsync("On");

        await page.GotoAsync("/jobs");
        await PictureAsync(page, "jobs-board-servers");
        await Expect(page.GetByRole(AriaRole.Link, new() { NameRegex = new System.Text.RegularExpressions.Regex("^Quiet the server") }).First).ToBeVisibleAsync();
    }

    private static async Task<Guid[]> FailAsync(int count, string error, string kind)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        await using var command = Site.Camino.Source.CreateCommand("""
            insert into jobs.finished (id, due_at, enqueued_at, started_at, finished_at, version, attempt, max_attempts, state, queue, kind, requested_by, error, args)
            select id, now(), now(), now(), now(), 1, 3, 3, 'failed', 'bulk', $2, null, replace($3, '{0}', n::text), '{"importId":"0197b6a0-0000-7000-8000-000000000001","note":"invented"}' from unnest($1) with ordinality as one(id, n)
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = ids });
        command.Parameters.Add(new NpgsqlParameter { Value = kind });
        command.Parameters.Add(new NpgsqlParameter { Value = error });
        await command.ExecuteNonQueryAsync();
        return ids;
    }
}
