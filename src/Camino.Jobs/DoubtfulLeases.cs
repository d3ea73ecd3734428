using System.Diagnostics;

namespace Camino.Jobs;

/// <summary>
/// Names of claims whose answer never came. A statement may reach the table after its answer was given up, so what stands under them is given back again and again
/// for five minutes.
/// </summary>
internal sealed class DoubtfulLeases(JobStore store)
{
    private static readonly TimeSpan For = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, long> _since = [];

    public void Add(Guid lease)
    {
        lock (_gate)
            _since[lease] = Stopwatch.GetTimestamp();
    }

    /// <summary>Gives back what <paramref name="me"/> holds under one of them, if anything.</summary>
    /// <returns>True when there are any, so that something may stand at an old place again.</returns>
    public async Task<bool> ReturnAsync(ServerIdentity? me, CancellationToken ct)
    {
        Guid[] leases;
        lock (_gate)
        {
            foreach (var (lease, at) in _since)
            {
                if (Stopwatch.GetElapsedTime(at) > For)
                    _since.Remove(lease);
            }
            leases = [.. _since.Keys];
        }
        if (leases.Length == 0 || me is null)
            return false;
        await store.ReturnLeasesAsync(me.Id, leases, ct);
        return true;
    }
}
