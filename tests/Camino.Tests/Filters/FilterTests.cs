using System.Net;
using Camino.Filters;
using Camino.Lending;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Filters;

/// <summary>People keep filters of lists: named, shared with a branch or everybody, opened first, all without a script.</summary>
internal sealed class FilterTests
{
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase("loans", "/loans", "?state=GA&sort=amount")]
    [TestCase("servicing", "/servicing", "?status=pastdue")]
    [TestCase("borrowers", "/borrowers", "?sort=newest")]
    [TestCase("applications", "/applications", "?state=underwriting")]
    [TestCase("tasks", "/tasks", "?whose=all")]
    public async Task A_filter_is_kept_shown_above_the_list_opened_first_renamed_and_removed(string list, string address, string query)
    {
        using var browser = await BrowserAsync("officer");
        Assert.That(await browser.PageAsync(address + query), Does.Contain($"/filters?of={list}"), "what is filtered can be kept");
        using (var kept = await SaveAsync(browser, list, "My view", query))
            Assert.That(kept.Headers.Location?.OriginalString, Is.EqualTo(address + query));
        var page = WebUtility.HtmlDecode(await browser.PageAsync(address));
        Assert.That(page, Does.Contain($"href=\"{address}{query}\"").And.Contain("My view"));
        var id = await IdAsync(list, "My view");
        using (var first = await ActAsync(browser, list, "First", id, ("first", "true")))
            Assert.That(first.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        using (var opened = await browser.GetAsync(address))
            Assert.That(opened.Headers.Location?.OriginalString, Is.EqualTo(address + query));
        using (var all = await browser.GetAsync(address + "?filter=none"))
            Assert.That(all.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        (await ActAsync(browser, list, "Change", id, ("name", "Renamed view"), ("share", ""))).Dispose();
        Assert.That(await browser.PageAsync($"/filters?of={list}"), Does.Contain("Renamed view").And.Contain("opens first"));
        (await ActAsync(browser, list, "Remove", id)).Dispose();
        Assert.That(await browser.PageAsync(address), Does.Not.Contain("Renamed view"));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ',' order by id) from camino.audit_entries where subject = 'filter' and subject_id = '{id}'"), Is.EqualTo("filter.added,filter.opens_first,filter.changed,filter.removed"));
    }

    [Test]
    public async Task What_the_list_does_not_know_is_not_kept_and_an_empty_filter_or_a_taken_name_is_refused()
    {
        using var browser = await BrowserAsync("underwriter");
        (await SaveAsync(browser, "loans", "Georgia", "?state=ga&after=x~y&evil=javascript:alert(1)")).Dispose();
        Assert.That(await _camino.ScalarAsync<string>("select query from camino.saved_filters where name = 'Georgia'"), Is.EqualTo("?state=GA"));
        using var twice = await SaveAsync(browser, "loans", "georgia", "?state=FL");
        using var empty = await SaveAsync(browser, "loans", "Nothing", "?evil=1");
        using var nameless = await SaveAsync(browser, "loans", " ", "?state=FL");
        using var nowhere = await SaveAsync(browser, "secrets", "Odd", "?state=FL");

        Assert.That(await twice.Content.ReadAsStringAsync(), Does.Contain("You have a filter of this name already").And.Contain("value=\"georgia\""));
        Assert.That(await empty.Content.ReadAsStringAsync(), Does.Contain("The list shows everything"));
        Assert.That(await nameless.Content.ReadAsStringAsync(), Does.Contain("1 to 60 characters"));
        Assert.That(nowhere.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Twenty_of_a_list_are_kept_and_one_more_is_refused_also_from_two_windows_at_once()
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var user = await UserAsync("collections");
        var list = FilterLists.Find("loans") ?? throw new InvalidOperationException("There is no such list.");
        for (var i = 0; i < KeepFilter.Most - 1; i++)
            await scope.ServiceProvider.GetRequiredService<KeepFilter>().AddAsync(list, $"View {i}", $"?from={i + 1}", null, user, CancellationToken.None);
        var results = await Task.WhenAll(Enumerable.Range(0, 2).Select(async i =>
        {
            await using var own = _camino.Office.Services.CreateAsyncScope();
            try
            {
                await own.ServiceProvider.GetRequiredService<KeepFilter>().AddAsync(list, $"Last {i}", "?to=9", null, user, CancellationToken.None);
                return "kept";
            }
            catch (RefusedException refused)
            {
                return refused.Code;
            }
        }));

        Assert.That(results, Is.EquivalentTo((string[])["kept", "filter.too_many"]));
    }

    [Test]
    public async Task A_filter_is_seen_by_its_owner_by_the_branch_it_is_shared_with_or_by_everybody_and_changed_by_its_owner_alone()
    {
        using var viewer = await BrowserAsync("viewer");
        using var accountant = await BrowserAsync("accountant");
        using var bound = await BrowserAsync("branch");
        var savannah = await _camino.ScalarAsync<Guid>("select id from camino.branches where code = 'SAV'");
        var atlanta = await _camino.ScalarAsync<Guid>("select id from camino.branches where code = 'ATL'");
        (await SaveAsync(viewer, "loans", "Private view", "?state=TX")).Dispose();
        (await SaveAsync(viewer, "loans", "House view", "?state=CA", KeepFilter.Everybody)).Dispose();
        (await SaveAsync(viewer, "loans", "Savannah view", "?state=SC", savannah.ToString())).Dispose();
        (await SaveAsync(viewer, "loans", "Atlanta view", "?state=AL", atlanta.ToString())).Dispose();
        using var tooFar = await SaveAsync(bound, "loans", "Mine for all", "?state=NY", KeepFilter.Everybody);
        using var elsewhere = await SaveAsync(bound, "loans", "Mine for Atlanta", "?state=NY", atlanta.ToString());

        Assert.That(await viewer.PageAsync("/loans"), Does.Contain("Private view").And.Contain("House view").And.Contain("Savannah view"));
        Assert.That(await accountant.PageAsync("/loans"), Does.Contain("House view").And.Not.Contain("Private view").And.Not.Contain("Savannah view"));
        Assert.That(await bound.PageAsync("/loans"), Does.Contain("House view").And.Contain("Savannah view").And.Not.Contain("Atlanta view").And.Not.Contain("Private view"));
        Assert.That(await tooFar.Content.ReadAsStringAsync(), Does.Contain("shares a filter with one of them"));
        Assert.That(await elsewhere.Content.ReadAsStringAsync(), Does.Contain("with a branch that you see"));
        var id = await IdAsync("loans", "House view");
        using var theirs = await ActAsync(accountant, "loans", "Remove", id);
        Assert.That(await theirs.Content.ReadAsStringAsync(), Does.Contain("You have no such filter"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.saved_filters where id = '{id}'"), Is.EqualTo(1));
    }

    private async Task<StaffBrowser> BrowserAsync(string name)
    {
        var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync(name)).Dispose();
        return browser;
    }

    private static Task<HttpResponseMessage> SaveAsync(StaffBrowser browser, string list, string name, string query, string share = "") =>
        browser.PostAsync("/shortcuts", "/filters?handler=Save", ("of", list), ("name", name), ("query", query), ("share", share));

    private static Task<HttpResponseMessage> ActAsync(StaffBrowser browser, string list, string act, Guid id, params (string, string)[] fields) =>
        browser.PostAsync($"/filters?of={list}", $"/filters?handler={act}", [("of", list), ("id", id.ToString()), .. fields]);

    private Task<Guid> IdAsync(string list, string name) => _camino.ScalarAsync<Guid>($"select id from camino.saved_filters where list = '{list}' and name = '{name}'");

    private Task<Guid> UserAsync(string name) => _camino.ScalarAsync<Guid>($"select id from camino.staff_users where user_name = '{name}@demo.camino.example'");
}
