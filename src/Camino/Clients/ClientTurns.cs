using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Camino.Clients;

/// <summary>Whether a request of a client is taken on, and how many it may still make.</summary>
/// <param name="IsGiven">It is taken on.</param>
/// <param name="IsDayOver">It is not, because the day's requests are used up.</param>
/// <param name="Wait">When asking again makes sense; zero where it was taken on.</param>
/// <param name="Left">Requests that may follow at once.</param>
/// <param name="Full">Until then all of the burst is there again.</param>
/// <param name="LeftToday">Requests that may follow today; null: no limit.</param>
/// <param name="DayEnds">Until midnight, UTC.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ClientTurn(bool IsGiven, bool IsDayOver, TimeSpan Wait, int Left, TimeSpan Full, long? LeftToday, TimeSpan DayEnds);

/// <summary>How often each client asked this server, and what is not written down of it yet.</summary>
/// <remarks>A bucket for each client: it holds as many requests as the burst and is filled at the sustained rate. It begins full, so that a restart refuses nobody.</remarks>
public sealed class ClientTurns(TimeProvider clock)
{
    /// <summary>So long what a key's client may do is remembered, and only that it may do nothing now.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(1);

    /// <summary>Keys without a turn that are remembered at most.</summary>
    private const int MostExhausted = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Bucket> _buckets = [];
    private readonly List<ClientCounts> _inWriting = [];
    private readonly Dictionary<UInt128, Exhausted> _exhausted = [];
    private Dictionary<(Guid Client, DateOnly Day), long> _requests = [];
    private Dictionary<Guid, DateTimeOffset> _keys = [];
    private Dictionary<(Guid Client, DateOnly Day, string Code), long> _refusals = [];

    /// <summary>Takes one request on, or refuses it.</summary>
    public ClientTurn Take(KnownClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        var now = clock.GetUtcNow();
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        lock (_lock)
        {
            var turn = Reckon(client, now, out var bucket);
            if (turn.IsGiven)
            {
                _requests[(client.Id, day)] = _requests.GetValueOrDefault((client.Id, day)) + 1;
                _keys[client.KeyId] = now;
            }

            _buckets[client.Id] = new Bucket(bucket, now);
            return turn;
        }
    }

