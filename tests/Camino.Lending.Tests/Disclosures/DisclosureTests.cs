using Camino.Lending.Disclosures;
using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Disclosures;

public class DisclosureTests
{
    [Test]
    public void Without_fees_a_monthly_30_360_loan_costs_its_rate()
    {
        var disclosure = CreditDisclosure.Of(Terms(), Money.Zero);

        Assert.That(disclosure.AmountFinanced, Is.EqualTo(Usd(12_000m)));
        Assert.That(disclosure.FinanceCharge, Is.EqualTo(Usd(794.23m)));
        Assert.That(disclosure.TotalOfPayments, Is.EqualTo(Usd(12_794.23m)));
        Assert.That(disclosure.AprPercent, Is.EqualTo(12m).Within(0.001m));
    }

    [Test]
    public void A_prepaid_fee_lowers_what_is_financed_and_raises_the_rate()
    {
        var disclosure = CreditDisclosure.Of(Terms(), Usd(240m));

        Assert.That(disclosure.AmountFinanced, Is.EqualTo(Usd(11_760m)));
        Assert.That(disclosure.FinanceCharge, Is.EqualTo(Usd(1_034.23m)));
        Assert.That(disclosure.AprPercent, Is.EqualTo(15.86m).Within(0.05m));
    }

    [Test]
    public void Prepaid_odd_interest_is_a_prepaid_finance_charge()
    {
        var disclosure = CreditDisclosure.Of(Terms() with { FirstDueOn = Day("2026-02-20"), OddInterest = OddInterest.Prepaid }, Money.Zero);

        Assert.That(disclosure.AmountFinanced, Is.EqualTo(Usd(11_924m))); // 12,000.00 - 76.00 for 19 days
        Assert.That(disclosure.FinanceCharge, Is.EqualTo(Usd(870.23m)));
    }

    [Test]
    public void Fees_that_leave_nothing_are_refused() =>
        Assert.That(() => CreditDisclosure.Of(Terms(), Usd(12_000m)), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("disclosure.prepaid"));

    [TestCase("CA", "2022-12-08", 50_000, null)]
    [TestCase("CA", "2022-12-09", 50_000, "10 CCR 910-955")]
    [TestCase("CA", "2026-01-01", 500_001, null)]
    [TestCase("NY", "2023-07-31", 50_000, null)]
    [TestCase("NY", "2026-01-01", 50_000, "23 NYCRR 600")]
    [TestCase("TX", "2026-01-01", 50_000, null)]
    public void A_state_form_holds_from_its_date_and_up_to_its_amount(string state, string offeredOn, int financed, string? source) =>
        Assert.That(CommercialForm.For(CommercialForm.Known, state, Day(offeredOn), Usd(financed))?.Source, Is.EqualTo(source));

    /// <summary>Source: 10 CCR 901(a)(5), whose example is 10.45%.</summary>
    [TestCase("10.449999", "10.45")]
    [TestCase("10.454999", "10.45")]
    [TestCase("10.455000", "10.46")]
    [TestCase("9.999999", "10.00")]
    public void The_rate_on_a_form_has_two_decimals(string percent, string shown)
    {
        var exact = decimal.Parse(percent, System.Globalization.CultureInfo.InvariantCulture);

        Assert.That(CommercialForm.Known.Select(form => form.ShownApr(exact).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture)), Is.All.EqualTo(shown));
    }

    /// <summary>Source: 10 CCR 901(a)(4): days up to a year, then years and months with the remaining days as part of a month.</summary>
    [TestCase("2026-01-15", "2026-07-15", 181, 0, "0")]
    [TestCase("2026-01-15", "2027-01-15", 365, 0, "0")]
    [TestCase("2024-02-29", "2025-02-28", 365, 0, "0")]
    [TestCase("2026-01-15", "2027-01-16", 0, 1, "0.03")]
    [TestCase("2026-01-15", "2027-07-15", 0, 1, "6")]
    [TestCase("2026-01-15", "2029-03-30", 0, 3, "2.5")]
    [TestCase("2026-01-01", "2027-01-31", 0, 1, "1")] // 30 days are a month
    [TestCase("2026-01-31", "2028-02-29", 0, 2, "1")]
    [TestCase("2026-12-31", "2028-11-30", 0, 1, "11")]
    public void The_term_on_a_form_is_in_days_or_in_years_and_months(string from, string to, int days, int years, string months) =>
        Assert.That(CommercialForm.ShownTerm(Day(from), Day(to)), Is.EqualTo(new FormTerm(days, years, decimal.Parse(months, System.Globalization.CultureInfo.InvariantCulture))));

    [Test]
    public void Commercial_figures_of_a_weekly_loan()
    {
        var figures = CommercialFigures.Of(Terms(principal: 10_000m, percent: 20m, payments: 52, unit: PeriodUnit.Week, dayCount: DayCountConvention.Actual365), Usd(300m));

        Assert.That(figures.Received, Is.EqualTo(Usd(9_700m)));
        Assert.That(figures.KeptBack, Is.EqualTo(Usd(300m)));
        Assert.That(figures.TermDays, Is.EqualTo(364));
        Assert.That(figures.AverageMonthlyCost, Is.EqualTo(Money.FromCents((long)decimal.Round(figures.TotalPayments.Cents * 365m / (12m * 364m)))));
        Assert.That(figures.FinanceCharge, Is.EqualTo(figures.TotalPayments - figures.Received));
    }
}
