using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace Camino.Webhooks;

/// <summary>What came of sending one notice.</summary>
/// <param name="Status">The status that was answered; null: no answer came.</param>
/// <param name="Problem">A code for people: <c>timeout</c>, <c>address</c>, <c>name</c>, <c>tls</c>, <c>connection</c>, <c>answer</c>, <c>status</c>; null: it was taken.</param>
/// <param name="RetryAfter">When to come again, as the answer asked for.</param>
internal sealed record WebhookAnswer(int? Status, string? Problem, int Milliseconds, TimeSpan? RetryAfter);

/// <summary>
/// Sends a notice once, signed by Standard Webhooks: another attempt is the queue's. A name is resolved when the connection is made, every address that it has is checked, and the connection goes to the
/// address that was checked: a name that is bound anew in between leads nowhere else. No redirect is followed, no proxy asked, and nothing of the answer but its status is kept.
/// </summary>
/// <param name="resolve">Another way to resolve names; null: the machine's.</param>
public sealed class WebhookSender(WebhookOptions options, TimeProvider clock, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) : IDisposable
{
    /// <summary>The longest that one attempt may take, from the resolving of the name to the end of the answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Bytes of an answer that are read, and thrown away, so that its connection can be used again; longer ones lose theirs.</summary>
    public const int LongestAnswer = 16 * 1024;

    private HttpClient? _http;
    private readonly Lock _gate = new();

    /// <summary>The value of <c>webhook-signature</c>: one for each secret, separated by a space.</summary>
    internal static string Sign(string id, string timestamp, string body, IEnumerable<byte[]> secrets) =>
        string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")))));

    /// <summary>Sends a body once.</summary>
    /// <param name="id">The same at every attempt, so that who got it twice knows.</param>
    internal async Task<WebhookAnswer> SendAsync(Uri url, string id, string body, IReadOnlyList<byte[]> secrets, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        using var over = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, over.Token);
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.TryAddWithoutValidation("webhook-signature", Sign(id, timestamp, body, secrets));
        request.Headers.TryAddWithoutValidation("User-Agent", "Camino-Webhooks/1");
        try
        {
            using var answer = await Http().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            await DrainAsync(answer, either.Token);
            var status = (int)answer.StatusCode;
            return new WebhookAnswer(status, answer.IsSuccessStatusCode ? null : "status", Milliseconds(begun), RetryAfter(answer.Headers.RetryAfter));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new WebhookAnswer(null, "timeout", Milliseconds(begun), null);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return new WebhookAnswer(null, CodeOf(failed), Milliseconds(begun), null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http?.Dispose();

    private HttpClient Http()
    {
        lock (_gate)
        {
            return _http ??= new HttpClient(new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false, // a proxy would resolve the name once more, and lead elsewhere
                AutomaticDecompression = DecompressionMethods.None,
                MaxResponseHeadersLength = 16,
                MaxResponseDrainSize = 0,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
                ConnectTimeout = TimeSpan.FromSeconds(10),
                ConnectCallback = ConnectAsync,
            })
            {
                Timeout = Timeout.InfiniteTimeSpan, // each attempt has its own
            };
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var addresses = await ResolveAsync(context.DnsEndPoint.Host, ct);
        if (!options.AllowPrivateAddresses && addresses.Any(address => !WebhookAddresses.IsPublic(address)))
            throw new AddressRefusedException();
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException failed)
            {
                socket.Dispose();
                last = failed;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        return await (resolve is null ? Dns.GetHostAddressesAsync(host, ct) : resolve(host, ct));
    }

    private static async Task DrainAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[4 * 1024];
        var read = 0;
        int part;
        while (read < LongestAnswer && (part = await stream.ReadAsync(buffer, ct)) > 0)
            read += part;
    }

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header?.Delta is { } delta && delta > TimeSpan.Zero ? delta : null;

    private static string CodeOf(Exception failed)
    {
        for (var inner = failed; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AddressRefusedException:
                    return "address";
                case AuthenticationException:
                    return "tls";
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return "name";
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return "answer";
            }
        }

        return "connection";
    }

    private int Milliseconds(long begun) => (int)clock.GetElapsedTime(begun).TotalMilliseconds;

    private sealed class AddressRefusedException() : IOException("The name leads to this machine or into a private network.");
}
