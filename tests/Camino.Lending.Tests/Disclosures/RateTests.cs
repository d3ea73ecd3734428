using Camino.Lending.Disclosures;
using Camino.Lending.Quotes;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Disclosures;

public class RateTests
{
    /// <summary>Source: 12 CFR 1026 Appendix J (c), the examples by their numbers; the regulation states two decimals.</summary>
    [TestCase("(c)(1)(i) monthly", "9.69", "1978-01-10:5000", "1978-02-10:230:24:1:month")]
    [TestCase("(c)(1)(ii) monthly, long first period", "11.82", "1978-02-10:6000", "1978-04-01:200:36:1:month")]
    [TestCase("(c)(1)(iii) semimonthly, short first period", "10.34", "1978-02-23:5000", "1978-03-01:219.17:24:1:halfMonth")]
    [TestCase("(c)(1)(iv) quarterly, long first period", "8.97", "1978-05-23:10000", "1978-10-01:385:40:3:month")]
    [TestCase("(c)(1)(v) weekly, long first period", "14.96", "1978-03-20:500", "1978-04-21:17.60:30:1:week")]
    [TestCase("(c)(2)(i) irregular first payment", "10.08", "1978-01-10:5000", "1978-02-10:250:1:1:month 1978-03-10:230:23:1:month")]
    [TestCase("(c)(2)(ii) every 4 weeks", "28.50", "1978-03-18:400", "1978-04-20:39.50:1:4:week 1978-05-18:38.31:11:4:week")]
    [TestCase("(c)(3)(i) irregular final payment", "10.50", "1978-01-10:5000", "1978-02-10:230:23:1:month 1980-01-10:280:1:1:month")]
    [TestCase("(c)(3)(ii) every 2 weeks", "12.22", "1978-04-03:200", "1978-04-11:9.50:19:2:week 1979-01-02:30:1:1:week")]
    [TestCase("(c)(4)(i) irregular first and final payment", "10.90", "1978-01-10:5000", "1978-02-10:250:1:1:month 1978-03-10:230:22:1:month 1980-01-10:280:1:1:month")]
    [TestCase("(c)(4)(ii) every two months", "7.30", "1978-01-10:8000", "1978-03-01:449.36:1:1:month 1978-05-01:465:18:2:month 1981-05-01:200:1:1:month")]
    [TestCase("(c)(5)(i) single payment, days", "11.45", "1978-01-03:1000", "1978-09-15:1080:1:1:month")]
    [TestCase("(c)(5)(ii) single payment, whole months", "8.80", "1978-07-15:1000", "1979-01-15:1044:1:1:month")]
    [TestCase("(c)(5)(iii) single payment, a year and six months", "8.76", "1978-01-17:1000", "1979-07-17:1135.19:1:1:month")]
    [TestCase("(c)(6)(i) skipped payments, every 4 weeks", "12.00", "1978-01-25:2135", "1978-02-20:100:9:4:week 1978-11-13:100:6:4:week 1979-05-14:100:6:4:week 1979-11-12:100:3:4:week")]
    [TestCase("(c)(6)(ii) skipped payments and single ones", "10.22", "1978-03-03:7350", "1978-09-15:1000:3:1:month 1979-03-15:2000:1:1:month 1979-09-15:750:3:1:month 1980-02-01:1000:1:1:month")]
    [TestCase("(c)(5)(iv) single payment, exactly two years", "11.36", "1978-01-03:1000", "1980-01-03:1240:1:1:month")]
    public void Appendix_J_example(string example, string expected, string advances, string payments)
    {
        var answer = Quote.Answer("apr", $$"""{"id":"{{example}}","advances":[{{string.Join(',', advances.Split(' ').Select(Advance))}}],"payments":[{{string.Join(',', payments.Split(' ').Select(Payment))}}]}""");

        using var json = System.Text.Json.JsonDocument.Parse(answer);
        var percent = decimal.Parse(json.RootElement.GetProperty("aprPercent").GetString() ?? "", System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(decimal.Round(percent, 2), Is.EqualTo(decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture)), answer);
    }

