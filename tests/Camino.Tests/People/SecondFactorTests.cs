using System.Net;
using System.Text;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.People;
using Camino.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>Who moves money shows a code of a phone besides the password, and does nothing before the phone is known.</summary>
internal sealed class SecondFactorTests
{
    private RunningCamino _camino = null!;
    private int _people;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false, secondFactor: SecondFactorMode.Required);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase(StaffRoles.Viewer, false)]
    [TestCase(StaffRoles.Officer, true)]
    [TestCase(StaffRoles.Underwriter, true)]
    [TestCase(StaffRoles.Servicing, true)]
    [TestCase(StaffRoles.Collections, true)]
    [TestCase(StaffRoles.Accountant, true)]
    [TestCase(StaffRoles.Administrator, true)]
    public async Task Every_role_that_moves_money_sets_a_second_factor_up_before_anything_else(string role, bool must)
    {
        Assert.That(SecondFactorPolicy.MovesMoney(role), Is.EqualTo(must));
        var user = await AddAsync(role);
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync(user)).Dispose();
        if (!must)
        {
            Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
            return;
        }

        Assert.That(await browser.LeadsToAsync("/"), Is.EqualTo("/second-factor"));
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/second-factor"));
        Assert.That(await browser.LeadsToAsync("/loans/export.csv"), Is.EqualTo("/second-factor"));
        using var sent = await browser.PostAsync("/second-factor", "/imports/upload");
        Assert.That(sent.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));

        await browser.SetSecondFactorUpAsync();
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "The session goes on with its roles.");
    }

    [Test]
    public async Task The_password_alone_opens_nothing_and_a_code_opens_once()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = await SetUpAsync(user);
        using var thief = new StaffBrowser(_camino.OfficeAddress);
        using var half = await thief.SignInAsync(user);
        Assert.That(half.Headers.Location?.ToString(), Does.StartWith("/sign-in/code"));
        Assert.That(await thief.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var wrong = await thief.PostAsync("/sign-in/code", "/sign-in/code", ("Code", "000000"));
        Assert.That(wrong.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await thief.LeadsToAsync("/loans"), Does.Contain("/sign-in"));

        using var phone = new StaffBrowser(_camino.OfficeAddress) { Key = browser.Key };
        (await phone.SignInAsync(user)).Dispose();
        var code = await ForgetStepAsync(user, phone);
        using var right = await phone.PostAsync("/sign-in/code", "/sign-in/code?ReturnUrl=/loans", ("Code", code), ("ReturnUrl", "/loans"));
        Assert.That(right.Headers.Location?.ToString(), Is.EqualTo("/loans"));
        Assert.That(await phone.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        using var again = await thief.PostAsync("/sign-in/code", "/sign-in/code", ("Code", code));
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.OK), "The code was used, whoever saw it.");
        Assert.That(await thief.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
    }

    [Test]
    public async Task A_recovery_code_stands_in_for_the_phone_once_and_is_stored_as_a_hash_only()
    {
        var user = await AddAsync(StaffRoles.Servicing);
        using var browser = await SetUpAsync(user);
        Assert.That(browser.RecoveryCodes, Has.Count.EqualTo(SecondFactors.Codes).And.Unique.And.All.Match("^[a-z2-9]{4}(-[a-z2-9]{4}){5}$"));
        var code = browser.RecoveryCodes[0];

        using var first = new StaffBrowser(_camino.OfficeAddress);
        (await first.SignInAsync(user)).Dispose();
        using var passed = await first.PostAsync("/sign-in/code", "/sign-in/code", ("Code", code.ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal)));
        Assert.That(passed.Headers.Location?.ToString(), Is.EqualTo("/"));
        Assert.That(await first.PageAsync("/second-factor"), Does.Contain("9 recovery codes are left"));

        using var second = new StaffBrowser(_camino.OfficeAddress);
        (await second.SignInAsync(user)).Dispose();
        using var refused = await second.PostAsync("/sign-in/code", "/sign-in/code", ("Code", code));
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.staff_recovery_codes where length(hash) <> 32"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_second_factors where key like '%{browser.Key}%' or length(key) < 80"), Is.Zero, "Keys are stored encrypted.");

        await ForgetStepAsync(user, browser);
        using var renewed = await first.PostAsync("/second-factor", "/second-factor?handler=Codes", ("code", Totp.Code(FromBase32(browser.Key), Totp.StepOf(DateTimeOffset.UtcNow))));
        Assert.That(await renewed.Content.ReadAsStringAsync(), Does.Contain("shown only now"));
        using var old = await second.PostAsync("/sign-in/code", "/sign-in/code", ("Code", browser.RecoveryCodes[1]));
        Assert.That(old.StatusCode, Is.EqualTo(HttpStatusCode.OK), "Renewed: those before are useless.");
    }

    [Test]
    public async Task Wrong_codes_lock_the_sign_in_like_wrong_passwords()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = await SetUpAsync(user);
        using var thief = new StaffBrowser(_camino.OfficeAddress);
        (await thief.SignInAsync(user)).Dispose();
        for (var i = 0; i < 5; i++)
            (await thief.PostAsync("/sign-in/code", "/sign-in/code", ("Code", "123123"))).Dispose();

        using var right = await thief.PostAsync("/sign-in/code", "/sign-in/code", ("Code", browser.RecoveryCodes[0]));

        Assert.That(right.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await thief.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "Who is in stays in.");
    }

    [Test]
    public async Task Two_people_take_a_lost_second_factor_away_with_a_reason_and_it_is_set_up_anew()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = await SetUpAsync(user);
        using var admin = await SetUpAsync(await AddAsync(StaffRoles.Administrator));
        var id = await _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{user}'");
        using var asked = await admin.PostAsync($"/people/{id}", $"/people/{id}?handler=Reset", ("reason", "phone was stolen"));
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "One administrator alone takes nothing away.");
        var request = $"/approvals/{(asked.Headers.Location?.ToString() ?? "")[^36..]}";
        using var alone = await admin.PostAsync("/", request + "?handler=Approve");
        Assert.That(await alone.Content.ReadAsStringAsync(), Does.Contain("You asked for this yourself"));
        using var second = await SetUpAsync(await AddAsync(StaffRoles.Administrator));
        Assert.That(await second.PageAsync(request), Does.Contain("Take the second factor away from Pat").And.Contain("phone was stolen"));
        using var approved = await second.PostAsync(request, request + "?handler=Approve");
        Assert.That(approved.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));

        Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var again = new StaffBrowser(_camino.OfficeAddress);
        (await again.SignInAsync(user)).Dispose();
        Assert.That(await again.LeadsToAsync("/loans"), Is.EqualTo("/second-factor"));
        Assert.That(await _camino.ScalarAsync<string>($"select details from camino.audit_entries where subject_id = '{id}' and action = 'user.second_factor_reset'"), Does.Contain("phone was stolen"));
    }

    [Test]
    public async Task A_second_factor_that_was_set_up_after_the_request_is_left_alone()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = await SetUpAsync(user);
        using var admin = await SetUpAsync(await AddAsync(StaffRoles.Administrator));
        using var second = await SetUpAsync(await AddAsync(StaffRoles.Administrator));
        var id = await _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{user}'");
        using var asked = await admin.PostAsync($"/people/{id}", $"/people/{id}?handler=Reset", ("reason", "phone was stolen"));
        var request = $"/approvals/{(asked.Headers.Location?.ToString() ?? "")[^36..]}";
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<SecondFactors>().ResetAsync(id, "the operator was faster", new StaffActor(null, "operator"), CancellationToken.None);
        using var anew = await SetUpAsync(user);

        (await second.PostAsync(request, request + "?handler=Approve")).Dispose();

        Assert.That(await second.PageAsync(request), Does.Contain("set up after this was asked for"));
        Assert.That(await anew.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
    }

    [Test]
    public async Task No_way_around_the_code_begins_a_session_for_whoever_has_one()
    {
        var user = await AddAsync(StaffRoles.Officer);
        using var browser = await SetUpAsync(user);
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var found = await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.SingleAsync(one => one.Email == user);
        var begin = scope.ServiceProvider.GetRequiredService<BeginSession>();

        Assert.That(
            async () => await begin.RunAsync(found.Id, found.SecurityStamp ?? "", "", "", null, hasSecondFactor: false, company: null, CancellationToken.None),
            Throws.InstanceOf<Lending.RefusedException>().With.Property("Code").EqualTo("session.refused"));
    }

    [Test]
    public async Task Where_it_is_optional_nobody_is_stopped_and_whoever_set_one_up_is_asked()
    {
        await using var demo = await RunningCamino.StartAsync(withAsync: false);
        using var officer = new StaffBrowser(demo.OfficeAddress);
        (await officer.SignInAsync("officer")).Dispose();
        Assert.That(await officer.LeadsToAsync("/loans"), Is.EqualTo("/loans"));

        await officer.SetSecondFactorUpAsync();
        using var again = new StaffBrowser(demo.OfficeAddress);
        using var half = await again.SignInAsync("officer");
        Assert.That(half.Headers.Location?.ToString(), Does.StartWith("/sign-in/code"));
    }

    [Test]
    public async Task Where_everybody_needs_one_a_viewer_sets_it_up_too_and_a_browser_left_open_gives_nobody_one()
    {
        await using var office = await _camino.StartSecondOfficeAsync(change: settings => settings.SignIn.SecondFactor = SecondFactorMode.Everybody);
        var user = await AddAsync(StaffRoles.Viewer);
        using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
        (await browser.SignInAsync(user)).Dispose();
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/second-factor"));

        await _camino.ScalarAsync<long>($"with aged as (update camino.staff_sessions set begun_at = begun_at - interval '16 minutes' where user_id = (select id from camino.staff_users where email = '{user}') returning 1) select count(*) from aged");
        using var late = await browser.PostAsync("/second-factor", "/second-factor?handler=Begin");
        Assert.That(await late.Content.ReadAsStringAsync(), Does.Contain("more than 15 minutes ago"));

        using var again = new StaffBrowser(RunningCamino.AddressOf(office));
        (await again.SignInAsync(user)).Dispose();
        (await again.PostAsync("/second-factor", "/second-factor?handler=Begin")).Dispose();
        Assert.That(await again.PageAsync("/second-factor"), Does.Contain("data-key"));
        Assert.That(await browser.PageAsync("/second-factor"), Does.Not.Contain("data-key"), "the older session copies nothing of it");
        using var stolen = await browser.PostAsync("/second-factor", "/second-factor?handler=Confirm", ("code", "123456"));
        Assert.That(await stolen.Content.ReadAsStringAsync(), Does.Contain("more than 15 minutes ago"));
        await again.SetSecondFactorUpAsync();
        Assert.That(await again.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
    }

    /// <remarks>Source: RFC 6238, appendix B, SHA-1; the last six of its eight digits.</remarks>
    [TestCase(59, "287082")]
    [TestCase(1111111109, "081804")]
    [TestCase(1111111111, "050471")]
    [TestCase(1234567890, "005924")]
    [TestCase(2000000000, "279037")]
    [TestCase(20000000000, "353130")]
    public void Codes_are_those_of_the_standard(long seconds, string code) =>
        Assert.That(Totp.Code(Encoding.ASCII.GetBytes("12345678901234567890"), Totp.StepOf(DateTimeOffset.FromUnixTimeSeconds(seconds))), Is.EqualTo(code));

    [Test]
    public void A_phone_whose_clock_is_half_a_minute_off_passes_and_more_does_not()
    {
        var key = Encoding.ASCII.GetBytes("12345678901234567890");
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var step = Totp.StepOf(now);

        Assert.That(Enumerable.Range(-3, 7).Where(off => Totp.StepOf(key, Totp.Code(key, step + off), now) == step + off), Is.EqualTo((int[])[-1, 0, 1]));
        Assert.That(Totp.StepOf(key, "", now), Is.Null);
        Assert.That(Totp.Base32(Encoding.ASCII.GetBytes("12345678901234567890")), Is.EqualTo("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    }

    private async Task<string> AddAsync(string role)
    {
        var email = $"factor-{_people++}@example.com";
        await _camino.AddStaffAsync(email, role, "Pat");
        return email;
    }

    private async Task<StaffBrowser> SetUpAsync(string user)
    {
        var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync(user)).Dispose();
        await browser.SetSecondFactorUpAsync();
        return browser;
    }

    /// <summary>As if the code before had been given long ago, so that no test waits for the next one.</summary>
    private async Task<string> ForgetStepAsync(string user, StaffBrowser browser)
    {
        await _camino.ScalarAsync<long>($"with forgotten as (update camino.staff_second_factors set last_step = 0 where user_id = (select id from camino.staff_users where email = '{user}') returning 1) select count(*) from forgotten");
        return Totp.Code(FromBase32(browser.Key), Totp.StepOf(DateTimeOffset.UtcNow));
    }

    private static byte[] FromBase32(string? text) => StaffBrowser.FromBase32(text ?? "");
}
