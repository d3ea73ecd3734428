using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Data;
using Camino.Lending;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>Administrators on their page and operators at the shell say who signs in, and the audit trail says that they did.</summary>
internal sealed partial class StaffTests
{
    private const string NewPassword = "lantern mesa orchard tuesday";

    private RunningCamino _camino = null!;
    private Configs _configs = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        _configs = new Configs();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _configs.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task An_administrator_adds_somebody_who_chooses_a_password_by_the_link_once()
    {
        using var admin = await SignedInAsync("admin");
        using var added = await admin.PostAsync("/people/add", "/people/add", ("email", "rosa@lender.example"), ("name", "Rosa Iglesias"), ("roles", "officer"), ("roles", "servicing"));
        var link = LinkIn(await added.Content.ReadAsStringAsync());

        var asked = await _camino.ScalarAsync<Guid>("select id from camino.approvals where kind = 'user.roles' order by id desc limit 1");
        await _camino.ApproveAsync(asked);
        await _camino.DismissSecondAdministratorAsync();

        using var rosa = new StaffBrowser(_camino.OfficeAddress);
        using var unlike = await rosa.PostAsync(link, "/set-password", ("Token", TokenOf(link)), ("password", NewPassword), ("passwordAgain", NewPassword + "s"));
        Assert.That(unlike.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        using var chosen = await rosa.PostAsync(link, "/set-password", ("Token", TokenOf(link)), ("password", NewPassword), ("passwordAgain", NewPassword));
        Assert.That(chosen.Headers.Location?.ToString(), Is.EqualTo("/sign-in"));
        (await rosa.SignInAsync("rosa@lender.example", NewPassword)).Dispose();
        Assert.That(await rosa.LeadsToAsync("/servicing"), Is.EqualTo("/servicing"));
        Assert.That(await rosa.LeadsToAsync("/people"), Is.EqualTo("Forbidden"));

        using var again = new StaffBrowser(_camino.OfficeAddress);
        using var refused = await again.PostAsync(link, "/set-password", ("Token", TokenOf(link)), ("password", NewPassword), ("passwordAgain", NewPassword));
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("used already"));
        Assert.That(await ActionsAsync("rosa@lender.example"), Is.EqualTo((string[])["user.added", "user.roles_changed", "user.password_chosen", "session.begun"]));
        var list = await admin.PageAsync("/people");
        Assert.That(list, Does.Contain("Rosa Iglesias").And.Contain("Loan officer, Servicing"));
    }

