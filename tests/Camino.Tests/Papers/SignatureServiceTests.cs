using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Camino.Applications;
using Camino.Host.Sandbox;
using Camino.Testing;
using Camino.Tests.Imports;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Papers;

/// <summary>Offers signed with an outside service, against the sandbox on a real port, with callbacks and without. The business date is 2026-03-01.</summary>
internal sealed class SignatureServiceTests
{
    private WebApplication _sandbox = null!;
    private RunningCamino _camino = null!;
    private OfferedApplications _applications = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _sandbox = SandboxHost.Build("http://127.0.0.1:0", new SandboxBehaviour(Seed: 9, Milliseconds: 2));
        await _sandbox.StartAsync();
        _camino = await RunningCamino.StartAsync(providers: RunningCamino.AddressOf(_sandbox));
        _applications = await OfferedApplications.PrepareAsync(_camino);
        Sandbox.CallBackTo(new SandboxServices.CallbackTarget(new Uri(_camino.OfficeAddress, "/signature/callback"), RunningCamino.SignatureSecret));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _applications.Dispose();
        await _camino.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    [SetUp]
    public void Behave() => Sandbox.Behave(new SandboxBehaviour(Seed: 9, Milliseconds: 2));

    private SandboxServices Sandbox => _sandbox.Services.GetRequiredService<SandboxServices>();

    [Test]
    public async Task An_offer_that_was_signed_at_the_service_is_accepted_once_however_often_it_says_so_and_the_contract_shows_the_evidence()
    {
        var id = await _applications.OfferedAsync("Cedar Signal Radio LLC");
        using var before = await _camino.Api.GetAsync(new Uri($"/api/v1/applications/{id}/offers/1/signature", UriKind.Relative));
        var envelope = await OutAsync(id);
        await Sandbox.ActAsync(envelope.ToString(), new SandboxServices.EnvelopeAct("signed", Callbacks: 2), CancellationToken.None);
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 5);
        await _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and kind = 3 and state = 1", count => count == 2);
        var stands = await EnvelopeAsync(id);
        var offer = (await _camino.GetAsync($"/applications/{id}/offers")).GetProperty("items")[0];
        var kept = await _camino.ScalarAsync<byte[]>($"select sealed from camino.signature_exchanges where envelope_id = '{envelope}' order by id desc limit 1") ?? [];
        using var officer = await _applications.StaffAsync("officer");

