using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Applications;
using Camino.Host.Sandbox;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>Bank accounts of applicants: kept sealed, asked for at the sandbox on a real port, and carried to the borrower. The business date is 2026-03-01.</summary>
internal sealed class BankAccountTests
{
    private const string Routing = "021000021";

    private WebApplication _sandbox = null!;
    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private InventedLists _lists = null!;
    private HttpClient _underwriter = null!;
    private int _phones;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _sandbox = SandboxHost.Build("http://127.0.0.1:0", new SandboxBehaviour(Seed: 3, Milliseconds: 5));
        await _sandbox.StartAsync();
        _camino = await RunningCamino.StartAsync(providers: RunningCamino.AddressOf(_sandbox));
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync("2026-03-01");
        _lists = new InventedLists();
        await _lists.TakeInAsync(_camino);
        _underwriter = await _camino.ApiOfAsync("underwriter");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _underwriter.Dispose();
        await _camino.DisposeAsync();
        await _sandbox.DisposeAsync();
        _lists.Dispose();
    }

    [SetUp]
    public void Behave() => Sandbox.Behave(new SandboxBehaviour(Seed: 3, Milliseconds: 5));

    private SandboxServices Sandbox => _sandbox.Services.GetRequiredService<SandboxServices>();

    [Test]
    public async Task An_account_that_was_handed_in_is_checked_with_the_others_kept_sealed_and_becomes_the_borrowers_verified_one()
    {
        const string number = "4400918273645";
        var id = await HandInAsync("Saltmarsh Boat Works LLC", number);
        await UntilAsync(id, "underwriting");
        var step = await StepAsync(id);
        var account = await AccountAsync(id);
        var sealedQuestion = await _camino.ScalarAsync<bool>($"select sealed_question is null from camino.application_accounts where application_id = '{id}'");
        var evaluated = await _camino.ScalarAsync<string>($"select facts ->> 'bankAccount' from camino.application_evaluations where application_id = '{id}' order by number desc limit 1");
        var loan = await BookAsync(id, new { });
        var borrower = await _camino.ScalarAsync<Guid>($"select borrower_id from camino.loan_borrowers where loan_id = '{loan}' and own_book");
        var exchange = await _camino.ScalarAsync<byte[]>($"select x.sealed from camino.application_exchanges x join camino.application_steps s on s.id = x.step_id where s.application_id = '{id}' and s.kind = 6") ?? [];

        Assert.That((step.GetProperty("state").GetString(), step.GetProperty("result").GetProperty("outcome").GetString()), Is.EqualTo(("done", "verified")));
        Assert.That(step.GetProperty("result").GetProperty("nameMatch").GetInt32(), Is.InRange(85, 100));
        Assert.That((account.GetProperty("last4").GetString(), account.GetProperty("routing").GetString(), account.GetProperty("holder").GetString(), account.GetProperty("outcome").GetString()), Is.EqualTo(("3645", Routing, "Saltmarsh Boat Works LLC", "verified")));
        Assert.That(sealedQuestion, Is.True, "what was sealed for the question is gone with the answer");
        Assert.That(evaluated, Is.Null.Or.EqualTo("verified"), "there is an evaluation where a policy is published");
        Assert.That(await _camino.ScalarAsync<string>($"select holder || ' ' || last4 || ' ' || (verified_at is not null) || ' ' || (verified_by is null) from camino.borrower_accounts where borrower_id = '{borrower}'"), Is.EqualTo("Saltmarsh Boat Works LLC 3645 true true"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.borrower_accounts b join camino.application_accounts a on a.sealed = b.sealed where b.borrower_id = '{borrower}'"), Is.EqualTo(1), "it goes along sealed as it is");
        Assert.That(await _camino.Office.Services.GetRequiredService<ExchangeKeys>().OpenAsync(exchange, CancellationToken.None), Does.Contain(number).And.Contain("verified"));
        Assert.That(await _camino.ScalarAsync<long>($"select (select count(*) from camino.audit_entries where details::text ~ '{number}') + (select count(*) from jobs.finished where args::text ~ '{number}' or result::text ~ '{number}') + (select count(*) from camino.handled_requests where answer::text ~ '{number}')"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_accounts where position(convert_to('{number}', 'UTF8') in sealed) > 0"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains(number, StringComparison.Ordinal)), Is.Empty);
    }

    [TestCase("880010001", "closed")]
    [TestCase("880010002", "notFound")]
    [TestCase("880010003", "nameDiffers")]
    public async Task What_the_bank_answers_is_told_and_an_account_that_is_no_good_is_not_carried_to_the_borrower(string number, string outcome)
    {
        var id = await HandInAsync($"Answer {outcome} LLC", number);
        await UntilAsync(id, "underwriting");
        var step = await StepAsync(id);
        var loan = await BookAsync(id, new { });

        Assert.That(step.GetProperty("result").GetProperty("outcome").GetString(), Is.EqualTo(outcome));
        Assert.That(
            await _camino.ScalarAsync<string>($"select coalesce(string_agg(last4 || ' ' || (verified_at is null), ', '), 'none') from camino.borrower_accounts a join camino.loan_borrowers l on l.borrower_id = a.borrower_id where l.loan_id = '{loan}' and l.own_book"),
            Is.EqualTo(outcome == "nameDiffers" ? "0003 true" : "none"), "one in another name goes along, and counts as not verified");
    }

    [Test]
    public async Task An_account_that_staff_enter_in_underwriting_is_checked_and_another_takes_its_place_with_a_question_of_its_own()
    {
        var id = await HandInAsync("Entered Later LLC", null);
        await UntilAsync(id, "underwriting");
        var kinds = await _camino.ScalarAsync<string>($"select string_agg(kind::text, ' ' order by kind) from camino.application_steps where application_id = '{id}'");
        Sandbox.Behave(new SandboxBehaviour(Seed: 3, Milliseconds: 5, Errors: 0.3, Wrong: 0.3));
        var key = Guid.NewGuid().ToString();
        using var given = await GiveAsync(id, new { routing = Routing, account = "770010001" }, key);
        using var again = await GiveAsync(id, new { routing = Routing, account = "770010001" }, key);
        using var otherwise = await GiveAsync(id, new { routing = Routing, account = "770010009" }, key);
        await _camino.UntilAsync<string>($"select coalesce(outcome, '') from camino.application_accounts where application_id = '{id}'", outcome => outcome == "closed");
        using var second = await GiveAsync(id, new { routing = Routing, account = "770010002", holder = "Someone Else Inc" });
        await _camino.UntilAsync<string>($"select coalesce(outcome, '') from camino.application_accounts where application_id = '{id}'", outcome => outcome == "notFound");
        var step = await StepAsync(id);
        var account = await AccountAsync(id);

        Assert.That(kinds, Is.EqualTo("1 2 5"), "without an account nobody is asked for one");
        Assert.That((given.StatusCode, again.StatusCode, again.Headers.Contains("Idempotency-Replayed"), second.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK, true, HttpStatusCode.OK)));
        Assert.That(await otherwise.ProblemCodeAsync(), Is.EqualTo("idempotency.key_reused"));
        Assert.That((step.GetProperty("state").GetString(), step.GetProperty("result").GetProperty("outcome").GetString()), Is.EqualTo(("done", "notFound")));
        Assert.That((account.GetProperty("holder").GetString(), account.GetProperty("last4").GetString()), Is.EqualTo(("Someone Else Inc", "0002")));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{id}' and action = 'application.account-given'"), Is.EqualTo(2));
        Assert.That(await _camino.ScalarAsync<string>($"select step from (select case state when 3 then 'underwriting' end as step from camino.applications where id = '{id}') x"), Is.EqualTo("underwriting"));
    }

    [Test]
    public async Task A_service_that_is_down_fails_in_words_and_answers_once_when_it_is_back()
    {
        Sandbox.Forget();
        Sandbox.Outage(new SandboxServices.OutageRequest("account", 600));
        var id = await HandInAsync("Patient Bittern LLC", "660018273");
        await _camino.UntilAsync<long>($"select count(*) from camino.application_steps where application_id = '{id}' and kind = 6 and problem is not null", count => count == 1);
        var early = await StepAsync(id);
        Sandbox.Outage(new SandboxServices.OutageRequest("account", 0));
        await UntilAsync(id, "underwriting");

        Assert.That(early.GetProperty("problem").GetString(), Does.Contain("account"));
        Assert.That((Sandbox.Figures["account"].Billed, Sandbox.Figures["account"].Down), Is.EqualTo((1L, Sandbox.Figures["account"].Asked - 1)));
    }

    [Test]
    public async Task What_is_no_account_is_refused_without_repeating_it_and_a_viewer_enters_none()
    {
        var id = await HandInAsync("Refused Entries LLC", null);
        await UntilAsync(id, "underwriting");
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var digits = await GiveAsync(id, new { routing = "021000022", account = "550018273" });
        using var letters = await GiveAsync(id, new { routing = Routing, account = "55001827x" });
        using var nobody = await GiveAsync(Guid.NewGuid(), new { routing = Routing, account = "550018273" });
        using var forbidden = await GiveAsync(id, new { routing = Routing, account = "550018273" }, client: viewer);
        using var handedIn = await PostAsync(new { name = "Wrong Digit LLC", phones = new[] { "912 555 0200" }, amount = "5000", bankAccount = new { routing = "021000022", account = "550018273" } });
        using var withdrawn = await _book.SendAsync($"/api/v1/applications/{id}/withdraw", new { reason = "x" }, Guid.NewGuid().ToString(), "*");
        using var ended = await GiveAsync(id, new { routing = Routing, account = "550018273" });

        Assert.That(await digits.Content.ReadAsStringAsync(), Does.Contain("input.routing").And.Not.Contain("021000022"));
        Assert.That(await letters.Content.ReadAsStringAsync(), Does.Contain("input.account").And.Not.Contain("55001827"));
        Assert.That((await nobody.ProblemCodeAsync(), forbidden.StatusCode, await handedIn.ProblemCodeAsync(), await ended.ProblemCodeAsync()), Is.EqualTo(("application.not_found", HttpStatusCode.Forbidden, "input.routing", "application.ended")));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_accounts where application_id = '{id}'"), Is.Zero);
    }

    private async Task<Guid> BookAsync(Guid id, object body)
    {
        using var made = await _book.SendAsync($"/api/v1/applications/{id}/offers", new { product = ServicedBook.Product, principal = "20000.00", annualRatePercent = "12", payments = 24, disburseOn = "2026-03-02", firstDueOn = "2026-04-15" }, Guid.NewGuid().ToString(), "*", _underwriter);
        await ServicedBook.ReadAsync(made, HttpStatusCode.Created);
        using var accepted = await _book.SendAsync($"/api/v1/applications/{id}/offers/1/accept", new { how = "phone", note = "Said so" }, Guid.NewGuid().ToString(), "*");
        await ServicedBook.ReadAsync(accepted, HttpStatusCode.OK);
        using var booked = await _book.SendAsync($"/api/v1/applications/{id}/book", body, Guid.NewGuid().ToString(), "*");
        return (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
    }

    private async Task<JsonElement> StepAsync(Guid id) => (await _camino.GetAsync($"/applications/{id}")).GetProperty("steps").EnumerateArray().Single(step => step.GetProperty("kind").GetString() == "bankAccount");

    private Task<JsonElement> AccountAsync(Guid id) => _camino.GetAsync($"/applications/{id}/bank-account");

    private Task UntilAsync(Guid id, string step) => _camino.UntilAsync<string>($"select case state when 2 then 'checking' when 3 then 'underwriting' else state::text end from camino.applications where id = '{id}'", now => now == step);

    private async Task<HttpResponseMessage> GiveAsync(Guid id, object body, string? key = null, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"/api/v1/applications/{id}/bank-account", UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        return await (client ?? _camino.Api).SendAsync(request);
    }

    private async Task<Guid> HandInAsync(string name, string? number)
    {
        var owners = new[] { new { name = "Rosa Diaz", sharePercent = "100", isGuarantor = true, birthDate = "1980-01-02" } };
        var phones = new[] { $"912 556 {++_phones:0000}" };
        using var answer = await PostAsync(number is null
            ? new { name, phones, amount = "20000", owners, address = new { state = "TX" } }
            : new { name, phones, amount = "20000", owners, address = new { state = "TX" }, bankAccount = new { routing = Routing, account = number } });
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }

    private async Task<HttpResponseMessage> PostAsync(object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        return await _camino.Api.SendAsync(request);
    }
}