    /// <summary>
    /// Source: 12 CFR 1026 Appendix J (b)(8), the general equation for any number of advances; Appendix J works no such example, so the rates were found on their own, by halving the
    /// interval with 40 digits.
    /// </summary>
    [TestCase("9.539179", 12, "5000:0:0 5000:1:0 5000:2:0", "700:24:4:0")]
    [TestCase("11.827764", 12, "4000:0:0 2500:1:10/30 3500:3:0", "335:36:3:15/30")]
    [TestCase("52.368826", 52, "1000:0:0 1000:4:0", "90:26:5:3/7")]
    [TestCase("42.768031", 12, "3000:0:0 2000:6:0", "480:12:1:0")] // the second advance between payments
    public void Multiple_advances(string expected, int unitPeriodsPerYear, string advances, string payments)
    {
        var asked = $$"""{"id":1,"unitPeriodsPerYear":"{{unitPeriodsPerYear}}","advances":[{{string.Join(',', advances.Split(' ').Select(text => text.Split(':') is [var amount, var whole, var part] ? $$"""{"amount":"{{amount}}","unitPeriods":{{whole}},"fraction":"{{part}}"}""" : ""))}}],"payments":[{{string.Join(',', payments.Split(' ').Select(text => text.Split(':') is [var amount, var count, var whole, var part] ? $$"""{"amount":"{{amount}}","count":{{count}},"firstUnitPeriods":{{whole}},"firstFraction":"{{part}}"}""" : ""))}}]}""";

        Assert.That(Quote.Answer("apr", asked), Is.EqualTo($$"""{"id":1,"aprPercent":"{{expected}}"}"""));
    }

    [Test]
    public void Multiple_advances_by_their_dates() =>
        Assert.That(Quote.Answer("apr", """{"id":1,"advances":[{"on":"2026-01-10","amount":"5000"},{"on":"2026-02-10","amount":"5000"},{"on":"2026-03-10","amount":"5000"}],"payments":[{"on":"2026-05-10","amount":"700","count":24,"every":1,"unit":"month"}]}"""),
            Is.EqualTo("""{"id":1,"aprPercent":"9.539179"}"""));

    /// <summary>Source: the tests of FSharp.Finance.Personal (github.com/simontreanor), "confirmed using Excel": first periods that are shorter or longer, and the smallest and largest unit-periods.</summary>
    [TestCase("9.15", "1978-06-23:10000", "1978-10-01:385:40:3:month")]
    [TestCase("9.32", "1978-07-23:10000", "1978-10-01:385:40:3:month")]
    [TestCase("94.15", "2023-10-26:1000", "2023-11-30:220:5:1:day")]
    [TestCase("176.52", "2023-10-28:1000", "2023-11-30:250:5:1:week")]
    [TestCase("412.40", "2023-11-23:1000", "2023-11-30:250:5:1:week")]
    [TestCase("434.30", "2023-11-24:1000", "2023-11-30:250:5:1:week")]
    [TestCase("78.34", "2023-10-26:1000", "2023-11-30:500:5:12:month")]
    public void Odd_first_periods_as_others_publish_them(string expected, string advances, string payments) => Appendix_J_example("", expected, advances, payments);

    [Test]
    public void Unit_periods_given_and_found_from_dates_agree()
    {
        const string given = """{"id":1,"unitPeriodsPerYear":"12","advances":[{"amount":"6000","unitPeriods":0,"fraction":"0"}],"payments":[{"amount":"200","count":36,"firstUnitPeriods":1,"firstFraction":"19/30"}]}""";
        const string dated = """{"id":1,"advances":[{"on":"1978-02-10","amount":"6000"}],"payments":[{"on":"1978-04-01","amount":"200","count":36,"every":1,"unit":"month"}]}""";

        Assert.That(Quote.Answer("apr", given), Is.EqualTo("""{"id":1,"aprPercent":"11.816508"}"""));
        Assert.That(Quote.Answer("apr", dated), Is.EqualTo(Quote.Answer("apr", given)));
    }

    [Test]
    public void A_series_on_month_ends_is_monthly_also_when_its_dates_are_listed_one_by_one()
    {
        const string listed = """{"id":1,"advances":[{"on":"2025-12-31","amount":"1000"}],"payments":[{"on":"2026-01-31","amount":"340"},{"on":"2026-02-28","amount":"340"},{"on":"2026-03-31","amount":"340"}]}""";
        const string units = """{"id":1,"unitPeriodsPerYear":"12","advances":[{"amount":"1000","unitPeriods":0,"fraction":"0"}],"payments":[{"amount":"340","count":3,"firstUnitPeriods":1,"firstFraction":"0"}]}""";

        Assert.That(Quote.Answer("apr", listed), Is.EqualTo(Quote.Answer("apr", units)));
    }

