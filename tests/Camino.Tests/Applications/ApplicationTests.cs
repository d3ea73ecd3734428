using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Applications;
using Camino.Data;
using Camino.Lending.Applications;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>Applications through the API, through the pages and through the queue, on a real database.</summary>
internal sealed class ApplicationTests
{
    private const string Ssn = "078-05-1120";
    private static readonly Uri Applications = new("/api/v1/applications", UriKind.Relative);

    private RunningCamino _camino = null!;
    private InventedLists _lists = null!;

    /// <summary>Handed in before any sanctions list was there.</summary>
    private (Guid Id, JsonElement Task) _early;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _lists = new InventedLists();
        var id = await HandInAsync(new { name = "Before The Lists LLC", phones = new[] { "912 555 0101" }, amount = "5000" });
        await _camino.UntilAsync<long>($"select count(*) from camino.application_steps where application_id = '{id}' and state = 0 and problem is not null", count => count > 0);
        _early = (id, await TaskAsync(id));
        await _lists.TakeInAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _camino.DisposeAsync();
        _lists.Dispose();
    }

    [Test]
    public async Task A_check_that_cannot_be_asked_yet_waits_in_words_and_goes_on_when_a_person_has_it_tried_again()
    {
        var (id, task) = _early;
        var step = task.GetProperty("steps")[0];
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var refused = await SendAsync($"/api/v1/applications/{id}/steps/{step.GetProperty("id")}/retry", new { }, viewer);
        using var retried = await SendAsync($"/api/v1/applications/{id}/steps/{step.GetProperty("id")}/retry", new { });
        var done = await UntilAsync(id, "underwriting");
        using var late = await SendAsync($"/api/v1/applications/{id}/steps/{step.GetProperty("id")}/retry", new { });

        Assert.That(task.GetProperty("step").GetString(), Is.EqualTo("checking"));
        Assert.That(step.GetProperty("problem").GetString(), Does.Contain("No sanctions list was taken in yet"));
        Assert.That((refused.StatusCode, retried.StatusCode, late.StatusCode), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.Accepted, HttpStatusCode.Conflict)));
        Assert.That(done.GetProperty("steps")[0].GetProperty("attempts").GetInt32(), Is.EqualTo(2));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{id}' and action = 'application.step-retried'"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_application_is_taken_in_at_once_and_worked_to_underwriting_with_every_event_written_down()
    {
        var body = Body("Blue Heron Bakery LLC", "(912) 555-0134");
        var key = Guid.NewGuid().ToString();
        using var first = await PostAsync(body, key);
        using var again = await PostAsync(body, key);
        using var other = await PostAsync(Body("Blue Heron Bakery LLC", "(912) 555-0135"), key);
        var answer = await ServicedBook.ReadAsync(first, HttpStatusCode.Accepted);
        var id = answer.GetProperty("applicationId").GetGuid();
        var done = await UntilAsync(id, "underwriting");

        Assert.That(first.Headers.Location?.ToString(), Is.EqualTo($"/api/v1/applications/{id}"));
        Assert.That((answer.GetProperty("state").GetString(), answer.GetProperty("version").GetInt32()), Is.EqualTo(("RECEIVED", 1)));
        Assert.That(answer.GetProperty("number").GetString(), Does.Match("^A-1[0-9]{5}$"));
        Assert.That((await ServicedBook.ReadAsync(again, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid(), Is.EqualTo(id));
        Assert.That(again.Headers.Contains("Idempotency-Replayed"), Is.True);
        Assert.That(await other.ProblemCodeAsync(), Is.EqualTo("idempotency.key_reused"));
        Assert.That((done.GetProperty("state").GetString(), done.GetProperty("progress").GetInt32(), done.GetProperty("version").GetInt32()), Is.EqualTo(("IN_PROGRESS", 60, 3)));
        Assert.That(done.GetProperty("steps")[0].GetProperty("result").GetProperty("hits").GetInt32(), Is.EqualTo(1), "an owner is on the list");
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(move || ' ' || actor_kind, ', ' order by sequence) from camino.application_events where application_id = '{id}'"), Is.EqualTo("1 2, 2 1, 3 1"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.screenings s where s.name = 'Blue Heron Bakery LLC'"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{id}'"), Is.EqualTo(1));

        var digits = Ssn.Replace("-", "", StringComparison.Ordinal);
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(kind || ' ' || last4, ', ' order by kind) from camino.application_identifiers where application_id = '{id}'"), Is.EqualTo("1 1120, 3 4321"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_identifiers where position(convert_to('{digits}', 'UTF8') in sealed || hash) > 0"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select (select count(*) from camino.audit_entries where details::text ~* '{digits}|heron|velasquez') + (select count(*) from jobs.finished where args::text ~* '{digits}|heron|velasquez') + (select count(*) from camino.handled_requests where answer::text ~* '{digits}|heron')"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains(digits, StringComparison.Ordinal) || line.Contains(Ssn, StringComparison.Ordinal) || line.Contains("Heron", StringComparison.Ordinal)), Is.Empty);
        Assert.That(async () => await _camino.ScalarAsync<object>($"update camino.application_events set reason = 'x' where application_id = '{id}'"), Throws.InstanceOf<PostgresException>().With.Message.Contains("written once"));
    }

    [Test]
    public async Task A_move_says_which_version_it_looked_at_ends_the_steps_and_can_be_taken_back_by_reopening()
    {
        var id = await HandInAsync(Body("Copper Kettle Coffee Inc", "(912) 555-0177"));
        await UntilAsync(id, "underwriting");
        using var without = await SendAsync($"/api/v1/applications/{id}/withdraw", new { reason = "x" });
        using var stale = await SendAsync($"/api/v1/applications/{id}/withdraw", new { reason = "x" }, ifMatch: "\"2-1\"");
        using var noReason = await SendAsync($"/api/v1/applications/{id}/withdraw", new { }, ifMatch: "\"3-1\"");
        using var decline = await SendAsync($"/api/v1/applications/{id}/decline", new { reason = "x", reasons = new[] { "cashFlow" } }, ifMatch: "*");
        using var withdrawn = await SendAsync($"/api/v1/applications/{id}/withdraw", new { reason = "Found another lender" }, ifMatch: "\"3-1\"");
        using var twice = await SendAsync($"/api/v1/applications/{id}/cancel", new { reason = "x" }, ifMatch: "*");
        var ended = await TaskAsync(id);
        using var reopened = await SendAsync($"/api/v1/applications/{id}/reopen", new { reason = "Came back" }, ifMatch: "*");

        Assert.That((without.StatusCode, stale.StatusCode, noReason.StatusCode, decline.StatusCode), Is.EqualTo((HttpStatusCode.PreconditionRequired, HttpStatusCode.PreconditionFailed, HttpStatusCode.UnprocessableEntity, HttpStatusCode.Forbidden)), "an officer does not decline");
        Assert.That((await ServicedBook.ReadAsync(withdrawn, HttpStatusCode.OK)).GetProperty("version").GetInt32(), Is.EqualTo(4));
        Assert.That(await twice.Content.ReadAsStringAsync(), Does.Contain("application.state").And.Contain("stands at Withdrawn does not take the step Cancel"));
        Assert.That((ended.GetProperty("state").GetString(), ended.GetProperty("result").GetString(), ended.GetProperty("progress").GetInt32()), Is.EqualTo(("CANCELLED", "withdrawn", 100)));
        Assert.That((await ServicedBook.ReadAsync(reopened, HttpStatusCode.OK)).GetProperty("step").GetString(), Is.EqualTo("underwriting"), "its checks stand");
    }

    [Test]
    public async Task What_is_cancelled_before_its_checks_are_over_ends_with_its_steps_and_their_jobs()
    {
        await SqlAsync("insert into jobs.pause (scope, name, paused_at, paused_by) values ('kind', 'applications.run-check', now(), 'test')");
        Guid id;
        try
        {
            id = await HandInAsync(Body("Night Owl Janitorial Co", "(912) 555-0190"));
            await UntilAsync(id, "checking");
            using var cancelled = await SendAsync($"/api/v1/applications/{id}/cancel", new { reason = "Sent twice" }, ifMatch: "*");
            Assert.That(cancelled.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }
        finally
        {
            await SqlAsync("delete from jobs.pause where name = 'applications.run-check'");
        }

        await _camino.UntilAsync<long>($"select count(*) from jobs.finished f where f.args ->> 'applicationId' = '{id}' and f.kind = 'applications.end-checks'", count => count == 1);
        Assert.That((await TaskAsync(id)).GetProperty("steps")[0].GetProperty("state").GetString(), Is.EqualTo("cancelled"));
    }

    [Test]
    public async Task Who_prefers_to_wait_is_answered_when_something_happens_and_not_before()
    {
        var id = await HandInAsync(Body("Granite Creek Welding LLC", "(912) 555-0144"));
        await UntilAsync(id, "underwriting");
        using var known = await GetAsync(id, wait: null, tag: "\"3-1\"");
        using var quick = await GetAsync(id, wait: 30, tag: "\"2-1\"");
        var waiting = GetAsync(id, wait: 30, tag: "\"3-1\"");
        using var short1 = await GetAsync(id, wait: 1, tag: "\"3-1\"");
        var before = waiting.IsCompleted;
        using var withdrawn = await SendAsync($"/api/v1/applications/{id}/withdraw", new { reason = "Found another lender" }, ifMatch: "*");
        using var told = await waiting;
        using var over = await GetAsync(id, wait: 30, tag: null);

        Assert.That(known.StatusCode, Is.EqualTo(HttpStatusCode.NotModified));
        Assert.That((quick.StatusCode, quick.Headers.ETag?.Tag), Is.EqualTo((HttpStatusCode.OK, "\"3-1\"")), "it knew an older one");
        Assert.That((short1.StatusCode, before), Is.EqualTo((HttpStatusCode.NotModified, false)), "nothing happened within a second");
        Assert.That((await ServicedBook.ReadAsync(told, HttpStatusCode.OK)).GetProperty("step").GetString(), Is.EqualTo("withdrawn"));
        Assert.That(told.Headers.GetValues("Preference-Applied"), Is.EqualTo(new[] { "wait=30" }));
        Assert.That(over.StatusCode, Is.EqualTo(HttpStatusCode.OK), "what is over has nothing to wait for");
    }

    [TestCase("""[]""", 422, "input.not_json", "got a list")]
    [TestCase("""{"name":"A",""", 422, "input.not_json", "at line 1, byte 12")]
    [TestCase("""{"name":"A"} {"name":"B"}""", 422, "input.not_json", "at line 1")]
    [TestCase("""{"name":"A","name":"B"}""", 422, "input.duplicate", "name stands twice")]
    [TestCase("""{"name":"A","\u006eame":"B"}""", 422, "input.duplicate", "name stands twice")]
    [TestCase("""{"name":"\ud800"}""", 422, "input.encoding", "half of a character")]
    [TestCase("""{"name":{"a":{"b":{"c":{"d":{"e":{}}}}}}}""", 422, "input.depth", "at most 6 deep")]
    [TestCase("""{"name":5}""", 422, "input.type", "name is text; got a number")]
    [TestCase("""{"owners":[{"isGuarantor":"yes"}]}""", 422, "input.type", "owners[0].isGuarantor is true or false; got text")]
    [TestCase("""{"owners":[{"nick":"x"}]}""", 422, "input.unknown", "owners[0].nick is no field of this address; it knows name, sharePercent")]
    [TestCase("""{"termMonths":1e2}""", 422, "input.type", "termMonths is a whole number")]
    [TestCase("""{"termMonths":361,"name":"A","amount":"5","phones":["912 555 0101"]}""", 422, "input.termMonths", "1 to 360; got 361")]
    [TestCase("""{"name":"A","amount":"5","phones":[]}""", 422, "input.phones", "one way to reach the applicant")]
    [TestCase("""{"name":"A","amount":"1e3","phones":["912 555 0101"]}""", 422, "input.amount", "amount such as 1234.56; got 1e3")]
    [TestCase("""{"name":"A","amount":"20000000","phones":["912 555 0101"]}""", 422, "input.amount", "$1.00 to $10,000,000.00")]
    [TestCase("""{"name":"A","amount":"5","phones":["912 555 0101"],"ein":"00-1234567"}""", 422, "input.ein", "ever given out")]
    [TestCase("""{"name":"A","amount":"5","phones":["912 555 0101"],"owners":[{"name":"B","birthDate":"2999-01-01"}]}""", 422, "input.birthDate", "from 1850 to today; got 10 characters")]
    [TestCase("""{"name":"A","amount":"5","phones":["912 555 0101"],"owners":[{"name":"B","taxNumber":"666-45-6789"}]}""", 422, "input.taxNumber", "ever given out")]
    public async Task A_body_that_is_not_as_it_should_be_is_refused_with_field_value_and_limit(string body, int status, string code, string sentence)
    {
        using var answer = await PostAsync(new StringContent(body, Encoding.UTF8, "application/json"));
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.That(((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType), Is.EqualTo((status, "application/problem+json")));
        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo(code));
        Assert.That(problem.GetProperty("detail").GetString(), Does.Contain(sentence).And.Not.Contain("666-45").And.Not.Contain("2999"));
    }

    [Test]
    public async Task Bodies_of_the_wrong_kind_size_or_encoding_are_refused_before_they_are_read_as_JSON()
    {
        using var text = await PostAsync(new StringContent("{}", Encoding.UTF8, "text/plain"));
        using var utf16 = await PostAsync(new StringContent("{}", Encoding.Unicode, "application/json"));
        using var zipped = await PostAsync(new StringContent("{}", Encoding.UTF8, "application/json") { Headers = { { "Content-Encoding", "gzip" } } });
        using var large = await PostAsync(new StringContent(new string(' ', 10_000_000), Encoding.UTF8, "application/json"));
        using var chunked = await PostAsync(new Endless());
        using var latin = await PostAsync(new ByteArrayContent(Encoding.Latin1.GetBytes("{\"name\":\"Caf\u00e9\"}")) { Headers = { { "Content-Type", "application/json" } } });
        using var empty = await PostAsync(new StringContent("", Encoding.UTF8, "application/json"));
        using var noKey = await _camino.Api.PostAsJsonAsync(Applications, new { });

        Assert.That(
            ((int)text.StatusCode, (int)utf16.StatusCode, (int)zipped.StatusCode, (int)large.StatusCode, (int)chunked.StatusCode, (int)latin.StatusCode, (int)empty.StatusCode, (int)noKey.StatusCode),
            Is.EqualTo((415, 415, 415, 413, 413, 422, 422, 400)));
        Assert.That(await large.Content.ReadAsStringAsync(), Does.Contain("at most 65536 bytes; got 10000000"));
        Assert.That(await latin.ProblemCodeAsync(), Is.EqualTo("input.encoding"));
    }

    [Test]
    public async Task Staff_type_an_application_in_are_warned_of_who_may_be_the_same_and_act_on_it_by_page()
    {
        using var book = await PostAsync(Body("Tres Lunas Panadería Inc", "(912) 555-0162"));
        var there = (await ServicedBook.ReadAsync(book, HttpStatusCode.Accepted)).GetProperty("number").GetString();
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("underwriter")).Dispose();
        (string, string)[] typed = [("Name", "TRES LUNAS PANADERIA"), ("Amount", "25000.00"), ("Phones[0]", "912-555-0162"), ("Language", "es"), ("Owners[0].Name", "Marisol Vega"), ("Owners[0].SharePercent", "100"), ("Owners[0].TaxNumber", "123-45-6789"), ("key", Guid.NewGuid().ToString("N"))];
        using var warned = await staff.PostAsync("/applications/new", "/applications/new", typed);
        using var live = await staff.PostAsync("/applications/new", "/applications/new?handler=Duplicates", ("Name", "Tres Lunas Panaderia, LLC"));
        using var person = await staff.PostAsync("/applications/new", "/applications/new?handler=Duplicates", ("Owners[0].TaxNumber", Ssn));
        using var business = await staff.PostAsync("/applications/new", "/applications/new?handler=Duplicates", ("Ein", Ssn));
        using var wrong = await staff.PostAsync("/applications/new", "/applications/new", [.. typed.Where(field => field.Item1 != "Amount"), ("Amount", "much")]);
        using var stored = await staff.PostAsync("/applications/new", "/applications/new", [.. typed, ("seen", "true")]);
        var page = stored.Headers.Location?.ToString() ?? "";
        var shown = await staff.PageAsync(page);
        var id = Guid.Parse(page.Split('/')[^1]);
        await UntilAsync(id, "underwriting");
        using var declined = await staff.PostAsync(page, page + "?handler=Decline", ("reason", "Cash flow"), ("reasons", "cashFlow"), ("reasons", ""), ("reasons", "timeInBusiness"), ("key", "k1"), ("version", "3"));
        using var late = await staff.PostAsync(page, page + "?handler=Decline", ("reason", "Cash flow"), ("reasons", "cashFlow"), ("key", "k2"), ("version", "1"));

        Assert.That(await warned.Content.ReadAsStringAsync(), Does.Contain("This may be somebody who is known already").And.Contain(there).And.Contain("same name").And.Contain("same phone").And.Contain("name=\"seen\""));
        Assert.That(await live.Content.ReadAsStringAsync(), Does.Contain(there).And.Not.Contain("<html"));
        Assert.That(await person.Content.ReadAsStringAsync(), Does.Contain(there).And.Contain("same tax number"));
        Assert.That(await business.Content.ReadAsStringAsync(), Does.Not.Contain("same tax number"), "A business's number is not a person's, whatever its digits.");
        Assert.That(await wrong.Content.ReadAsStringAsync(), Does.Contain("such as 1234.56"));
        Assert.That(page, Does.Match("^/applications/[0-9a-f-]{36}$"));
        Assert.That(shown, Does.Contain("Marisol Vega").And.Contain("•••-••-6789").And.Not.Contain("123-45-6789").And.Not.Contain("123456789").And.Contain("TRES LUNAS PANADERIA").And.Contain("$25,000.00"));
        Assert.That(declined.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await late.Content.ReadAsStringAsync(), Does.Contain("has changed"));
        Assert.That(await staff.PageAsync("/applications?state=declined"), Does.Contain("TRES LUNAS PANADERIA"));
    }

    [Test]
    public async Task Nobody_goes_on_with_an_application_whose_time_is_over()
    {
        var id = await HandInAsync(Body("Saltgrass Food Truck LLC", "(912) 555-0155"));
        await UntilAsync(id, "underwriting");
        await SqlAsync($"update camino.applications set expires_at = now() - interval '1 day' where id = '{id}'");
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            db.Enqueue(new ExpireApplications());
            await db.SaveChangesAsync();
        }

        Assert.That((await UntilAsync(id, "expired")).GetProperty("state").GetString(), Is.EqualTo("EXPIRED"));
    }

    [Test]
    public async Task Pages_deep_in_the_list_and_duplicates_come_from_indexes()
    {
        await SqlAsync(
            """
            insert into camino.applications (id, state, version, channel, name, language, amount, credit_consent, received_at, received_by, changed_at, expires_at)
            select camino.new_id(), 3 + n % 2, 3, 'api', 'Plan ' || n, 'en', 1000, false, now(), camino.new_id(), now(), now() + interval '30 days' from generate_series(1, 20000) n;
            insert into camino.borrowers (id, name) select camino.new_id(), 'Plan ' || n from generate_series(1, 5000) n;
            insert into camino.application_contacts (application_id, position, kind, value, digits) select id, 1, 1, '555', lpad((row_number() over ())::text, 10, '4') from camino.applications where name like 'Plan %';
            analyze camino.applications, camino.borrowers, camino.application_contacts
            """);
        var list = new ListApplications(_camino.Source);
        foreach (var (filter, index) in new[] { (new ApplicationFilter(), "pk_applications"), (new ApplicationFilter { State = ApplicationState.Offered }, "ix_applications_state_id") })
        {
            var first = await list.RunAsync(filter, null, CancellationToken.None);
            var second = await list.RunAsync(filter, first.Next, CancellationToken.None);
            var back = await list.RunAsync(filter, second.Previous, CancellationToken.None);
            await using var page = ListApplications.Page(_camino.Source, filter, second.Next);
            Assert.That(back.Lines.Select(line => line.Id), Is.EqualTo(first.Lines.Select(line => line.Id)));
            Assert.That(await QueryPlan.OfAsync(page), Does.Contain(index).And.Not.Contain("Seq Scan on applications"));
        }

        await using var same = FindDuplicates.Command(_camino.Source, "Plan 77", ["4444400077"], [new byte[32]], [new byte[32]], Guid.Empty);
        Assert.That(await QueryPlan.OfAsync(same), Does.Contain("ix_applications_core_name").And.Contain("ix_borrowers_sort_name_id").And.Contain("ix_application_contacts_digits").And.Not.Contain("Seq Scan on applications").And.Not.Contain("Seq Scan on borrowers"));
    }

    private static object Body(string name, string phone) => new
    {
        externalId = "web-1",
        name,
        language = "es",
        phones = new[] { phone },
        emails = new[] { "office@example.com" },
        address = new { street = "1 Pier St", city = "Savannah", state = "GA", zip = "31401" },
        ein = "47-1234321",
        startedOn = "2019-05-01",
        annualRevenue = "310000",
        amount = "25000.00",
        purpose = "A second oven",
        termMonths = 24,
        creditConsent = true,
        owners = new[] { new { name = "Tomás Velásquez Ibarra", sharePercent = "100", isGuarantor = true, birthDate = "1961-03-14", taxNumber = Ssn } },
    };

    private Task<HttpResponseMessage> PostAsync(object body, string? key = null) => PostAsync(JsonContent.Create(body), key);

    private async Task<HttpResponseMessage> PostAsync(HttpContent content, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Applications) { Content = content };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        return await _camino.Api.SendAsync(request);
    }

    private async Task<HttpResponseMessage> SendAsync(string path, object body, HttpClient? client = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await (client ?? _camino.Api).SendAsync(request);
    }

    private async Task<Guid> HandInAsync(object body)
    {
        using var answer = await PostAsync(body);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }

    private async Task<HttpResponseMessage> GetAsync(Guid id, int? wait, string? tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/applications/{id}", UriKind.Relative));
        if (wait is not null)
            request.Headers.Add("Prefer", $"wait={wait}");
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        return await _camino.Api.SendAsync(request);
    }

    private Task<JsonElement> TaskAsync(Guid id) => _camino.GetAsync($"/applications/{id}");

    /// <summary>Waits by the long poll until an application stands where it should.</summary>
    private async Task<JsonElement> UntilAsync(Guid id, string step)
    {
        string? tag = null;
        for (var i = 0; i < 30; i++)
        {
            using var answer = await GetAsync(id, wait: tag is null ? null : 10, tag);
            if (answer.StatusCode == HttpStatusCode.NotModified)
                continue;
            var task = await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
            if (task.GetProperty("step").GetString() == step)
                return task;
            tag = answer.Headers.ETag?.Tag;
        }

        throw new InvalidOperationException($"It never stood at {step}: {await TaskAsync(id)}");
    }

    private async Task SqlAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A body without a stated length that goes on and on.</summary>
    private sealed class Endless : HttpContent
    {
        public Endless() => Headers.ContentType = new("application/json");

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < 100; i++)
                await stream.WriteAsync(new byte[4096]);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
