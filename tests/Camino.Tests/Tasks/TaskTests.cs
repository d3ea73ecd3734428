using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.People;
using Camino.Tasks;
using Camino.Testing;
using Camino.Tests.Imports;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Tasks;

/// <summary>Tasks and notes: made, given, done and never lost between two people.</summary>
internal sealed class TaskTests
{
    private RunningCamino _camino = null!;
    private HttpClient _officer = null!;
    private HttpClient _admin = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        (_officer, _admin) = (await _camino.ApiOfAsync("officer"), await _camino.ApiOfAsync("admin"));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _officer.Dispose();
        _admin.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task A_task_goes_from_one_person_to_another_and_who_asked_hears_that_it_is_done()
    {
        var (officer, admin) = (await UserAsync("officer"), await UserAsync("admin"));
        var borrower = await BorrowerAsync("Quiet Harbor Books LLC");
        var added = await SendAsync(_officer, "/tasks", new { title = "Call about the insurance", detail = "Policy ends soon.\r\nAsk for the new one.", dueOn = Day(2), assignee = admin, subject = "borrower", subjectId = borrower }, HttpStatusCode.Created);
        var id = added.GetProperty("taskId").GetGuid();
        var mine = await ListAsync(_admin, "mine");
        var told = await NoticeAsync(admin, id);
        var done = await SendAsync(_admin, $"/tasks/{id}/done", new { outcome = "Renewed until next year.", followUp = new { title = "Ask for the policy again", dueOn = Day(300) } }, HttpStatusCode.OK, "\"1\"");
        var next = await GetAsync(_admin, $"/tasks/{done.GetProperty("followUp").GetGuid()}");
        var view = await GetAsync(_admin, $"/tasks/{id}");

        Assert.That(mine, Does.Contain(id));
        Assert.That(told, Is.EqualTo("Notice.TaskGiven"));
        Assert.That(await NoticeAsync(officer, id), Is.EqualTo("Notice.TaskDone"));
        Assert.That(view.GetProperty("task").GetProperty("state").GetString(), Is.EqualTo("done"));
        Assert.That(view.GetProperty("detail").GetString(), Is.EqualTo("Policy ends soon.\nAsk for the new one."));
        Assert.That(view.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("act").GetString()), Is.EqualTo((string[])["added", "done"]));
        Assert.That((next.GetProperty("task").GetProperty("assignee").GetGuid(), next.GetProperty("task").GetProperty("subjectId").GetGuid()), Is.EqualTo((admin, borrower)), "what follows is about the same and for the same person");
        Assert.That(await AuditAsync("task", id), Is.EqualTo((string[])["task.added", "task.done"]));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text ilike '%insurance%' or details::text ilike '%renewed%'"), Is.Zero, "what people wrote stays out of the audit trail");
    }

    [Test]
    public async Task What_cannot_be_is_refused_with_field_value_and_limit()
    {
        var task = (await SendAsync(_officer, "/tasks", new { title = "Look at it" }, HttpStatusCode.Created)).GetProperty("taskId").GetGuid();
        var viewer = await UserAsync("viewer");

        await RefusedAsync("/tasks", new { title = "" }, "input.title", "missing");
        await RefusedAsync("/tasks", new { title = new string('x', 201) }, "input.title", "at most 200 characters; got 201");
        await RefusedAsync("/tasks", new { title = "two\nlines" }, "input.title", "one line");
        await RefusedAsync("/tasks", new { title = "a", detail = new string('x', 4_001) }, "input.detail", "at most 4000 characters; got 4001");
        await RefusedAsync("/tasks", new { title = "a", dueOn = "soon" }, "input.dueOn", "such as 2026-03-01; got soon");
        await RefusedAsync("/tasks", new { title = "a", dueOn = "2020-01-01" }, "input.dueOn", "got 2020-01-01");
        await RefusedAsync("/tasks", new { title = "a", dueOn = "2199-01-01" }, "input.dueOn", "got 2199-01-01");
        await RefusedAsync("/tasks", new { title = "a", assignee = "ana" }, "input.assignee", "got ana");
        await RefusedAsync("/tasks", new { title = "a", assignee = viewer }, "task.assignee", "no user who can sign in and work on tasks");
        await RefusedAsync("/tasks", new { title = "a", subject = "house", subjectId = task }, "input.subject", "got house");
        await RefusedAsync("/tasks", new { title = "a", subject = "loan" }, "input.subjectId", "got nothing");
        await RefusedAsync("/tasks", new { title = "a", subject = "loan", subjectId = task }, "loan.not_found", "There is no loan");
        await RefusedAsync($"/tasks/{task}/cancel", new { reason = " " }, "input.reason", "missing", "*");
        await RefusedAsync($"/tasks/{task}/reopen", new { reason = "why" }, "task.state", "open already", "*");
        await RefusedAsync($"/tasks/{task}/due", new { dueOn = Day(1) }, "task.version", "version 7 was looked at, it is now 1", "\"7\"");
        await RefusedAsync($"/tasks/{task}/due", new { dueOn = Day(1) }, "task.version_missing", "If-Match");
        await RefusedAsync($"/tasks/{Guid.NewGuid()}/done", new { }, "task.not_found", "There is no task", "*");
        Assert.That(await AuditAsync("task", task), Is.EqualTo((string[])["task.added"]), "nothing of it was stored");
    }

    [Test]
    public async Task One_key_makes_one_task_and_two_people_at_once_end_it_once()
    {
        var key = Guid.NewGuid().ToString();
        var first = await SendAsync(_officer, "/tasks", new { title = "Only once" }, HttpStatusCode.Created, key: key);
        var second = await SendAsync(_officer, "/tasks", new { title = "Only once" }, HttpStatusCode.Created, key: key);
        var id = first.GetProperty("taskId").GetGuid();
        var answers = await Task.WhenAll(AskAsync(_officer, $"/tasks/{id}/done", new { }, "\"1\""), AskAsync(_admin, $"/tasks/{id}/cancel", new { reason = "not needed" }, "\"1\""));
        var codes = answers.Select(answer => answer.StatusCode).ToList();
        foreach (var answer in answers)
            answer.Dispose();

        Assert.That(second.GetProperty("taskId").GetGuid(), Is.EqualTo(id));
        Assert.That(codes, Has.One.EqualTo(HttpStatusCode.OK).And.One.EqualTo(HttpStatusCode.PreconditionFailed));
        Assert.That(await AuditAsync("task", id), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task The_tasks_of_somebody_who_is_disabled_go_back_to_everybody()
    {
        Guid person;
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
            person = (await scope.ServiceProvider.GetRequiredService<AddStaff>().RunAsync("leaving@demo.camino.example", "Lea Ving", [StaffRoles.Officer], new StaffActor(null, "test"), CancellationToken.None)).Id;
        var open = (await SendAsync(_officer, "/tasks", new { title = "Still to do", assignee = person }, HttpStatusCode.Created)).GetProperty("taskId").GetGuid();
        var over = (await SendAsync(_officer, "/tasks", new { title = "Was done", assignee = person }, HttpStatusCode.Created)).GetProperty("taskId").GetGuid();
        await SendAsync(_officer, $"/tasks/{over}/done", new { }, HttpStatusCode.OK, "*");
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<DisableStaff>().DisableAsync(person, "left the house", new StaffActor(null, "test"), CancellationToken.None);
        await RefusedAsync("/tasks", new { title = "a", assignee = person }, "task.assignee", "can sign in");
        var reopened = await SendAsync(_officer, $"/tasks/{over}/reopen", new { reason = "not done after all" }, HttpStatusCode.OK, "*");

        Assert.That(await ListAsync(_officer, "unassigned"), Does.Contain(open).And.Contain(over));
        Assert.That((await GetAsync(_officer, $"/tasks/{open}")).GetProperty("entries").EnumerateArray().Last().GetProperty("act").GetString(), Is.EqualTo("assigned"));
        Assert.That(reopened.GetProperty("state").GetString(), Is.EqualTo("open"));
    }

    [Test]
    public async Task Who_is_mentioned_in_a_note_is_told_and_who_wrote_it_alone_takes_it_off()
    {
        var admin = await UserAsync("admin");
        var borrower = await BorrowerAsync("Copper Lantern Cafe Inc");
        await RefusedAsync($"/borrowers/{borrower}/notes", new { text = "ask @nobody.there" }, "note.mention", "@nobody.there");
        await RefusedAsync($"/borrowers/{borrower}/notes", new { text = "" }, "input.text", "missing");
        await RefusedAsync($"/borrowers/{Guid.NewGuid()}/notes", new { text = "hello" }, "borrower.not_found", "There is no borrower");
        var note = (await SendAsync(_officer, $"/borrowers/{borrower}/notes", new { text = "Owner is away until May.\n@Admin please look; mail owner@example.com" }, HttpStatusCode.Created)).GetProperty("noteId").GetGuid();
        var notes = await GetAsync(_officer, $"/borrowers/{borrower}/notes");
        using var other = await AskAsync(_admin, $"/notes/{note}/remove", new { });
        var problem = await other.Content.ReadFromJsonAsync<JsonElement>();
        await SendAsync(_officer, $"/notes/{note}/remove", new { }, HttpStatusCode.OK);

        Assert.That(notes.GetProperty("items")[0].GetProperty("text").GetString(), Does.StartWith("Owner is away until May.\n@Admin"));
        Assert.That(notes.GetProperty("items")[0].GetProperty("told")[0].GetString(), Is.EqualTo(await _camino.ScalarAsync<string>($"select display_name from camino.staff_users where id = '{admin}'")));
        Assert.That(await _camino.ScalarAsync<string>($"select text from camino.notices where user_id = '{admin}' and link like '%{note}'"), Is.EqualTo("Notice.Mentioned.Borrower"));
        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo("note.own"));
        Assert.That((await GetAsync(_officer, $"/borrowers/{borrower}/notes")).GetProperty("items").GetArrayLength(), Is.Zero);
        Assert.That((await GetAsync(_officer, $"/borrowers/{borrower}/timeline")).GetProperty("items").EnumerateArray().Select(entry => entry.GetProperty("action").GetString()), Is.EqualTo((string[])["note.removed", "note.added", "borrower.added"]));
    }

    [TestCase("Ask @ana.ruiz, then @Bo_2.", "ana.ruiz", "bo_2")]
    [TestCase("mail ana@example.com at 5 @ noon, @@twice", null, null)]
    [TestCase("(@ana) and @ana again", "ana", null)]
    public void A_mention_begins_a_word_and_an_address_is_none(string text, string? first, string? second) =>
        Assert.That(Mentions.In(text), Is.EqualTo(new[] { first, second }.Where(one => one is not null)));

    [Test]
    public async Task The_morning_tells_everybody_how_much_is_due()
    {
        var admin = await UserAsync("admin");
        foreach (var title in (string[])["Late one", "Late two"])
        {
            var id = (await SendAsync(_officer, "/tasks", new { title, assignee = admin }, HttpStatusCode.Created)).GetProperty("taskId").GetGuid();
            await ExecuteAsync($"update camino.tasks set due_on = date '2026-01-05' where id = '{id}'");
        }

        await _camino.RunJobAsync(new RemindOfTasks());

        Assert.That(await _camino.ScalarAsync<string>($"select text || ' ' || arguments[1] from camino.notices where user_id = '{admin}' and text like 'Notice.TaskDue%'"), Is.EqualTo("Notice.TaskDue.Many 2"));
    }

    [Test]
    public async Task A_check_that_takes_too_long_raises_one_task_which_ends_when_the_application_goes_on()
    {
        var application = await ApplicationAsync("Slow Lane Trucking LLC");
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{application}'", state => state >= 2);
        await ExecuteAsync($"update camino.applications set state = 2, changed_at = now() - interval '2 hours' where id = '{application}'; update camino.application_steps set state = 3 where application_id = '{application}'; insert into camino.application_steps (id, application_id, kind, state) select gen_random_uuid(), '{application}', 2, 3 where not exists (select from camino.application_steps where application_id = '{application}')");
        await _camino.RunJobAsync(new WatchSteps());
        await _camino.RunJobAsync(new WatchSteps());
        var raised = await _camino.ScalarAsync<long>($"select count(*) from camino.tasks where subject_id = '{application}' and said = 'TaskSaid.SlowSteps' and state = 0");
        await ExecuteAsync($"update camino.applications set state = 3 where id = '{application}'");
        await _camino.RunJobAsync(new WatchSteps());

        Assert.That(raised, Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<short>($"select state from camino.tasks where subject_id = '{application}'"), Is.EqualTo((short)TaskState.Done));
    }

    [Test]
    public async Task A_person_does_all_of_it_by_forms_and_what_was_typed_survives_a_refusal()
    {
        var borrower = await BorrowerAsync("Two Rivers Hardware LLC");
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("officer")).Dispose();
        var page = await browser.PageAsync($"/borrowers/{borrower}");
        var form = $"/notes/borrower/{borrower}";
        using var refused = await browser.PostAsync($"/borrowers/{borrower}", form, ("key", "n1"), ("text", "Ask @nobody.there about <b>it</b>"));
        var kept = await refused.Content.ReadAsStringAsync();
        using var written = await browser.PostAsync($"/borrowers/{borrower}", form, ("key", "n2"), ("text", "Ask about <b>it</b>"));
        using var made = await browser.PostAsync("/tasks/new", "/tasks/new", ("key", "t1"), ("Title", "Visit the <shop>"), ("DueOn", Day(0)), ("Assignee", (await UserAsync("officer")).ToString()), ("Subject", "borrower"), ("SubjectId", borrower.ToString()));
        var task = made.Headers.Location?.ToString() ?? "";
        var details = await browser.PageAsync(task);
        var home = await browser.PageAsync("/");
        using var comment = await browser.PostAsync(task, task + "?handler=Comment", ("key", "c1"), ("text", "Rang twice."));
        using var stale = await browser.PostAsync(task, task + "?handler=Done", ("key", "d1"), ("version", "1"), ("outcome", "All good there"));
        using var done = await browser.PostAsync(task, task + "?handler=Done", ("key", "d2"), ("version", "2"), ("outcome", "All good there"));
        var after = await browser.PageAsync($"/borrowers/{borrower}");

        Assert.That(page, Does.Contain("No notes yet").And.Contain($"/tasks/new?subject=borrower&amp;subjectId={borrower}"));
        Assert.That(kept, Does.Contain("Nobody who can sign in is called @nobody.there").And.Contain("Ask @nobody.there about &lt;b&gt;it&lt;/b&gt;</textarea>"));
        Assert.That(written.Headers.Location?.ToString(), Is.EqualTo($"/borrowers/{borrower}#follow-up"));
        Assert.That(details, Does.Contain("Visit the &lt;shop&gt;").And.Contain("Two Rivers Hardware LLC"));
        Assert.That(home, Does.Contain("Your tasks").And.Contain("Visit the &lt;shop&gt;"));
        Assert.That((comment.StatusCode, done.StatusCode), Is.EqualTo((HttpStatusCode.Redirect, HttpStatusCode.Redirect)));
        Assert.That(await stale.Content.ReadAsStringAsync(), Does.Contain("The task has changed").And.Contain("All good there</textarea>"));
        Assert.That(after, Does.Contain("Ask about &lt;b&gt;it&lt;/b&gt;").And.Not.Contain("Visit the"));
    }

    [TestCase(TaskWhose.Mine, false, "ix_tasks_assignee_due")]
    [TestCase(TaskWhose.Unassigned, false, "ix_tasks_unassigned")]
    [TestCase(TaskWhose.Asked, false, "ix_tasks_created_by_due")]
    [TestCase(TaskWhose.All, false, "ix_tasks_due")]
    [TestCase(TaskWhose.Mine, true, "ix_tasks_assignee_over")]
    [TestCase(TaskWhose.All, true, "ix_tasks_over")]
    public async Task A_page_deep_in_the_list_comes_from_an_index_and_back_again(TaskWhose whose, bool isOver, string index)
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using (var fill = camino.Source.CreateCommand(
            """
            insert into camino.tasks (id, title, detail, due_on, assignee, created_by, created_at, state, ended_at)
            select camino.new_id(), 'Task ' || n, '', case when n % 10 = 0 then null else date '2026-12-01' + n % 300 end, case when n % 3 = 0 then null else u.id end, u.id, now(), n % 2, case when n % 2 = 1 then now() end
            from generate_series(1, 20000) n join lateral (select id from camino.staff_users order by id offset n % 5 limit 1) u on true;
            analyze camino.tasks
            """))
            await fill.ExecuteNonQueryAsync();
        var reader = await camino.ScalarAsync<Guid>("select assignee from camino.tasks where state = 1 and assignee is not null limit 1");
        var filter = new TaskFilter { Whose = whose, IsOver = isOver };
        var list = new ListTasks(camino.Source);
        var first = await list.RunAsync(filter, reader, null, CancellationToken.None);
        var second = await list.RunAsync(filter, reader, first.Next, CancellationToken.None);
        var back = await list.RunAsync(filter, reader, second.Previous, CancellationToken.None);
        await using var page = ListTasks.Page(camino.Source, filter, reader, second.Next);

        Assert.That(first.Lines, Has.Count.EqualTo(50));
        Assert.That(back.Lines.Select(line => line.Id), Is.EqualTo(first.Lines.Select(line => line.Id)));
        Assert.That(second.Lines.Select(line => line.Id).Intersect(first.Lines.Select(line => line.Id)), Is.Empty);
        Assert.That(await QueryPlan.OfAsync(page), Does.Contain(index).And.Not.Contain("Seq Scan on tasks"));
    }

    [Test]
    public async Task A_page_of_notes_comes_from_an_index()
    {
        await ExecuteAsync("insert into camino.notes (id, subject, subject_id, text, at, by, mentions) select camino.new_id(), 1 + n % 3, gen_random_uuid(), 'x', now(), gen_random_uuid(), '{}' from generate_series(1, 5000) n; analyze camino.notes");
        await using var page = ListNotes.Page(_camino.Source, SubjectKind.Borrower, Guid.NewGuid(), Guid.NewGuid(), ListNotes.PageSize);

        Assert.That(await QueryPlan.OfAsync(page), Does.Contain("ix_notes_subject"));
    }

    private static string Day(int ahead) => DateOnly.FromDateTime(DateTime.UtcNow.AddDays(ahead)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private Task<Guid> UserAsync(string name) => _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{name}@demo.camino.example'");

    private async Task<Guid> BorrowerAsync(string name) => (await SendAsync(_officer, "/borrowers", new { name }, HttpStatusCode.Created)).GetProperty("borrowerId").GetGuid();

    private async Task<Guid> ApplicationAsync(string name) => (await SendAsync(_officer, "/applications", new { name, amount = "5000.00", phones = new[] { "912 555 0101" } }, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();

    private async Task<IReadOnlyList<Guid>> ListAsync(HttpClient client, string whose) => [.. (await GetAsync(client, $"/tasks?whose={whose}")).GetProperty("items").EnumerateArray().Select(line => line.GetProperty("id").GetGuid())];

    private Task<string?> NoticeAsync(Guid user, Guid task) => _camino.ScalarAsync<string>($"select text from camino.notices where user_id = '{user}' and link = '/tasks/{task}' order by id desc limit 1");

    private async Task<IReadOnlyList<string>> AuditAsync(string subject, Guid id) => await _camino.ScalarAsync<string[]>($"select array_agg(action order by id) from camino.audit_entries where subject = '{subject}' and subject_id = '{id}'") ?? [];

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1" + path, UriKind.Relative));

    private static async Task<JsonElement> SendAsync(HttpClient client, string path, object body, HttpStatusCode wanted, string? ifMatch = null, string? key = null)
    {
        using var answer = await AskAsync(client, path, body, ifMatch, key);
        return await ServicedBook.ReadAsync(answer, wanted);
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, string path, object body, string? ifMatch = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1" + path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await client.SendAsync(request);
    }

    private async Task RefusedAsync(string path, object body, string code, string says, string? ifMatch = null)
    {
        using var answer = await AskAsync(_officer, path, body, ifMatch);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo(code), problem.ToString());
        Assert.That(problem.GetProperty("detail").GetString(), Does.Contain(says));
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
