using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Camino.Rehearsal;

/// <summary>People and programs while a deploy goes on: requests when the clock says so, every third one asks for a job.</summary>
internal sealed class Load(Stage stage, int perSecond)
{
    private readonly ConcurrentBag<Guid> _jobs = [];
    private readonly ConcurrentQueue<string> _failures = new();
    private Task _sending = Task.CompletedTask;
    private volatile bool _stopping;
    private readonly Lock _gate = new();
    private long _sent;
    private (double Milliseconds, string What) _longest = (0, "none");

    /// <summary>Jobs that were promised: their request was answered with 202.</summary>
    public IReadOnlyCollection<Guid> Jobs => _jobs;

    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>What went wrong, in words.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>The request that took longest from when it was due to its last byte, and when that was.</summary>
    public (double Milliseconds, string What) Longest
    {
        get
        {
            lock (_gate)
                return _longest;
        }
    }

    public void Start() => _sending = Task.Run(SendAllAsync);

    /// <summary>Sends no more and waits for the last answer.</summary>
    public async Task StopAsync()
    {
        _stopping = true;
        await _sending;
    }

    private async Task SendAllAsync()
    {
        var started = Stopwatch.GetTimestamp();
        var inFlight = new List<Task>();
        for (var i = 0L; !_stopping; i++)
        {
            var due = started + (i * Stopwatch.Frequency / perSecond);
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, CancellationToken.None);
            var turn = i;
            inFlight.Add(Task.Run(() => SendAsync(turn, due)));
            if (inFlight.Count > 500)
                inFlight.RemoveAll(task => task.IsCompleted);
        }

        await Task.WhenAll(inFlight);
    }

    /// <param name="due">When it should have gone out: what the sender was late counts, too.</param>
    private async Task SendAsync(long turn, long due)
    {
        Interlocked.Increment(ref _sent);
        var what = (turn % 3) switch { 0 => "POST /api/v1/jobs/echo", 1 => "GET /api/v1/queues", _ => "GET /sign-in" };
        try
        {
            using var answer = (turn % 3) switch
            {
                0 => await stage.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = string.Create(CultureInfo.InvariantCulture, $"load {turn}"), queue = turn % 2 == 0 ? "urgent" : "default" }),
                1 => await stage.Api.GetAsync(new Uri("/api/v1/queues", UriKind.Relative)),
                _ => await stage.Pages.GetAsync(new Uri("/sign-in", UriKind.Relative)),
            };
            var text = await answer.Content.ReadAsStringAsync();
            if ((int)answer.StatusCode != (turn % 3 == 0 ? 202 : 200))
                _failures.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{what}: {(int)answer.StatusCode} {text[..Math.Min(text.Length, 200)]}"));
            else if (turn % 3 == 0)
                _jobs.Add(JsonDocument.Parse(text).RootElement.GetProperty("jobId").GetGuid());
        }
        catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException or IOException)
        {
            _failures.Enqueue($"{what}: {broken.Message}");
        }

        var took = Stopwatch.GetElapsedTime(due).TotalMilliseconds;
        lock (_gate)
        {
            if (took > _longest.Milliseconds)
                _longest = (took, string.Create(CultureInfo.InvariantCulture, $"{what}, due {turn / (double)perSecond:0.0} s after the load began"));
        }
    }
}