    [Test]
    public void A_loan_without_finance_charge_has_a_rate_of_zero() =>
        Assert.That(Quote.Answer("apr", """{"id":1,"advances":[{"on":"2026-01-01","amount":"300"}],"payments":[{"on":"2026-02-01","amount":"100","count":3,"every":1,"unit":"month"}]}"""),
            Is.EqualTo("""{"id":1,"aprPercent":"0.000000"}"""));

    /// <summary>Source: Microsoft, XIRR function reference: 0.373362535.</summary>
    [Test]
    public void Xirr_of_the_spreadsheet_reference_example()
    {
        var rate = Xirr.Percent([
            new Flow(Day("2008-01-01"), Usd(-10_000m)), new Flow(Day("2008-03-01"), Usd(2_750m)), new Flow(Day("2008-10-30"), Usd(4_250m)),
            new Flow(Day("2009-02-15"), Usd(3_250m)), new Flow(Day("2009-04-01"), Usd(2_750m))]);

        Assert.That(decimal.Round(rate, 7), Is.EqualTo(37.3362534m).Within(0.0000002m));
    }

    [Test]
    public void Xirr_of_several_roots_is_the_nearest_to_zero() => // -100 + 230 / 1.1 - 132 / 1.1^2 = 0, and so at 20 %
        Assert.That(Xirr.Percent([new Flow(Day("2009-01-01"), Usd(-100m)), new Flow(Day("2010-01-01"), Usd(230m)), new Flow(Day("2011-01-01"), Usd(-132m))]), Is.EqualTo(10m));

    [Test]
    public void Xirr_says_no_answer_where_there_is_none()
    {
        Assert.That(() => Xirr.Percent([new Flow(Day("2009-01-01"), Usd(-100m)), new Flow(Day("2010-01-01"), Usd(150m)), new Flow(Day("2011-01-01"), Usd(-100m))]),
            Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("xirr.no_answer"));
        Assert.That(() => Xirr.Percent([new Flow(Day("2009-01-01"), Usd(-100m))]), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("xirr.no_answer"));
    }

    [Test]
    public void Xirr_of_a_near_total_loss_is_found() =>
        Assert.That(Xirr.Percent([new Flow(Day("2009-01-01"), Usd(-100m)), new Flow(Day("2010-01-01"), Usd(10m))]), Is.EqualTo(-90m));

    [Test]
    public void Xirr_is_checked_against_its_own_equation_on_random_flows()
    {
        var random = new Random(20_260_301);
        for (var run = 0; run < 300; run++)
        {
            var flows = new Flow[random.Next(2, 30)];
            for (var i = 0; i < flows.Length; i++)
                flows[i] = new Flow(Day("2020-01-01").AddDays(random.Next(0, 3_000)), Money.FromCents(random.Next(-100_000, 100_000)));
            decimal percent;
            try
            {
                percent = Xirr.Percent(flows);
            }
            catch (RefusedException)
            {
                continue;
            }

            var first = flows.Min(f => f.On.DayNumber);
            var value = flows.Sum(f => f.Amount.Cents * Math.Pow(1 + ((double)percent / 100), -(f.On.DayNumber - first) / 365.0));
            var size = flows.Sum(f => Math.Abs(f.Amount.Cents) * Math.Pow(1 + ((double)percent / 100), -(f.On.DayNumber - first) / 365.0));
            Assert.That(Math.Abs(value) / size, Is.LessThan(1e-6), $"run {run}: {percent}");
        }
    }

    /// <summary>Source: 12 CFR 1030 Appendix A, part I: $61.68 on $1,000 in 365 days is 6.17 %; $30.37 in 182 days is 6.18 %.</summary>
    [Test]
    public void Apy_examples_of_Regulation_DD()
    {
        Assert.That(decimal.Round(Apy.Percent(Usd(1_000m), Usd(61.68m), 365), 2), Is.EqualTo(6.17m));
        Assert.That(decimal.Round(Apy.Percent(Usd(1_000m), Usd(30.37m), 182), 2), Is.EqualTo(6.18m));
        Assert.That(Apy.Percent(Rate.FromPercent(12m), 12), Is.EqualTo(12.682503m));
    }

    private static string Advance(string text) => text.Split(':') is [var on, var amount] ? $$"""{"on":"{{on}}","amount":"{{amount}}"}""" : "";

    private static string Payment(string text) => text.Split(':') is [var on, var amount, var count, var every, var unit]
        ? $$"""{"on":"{{on}}","amount":"{{amount}}","count":{{count}},"every":{{every}},"unit":"{{unit}}"}"""
        : "";
}
