using System.Net;
using System.Text.Json;
using Camino.People;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Approvals;

/// <summary>Roles, acts on many jobs and products, each from the request to what it changed; and what nobody decided in time.</summary>
internal sealed class ApprovalKindTests
{
    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private HttpClient _admin = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
        _admin = await _camino.ApiOfAsync("admin");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _admin.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task Roles_change_when_a_second_administrator_approves_who_is_not_the_one_that_they_are_about()
    {
        var (second, client) = await _camino.SecondAdministratorAsync();
        client.Dispose();
        var officer = await IdOfAsync("officer");
        using var admin = await SignedInAsync("admin");
        using var other = await SignedInAsync(RunningCamino.SecondEmail);

        using var aboutOther = await admin.PostAsync($"/people/{second}", $"/people/{second}?handler=Roles", ("reason", "a new desk"), ("roles", StaffRoles.Accountant));
        var own = ApprovalIn(aboutOther);
        using var refused = await other.PostAsync("/", $"/approvals/{own}?handler=Approve");
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("Nobody decides about the own rights").And.Not.Contain("Approve and carry out"));

        using var asked = await admin.PostAsync($"/people/{officer}", $"/people/{officer}?handler=Roles", ("reason", "moves to the books"), ("roles", StaffRoles.Accountant));
        Assert.That(await admin.PageAsync(asked.Headers.Location?.ToString() ?? ""), Does.Contain("This waits for a second person now"));
        var page = WebUtility.HtmlDecode(await other.PageAsync($"/approvals/{ApprovalIn(asked)}"));
        Assert.That(page, Does.Contain("these roles: Accountant").And.Contain("Right: book.charge-off").And.Contain("moves to the books"));
        using var approved = await other.PostAsync($"/approvals/{ApprovalIn(asked)}", $"/approvals/{ApprovalIn(asked)}?handler=Approve");
        Assert.That(approved.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(r.name, ',') from camino.staff_user_roles l join camino.staff_roles r on r.id = l.role_id where l.user_id = '{officer}'"), Is.EqualTo(StaffRoles.Accountant));
        Assert.That(await _camino.ScalarAsync<string>($"select details ->> 'askedBy' from camino.audit_entries where subject_id = '{officer}' and action = 'user.roles_changed' order by id desc limit 1"), Is.EqualTo((await IdOfAsync("admin")).ToString()));
    }

    [Test]
    public async Task A_request_about_roles_that_changed_meanwhile_is_refused()
    {
        var user = await IdOfAsync("collections");
        using var admin = await SignedInAsync("admin");
        using var first = await admin.PostAsync($"/people/{user}", $"/people/{user}?handler=Roles", ("reason", "one way"), ("roles", StaffRoles.Servicing));
        using var second = await admin.PostAsync($"/people/{user}", $"/people/{user}?handler=Roles", ("reason", "the other way"), ("roles", StaffRoles.Accountant));
        using var again = await admin.PostAsync($"/people/{user}", $"/people/{user}?handler=Roles", ("reason", "once more"), ("roles", StaffRoles.Accountant));
        Assert.That(await again.Content.ReadAsStringAsync(), Does.Contain("The same was asked for already and waits for a second person."));
        await _camino.ApproveAsync(ApprovalIn(first));

        var code = await Assert.ThrowsAsync<InvalidOperationException>(() => _camino.ApproveAsync(ApprovalIn(second)));

        Assert.That(code?.Message, Does.Contain("approval.not_possible"));
        Assert.That(await _camino.ScalarAsync<string>($"select refusal ->> 'code' from camino.approvals where id = '{ApprovalIn(second)}'"), Is.EqualTo("user.changed"));
        Assert.That(await _camino.ScalarAsync<string>($"select refusal ->> 'spanish' from camino.approvals where id = '{ApprovalIn(second)}'"), Does.StartWith("Los roles de la persona cambiaron"));
    }