        Assert.That(before.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(stands.GetProperty("state").GetString(), Is.EqualTo("accepted"));
        Assert.That((offer.GetProperty("state").GetString(), offer.GetProperty("acceptedBy").GetString()), Is.EqualTo(("accepted", "link")));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_events where application_id = '{id}' and move = 6 and actor_kind = 4"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<string>($"select s.consent || ' ' || (s.sha256 = p.sha256) from camino.application_signatures s join camino.application_papers p on p.id = s.paper_id where s.application_id = '{id}'"), Is.EqualTo("consent-service.1 true"));
        Assert.That(await _camino.Office.Services.GetRequiredService<ExchangeKeys>().OpenAsync(kept, CancellationToken.None), Does.Contain("Invented proof of " + envelope).And.Contain("Rosa Delgado Fuentes"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.signature_envelopes where position(convert_to('Rosa', 'UTF8') in sealed_signer) > 0"), Is.Zero);
        Assert.That(await officer.PageAsync("/notices"), Does.Contain("The applicant accepted offer 1"));
        Assert.That(_camino.LogLines.Where(line => line.Contains("Delgado", StringComparison.Ordinal) || line.Contains("@example.com", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_service_that_says_nothing_is_asked_until_it_was_signed_whatever_it_does_meanwhile()
    {
        var id = await _applications.OfferedAsync("Silent Partner Pottery LLC");
        Sandbox.Behave(new SandboxBehaviour(Seed: 9, Milliseconds: 2, Errors: 0.2, Wrong: 0.2));
        var envelope = await OutAsync(id);
        await Sandbox.ActAsync(envelope.ToString(), new SandboxServices.EnvelopeAct("signed", Callbacks: 0), CancellationToken.None);
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 5);

        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_signatures where application_id = '{id}'"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_decline_ends_the_envelope_tells_who_asked_and_leaves_the_offer_open_for_another()
    {
        var id = await _applications.OfferedAsync("Second Thought Sofas LLC");
        var envelope = await OutAsync(id);
        await Sandbox.ActAsync(envelope.ToString(), new SandboxServices.EnvelopeAct("declined"), CancellationToken.None);
        await StateAsync(envelope, 3);
        using var officer = await _applications.StaffAsync("officer");
        var notices = await officer.PageAsync("/notices");
        var second = await OutAsync(id);
        await Sandbox.ActAsync(second.ToString(), new SandboxServices.EnvelopeAct("signed"), CancellationToken.None);
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 5);

        Assert.That(notices, Does.Contain("The applicant declined to sign offer 1"));
        Assert.That(second, Is.Not.EqualTo(envelope));
    }

    [Test]
    public async Task An_envelope_that_a_newer_link_replaced_is_taken_back_and_a_signature_that_comes_too_late_does_not_count()
    {
        var id = await _applications.OfferedAsync("Changed Minds Mattress LLC");
        var first = await OutAsync(id);
        using var link = await _applications.ActAsync(id, "offers/1/link", new { });
        await StateAsync(first, 4);
        var second = await OutAsync(id);
        await Sandbox.ActAsync(second.ToString(), new SandboxServices.EnvelopeAct("signed", Callbacks: 0), CancellationToken.None);
        using var withdrawn = await _applications.ActAsync(id, "offers/1/withdraw", new { reason = "Rate was wrong" }, _applications.Underwriter);
        await CallBackAsync(second, RunningCamino.SignatureSecret, DateTimeOffset.UtcNow);
        await _camino.UntilAsync<long>($"select count(*) from camino.signature_envelopes where id = '{second}' and state in (2, 4)", count => count == 1);
        var accepted = await _camino.ScalarAsync<long>($"select count(*) from camino.application_signatures where application_id = '{id}'");

        Assert.That(await _camino.ScalarAsync<string>($"select problem from camino.signature_envelopes where id = '{first}'"), Is.EqualTo("It was taken back"));
        Assert.That(withdrawn.StatusCode == HttpStatusCode.OK ? (0L, "The service says that it was signed, but its offer or link had ended when that was heard; it does not count") : (1L, null), Is.EqualTo((accepted, await _camino.ScalarAsync<string?>($"select problem from camino.signature_envelopes where id = '{second}'"))), "either the signature was there first, or the withdrawal was");
    }

    [Test]
    public async Task A_signature_of_another_document_is_not_taken()
    {
        var id = await _applications.OfferedAsync("Switched Papers Press LLC");
        var envelope = await OutAsync(id);
        await Sandbox.ActAsync(envelope.ToString(), new SandboxServices.EnvelopeAct("signed", Sha256: new string('a', 64)), CancellationToken.None);
        await _camino.UntilAsync<string>($"select coalesce(problem, '') from camino.signature_envelopes where id = '{envelope}' and state = 5", problem => problem == "signature had another document signed than the offer");

        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_signatures where application_id = '{id}'"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<short>($"select state from camino.applications where id = '{id}'"), Is.EqualTo(4));
    }

    [Test]
    public async Task A_callback_that_nobody_signed_is_not_read()
    {
        var id = await _applications.OfferedAsync("Forged Iron Works LLC");
        var envelope = await OutAsync(id);
        var jobs = $"select (select count(*) from jobs.job where args ->> 'envelopeId' = '{envelope}' and kind = 'applications.send-envelope') + (select count(*) from jobs.finished where args ->> 'envelopeId' = '{envelope}' and kind = 'applications.send-envelope')";
        var before = await _camino.ScalarAsync<long>(jobs);
        var forged = await CallBackAsync(envelope, "another secret that is just as long as it", DateTimeOffset.UtcNow);
        var late = await CallBackAsync(envelope, RunningCamino.SignatureSecret, DateTimeOffset.UtcNow.AddMinutes(-6));
        var long1 = await CallBackAsync(envelope, RunningCamino.SignatureSecret, DateTimeOffset.UtcNow, new string(' ', 5_000));
        using var bare = await _camino.Api.PostAsync(new Uri("/signature/callback", UriKind.Relative), new StringContent("{}"));
        var unknown = await CallBackAsync(Guid.NewGuid(), RunningCamino.SignatureSecret, DateTimeOffset.UtcNow);
        var after = await _camino.ScalarAsync<long>(jobs);
        var right = await CallBackAsync(envelope, RunningCamino.SignatureSecret, DateTimeOffset.UtcNow);

        Assert.That((forged, late, long1, bare.StatusCode, unknown, right), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.Unauthorized, HttpStatusCode.NoContent, HttpStatusCode.NoContent)));
        Assert.That((after, await _camino.ScalarAsync<long>(jobs)), Is.EqualTo((before, before + 1)));
    }

    private async Task<Guid> OutAsync(Guid id)
    {
        var key = Guid.NewGuid().ToString();
        using var asked = await _applications.Book.SendAsync($"/api/v1/applications/{id}/offers/1/signature", new { }, key, null);
        using var again = await _applications.Book.SendAsync($"/api/v1/applications/{id}/offers/1/signature", new { }, key, null);
        Assert.That((asked.StatusCode, again.Headers.Contains("Idempotency-Replayed")), Is.EqualTo((HttpStatusCode.Accepted, true)));
        var envelope = (await EnvelopeAsync(id)).GetProperty("id").GetGuid();
        await _camino.UntilAsync<long>($"select count(*) from camino.signature_envelopes where id = '{envelope}' and handed_at is not null", count => count == 1);
        return envelope;
    }

    private Task<JsonElement> EnvelopeAsync(Guid id) => _camino.GetAsync($"/applications/{id}/offers/1/signature");

    private Task StateAsync(Guid envelope, int state) => _camino.UntilAsync<short>($"select state from camino.signature_envelopes where id = '{envelope}'", now => now == state);

    private async Task<HttpStatusCode> CallBackAsync(Guid envelope, string secret, DateTimeOffset at, string more = "")
    {
        var (id, timestamp, body) = ("test", at.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture), JsonSerializer.Serialize(new { reference = envelope, status = "signed" }) + more);
        using var client = _camino.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/signature/callback", UriKind.Relative)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.TryAddWithoutValidation("webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"))));
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }
}
