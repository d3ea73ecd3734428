namespace Camino.Lending.Underwriting;

/// <summary>Why somebody decides against what the policy recommends, as codes; pages say them in the reader's language. A code is stored with the decision and never changes.</summary>
public static class OverrideReasons
{
    /// <summary>Longest explanation, in characters.</summary>
    public const int LongestText = 500;

    /// <summary>Shortest explanation, in characters.</summary>
    public const int ShortestText = 10;

    /// <summary>Every code, in the order of the form.</summary>
    public static IReadOnlyList<string> Codes { get; } = ["knownBorrower", "strongCashFlow", "guarantee", "collateral", "newFacts", "wrongData", "other"];
}