    [Test]
    public async Task Somebody_new_only_looks_until_the_other_roles_are_approved()
    {
        using var admin = await SignedInAsync("admin");
        using var added = await admin.PostAsync("/people/add", "/people/add", ("email", "lee@lender.example"), ("name", "Lee Park"), ("roles", StaffRoles.Administrator));
        var page = await added.Content.ReadAsStringAsync();
        var user = await _camino.ScalarAsync<Guid>("select id from camino.staff_users where email = 'lee@lender.example'");

        Assert.That(page, Does.Contain("The person may only look until a second person has approved the roles.").And.Contain("/set-password?token="));
        Assert.That(await RolesAsync(user), Is.EqualTo(StaffRoles.Viewer));
        await _camino.ApproveAsync(await _camino.ScalarAsync<Guid>($"select id from camino.approvals where subject_id = '{user}'"));
        Assert.That(await RolesAsync(user), Is.EqualTo(StaffRoles.Administrator));
    }

    [Test]
    public async Task A_product_is_published_as_the_second_person_saw_it_and_retired_by_two()
    {
        using var added = await _book.SendAsync("/api/v1/products", Product("BR-1", "0.50"), null, null, _admin);
        var id = (await ServicedBook.ReadAsync(added, HttpStatusCode.Created)).GetProperty("id").GetGuid();
        var first = await AskAsync($"/api/v1/products/{id}/publish");
        using (var again = await _book.SendAsync($"/api/v1/products/{id}/publish", new { }, null, null, _admin))
            Assert.That((await ServicedBook.ReadAsync(again, HttpStatusCode.Conflict)).GetProperty("code").GetString(), Is.EqualTo("approval.waiting"));
        var seen = (await GetAsync($"/api/v1/approvals/{first}")).GetProperty("changes").EnumerateArray().ToDictionary(line => line.GetProperty("name").GetString() ?? "", line => line.GetProperty("becomes").GetString());
        Assert.That(seen["Tolerance at payoff"], Is.EqualTo("0.50"));
        Assert.That(seen["Most principal"], Is.EqualTo("50000.00"));

        using var changed = new HttpRequestMessage(HttpMethod.Put, new Uri($"/api/v1/products/{id}/draft", UriKind.Relative)) { Content = System.Net.Http.Json.JsonContent.Create(Product("BR-1", "9.00")) };
        (await _admin.SendAsync(changed)).Dispose();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _camino.ApproveAsync(first));
        Assert.That(refused?.Message, Does.Contain("The draft was changed after this was asked for; ask anew."));
        Assert.That(await StatusOfAsync(id), Is.EqualTo("draft"));

