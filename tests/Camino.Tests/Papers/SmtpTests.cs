using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Camino.Applications;
using Camino.Applications.Messages;
using Camino.Host.Configuration;
using Camino.Testing;
using Camino.Tests.Imports;
using Microsoft.Extensions.DependencyInjection;
using MimeKit;
using NUnit.Framework;

namespace Camino.Tests.Papers;

/// <summary>E-mails to applicants by SMTP, against a small mail server on a real port. The business date is 2026-03-01.</summary>
internal sealed class SmtpTests
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"camino-smtp-{Guid.NewGuid():N}.pem");

    private MailServer _server = null!;
    private RunningCamino _camino = null!;
    private OfferedApplications _applications = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = new MailServer();
        await File.WriteAllTextAsync(_root, _server.Certificate.ExportCertificatePem());
        _camino = await RunningCamino.StartAsync(withAsync: false);
        await _camino.StartAsyncServerAsync(settings => settings.Smtp = new SmtpSettings
        {
            Host = "127.0.0.1",
            Port = _server.Port,
            User = MailServer.User,
            Password = MailServer.Password,
            From = "loans@lender.example",
            RootCertificate = _root,
            TimeoutSeconds = 5,
            RestSeconds = 1,
        });
        _applications = await OfferedApplications.PrepareAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _applications.Dispose();
        await _camino.DisposeAsync();
        await _server.DisposeAsync();
        File.Delete(_root);
    }

    [Test]
    public async Task A_decline_goes_out_encrypted_and_signed_in_with_the_very_notice_that_is_kept()
    {
        var id = await DeclinedAsync("Brass Lantern Diner LLC");
        await NoticeAsync(id, "smtp-1");
        await _camino.UntilAsync<long>($"select count(*) from camino.application_messages where application_id = '{id}' and state = 1", sent => sent == 1);
        var (user, mail) = (await MailsAsync(id))[^1];
        var notice = mail.Attachments.OfType<MimePart>().Single();
        using var content = new MemoryStream();
        await (notice.Content ?? throw new InvalidOperationException("The notice is empty.")).DecodeToAsync(content);
        var message = await _camino.ScalarAsync<Guid>($"select id from camino.application_messages where application_id = '{id}'");
        var exchange = await _camino.ScalarAsync<byte[]>($"select sealed from camino.message_exchanges where message_id = '{message}'") ?? [];

        Assert.That(user, Is.EqualTo(MailServer.User));
        Assert.That((mail.From.ToString(), mail.MessageId), Is.EqualTo(("\"Camino\" <loans@lender.example>", $"{message:N}@lender.example")));
        Assert.That(mail.Subject, Does.StartWith("Our decision on your application"));
        Assert.That(mail.TextBody, Does.Contain("A-1"));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(content.ToArray())), Is.EqualTo(await _camino.ScalarAsync<string>($"select encode(sha256, 'hex') from camino.application_papers where application_id = '{id}' and kind = 4 and language = 'en'")));
        Assert.That(_server.InTheClear.Where(line => !line.StartsWith("EHLO", StringComparison.Ordinal) && line != "STARTTLS"), Is.Empty, "nothing is said before it is encrypted");
        Assert.That(await _camino.Office.Services.GetRequiredService<ExchangeKeys>().OpenAsync(exchange, CancellationToken.None), Does.Contain("Our decision on your application").And.Contain("taken as 1"));
        Assert.That(await _camino.ScalarAsync<string>($"select provider || ' ' || status from camino.message_exchanges where message_id = '{message}'"), Is.EqualTo("smtp 250"));
        Assert.That(_camino.LogLines.Where(line => line.Contains(MailServer.Password, StringComparison.Ordinal) || line.Contains("@example.com", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_server_that_offers_no_encryption_gets_neither_password_nor_mail_until_it_does()
    {
        _server.OffersStartTls = false;
        var id = await DeclinedAsync("Clear Text Cafe LLC");
        try
        {
            await NoticeAsync(id, "smtp-2");
            await FailedAsync(id, "smtp offers no encryption that is trusted");
        }
        finally
        {
            _server.OffersStartTls = true;
        }

        await SentAsync(id);

        Assert.That(_server.InTheClear.Where(line => line.StartsWith("AUTH", StringComparison.Ordinal) || line.StartsWith("MAIL", StringComparison.Ordinal)), Is.Empty);
        Assert.That(await MailsAsync(id), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_certificate_that_nobody_vouches_for_is_not_trusted()
    {
        var right = _server.Certificate;
        using var other = MailServer.MakeCertificate();
        _server.Certificate = other;
        var id = await DeclinedAsync("False Front Saloon LLC");
        try
        {
            await NoticeAsync(id, "smtp-3");
            await FailedAsync(id, "smtp offers no encryption that is trusted");
        }
        finally
        {
            _server.Certificate = right;
        }

        await SentAsync(id);

        Assert.That(await MailsAsync(id), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_server_that_is_busy_is_tried_again_and_what_it_refuses_for_good_is_not()
    {
        _server.Recipient = "451 later";
        var id = await DeclinedAsync("Busy Signal Phones LLC");
        var never = await DeclinedAsync("No Such Box LLC");
        try
        {
            await NoticeAsync(id, "smtp-4");
            await FailedAsync(id, "smtp answered 451");
            _server.Recipient = "250 ok";
            await SentAsync(id);
            _server.Recipient = "550 nobody here";
            await NoticeAsync(never, "smtp-5");
            await FailedAsync(never, "smtp refused the message for good: 550");
            await _camino.UntilAsync<long>($"select count(*) from jobs.finished f join camino.application_messages m on f.args ->> 'messageId' = m.id::text where m.application_id = '{never}' and f.kind = 'applications.deliver-message'", count => count == 1);
        }
        finally
        {
            _server.Recipient = "250 ok";
        }

        Assert.That(await _camino.ScalarAsync<int>($"select attempts from camino.application_messages where application_id = '{never}'"), Is.EqualTo(1), "it is not tried again");
        Assert.That(await MailsAsync(never), Is.Empty);
    }

    [Test]
    public async Task A_server_that_hangs_up_when_it_has_the_mail_is_not_given_it_again()
    {
        _server.HangsUp = true;
        var id = await DeclinedAsync("Short Goodbye Travel LLC");
        try
        {
            await NoticeAsync(id, "smtp-6");
            await SentAsync(id);
        }
        finally
        {
            _server.HangsUp = false;
        }

        Assert.That(await MailsAsync(id), Has.Count.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_server_that_is_encrypted_from_the_start_takes_mail_too_and_none_from_who_has_the_wrong_password(bool isRight)
    {
        await using var server = new MailServer(isTlsFromStart: true);
        var id = await DeclinedAsync($"Straight Through {isRight} LLC");
        await NoticeAsync(id, $"smtp-7-{isRight}");
        await SentAsync(id);
        var message = await _camino.ScalarAsync<Guid>($"select id from camino.application_messages where application_id = '{id}'");
        var services = _camino.Async?.Services ?? throw new InvalidOperationException("There is no Async Server.");
        var providers = services.GetRequiredService<Providers>() with { Smtp = new SmtpServer("127.0.0.1", server.Port, IsTlsFromStart: true, MailServer.User, isRight ? MailServer.Password : "wrong", "loans@lender.example", "Camino", [X509CertificateLoader.LoadCertificate(server.Certificate.RawData)]) };
        var send = new SendMail(providers, services.GetRequiredService<ProviderClient>(), TimeProvider.System);
        var mail = new OutgoingMail("somebody@example.com", "Straight", "Through", "en", []);

        if (isRight)
            await send.RunAsync(message, mail, CancellationToken.None);
        else
            Assert.That(() => send.RunAsync(message, mail, CancellationToken.None), Throws.InstanceOf<ProviderFailedException>().With.Message.EqualTo("smtp does not take the user and password"));
        Assert.That(server.Taken.Select(one => (one.User, one.Mail.Subject)), Is.EqualTo(isRight ? [("camino", "Straight")] : Array.Empty<(string?, string)>()));
    }

    private async Task<Guid> DeclinedAsync(string name)
    {
        var id = await _applications.UnderwritingAsync(name, language: "en");
        using var declined = await _applications.ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "cashFlow" } }, _applications.Underwriter);
        return id;
    }

    private async Task NoticeAsync(Guid id, string key)
    {
        using var officer = await _applications.StaffAsync("officer");
        using var sent = await officer.PostAsync($"/applications/{id}", $"/applications/{id}?handler=SendNotice", ("number", "4"), ("key", key));
    }

    private Task SentAsync(Guid id) => _camino.UntilAsync<long>($"select count(*) from camino.application_messages where application_id = '{id}' and state = 1", sent => sent == 1);

    private Task FailedAsync(Guid id, string problem) => _camino.UntilAsync<string>($"select coalesce(max(problem), '') from camino.application_messages where application_id = '{id}' and state = 2", now => now == problem);

    private async Task<List<(string? User, MimeMessage Mail)>> MailsAsync(Guid id)
    {
        var message = await _camino.ScalarAsync<Guid>($"select id from camino.application_messages where application_id = '{id}'");
        return [.. _server.Taken.Where(one => one.Mail.MessageId?.StartsWith($"{message:N}", StringComparison.Ordinal) == true)];
    }
}
