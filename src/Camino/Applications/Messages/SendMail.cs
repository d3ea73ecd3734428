using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Camino.Jobs;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Camino.Applications.Messages;

/// <summary>The mail server that takes e-mails, where no service does so over HTTP.</summary>
/// <param name="IsTlsFromStart">Encrypted from the first byte; else by STARTTLS, without which nothing is said. In the clear it never speaks.</param>
/// <param name="User">Null: it asks for no name.</param>
/// <param name="From">The address that mails come from.</param>
/// <param name="FromName">Whose name stands beside it.</param>
/// <param name="Authorities">Whoever may vouch for the server; null: those that this computer trusts.</param>
public sealed record SmtpServer(string Host, int Port, bool IsTlsFromStart, string? User, string? Password, string From, string FromName, X509Certificate2Collection? Authorities);

/// <summary>A file that goes along with an e-mail.</summary>
/// <param name="Content">In base64.</param>
internal sealed record MailedFile(string Name, string Type, string Content);

/// <summary>An e-mail as it is handed to whoever sends it.</summary>
internal sealed record OutgoingMail(string? To, string Subject, string Text, string Language, IReadOnlyList<MailedFile> Attachments);

/// <summary>
/// Hands e-mails to a mail server by SMTP: the second way besides a service over HTTP, with the same limits, tries, rest and kept exchanges. The mail's id is the message's, so that a mail which the server took
/// without being heard, and gets a second time, can be told by it.
/// </summary>
public sealed class SendMail(Providers providers, ProviderClient client, TimeProvider clock)
{
    /// <exception cref="ProviderFailedException">the server did not take it; it is tried again.</exception>
    /// <exception cref="JobAbandonedException">the server refuses it for good.</exception>
    /// <exception cref="JobSnoozedException">the server rests.</exception>
    internal Task RunAsync(Guid messageId, OutgoingMail mail, CancellationToken ct)
    {
        var server = providers.Smtp ?? throw new InvalidOperationException("No mail server is set up.");
        return client.AskOtherwiseAsync(providers.Email, Asker.Message, messageId, JsonSerializer.Serialize(mail with { Attachments = [.. mail.Attachments.Select(file => file with { Content = "" })] }, JsonSerializerOptions.Web), token => HandOverAsync(server, messageId, mail, token), ct);
    }

    private async Task<(int Status, string Answer)> HandOverAsync(SmtpServer server, Guid messageId, OutgoingMail mail, CancellationToken ct)
    {
        using var message = MessageOf(server, messageId, mail);
        using var smtp = new SmtpClient { CheckCertificateRevocation = server.Authorities is null };
        if (server.Authorities is { } authorities)
            smtp.ServerCertificateValidationCallback = (_, certificate, _, errors) => IsVouchedFor(certificate, errors, authorities);
        try
        {
            await smtp.ConnectAsync(server.Host, server.Port, server.IsTlsFromStart ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls, ct);
            if (server.User is { } user)
                await smtp.AuthenticateAsync(user, server.Password ?? "", ct);
            var answer = await smtp.SendAsync(message, ct);
            await GoAsync(smtp, ct);
            return ((int)SmtpStatusCode.Ok, answer);
        }
        catch (SmtpCommandException refused) when ((int)refused.StatusCode >= 500 && refused.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted)
        {
            throw new JobAbandonedException(string.Create(CultureInfo.InvariantCulture, $"{providers.Email.Name} refused the message for good: {(int)refused.StatusCode}"));
        }
        catch (SmtpCommandException refused)
        {
            throw new ProviderFailedException(string.Create(CultureInfo.InvariantCulture, $"{providers.Email.Name} answered {(int)refused.StatusCode}"), refused);
        }
        catch (AuthenticationException refused)
        {
            throw new ProviderFailedException($"{providers.Email.Name} does not take the user and password", refused);
        }
        catch (Exception unsafely) when (unsafely is SslHandshakeException or NotSupportedException)
        {
            throw new ProviderFailedException($"{providers.Email.Name} offers no encryption that is trusted", unsafely);
        }
        catch (Exception silent) when (silent is ProtocolException or IOException or SocketException)
        {
            throw new ProviderFailedException($"{providers.Email.Name} cannot be reached", silent);
        }
    }

    /// <summary>The server has the mail: how the conversation ends counts no more, and must not have it sent again.</summary>
    private static async Task GoAsync(SmtpClient smtp, CancellationToken ct)
    {
        try
        {
            await smtp.DisconnectAsync(quit: true, ct);
        }
        catch (Exception ended) when (ended is ProtocolException or CommandException or IOException or SocketException)
        {
            // it hung up first
        }
    }

    private MimeMessage MessageOf(SmtpServer server, Guid messageId, OutgoingMail mail)
    {
        if (!MailboxAddress.TryParse(mail.To, out var to))
            throw new JobAbandonedException($"{providers.Email.Name} refused the message for good: it is no address");
        var body = new BodyBuilder { TextBody = mail.Text };
        foreach (var file in mail.Attachments)
            body.Attachments.Add(file.Name, Convert.FromBase64String(file.Content), ContentType.Parse(file.Type));
        var message = new MimeMessage { Subject = mail.Subject, Body = body.ToMessageBody(), MessageId = $"{messageId:N}@{server.From[(server.From.IndexOf('@', StringComparison.Ordinal) + 1)..]}", Date = clock.GetUtcNow() };
        message.From.Add(new MailboxAddress(server.FromName, server.From));
        message.To.Add(to);
        message.Headers.Add("Auto-Submitted", "auto-generated"); // nobody's absence is answered to it
        return message;
    }

    private static bool IsVouchedFor(X509Certificate? certificate, SslPolicyErrors errors, X509Certificate2Collection authorities)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return false;
        using var shown = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // an authority of the house publishes no list
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        return chain.Build(shown);
    }
}
