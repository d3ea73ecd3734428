using System.Diagnostics;
using System.Net;

namespace Camino.Benchmarks;

/// <summary>Requests at a fixed rate, sent when the clock says so and not when the last answer came: a server that stops for a second is seen by all who came in that second.</summary>
/// <param name="clients">Whose turn it is in turn.</param>
/// <param name="next">What is asked at each turn, and its name.</param>
/// <param name="isRight">Whether an answer is what it should be.</param>
internal sealed class OpenLoop(IReadOnlyList<HttpClient> clients, int perSecond, Func<long, (string Page, HttpRequestMessage Request)> next, Func<HttpStatusCode, string, bool> isRight)
{
    private long _turn;

    /// <summary>Pages in turn, each of which must come whole.</summary>
    public OpenLoop(IReadOnlyList<HttpClient> browsers, int perSecond, IReadOnlyList<(string Page, Func<long, string> Path)> pages)
        : this(
            browsers, perSecond,
            turn => (pages[(int)(turn % pages.Count)].Page, new HttpRequestMessage(HttpMethod.Get, new Uri(pages[(int)(turn % pages.Count)].Path(turn / pages.Count), UriKind.Relative))),
            (status, text) => status == HttpStatusCode.OK && text.Contains("</html>", StringComparison.OrdinalIgnoreCase))
    {
    }

    /// <summary>Sends for so long and waits for the last answer.</summary>
    public async Task<List<PageTime>> RunAsync(TimeSpan duration, CancellationToken ct)
    {
        var sent = new List<Task<PageTime>>();
        var started = Stopwatch.GetTimestamp();
        var count = (int)(duration.TotalSeconds * perSecond);
        for (var i = 0; i < count; i++)
        {
            var due = started + (long)i * Stopwatch.Frequency / perSecond;
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, ct);
            sent.Add(SendAsync(due, ct));
        }

        return [.. await Task.WhenAll(sent)];
    }

    /// <param name="sorted">Ascending.</param>
    /// <returns>The least value that so many percent of all do not exceed.</returns>
    public static double Percentile(List<double> sorted, int percent) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100.0) - 1)];

    private Task<PageTime> SendAsync(long due, CancellationToken ct)
    {
        var client = clients[(int)(_turn % clients.Count)];
        var (page, request) = next(_turn++);
        return Task.Run(async () =>
        {
            using (request)
            {
                using var answer = await client.SendAsync(request, ct);
                var text = await answer.Content.ReadAsStringAsync(ct);
                var milliseconds = Stopwatch.GetElapsedTime(due).TotalMilliseconds;
                return new PageTime(page, milliseconds, isRight(answer.StatusCode, text));
            }
        }, ct);
    }
}

/// <param name="Right">Whether the answer was what it should be.</param>
internal sealed record PageTime(string Page, double Milliseconds, bool Right);
