using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Camino.Jobs;

/// <summary>What is to be done about the moments of an entry that have come.</summary>
/// <param name="Due">Moments to enqueue, in order.</param>
/// <param name="Missed">The latest moment that is not made up for, to be noted; or null.</param>
/// <param name="Next">Where the entry goes on; null when it never does.</param>
internal sealed record TickPlan(IReadOnlyList<DateTimeOffset> Due, DateTimeOffset? Missed, DateTimeOffset? Next);

/// <summary>
/// Turns the moments of recurring entries into jobs. One server leads, by a lease row; that a tick gives one job whatever the number of servers is not up to the
/// lease but to the tick's own row, which is stored in the same transaction as the job. An entry that fails is tried again and stops no other.
/// </summary>
internal sealed class Scheduler(JobStore store, JobWriter writer, JobSchedules schedules, Func<ServerIdentity?> me, ILogger logger)
{
    public const string Duty = "recurring";

    private const int LeaseSeconds = 10;
    private const int MostAtOnce = 1000;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    private Guid? _leading;
    private long _renewedAt;
    private Guid? _listedAs;

    /// <summary>This server leads.</summary>
    public bool Leads => _leading is not null;

    public async Task LoopAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(ct);
                if (await LeadAsync(ct) is { } server)
                    await RoundAsync(server, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                JobLog.ScheduleFailed(logger, e, "all");
            }
        }
    }

    /// <summary>Lets another lead at once instead of when the lease ends.</summary>
    public async Task StepDownAsync(CancellationToken ct)
    {
        if (_leading is { } server)
            await store.StepDownAsync(Duty, server, ct);
        _leading = null;
    }

    /// <summary>What to do when the clock shows <paramref name="now"/> and the entry waits for <paramref name="next"/>; null: it was just listed or enabled.</summary>
    internal static TickPlan Plan(JobSchedule entry, Func<DateOnly, bool>? isOpen, DateTimeOffset? next, DateTimeOffset now)
    {
        if (next is not { } place)
            return new TickPlan([], Missed: null, entry.Next(now, isOpen));

        var onTime = From(Later(place, now - Late));
        if (onTime.Count == MostAtOnce)
            return new TickPlan(onTime, Missed: null, entry.Next(onTime[^1], isOpen));
        var due = onTime;
        DateTimeOffset? missed = null;
        if (place < now - Late)
        {
            switch (entry.Misfire)
            {
                case JobMisfire.All:
                    due = From(Later(place, now - entry.Window));
                    missed = place < now - entry.Window ? place : null;
                    break;
                case JobMisfire.Once when onTime.Count == 0:
                    due = Latest() is { } last ? [last] : [];
                    break;
                case JobMisfire.Skip:
                    missed = onTime.Count == 0 ? Latest() : place;
                    break;
            }
        }
        var after = due.Count == MostAtOnce ? due[^1] : now;
        return new TickPlan(due, missed, entry.Next(after, isOpen));

        List<DateTimeOffset> From(DateTimeOffset from)
        {
            var ticks = new List<DateTimeOffset>();
            for (var tick = entry.Next(from.AddTicks(-1), isOpen); tick <= now && ticks.Count < MostAtOnce; tick = entry.Next(tick.Value, isOpen))
                ticks.Add(tick.Value);
            return ticks;
        }

        // The last moment before now, looked for in ever longer stretches, so that one of many is found without walking all.
        DateTimeOffset? Latest()
        {
            for (var back = Late; ; back *= 8)
            {
                var from = Later(place, now - back);
                DateTimeOffset? last = null;
                for (var tick = entry.Next(from.AddTicks(-1), isOpen); tick <= now; tick = entry.Next(tick.Value, isOpen))
                    last = tick;
                if (last is not null || from == place)
                    return last;
            }
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private async Task<ServerIdentity?> LeadAsync(CancellationToken ct)
    {
        if (me() is not { } server)
        {
            _leading = null;
            return null;
        }
        if (_leading == server.Id && Stopwatch.GetElapsedTime(_renewedAt) < RenewEvery)
            return server;
        if (_leading is null && _renewedAt != 0 && Stopwatch.GetElapsedTime(_renewedAt) < RenewEvery)
            return null;
        var asked = Stopwatch.GetTimestamp();
        var leads = await store.LeadAsync(Duty, server, LeaseSeconds, ct);
        _renewedAt = asked;
        if (leads && _leading != server.Id)
            JobLog.Leads(logger, server.Name, schedules.Entries.Count);
        _leading = leads ? server.Id : null;
        return leads ? server : null;
    }

    private async Task RoundAsync(ServerIdentity server, CancellationToken ct)
    {
        if (_listedAs != server.Id)
        {
            await store.ListEntriesAsync(schedules.Entries, server.ReleaseNumber, ct);
            _listedAs = server.Id;
        }
        foreach (var name in await store.DueEntriesAsync(ct))
        {
            if (schedules.Find(name) is not { } entry)
                continue;
            try
            {
                foreach (var (planned, outcome) in await store.FireAsync(writer, entry, server.ReleaseNumber, (next, now) => Plan(entry, schedules.CalendarOf(entry), next, now), ct))
                    JobLog.Fired(logger, name, planned, outcome);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                JobLog.ScheduleFailed(logger, e, name);
            }
        }
    }
}
