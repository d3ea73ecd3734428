using System.Net;
using System.Text.Json.Nodes;
using Camino.Host.Configuration;
using Camino.Lending;
using Camino.People;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>Sign-in at the company's identity provider, with a provider on this machine that signs real tokens, rightly and wrongly.</summary>
internal sealed class CompanySignInTests
{
    private RunningCamino _camino = null!;
    private StubProvider _provider = null!;
    private WebApplication _office = null!;
    private int _people;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false, secondFactor: SecondFactorMode.Required);
        _provider = await StubProvider.StartAsync();
        _office = await OfficeAsync(_ => { });
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _office.StopAsync();
        await _office.DisposeAsync();
        await _provider.DisposeAsync();
        await _camino.DisposeAsync();
    }

    [SetUp]
    public void SayRightThings()
    {
        (_provider.Person, _provider.UserInfo, _provider.Spoil) = ([], [], _ => { });
        (_provider.Algorithm, _provider.SignsByAnotherKey, _provider.Error, _provider.BreaksOff) = ("RS256", false, null, false);
    }

    [TearDown]
    public void SayWhatWasLogged()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Failed)
            TestContext.Out.WriteLine(string.Join('\n', _camino.LogLines.Where(line => line.Contains("identity provider", StringComparison.Ordinal)).TakeLast(5)));
    }

    [Test]
    public async Task Somebody_who_is_there_comes_in_by_a_verified_email_once_and_by_the_subject_from_then_on()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("subject-1", user);
        using var browser = Browser();
        Assert.That(await browser.PageAsync("/sign-in"), Does.Contain("/sign-in/company").And.Contain("The House"));
        Assert.That(await ComeInAsync(browser, "/loans?state=TX"), Is.EqualTo("/loans?state=TX"));
        Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await browser.PageAsync("/sessions"), Does.Contain("by The House"));
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        Assert.That((await scope.ServiceProvider.GetRequiredService<ListStaff>().OneAsync(await IdAsync(user), CancellationToken.None))?.IsLinked, Is.True);

        _provider.Person = Person("subject-1", "renamed@elsewhere.example");
        using var later = Browser();
        Assert.That(await ComeInAsync(later), Is.EqualTo("/"));
        _provider.Person = Person("subject-2", user);
        using var other = Browser();
        Assert.That(await ComeInAsync(other), Does.Contain("Company=unknown"), "Whoever got the e-mail later is somebody else.");
        Assert.That(await ActionsAsync(user), Is.EqualTo((string[])["user.login_linked", "session.begun", "session.begun", "session.refused"]));
        Assert.That(await DetailsAsync(user, "session.begun"), Does.Contain("\"how\": \"company\"").And.Contain("\"secondFactor\": false"));
        Assert.That(await DetailsAsync(user, "session.refused"), Does.Contain("another_subject"));

        using var left = await later.PostAsync("/loans", "/sign-out");
        Assert.That(left.Headers.Location?.ToString(), Is.EqualTo("/sign-in?Company=left"));
        Assert.That(await later.PageAsync("/sign-in?Company=left"), Does.Contain("/sign-in/company?handler=SignOut").And.Contain("/sign-in/company?Anew=true"));
        Assert.That(await later.LeadsToAsync("/sign-in/company?handler=SignOut"), Does.StartWith(_provider.Issuer + "/leave?client_id=camino&post_logout_redirect_uri=http"));
    }

    [TestCase("nobody here has the e-mail", "unknown@elsewhere.example", "true")]
    [TestCase("the e-mail is not verified", null, "false")]
    [TestCase("nothing is said about the e-mail", null, null)]
    public async Task Nobody_is_added_and_an_email_that_is_not_verified_is_nobodys(string why, string? email, string? verified)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        var before = await _camino.ScalarAsync<long>("select count(*) from camino.staff_users");
        _provider.Person = Person("subject-" + Guid.NewGuid(), email ?? user);
        _provider.Person["email_verified"] = verified is null ? null : bool.Parse(verified);
        _provider.Person["roles"] = new JsonArray("administrator");
        _provider.Person["groups"] = new JsonArray("administrator", "lenders");
        using var browser = Browser();

        Assert.That(await ComeInAsync(browser), Does.Contain("Company=unknown"), why);
        Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await browser.PageAsync("/sign-in?Company=unknown"), Does.Contain("knows you"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.staff_users"), Is.EqualTo(before));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_user_logins where user_id = (select id from camino.staff_users where email = '{user}')"), Is.Zero);
    }

    [TestCase("nonce", "refused")]
    [TestCase("no nonce", "refused")]
    [TestCase("audience", "refused")]
    [TestCase("expired", "clock")]
    [TestCase("not valid yet", "clock")]
    [TestCase("no expiry", "clock")]
    [TestCase("issuer", "refused")]
    [TestCase("none", "refused")]
    [TestCase("no signature", "refused")]
    [TestCase("shared secret", "refused")]
    [TestCase("another key", "refused")]
    [TestCase("no subject", "refused")]
    public async Task A_token_that_is_not_right_in_every_part_opens_nothing(string wrong, string said)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        var subject = "subject-" + Guid.NewGuid();
        _provider.Person = Person(subject, user);
        _provider.Algorithm = wrong switch { "none" => "none", "no signature" => "RS256 without", "shared secret" => "HS256", _ => "RS256" };
        _provider.SignsByAnotherKey = wrong == "another key";
        var now = DateTimeOffset.UtcNow;
        _provider.Spoil = claims =>
        {
            switch (wrong)
            {
                case "nonce":
                    claims["nonce"] = "another one";
                    break;
                case "no nonce":
                    claims.Remove("nonce");
                    break;
                case "audience":
                    claims["aud"] = "another client";
                    break;
                case "expired":
                    (claims["iat"], claims["exp"]) = (now.AddHours(-2).ToUnixTimeSeconds(), now.AddMinutes(-2).ToUnixTimeSeconds());
                    break;
                case "not valid yet":
                    (claims["nbf"], claims["exp"]) = (now.AddMinutes(5).ToUnixTimeSeconds(), now.AddMinutes(10).ToUnixTimeSeconds());
                    break;
                case "no expiry":
                    claims.Remove("exp");
                    break;
                case "issuer":
                    claims["iss"] = "https://evil.example";
                    break;
                case "no subject":
                    claims.Remove("sub");
                    break;
                default:
                    break;
            }
        };
        using var browser = Browser();

        Assert.That(await ComeInAsync(browser), wrong == "no expiry" ? Does.Match("Company=(clock|refused)") : Does.Contain("Company=" + said), wrong);
        Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"), wrong);
        Assert.That(await ActionsAsync(user), Is.Empty);
        Assert.That(string.Join('\n', _camino.LogLines), Does.Not.Contain(subject).And.Not.Contain(user).And.Not.Contain("eyJ"), "The log names nobody and holds no token.");
    }

    [Test]
    public async Task An_answer_counts_once_and_only_in_the_browser_that_asked()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("subject-" + Guid.NewGuid(), user);
        using var browser = Browser();
        using var stranger = Browser();
        await stranger.LeadsToAsync("/sign-in/company");
        var back = await BackAsync(browser, "/sign-in/company");
        var before = _provider.WrongCodes;

        Assert.That(await stranger.LeadsToAsync(back), Does.Contain("Company=late"), "Another browser asked.");
        using var thief = browser.Copy();
        Assert.That(await browser.LeadsToAsync(back), Does.Contain("handler=Done"));
        Assert.That(await browser.LeadsToAsync(back), Does.Contain("Company=late"), "The answer was used.");
        Assert.That(_provider.WrongCodes, Is.EqualTo(before), "Neither got as far as the provider.");
        Assert.That(await thief.LeadsToAsync(back), Does.Contain("Company=refused"), "With stolen cookies the code itself counts once.");
        Assert.That(_provider.WrongCodes, Is.EqualTo(before + 1));
        Assert.That(await thief.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await browser.LeadsToAsync("/sign-in/company/callback?code=guessed&state=guessed"), Does.Contain("Company=late"));
        Assert.That(await browser.LeadsToAsync("/sign-in/company/callback"), Does.Contain("Company="));
        Assert.That(await stranger.LeadsToAsync("/sign-in/company?handler=Done"), Does.Contain("Company=late"), "Nobody was vouched for.");
    }

    [TestCase("https://evil.example/")]
    [TestCase("//evil.example/")]
    [TestCase("/\\evil.example/")]
    public async Task Nobody_is_led_to_another_site_afterwards(string evil)
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("subject-" + Guid.NewGuid(), user);
        using var browser = Browser();

        Assert.That(await ComeInAsync(browser, evil), Is.EqualTo("/"));
        Assert.That(await browser.LeadsToAsync("/sign-in/company?handler=Done&ReturnUrl=" + Uri.EscapeDataString(evil)), Is.EqualTo("/sign-in?Company=late"));
        using var again = Browser();
        var back = await BackAsync(again, "/sign-in/company");
        Assert.That(await again.LeadsToAsync(back + "&ReturnUrl=" + Uri.EscapeDataString(evil)), Does.StartWith("/sign-in/company?handler=Done"));
    }

    [Test]
    public async Task Whoever_is_disabled_stays_out_and_whoever_is_disabled_later_is_out_at_once()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("subject-" + Guid.NewGuid(), user);
        using var first = Browser();
        Assert.That(await ComeInAsync(first), Is.EqualTo("/"));
        await using var scope = _office.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<DisableStaff>().DisableAsync(await IdAsync(user), "left the house", new StaffActor(null, "test"), CancellationToken.None);

        Assert.That(await first.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var again = Browser();
        Assert.That(await ComeInAsync(again), Does.Contain("Company=unknown"));
        Assert.That(await DetailsAsync(user, "session.refused"), Does.Contain("disabled"));

        var never = await AddAsync(StaffRoles.Viewer);
        await using var another = _office.Services.CreateAsyncScope();
        await another.ServiceProvider.GetRequiredService<DisableStaff>().DisableAsync(await IdAsync(never), "left the house", new StaffActor(null, "test"), CancellationToken.None);
        _provider.Person = Person("subject-" + Guid.NewGuid(), never);
        using var late = Browser();
        Assert.That(await ComeInAsync(late), Does.Contain("Company=unknown"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_user_logins where user_id = '{await IdAsync(never)}'"), Is.Zero);
    }

    [Test]
    public async Task The_providers_second_factor_counts_where_the_configuration_says_so_and_ones_own_is_asked_otherwise()
    {
        var officer = await AddAsync(StaffRoles.Officer);
        _provider.Person = Person("subject-" + Guid.NewGuid(), officer);
        using (var alone = Browser())
        {
            Assert.That(await ComeInAsync(alone), Is.EqualTo("/"));
            Assert.That(await alone.LeadsToAsync("/loans"), Is.EqualTo("/second-factor"), "One factor of the provider is one factor.");
        }

        _provider.Person["amr"] = new JsonArray("pwd", "mfa");
        using (var both = Browser())
        {
            Assert.That(await ComeInAsync(both), Is.EqualTo("/"));
            Assert.That(await both.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
            _provider.Person.Remove("amr");
        }

        using var own = Browser();
        await ComeInAsync(own);
        await own.SetSecondFactorUpAsync();
        Assert.That(await own.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        using var left = await own.PostAsync("/loans", "/sign-out");
        Assert.That(left.Headers.Location?.ToString(), Does.Contain("Company=left"), "The session that follows the set-up is the provider's still.");

        using var asked = Browser();
        Assert.That(await ComeInAsync(asked, "/loans"), Does.StartWith("/sign-in/code"));
        Assert.That(await asked.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var wrong = await asked.PostAsync("/sign-in/code", "/sign-in/code", ("Code", "000000"));
        Assert.That(await asked.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        using var passed = await asked.PostAsync("/sign-in/code", "/sign-in/code", ("Code", own.RecoveryCodes[0]), ("ReturnUrl", "/loans"));
        Assert.That(passed.Headers.Location?.ToString(), Is.EqualTo("/loans"));
        Assert.That(await asked.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await DetailsAsync(officer, "session.begun"), Does.Contain("\"how\": \"company\"").And.Contain("\"secondFactor\": true"));
        _provider.Person["acr"] = "mfa";
        using var spared = Browser();
        Assert.That(await ComeInAsync(spared, "/loans"), Is.EqualTo("/loans"));
    }

    [Test]
    public async Task A_session_that_began_without_anybody_being_asked_gives_nobody_a_passkey_and_one_that_did_does()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("subject-" + Guid.NewGuid(), user);
        var office = await OfficeAsync(settings => settings.SignIn.Address = "https://camino.lender.example");
        await using (office)
        {
            foreach (var (minutes, status) in ((int?, HttpStatusCode)[])[(null, HttpStatusCode.UnprocessableEntity), (60, HttpStatusCode.UnprocessableEntity), (1, HttpStatusCode.OK)])
            {
                _provider.Person["auth_time"] = minutes is { } ago ? DateTimeOffset.UtcNow.AddMinutes(-ago).ToUnixTimeSeconds() : null;
                using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
                Assert.That(await ComeInAsync(browser), Is.EqualTo("/"));
                using var asked = await browser.PostAsync("/second-factor", "/second-factor?handler=PasskeyOptions");
                Assert.That(asked.StatusCode, Is.EqualTo(status), $"{minutes}");
            }

            await office.StopAsync();
        }

        using var anew = Browser();
        await BackAsync(anew, "/sign-in/company?Anew=true");
        Assert.That((_provider.LastAsked["prompt"], _provider.LastAsked["max_age"]), Is.EqualTo(("login", "0")));
    }

    [Test]
    public async Task The_provider_ends_the_sessions_that_it_began_by_a_token_that_it_signed_and_no_others()
    {
        var user = await AddAsync(StaffRoles.Viewer, RunningCamino.Password);
        var subject = "subject-" + Guid.NewGuid();
        var (here, there, byPassword) = (Browser(), Browser(), Browser());
        _provider.Person = Person(subject, user);
        _provider.Person["sid"] = "here-" + subject;
        Assert.That(await ComeInAsync(here), Is.EqualTo("/"));
        _provider.Person["sid"] = "there-" + subject;
        Assert.That(await ComeInAsync(there), Is.EqualTo("/"));
        (await byPassword.SignInAsync(user)).Dispose();

        foreach (var (why, token) in WrongLogoutTokens(subject))
            Assert.That(await EndAsync(token), Is.EqualTo(HttpStatusCode.BadRequest), why);
        _provider.Algorithm = "none";
        Assert.That(await EndAsync(_provider.LogoutToken(subject, null)), Is.EqualTo(HttpStatusCode.BadRequest));
        _provider.Algorithm = "HS256";
        Assert.That(await EndAsync(_provider.LogoutToken(subject, null)), Is.EqualTo(HttpStatusCode.BadRequest));
        _provider.Algorithm = "RS256";
        Assert.That(await EndAsync(_provider.LogoutToken(subject, null, claims => claims["iat"] = DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds())), Is.EqualTo(HttpStatusCode.OK));
        foreach (var browser in (StaffBrowser[])[here, there, byPassword])
            Assert.That(await browser.LeadsToAsync("/loans"), Is.EqualTo("/loans"), "What began after the token was signed stays.");

        Assert.That(await EndAsync(_provider.LogoutToken(subject, "here-" + subject)), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await here.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await there.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That(await EndAsync(_provider.LogoutToken(subject, null)), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await there.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        Assert.That(await byPassword.LeadsToAsync("/loans"), Is.EqualTo("/loans"));
        Assert.That((await ActionsAsync(user) ?? []).Count(action => action == "session.ended"), Is.EqualTo(2));
        Assert.That(await DetailsAsync(user, "session.ended"), Does.Contain("company"));
        Assert.That(await EndAsync(_provider.LogoutToken("nobody", null)), Is.EqualTo(HttpStatusCode.OK), "Nothing to end is no fault.");
        using var plain = new StaffBrowser(_camino.OfficeAddress);
        using var form = new FormUrlEncodedContent([new("logout_token", _provider.LogoutToken(subject, null))]);
        using var without = await plain.Client.PostAsync(new Uri(EndCompanySessions.Path, UriKind.Relative), form);
        Assert.That(without.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), "Without a provider nobody says so.");
        here.Dispose();
        there.Dispose();
        byPassword.Dispose();
    }

    [Test]
    public async Task Keys_that_the_provider_changes_are_found_by_the_first_sign_in_after_it()
    {
        await using var provider = await StubProvider.StartAsync();
        var user = await AddAsync(StaffRoles.Viewer);
        provider.Person = Person("subject-" + Guid.NewGuid(), user);
        var office = await OfficeAsync(settings => settings.SignIn.Provider.Authority = provider.Issuer);
        await using (office)
        {
            using var before = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(before), Is.EqualTo("/"));
            provider.Rotate();
            using var after = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(after), Is.EqualTo("/"));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task While_the_provider_is_away_a_calm_page_says_so_the_password_works_and_it_is_found_again()
    {
        var gone = await StubProvider.StartAsync();
        var address = gone.Issuer;
        await gone.DisposeAsync();
        var office = await OfficeAsync(settings => settings.SignIn.Provider.Authority = address);
        await using (office)
        {
            using var viewer = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await viewer.LeadsToAsync("/sign-in/company?ReturnUrl=/loans"), Is.EqualTo("/sign-in?Company=away&ReturnUrl=%2Floans"));
            Assert.That(await viewer.PageAsync("/sign-in?Company=away&ReturnUrl=%2Floans"), Does.Contain("cannot be reached").And.Contain("name=\"Password\""));
            using var signedIn = await viewer.SignInAsync("viewer");
            Assert.That(signedIn.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));

            await using var back = await StubProvider.StartAsync(new Uri(address).Port);
            var user = await AddAsync(StaffRoles.Viewer);
            back.Person = Person("subject-" + Guid.NewGuid(), user);
            using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(browser), Is.EqualTo("/"));
            back.BreaksOff = true;
            using var halfWay = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(halfWay), Does.Contain("Company=away"));
            await office.StopAsync();
        }
    }

    [TestCase("access_denied", "denied")]
    [TestCase("server_error", "refused")]
    public async Task What_the_provider_says_instead_of_a_code_is_told_without_its_words(string error, string said)
    {
        _provider.Error = error;
        using var browser = Browser();

        Assert.That(await ComeInAsync(browser), Is.EqualTo("/sign-in?Company=" + said));
        foreach (var word in (string[])["away", "refused", "late", "clock", "denied", "unknown"])
            Assert.That(await browser.PageAsync("/sign-in?Company=" + word), Does.Contain("The House").And.Contain("role=\"alert\"").And.Not.Contain("told to nobody"), word);
        Assert.That(await browser.PageAsync("/sign-in?Company=%3Cb%3E"), Does.Not.Contain("role=\"alert\""));
        Assert.That(string.Join('\n', _camino.LogLines), Does.Not.Contain("told to nobody"));
    }

    [Test]
    public async Task Nothing_is_asked_of_the_provider_before_somebody_presses_the_button()
    {
        await using var provider = await StubProvider.StartAsync();
        var office = await OfficeAsync(settings => settings.SignIn.Provider.Authority = provider.Issuer);
        await using (office)
        {
            using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
            await browser.PageAsync("/sign-in");
            Assert.That(provider.Asked, Is.Zero);
            await browser.LeadsToAsync("/sign-in/company");
            Assert.That(provider.Asked, Is.GreaterThan(0));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task A_provider_whose_description_names_another_issuer_is_nobodys()
    {
        var office = await OfficeAsync(settings => settings.SignIn.Provider.Authority = _provider.Issuer.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        await using (office)
        {
            using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await browser.LeadsToAsync("/sign-in/company"), Is.EqualTo("/sign-in?Company=away"));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task Where_passwords_are_closed_neither_they_nor_passkeys_open_anything_but_for_one_administrator()
    {
        var office = await OfficeAsync(settings => (settings.SignIn.Provider.LocalSignIn, settings.SignIn.Provider.LocalAdministrator, settings.SignIn.Address) = (false, "admin@demo.camino.example", "https://camino.lender.example"));
        await using (office)
        {
            using var viewer = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await viewer.PageAsync("/sign-in"), Does.Contain("/sign-in/company").And.Contain("Local=true").And.Not.Contain("name=\"Password\"").And.Not.Contain("data-passkey"));
            Assert.That(await viewer.PageAsync("/sign-in?Local=true"), Does.Contain("name=\"Password\"").And.Not.Contain("data-passkey"));
            using var refused = await viewer.PostAsync("/sign-in?Local=true", "/sign-in", ("Email", "viewer@demo.camino.example"), ("Password", RunningCamino.Password), ("Local", "true"));
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(await viewer.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
            using var options = await viewer.PostAsync("/sign-in?Local=true", "/sign-in?handler=PasskeyOptions");
            Assert.That(options.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
            var user = await AddAsync(StaffRoles.Viewer);
            _provider.Person = Person("subject-" + Guid.NewGuid(), user);
            Assert.That(await ComeInAsync(viewer), Is.EqualTo("/"));

            var other = await AddAsync(StaffRoles.Administrator);
            using var admin = new StaffBrowser(RunningCamino.AddressOf(office));
            using var signedIn = await admin.PostAsync("/sign-in?Local=true", "/sign-in", ("Email", "Admin@demo.camino.example"), ("Password", RunningCamino.Password), ("Local", "true"));
            Assert.That(signedIn.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
            Assert.That(await admin.LeadsToAsync("/people"), Is.EqualTo("/second-factor"), "The way in for one needs a second factor like every other.");
            Assert.That(await DetailsAsync("admin@demo.camino.example", "session.begun"), Does.Contain("local-administrator"));
            Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.notices where user_id = '{await IdAsync(other)}' and text = 'Notice.LocalAdministrator'"), Is.EqualTo(1));
            await office.StopAsync();
        }
    }

    [TestCase(null)]
    [TestCase("viewer@demo.camino.example")]
    public async Task The_way_in_for_one_is_for_an_administrator_whom_the_configuration_names(string? named)
    {
        var office = await OfficeAsync(settings => (settings.SignIn.Provider.LocalSignIn, settings.SignIn.Provider.LocalAdministrator) = (false, named));
        await using (office)
        {
            foreach (var user in (string[])["viewer", "admin"])
            {
                using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
                using var refused = await browser.PostAsync("/sign-in", "/sign-in", ("Email", user + "@demo.camino.example"), ("Password", RunningCamino.Password), ("Local", "true"));
                Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.OK));
                Assert.That(await browser.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
            }

            await office.StopAsync();
        }
    }

    [Test]
    public async Task Somebody_new_is_added_with_the_roles_of_the_groups_once_and_groups_change_nothing_later()
    {
        var office = await OfficeAsync(settings =>
        {
            (settings.SignIn.Provider.AddPeople, settings.SignIn.Provider.Groups) = (true, [new() { Group = "lenders", Role = "officer" }, new() { Group = "watchers", Role = "viewer" }]);
        });
        await using (office)
        {
            var (email, subject) = ($"new-{Guid.NewGuid():N}@lender.example", "subject-" + Guid.NewGuid());
            _provider.Person = Person(subject, email);
            _provider.Person["name"] = "Nora New";
            _provider.Person["groups"] = new JsonArray("administrator", "everybody");
            using (var none = new StaffBrowser(RunningCamino.AddressOf(office)))
                Assert.That(await ComeInAsync(none), Does.Contain("Company=unknown"), "None of the groups gives a role.");
            _provider.Person["groups"] = new JsonArray("lenders", "watchers", "everybody", "administrator");
            using var first = new StaffBrowser(RunningCamino.AddressOf(office));
            using var second = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await Task.WhenAll(ComeInAsync(first), ComeInAsync(second)), Is.EqualTo((string[])["/", "/"]), "Twice at one moment.");

            Assert.That(await RolesAsync(email), Is.EqualTo((string[])["officer", "viewer"]));
            Assert.That(await _camino.ScalarAsync<string>($"select display_name from camino.staff_users where email = '{email}'"), Is.EqualTo("Nora New"));
            Assert.That(await ActionsAsync(email), Is.EqualTo((string[])["user.added", "user.login_linked", "session.begun", "session.begun"]));
            Assert.That(await first.LeadsToAsync("/loans"), Is.EqualTo("/second-factor"));
            _provider.Person["groups"] = new JsonArray("watchers");
            using var later = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(later), Is.EqualTo("/"));
            Assert.That(await RolesAsync(email), Is.EqualTo((string[])["officer", "viewer"]));

            _provider.Person = Person("subject-" + Guid.NewGuid(), $"not-verified-{Guid.NewGuid():N}@lender.example");
            _provider.Person["email_verified"] = false;
            _provider.Person["groups"] = new JsonArray("lenders");
            using var unverified = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(unverified), Does.Contain("Company=unknown"));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task Userinfo_says_the_email_where_it_is_asked_and_only_about_the_same_person()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        var subject = "subject-" + Guid.NewGuid();
        _provider.Person = new JsonObject { ["sub"] = subject };
        _provider.UserInfo = Person(subject, user);
        using (var unasked = Browser())
            Assert.That(await ComeInAsync(unasked), Does.Contain("Company=unknown"));
        var office = await OfficeAsync(settings => settings.SignIn.Provider.AskUserInfo = true);
        await using (office)
        {
            _provider.UserInfo["sub"] = "somebody else";
            using var other = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(other), Does.Contain("Company=refused"));
            _provider.UserInfo["sub"] = subject;
            _provider.Person["email_verified"] = false;
            using var divided = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(divided), Does.Contain("Company=unknown"), "Both must say that it is verified.");
            _provider.Person.Remove("email_verified");
            using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
            Assert.That(await ComeInAsync(browser), Is.EqualTo("/"));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task A_link_that_an_operator_took_away_is_made_anew_and_the_sessions_are_over()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("old-" + Guid.NewGuid(), user);
        using var before = Browser();
        Assert.That(await ComeInAsync(before), Is.EqualTo("/"));
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var unlink = scope.ServiceProvider.GetRequiredService<UnlinkCompany>();

        await unlink.RunAsync(await IdAsync(user), "new account there", new StaffActor(null, "test"), CancellationToken.None);

        Assert.That(await before.LeadsToAsync("/loans"), Does.Contain("/sign-in"));
        _provider.Person = Person("new-" + Guid.NewGuid(), user);
        using var after = Browser();
        Assert.That(await ComeInAsync(after), Is.EqualTo("/"));
        Assert.That(await ActionsAsync(user), Is.EqualTo((string[])["user.login_linked", "session.begun", "user.login_unlinked", "user.login_linked", "session.begun"]));
        var nobody = await AddAsync(StaffRoles.Viewer);
        Assert.That(async () => await unlink.RunAsync(await IdAsync(nobody), "a mistake", new StaffActor(null, "test"), CancellationToken.None), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("user.not_linked"));
    }

    [Test]
    public async Task Over_TLS_every_cookie_on_the_way_belongs_to_this_host_alone()
    {
        var user = await AddAsync(StaffRoles.Viewer);
        _provider.Person = Person("subject-" + Guid.NewGuid(), user);
        var office = await OfficeAsync(settings => settings.Web.BehindProxy = true);
        await using (office)
        {
            var jar = new Dictionary<string, string>(StringComparer.Ordinal);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            using var browser = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = RunningCamino.AddressOf(office) };
            browser.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
            async Task<string> LeadsToAsync(string path)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
                if (jar.Count > 0)
                    request.Headers.Add("Cookie", string.Join("; ", jar.Select(cookie => cookie.Key + "=" + cookie.Value)));
                using var answer = await browser.SendAsync(request);
                foreach (var cookie in answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [])
                {
                    if (cookie.StartsWith("__Host-camino.csrf=", StringComparison.Ordinal))
                        continue; // of the page behind it
                    Assert.That(cookie, Does.StartWith("__Host-camino.").And.Contain("; path=/;").And.Contain("; secure").And.Contain("; httponly").And.Contain("; samesite=lax").And.Not.Contain("domain"));
                    var parts = cookie.Split(';')[0].Split('=', 2);
                    seen.Add(string.Join('.', parts[0].Split('.').Take(2)));
                    if (parts[1].Length == 0)
                        jar.Remove(parts[0]);
                    else
                        jar[parts[0]] = parts[1];
                }

                return answer.Headers.Location?.ToString() ?? path;
            }

            var there = await LeadsToAsync("/sign-in/company");
            Assert.That(there, Does.Contain("redirect_uri=https%3A%2F%2F"));
            using var provider = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
            using var answered = await provider.GetAsync(new Uri(there));
            var done = await LeadsToAsync(answered.Headers.Location?.PathAndQuery ?? "");
            Assert.That(await LeadsToAsync(new Uri(new Uri("https://camino.example"), done).PathAndQuery), Is.EqualTo("/"));
            Assert.That(seen, Is.EquivalentTo((string[])["__Host-camino.company", "__Host-camino.nonce", "__Host-camino.vouched", "__Host-camino.session"]));
            Assert.That(jar.Keys, Is.EqualTo((string[])["__Host-camino.session"]), "What was for the way is gone behind it.");
            Assert.That(await LeadsToAsync("/loans"), Is.EqualTo("/loans"));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task One_address_has_one_number_of_answers_in_a_minute()
    {
        var office = await OfficeAsync(settings => settings.Limits.SignInsAMinute = 2);
        await using (office)
        {
            using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
            var answers = new List<string>();
            for (var i = 0; i < 3; i++)
                answers.Add(await browser.LeadsToAsync("/sign-in/company/callback?code=guessed&state=guessed"));
            Assert.That(answers, Is.EqualTo((string[])["/sign-in?Company=late", "/sign-in?Company=late", "TooManyRequests"]));
            await office.StopAsync();
        }
    }

    [Test]
    public async Task Without_a_provider_there_is_no_such_way()
    {
        using var browser = new StaffBrowser(_camino.OfficeAddress);

        Assert.That(await browser.PageAsync("/sign-in?Company=away"), Does.Not.Contain("/sign-in/company").And.Not.Contain("role=\"alert\""));
        foreach (var path in (string[])["/sign-in/company", "/sign-in/company?handler=Done", "/sign-in/company?handler=SignOut"])
        {
            using var answer = await browser.GetAsync(path);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), path);
        }

        Assert.That(await browser.LeadsToAsync("/sign-in/company/callback?code=a&state=b"), Does.Contain("/sign-in?ReturnUrl="), "It is an address like any other that leads nowhere.");
    }

    private IEnumerable<(string Why, string Token)> WrongLogoutTokens(string subject)
    {
        yield return ("not a token", "guessed");
        yield return ("a nonce, as ID tokens have", _provider.LogoutToken(subject, null, claims => claims["nonce"] = "n"));
        yield return ("another audience", _provider.LogoutToken(subject, null, claims => claims["aud"] = "another client"));
        yield return ("another issuer", _provider.LogoutToken(subject, null, claims => claims["iss"] = "https://evil.example"));
        yield return ("another kind of token", _provider.LogoutToken(subject, null, type: "JWT"));
        yield return ("no event", _provider.LogoutToken(subject, null, claims => claims.Remove("events")));
        yield return ("another event", _provider.LogoutToken(subject, null, claims => claims["events"] = new JsonObject { ["http://schemas.openid.net/event/another"] = new JsonObject() }));
        yield return ("about nobody", _provider.LogoutToken(null, null));
        yield return ("expired", _provider.LogoutToken(subject, null, claims => claims["exp"] = DateTimeOffset.UtcNow.AddMinutes(-2).ToUnixTimeSeconds()));
        yield return ("signed long ago", _provider.LogoutToken(subject, null, claims => claims["iat"] = DateTimeOffset.UtcNow.AddMinutes(-11).ToUnixTimeSeconds()));
        yield return ("signed when nobody knows", _provider.LogoutToken(subject, null, claims => claims.Remove("iat")));
        _provider.SignsByAnotherKey = true;
        yield return ("another key", _provider.LogoutToken(subject, null));
        _provider.SignsByAnotherKey = false;
    }

    private async Task<HttpStatusCode> EndAsync(string token)
    {
        using var provider = new HttpClient { BaseAddress = RunningCamino.AddressOf(_office) };
        using var form = new FormUrlEncodedContent([new("logout_token", token)]);
        using var answer = await provider.PostAsync(new Uri(EndCompanySessions.Path, UriKind.Relative), form);
        return answer.StatusCode;
    }

    private Task<WebApplication> OfficeAsync(Action<HostSettings> change) => _camino.StartSecondOfficeAsync(change: settings =>
    {
        settings.SignIn.SecondFactor = SecondFactorMode.Required;
        settings.SignIn.Provider = new CompanyProviderSettings { Authority = _provider.Issuer, ClientId = StubProvider.ClientId, ClientSecret = StubProvider.ClientSecret, Name = "The House", SecondFactorValues = "mfa hwk" };
        change(settings);
    });

    private StaffBrowser Browser() => new(RunningCamino.AddressOf(_office));

    private static JsonObject Person(string subject, string email) => new() { ["sub"] = subject, ["email"] = email, ["email_verified"] = true };

    /// <summary>Through the provider and back; where the page after it leads.</summary>
    private static async Task<string> ComeInAsync(StaffBrowser browser, string? to = null)
    {
        var done = await browser.LeadsToAsync(await BackAsync(browser, "/sign-in/company" + (to is null ? "" : "?ReturnUrl=" + Uri.EscapeDataString(to))));
        return done.Contains("handler=Done", StringComparison.Ordinal) ? await browser.LeadsToAsync(done) : done;
    }

    /// <summary>What the provider sends the browser back with.</summary>
    private static async Task<string> BackAsync(StaffBrowser browser, string start)
    {
        using var there = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var answer = await there.GetAsync(new Uri(await browser.LeadsToAsync(start)));
        return answer.Headers.Location?.PathAndQuery ?? throw new InvalidOperationException($"The provider answered {answer.StatusCode}.");
    }

    private async Task<string> AddAsync(string role, string? password = null)
    {
        var email = $"company-{_people++}@example.com";
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>();
        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = email, Email = email, DisplayName = "Pat" };
        Assert.That((password is null ? await users.CreateAsync(user) : await users.CreateAsync(user, password)).Succeeded, Is.True);
        Assert.That((await users.AddToRoleAsync(user, role)).Succeeded, Is.True);
        return email;
    }

    private Task<Guid> IdAsync(string email) => _camino.ScalarAsync<Guid>($"select id from camino.staff_users where email = '{email}'");

    private Task<string[]?> RolesAsync(string email) => _camino.ScalarAsync<string[]>($"select array(select r.name::text from camino.staff_user_roles l join camino.staff_roles r on r.id = l.role_id join camino.staff_users u on u.id = l.user_id where u.email = '{email}' order by r.name)");

    private Task<string[]?> ActionsAsync(string email) => _camino.ScalarAsync<string[]>($"select array(select action from camino.audit_entries where subject_id = (select id::text from camino.staff_users where email = '{email}') order by id)");

    private Task<string?> DetailsAsync(string email, string action) => _camino.ScalarAsync<string>($"select details::text from camino.audit_entries where action = '{action}' and subject_id = (select id::text from camino.staff_users where email = '{email}') order by id desc limit 1");
}
