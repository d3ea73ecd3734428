using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Documents;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>Decisions under a credit policy: recommendation, override, limits, the second signature, the checklist. The business date is 2026-03-01.</summary>
internal sealed class DecisionTests
{
    private const string Checklist =
        """
        [ { "code": "talked", "before": "offer", "from": "0.00", "roles": ["officer"], "says": { "en": "Use of the money talked over", "es": "Uso del dinero comentado" } },
          { "code": "lease", "before": "booking", "from": "5000.00", "document": "lease", "says": { "en": "Lease of the shop", "es": "Contrato de alquiler del local" } },
          { "code": "weekly", "before": "offer", "from": "0.00", "products": ["WC-WEEKLY"], "says": { "en": "Only for the other product", "es": "Solo para el otro producto" } } ]
        """;

    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private InventedLists _lists = null!;
    private HttpClient _underwriter = null!;
    private HttpClient _second = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
        _lists = new InventedLists();
        _underwriter = await _camino.ApiOfAsync("underwriter");
        await _lists.TakeInAsync(_camino);
        _second = await _camino.ApiOfAsync(await _camino.AddStaffAsync("bea@lender.example", StaffRoles.Underwriter, "Bea Lund"));
        await PublishAsync(TestPolicy.Document());
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _underwriter.Dispose();
        _second.Dispose();
        await _camino.DisposeAsync();
        _lists.Dispose();
    }

    [Test]
    public async Task An_offer_rests_on_the_evaluation_of_what_is_offered_which_stays_with_it()
    {
        var id = await UnderwritingAsync("Amber Mill Bakery LLC", "400000.00");
        var preview = await PreviewAsync(id, Terms("12000.00"));
        var made = await MakeAsync(id, Terms("12000.00"));
        await _camino.ScalarAsync<object>($"update camino.applications set annual_revenue = 1000 where id = '{id}'");
        var decision = (await GetAsync($"/applications/{id}/decisions")).GetProperty("items")[0];
        var evaluation = await GetAsync($"/applications/{id}/evaluations/{decision.GetProperty("evaluation").GetInt32()}");

        Assert.That((preview.GetProperty("recommendation").GetString(), preview.GetProperty("isPossible").GetBoolean(), preview.GetProperty("needsOverride").GetBoolean(), preview.GetProperty("needsSecondPerson").GetBoolean()), Is.EqualTo(("refer", true, false, false)));
        Assert.That(made.GetProperty("offer").GetInt32(), Is.EqualTo(1));
        Assert.That((decision.GetProperty("offer").GetInt32(), decision.GetProperty("isOverride").GetBoolean(), decision.GetProperty("decidedBy").GetString()), Is.EqualTo((1, false, "Uma Castellanos (demo)")));
        Assert.That((evaluation.GetProperty("principal").GetString(), evaluation.GetProperty("cause").GetString(), evaluation.GetProperty("facts").GetProperty("amountToRevenue").GetString()), Is.EqualTo(("12000.00", "offer", "3.00")));
        Assert.That(await _camino.ScalarAsync<string>($"select details ->> 'evaluation' from camino.audit_entries where subject_id = '{id}' and action = 'application.offer-made'"), Is.EqualTo("2"));
        Assert.That(async () => await _camino.ScalarAsync<object>($"update camino.application_decisions set is_override = true where application_id = '{id}'"), Throws.InstanceOf<PostgresException>().With.Message.Contains("written once"));
    }

    [Test]
    public async Task Against_the_recommendation_a_code_and_words_are_needed_and_beyond_the_own_limit_a_second_person()
    {
        var id = await UnderwritingAsync("Thin Ice Skates LLC", "30000.00"); // 12,000 is 40 percent of it: 100 points, declined below 105
        using var bare = await SendAsync(id, Terms("12000.00"));
        using var odd = await SendAsync(id, Terms("12000.00", "mood", "because I feel like it"));
        using var curt = await SendAsync(id, Terms("12000.00", "knownBorrower", "short"));
        var made = await MakeAsync(id, Terms("12000.00", "knownBorrower", "Paid back three loans with us early"));
        using var beyond = await SendAsync(id, Terms("27000.00", "knownBorrower", "Paid back three loans with us early"));
        var asked = await ServicedBook.ReadAsync(beyond, HttpStatusCode.Accepted);
        var approval = asked.GetProperty("approvalId").GetGuid();
        using var low = await DecideAsync(approval, _second);
        await _camino.ApproveAsync(approval);
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("underwriter")).Dispose();
        var page = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}"));

        Assert.That(await bare.Content.ReadAsStringAsync(), Does.Contain("application.override").And.Contain("recommends to decline. ").And.Contain("got 0."));
        Assert.That((await odd.ProblemCodeAsync(), await curt.ProblemCodeAsync()), Is.EqualTo(("application.override", "application.override")));
        Assert.That(made.GetProperty("offer").GetInt32(), Is.EqualTo(1));
        Assert.That(await low.Content.ReadAsStringAsync(), Does.Contain("approval.limit").And.Contain("against the recommendation up to $26,000.00; this one is $27,000.00"), "the other underwriter has the same limit; the request goes on waiting");
        Assert.That(await _camino.ScalarAsync<string>($"select override_code || '|' || override_text || '|' || (signed_by is not null) from camino.application_decisions where application_id = '{id}' and offer_number = 2"), Is.EqualTo("knownBorrower|Paid back three loans with us early|true"));
        Assert.That(page, Does.Contain("against the recommendation").And.Contain("Good record with us: Paid back three loans with us early").And.Contain("signed by Ana Serrano"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text ~* 'paid back'"), Is.Zero, "what people wrote is not in the trail");
    }

    [Test]
    public async Task A_large_offer_is_made_as_it_was_asked_for_when_another_underwriter_signs()
    {
        var id = await UnderwritingAsync("Iron Gate Fencing LLC", "900000.00");
        var key = Guid.NewGuid().ToString();
        using var first = await SendAsync(id, Terms("31000.00"), key: key);
        using var repeated = await SendAsync(id, Terms("31000.00"), key: key);
        using var again = await SendAsync(id, Terms("31000.00"));
        var approval = (await ServicedBook.ReadAsync(first, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
        using var own = await DecideAsync(approval, _underwriter);
        var look = await _second.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/approvals/{approval}", UriKind.Relative));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_offers where application_id = '{id}'"), Is.Zero, "nothing is offered yet");
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => DecideAsync(approval, _second)));
        var codes = answers.Select(answer => answer.StatusCode).Order().ToList();
        foreach (var answer in answers)
            answer.Dispose();

        Assert.That((repeated.StatusCode, repeated.Headers.Contains("Idempotency-Replayed")), Is.EqualTo((HttpStatusCode.Accepted, true)));
        Assert.That(await again.ProblemCodeAsync(), Is.EqualTo("approval.waiting"));
        Assert.That(await own.ProblemCodeAsync(), Is.EqualTo("approval.own"));
        Assert.That(look.GetProperty("approval").GetProperty("says").GetString(), Does.Match(@"^Offer \$31,000\.00 to application A-\d+ under product WC-12$"));
        Assert.That(look.GetProperty("changes").EnumerateArray().Select(line => line.GetProperty("name").GetString()), Does.Contain("Assessment").And.Contain("APR"));
        Assert.That(codes.Count(code => code == HttpStatusCode.OK), Is.EqualTo(1), "signed many times at once, one offer is made");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_offers where application_id = '{id}' and principal = 31000"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_decisions where application_id = '{id}' and approval_id = '{approval}' and signed_by <> decided_by"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject_id in ('{id}', '{approval}') and action <> 'application.paper-made'"), Is.EqualTo("application.received approval.requested application.offer-made approval.approved"));
    }

    [Test]
    public async Task A_request_is_checked_again_when_it_is_signed()
    {
        var worse = await UnderwritingAsync("Falling Leaf Books LLC", "900000.00");
        var gone = await UnderwritingAsync("Closed Door Studio LLC", "900000.00");
        var first = await AskAsync(worse, Terms("31000.00"));
        var second = await AskAsync(gone, Terms("31000.00"));
        await _camino.ScalarAsync<object>($"update camino.applications set annual_revenue = 40000 where id = '{worse}'");
        using (var withdrawn = await _book.SendAsync($"/api/v1/applications/{gone}/withdraw", new { reason = "Found another lender" }, Guid.NewGuid().ToString(), "*"))
            Assert.That(withdrawn.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var look = await _second.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/approvals/{second}", UriKind.Relative));
        using var changed = await DecideAsync(first, _second);
        using var ended = await DecideAsync(second, _second);

        Assert.That(look.GetProperty("problem").GetString(), Does.Contain("does not take the step"));
        Assert.That(await changed.Content.ReadAsStringAsync(), Does.Contain("approval.not_possible").And.Contain("recommends otherwise now"));
        Assert.That(await ended.Content.ReadAsStringAsync(), Does.Contain("approval.not_possible"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_offers where application_id in ('{worse}', '{gone}')"), Is.Zero);
    }

    [Test]
    public async Task A_rule_that_nobody_decides_against_stops_every_offer()
    {
        var id = await UnderwritingAsync("Grand Scale Models LLC", "900000.00");
        var preview = await PreviewAsync(id, Terms("40000.00"));
        using var made = await SendAsync(id, Terms("40000.00", "other", "It would be such a nice loan"));

        Assert.That((preview.GetProperty("recommendation").GetString(), preview.GetProperty("isPossible").GetBoolean()), Is.EqualTo(("decline", false)));
        Assert.That(await made.Content.ReadAsStringAsync(), Does.Contain("application.knock_out").And.Contain("nobody decides against the rule tooLarge"));
    }

    [Test]
    public async Task Two_deciders_at_once_leave_one_decision_and_declining_against_the_recommendation_is_noted()
    {
        await PublishAsync(TestPolicy.Document().Replace("\"missing\": \"applies\"", "\"missing\": \"passes\"", StringComparison.Ordinal));
        try
        {
            var id = await UnderwritingAsync("Crossroads Tailor LLC", "900000.00");
            var version = await _camino.ScalarAsync<int>($"select version from camino.applications where id = '{id}'");
            var offer = _book.SendAsync($"/api/v1/applications/{id}/offers", Terms("12000.00"), Guid.NewGuid().ToString(), $"\"{version}-1\"", _underwriter);
            var decline = _book.SendAsync($"/api/v1/applications/{id}/decline", new { reason = "Too thin", reasons = new[] { "revenue" } }, Guid.NewGuid().ToString(), $"\"{version}-1\"", _second);
            using var one = await offer;
            using var other = await decline;
            var decided = await GetAsync($"/applications/{id}/decisions");

            Assert.That(new[] { one.IsSuccessStatusCode, other.IsSuccessStatusCode }.Count(success => success), Is.EqualTo(1));
            Assert.That(decided.GetProperty("items").GetArrayLength(), Is.EqualTo(1));
            if (other.IsSuccessStatusCode)
                Assert.That(decided.GetProperty("items")[0].GetProperty("isOverride").GetBoolean(), Is.True, "approve was recommended");
            else
                Assert.That(decided.GetProperty("items")[0].GetProperty("offer").GetInt32(), Is.EqualTo(1));
        }
        finally
        {
            await PublishAsync(TestPolicy.Document());
        }
    }

    [Test]
    public async Task What_the_checklist_misses_is_brought_ticked_or_waived_before_an_offer_and_before_booking()
    {
        await PublishAsync(TestPolicy.Document(checklist: Checklist));
        try
        {
            var id = await UnderwritingAsync("Corner Lot Nursery LLC", "400000.00");
            using var early = await SendAsync(id, Terms("12000.00"));
            using var wrongRole = await TickAsync(id, "talked", "tick", _underwriter);
            using var byHand = await TickAsync(id, "lease", "tick", _camino.Api);
            using var unknown = await TickAsync(id, "nothing", "tick", _camino.Api);
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TickAsync(id, "talked", "tick", _camino.Api)));
            using var back = await TickAsync(id, "talked", "take-back", _camino.Api);
            using var ticked = await TickAsync(id, "talked", "tick", _camino.Api);
            await MakeAsync(id, Terms("12000.00"));
            using (var accepted = await _book.SendAsync($"/api/v1/applications/{id}/offers/1/accept", new { how = "phone" }, Guid.NewGuid().ToString(), "*"))
                Assert.That(accepted.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            using var unbooked = await _book.SendAsync($"/api/v1/applications/{id}/book", new { }, Guid.NewGuid().ToString(), "*");
            using var mute = await TickAsync(id, "lease", "waive", _underwriter, "no");
            using var officer = await TickAsync(id, "lease", "waive", _camino.Api, "The owner owns the shop");
            using var waived = await TickAsync(id, "lease", "waive", _underwriter, "The owner owns the shop");
            var list = (await GetAsync($"/applications/{id}/checklist")).GetProperty("items").EnumerateArray().Select(item => $"{item.GetProperty("item").GetString()} {item.GetProperty("state").GetString()}").ToList();
            using var booked = await _book.SendAsync($"/api/v1/applications/{id}/book", new { }, Guid.NewGuid().ToString(), "*");
            using var late = await TickAsync(id, "talked", "take-back", _camino.Api);
            var successes = answers.Count(answer => answer.IsSuccessStatusCode);
            foreach (var answer in answers)
                answer.Dispose();

            Assert.That(await early.Content.ReadAsStringAsync(), Does.Contain("application.checklist").And.Contain("asks for: talked."));
            Assert.That((await wrongRole.ProblemCodeAsync(), await byHand.ProblemCodeAsync(), await unknown.ProblemCodeAsync()), Is.EqualTo(("checklist.role", "checklist.by_itself", "checklist.not_found")));
            Assert.That((successes, back.StatusCode, ticked.StatusCode), Is.EqualTo((1, HttpStatusCode.OK, HttpStatusCode.OK)));
            Assert.That(await unbooked.Content.ReadAsStringAsync(), Does.Contain("application.checklist").And.Contain("asks for: lease."));
            Assert.That((await mute.ProblemCodeAsync(), officer.StatusCode, waived.StatusCode), Is.EqualTo(("checklist.reason", HttpStatusCode.Forbidden, HttpStatusCode.OK)));
            Assert.That(list, Is.EqualTo(new[] { "talked ticked", "lease waived", "weekly open" }));
            Assert.That(booked.StatusCode, Is.EqualTo(HttpStatusCode.Created));
            Assert.That(await late.ProblemCodeAsync(), Is.EqualTo("application.ended"));
            Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject_id = '{id}' and action like '%item%'"), Is.EqualTo("application.item-ticked application.item-reopened application.item-ticked application.item-waived"));
            Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text ~* 'owns the shop'"), Is.Zero);
        }
        finally
        {
            await PublishAsync(TestPolicy.Document());
        }
    }

    [Test]
    public async Task A_document_of_the_kind_does_it_by_itself_and_the_page_shows_what_was_asked_for()
    {
        await PublishAsync(TestPolicy.Document(checklist: Checklist));
        try
        {
            var id = await UnderwritingAsync("Blue Door Deli LLC", "400000.00");
            using var staff = new StaffBrowser(_camino.OfficeAddress);
            (await staff.SignInAsync("officer")).Dispose();
            var before = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}"));
            using var asked = await staff.PostAsync($"/applications/{id}/ask", $"/applications/{id}/ask", ("Kinds", "lease"), ("Days", "5"));
            var between = await GetAsync($"/applications/{id}/checklist");
            using (var form = new MultipartFormDataContent())
            {
                form.Add(new StringContent("lease"), "kind");
                form.Add(new ByteArrayContent(SampleFiles.Pdf), "file", "lease.pdf");
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/applications/{id}/documents", UriKind.Relative)) { Content = form };
                request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
                using var sent = await _camino.Api.SendAsync(request);
                Assert.That(sent.IsSuccessStatusCode, Is.True, await sent.Content.ReadAsStringAsync());
            }

            await _camino.UntilAsync<long>($"select count(*) from camino.document_versions v join camino.documents d on d.id = v.document_id where d.subject_id = '{id}' and v.scan > 0", count => count == 1);
            var after = await GetAsync($"/applications/{id}/checklist");
            using var ticked = await staff.PostAsync($"/applications/{id}", $"/applications/{id}?handler=Tick", ("item", "talked"), ("key", "t1"));
            var page = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}"));

            Assert.That(before, Does.Contain("Checklist").And.Contain("0 of 3 done").And.Contain("Lease of the shop").And.Contain("needed before booking"));
            Assert.That((int)asked.StatusCode, Is.LessThan(400));
            Assert.That(StateOf(between, "lease"), Is.EqualTo("asked"));
            Assert.That(StateOf(after, "lease"), Is.EqualTo("met"));
            Assert.That(page, Does.Contain("2 of 3 done").And.Contain("Owen Brandt (demo)"));
        }
        finally
        {
            await PublishAsync(TestPolicy.Document());
        }
    }

    [Test]
    public async Task The_page_of_a_new_offer_says_what_the_policy_says_and_asks_for_the_reason()
    {
        var id = await UnderwritingAsync("Paper Crane Gifts LLC", "30000.00");
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("underwriter")).Dispose();
        var page = $"/applications/{id}/offers/new";
        (string, string)[] typed = [("Product", ServicedBook.Product), ("Principal", "12000.00"), ("AnnualRatePercent", "14.5"), ("Payments", "24"), ("DisburseOn", "2026-03-02"), ("ValidDays", "14"), ("key", "offer-1"), ("version", "3")];
        using var preview = await staff.PostAsync(page, page + "?handler=Preview", typed);
        var shown = WebUtility.HtmlDecode(await preview.Content.ReadAsStringAsync());
        using var bare = await staff.PostAsync(page, page + "?handler=Confirm", [.. typed, ("ProductVersion", "1")]);
        using var made = await staff.PostAsync(page, page + "?handler=Confirm", [.. typed, ("ProductVersion", "1"), ("OverrideCode", "guarantee"), ("OverrideReason", "The mother guarantees with her house")]);
        (string, string)[] large = [.. typed.Where(field => field.Item1 is not ("Principal" or "key" or "version")), ("Principal", "34000.00"), ("key", "offer-2"), ("version", "4"), ("ProductVersion", "1"), ("OverrideCode", "guarantee"), ("OverrideReason", "The mother guarantees with her house")];
        using var asked = await staff.PostAsync(page, page + "?handler=Confirm", large);
        var after = WebUtility.HtmlDecode(await staff.PageAsync(asked.Headers.Location?.ToString() ?? ""));

        Assert.That(shown, Does.Contain("The credit policy recommends:").And.Contain("Against the recommendation").And.Contain("Good record with us").And.Contain("Make this offer"));
        Assert.That(WebUtility.HtmlDecode(await bare.Content.ReadAsStringAsync()), Does.Contain("An offer against it needs overrideCode"));
        Assert.That(made.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(after, Does.Contain("This waits for a second person now"));
        Assert.That(await staff.PageAsync($"/applications/{id}"), Does.Contain("This waits for a second person:"));
    }

    private static string? StateOf(JsonElement list, string item) => list.GetProperty("items").EnumerateArray().First(one => one.GetProperty("item").GetString() == item).GetProperty("state").GetString();

    private static object Terms(string principal, string? overrideCode = null, string? overrideReason = null) =>
        new { product = ServicedBook.Product, principal, annualRatePercent = "14.5", payments = 24, disburseOn = "2026-03-02", overrideCode, overrideReason };

    private Task<HttpResponseMessage> TickAsync(Guid id, string item, string act, HttpClient client, string? reason = null) =>
        _book.SendAsync($"/api/v1/applications/{id}/checklist/{item}/{act}", reason is null ? new { } : new { reason }, Guid.NewGuid().ToString(), null, client);

    private Task<HttpResponseMessage> SendAsync(Guid id, object terms, string? key = null) => _book.SendAsync($"/api/v1/applications/{id}/offers", terms, key ?? Guid.NewGuid().ToString(), "*", _underwriter);

    private async Task<JsonElement> MakeAsync(Guid id, object terms)
    {
        using var answer = await SendAsync(id, terms);
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.Created);
    }

    private async Task<Guid> AskAsync(Guid id, object terms)
    {
        using var answer = await SendAsync(id, terms);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
    }

    private async Task<JsonElement> PreviewAsync(Guid id, object terms)
    {
        using var answer = await _book.SendAsync($"/api/v1/applications/{id}/offers/preview", terms, null, null, _underwriter);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.OK)).GetProperty("policy");
    }

    private Task<HttpResponseMessage> DecideAsync(Guid approval, HttpClient client) => _book.SendAsync($"/api/v1/approvals/{approval}/approve", new { }, Guid.NewGuid().ToString(), null, client);

    private Task<JsonElement> GetAsync(string path) => _underwriter.GetFromJsonAsync<JsonElement>(new Uri("/api/v1" + path, UriKind.Relative));

    private Task PublishAsync(string document) => TestPolicy.PublishAsync(_camino, document);

    private Task<Guid> UnderwritingAsync(string name, string revenue) => TestPolicy.JudgedAsync(_camino, _book, name, revenue);
}
