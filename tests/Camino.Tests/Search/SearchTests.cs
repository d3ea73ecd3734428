using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Camino.Clients;
using Camino.People;
using Camino.Search;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Imports.Reading;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Search;

/// <summary>One field for everything, through the API, the page and the database.</summary>
internal sealed class SearchTests
{
    private const string Linked = "select count(*) from jobs.finished where kind = 'borrowers.link'";
    private static readonly string[] s_everything = ["borrowers", "owners", "applications", "servicedLoans", "importedLoans"];

    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private Guid _bakery;
    private Guid _application;
    private Guid _loan;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
        _bakery = await CreatedAsync("/api/v1/borrowers", new { name = "Panadería Sol Naciente LLC", tradeName = "Horno Lechuza", phones = new[] { "(912) 555-0188" }, emails = new[] { "Horno@lechuza.example" }, owners = new[] { new { name = "Núria Castellví" } } }, "borrowerId");
        var owner = (await _camino.GetAsync($"/borrowers/{_bakery}")).GetProperty("owners")[0].GetProperty("id").GetGuid();
        await IdentifierAsync(new { kind = "ein", value = "47-7654329" });
        await IdentifierAsync(new { kind = "ssn", value = "219-09-9187", ownerId = owner });
        _application = await CreatedAsync(
            "/api/v1/applications", new { name = "Café Trébol Azul Inc", phones = new[] { "912 555 0166" }, emails = new[] { "trebol@azul.example" }, ein = "47-1118822", amount = "5000", owners = new[] { new { name = "Ricarda Olmedo Puig" } } }, "applicationId", HttpStatusCode.Accepted);
        _loan = await _book.BookedLoanAsync(borrower: "Faro Viejo Marine Repair");
        Assert.That((await _camino.ImportAsync(ImportClient.Template(ImportClient.Row("SRCH-000042", name: "Molino Rojo Milling Co")))).Status(), Is.EqualTo("done"));
        await _camino.UntilAsync<long>(Linked, count => count > 0);
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase("Panadería Sol Naciente LLC", "name")]
    [TestCase("panaderia sol naciente", "name")]
    [TestCase("naciente PANADERIA", "name")]
    [TestCase("panad", "name")]
    [TestCase("panaderia naceinte", "similarName")]
    [TestCase("panaderria sol", "similarName")]
    [TestCase("horno lechuza", "tradeName")]
    [TestCase("lechuzza", "similarName")]
    [TestCase("naicente hrono", "similarName")]
    [TestCase("(912) 555-0188", "phone")]
    [TestCase("+1 912.555.0188", "phone")]
    [TestCase("horno@LECHUZA.example", "email")]
    [TestCase("horno@lech", "email")]
    [TestCase("47-7654329", "taxNumber")]
    [TestCase("4329", "last4")]
    public async Task A_borrower_is_found(string query, string why) => Assert.That(await WhyAsync(query, "borrowers", _bakery), Is.EqualTo(why));

    [TestCase("nuria castellvi", "name")]
    [TestCase("castelvi", "similarName")]
    [TestCase("219-09-9187", "taxNumber")]
    [TestCase("9187", "last4")]
    public async Task An_owner_is_found_and_leads_to_the_borrower(string query, string why)
    {
        Assert.That(await WhyAsync(query, "owners", _bakery), Is.EqualTo(why));
        Assert.That(await WhyAsync(query, "borrowers", _bakery), Is.Null, "the owner's, not the borrower's own");
    }

    [TestCase("cafe trebol azul", "name")]
    [TestCase("trevol azul", "similarName")]
    [TestCase("ricarda olmedo", "owner")]
    [TestCase("9125550166", "phone")]
    [TestCase("trebol@azul.example", "email")]
    [TestCase("471118822", "taxNumber")]
    [TestCase("8822", "last4")]
    public async Task An_application_is_found(string query, string why) => Assert.That(await WhyAsync(query, "applications", _application), Is.EqualTo(why));

    [Test]
    public async Task An_application_and_loans_are_found_by_number_with_and_without_their_letters()
    {
        var application = await _camino.ScalarAsync<string>($"select number from camino.applications where id = '{_application}'") ?? "";
        var loan = await _camino.ScalarAsync<string>($"select number from camino.serviced_loans where id = '{_loan}'") ?? "";
        var imported = await _camino.ScalarAsync<Guid>("select id from camino.loans where number = 'SRCH-000042'");

        foreach (var (query, kind, id) in new[]
        {
            (application, "applications", _application), (application[2..], "applications", _application), (loan.ToLowerInvariant(), "servicedLoans", _loan), (loan[2..], "servicedLoans", _loan),
            ("srch-000042", "importedLoans", imported), ("SRCH-0000", "importedLoans", imported),
        })
            Assert.That(await WhyAsync(query, kind, id), Is.EqualTo("number"), query);
    }

    [Test]
    public async Task Loans_are_found_by_the_name_of_their_borrower_also_by_one_that_is_misspelt()
    {
        var imported = await _camino.ScalarAsync<Guid>("select id from camino.loans where number = 'SRCH-000042'");

        Assert.That(await WhyAsync("faro viejo", "servicedLoans", _loan), Is.EqualTo("borrower"));
        Assert.That(await WhyAsync("faro viejjo marine", "servicedLoans", _loan), Is.EqualTo("borrower"));
        Assert.That(await WhyAsync("molino roja", "importedLoans", imported), Is.EqualTo("borrower"));
    }

    [Test]
    public async Task A_changed_name_is_found_at_once_also_misspelt_and_a_merged_borrower_is_not()
    {
        var id = await CreatedAsync("/api/v1/borrowers", new { name = "Quetzal Ironworks" }, "borrowerId");
        await ExecuteAsync($"update camino.borrowers set name = 'Cormorán Ironworks' where id = '{id}'");
        var changed = await WhyAsync("cormoram", "borrowers", id);
        await ExecuteAsync($"update camino.borrowers set merged_into = '{_bakery}' where id = '{id}'");

        Assert.That(changed, Is.EqualTo("similarName"));
        Assert.That(await WhyAsync("cormoran ironworks", "borrowers", id), Is.Null);
    }

    [Test]
    public async Task Of_each_kind_a_few_are_shown_and_that_there_are_more()
    {
        await ExecuteAsync("insert into camino.borrowers (id, name) select camino.new_id(), 'Zunzuneo Franchise ' || n from generate_series(1, 20) n");
        var group = (await SearchAsync("zunzuneo")).GetProperty("groups").EnumerateArray().Single();

        Assert.That((group.GetProperty("kind").GetString(), group.GetProperty("items").GetArrayLength(), group.GetProperty("hasMore").GetBoolean()), Is.EqualTo(("borrowers", SearchEverything.Most, true)));
    }

    [TestCase("loans:read", "faro viejo", "servicedLoans")]
    [TestCase("borrowers:read", "faro viejo", "borrowers")]
    [TestCase("applications:read", "trebol azul", "")] // handed in by another: for this client it is not there
    [TestCase("jobs:read", "faro viejo", "")]
    public async Task A_reader_finds_only_what_it_may_read(string scope, string query, string kind)
    {
        using var client = await ClientAsync("search:read", scope);
        var found = await SearchAsync(query, client);

        Assert.That(string.Join(' ', found.GetProperty("groups").EnumerateArray().Select(group => group.GetProperty("kind").GetString())), Is.EqualTo(kind));
    }

    [Test]
    public async Task Who_may_read_but_not_search_is_refused()
    {
        using var client = await ClientAsync("borrowers:read");
        using var answer = await _book.SendAsync("/api/v1/search", new { query = "faro" }, null, null, client);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task What_is_too_long_or_missing_is_refused_with_the_limit_and_without_the_text()
    {
        using var missing = await _book.SendAsync("/api/v1/search", new { query = " " }, null, null);
        using var tooLong = await _book.SendAsync("/api/v1/search", new { query = new string('x', 101) }, null, null);
        using var unknown = await _book.SendAsync("/api/v1/search", new { q = "faro" }, null, null);

        Assert.That((missing.StatusCode, tooLong.StatusCode, unknown.StatusCode), Is.EqualTo((HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity)));
        Assert.That(await missing.Content.ReadAsStringAsync(), Does.Contain("query is missing."));
        Assert.That(await tooLong.Content.ReadAsStringAsync(), Does.Contain("query has at most 100 characters; got 101.").And.Not.Contain("xxx"));
    }

    [Test]
    public async Task Hostile_strings_find_something_or_nothing_and_break_nothing()
    {
        var strings = (JsonSerializer.Deserialize<string[]>(await File.ReadAllTextAsync(Given.Shared("hostile/blns.json"))) ?? []).Where(text => !string.IsNullOrWhiteSpace(text) && text.Trim().Length <= SearchEverything.LongestText).ToList();
        Assert.That(strings, Has.Count.GreaterThan(300));
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("officer")).Dispose();
        var token = await browser.TokenAsync("/search");
        foreach (var text in strings)
        {
            await SearchAsync(text);
            using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("q", text)]);
            using var page = await browser.Client.PostAsync(new Uri("/search", UriKind.Relative), form);
            Assert.That(page.StatusCode, Is.EqualTo(HttpStatusCode.OK), text);
        }
    }

    [Test]
    public async Task What_is_looked_for_stands_in_no_address_and_in_no_log_and_without_a_token_nothing_is_found()
    {
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("viewer")).Dispose();
        using var answer = await browser.PostAsync("/search", "/search", ("q", "(912) 555-0188"));
        using var hits = await browser.PostAsync("/search", "/search?handler=Hits", ("q", "912 555 0188"));
        using var form = new FormUrlEncodedContent([new("q", "panaderia")]);
        using var forged = await browser.Client.PostAsync(new Uri("/search", UriKind.Relative), form);
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());

        Assert.That((answer.StatusCode, answer.Headers.Location), Is.EqualTo((HttpStatusCode.OK, (Uri?)null)));
        Assert.That(page, Does.Contain($"/borrowers/{_bakery}").And.Contain("found by phone").And.Contain("1 result"));
        Assert.That(await hits.Content.ReadAsStringAsync(), Does.Contain($"/borrowers/{_bakery}").And.Not.Contain("<html"));
        Assert.That(forged.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(_camino.LogLines.Where(line => line.Contains("555-0188", StringComparison.Ordinal) || line.Contains("9125550188", StringComparison.Ordinal) || line.Contains("912 555 0188", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Among_many_every_branch_of_the_search_comes_from_an_index()
    {
        await ExecuteAsync(
            """
            insert into camino.borrowers (id, name) select camino.new_id(), left(md5(n::text), 7) || ' ' || (array['Trucking', 'Bakery', 'Dental', 'Roofing'])[1 + n % 4] || ' ' || left(md5('x' || n), 5) from generate_series(1, 30000) n;
            insert into camino.borrower_owners (id, borrower_id, position, name) select camino.new_id(), id, 1, left(md5(name), 6) || ' ' || right(md5(name), 6) from camino.borrowers b where not exists (select from camino.borrower_owners o where o.borrower_id = b.id);
            insert into camino.borrower_contacts (borrower_id, position, kind, value, digits) select id, 1, 2, left(md5(name), 8) || '@example.com', null from camino.borrowers b where not exists (select from camino.borrower_contacts c where c.borrower_id = b.id);
            """);
        await ExecuteAsync("vacuum analyze camino.borrowers, camino.borrower_owners, camino.borrower_contacts, camino.search_words");
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var search = scope.ServiceProvider.GetRequiredService<SearchEverything>();
        var name = await _camino.ScalarAsync<string>("select name from camino.borrowers where name ~ '^[a-f]{4}.* Dental ' limit 1") ?? "";
        var (exact, _) = await search.TakeApartAsync(name, CancellationToken.None);
        var (_, near) = await search.TakeApartAsync("x" + name, CancellationToken.None);
        var (beginning, _) = await search.TakeApartAsync(name[..3], CancellationToken.None);
        var (email, _) = await search.TakeApartAsync("abc@exa", CancellationToken.None);
        var (last4, _) = await search.TakeApartAsync("4329", CancellationToken.None);

        Assert.That(await PlanAsync(exact), Does.Contain("ix_borrowers_words").And.Contain("ix_borrower_owners_words").And.Contain("ix_borrowers_sort_name_id"));
        Assert.That(beginning.Words.Single(), Has.Length.GreaterThan(5));
        Assert.That(await PlanAsync(beginning), Does.Contain("ix_borrowers_words").And.Contain("ix_borrower_owners_words"));
        Assert.That(await PlanAsync(near), Does.Contain("ix_borrowers_words").And.Contain("ix_borrower_owners_words"));
        Assert.That(await PlanAsync(email), Does.Contain("ix_borrower_contacts_email"));
        Assert.That(await PlanAsync(last4), Does.Contain("ix_borrower_identifiers_last4"));
        await using var words = SearchSql.Words(_camino.Source, name);
        await using var nearly = _camino.Source.CreateCommand((await _camino.ScalarAsync<string>("select prosrc from pg_proc where oid = 'camino.near_words(text)'::regprocedure") ?? "").Replace("given", "'dentla'", StringComparison.Ordinal));
        Assert.That(await QueryPlan.OfAsync(words), Does.Contain("ix_search_words_word").And.Not.Contain("Seq Scan on search_words"));
        Assert.That(await QueryPlan.OfAsync(nearly), Does.Contain("ix_search_words_trigrams").And.Not.Contain("Seq Scan on search_words"));
    }

    private async Task<string> PlanAsync(SearchedFor? asked)
    {
        await using var command = SearchSql.Find(_camino.Source, asked ?? throw new InvalidOperationException("There is nothing to look for."), Enum.GetValues<SearchKind>().ToHashSet()) ?? throw new InvalidOperationException("There is nothing to find.");
        var plan = await QueryPlan.OfAsync(command);
        Assert.That(plan, Does.Not.Contain("Seq Scan on borrowers").And.Not.Contain("Seq Scan on borrower_owners").And.Not.Contain("Seq Scan on borrower_contacts"));
        return plan;
    }

    /// <summary>Why something was found among its kind; null where it was not.</summary>
    private async Task<string?> WhyAsync(string query, string kind, Guid id)
    {
        var groups = (await SearchAsync(query)).GetProperty("groups").EnumerateArray().ToList();
        Assert.That(groups.Select(group => group.GetProperty("kind").GetString()), Is.SubsetOf(s_everything));
        var hit = groups.Where(group => group.GetProperty("kind").GetString() == kind).SelectMany(group => group.GetProperty("items").EnumerateArray()).FirstOrDefault(hit => hit.GetProperty("id").GetGuid() == id);
        return hit.ValueKind == JsonValueKind.Object ? hit.GetProperty("why").GetString() : null;
    }

    private async Task<JsonElement> SearchAsync(string query, HttpClient? client = null)
    {
        using var answer = await _book.SendAsync("/api/v1/search", new { query }, null, null, client);
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task<HttpClient> ClientAsync(params string[] scopes)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (_, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync(Guid.NewGuid().ToString(), new ClientTerms(scopes, ClientTerms.MostAMinute, ClientTerms.MostInBurst, null), null, new StaffActor(null, "test"), CancellationToken.None);
        var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private async Task<Guid> CreatedAsync(string path, object body, string id, HttpStatusCode status = HttpStatusCode.Created)
    {
        using var answer = await _book.SendAsync(path, body, Guid.NewGuid().ToString(), null);
        return (await ServicedBook.ReadAsync(answer, status)).GetProperty(id).GetGuid();
    }

    private async Task IdentifierAsync(object body)
    {
        using var answer = await _book.SendAsync($"/api/v1/borrowers/{_bakery}/identifiers", body, Guid.NewGuid().ToString(), "*");
        await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
