using System.Text.Json;
using Camino.Jobs;

namespace Camino.Applications;

/// <summary>A check that asks an outside service; what it asks and what it takes from the answer is given.</summary>
internal sealed class ProviderCheck(CheckKind kind, Provider provider, ProviderClient client, string path, bool ofOwners, bool needsConsent, Func<CheckSubject, object> ask, Func<JsonElement, object> take) : IApplicationCheck
{
    public CheckKind Kind => kind;

    public bool IsOn => provider.Address is not null;

    public bool IsOfOwners => ofOwners;

    public bool NeedsConsent => needsConsent;

    public JobLimit? Limit => provider.Limit;

    public async Task<CheckFinding> RunAsync(CheckSubject subject, CancellationToken ct)
    {
        var answer = await client.AskAsync(provider, path, subject.StepId, ask(subject), ct);
        try
        {
            return new CheckFinding(take(answer));
        }
        catch (Exception wrong) when (wrong is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ProviderFailedException($"{provider.Name} answered without what was asked for", wrong);
        }
    }

    /// <summary>What outside services are asked for; those without an address are not planned.</summary>
    public static IReadOnlyList<CheckKind> Kinds { get; } = [CheckKind.Registry, CheckKind.BusinessCredit, CheckKind.OwnerCredit, CheckKind.Identity];

    /// <summary>The check of a kind.</summary>
    public static ProviderCheck Of(CheckKind kind, Providers providers, ProviderClient client) => kind switch
    {
        CheckKind.Registry => new(kind, providers.Registry, client, "registry/v1/search", ofOwners: false, needsConsent: false,
            one => new { one.Name, one.Place.State, one.StartedOn },
            answer => new { status = OneOf(answer, "status", "active", "inactive", "notFound") }),
        CheckKind.BusinessCredit => new(kind, providers.Credit, client, "credit/v1/businesses", ofOwners: false, needsConsent: true,
            one => new { one.Name, one.Place.Street, one.Place.City, one.Place.State, one.Place.Zip, ein = one.Last4 },
            Credit),
        CheckKind.OwnerCredit => new(kind, providers.Credit, client, "credit/v1/persons", ofOwners: true, needsConsent: true,
            one => new { one.Owner?.Name, one.Owner?.BirthDate, taxNumber = one.Last4, one.Place.State },
            Credit),
        CheckKind.Identity => new(kind, providers.Identity, client, "identity/v1/checks", ofOwners: true, needsConsent: false,
            one => new { one.Owner?.Name, one.Owner?.BirthDate, taxNumber = one.Last4 },
            answer => new { outcome = OneOf(answer, "outcome", "match", "partial", "noMatch") }),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No outside service is asked for it."),
    };

    private static object Credit(JsonElement answer)
    {
        var score = answer.GetProperty("score").GetInt32();
        if (score is < 300 or > 850)
            throw new FormatException("A score is 300 to 850.");
        return new { score, openLoans = answer.GetProperty("openLoans").GetInt32(), latePayments = answer.GetProperty("latePayments").GetInt32() };
    }

    /// <exception cref="FormatException">it is none of those that are known.</exception>
    internal static string OneOf(JsonElement answer, string name, params string[] known) =>
        known.FirstOrDefault(one => one == answer.GetProperty(name).GetString()) ?? throw new FormatException("The answer is none of those that are known.");
}
