using System.Net;
using Camino.Testing;
using Camino.Web;
using Camino.Web.Reference;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>What answers tell the browser to do with them.</summary>
internal sealed class SecurityHeaderTests
{
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase("/sign-in", HttpStatusCode.OK)]
    [TestCase("/", HttpStatusCode.Redirect)]
    [TestCase("/error/404", HttpStatusCode.NotFound)]
    [TestCase("/icon.svg", HttpStatusCode.OK)]
    [TestCase("/health/live", HttpStatusCode.OK)]
    [TestCase("/api/v1/loans", HttpStatusCode.Unauthorized)]
    [TestCase("/api/v1/nothing", HttpStatusCode.Unauthorized)]
    public async Task Every_answer_says_what_a_page_may_load_who_may_frame_it_and_that_types_are_not_guessed(string path, HttpStatusCode status)
    {
        using var anybody = _camino.Client();
        using var answer = await anybody.GetAsync(new Uri(path, UriKind.Relative));

        Assert.That(answer.StatusCode, Is.EqualTo(status));
        Assert.That(Header(answer, "Content-Security-Policy"), Does.Contain("default-src 'self'").And.Contain("object-src 'none'").And.Contain("base-uri 'none'").And.Contain("frame-ancestors 'none'").And.Not.Contain("unsafe"));
        Assert.That(Header(answer, "X-Content-Type-Options"), Is.EqualTo("nosniff"));
        Assert.That(Header(answer, "Referrer-Policy"), Is.EqualTo("same-origin"));
        Assert.That(Header(answer, "Cross-Origin-Opener-Policy"), Is.EqualTo("same-origin"));
        Assert.That(Header(answer, "Access-Control-Allow-Origin"), Is.Empty);
        Assert.That(Header(answer, "Server"), Is.Empty);
        Assert.That(Header(answer, "Strict-Transport-Security"), Is.Empty, "there is no TLS here");
    }

    [TestCase("/sign-in")]
    [TestCase("/api/v1/loans")]
    [TestCase("/site.css")]
    public async Task Over_TLS_every_answer_binds_the_browser_to_TLS_for_a_year_and_cookies_to_it(string path)
    {
        var office = await _camino.StartSecondOfficeAsync(change: settings => settings.Web.BehindProxy = true);
        await using (office)
        {
            using var anybody = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = RunningCamino.AddressOf(office) };
            anybody.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
            using var answer = await anybody.GetAsync(new Uri(path, UriKind.Relative));

            Assert.That(Header(answer, "Strict-Transport-Security"), Is.EqualTo("max-age=31536000; includeSubDomains"));
            if (path == "/sign-in")
                Assert.That(Header(answer, "Set-Cookie"), Does.StartWith("__Host-camino.csrf=").And.Contain("; path=/").And.Not.Contain("; domain").And.Contain("; secure").And.Contain("; samesite=strict").And.Contain("; httponly"));
            await office.StopAsync();
        }
    }

    [TestCase("127.0.0.0/8", true)]
    [TestCase("10.0.0.0/8;127.0.0.0/8;fd00::/8", true)]
    [TestCase("10.0.0.0/8;fd00::/8", false)]
    public async Task What_a_proxy_says_is_believed_of_the_networks_that_are_named_alone(string networks, bool isBelieved)
    {
        await using var office = await _camino.StartSecondOfficeAsync(change: settings => (settings.Web.BehindProxy, settings.Web.ProxyNetworks) = (true, networks));
        using var anybody = new HttpClient { BaseAddress = RunningCamino.AddressOf(office) };
        anybody.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        anybody.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.9");
        using var answer = await anybody.GetAsync(new Uri("/sign-in", UriKind.Relative));

        Assert.That(answer.Headers.Contains("Strict-Transport-Security"), Is.EqualTo(isBelieved));
    }

    [Test]
    public async Task Over_TLS_every_cookie_belongs_to_this_host_alone_and_one_without_the_prefix_is_nobodys()
    {
        var office = await _camino.StartSecondOfficeAsync(change: settings => settings.Web.BehindProxy = true);
        await using (office)
        {
            var jar = new Dictionary<string, string>(StringComparer.Ordinal);
            using var browser = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = RunningCamino.AddressOf(office) };
            browser.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
            async Task<HttpResponseMessage> AskAsync(string path, bool isBare, params (string Name, string Value)[] form)
            {
                using var request = new HttpRequestMessage(form.Length > 0 ? HttpMethod.Post : HttpMethod.Get, new Uri(path, UriKind.Relative));
                if (jar.Count > 0)
                    request.Headers.Add("Cookie", string.Join("; ", jar.Select(cookie => (isBare ? cookie.Key[HostCookies.Prefix.Length..] : cookie.Key) + "=" + cookie.Value)));
                if (form.Length > 0)
                    request.Content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)));
                var answer = await browser.SendAsync(request);
                foreach (var cookie in answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [])
                {
                    Assert.That(cookie, Does.StartWith("__Host-").And.Contain("; path=/;").And.Contain("; secure").And.Not.Contain("domain"));
                    var parts = cookie.Split(';')[0].Split('=', 2);
                    if (!isBare)
                        jar[parts[0]] = parts[1];
                }

                return answer;
            }

            var token = StaffBrowser.TokenOf(await (await AskAsync("/sign-in", isBare: false)).Content.ReadAsStringAsync());
            using var chosen = await AskAsync("/preferences", isBare: false, ("__RequestVerificationToken", token), ("language", "es"), ("theme", "dark"));
            using var refused = await AskAsync("/sign-in", isBare: true, ("__RequestVerificationToken", token), ("Email", "viewer@demo.camino.example"), ("Password", RunningCamino.Password));
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), "A token that anybody on the domain could have set is none.");
            using var signedIn = await AskAsync("/sign-in", isBare: false, ("__RequestVerificationToken", token), ("Email", "viewer@demo.camino.example"), ("Password", RunningCamino.Password));
            Assert.That(signedIn.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
            Assert.That(jar.Keys, Is.EquivalentTo((string[])["__Host-camino.csrf", "__Host-camino.lang", "__Host-camino.theme", "__Host-camino.session"]));

            using var home = await AskAsync("/loans", isBare: false);
            using var bare = await AskAsync("/loans", isBare: true);
            Assert.That((home.StatusCode, bare.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.Redirect)));
            Assert.That(await home.Content.ReadAsStringAsync(), Does.Contain("lang=\"es\" data-theme=\"dark\""));
            using var left = await AskAsync("/sign-out", isBare: false, ("__RequestVerificationToken", StaffBrowser.TokenOf(await home.Content.ReadAsStringAsync())));
            Assert.That(jar["__Host-camino.session"], Is.Empty);
            await office.StopAsync();
        }
    }

    [Test]
    public async Task No_cache_keeps_a_page_or_an_answer_of_the_API_but_the_description_of_it()
    {
        using var officer = new StaffBrowser(_camino.OfficeAddress);
        using var signedIn = await officer.SignInAsync("officer");
        using var page = await officer.GetAsync("/borrowers");
        using var list = await _camino.Api.GetAsync(new Uri("/api/v1/loans", UriKind.Relative));
        using var refused = await _camino.Api.GetAsync(new Uri($"/api/v1/loans/{Guid.NewGuid()}", UriKind.Relative));
        using var description = await _camino.Api.GetAsync(new Uri(ApiDocument.Address, UriKind.Relative));

        Assert.That(new[] { page, list, refused }.Select(answer => ((int)answer.StatusCode, Header(answer, "Cache-Control"))), Is.EqualTo(((int, string)[])[(200, "no-store"), (200, "no-store"), (404, "no-store, no-cache")]));
        Assert.That(new[] { page, list }.Select(answer => Header(answer, "Content-Type")), Is.EqualTo((string[])["text/html; charset=utf-8", "application/json; charset=utf-8"]));
        Assert.That(Header(description, "Cache-Control"), Does.Contain("max-age=300"));
        Assert.That(Header(signedIn, "Set-Cookie"), Does.Contain("camino.session=").And.Contain("; samesite=lax").And.Contain("; httponly"));
    }

    [Test]
    public async Task Signing_out_empties_what_the_browser_keeps_of_the_site_but_language_and_appearance()
    {
        using var viewer = new StaffBrowser(_camino.OfficeAddress);
        (await viewer.SignInAsync("viewer")).Dispose();

        using var left = await viewer.PostAsync("/", "/sign-out");

        Assert.That(left.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(Header(left, "Clear-Site-Data"), Is.EqualTo("\"cache\", \"storage\""));
    }

    [Test]
    public async Task A_request_is_never_sent_back()
    {
        using var anybody = _camino.Client();
        using var trace = new HttpRequestMessage(HttpMethod.Trace, new Uri("/sign-in", UriKind.Relative));
        trace.Headers.Add("X-Probe", "open sesame");
        using var answer = await anybody.SendAsync(trace);

        Assert.That(await answer.Content.ReadAsStringAsync() + answer.Headers, Does.Not.Contain("sesame"));
    }

    [Test]
    public async Task A_form_without_the_token_of_a_page_is_refused()
    {
        using var viewer = new StaffBrowser(_camino.OfficeAddress);
        (await viewer.SignInAsync("viewer")).Dispose();

        using var form = new FormUrlEncodedContent([]);
        using var answer = await viewer.Client.PostAsync(new Uri("/sessions?handler=EndOthers", UriKind.Relative), form);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) || answer.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : "";
}
