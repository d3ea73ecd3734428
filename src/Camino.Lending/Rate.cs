using System.Globalization;
using System.Runtime.InteropServices;

namespace Camino.Lending;

/// <summary>A nominal yearly rate, kept as an exact fraction so that no interest is ever computed from a shortened factor.</summary>
/// <remarks>Range: 0 to 1,000 percent, at most 8 decimals of a percent.</remarks>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Rate
{
    /// <summary>The highest rate taken, in percent a year.</summary>
    public const decimal MaxPercent = 1_000m;

    private const long Scale = 100_000_000;

    private readonly long _denominatorLess1;

    private Rate(decimal percent)
    {
        Refuse.If(percent is < 0m or > MaxPercent, "rate.out_of_range",
            $"A yearly rate is 0 to 1,000 percent; got {percent.ToString(CultureInfo.InvariantCulture)}.");
        var scaled = percent * Scale;
        Refuse.If(scaled != decimal.Truncate(scaled), "rate.too_precise",
            $"A yearly rate has at most 8 decimals of a percent; got {percent.ToString(CultureInfo.InvariantCulture)}.");
        var numerator = (long)scaled;
        var divisor = GreatestCommonDivisor(numerator, Scale * 100);
        Numerator = numerator / divisor;
        _denominatorLess1 = (Scale * 100 / divisor) - 1;
    }

    /// <summary>0 percent.</summary>
    public static Rate Zero => default;

    /// <summary>Numerator of the rate as a fraction of 1 in lowest terms: 12 percent is 3 / 25.</summary>
    public long Numerator { get; }

    /// <summary>Denominator of the rate as a fraction of 1 in lowest terms; at most 10,000,000,000.</summary>
    public long Denominator => _denominatorLess1 + 1;

    /// <summary>Percent a year: 12 for 12 percent.</summary>
    public decimal Percent => Numerator * 100m / Denominator;

    /// <summary>The rate as a fraction of 1: 0.12 for 12 percent.</summary>
    public decimal Fraction => (decimal)Numerator / Denominator;

    /// <param name="percent">Percent a year, 0 to 1,000, at most 8 decimals: 12 for 12 percent.</param>
    /// <exception cref="RefusedException"><c>rate.out_of_range</c>, <c>rate.too_precise</c>.</exception>
    public static Rate FromPercent(decimal percent) => new(percent);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Percent:0.########} %");

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }
}
