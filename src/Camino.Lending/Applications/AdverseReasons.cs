namespace Camino.Lending.Applications;

/// <summary>The principal reasons for which an application is declined, as codes; pages and notices say them in the reader's language. A code is stored with the event and never changes.</summary>
/// <remarks>Sources: 12 CFR 1002.9(b)(2), which asks for the specific principal reasons, and its comment 1, which finds more than four unlikely to help; the list follows Appendix C, forms C-1 and C-8.</remarks>
public static class AdverseReasons
{
    /// <summary>Reasons of one decision.</summary>
    public const int Most = 4;

    /// <summary>Every code, in the order of the form.</summary>
    public static IReadOnlyList<string> Codes { get; } =
    [
        "incomplete", "creditReferences", "identity", "businessUnverified", "timeInBusiness", "cashFlow", "revenue", "excessiveObligations", "collateral", "creditHistoryShort", "delinquentObligations",
        "collectionOrJudgment", "bankruptcy", "recentInquiries", "otherLenders", "outsidePolicy",
    ];

    /// <summary>Checks what a person chose.</summary>
    /// <exception cref="RefusedException"><c>input.reasons</c>.</exception>
    public static IReadOnlyList<string> Read(IReadOnlyList<string?>? given)
    {
        var chosen = (given ?? []).Where(code => !string.IsNullOrWhiteSpace(code)).Select(code => code?.Trim() ?? "").Distinct(StringComparer.Ordinal).ToList();
        Refuse.If(chosen.Count is < 1 or > Most, "input.reasons", $"reasons has 1 to {Most} codes, the principal reasons of the decision; got {chosen.Count}.");
        var unknown = chosen.Count(code => !Codes.Contains(code, StringComparer.Ordinal));
        Refuse.If(unknown > 0, "input.reasons", $"reasons are codes such as cashFlow; {unknown} of those given are none.");
        return chosen;
    }
}
