using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Camino.Jobs;

namespace Camino.Operations;

/// <summary>What the open board is told: figures by name, and a word that changes when more than figures did.</summary>
/// <param name="Shape">Another value than before: queues, servers, pauses or the minute of the charts changed, and the page should be read anew.</param>
/// <param name="Figures">For example <c>bulk.ready</c>: counts, and ages in seconds.</param>
public sealed record BoardNews(string Shape, IReadOnlyDictionary<string, double> Figures);

/// <summary>What the page of one job is told.</summary>
/// <param name="Shape">Another value than before: state, attempt, log or children changed, and the page should be read anew.</param>
public sealed record JobNews(string Shape, long? Done, long? Total, string? Message, bool IsOver);

/// <summary>
/// Live figures. However many people look, this process asks the database once in two seconds, and not at all when nobody looks; any instance can answer.
/// </summary>
public sealed class JobFeed(JobStore jobs, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EveryJob = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<Guid, (long At, Task<JobNews?> Answer)> _jobs = new();
    private (long At, Task<BoardNews> Answer)? _board;

    /// <summary>How many jobs somebody looks at.</summary>
    internal int WatchedJobs => _jobs.Count;

    /// <summary>The board's figures: an event for each change, and one every 15 seconds as a sign of life.</summary>
    public async IAsyncEnumerable<BoardNews> WatchBoardAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var last = "";
        var sent = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Every, clock);
        do
        {
            var now = await BoardAsync();
            var text = now.Shape + string.Join(';', now.Figures.Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Key}={figure.Value:0}")));
            if (text == last && clock.GetElapsedTime(sent) < Beat)
                continue;
            last = text;
            sent = clock.GetTimestamp();
            yield return now;
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>One job until it is over; ends also when there is no such job.</summary>
    public async IAsyncEnumerable<JobNews> WatchJobAsync(Guid id, [EnumeratorCancellation] CancellationToken ct)
    {
        JobNews? last = null;
        var sent = clock.GetTimestamp();
        using var timer = new PeriodicTimer(EveryJob, clock);
        try
        {
            do
            {
                if (await JobAsync(id) is not { } now)
                    yield break;
                if (now != last || clock.GetElapsedTime(sent) > Beat)
                {
                    last = now;
                    sent = clock.GetTimestamp();
                    yield return now;
                }

                if (now.IsOver)
                    yield break;
            }
            while (await timer.WaitForNextTickAsync(ct));
        }
        finally
        {
            // Another page that looks at the same job asks anew.
            _jobs.TryRemove(id, out _);
        }
    }

    private Task<BoardNews> BoardAsync()
    {
        lock (_gate)
        {
            if (_board is not { } asked || asked.Answer.IsFaulted || clock.GetElapsedTime(asked.At) >= Every * 0.9)
                _board = (clock.GetTimestamp(), ReadBoardAsync());
            return _board.Value.Answer;
        }
    }

    private async Task<BoardNews> ReadBoardAsync()
    {
        var queues = await jobs.QueueFiguresAsync();
        var servers = await jobs.ServersAsync();
        var alarms = await jobs.AlarmsAsync();
        var figures = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var queue in queues)
        {
            figures[queue.Queue + ".ready"] = queue.Ready;
            figures[queue.Queue + ".scheduled"] = queue.Scheduled + queue.Held;
            figures[queue.Queue + ".running"] = queue.Running;
            figures[queue.Queue + ".failed"] = queue.FailedLastHour;
            figures[queue.Queue + ".age"] = queue.OldestAge?.TotalSeconds ?? 0;
        }
        foreach (var server in servers)
            figures[server.Id + ".running"] = server.Running;

        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        var shape = HashCode.Combine(
            minute,
            string.Join(';', queues.Select(queue => $"{queue.Queue} {queue.Paused} {queue.Served}")),
            string.Join(';', servers.Select(server => $"{server.Id} {server.State}")),
            string.Join(';', alarms.Select(alarm => $"{alarm.Name} {alarm.Subject}")));
        return new BoardNews(shape.ToString("x8", CultureInfo.InvariantCulture), figures);
    }

    private Task<JobNews?> JobAsync(Guid id)
    {
        if (_jobs.TryGetValue(id, out var asked) && clock.GetElapsedTime(asked.At) < EveryJob * 0.9 && !asked.Answer.IsFaulted)
            return asked.Answer;
        var answer = ReadJobAsync(id);
        _jobs[id] = (clock.GetTimestamp(), answer);
        return answer;
    }

    private async Task<JobNews?> ReadJobAsync(Guid id)
    {
        if (await jobs.GetAsync(id) is not { } job)
            return null;
        var shape = string.Create(CultureInfo.InvariantCulture, $"{job.State} {job.Attempt} {job.Attempts.Count} {job.Log.Count} {job.Children.Count} {job.Cancellation is not null}");
        return new JobNews(shape, job.Progress?.Done, job.Progress?.Total, job.Progress?.Message, job.State is JobState.Done or JobState.Failed or JobState.Cancelled);
    }
}
