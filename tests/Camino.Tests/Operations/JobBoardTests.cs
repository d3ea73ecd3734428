using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.People;
using Camino.Testing;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Operations;

/// <summary>Looking at jobs and acting on them through the API: rights, reasons, bulk acts, pages.</summary>
internal sealed class JobBoardTests
{
    private RunningCamino _camino = null!;

    [SetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Who_only_reads_looks_at_everything_and_acts_on_nothing()
    {
        await FailAsync(1, "viewer");
        using var viewer = await ClientAsync("viewer");
        var job = (await ListAsync(viewer, "?state=failed"))[0];

        foreach (var path in (string[])["/api/v1/queues", "/api/v1/servers", "/api/v1/job-causes", $"/api/v1/jobs/{job}"])
            Assert.That((await viewer.GetAsync(new Uri(path, UriKind.Relative))).StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
        foreach (var path in (string[])[$"/api/v1/jobs/{job}/retry", "/api/v1/jobs/act", "/api/v1/queues/bulk/pause"])
            Assert.That((await PostAsync(viewer, path, new { reason = "because", action = "retry" })).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden), path);
    }

    [Test]
    public async Task An_officer_acts_on_own_jobs_only_and_never_on_queues()
    {
        await FailAsync(1, "officer");
        await FailAsync(1, "admin");
        using var officer = await ClientAsync("officer");
        var own = (await ListAsync(officer, "?state=failed&by=" + await UserAsync("officer")))[0];
        var other = (await ListAsync(officer, "?state=failed&by=" + await UserAsync("admin")))[0];

        var refused = await PostAsync(officer, $"/api/v1/jobs/{other}/retry", new { reason = "not mine" });
        Assert.That(await CodeAsync(refused), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.not_yours")));
        Assert.That(await CodeAsync(await PostAsync(officer, "/api/v1/jobs/act", new { action = "retry", reason = "both", ids = new[] { own, other } })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.not_yours")));
        Assert.That(await CodeAsync(await PostAsync(officer, "/api/v1/jobs/act", new { action = "retry", reason = "all", filter = new { state = "failed" } })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.not_yours")));
        Assert.That((await PostAsync(officer, "/api/v1/queues/bulk/pause", new { reason = "tired" })).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));

        Assert.That((await PostAsync(officer, $"/api/v1/jobs/{own}/retry", new { reason = "the file is there now" })).StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await _camino.ScalarAsync<string>($"select details ->> 'reason' from camino.audit_entries where action = 'job.retried' and subject_id = '{own}' and user_id = '{await UserAsync("officer")}'"), Is.EqualTo("the file is there now"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{other}'"), Is.Zero, "what was refused leaves no trace of having been done");
    }

    [Test]
    public async Task An_act_without_a_reason_or_on_a_state_that_does_not_allow_it_is_refused_and_stores_nothing()
    {
        await FailAsync(1, "admin");
        using var admin = await ClientAsync("admin");
        var job = (await ListAsync(admin, "?state=failed"))[0];

        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/jobs/{job}/retry", new { })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.reason")));
        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/jobs/{job}/cancel", new { reason = "too late" })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.wrong_state")));
        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/jobs/{Guid.CreateVersion7()}/retry", new { reason = "nobody knows it" })), Is.EqualTo((HttpStatusCode.NotFound, "job.not_found")));
        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/jobs/{job}/change-due", new { reason = "when then" })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.due_missing")));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where subject = 'job'"), Is.Zero);
    }

    [TestCase("""{"state":"scheduld"}""", "state of a filter cannot be scheduld.")]
    [TestCase("""{"q":"7"}""", "q of a filter cannot be 7.")]
    [TestCase("""{"parent":"notaguid"}""", "parent of a filter cannot be notaguid.")]
    [TestCase("""{"sate":"failed"}""", "A filter has no sate; it has q, state, queue")]
    [TestCase("""{"from":"yesterday"}""", "from of a filter cannot be yesterday.")]
    [TestCase("""{"kind":""}""", "kind of a filter has 1 to 200 characters; got 0.")]
    public async Task A_slip_of_the_pen_in_a_filter_does_not_widen_an_act_to_everything(string filter, string sentence)
    {
        await FailAsync(1, "admin");
        using var admin = await ClientAsync("admin");

        using var refused = await PostAsync(admin, "/api/v1/jobs/act", new { action = "acknowledge", reason = "a slip", filter = JsonSerializer.Deserialize<JsonElement>(filter) });

        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("job.filter").And.Contain(sentence));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'jobs.bulk_acknowledge' and details ->> 'reason' = 'a slip'"), Is.Zero);
    }

    [Test]
    public async Task All_that_match_are_counted_first_and_then_done_by_a_job_that_leaves_others_alone()
    {
        await FailAsync(1_200, "officer", "imports.check", "The file 17 is broken");
        await FailAsync(30, "officer", "imports.load", "Something else");
        using var admin = await ClientAsync("admin");
        var filter = new { state = "failed", kind = "imports.check" };

        var dry = await AnswerAsync(await PostAsync(admin, "/api/v1/jobs/act", new { action = "acknowledge", filter, dryRun = true }));
        Assert.That(dry.GetProperty("matched").GetInt64(), Is.EqualTo(1_200));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from jobs.finished where acknowledged_at is not null"), Is.Zero);

        var order = await AnswerAsync(await PostAsync(admin, "/api/v1/jobs/act", new { action = "acknowledge", filter, reason = "looked at with the bank" }));
        var approved = await _camino.ApproveAsync(order.GetProperty("approvalId").GetGuid());
        var result = await ResultAsync(admin, approved.GetProperty("approval").GetProperty("answer").GetProperty("jobId").GetGuid());

        Assert.That(result.GetProperty("done").GetInt64(), Is.EqualTo(1_200));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from jobs.finished where acknowledged_at is not null"), Is.EqualTo(1_200));
        Assert.That(await _camino.ScalarAsync<string>("select details ->> 'reason' from camino.audit_entries where action = 'jobs.bulk_acknowledge'"), Is.EqualTo("looked at with the bank"));
    }

    [Test]
    public async Task Errors_are_grouped_by_cause_and_pages_lead_through_every_job_once()
    {
        await FailAsync(130, "officer", "imports.check", "The file {0} is broken");
        await FailAsync(20, "officer", "imports.load", "Bank {0} did not answer");
        using var admin = await ClientAsync("admin");

        var causes = (await admin.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/job-causes", UriKind.Relative))).GetProperty("items");
        Assert.That(causes.EnumerateArray().Select(cause => (cause.GetProperty("cause").GetString(), cause.GetProperty("jobs").GetInt64())), Is.EqualTo([("The file # is broken", 130L), ("Bank # did not answer", 20L)]));

        var seen = new List<Guid>();
        var next = "/api/v1/jobs?state=failed&take=40";
        while (next is not null)
        {
            var page = await admin.GetFromJsonAsync<JsonElement>(new Uri(next, UriKind.Relative));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(job => job.GetProperty("id").GetGuid()));
            next = page.GetProperty("next").GetString();
        }
        Assert.That(seen, Has.Count.EqualTo(150).And.Unique.And.Ordered.Descending);
        Assert.That(await ListAsync(admin, "?q=bank+7+did"), Has.Count.EqualTo(1), "text of the error");
    }

    [Test]
    public async Task A_paused_queue_keeps_what_is_asked_for_until_it_is_resumed_and_both_are_stored()
    {
        using var admin = await ClientAsync("admin");
        Assert.That((await PostAsync(admin, "/api/v1/queues/urgent/pause", new { reason = "the bureau is closed" })).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        var job = (await AnswerAsync(await PostAsync(admin, "/api/v1/jobs/echo", new { queue = "urgent", text = "wait" }))).GetProperty("jobId").GetGuid();
        var queue = (await admin.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/queues", UriKind.Relative))).GetProperty("items").EnumerateArray().First(one => one.GetProperty("name").GetString() == "urgent");
        Assert.That((queue.GetProperty("paused").GetBoolean(), queue.GetProperty("ready").GetInt64()), Is.EqualTo((true, 1L)));

        Assert.That((await PostAsync(admin, "/api/v1/queues/urgent/resume", new { reason = "it is open again" })).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await ResultAsync(admin, job)).GetProperty("text").GetString(), Is.EqualTo("wait"));
        Assert.That(await _camino.ScalarAsync<string>("select string_agg(action || ': ' || (details ->> 'reason'), '; ' order by id) from camino.audit_entries where subject = 'queue'"), Is.EqualTo("queue.paused: the bureau is closed; queue.resumed: it is open again"));
        Assert.That(await CodeAsync(await PostAsync(admin, "/api/v1/queues/No%20such/pause", new { reason = "odd name" })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.name")));
    }

    [Test]
    public async Task A_recurring_job_is_run_by_hand_disabled_and_enabled_with_a_reason_and_only_by_an_administrator()
    {
        using var admin = await ClientAsync("admin");
        using var officer = await ClientAsync("officer");
        var name = "";
        await UntilAsync(async () => (name = (await SchedulesAsync(admin)).Select(entry => entry.GetProperty("name").GetString() ?? "").FirstOrDefault() ?? "").Length > 0);

        Assert.That((await PostAsync(officer, $"/api/v1/schedules/{name}/run", new { reason = "impatient" })).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/schedules/{name}/run", new { reason = "x" })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "job.reason")));
        Assert.That(await CodeAsync(await PostAsync(admin, "/api/v1/schedules/none.such/run", new { reason = "a try" })), Is.EqualTo((HttpStatusCode.NotFound, "schedule.not_found")));
        var job = (await AnswerAsync(await PostAsync(admin, $"/api/v1/schedules/{name}/run", new { reason = "the figures are wanted now" }))).GetProperty("jobId").GetGuid();
        Assert.That((await admin.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/schedules/{name}/runs", UriKind.Relative))).GetProperty("items")[0].GetProperty("jobId").GetGuid(), Is.EqualTo(job));

        Assert.That((await PostAsync(admin, $"/api/v1/schedules/{name}/disable", new { reason = "audit week" })).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/schedules/{name}/disable", new { reason = "again" })), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "schedule.already")));
        var entry = (await SchedulesAsync(officer)).Single(one => one.GetProperty("name").GetString() == name);
        Assert.That((entry.GetProperty("disabledReason").GetString(), entry.GetProperty("nextAt").ValueKind), Is.EqualTo(("audit week", JsonValueKind.Null)));
        Assert.That((await PostAsync(admin, $"/api/v1/schedules/{name}/enable", new { reason = "audit is over" })).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));

        Assert.That(
            await _camino.ScalarAsync<string>("select string_agg(action || ': ' || (details ->> 'reason'), '; ' order by id) from camino.audit_entries where subject = 'schedule'"),
            Is.EqualTo("schedule.run: the figures are wanted now; schedule.disabled: audit week; schedule.enabled: audit is over"));
    }

    [Test]
    public async Task A_quiet_server_takes_nothing_until_it_is_told_to_work_again_and_both_are_stored()
    {
        using var admin = await ClientAsync("admin");
        var server = Guid.Empty;
        await UntilAsync(async () => (server = (await ServersAsync(admin)).Select(one => one.GetProperty("id").GetGuid()).FirstOrDefault()) != Guid.Empty);

        Assert.That((await PostAsync(admin, $"/api/v1/job-servers/{server}/quiet", new { reason = "its disk is replaced" })).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        await UntilAsync(async () => (await ServersAsync(admin)).Single().GetProperty("state").GetString() == "quiet");
        await UntilAsync(() => Task.FromResult(_camino.Async?.Services.GetRequiredService<Camino.Jobs.IJobServerState>().Quiet == true));
        var job = (await AnswerAsync(await PostAsync(admin, "/api/v1/jobs/echo", new { text = "wait" }))).GetProperty("jobId").GetGuid();
        Assert.That((await admin.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/jobs/{job}", UriKind.Relative))).GetProperty("state").GetString(), Is.EqualTo("waiting"));

        Assert.That((await PostAsync(admin, $"/api/v1/job-servers/{server}/work", new { reason = "the disk is new" })).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await ResultAsync(admin, job)).GetProperty("text").GetString(), Is.EqualTo("wait"));
        Assert.That(await CodeAsync(await PostAsync(admin, $"/api/v1/job-servers/{Guid.CreateVersion7()}/drain", new { reason = "not there" })), Is.EqualTo((HttpStatusCode.NotFound, "server.not_found")));
        Assert.That(await _camino.ScalarAsync<string>("select string_agg(action || ': ' || (details ->> 'reason'), '; ' order by id) from camino.audit_entries where subject = 'server'"), Is.EqualTo("server.quieted: its disk is replaced; server.resumed: the disk is new"));
    }

    private static async Task<List<JsonElement>> SchedulesAsync(HttpClient client) =>
        [.. (await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/schedules", UriKind.Relative))).GetProperty("items").EnumerateArray()];

    private static async Task<List<JsonElement>> ServersAsync(HttpClient client) =>
        [.. (await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/job-servers", UriKind.Relative))).GetProperty("items").EnumerateArray()];

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(25, limit.Token);
    }

    [Test]
    public void Arguments_are_shown_without_what_nobody_needs_to_see()
    {
        const string Args = """{"importId":"0197b6a0-0000-7000-8000-000000000001","count":3,"note":"call Ines","accessToken":"abc","borrower":{"ssn":"123-45-6789"}}""";

        Assert.That(Camino.Operations.JobArgsMask.Show(Args, everything: true), Does.Contain("call Ines").And.Not.Contain("abc").And.Not.Contain("6789"));
        Assert.That(Camino.Operations.JobArgsMask.Show(Args, everything: false), Does.Contain("0197b6a0").And.Contain("3").And.Not.Contain("Ines"));
    }

    /// <summary>Failed jobs as the engine leaves them.</summary>
    /// <param name="error">{0} stands for a number that differs from row to row.</param>
    private async Task FailAsync(int count, string user, string kind = "imports.check", string error = "It broke")
    {
        await using var command = _camino.Source.CreateCommand("""
            insert into jobs.finished (id, due_at, enqueued_at, started_at, finished_at, version, attempt, max_attempts, state, queue, kind, requested_by, error, args)
            select id, now(), now(), now(), now(), 1, 3, 3, 'failed', 'bulk', $2, $3, replace($4, '{0}', n::text), '{"importId":"0197b6a0-0000-7000-8000-000000000001"}' from unnest($1) with ordinality as one(id, n)
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = kind });
        command.Parameters.Add(new NpgsqlParameter { Value = (await UserAsync(user)).ToString() });
        command.Parameters.Add(new NpgsqlParameter { Value = error });
        await command.ExecuteNonQueryAsync();
    }

    private async Task<Guid> UserAsync(string name) => await _camino.ScalarAsync<Guid>($"select id from camino.staff_users where user_name = '{name}@demo.camino.example'");

    /// <summary>A program that acts in a user's name.</summary>
    private async Task<HttpClient> ClientAsync(string name)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var user = await scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>().FindByNameAsync($"{name}@demo.camino.example");
        var key = await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync("test " + name, user?.Id ?? Guid.Empty, CancellationToken.None);
        var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, object body) => client.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);

    private static async Task<IReadOnlyList<Guid>> ListAsync(HttpClient client, string query) =>
        [.. (await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/jobs" + query, UriKind.Relative))).GetProperty("items").EnumerateArray().Select(job => job.GetProperty("id").GetGuid())];

    private static async Task<JsonElement> AnswerAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, Is.True, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static async Task<(HttpStatusCode Status, string? Code)> CodeAsync(HttpResponseMessage answer)
    {
        var problem = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
        return (answer.StatusCode, problem.TryGetProperty("code", out var code) ? code.GetString() : null);
    }

    private static async Task<JsonElement> ResultAsync(HttpClient client, Guid job)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            var now = await client.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/jobs/{job}", UriKind.Relative), limit.Token);
            if (now.GetProperty("state").GetString() == "done")
                return now.GetProperty("result");
            Assert.That(now.GetProperty("state").GetString(), Is.Not.EqualTo("failed"), now.ToString());
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
