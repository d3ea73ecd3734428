namespace Camino.Portfolio;

/// <summary>The bands of the two distributions, by their lower bounds; a figure's key is the lower bound as plain text.</summary>
public static class PortfolioBands
{
    /// <summary>Months.</summary>
    public static IReadOnlyList<int> Terms { get; } = [0, 13, 37, 61, 85, 121, 241, 301];

    /// <summary>Dollars.</summary>
    public static IReadOnlyList<int> Sizes { get; } = [0, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000, 5_000_000];
}
