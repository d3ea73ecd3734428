using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Applications.Underwriting;
using Camino.Data;
using Camino.Lending.Underwriting;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>The credit policy in versions and what it says about applications, through the API and the pages, on a real database.</summary>
internal sealed class UnderwritingTests
{
    /// <summary>29 days, of which 2026-01-02 is the first.</summary>
    private const string Statement =
        """
        Date,Description,Amount,Balance
        2026-01-02,Card sales,412.50,5412.50
        2026-01-05,Flour and sugar,-310.20,5102.30
        2026-01-09,Card sales,655.10,5757.40
        2026-01-12,Rent,-1200.00,4557.40
        2026-01-16,Card sales,702.75,5260.15
        2026-01-20,Power and light,-188.40,5071.75
        2026-01-23,Card sales,640.00,5711.75
        2026-01-30,Card sales,590.25,6302.00
        """;

    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private InventedLists _lists = null!;
    private HttpClient _admin = null!;
    private HttpClient _underwriter = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
        _lists = new InventedLists();
        _admin = await _camino.ApiOfAsync("admin");
        _underwriter = await _camino.ApiOfAsync("underwriter");
        await _lists.TakeInAsync(_camino);
        await PublishAsync(TestPolicy.Document());
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _admin.Dispose();
        _underwriter.Dispose();
        await _camino.DisposeAsync();
        _lists.Dispose();
    }

    [Test]
    public async Task A_version_is_published_by_two_people_as_it_was_asked_for_and_stays_as_it_is()
    {
        var published = await _camino.ScalarAsync<int>("select number from camino.credit_policies where status = 1");
        var draft = await SaveAsync(TestPolicy.Document(approveFrom: 150));
        var first = await AskAsync();
        using (var again = await _book.SendAsync("/api/v1/underwriting/policies/draft/publish", new { }, null, null, _admin))
            Assert.That(await again.ProblemCodeAsync(), Is.EqualTo("approval.waiting"));
        await SaveAsync(TestPolicy.Document(approveFrom: 160));
        var changed = await Assert.ThrowsAsync<InvalidOperationException>(() => _camino.ApproveAsync(first));
        var second = await AskAsync();
        var seen = await _admin.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/approvals/{second}", UriKind.Relative));
        await _camino.ApproveAsync(second);
        using var nothing = await _book.SendAsync("/api/v1/underwriting/policies/draft/publish", new { }, null, null, _admin);
        var one = await GetAsync($"/underwriting/policies/{draft}");
        var list = (await GetAsync("/underwriting/policies")).GetProperty("items").EnumerateArray().Select(item => $"{item.GetProperty("number")} {item.GetProperty("status").GetString()}").ToList();

        Assert.That(draft, Is.EqualTo(published + 1));
        Assert.That(changed?.Message, Does.Contain("The draft of the policy was changed after this was asked for; ask anew."));
        Assert.That(seen.GetProperty("approval").GetProperty("says").GetString(), Is.EqualTo($"Publish version {draft} of the credit policy"));
        Assert.That(seen.GetProperty("changes").EnumerateArray().Select(line => $"{line.GetProperty("name").GetString()}: {line.GetProperty("was").GetString()} > {line.GetProperty("becomes").GetString()}"), Is.EqualTo(new[] { $"Version: {published} > {draft}", "Scorecard · Approve from: 120 > 160" }));
        Assert.That(await nothing.ProblemCodeAsync(), Is.EqualTo("policy.no_draft"));
        Assert.That(one.GetProperty("differences").EnumerateArray().Select(line => line.GetProperty("field").GetString()), Is.EqualTo(new[] { "approveFrom" }));
        Assert.That(list.Take(2), Is.EqualTo(new[] { $"{draft} published", $"{published} retired" }));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject = 'policy' and subject_id = '{draft}'"), Is.EqualTo("policy.drafted policy.changed policy.published"));
        Assert.That(async () => await _camino.ScalarAsync<object>($"update camino.credit_policies set note = 'x' where number = {draft}"), Throws.InstanceOf<PostgresException>().With.Message.Contains("stays as it is"));
        Assert.That(async () => await _camino.ScalarAsync<object>($"delete from camino.credit_policies where number = {draft}"), Throws.InstanceOf<PostgresException>());
        await PublishAsync(TestPolicy.Document());
    }

    [Test]
    public async Task What_is_wrong_with_a_document_is_named_and_nothing_is_stored()
    {
        foreach (var (document, code, sentence) in new[]
        {
            (TestPolicy.Document().Replace("\"underwriter\"", "\"janitor\"", StringComparison.Ordinal), "policy.role", "janitor is no role"),
            (TestPolicy.Document().Replace("\"amountToRevenue\"", "\"age\"", StringComparison.Ordinal), "input.not_a_choice", "scorecard.lines[0].fact is one of amount"),
            ("[]", "input.not_json", "one JSON object"),
        })
        {
            using var answer = await PutAsync(document, _admin);
            Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(code).And.Contain(sentence));
        }

        using var forbidden = await PutAsync(TestPolicy.Document(), _underwriter);
        using var stale = await PutAsync(TestPolicy.Document(), _admin, "?seen=0");
        Assert.That(forbidden.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((stale.StatusCode, await stale.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.PreconditionFailed, "policy.version")));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.credit_policies where status = 0"), Is.Zero);
    }

    [Test]
    public async Task An_application_is_evaluated_when_its_checks_end_and_again_when_its_statements_change()
    {
        var id = await UnderwritingAsync("Cedar Lane Pottery LLC", revenue: "100000.00");
        var first = await GetAsync($"/applications/{id}/evaluation");
        using (var body = new StringContent(Statement, Encoding.UTF8, "text/csv"))
        using (var sent = await _camino.Api.PostAsync(new Uri($"/api/v1/applications/{id}/statements?fileName=january.csv", UriKind.Relative), body))
            Assert.That(sent.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        await _camino.UntilAsync<long>($"select count(*) from camino.application_evaluations where application_id = '{id}'", count => count == 2);
        var second = await GetAsync($"/applications/{id}/evaluation");
        using var asked = await _book.SendAsync($"/api/v1/applications/{id}/evaluation", new { }, null, null, _underwriter);
        var same = await ServicedBook.ReadAsync(asked, HttpStatusCode.OK);
        var before = await GetAsync($"/applications/{id}/evaluations/1");

        Assert.That((first.GetProperty("number").GetInt32(), first.GetProperty("cause").GetString(), first.GetProperty("recommendation").GetString(), first.GetProperty("score").GetInt32()), Is.EqualTo((1, "checks", "refer", 110))); // 100 + 10
        Assert.That(first.GetProperty("reasons").EnumerateArray().Select(one => one.GetString()), Is.EqualTo(new[] { "incomplete", "revenue" }));
        Assert.That(first.GetProperty("points")[0].GetProperty("value").GetString(), Is.EqualTo("25.00"));
        Assert.That(first.GetProperty("rules").EnumerateArray().Select(one => $"{one.GetProperty("rule").GetString()} {one.GetProperty("effect").GetString()}"), Is.EqualTo(new[] { "tooLarge ", "noStatements refer" }));
        Assert.That((second.GetProperty("number").GetInt32(), second.GetProperty("cause").GetString(), second.GetProperty("isCurrent").GetBoolean()), Is.EqualTo((2, "statements", true)));
        Assert.That(second.GetProperty("facts").GetProperty("statementDays").GetString(), Is.EqualTo("29"));
        Assert.That(same.GetProperty("number").GetInt32(), Is.EqualTo(2), "the same of the same stays one evaluation");
        Assert.That((before.GetProperty("facts").TryGetProperty("statementDays", out _), before.GetProperty("isCurrent").GetBoolean()), Is.EqualTo((false, false)));
        Assert.That(async () => await _camino.ScalarAsync<object>($"update camino.application_evaluations set score = 999 where application_id = '{id}'"), Throws.InstanceOf<PostgresException>().With.Message.Contains("written once"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_evaluations where facts::text ~* 'cedar' or result::text ~* 'cedar'"), Is.Zero);
    }

    [Test]
    public async Task The_page_explains_the_recommendation_line_by_line_and_says_when_it_is_out_of_date()
    {
        var id = await UnderwritingAsync("Lantern Hill Framing LLC", revenue: "400000.00");
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("underwriter")).Dispose();
        var page = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}"));
        await _camino.ScalarAsync<object>($"update camino.applications set annual_revenue = 50000 where id = '{id}'");
        var stale = await staff.PageAsync($"/applications/{id}");
        using var again = await staff.PostAsync($"/applications/{id}", $"/applications/{id}?handler=Evaluate");
        var after = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}"));
        var old = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}/evaluations/1"));
        using var none = await staff.GetAsync($"/applications/{id}/evaluations/9");

        Assert.That(page, Does.Contain("Assessment 1, for $25,000.00").And.Contain("160 points; approve from 120, decline below 105").And.Contain("No bank statements came").And.Contain("Amount to yearly sales").And.Not.Contain("Something that counts has changed"));
        Assert.That(stale, Does.Contain("Something that counts has changed since."));
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(after, Does.Contain("Assessment 2, for $25,000.00").And.Contain("Sales are not enough for the amount asked for").And.Match("<option value=\"[a-zA-Z]+\" selected=\"selected\">"), "the form for a refusal begins with the reasons of the assessment");
        Assert.That(old, Does.Contain("160 points"));
        Assert.That(none.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task A_draft_is_written_on_the_page_in_Spanish_too_and_tried_on_what_was_evaluated_last()
    {
        await UnderwritingAsync("Prairie Sign Works LLC", revenue: "400000.00");
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("admin")).Dispose();
        var newest = await _camino.ScalarAsync<int>("select max(number) from camino.credit_policies");
        using var wrong = await staff.PostAsync("/underwriting/edit", "/underwriting/edit", ("document", "{"), ("note", ""), ("seen", $"{newest}"));
        using var saved = await staff.PostAsync("/underwriting/edit", "/underwriting/edit", ("document", TestPolicy.Document(approveFrom: 900)), ("note", "Much stricter"), ("seen", $"{newest}"));
        var details = WebUtility.HtmlDecode(await staff.PageAsync(saved.Headers.Location?.ToString() ?? ""));
        using var language = await staff.PostAsync("/underwriting", "/preferences", ("language", "es"), ("back", "/underwriting"));
        var spanish = WebUtility.HtmlDecode(await staff.PageAsync(saved.Headers.Location?.ToString() ?? ""));
        using var other = new StaffBrowser(_camino.OfficeAddress);
        (await other.SignInAsync("officer")).Dispose();
        using var hidden = await other.GetAsync("/underwriting/edit");
        var read = await other.PageAsync("/underwriting");

        Assert.That(await wrong.Content.ReadAsStringAsync(), Does.Contain("The policy is one JSON object; at line 1"));
        Assert.That(details, Does.Contain("Much stricter").And.Contain("Ask to publish").And.Contain("What differs from version").And.Contain("Come out otherwise").And.Contain("published version: "));
        Assert.That(spanish, Does.Contain("Pedir su publicación").And.Contain("No llegaron extractos bancarios").And.Contain("Importe sobre ventas anuales"));
        Assert.That(hidden.StatusCode, Is.Not.EqualTo(HttpStatusCode.OK));
        Assert.That(read, Does.Contain("Policy, version"));
        await PublishAsync(TestPolicy.Document());
    }

    [Test]
    public async Task The_policy_that_demo_data_begin_with_is_one_that_can_be_read()
    {
        var policy = PolicyForm.Read(await SeedPolicy.DocumentAsync(CancellationToken.None));

        Assert.That(policy.Rules, Has.Count.GreaterThan(8));
        Assert.That(policy.Scorecard is { } card ? card.Base + card.Lines.Sum(line => line.Most) - card.ApproveFrom : 0, Is.Positive, "it can be reached");
    }

    private Task PublishAsync(string document) => TestPolicy.PublishAsync(_camino, document);

    private async Task<int> SaveAsync(string document)
    {
        using var answer = await PutAsync(document, _admin);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.OK)).GetProperty("number").GetInt32();
    }

    private static async Task<HttpResponseMessage> PutAsync(string document, HttpClient client, string query = "")
    {
        using var body = new StringContent(document, Encoding.UTF8, "application/json");
        return await client.PutAsync(new Uri("/api/v1/underwriting/policies/draft" + query, UriKind.Relative), body);
    }

    private async Task<Guid> AskAsync()
    {
        using var answer = await _book.SendAsync("/api/v1/underwriting/policies/draft/publish", new { }, null, null, _admin);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
    }

    private Task<JsonElement> GetAsync(string path) => _underwriter.GetFromJsonAsync<JsonElement>(new Uri("/api/v1" + path, UriKind.Relative));

    private Task<Guid> UnderwritingAsync(string name, string revenue) => TestPolicy.JudgedAsync(_camino, _book, name, revenue);
}

