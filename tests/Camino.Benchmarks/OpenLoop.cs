using System.Diagnostics;
using System.Net;

namespace Camino.Benchmarks;

/// <summary>Requests at a fixed rate, sent when the clock says so and not when the last answer came: a server that stops for a second is seen by all who came in that second.</summary>
internal sealed class OpenLoop(HttpClient browser, int perSecond, IReadOnlyList<(string Page, Func<long, string> Path)> pages)
{
    private long _turn;

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
        var turn = _turn++;
        var (page, path) = pages[(int)(turn % pages.Count)];
        return Task.Run(async () =>
        {
            using var answer = await browser.GetAsync(new Uri(path(turn / pages.Count), UriKind.Relative), ct);
            var text = await answer.Content.ReadAsStringAsync(ct);
            var milliseconds = Stopwatch.GetElapsedTime(due).TotalMilliseconds;
            return new PageTime(page, milliseconds, answer.StatusCode == HttpStatusCode.OK && text.Contains("</html>", StringComparison.OrdinalIgnoreCase));
        }, ct);
    }
}

/// <param name="Right">Whether the answer was the page, whole.</param>
internal sealed record PageTime(string Page, double Milliseconds, bool Right);
