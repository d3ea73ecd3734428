namespace Camino.Jobs;

/// <summary>
/// Whose turn it is where queues share slots by weight: each has a clock that goes on by what it took, divided by its weight, and the one that is furthest behind
/// goes first. A queue that had no work gains no more by that than one large claim. Not thread-safe.
/// </summary>
/// <param name="weights">1 to 1,000, for each queue.</param>
internal sealed class QueueTurns(int[] weights)
{
    private readonly double[] _clocks = new double[weights.Length];

    /// <summary>The places of the queues, the one whose turn it is first.</summary>
    public int[] Order() => [.. Enumerable.Range(0, weights.Length).OrderBy(place => _clocks[place]).ThenBy(place => place)];

    /// <summary>So many were taken of each.</summary>
    public void Took(int[] counts)
    {
        var all = counts.Sum();
        if (all == 0)
            return;
        for (var place = 0; place < counts.Length; place++)
            _clocks[place] += (double)counts[place] / weights[place];
        // Who has no work now stands where the slowest of those stands that have, so that it does not make up for its idleness later.
        var slowest = Enumerable.Range(0, counts.Length).Where(place => counts[place] > 0).Min(place => _clocks[place]);
        for (var place = 0; place < counts.Length; place++)
        {
            if (_clocks[place] < slowest - MostBehind)
                _clocks[place] = slowest - MostBehind;
        }
    }

    /// <summary>How far behind a clock may be: as much as one claim may bring, so that a large one of another queue is evened out.</summary>
    private const double MostBehind = 512;
}