/// <summary>A small policy whose figures can be reckoned by hand.</summary>
internal static class TestPolicy
{
    private static int s_phones;

    /// <summary>Applications are judged by it from now on.</summary>
    public static async Task PublishAsync(RunningCamino camino, string document)
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var by = (await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.FirstAsync(user => user.UserName == "admin@demo.camino.example")).Id;
        await scope.ServiceProvider.GetRequiredService<SavePolicyDraft>().RunAsync(document, "", null, by, CancellationToken.None);
        await scope.ServiceProvider.GetRequiredService<PublishPolicy>().RunAsync(by, CancellationToken.None);
    }

    /// <summary>An application for $25,000 that has reached underwriting.</summary>
    public static async Task<Guid> JudgedAsync(RunningCamino camino, ServicedBook book, string name, string revenue)
    {
        var n = 1000 + Interlocked.Increment(ref s_phones);
        using var answer = await book.SendAsync("/api/v1/applications", new { name, phones = new[] { $"415-555-{n}" }, amount = "25000.00", termMonths = 24, annualRevenue = revenue, startedOn = "2020-01-15" }, Guid.NewGuid().ToString(), null);
        var id = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        await camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 3);
        return id;
    }

    /// <summary>100 points; 60 where the amount is below 10 percent of sales, 10 below 30, else 0. 40,000 and more is never lent; without statements a person decides.</summary>
    /// <param name="checklist">Items.</param>
    /// <param name="secondOver">Dollars.</param>
    public static string Document(int approveFrom = 120, string checklist = "[]", string secondOver = "30000.00", string overrideUpTo = "26000.00") =>
        $$"""
        {
          "rules": [
            { "code": "tooLarge", "effect": "decline", "when": [{ "fact": "amount", "from": "40000" }], "missing": "passes", "reason": "outsidePolicy", "absolute": true, "says": { "en": "More than we lend", "es": "Más de lo que prestamos" } },
            { "code": "noStatements", "effect": "refer", "when": [{ "fact": "statementDays", "below": "1" }], "missing": "applies", "reason": "incomplete", "says": { "en": "No bank statements came", "es": "No llegaron extractos bancarios" } }
          ],
          "scorecard": {
            "base": 100, "approveFrom": {{approveFrom}}, "declineBelow": 105,
            "lines": [{ "fact": "amountToRevenue", "reason": "revenue", "missing": 10, "bins": [{ "below": "10", "points": 60 }, { "below": "30", "points": 10 }, { "points": 0 }] }]
          },
          "limits": { "secondSignatureOver": "{{secondOver}}", "roles": [{ "role": "underwriter", "offer": "35000.00", "override": "{{overrideUpTo}}" }, { "role": "administrator", "offer": "50000.00", "override": "50000.00" }] },
          "checklist": {{checklist}}
        }
        """;
}
