using System.Net;
using System.Net.Http.Headers;
using Camino.Data;
using Camino.People;
using Camino.Testing;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>Who is signed in is what the database says: a session that was ended opens nothing from then on, on no server.</summary>
internal sealed class SessionTests
{
    private const string Firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

    private RunningCamino _camino = null!;
    private int _people;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase("POST", "/sign-in", "/sign-in/", "/sign-in/code")]
    [TestCase("GET", "/sign-in/company", "/sign-in/company/", "/sign-in/company?ReturnUrl=/")]
    [TestCase("POST", "/sign-in/company/ended", "/sign-in/company/ended/", "/sign-in/company")]
    [TestCase("GET", "/upload", "/upload/", "/upload?token=another")]
    [TestCase("GET", "/offer", "/offer/document", "/offer?token=another")]
    public async Task One_address_has_one_number_of_tries_however_it_writes_the_path(string method, string first, string second, string third)
    {
        await using var office = await _camino.StartSecondOfficeAsync(change: settings => settings.Limits.SignInsAMinute = 2);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = RunningCamino.AddressOf(office) };
        var refused = new List<bool>();
        foreach (var path in (string[])[first, second, third])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
            using var answer = await client.SendAsync(request);
            refused.Add(answer.StatusCode == HttpStatusCode.TooManyRequests);
        }

        Assert.That(refused, Is.EqualTo((bool[])[false, false, true]));
    }

    [Test]
    public async Task A_user_who_is_disabled_is_out_at_once_on_every_server_and_so_are_the_users_keys()
    {
        var user = await AddAsync(StaffRoles.Administrator);
        await using var second = await _camino.StartSecondOfficeAsync();
        using var here = await SignedInAsync(user);
        using var there = here.Copy(RunningCamino.AddressOf(second));
        using var program = await KeyOfAsync(user);
        Assert.That(await here.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await there.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await StatusAsync(program), Is.EqualTo(HttpStatusCode.OK));

        await ChangeAsync(user, (users, found) => users.SetLockoutEndDateAsync(found, DateTimeOffset.MaxValue));

        Assert.That(await here.LeadsToAsync("/loans?state=TX"), Does.EndWith("/sign-in?ReturnUrl=%2Floans%3Fstate%3DTX"));
        Assert.That(await there.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await StatusAsync(program), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await WhyAsync(user), Is.EqualTo("disabled"));
        using var again = new StaffBrowser(_camino.OfficeAddress);
        using var refused = await again.SignInAsync(user);
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK), "The form again, with a word that it did not work.");
        Assert.That(await again.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
    }

    [Test]
    public async Task Wrong_passwords_of_a_stranger_neither_end_sessions_nor_stop_keys()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = await SignedInAsync(user);
        using var program = await KeyOfAsync(user);
        using var stranger = new StaffBrowser(_camino.OfficeAddress);
        for (var i = 0; i < 6; i++)
            (await stranger.SignInAsync(user, "a wrong password")).Dispose();

        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await StatusAsync(program), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Other_roles_or_another_password_end_every_session_in_the_same_transaction()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var before = await SignedInAsync(user);
        await ChangeAsync(user, (users, found) => users.AddToRoleAsync(found, StaffRoles.Servicing));
        Assert.That(await before.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await WhyAsync(user), Is.EqualTo("roles"));

        using var between = await SignedInAsync(user);
        await ChangeAsync(user, (users, found) => users.RemoveFromRoleAsync(found, StaffRoles.Servicing));
        Assert.That(await between.LeadsToAsync("/loans"), Does.Contain("/sign-in"));

        using var after = await SignedInAsync(user);
        await ChangeAsync(user, (users, found) => users.ChangePasswordAsync(found, RunningCamino.Password, "walnut engine harbor violet"));
        Assert.That(await after.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await WhyAsync(user), Is.EqualTo("credentials"));
    }

    [Test]
    public async Task What_is_rolled_back_ends_nothing()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = await SignedInAsync(user);
        await using (var connection = await _camino.Source.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        await using (var disable = new Npgsql.NpgsqlCommand($"update camino.staff_users set lockout_end = 'infinity' where email = '{user}'", connection, transaction))
        {
            Assert.That(await disable.ExecuteNonQueryAsync(), Is.EqualTo(1));
            await transaction.RollbackAsync();
        }

        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
    }

    [TestCase("last_seen_at = now() - interval '30 minutes'", "idle")]
    [TestCase("begun_at = now() - interval '12 hours'", "too-old")]
    public async Task A_session_ends_after_half_an_hour_without_use_and_after_twelve_hours_in_any_case(string moved, string why)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = await SignedInAsync(user);
        await MoveAsync(user, "last_seen_at = now() - interval '29 minutes', begun_at = now() - interval '11 hours 59 minutes'");
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        await MoveAsync(user, moved);

        Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await WhyAsync(user), Is.EqualTo(why));
        Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
    }

    [Test]
    public async Task Use_is_written_down_once_a_minute_and_a_page_that_refreshes_itself_is_no_use()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = await SignedInAsync(user);
        await MoveAsync(user, "last_seen_at = now() - interval '59 seconds'");
        var before = await SeenAsync(user);
        await browser.PageAsync("/loans");
        Assert.That(await SeenAsync(user), Is.EqualTo(before), "Less than a minute ago.");

        await MoveAsync(user, "last_seen_at = now() - interval '20 minutes'");
        before = await SeenAsync(user);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/loans");
        request.Headers.Add("Sec-Fetch-Mode", "cors");
        using var answer = await browser.Client.SendAsync(request);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await SeenAsync(user), Is.EqualTo(before), "A script asked, not a person.");

        await browser.PageAsync("/loans");
        Assert.That(await SeenAsync(user), Is.GreaterThan(before.AddMinutes(19)));
    }

    [Test]
    public async Task A_cookie_that_was_copied_is_worth_nothing_after_the_sign_out_and_a_new_sign_in_has_a_new_session()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = await SignedInAsync(user);
        using var first = browser.Copy();
        (await browser.PostAsync("/", "/sign-in", ("Email", user), ("Password", RunningCamino.Password))).Dispose();
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await first.LeadsToAsync("/loans"), Does.Contain("/sign-in"), "The session before was replaced.");

        using var second = browser.Copy();
        Assert.That(await second.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        (await browser.PostAsync("/", "/sign-out")).Dispose();

        Assert.That(await second.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await CountAsync($"select count(*) from camino.staff_sessions s join camino.staff_users u on u.id = s.user_id where u.email = '{user}' and s.ended_why in ('replaced', 'signed-out')"), Is.EqualTo(2));
        Assert.That(await CountAsync($"select count(*) from camino.audit_entries a join camino.staff_users u on a.subject_id = u.id::text where u.email = '{user}' and a.action in ('session.begun', 'session.ended')"), Is.EqualTo(3));
    }

    [Test]
    public async Task A_person_sees_the_own_sessions_and_ends_one_or_all_others_but_never_those_of_somebody_else()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        var other = await AddAsync(StaffRoles.Viewer);
        using var present = await SignedInAsync(user, Firefox);
        using var phone = await SignedInAsync(user);
        using var tablet = await SignedInAsync(user);
        using var stranger = await SignedInAsync(other);
        var page = await present.PageAsync("/sessions");
        Assert.That(page, Does.Contain("Firefox, Windows").And.Contain("127.0.0.0/24").And.Contain("This session"));
        Assert.That(page.Split("handler=\"End\"").Length + page.Split("handler=End\"").Length, Is.EqualTo(4), "Two can be ended.");

        (await present.PostAsync("/sessions", "/sessions?handler=End", ("id", (await IdAsync(other)).ToString()))).Dispose();
        Assert.That(await stranger.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        (await present.PostAsync("/sessions", "/sessions?handler=End", ("id", (await IdAsync(user)).ToString()))).Dispose();
        Assert.That(await tablet.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await phone.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        (await present.PostAsync("/sessions", "/sessions?handler=EndOthers")).Dispose();
        Assert.That(await phone.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await present.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await present.PageAsync("/sessions"), Does.Contain("Ended by you").And.Not.Contain("handler=EndOthers"));
    }

    [Test]
    public async Task An_administrator_ends_all_sessions_of_somebody_who_may_sign_in_again()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var laptop = await SignedInAsync(user);
        using var phone = await SignedInAsync(user);
        using var admin = await SignedInAsync(await AddAsync(StaffRoles.Administrator));
        var page = $"/people/{await _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{user}'")}";
        using var short2 = await admin.PostAsync(page, page + "?handler=EndSessions", ("reason", "no"));
        Assert.That(await short2.Content.ReadAsStringAsync(), Does.Contain("3 to 300"));
        Assert.That(await laptop.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        (await admin.PostAsync(page, page + "?handler=EndSessions", ("reason", "laptop left in a cab"))).Dispose();

        Assert.That(await laptop.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await phone.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await WhyAsync(user), Is.EqualTo("administrator"));
        Assert.That(await _camino.ScalarAsync<string>($"select a.details from camino.audit_entries a join camino.staff_users u on a.subject_id = u.id::text where u.email = '{user}' and a.action = 'user.sessions_ended'"), Does.Contain("laptop left in a cab"));
        using var again = await admin.PostAsync(page, page + "?handler=EndSessions", ("reason", "laptop left in a cab"));
        Assert.That(await again.Content.ReadAsStringAsync(), Does.Contain("no open session"));
        using var anew = await SignedInAsync(user);
        Assert.That(await anew.PageAsync("/sessions"), Does.Contain("Ended by an administrator"));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task The_log_says_which_account_a_sign_in_was_refused_for_and_who_was_refused_a_page_and_names_nobody(CancellationToken ct)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        var id = await _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{user}'");
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync(user, "a wrong password")).Dispose();
        (await browser.SignInAsync("nobody@elsewhere.example", "a wrong password")).Dispose();
        (await browser.SignInAsync(user)).Dispose();
        using var refused = await browser.Client.GetAsync(new Uri("/people", UriKind.Relative), ct);

        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (!_camino.LogLines.Any(line => line.Contains("people\\\" answered 403", StringComparison.Ordinal) && line.Contains(id.ToString(), StringComparison.Ordinal)))
            await timer.WaitForNextTickAsync(ct); // the line of a request is written after its answer
        Assert.That(_camino.LogLines, Has.Some.Contains($"A sign-in of {id} was refused: \\\"password\\\"").And.Some.Contains("A sign-in of null was refused: \\\"unknown\\\""));
        Assert.That(_camino.LogLines, Has.None.Contains("elsewhere.example").And.None.Contains(user).And.None.Contains("a wrong password"));
    }

    [Test]
    public async Task A_password_that_was_hashed_with_fewer_rounds_is_hashed_anew_at_the_next_sign_in()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        await using var office = await _camino.StartSecondOfficeAsync(change: settings => settings.SignIn.PasswordRounds = 2_000);
        var before = await _camino.ScalarAsync<string>($"select password_hash from camino.staff_users where email = '{user}'");
        using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
        (await browser.SignInAsync(user)).Dispose();
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        var after = Convert.FromBase64String(await _camino.ScalarAsync<string>($"select password_hash from camino.staff_users where email = '{user}'") ?? "");
        Assert.That(Convert.ToBase64String(after), Is.Not.EqualTo(before));
        Assert.That(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(after.AsSpan(5)), Is.EqualTo(2_000), "as the framework writes it: version, function, rounds");
        using var earlier = await SignedInAsync(user);
        Assert.That(await earlier.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "more rounds than asked for are left alone");
    }

    [Test]
    public async Task A_form_that_comes_after_the_end_leads_to_the_sign_in_and_back_and_a_script_is_told_so()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = await SignedInAsync(user);
        var token = await browser.TokenAsync("/servicing");
        await MoveAsync(user, "ended_at = now(), ended_why = 'owner'");

        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", token)]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/notices") { Content = form };
        request.Headers.Referrer = new Uri(_camino.OfficeAddress, "/notices?after=x");
        using var sent = await browser.Client.SendAsync(request);
        Assert.That(sent.Headers.Location?.ToString(), Is.EqualTo("/sign-in?ReturnUrl=%2Fnotices%3Fafter%3Dx&Ended=true"));

        using var ask = new HttpRequestMessage(HttpMethod.Get, "/loans");
        ask.Headers.Add("Sec-Fetch-Mode", "cors");
        using var told = await browser.Client.SendAsync(ask);
        Assert.That(told.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task An_open_line_of_events_ends_with_its_session(CancellationToken ct)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = await SignedInAsync(user);
        using var line = await browser.Client.GetAsync(new Uri("/jobs/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct);
        Assert.That(line.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await using var events = await line.Content.ReadAsStreamAsync(ct);
        await MoveAsync(user, "ended_at = now(), ended_why = 'owner'");

        Assert.That(async () =>
        {
            var buffer = new byte[4_096];
            while (await events.ReadAsync(buffer, ct) > 0)
                ct.ThrowIfCancellationRequested();
            throw new IOException("The line ended as if all had been said.");
        }, Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Sessions_of_long_ago_are_forgotten_but_for_each_users_newest()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        for (var i = 0; i < 3; i++)
            (await SignedInAsync(user)).Dispose();
        await MoveAsync(user, "begun_at = now() - interval '91 days'");
        var newest = await IdAsync(user);

        Assert.That(await PruneSessions.ForgetAsync(_camino.Source, DateTimeOffset.UtcNow - PruneSessions.Kept, CancellationToken.None), Is.GreaterThanOrEqualTo(2));
        Assert.That(await PruneSessions.ForgetAsync(_camino.Source, DateTimeOffset.UtcNow - PruneSessions.Kept, CancellationToken.None), Is.Zero);

        Assert.That(await CountAsync($"select count(*) from camino.staff_sessions s join camino.staff_users u on u.id = s.user_id where u.email = '{user}'"), Is.EqualTo(1));
        Assert.That(await IdAsync(user), Is.EqualTo(newest));
    }

    [Test]
    public async Task The_check_of_every_request_and_a_page_of_sessions_come_from_an_index()
    {
        await using var fill = _camino.Source.CreateCommand(
            """
            insert into camino.staff_sessions (id, user_id, begun_at, last_seen_at, address, agent, ended_at, ended_why)
            select gen_random_uuid(), u.id, now() - n * interval '1 minute', now() - n * interval '1 minute', '', '', now(), 'idle' from camino.staff_users u, generate_series(1, 2000) n where u.is_demo
            """);
        await fill.ExecuteNonQueryAsync();
        await using var analyze = _camino.Source.CreateCommand("analyze camino.staff_sessions");
        await analyze.ExecuteNonQueryAsync();

        await using var check = _camino.Source.CreateCommand(CheckSession.Ask);
        check.Parameters.Add(new() { Value = Guid.NewGuid() });
        check.Parameters.Add(new() { Value = Guid.NewGuid() });
        Assert.That(await QueryPlan.OfAsync(check), Does.Match("(pk_staff_sessions|ix_staff_sessions_user_id_id)").And.Not.Contain("Seq Scan"));
        await using var page = ListSessions.Page(_camino.Source, Guid.NewGuid(), Guid.NewGuid());
        Assert.That(await QueryPlan.OfAsync(page), Does.Contain("ix_staff_sessions_user_id_id").And.Not.Contain("Seq Scan").And.Not.Contain("Sort"));
    }

    [TestCase("203.0.113.77", "203.0.113.0/24")]
    [TestCase("::ffff:203.0.113.77", "203.0.113.0/24")]
    [TestCase("2001:db8:12:34:56::1", "2001:db8:12::/48")]
    public void Of_an_address_only_the_network_is_kept(string address, string kept) =>
        Assert.That(SessionPlace.Network(IPAddress.Parse(address)), Is.EqualTo(kept));

    [TestCase(Firefox, "Firefox, Windows")]
    [TestCase("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "Chrome, Linux")]
    [TestCase("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0", "Edge, Windows")]
    [TestCase("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari, iPhone")]
    [TestCase("curl/8.5.0", "")]
    [TestCase(null, "")]
    public void Of_a_browser_only_the_family_is_kept(string? agent, string kept) =>
        Assert.That(SessionPlace.Family(agent), Is.EqualTo(kept));

    private async Task<string> AddAsync(string role)
    {
        var email = $"session-{_people++}@example.com";
        await _camino.AddStaffAsync(email, role, email);
        return email;
    }

    private async Task ChangeAsync(string email, Func<UserManager<StaffUser>, StaffUser, Task<IdentityResult>> change)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>();
        var user = await users.FindByEmailAsync(email) ?? throw new InvalidOperationException(email);
        Assert.That((await change(users, user)).Succeeded, Is.True);
    }

    private async Task<StaffBrowser> SignedInAsync(string email, string? agent = null)
    {
        var browser = new StaffBrowser(_camino.OfficeAddress, agent);
        using var answer = await browser.SignInAsync(email);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        return browser;
    }

    private async Task<HttpClient> KeyOfAsync(string email)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var id = await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.Where(u => u.Email == email).Select(u => u.Id).SingleAsync();
        var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync("key", id, CancellationToken.None));
        return client;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient program)
    {
        using var answer = await program.GetAsync(new Uri("/api/v1/imports", UriKind.Relative));
        return answer.StatusCode;
    }

    private Task<long> MoveAsync(string email, string set) => CountAsync($"with moved as (update camino.staff_sessions set {set} where user_id = (select id from camino.staff_users where email = '{email}') returning 1) select count(*) from moved");

    private Task<long> CountAsync(string sql) => _camino.ScalarAsync<long>(sql);

    private async Task<Guid> IdAsync(string email) => await _camino.ScalarAsync<Guid>($"select s.id from camino.staff_sessions s join camino.staff_users u on u.id = s.user_id where u.email = '{email}' order by s.id desc limit 1");

    private async Task<DateTime> SeenAsync(string email) => await _camino.ScalarAsync<DateTime>($"select max(last_seen_at) from camino.staff_sessions s join camino.staff_users u on u.id = s.user_id where u.email = '{email}'");

    private async Task<string?> WhyAsync(string email) => await _camino.ScalarAsync<string>($"select ended_why from camino.staff_sessions s join camino.staff_users u on u.id = s.user_id where u.email = '{email}' order by s.id desc limit 1");
}