        await _camino.ApproveAsync(await AskAsync($"/api/v1/products/{id}/publish"));
        Assert.That(await StatusOfAsync(id), Is.EqualTo("published"));
        await _camino.ApproveAsync(await AskAsync($"/api/v1/products/{id}/retire"));
        Assert.That(await StatusOfAsync(id), Is.EqualTo("retired"));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject_id = '{id}'"), Is.EqualTo("product.added product.changed product.published product.retired"));
        using var browser = await SignedInAsync("admin");
        Assert.That(await browser.PageAsync("/products"), Does.Contain("A second person has to approve what is published or retired."));
    }

    [Test]
    public async Task An_act_on_all_jobs_leaves_those_alone_that_came_after_it_was_asked_for()
    {
        await FailAsync(3);
        using var answer = await _book.SendAsync("/api/v1/jobs/act", new { action = "acknowledge", reason = "seen with the bank", filter = new { state = "failed", kind = "imports.check" } }, null, null, _admin);
        var approval = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
        using var again = await _book.SendAsync("/api/v1/jobs/act", new { action = "acknowledge", reason = "seen with the bank", filter = new { state = "failed", kind = "imports.check" } }, null, null, _admin);
        Assert.That((await ServicedBook.ReadAsync(again, HttpStatusCode.Conflict)).GetProperty("code").GetString(), Is.EqualTo("approval.waiting"));
        Assert.That((await GetAsync($"/api/v1/approvals/{approval}")).GetProperty("approval").GetProperty("says").GetString(), Does.StartWith("Mark as seen: all jobs that match (3 jobs;"));
        await FailAsync(2);

        var job = (await _camino.ApproveAsync(approval)).GetProperty("approval").GetProperty("answer").GetProperty("jobId").GetGuid();

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await _camino.ScalarAsync<long>($"select count(*) from jobs.finished where id = '{job}' and state = 'done'") == 0)
            await timer.WaitForNextTickAsync(limit.Token);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from jobs.finished where kind = 'imports.check' and acknowledged_at is not null"), Is.EqualTo(3));
        Assert.That(await _camino.ScalarAsync<string>($"select requested_by from jobs.finished where id = '{job}'"), Is.EqualTo((await IdOfAsync("admin")).ToString()));
    }

    [Test]
    public async Task The_recurring_job_notes_what_has_expired_and_tells_whoever_asked()
    {
        await using (var add = _camino.Source.CreateCommand(
            """
            insert into camino.approvals (id, kind, subject, subject_id, request, reason, asked_by, asked_at, expires_at)
            select gen_random_uuid(), 'loan.charge-off', 'loan', gen_random_uuid()::text, '{"on":"2026-03-01"}', '', u.id, now() - interval '2 hours', now() - interval '1 hour'
            from generate_series(1, 450), (select id from camino.staff_users where user_name = 'accountant@demo.camino.example') u
            """))
            await add.ExecuteNonQueryAsync();

        using var asked = await _book.SendAsync("/api/v1/schedules/approvals.expire/run", new { reason = "the test wants it now" }, null, null, _admin);
        var job = (await ServicedBook.ReadAsync(asked, HttpStatusCode.Accepted)).GetProperty("jobId").GetGuid();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await _camino.ScalarAsync<long>($"select count(*) from jobs.finished where id = '{job}' and state = 'done'") == 0)
            await timer.WaitForNextTickAsync(limit.Token);

        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.approvals where state = 4 and decided_by is null"), Is.EqualTo(450));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.notices where text = 'Notice.ApprovalExpired'"), Is.EqualTo(450));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'approval.expired' and user_id is null"), Is.EqualTo(450));
        using var browser = await SignedInAsync("accountant");
        Assert.That(await browser.PageAsync("/notices"), Does.Contain("Expired, nobody decided: Charge-off. Ask anew if it is still needed."));
    }

    private static object Product(string code, string tolerance) => new
    {
        code,
        name = "Bridge",
        rules = new { tolerance },
        offer = new { principalFrom = "500.00", principalTo = "50000.00", rateFrom = "0", rateTo = "60", paymentsFrom = 1, paymentsTo = 60, terms = new { method = "equalPayment", dayCount = "actual/365", unit = "month", every = 1 } },
    };

    private static Guid ApprovalIn(HttpResponseMessage answer) => Guid.Parse((answer.Headers.Location?.ToString() ?? "")[^36..]);

    private async Task<Guid> AskAsync(string path)
    {
        using var answer = await _book.SendAsync(path, new { }, null, null, _admin);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _admin.GetAsync(new Uri(path, UriKind.Relative));
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task<string?> StatusOfAsync(Guid product) =>
        (await GetAsync("/api/v1/products")).GetProperty("items").EnumerateArray().Single(one => one.GetProperty("id").GetGuid() == product).GetProperty("versions")[0].GetProperty("status").GetString();

    private Task<string?> RolesAsync(Guid user) => _camino.ScalarAsync<string>($"select string_agg(r.name, ',') from camino.staff_user_roles l join camino.staff_roles r on r.id = l.role_id where l.user_id = '{user}'");

    private Task<Guid> IdOfAsync(string demo) => _camino.ScalarAsync<Guid>($"select id from camino.staff_users where user_name = '{demo}@demo.camino.example'");

    private async Task<StaffBrowser> SignedInAsync(string who)
    {
        var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync(who)).Dispose();
        return browser;
    }

    private async Task FailAsync(int count)
    {
        await using var command = _camino.Source.CreateCommand(
            """
            insert into jobs.finished (id, due_at, enqueued_at, started_at, finished_at, version, attempt, max_attempts, state, queue, kind, error, args)
            select id, now(), now(), now(), now(), 1, 3, 3, 'failed', 'bulk', 'imports.check', 'It broke', '{}' from unnest($1) as one(id)
            """);
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).ToArray() });
        await command.ExecuteNonQueryAsync();
    }
}