    [Test]
    public async Task An_administrator_disables_enables_and_changes_roles_with_a_reason()
    {
        var id = await AddAsync("kim@lender.example", StaffRoles.Officer);
        using var kim = await SignedInAsync("kim@lender.example", NewPassword);
        using var admin = await SignedInAsync("admin");
        var page = $"/people/{id}";
        using var without = await admin.PostAsync(page, page + "?handler=Disable", ("reason", " "));
        Assert.That(await without.Content.ReadAsStringAsync(), Does.Contain("3 to 300 characters"));
        Assert.That(await kim.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        (await admin.PostAsync(page, page + "?handler=Disable", ("reason", "left the house"))).Dispose();
        Assert.That(await kim.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await admin.PageAsync(page), Does.Contain("Disabled").And.Not.Contain("handler=Link"));

        (await admin.PostAsync(page, page + "?handler=Enable", ("reason", "came back"))).Dispose();
        using var again = await SignedInAsync("kim@lender.example", NewPassword);
        using var asked = await admin.PostAsync(page, page + "?handler=Roles", ("reason", "new desk"), ("roles", "collections"));
        Assert.That(await again.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "nothing changes until a second person approves");
        await _camino.ApproveAsync(Guid.Parse((asked.Headers.Location?.ToString() ?? "")[^36..]));
        await _camino.DismissSecondAdministratorAsync();
        Assert.That(await again.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await ActionsAsync("kim@lender.example"), Does.Contain("user.disabled").And.Contain("user.enabled").And.Contain("user.roles_changed"));
        Assert.That(await _camino.ScalarAsync<string>($"select details from camino.audit_entries where subject_id = '{id}' and action = 'user.roles_changed'"), Does.Contain("new desk").And.Contain("collections").And.Contain("officer"));
    }

    [Test]
    public async Task A_link_for_the_password_of_somebody_who_was_in_is_made_by_two_and_once()
    {
        var id = await AddAsync("nora@lender.example", StaffRoles.Officer);
        using var nora = await SignedInAsync("nora@lender.example", NewPassword);
        using var admin = await SignedInAsync("admin");
        var page = $"/people/{id}";
        using var without = await admin.PostAsync(page, page + "?handler=Link");
        Assert.That(await without.Content.ReadAsStringAsync(), Does.Contain("3 to 300 characters").And.Not.Contain("/set-password?token="));
        using var asked = await admin.PostAsync(page, page + "?handler=Link", ("reason", "forgot it; called back on the known number"));
        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        using var again = await admin.PostAsync(page, page + "?handler=Link", ("reason", "forgot it; called back on the known number"));
        Assert.That(await again.Content.ReadAsStringAsync(), Does.Contain("waits for a second person").And.Not.Contain("/set-password?token="));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_links where user_id = '{id}'"), Is.Zero);

        await _camino.ApproveAsync(Guid.Parse((asked.Headers.Location?.ToString() ?? "")[^36..]));
        using var other = await SignedInAsync(RunningCamino.SecondEmail);
        Assert.That(await other.PageAsync(page), Does.Not.Contain("you can make the link now"), "Who approved gets no link.");
        Assert.That(await admin.PageAsync(page), Does.Contain("you can make the link now"));
        using var made = await admin.PostAsync(page, page + "?handler=Link");
        var link = LinkIn(await made.Content.ReadAsStringAsync());
        using var more = await admin.PostAsync(page, page + "?handler=Link");
        Assert.That(await more.Content.ReadAsStringAsync(), Does.Not.Contain("/set-password?token="), "Approved once is made once.");
        await _camino.DismissSecondAdministratorAsync();

        using var chosen = await nora.PostAsync(link, "/set-password", ("Token", TokenOf(link)), ("password", NewPassword + " too"), ("passwordAgain", NewPassword + " too"));
        Assert.That(chosen.Headers.Location?.ToString(), Is.EqualTo("/sign-in"));
        Assert.That(await ActionsAsync("nora@lender.example"), Does.Contain("user.link_granted").And.Contain("user.link_made"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.approvals where subject_id = '{id}' and (answer::text || request::text) like '%token%'"), Is.Zero);
    }

    [Test]
    public async Task Nobody_changes_the_own_rights_and_the_last_administrator_stays()
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (disable, change) = (scope.ServiceProvider.GetRequiredService<DisableStaff>(), scope.ServiceProvider.GetRequiredService<ChangeRoles>());
        var admin = await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.Where(user => user.UserName == "admin@demo.camino.example").Select(user => user.Id).SingleAsync();
        var shell = new StaffActor(null, "operator");

        Assert.That(await CodeAsync(() => disable.DisableAsync(admin, "a good reason", new StaffActor(admin, null), CancellationToken.None)), Is.EqualTo("user.self"));
        Assert.That(await CodeAsync(() => change.RunAsync(admin, ["viewer"], "a good reason", new StaffActor(admin, null), CancellationToken.None)), Is.EqualTo("user.self"));
        Assert.That(await CodeAsync(() => disable.DisableAsync(admin, "a good reason", shell, CancellationToken.None)), Is.EqualTo("user.last_administrator"));
        Assert.That(await CodeAsync(() => change.RunAsync(admin, ["viewer"], "a good reason", shell, CancellationToken.None)), Is.EqualTo("user.last_administrator"));
    }

    [Test]
    public async Task Two_administrators_who_disable_each_other_at_one_moment_do_not_both_succeed()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false, withPeople: false);
        var ids = new List<Guid>();
        foreach (var email in (string[])["one@lender.example", "two@lender.example"])
        {
            await using var scope = own.Office.Services.CreateAsyncScope();
            ids.Add((await scope.ServiceProvider.GetRequiredService<AddStaff>().RunAsync(email, "Somebody", [StaffRoles.Administrator], new StaffActor(null, "test"), CancellationToken.None)).Id);
        }

        var codes = await Task.WhenAll(Enumerable.Range(0, 2).Select(async i =>
        {
            await using var scope = own.Office.Services.CreateAsyncScope();
            var disable = scope.ServiceProvider.GetRequiredService<DisableStaff>();
            return await CodeAsync(() => disable.DisableAsync(ids[i], "a good reason", new StaffActor(ids[1 - i], null), CancellationToken.None));
        }));

        Assert.That(codes, Is.EquivalentTo((string?[])[null, "user.last_administrator"]));
    }

