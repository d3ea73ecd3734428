using System.Globalization;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests;

public class ValueTests
{
    [Test]
    public void Money_is_shown_in_US_form_whatever_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        try
        {
            Assert.That(Usd(1_234.5m).ToString(), Is.EqualTo("$1,234.50"));
            Assert.That(Usd(-0.05m).ToString(), Is.EqualTo("-$0.05"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Test]
    public void Money_with_a_fraction_of_a_cent_is_refused() =>
        Assert.That(() => new Money(0.001m), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("money.fraction_of_cent"));

    [Test]
    public void Money_beyond_its_range_is_refused() =>
        Assert.That(() => Money.FromCents(Money.MaxCents) + Usd(0.01m), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("money.out_of_range"));

    [TestCase("2.345", "2.34", "2.35", "2.35", "2.34")]
    [TestCase("2.355", "2.36", "2.36", "2.36", "2.35")]
    [TestCase("2.341", "2.34", "2.34", "2.35", "2.34")]
    [TestCase("-2.345", "-2.34", "-2.35", "-2.35", "-2.34")]
    [TestCase("7", "7.00", "7.00", "7.00", "7.00")]
    public void Rounding_to_cents_in_each_mode(string value, string halfEven, string halfUp, string up, string down)
    {
        var dollars = decimal.Parse(value, CultureInfo.InvariantCulture);
        string Rounded(RoundingMode mode) => new Rounding(mode, Usd(0.01m)).ToCents(dollars).Dollars.ToString(CultureInfo.InvariantCulture);

        Assert.That(new[] { Rounded(RoundingMode.HalfEven), Rounded(RoundingMode.HalfUp), Rounded(RoundingMode.Up), Rounded(RoundingMode.Down) },
            Is.EqualTo(new[] { halfEven, halfUp, up, down }));
    }

    [Test]
    public void A_multiple_of_5_dollars_takes_the_nearest() =>
        Assert.That(new Rounding(RoundingMode.HalfUp, Usd(5m)).ToMultiple(1_066.19m), Is.EqualTo(Usd(1_065m)));

    [Test]
    public void Rates_above_1000_percent_and_below_zero_are_refused()
    {
        Assert.That(() => Rate.FromPercent(1_000.01m), Throws.TypeOf<RefusedException>());
        Assert.That(() => Rate.FromPercent(-0.01m), Throws.TypeOf<RefusedException>());
        Assert.That(Rate.FromPercent(7.25m).Fraction, Is.EqualTo(0.0725m));
        Assert.That(Rate.Zero.Percent, Is.Zero);
    }

    [TestCase("2026-07-04", BusinessDayShift.Following, "2026-07-06")]
    [TestCase("2026-07-04", BusinessDayShift.Preceding, "2026-07-02")]
    [TestCase("2026-01-31", BusinessDayShift.Following, "2026-02-02")]
    [TestCase("2026-01-31", BusinessDayShift.ModifiedFollowing, "2026-01-30")]
    [TestCase("2026-01-31", BusinessDayShift.None, "2026-01-31")]
    [TestCase("2026-01-30", BusinessDayShift.Following, "2026-01-30")]
    public void A_closed_day_moves_as_the_product_says(string date, BusinessDayShift shift, string expected) =>
        Assert.That(new BusinessCalendar([Day("2026-07-03")]).Shift(Day(date), shift), Is.EqualTo(Day(expected)));

    [Test]
    public void Five_business_days_after_a_Friday_is_the_next_Friday() =>
        Assert.That(BusinessCalendar.WeekendsOnly.AddBusinessDays(Day("2026-01-02"), 5), Is.EqualTo(Day("2026-01-09")));

    [Test]
    public void A_calendar_without_business_days_is_refused()
    {
        var closed = new BusinessCalendar(Enumerable.Range(0, 60).Select(i => Day("2026-01-01").AddDays(i)));

        Assert.That(() => closed.Shift(Day("2026-01-05"), BusinessDayShift.Following), Throws.TypeOf<RefusedException>());
    }
}
