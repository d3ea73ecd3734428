using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests;

public class DayCountTests
{
    /// <summary>Source: ISDA, "EMU and market conventions: recent developments" (1998), the three actual/actual methods side by side.</summary>
    [TestCase("2003-11-01", "2004-05-01", DayCountConvention.ActualActual, "0.497724380567")]
    [TestCase("2003-11-01", "2004-05-01", DayCountConvention.ActualActualAfb, "0.497267759563")]
    [TestCase("1999-02-01", "1999-07-01", DayCountConvention.ActualActual, "0.410958904110")]
    [TestCase("1999-02-01", "1999-07-01", DayCountConvention.ActualActualAfb, "0.410958904110")]
    [TestCase("1999-07-01", "2000-07-01", DayCountConvention.ActualActual, "1.001377348604")]
    [TestCase("1999-07-01", "2000-07-01", DayCountConvention.ActualActualAfb, "1.000000000000")]
    [TestCase("2002-08-15", "2003-07-15", DayCountConvention.ActualActual, "0.915068493151")]
    [TestCase("2003-07-15", "2004-01-15", DayCountConvention.ActualActual, "0.504004790778")]
    [TestCase("2003-07-15", "2004-01-15", DayCountConvention.ActualActualAfb, "0.504109589041")]
    [TestCase("1999-07-30", "2000-01-30", DayCountConvention.ActualActual, "0.503892506924")]
    [TestCase("2000-01-30", "2000-06-30", DayCountConvention.ActualActual, "0.415300546448")]
    [TestCase("1999-11-30", "2000-04-30", DayCountConvention.ActualActual, "0.415540085336")]
    [TestCase("1999-11-30", "2000-04-30", DayCountConvention.ActualActualAfb, "0.415300546448")]
    public void Isda_memorandum_examples(string from, string to, DayCountConvention convention, string expected) =>
        Assert.That(Shown(DayCount.Fraction(convention, Day(from), Day(to))), Is.EqualTo(expected));

    /// <summary>Source: the same memorandum, ISMA (now ICMA) column.</summary>
    [TestCase("2003-11-01", "2004-05-01", "2003-11-01", "2004-05-01", 2, "0.500000000000")]
    [TestCase("1999-02-01", "1999-07-01", "1998-07-01", "1999-07-01", 1, "0.410958904110")]
    [TestCase("2002-08-15", "2003-07-15", "2003-01-15", "2003-07-15", 2, "0.915760869565")]
    [TestCase("2000-01-30", "2000-06-30", "2000-01-30", "2000-07-30", 2, "0.417582417582")]
    [TestCase("1999-11-30", "2000-04-30", "1999-11-30", "2000-02-29", 4, "0.415760869565")]
    public void Icma_rule_251_examples(string from, string to, string referenceFrom, string referenceTo, int frequency, string expected) =>
        Assert.That(Shown(DayCount.Fraction(DayCountConvention.ActualActualIcma, Day(from), Day(to), reference: (Day(referenceFrom), Day(referenceTo)), frequency: frequency)),
            Is.EqualTo(expected));

    /// <summary>Without a reference period a stub belongs to the regular period that ends with it, and a long period is cut into regular ones.</summary>
    [TestCase("2004-01-01", "2004-05-01", 2, "0.332417582418")] // 121 / (2 x 182)
    [TestCase("2003-11-01", "2005-11-01", 2, "2.000000000000")]
    [TestCase("2004-02-29", "2004-08-31", 2, "0.500000000000")]
    [TestCase("2003-11-30", "2004-02-29", 4, "0.250000000000")]
    public void Icma_without_a_reference_period(string from, string to, int frequency, string expected) =>
        Assert.That(Shown(DayCount.Fraction(DayCountConvention.ActualActualIcma, Day(from), Day(to), frequency: frequency)), Is.EqualTo(expected));

    /// <summary>Source: ISDA, "30/360 day count conventions" worked table: 30/360, 30E/360 and 30E/360 (ISDA) with a termination on 29 February 2008.</summary>
    [TestCase("2007-01-15", "2007-01-30", 15, 15, 15)]
    [TestCase("2007-01-15", "2007-02-15", 30, 30, 30)]
    [TestCase("2007-09-30", "2008-03-31", 180, 180, 180)]
    [TestCase("2007-09-30", "2007-10-31", 30, 30, 30)]
    [TestCase("2007-09-30", "2008-09-30", 360, 360, 360)]
    [TestCase("2007-01-15", "2007-01-31", 16, 15, 15)]
    [TestCase("2007-01-31", "2007-02-28", 28, 28, 30)]
    [TestCase("2007-02-28", "2007-03-31", 33, 32, 30)]
    [TestCase("2006-08-31", "2007-02-28", 178, 178, 180)]
    [TestCase("2007-02-28", "2007-08-31", 183, 182, 180)]
    [TestCase("2007-02-14", "2007-02-28", 14, 14, 16)]
    [TestCase("2007-02-26", "2008-02-29", 363, 363, 363)]
    [TestCase("2008-02-29", "2009-02-28", 359, 359, 360)]
    [TestCase("2008-02-29", "2008-03-30", 31, 31, 30)]
    [TestCase("2007-02-28", "2007-03-05", 7, 7, 5)]
    public void Thirty_day_months_as_in_the_ISDA_table(string from, string to, int bond, int european, int isda)
    {
        DateOnly termination = Day("2008-02-29");

        Assert.That(DayCount.Days(DayCountConvention.Thirty360, Day(from), Day(to)), Is.EqualTo(bond));
        Assert.That(DayCount.Days(DayCountConvention.Thirty360European, Day(from), Day(to)), Is.EqualTo(european));
        Assert.That(DayCount.Days(DayCountConvention.Thirty360EuropeanIsda, Day(from), Day(to), termination), Is.EqualTo(isda));
    }

    [Test]
    public void Thirty_365_counts_30_day_months_over_365_days() =>
        Assert.That(Shown(DayCount.Fraction(DayCountConvention.Thirty365, Day("2011-06-17"), Day("2012-12-30"))), Is.EqualTo("1.515068493151"));

    [Test]
    public void A_year_across_two_leap_years_is_split_at_each_first_of_January() =>
        Assert.That(Shown(DayCount.Fraction(DayCountConvention.ActualActual, Day("2023-12-31"), Day("2025-01-01"))), Is.EqualTo("1.002739726027"));

    [Test]
    public void Dates_in_the_wrong_order_are_refused([Values] DayCountConvention convention) =>
        Assert.That(() => DayCount.Fraction(convention, Day("2026-02-01"), Day("2026-01-31")), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("daycount.order"));

    [Test]
    public void The_same_date_is_no_time([Values] DayCountConvention convention) =>
        Assert.That(DayCount.Fraction(convention, Day("2024-02-29"), Day("2024-02-29")), Is.Zero);

    private static string Shown(decimal fraction) => decimal.Round(fraction, 12).ToString("0.000000000000", System.Globalization.CultureInfo.InvariantCulture);
}