    /// <summary>Remembers for a moment that whoever shows this key has no turn, so that a flood costs no question to the database.</summary>
    /// <param name="hash">Of the key: SHA-256.</param>
    public void NoteExhausted(byte[] hash, KnownClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            if (_exhausted.Count >= MostExhausted)
            {
                foreach (var (old, _) in _exhausted.Where(one => one.Value.Until <= now).ToList())
                    _exhausted.Remove(old);
            }

            if (_exhausted.Count < MostExhausted)
                _exhausted[Short(hash)] = new Exhausted(client, now + RememberedFor, DateOnly.FromDateTime(now.UtcDateTime));
        }
    }

    /// <summary>Whoever shows this key had no turn a moment ago and has none yet: nothing is taken, and what was changed at the client since is felt within <see cref="RememberedFor"/>.</summary>
    /// <returns>Null: ask the database, and take a turn.</returns>
    public (KnownClient Client, ClientTurn Turn)? StillExhausted(byte[] hash)
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            if (!_exhausted.TryGetValue(Short(hash), out var known) || known.Until <= now || known.Day != DateOnly.FromDateTime(now.UtcDateTime))
                return null; // nothing is known, or of another day, whose requests do not count in this
            var turn = Reckon(known.Client, now, out _);
            return turn.IsGiven ? null : (known.Client, turn);
        }
    }

    /// <summary>Requests or lines that may follow today; null: no limit.</summary>
    public long? LeftToday(KnownClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        lock (_lock)
            return client.Terms.RequestsADay is { } quota ? Math.Max(0, quota - client.UsedToday - Unwritten(client.Id, Today())) : null;
    }

    /// <summary>Counts one line of a bulk request against the day.</summary>
    public void CountLine(KnownClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        lock (_lock)
            _requests[(client.Id, Today())] = _requests.GetValueOrDefault((client.Id, Today())) + 1;
    }

    /// <summary>Counts why something of a client was refused.</summary>
    public void NoteRefusal(Guid client, string code)
    {
        lock (_lock)
            _refusals[(client, Today(), code)] = _refusals.GetValueOrDefault((client, Today(), code)) + 1;
    }

    /// <summary>What a request of this moment would be told; keeps nothing.</summary>
    /// <param name="bucket">What the bucket would hold behind it.</param>
    private ClientTurn Reckon(KnownClient client, DateTimeOffset now, out double bucket)
    {
        var dayEnds = now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime;
        var (rate, burst) = (client.Terms.RequestsAMinute / 60.0, client.Terms.Burst);
        var leftToday = client.Terms.RequestsADay is { } quota ? Math.Max(0, quota - client.UsedToday - Unwritten(client.Id, DateOnly.FromDateTime(now.UtcDateTime))) : (long?)null;
        bucket = _buckets.TryGetValue(client.Id, out var known) ? Math.Min(burst, known.Held + (Math.Max(0, (now - known.At).TotalSeconds) * rate)) : burst;
        var isGiven = leftToday is not 0 && bucket >= 1;
        if (isGiven)
        {
            bucket -= 1;
            leftToday--;
        }

        var wait = isGiven ? TimeSpan.Zero : leftToday is 0 ? dayEnds : TimeSpan.FromSeconds((1 - bucket) / rate);
        return new ClientTurn(isGiven, !isGiven && leftToday is 0, wait, (int)bucket, TimeSpan.FromSeconds((burst - bucket) / rate), leftToday, dayEnds);
    }

    /// <summary>128 bits of a hash are enough to tell keys apart.</summary>
    private static UInt128 Short(byte[] hash) => BinaryPrimitives.ReadUInt128BigEndian(hash);

    /// <summary>
    /// What is being written down counts until that is done: else whoever asks meanwhile would be given it once more. Which of two that cross was first, the row or the moment, is not known, so for that
    /// moment a request may be counted twice or not at all; a quota of a day is not exact to the request.
    /// </summary>
    private long Unwritten(Guid client, DateOnly day) => _requests.GetValueOrDefault((client, day)) + _inWriting.Sum(counts => counts.Requests.GetValueOrDefault((client, day)));

    private DateOnly Today() => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    /// <summary>Hands over what is not written down yet, and begins anew.</summary>
    internal ClientCounts HandOver()
    {
        lock (_lock)
        {
            var counts = new ClientCounts(_requests, _keys, _refusals);
            (_requests, _keys, _refusals) = ([], [], []);
            _inWriting.Add(counts);
            return counts;
        }
    }

    /// <summary>What was handed over stands in the database.</summary>
    internal void Written(ClientCounts counts)
    {
        lock (_lock)
            _inWriting.Remove(counts);
    }

    /// <summary>Takes back what could not be written down.</summary>
    internal void TakeBack(ClientCounts counts)
    {
        lock (_lock)
        {
            _inWriting.Remove(counts);
            foreach (var (which, requests) in counts.Requests)
                _requests[which] = _requests.GetValueOrDefault(which) + requests;
            foreach (var (key, at) in counts.Keys)
                _keys.TryAdd(key, at);
            foreach (var (which, refusals) in counts.Refusals)
                _refusals[which] = _refusals.GetValueOrDefault(which) + refusals;
        }
    }

    private sealed record Exhausted(KnownClient Client, DateTimeOffset Until, DateOnly Day);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Bucket(double Held, DateTimeOffset At);
}

/// <summary>Requests of each client on a day, and when each key was used last.</summary>
internal sealed record ClientCounts(IReadOnlyDictionary<(Guid Client, DateOnly Day), long> Requests, IReadOnlyDictionary<Guid, DateTimeOffset> Keys, IReadOnlyDictionary<(Guid Client, DateOnly Day, string Code), long> Refusals)
{
    public bool IsEmpty => Requests.Count == 0 && Refusals.Count == 0;
}
