using System.Runtime.CompilerServices;
using Camino.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Camino.Imports;

/// <summary>What the page of a running import shows; one event of its stream.</summary>
public sealed record ImportProgress(string Status, long Rows, long Imported, long Unchanged, long Corrected, long Rejected, long BytesDone, long SizeBytes, double Percent, double RowsPerSecond, double? SecondsLeft, bool IsOver);

/// <summary>
/// Live progress of imports. However many people look at one import, this process asks the database once a half second for it, and not at all when nobody looks;
/// any instance can answer, for the database knows everything.
/// </summary>
public sealed class ImportEvents(IServiceScopeFactory scopes, IHostApplicationLifetime host, TimeProvider clock)
{
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(500);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, (long At, Task<ImportProgress?> Answer)> _asked = new();

    /// <summary>States of the import until it is over, an event for each change and at least one every 15 seconds; ends also when there is no such import.</summary>
    public async IAsyncEnumerable<ImportProgress> WatchAsync(Guid id, [EnumeratorCancellation] CancellationToken ct)
    {
        ImportProgress? last = null;
        var lastSent = clock.GetTimestamp();
        using var timer = new PeriodicTimer(s_every, clock);
        do
        {
            var now = await AskAsync(id);
            if (now is null)
                yield break;
            if (now != last || clock.GetElapsedTime(lastSent) > TimeSpan.FromSeconds(15))
            {
                last = now;
                lastSent = clock.GetTimestamp();
                yield return now;
            }

            if (now.IsOver)
            {
                _asked.TryRemove(id, out _);
                yield break;
            }
        }
        while (await TickAsync(timer, ct));
    }

    /// <summary>False when this process is about to end: the stream ends with it, at once, and the reader asks again and finds another instance.</summary>
    private async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, host.ApplicationStopping);
        try
        {
            return await timer.WaitForNextTickAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }

    private Task<ImportProgress?> AskAsync(Guid id)
    {
        if (_asked.TryGetValue(id, out var asked) && clock.GetElapsedTime(asked.At) < s_every * 0.9 && !asked.Answer.IsFaulted)
            return asked.Answer;
        var answer = ReadAsync(id);
        _asked[id] = (clock.GetTimestamp(), answer);
        return answer;
    }

    private async Task<ImportProgress?> ReadAsync(Guid id)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var import = await db.Imports.AsNoTracking().FirstOrDefaultAsync(i => i.Id == id);
        return import is null ? null : Of(import);
    }

    /// <summary>Rate and time left over the whole step so far.</summary>
    public static ImportProgress Of(Import import)
    {
        var view = ImportReport.Of(import);
        var seconds = import is { StartedAt: { } started, ProgressAt: { } progress } ? Math.Max((progress - started).TotalSeconds, 0.001) : 0;
        var done = import.SizeBytes == 0 ? 1 : Math.Clamp((double)import.BytesDone / import.SizeBytes, 0, 1);
        return new ImportProgress(
            view.Status,
            view.Rows,
            view.Imported,
            view.Unchanged,
            view.Corrected,
            view.Rejected,
            import.BytesDone,
            import.SizeBytes,
            Math.Round(done * 100, 1),
            seconds > 0 ? Math.Round(view.Rows / seconds) : 0,
            done is > 0 and < 1 && seconds > 0 ? Math.Round(seconds / done * (1 - done)) : null,
            view.IsOver);
    }
}
