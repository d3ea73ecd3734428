using System.Net;
using Camino.Host.Configuration;
using Camino.People;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>Passkeys, with an authenticator in software against the running Back Office.</summary>
internal sealed class PasskeyTests
{
    private const string Address = "https://camino.lender.example";
    private const string Host = "camino.lender.example";

    private RunningCamino _camino = null!;
    private WebApplication _office = null!;
    private int _people;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false, secondFactor: SecondFactorMode.Required);
        _office = await _camino.StartSecondOfficeAsync(change: settings =>
        {
            settings.SignIn.Address = Address;
            settings.SignIn.SecondFactor = SecondFactorMode.Required;
        });
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _office.StopAsync();
        await _office.DisposeAsync();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task A_passkey_is_a_second_factor_and_a_sign_in_by_itself()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = new StaffBrowser(RunningCamino.AddressOf(_office));
        (await browser.SignInAsync(user)).Dispose();
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/second-factor"));
        using var thief = browser.Copy();
        using var key = new SoftPasskey { Origin = Address, Host = Host };
        var page = await RegisterAsync(browser, key, "my <b>phone</b>");
        Assert.That(page, Does.Contain("shown only now").And.Contain("recovery-codes"));
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "The session goes on with its roles.");
        Assert.That(await thief.LeadsToAsync("/loans"), Does.Contain("/sign-in"), "What was begun before ended.");
        Assert.That(await browser.PageAsync("/second-factor"), Does.Contain("my &lt;b&gt;phone&lt;/b&gt;").And.Contain("not used yet").And.Contain("10 recovery codes are left"));

        using var alone = new StaffBrowser(RunningCamino.AddressOf(_office));
        using var signedIn = await PassAsync(alone, "/sign-in", key, ("ReturnUrl", "/loans?state=TX"));
        Assert.That(signedIn.Headers.Location?.ToString(), Is.EqualTo("/loans?state=TX"));
        Assert.That(await alone.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await alone.PageAsync("/second-factor"), Does.Contain("last used"));

        using var second = new StaffBrowser(RunningCamino.AddressOf(_office));
        using var half = await second.SignInAsync(user);
        Assert.That(half.Headers.Location?.ToString(), Does.StartWith("/sign-in/code"));
        Assert.That(await second.PageAsync("/sign-in/code"), Does.Contain("data-passkey"));
        Assert.That(await second.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var passed = await PassAsync(second, "/sign-in/code", key);
        Assert.That(passed.Headers.Location?.ToString(), Is.EqualTo("/"));
        Assert.That(await second.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await ActionsAsync(user), Does.Contain("user.passkey_added").And.Contain("session.begun"));
    }

    [Test]
    public async Task An_answer_counts_once_in_the_browser_that_asked_and_only_for_this_address_after_its_owner_was_recognised()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var key = new SoftPasskey { Origin = Address, Host = Host };
        using (var browser = new StaffBrowser(RunningCamino.AddressOf(_office)))
        {
            (await browser.SignInAsync(user)).Dispose();
            await RegisterAsync(browser, key, "key");
        }

        using var one = new StaffBrowser(RunningCamino.AddressOf(_office));
        using var other = new StaffBrowser(RunningCamino.AddressOf(_office));
        var options = await OptionsAsync(one, "/sign-in");
        await OptionsAsync(other, "/sign-in");
        var answer = key.Sign(options);
        await RefusedAsync(other, answer, "another browser asked");
        using (var right = await one.PostAsync("/sign-in", "/sign-in?handler=Passkey", ("credential", answer)))
            Assert.That(right.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        using var again = new StaffBrowser(RunningCamino.AddressOf(_office));
        await OptionsAsync(again, "/sign-in");
        await RefusedAsync(again, answer, "the challenge was used");

        await RefusedAsync(again, key.Sign(await OptionsAsync(again, "/sign-in")).Replace("\"signature\":\"", "\"signature\":\"AA", StringComparison.Ordinal), "the signature is another one");
        await RefusedAsync(again, "{\"id\":", "no JSON");
        await RefusedAsync(again, new string('x', 20_000), "too long");
        key.IsVerified = false;
        await RefusedAsync(again, key.Sign(await OptionsAsync(again, "/sign-in")), "nobody showed a finger or a PIN");
        key.IsVerified = true;
        key.Count = 0;
        await RefusedAsync(again, key.Sign(await OptionsAsync(again, "/sign-in")), "the count goes back: it was copied");
        key.Count = 50;
        using (var right = await PassAsync(again, "/sign-in", key))
            Assert.That(right.StatusCode, Is.EqualTo(HttpStatusCode.Redirect), "All of that left the passkey alone.");
        await _camino.ScalarAsync<long>("with gone as (update camino.staff_passkey_challenges set expires_at = now() - interval '1 second' returning 1) select count(*) from gone");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_passkeys where user_id = (select id from camino.staff_users where email = '{user}') and last_used_at is not null"), Is.EqualTo(1));
    }

    [TestCase("https://camino.lender.example.evil.example", Host)]
    [TestCase("http://camino.lender.example", Host)]
    [TestCase(Address, "lender.example")]
    public async Task Neither_another_origin_nor_another_host_makes_or_uses_a_passkey(string origin, string host)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = new StaffBrowser(RunningCamino.AddressOf(_office));
        (await browser.SignInAsync(user)).Dispose();
        using var key = new SoftPasskey { Origin = origin, Host = host };

        Assert.That(await RegisterAsync(browser, key, "phish"), Does.Contain("does not fit"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_passkeys where user_id = (select id from camino.staff_users where email = '{user}')"), Is.Zero);
    }

    [Test]
    public async Task Where_no_address_is_configured_passkeys_are_offered_on_localhost_alone()
    {
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        Assert.That(await browser.PageAsync("/sign-in"), Does.Not.Contain("data-passkey"));
        using var refused = await AskAsync(browser, "/sign-in");
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));

        using var local = new StaffBrowser(new UriBuilder(_camino.OfficeAddress) { Host = "localhost" }.Uri);
        Assert.That(await local.PageAsync("/sign-in"), Does.Contain("data-passkey"));
        Assert.That(await OptionsAsync(local, "/sign-in"), Does.Contain("\"rpId\":\"localhost\"").And.Contain("\"userVerification\":\"required\""));
    }

    [Test]
    public async Task The_last_second_factor_of_somebody_who_needs_one_stays_and_any_other_goes_with_a_trace()
    {
        var officer = await AddAsync(StaffRoles.Officer);
        using var browser = new StaffBrowser(RunningCamino.AddressOf(_office));
        (await browser.SignInAsync(officer)).Dispose();
        using var first = new SoftPasskey { Origin = Address, Host = Host };
        using var second = new SoftPasskey { Origin = Address, Host = Host };
        await RegisterAsync(browser, first, "first");
        Assert.That(await RegisterAsync(browser, first, "first again"), Does.Contain("does not fit"), "A passkey is registered once.");
        Assert.That(await RegisterAsync(browser, second, "second"), Does.Not.Contain("shown only now"), "The recovery codes of before stay.");

        var ids = await PasskeysAsync(officer);
        (await browser.PostAsync("/second-factor", "/second-factor?handler=RemovePasskey", ("id", ids[0]))).Dispose();
        using var last = await browser.PostAsync("/second-factor", "/second-factor?handler=RemovePasskey", ("id", ids[1]));
        Assert.That(await last.Content.ReadAsStringAsync(), Does.Contain("the last one you have"));
        Assert.That(await PasskeysAsync(officer), Is.EqualTo((string[])[ids[1]]));
        Assert.That(await ActionsAsync(officer), Does.Contain("user.passkey_removed"));
        using var gone = new StaffBrowser(RunningCamino.AddressOf(_office));
        using var refused = await PassAsync(gone, "/sign-in", first);
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK), "What was removed opens nothing.");

        var viewer = await AddAsync(StaffRoles.Viewer);
        using var looks = new StaffBrowser(RunningCamino.AddressOf(_office));
        (await looks.SignInAsync(viewer)).Dispose();
        using var only = new SoftPasskey { Origin = Address, Host = Host };
        await RegisterAsync(looks, only, "only");
        var foreign = await looks.PostAsync("/second-factor", "/second-factor?handler=RemovePasskey", ("id", ids[1]));
        Assert.That(await foreign.Content.ReadAsStringAsync(), Does.Contain("no such passkey of yours"));
        foreign.Dispose();
        (await looks.PostAsync("/second-factor", "/second-factor?handler=RemovePasskey", ("id", (await PasskeysAsync(viewer))[0]))).Dispose();
        Assert.That(await PasskeysAsync(viewer), Is.Empty);
        Assert.That(await looks.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await _camino.ScalarAsync<bool>($"select two_factor_enabled from camino.staff_users where email = '{viewer}'"), Is.False);
    }

    [Test]
    public async Task A_browser_left_open_gives_nobody_a_passkey()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = new StaffBrowser(RunningCamino.AddressOf(_office));
        (await browser.SignInAsync(user)).Dispose();
        await _camino.ScalarAsync<long>($"with aged as (update camino.staff_sessions set begun_at = begun_at - interval '16 minutes' where user_id = (select id from camino.staff_users where email = '{user}') returning 1) select count(*) from aged");

        using var refused = await AskAsync(browser, "/second-factor");
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("15 minutes"));
    }

    [Test]
    public async Task Nobody_comes_in_by_a_passkey_who_is_disabled_or_whose_second_factor_was_taken_away()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = new StaffBrowser(RunningCamino.AddressOf(_office));
        (await browser.SignInAsync(user)).Dispose();
        using var key = new SoftPasskey { Origin = Address, Host = Host };
        await RegisterAsync(browser, key, "key");
        var id = await _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{user}'");
        await using var scope = _office.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<DisableStaff>().DisableAsync(id, "left the house", new StaffActor(null, "test"), CancellationToken.None);
        using var thief = new StaffBrowser(RunningCamino.AddressOf(_office));
        using (var refused = await PassAsync(thief, "/sign-in", key))
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("was not accepted"));

        await using var again = _office.Services.CreateAsyncScope();
        await again.ServiceProvider.GetRequiredService<DisableStaff>().EnableAsync(id, "is back", new StaffActor(null, "test"), CancellationToken.None);
        await again.ServiceProvider.GetRequiredService<SecondFactors>().ResetAsync(id, "phone was stolen", new StaffActor(null, "test"), CancellationToken.None);
        using (var refused = await PassAsync(thief, "/sign-in", key))
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await PasskeysAsync(user), Is.Empty);
    }

    private async Task<string> AddAsync(string role)
    {
        var email = $"passkey-{_people++}@example.com";
        await _camino.AddStaffAsync(email, role, "Pat");
        return email;
    }

    private static async Task<HttpResponseMessage> AskAsync(StaffBrowser browser, string page)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(page + "?handler=PasskeyOptions", UriKind.Relative));
        request.Headers.Add("X-CSRF-Token", await browser.TokenAsync(page));
        return await browser.Client.SendAsync(request);
    }

    private static async Task<string> OptionsAsync(StaffBrowser browser, string page)
    {
        using var answer = await AskAsync(browser, page);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), text);
        return text;
    }

    private static async Task<string> RegisterAsync(StaffBrowser browser, SoftPasskey key, string name)
    {
        var made = key.Create(await OptionsAsync(browser, "/second-factor"));
        using var answer = await browser.PostAsync("/second-factor", "/second-factor?handler=Passkey", ("name", name), ("credential", made));
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<HttpResponseMessage> PassAsync(StaffBrowser browser, string page, SoftPasskey key, params (string, string)[] fields) =>
        await browser.PostAsync(page, page + "?handler=Passkey", [("credential", key.Sign(await OptionsAsync(browser, page))), .. fields]);

    private static async Task RefusedAsync(StaffBrowser browser, string answer, string why)
    {
        using var refused = await browser.PostAsync("/sign-in", "/sign-in?handler=Passkey", ("credential", answer));
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK), why);
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("was not accepted"), why);
        Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"), why);
    }

    private async Task<string[]> PasskeysAsync(string user) => await _camino.ScalarAsync<string[]>($"select array(select id::text from camino.staff_passkeys where user_id = (select id from camino.staff_users where email = '{user}') order by id)") ?? [];

    private async Task<string[]> ActionsAsync(string user) => await _camino.ScalarAsync<string[]>($"select array(select action from camino.audit_entries where subject_id = (select id::text from camino.staff_users where email = '{user}'))") ?? [];
}
