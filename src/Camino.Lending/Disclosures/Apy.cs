namespace Camino.Lending.Disclosures;

/// <summary>The annual percentage yield: what a rate comes to in a year with interest on interest.</summary>
/// <remarks>Source: 12 CFR 1030 Appendix A, part I: APY = 100 x ((1 + interest / principal)^(365 / days) - 1).</remarks>
public static class Apy
{
    /// <summary>The yield of a nominal rate compounded so many times a year.</summary>
    /// <param name="rate">Nominal yearly rate.</param>
    /// <param name="timesPerYear">1 to 366.</param>
    /// <returns>Percent a year, rounded to 6 decimals.</returns>
    /// <exception cref="RefusedException"><c>apy.times</c>.</exception>
    public static decimal Percent(Rate rate, int timesPerYear)
    {
        Refuse.If(timesPerYear is < 1 or > 366, "apy.times", $"Interest is compounded 1 to 366 times a year; got {timesPerYear}.");
        var factor = 1m + (rate.Fraction / timesPerYear);
        var year = 1m;
        for (var i = 0; i < timesPerYear; i++)
            year *= factor;
        return decimal.Round((year - 1m) * 100m, 6, MidpointRounding.ToEven);
    }

    /// <summary>The yield of interest earned on a principal over a number of days.</summary>
    /// <param name="principal">Above zero.</param>
    /// <param name="interest">Zero or more.</param>
    /// <param name="days">1 to 36,500.</param>
    /// <returns>Percent a year, rounded to 6 decimals.</returns>
    /// <exception cref="RefusedException"><c>apy.principal</c>, <c>apy.interest</c>, <c>apy.days</c>, <c>apy.no_answer</c>.</exception>
    public static decimal Percent(Money principal, Money interest, int days)
    {
        Refuse.If(principal <= Money.Zero, "apy.principal", $"A principal is above $0.00; got {principal}.");
        Refuse.If(interest < Money.Zero, "apy.interest", $"Interest is $0.00 or more; got {interest}.");
        Refuse.If(days is < 1 or > 36_500, "apy.days", $"A term is 1 to 36,500 days; got {days}.");

        // The power of a fraction is found in double; its 15 digits leave the 6 decimals shown untouched up to a million percent.
        var yield = (Math.Pow(1 + (double)(interest.Dollars / principal.Dollars), 365.0 / days) - 1) * 100;
        Refuse.If(!(yield <= 1_000_000), "apy.no_answer", $"A yield is at most 1,000,000 percent; {interest} on {principal} in {days} days is more.");
        return decimal.Round((decimal)yield, 6, MidpointRounding.ToEven);
    }
}
