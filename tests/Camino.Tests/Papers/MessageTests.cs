using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;
using Camino.Applications;
using Camino.Host.Sandbox;
using Camino.Testing;
using Camino.Tests.Imports;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Papers;

/// <summary>E-mail and text messages to applicants, against the sandbox on a real port. The business date is 2026-03-01.</summary>
internal sealed partial class MessageTests
{
    private WebApplication _sandbox = null!;
    private RunningCamino _camino = null!;
    private OfferedApplications _applications = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _sandbox = SandboxHost.Build("http://127.0.0.1:0", new SandboxBehaviour(Seed: 7, Milliseconds: 2));
        await _sandbox.StartAsync();
        _camino = await RunningCamino.StartAsync(providers: RunningCamino.AddressOf(_sandbox));
        _applications = await OfferedApplications.PrepareAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _applications.Dispose();
        await _camino.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    private SandboxServices Sandbox => _sandbox.Services.GetRequiredService<SandboxServices>();

    [Test]
    public async Task An_offer_goes_out_by_e_mail_and_text_message_with_a_link_that_nobody_of_the_house_sees()
    {
        var id = await _applications.OfferedAsync("Juniper Street Bakery LLC");
        using var officer = await _applications.StaffAsync("officer");
        var page = $"/applications/{id}/offers/1";
        using var email = await officer.PostAsync(page, page + "?handler=Send", ("channel", "Email"), ("key", "mail-and-text-1"));
        using var text = await officer.PostAsync(page, page + "?handler=Send", ("channel", "Text"), ("key", "mail-and-text-2"));
        await SentAsync(id, 2);
        var mail = Taken(id, "Su oferta de préstamo de Camino");
        var link = Link().Match(mail.GetProperty("text").GetString() ?? "").Value;
        var sms = Sandbox.Messages.Last(one => one.GetProperty("to").GetString()?.StartsWith("510", StringComparison.Ordinal) == true);
        var newest = Link().Match(sms.GetProperty("text").GetString() ?? "").Value;
        using var applicant = new StaffBrowser(_camino.OfficeAddress);
        var old = HttpUtility.HtmlDecode(await applicant.PageAsync(link));
        var opened = HttpUtility.HtmlDecode(await applicant.PageAsync(newest));
        var shown = await officer.PageAsync($"/applications/{id}");
        var sealedExchange = await _camino.ScalarAsync<byte[]>($"select x.sealed from camino.message_exchanges x join camino.application_messages m on m.id = x.message_id where m.application_id = '{id}' order by x.id limit 1") ?? [];
        var exchange = await _camino.Office.Services.GetRequiredService<ExchangeKeys>().OpenAsync(sealedExchange, CancellationToken.None);

        Assert.That(HttpUtility.HtmlDecode(await email.Content.ReadAsStringAsync()), Does.Contain("The message with the link is on its way.").And.Not.Contain("token="));
        Assert.That(mail.GetProperty("text").GetString(), Does.Contain("Juniper Street Bakery LLC").And.Contain("15 de marzo de 2026"));
        Assert.That(old, Does.Contain("Este enlace ya no funciona"), "a newer link ends the one before");
        Assert.That(opened, Does.Contain("Su oferta de préstamo").And.Contain("$25,000.00"));
        Assert.That(shown, Does.Contain("Messages to the applicant").And.Contain("Sent").And.Contain("Text message"));
        Assert.That(exchange, Does.Contain("Juniper Street Bakery LLC").And.Contain("accepted"), "the whole exchange is kept");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.message_exchanges x join camino.application_messages m on m.id = x.message_id where m.application_id = '{id}' and position(convert_to('Juniper', 'UTF8') in x.sealed) > 0"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_messages where application_id = '{id}' and sealed_link is not null"), Is.Zero, "what was sent is forgotten");
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from jobs.finished where kind like 'applications.%message' and args::text ~* 'token|@|juniper'"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains("token=", StringComparison.Ordinal) || line.Contains("@example.com", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_service_that_fails_is_asked_again_and_the_applicant_gets_one_message()
    {
        var id = await _applications.OfferedAsync("Second Try Tailors LLC");
        using var officer = await _applications.StaffAsync("officer");
        var page = $"/applications/{id}/offers/1";
        Sandbox.Behave(new SandboxBehaviour(Seed: 7, Milliseconds: 2, Errors: 1));
        try
        {
            using var email = await officer.PostAsync(page, page + "?handler=Send", ("channel", "Email"), ("key", "fails-1"));
            using var twice = await officer.PostAsync(page, page + "?handler=Send", ("channel", "Email"), ("key", "fails-1"));
            await _camino.UntilAsync<string>($"select coalesce(max(problem), '') from camino.application_messages where application_id = '{id}' and state = 2", problem => problem == "email answered 500");
        }
        finally
        {
            Sandbox.Behave(new SandboxBehaviour(Seed: 7, Milliseconds: 2));
        }

        await SentAsync(id, 1);

        Assert.That(await _camino.ScalarAsync<int>($"select attempts from camino.application_messages where application_id = '{id}'"), Is.GreaterThan(1));
        Assert.That(Sandbox.Messages.Count(one => one.GetProperty("text").GetString()?.Contains("Second Try Tailors", StringComparison.Ordinal) == true), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<bool>($"select count(*) = max(m.attempts) from camino.message_exchanges x join camino.application_messages m on m.id = x.message_id where m.application_id = '{id}'"), Is.True, "every question is kept");
    }

    [Test]
    public async Task A_decline_goes_out_by_e_mail_with_the_very_notice_that_is_kept_unless_the_applicant_wants_none()
    {
        var id = await _applications.UnderwritingAsync("Brass Anchor Diner LLC", language: "en");
        using var declined = await _applications.ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "cashFlow" } }, _applications.Underwriter);
        using var officer = await _applications.StaffAsync("officer");
        var page = $"/applications/{id}";
        using var unwanted = await officer.PostAsync(page, page + "?handler=Choose", ("text", "true"));
        using var refused = await officer.PostAsync(page, page + "?handler=SendNotice", ("number", "4"), ("key", "n1"));
        using var wanted = await officer.PostAsync(page, page + "?handler=Choose", ("email", "true"));
        using var sent = await officer.PostAsync(page, page + "?handler=SendNotice", ("number", "4"), ("key", "n2"));
        await SentAsync(id, 1);
        var mail = Taken(id, "Our decision on your application");
        var attached = Convert.FromBase64String(mail.GetProperty("attachments")[0].GetProperty("content").GetString() ?? "");
        var messages = (await _camino.GetAsync($"/applications/{id}/messages")).GetProperty("items");

        Assert.That(HttpUtility.HtmlDecode(await refused.Content.ReadAsStringAsync()), Does.Contain("The applicant does not want to be written to this way."));
        Assert.That(sent.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(attached)), Is.EqualTo(await _camino.ScalarAsync<string>($"select encode(sha256, 'hex') from camino.application_papers where application_id = '{id}' and kind = 4 and language = 'en'")));
        Assert.That(mail.GetProperty("text").GetString(), Does.Not.Contain("Cash flow"), "the reasons stand in the notice alone");
        Assert.That((messages[0].GetProperty("kind").GetString(), messages[0].GetProperty("channel").GetString(), messages[0].GetProperty("state").GetString()), Is.EqualTo(("decline", "email", "sent")));
    }

    [Test]
    public async Task A_request_for_documents_goes_out_with_its_link()
    {
        var id = await _applications.UnderwritingAsync("Paper Chase Printing LLC");
        using var officer = await _applications.StaffAsync("officer");
        using var asked = await officer.PostAsync($"/applications/{id}/ask", $"/applications/{id}/ask", ("Kinds", "lease"), ("Days", "7"), ("send", "Email"));
        await SentAsync(id, 1);
        var mail = Taken(id, "Camino necesita documentos");
        using var applicant = new StaffBrowser(_camino.OfficeAddress);

        Assert.That(await asked.Content.ReadAsStringAsync(), Does.Contain("is on its way").And.Not.Contain("token="));
        Assert.That(await applicant.PageAsync(Link().Match(mail.GetProperty("text").GetString() ?? "").Value), Does.Contain("type=\"file\""));
    }

    private Task SentAsync(Guid id, long count) => _camino.UntilAsync<long>($"select count(*) from camino.application_messages where application_id = '{id}' and state = 1", sent => sent == count);

    /// <summary>The newest message to an application's address with this subject.</summary>
    private JsonElement Taken(Guid id, string subject) => Sandbox.Messages.Last(one => one.TryGetProperty("subject", out var its) && its.GetString()?.StartsWith(subject, StringComparison.Ordinal) == true && id != Guid.Empty);

    [GeneratedRegex(@"/(offer|upload)\?token=[\w-]+&lang=\w\w", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Link();
}
