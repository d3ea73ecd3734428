using Camino.Lending.Screening;
using Camino.Screening;

namespace Camino.Applications;

/// <summary>Screens the business and each owner against the sanctions lists in force; every hit is one that two people decide.</summary>
internal sealed class SanctionsCheck(CurrentWatchList lists, ScreeningOptions options, TimeProvider clock) : IApplicationCheck
{
    public CheckKind Kind => CheckKind.Sanctions;

    public async Task<CheckFinding> RunAsync(CheckSubject subject, CancellationToken ct)
    {
        var loaded = await lists.GetAsync(ct);
        var at = clock.GetUtcNow();
        var found = new List<(StoredScreening Screening, IReadOnlyList<ScreeningHit> Hits)>();
        foreach (var party in subject.Owners.Select(owner => new ScreenedParty(owner.Name, PartyKind.Person, owner.BirthDate)).Prepend(new ScreenedParty(subject.Name, PartyKind.Entity)))
        {
            ct.ThrowIfCancellationRequested();
            var hits = NameWords.Of(party.Name, party.Kind).Words.Count == 0 ? [] : loaded.List.Search(party, options.Threshold, SanctionsGate.MostHits);
            found.Add((new StoredScreening(Guid.CreateVersion7(), loaded.Number, party, options.Threshold, at, null), hits));
        }

        return new CheckFinding(
            new { list = loaded.Number, hits = found.Sum(one => one.Hits.Count), screenings = found.Where(one => one.Hits.Count > 0).Select(one => one.Screening.Id) },
            async (connection, transaction, token) =>
            {
                foreach (var (screening, hits) in found)
                    await ScreenName.StoreAsync(connection, transaction, screening, [.. hits.Select(hit => (hit, (byte[]?)null))], token);
            });
    }
}
