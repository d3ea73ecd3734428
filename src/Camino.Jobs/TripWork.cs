using System.Diagnostics;

namespace Camino.Jobs;

/// <summary>One round trip of the claimer: what it writes and what it asks for.</summary>
/// <param name="Aside">Made by the side loop.</param>
internal sealed record TripWork(ServerIdentity Me, IReadOnlyList<RunEnd> Ends, ClaimAsk? Ask, bool Aside)
{
    private readonly long _madeAt = Stopwatch.GetTimestamp();

    public TimeSpan Age => Stopwatch.GetElapsedTime(_madeAt);

    public List<FinishRow> Finishes => Ends.Select(end => end.Finish).OfType<FinishRow>().ToList();

    public List<PutBackRow> PutBacks => Ends.Select(end => end.PutBack).OfType<PutBackRow>().ToList();
}
