using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MimeKit;

namespace Camino.Tests.Papers;

/// <summary>A small mail server on a free port of the loopback address that really speaks SMTP: STARTTLS or TLS from the start, a user and a password, and whatever answer a test wants.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    public const string User = "camino";
    public const string Password = "slate robin orchard";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentBag<Task> _talks = [];
    private readonly Task _accepting;

    /// <param name="isTlsFromStart">Encrypted from the first byte.</param>
    public MailServer(bool isTlsFromStart = false)
    {
        IsTlsFromStart = isTlsFromStart;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public X509Certificate2 Certificate { get; set; } = MakeCertificate();

    public bool IsTlsFromStart { get; }

    /// <summary>Whether it offers to encrypt.</summary>
    public bool OffersStartTls { get; set; } = true;

    /// <summary>Answered to each recipient.</summary>
    public string Recipient { get; set; } = "250 ok";

    /// <summary>Hangs up after the mail was taken.</summary>
    public bool HangsUp { get; set; }

    /// <summary>Mails that it took, with the name of who signed in.</summary>
    public ConcurrentQueue<(string? User, MimeMessage Mail)> Taken { get; } = new();

    /// <summary>Every line that came in the clear.</summary>
    public ConcurrentQueue<string> InTheClear { get; } = new();

    /// <summary>Recipients that were named.</summary>
    public ConcurrentQueue<string> Recipients { get; } = new();

    /// <summary>Vouches for itself, for as long as a test.</summary>
    public static X509Certificate2 MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_talks);
        _ended.Dispose();
        Certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _talks.Add(TalkAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the test is over
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await using var plain = client.GetStream();
                if (IsTlsFromStart)
                    await TalkEncryptedAsync(plain, greets: true);
                else
                    await TalkAsync(plain, isEncrypted: false, greets: true);
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or SocketException)
        {
            // the other side hung up, or trusts no such certificate
        }
    }

    private async Task TalkEncryptedAsync(Stream plain, bool greets)
    {
        await using var secret = new SslStream(plain);
        await secret.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate }, _ended.Token);
        await TalkAsync(secret, isEncrypted: true, greets);
    }

    private async Task TalkAsync(Stream stream, bool isEncrypted, bool greets)
    {
        string? user = null;
        if (greets)
            await SayAsync(stream, "220 test");
        while (await HearAsync(stream) is { } line)
        {
            if (!isEncrypted)
                InTheClear.Enqueue(line);
            switch (line.Split(' ')[0].ToUpperInvariant())
            {
                case "EHLO":
                    await SayAsync(stream, "250-test", isEncrypted || !OffersStartTls ? "250-AUTH PLAIN" : "250-STARTTLS", "250 8BITMIME");
                    break;
                case "STARTTLS" when OffersStartTls && !isEncrypted:
                    await SayAsync(stream, "220 go on");
                    await TalkEncryptedAsync(stream, greets: false);
                    return;
                case "AUTH":
                    var said = Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[^1])).Split('\0');
                    user = said[^2] == User && said[^1] == Password ? said[^2] : null;
                    await SayAsync(stream, user is null ? "535 no" : "235 ok");
                    break;
                case "MAIL":
                    await SayAsync(stream, user is null ? "530 sign in first" : "250 ok");
                    break;
                case "RCPT":
                    Recipients.Enqueue(line);
                    await SayAsync(stream, Recipient);
                    break;
                case "DATA":
                    await SayAsync(stream, "354 go on");
                    Taken.Enqueue((user, await MailAsync(stream)));
                    await SayAsync(stream, "250 taken as 1");
                    if (HangsUp)
                        return;
                    break;
                case "QUIT":
                    await SayAsync(stream, "221 bye");
                    return;
                default:
                    await SayAsync(stream, "250 ok");
                    break;
            }
        }
    }

    private async Task<MimeMessage> MailAsync(Stream stream)
    {
        using var whole = new MemoryStream();
        while (await HearAsync(stream) is { } line && line != ".")
            whole.Write(Encoding.Latin1.GetBytes((line.StartsWith("..", StringComparison.Ordinal) ? line[1..] : line) + "\r\n"));
        whole.Position = 0;
        return await MimeMessage.LoadAsync(whole, _ended.Token);
    }

    private async Task SayAsync(Stream stream, params string[] lines) => await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(lines.Select(line => line + "\r\n"))), _ended.Token);

    private async Task<string?> HearAsync(Stream stream)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _ended.Token) == 1)
        {
            if (one[0] == '\n')
                return Encoding.Latin1.GetString(line.ToArray()).TrimEnd('\r');
            line.Add(one[0]);
        }

        return null;
    }

}