    [Test]
    public async Task Operators_add_list_change_disable_and_enable_users_from_the_shell()
    {
        var added = await RunAsync("add", "lee@lender.example", "--role", "officer,servicing", "--name", "Lee Park", "--address", _camino.OfficeAddress.ToString(), "--by", "tester");
        Assert.That(added.Code, Is.Zero, added.ToString());
        Assert.That(added.Output.Trim(), Does.Match("^http://127.0.0.1:[0-9]+/set-password\\?token=[0-9a-f]{64}$"));
        var link = new Uri(added.Output.Trim()).PathAndQuery;
        using var lee = new StaffBrowser(_camino.OfficeAddress);
        (await lee.PostAsync(link, "/set-password", ("Token", TokenOf(link)), ("password", NewPassword), ("passwordAgain", NewPassword))).Dispose();
        (await lee.SignInAsync("lee@lender.example", NewPassword)).Dispose();
        Assert.That(await lee.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        var ended = await RunAsync("end-sessions", "lee@lender.example", "--reason", "laptop left in a cab");
        Assert.That((ended.Code, ended.Output.Trim()), Is.EqualTo((0, "1 session ended.")), ended.ToString());
        Assert.That(await lee.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        (await lee.SignInAsync("lee@lender.example", NewPassword)).Dispose();

        var disabled = await RunAsync("disable", "Lee@Lender.example", "--reason", "left the house");
        Assert.That(disabled.Code, Is.Zero, disabled.ToString());
        Assert.That(await lee.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        var refused = await RunAsync("link", "lee@lender.example");
        Assert.That((refused.Code, refused.Output), Is.EqualTo((1, "")));
        Assert.That(refused.Error, Does.Contain("(user.disabled)"));

        Assert.That((await RunAsync("enable", "lee@lender.example", "--reason", "came back")).Code, Is.Zero);
        Assert.That((await RunAsync("roles", "lee@lender.example", "--set", "viewer", "--reason", "new desk")).Code, Is.Zero);
        var list = await RunAsync("list", "--json");
        Assert.That(list.Code, Is.Zero, list.ToString());
        var line = JsonSerializer.Deserialize<JsonElement>(list.Output).GetProperty("users").EnumerateArray().Single(user => user.GetProperty("email").GetString() == "lee@lender.example");
        Assert.That(line.GetProperty("roles").EnumerateArray().Select(role => role.GetString()), Is.EqualTo((string[])["viewer"]));
        Assert.That(line.GetProperty("isDisabled").GetBoolean(), Is.False);
        Assert.That(line.GetProperty("lastSignIn").GetDateTimeOffset(), Is.GreaterThan(DateTimeOffset.UtcNow.AddHours(-1)));
        Assert.That(line.GetProperty("openSessions").GetInt32(), Is.Zero);
        var page = JsonSerializer.Deserialize<JsonElement>((await RunAsync("list", "--json", "--take", "1")).Output);
        Assert.That(page.GetProperty("next").GetGuid(), Is.EqualTo(page.GetProperty("users")[0].GetProperty("id").GetGuid()));
        Assert.That(await _camino.ScalarAsync<string>("select details from camino.audit_entries where action = 'user.added' and details::text like '%tester%'"), Does.Contain("servicing"));
    }

    [TestCase("add|nobody|--role|officer", "email has 6 characters")]
    [TestCase("add|a@lender.example|--role|boss", "role is \"boss\"; it must be one or more of administrator, officer")]
    [TestCase("add|admin@demo.camino.example|--role|viewer", "(user.exists)")]
    [TestCase("disable|nobody@lender.example|--reason|because", "(user.not_found)")]
    [TestCase("disable|viewer@demo.camino.example|--reason|no", "reason has 2 characters; say in 3 to 300 why.")]
    [TestCase("disable|admin@demo.camino.example|--reason|because", "(user.last_administrator)")]
    [TestCase("unlink-company|viewer@demo.camino.example|--reason|because", "(user.not_linked)")]
    [TestCase("end-sessions|viewer@demo.camino.example|--reason|because", "(session.none)")]
    [TestCase("list|--take|0", "--take is 0; it must be 1 to 1,000.")]
    public async Task What_an_operator_gets_wrong_is_named_with_its_limit(string arguments, string said)
    {
        var ended = await RunAsync(arguments.Split('|'));

        Assert.That(ended.Code, Is.EqualTo(1), ended.ToString());
        Assert.That(ended.Output, Is.Empty);
        Assert.That(ended.ErrorLines, Has.Count.EqualTo(1));
        Assert.That(ended.Error, Does.Contain(said).And.Not.Contain("lender.example "));
    }

    [Test]
    public async Task A_person_changes_the_own_password_knowing_the_present_one_and_signs_in_anew()
    {
        await AddAsync("noor@lender.example", StaffRoles.Viewer);
        using var noor = await SignedInAsync("noor@lender.example", NewPassword);
        using var other = await SignedInAsync("noor@lender.example", NewPassword);
        using var wrong = await noor.PostAsync("/password", "/password", ("present", "a wrong password"), ("password", "harbor violet engine stone"), ("passwordAgain", "harbor violet engine stone"));
        Assert.That(await wrong.Content.ReadAsStringAsync(), Does.Contain("is another one"));
        using var weak = await noor.PostAsync("/password", "/password", ("present", NewPassword), ("password", "short"), ("passwordAgain", "short"));
        Assert.That(await weak.Content.ReadAsStringAsync(), Does.Contain("12 to 200 characters"));
        Assert.That(await other.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        using var changed = await noor.PostAsync("/password", "/password", ("present", NewPassword), ("password", "harbor violet engine stone"), ("passwordAgain", "harbor violet engine stone"));

        Assert.That(changed.Headers.Location?.ToString(), Is.EqualTo("/sign-in"));
        Assert.That(await other.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var again = await SignedInAsync("noor@lender.example", "harbor violet engine stone");
        Assert.That(await again.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
    }

    [Test]
    public async Task A_page_of_people_comes_from_an_index_and_the_next_goes_on_after_it()
    {
        await using (var fill = _camino.Source.CreateCommand(
            """
            insert into camino.staff_users (id, display_name, language, is_demo, user_name, normalized_user_name, email, normalized_email, email_confirmed, security_stamp, phone_number_confirmed, two_factor_enabled, lockout_enabled, access_failed_count)
            select gen_random_uuid(), 'P ' || n, 'en', false, 'zz' || n || '@x.example', 'ZZ' || n || '@X.EXAMPLE', 'zz' || n || '@x.example', 'ZZ' || n || '@X.EXAMPLE', true, 's', false, false, true, 0 from generate_series(10001, 13000) n
            """))
            await fill.ExecuteNonQueryAsync();
        await using (var analyze = _camino.Source.CreateCommand("analyze camino.staff_users, camino.staff_user_roles, camino.staff_sessions"))
            await analyze.ExecuteNonQueryAsync();
        var list = new ListStaff(_camino.Source, new SessionLimits(TimeSpan.FromMinutes(30), TimeSpan.FromHours(12)), TimeProvider.System);
        var first = await list.RunAsync(null, ListStaff.PageSize, CancellationToken.None);
        var second = await list.RunAsync(first[^1].Id, ListStaff.PageSize, CancellationToken.None);

        Assert.That(first.Concat(second).Select(line => line.Email), Is.Unique.And.Ordered);
        await using var page = list.Page(second[^1].Id, ListStaff.PageSize + 1);
        page.CommandText = "explain " + page.CommandText;
        await using var rows = await page.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await rows.ReadAsync())
            plan.Add(rows.GetString(0));
        Assert.That(string.Join('\n', plan), Does.Contain("user_name_index").And.Not.Contain("Seq Scan on staff_users"));
    }

    private Task<Ended> RunAsync(params string[] arguments) =>
        CaminoProcess.RunAsync(new Dictionary<string, string?> { ["CAMINO_Database__ConnectionString"] = _camino.ConnectionString }, ["user", .. arguments, "--config", _configs.Of("BackOffice")]);

    private async Task<Guid> AddAsync(string email, string role)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (id, token) = await scope.ServiceProvider.GetRequiredService<AddStaff>().RunAsync(email, email, [role], new StaffActor(null, "test"), CancellationToken.None);
        await using var other = _camino.Office.Services.CreateAsyncScope();
        await other.ServiceProvider.GetRequiredService<ChoosePassword>().ByLinkAsync(token, NewPassword, CancellationToken.None);
        return id;
    }

    private async Task<StaffBrowser> SignedInAsync(string user, string password = RunningCamino.Password)
    {
        var browser = new StaffBrowser(_camino.OfficeAddress);
        using var answer = await browser.SignInAsync(user, password);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        return browser;
    }

    private async Task<string[]> ActionsAsync(string email) =>
        await _camino.ScalarAsync<string[]>($"select array(select a.action from camino.audit_entries a join camino.staff_users u on u.id::text = a.subject_id where u.email = '{email}' order by a.chain_position)") ?? [];

    private static async Task<string?> CodeAsync(Func<Task> act)
    {
        try
        {
            await act();
            return null;
        }
        catch (RefusedException refused)
        {
            return refused.Code;
        }
    }

    private static string LinkIn(string page) => new Uri(WebUtility.HtmlDecode(Link().Match(page).Groups["link"].Value)).PathAndQuery;

    private static string TokenOf(string link) => link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..];

    [GeneratedRegex("data-link>(?<link>[^<]+)<", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Link();
}
