using System.Diagnostics;

namespace Camino.Jobs;

/// <summary>
/// Where the claims of each queue begin, so that what one has walked over is not walked over again by the next. Now and then one looks from the very
/// beginning: once a second, or as often as that costs a twentieth of the time. Not thread-safe.
/// </summary>
internal sealed class ClaimLows(int ranks)
{
    private static readonly TimeSpan FullLookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestFullLookEvery = TimeSpan.FromSeconds(10);

    /// <summary>A claim that took longer and found nothing in a queue has walked over much that this server may not take.</summary>
    private static readonly TimeSpan LongLook = TimeSpan.FromMilliseconds(20);

    /// <summary>A claim that begins at the newest looks 5 seconds back; what it passed over for longer is looked at from the beginning.</summary>
    private static readonly TimeSpan LongestPassedOver = TimeSpan.FromSeconds(4);

    private readonly DateTime[] _lows = Enumerable.Repeat(DateTime.MinValue, ranks).ToArray();
    private readonly long[] _lookedAt = new long[ranks];
    private long _lastFullLookAt;
    private TimeSpan _fullLook;
    private TimeSpan _fullLookBefore;

    public DateTime this[int rank] => _lows[rank];

    /// <summary>The next claim looks from the very beginning: something may have come before where the claims begin now.</summary>
    public void LookFully() => _lastFullLookAt = 0;

    /// <summary>Where a claim that is made now begins, and whether that is the very beginning.</summary>
    public (DateTime[] Lows, bool Full) Next()
    {
        // What one look alone took may have been the machine's fault.
        var every = TimeSpan.FromTicks(Math.Clamp(20 * Math.Min(_fullLook.Ticks, _fullLookBefore.Ticks), FullLookEvery.Ticks, LongestFullLookEvery.Ticks));
        if (_lastFullLookAt != 0 && Stopwatch.GetElapsedTime(_lastFullLookAt) <= every)
            return ([.. _lows.Select((low, rank) => low == DateTime.MaxValue && Stopwatch.GetElapsedTime(_lookedAt[rank]) > LongestPassedOver ? DateTime.MinValue : low)], false);
        _lastFullLookAt = Stopwatch.GetTimestamp();
        return (Enumerable.Repeat(DateTime.MinValue, _lows.Length).ToArray(), true);
    }

    /// <summary>What a claim found.</summary>
    /// <param name="counts">By queue, how many it took.</param>
    /// <param name="newest">By queue, when the last of them was due.</param>
    /// <param name="shared">How many of them went to shared slots.</param>
    /// <param name="age">How long it took.</param>
    /// <param name="alone">Nothing but the claim took that time: no results were written with it.</param>
    /// <param name="aside">It asked for some queues alone, and says nothing about those where it found nothing.</param>
    public void Learn(ClaimAsk ask, int[] counts, DateTime[] newest, int shared, TimeSpan age, bool alone, bool aside)
    {
        if (ask.Full)
            (_fullLookBefore, _fullLook) = (_fullLook, alone ? age : TimeSpan.Zero);
        for (var rank = 0; rank < counts.Length; rank++)
        {
            if (!aside && ask.Takes[rank] > 0)
                _lookedAt[rank] = Stopwatch.GetTimestamp();
            if (counts[rank] > 0)
                _lows[rank] = newest[rank];
            // It could have taken something and there was nothing: only what is younger than five seconds can be new.
            else if (!aside && age > LongLook && ask.Takes[rank] > 0 && (ask.Owns[rank] > 0 || shared < ask.Shared))
                _lows[rank] = DateTime.MaxValue;
        }
    }
}
