using System.Net;
using System.Net.Http.Json;
using Camino.Applications;
using Camino.Host.Sandbox;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>Checks at outside services, against the sandbox on a real port: errors, nonsense, throttling and an outage cost attempts and never a second bill.</summary>
internal sealed class ProviderTests
{
    private WebApplication _sandbox = null!;
    private RunningCamino _camino = null!;
    private InventedLists _lists = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _sandbox = SandboxHost.Build("http://127.0.0.1:0", new SandboxBehaviour(Seed: 7, Milliseconds: 5));
        await _sandbox.StartAsync();
        _camino = await RunningCamino.StartAsync(providers: RunningCamino.AddressOf(_sandbox));
        _lists = new InventedLists();
        await _lists.TakeInAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _camino.DisposeAsync();
        await _sandbox.DisposeAsync();
        _lists.Dispose();
    }

    [SetUp]
    public void Forget() => Sandbox.Forget();

    private SandboxServices Sandbox => _sandbox.Services.GetRequiredService<SandboxServices>();

    [Test]
    public async Task Every_application_reaches_underwriting_and_no_report_is_billed_twice_whatever_the_services_do()
    {
        Sandbox.Behave(new SandboxBehaviour(Seed: 7, Milliseconds: 5, Errors: 0.15, Wrong: 0.15));
        var ids = new List<Guid>();
        for (var i = 0; i < 10; i++)
            ids.Add(await HandInAsync($"Applicant {i} LLC", consent: true));
        var these = "('" + string.Join("', '", ids) + "')";
        await _camino.UntilAsync<long>($"select count(*) from camino.application_steps where application_id in {these} and state = 2", count => count > 5);
        Sandbox.Outage(new SandboxServices.OutageRequest("credit", 1));
        await _camino.UntilAsync<long>($"select count(*) from camino.applications where id in {these} and state = 3", count => count == ids.Count);
        var figures = Sandbox.Figures;

        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_steps where application_id in {these} and kind > 1 and state = 2"), Is.EqualTo(ids.Count * 4));
        Assert.That(figures.ToDictionary(pair => pair.Key, pair => pair.Value.Billed), Is.EqualTo(new Dictionary<string, long> { ["registry"] = 10, ["credit"] = 20, ["identity"] = 10 }));
        Assert.That(figures.Values.Sum(one => one.Errors), Is.GreaterThan(0));
        Assert.That(figures.Values.Sum(one => one.Wrong), Is.GreaterThan(0));
        Assert.That(figures.Values.Sum(one => one.Repeated), Is.GreaterThan(0), "a report that came out wrong was asked for again and not billed");
        Assert.That(figures.Values.Select(one => one.MostAtOnce), Is.All.LessThanOrEqualTo(RunningCamino.ProviderAtOnce));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_exchanges x join camino.application_steps s on s.id = x.step_id where s.application_id in {these}"), Is.EqualTo(figures.Values.Sum(one => one.Asked)), "every question is kept");
        Assert.That(await _camino.ScalarAsync<bool>("select bool_and((result ->> 'score')::int between 300 and 850) from camino.application_steps where kind in (3, 4)"), Is.True);
    }

    [Test]
    public async Task An_exchange_is_sealed_for_whoever_works_the_queue_and_opened_with_the_keys_of_the_pages()
    {
        Sandbox.Behave(new SandboxBehaviour(Seed: 7, Milliseconds: 1));
        var id = await HandInAsync("Sealed Harbor LLC", consent: false);
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 3);
        var whole = await _camino.ScalarAsync<byte[]>($"select x.sealed from camino.application_exchanges x join camino.application_steps s on s.id = x.step_id where s.application_id = '{id}' and s.kind = 2") ?? [];
        var opened = await _camino.Office.Services.GetRequiredService<ExchangeKeys>().OpenAsync(whole, CancellationToken.None);

        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(kind::text, ' ' order by kind) from camino.application_steps where application_id = '{id}'"), Is.EqualTo("1 2 5"), "without consent no credit report");
        Assert.That(opened, Does.Contain("Sealed Harbor LLC").And.Contain("reference"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_exchanges where position(convert_to('Harbor', 'UTF8') in sealed) > 0"), Is.Zero);
        Assert.That(_camino.Async?.Services.GetService<ExchangeKeys>(), Is.Null, "the Async Server cannot open it");
        Assert.That(_camino.LogLines.Where(line => line.Contains("Sealed Harbor", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_service_that_throttles_is_asked_again_when_it_says_without_losing_an_attempt()
    {
        Sandbox.Behave(new SandboxBehaviour(Seed: 7, Milliseconds: 1, PerSecond: 1));
        var id = await HandInAsync("Patient Heron LLC", consent: true);
        var other = await HandInAsync("Patient Egret LLC", consent: true);
        await _camino.UntilAsync<long>($"select count(*) from camino.applications where id in ('{id}', '{other}') and state = 3", count => count == 2);

        Assert.That(Sandbox.Figures["credit"].Throttled, Is.GreaterThan(0));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from jobs.finished f join camino.application_steps s on s.job_id = f.id where s.application_id in ('{id}', '{other}') and f.attempt > 1"), Is.Zero);
    }

    [Test]
    public void The_same_seed_behaves_the_same_and_the_sandbox_listens_on_the_loopback_address_only() =>
        Assert.That(() => SandboxHost.Build("http://0.0.0.0:0", new SandboxBehaviour()), Throws.ArgumentException.With.Message.Contains("loopback"));

    private async Task<Guid> HandInAsync(string name, bool consent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative))
        {
            Content = JsonContent.Create(new { name, phones = new[] { "912 555 0101" }, amount = "5000", ein = "47-1234321", creditConsent = consent, owners = new[] { new { name = "Rosa Diaz", sharePercent = "100", isGuarantor = true, birthDate = "1980-01-02", taxNumber = "123-45-6789" } } }),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await _camino.Api.SendAsync(request);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }
}
