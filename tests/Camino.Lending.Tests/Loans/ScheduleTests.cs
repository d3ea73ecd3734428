using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Loans;

/// <summary>Worked schedules. "Fineract" is the unit test ProgressiveEMICalculatorTest of Apache Fineract with its published figures.</summary>
public class ScheduleTests
{
    private static ScheduleTerms SixMonths(decimal percent, DayCountConvention dayCount, params Disbursement[] disbursements) => Terms(payments: 6, percent: percent, dayCount: dayCount) with
    {
        Principal = Usd(disbursements.Sum(d => d.Amount.Dollars)),
        Disbursements = disbursements,
    };

    [Test]
    public void Twelve_thousand_at_12_percent_over_12_months_pays_1066_and_19_cents()
    {
        var schedule = Schedule.Of(Terms());

        Assert.That(schedule.Rows[0].Interest, Is.EqualTo(Usd(120.00m))); // 12,000.00 x 1%
        Assert.That(schedule.Rows[0].Principal, Is.EqualTo(Usd(946.19m)));
        Assert.That(Dues(schedule)[..11], Is.All.EqualTo(1_066.19m));
        Assert.That(schedule.Rows[11].Balance, Is.EqualTo(Money.Zero));
    }

    [Test]
    public void Fineract_100_at_9_4822_percent_30_360_monthly()
    {
        var schedule = Schedule.Of(SixMonths(9.4822m, DayCountConvention.Thirty360, new Disbursement(Day("2024-01-01"), Usd(100m))));

        Assert.That(Dues(schedule), Is.EqualTo(new[] { 17.13m, 17.13m, 17.13m, 17.13m, 17.13m, 17.13m }));
        Assert.That(Interests(schedule), Is.EqualTo(new[] { 0.79m, 0.66m, 0.53m, 0.40m, 0.27m, 0.13m }));
    }

    [Test]
    public void Fineract_second_disbursement_on_a_due_date_sets_a_new_level_from_the_next_installment()
    {
        var schedule = Schedule.Of(SixMonths(9.4822m, DayCountConvention.Thirty360, new Disbursement(Day("2024-01-01"), Usd(100m)), new Disbursement(Day("2024-03-01"), Usd(100m))));

        Assert.That(Dues(schedule), Is.EqualTo(new[] { 17.13m, 17.13m, 42.63m, 42.63m, 42.63m, 42.61m }));
        Assert.That(Interests(schedule), Is.EqualTo(new[] { 0.79m, 0.66m, 1.32m, 0.99m, 0.67m, 0.33m }));
    }

    [Test]
    public void Fineract_second_disbursement_within_a_period_bears_interest_for_its_days()
    {
        var schedule = Schedule.Of(SixMonths(9.4822m, DayCountConvention.Thirty360, new Disbursement(Day("2024-01-01"), Usd(100m)), new Disbursement(Day("2024-02-15"), Usd(100m))));

        Assert.That(Dues(schedule), Is.EqualTo(new[] { 17.13m, 37.53m, 37.53m, 37.53m, 37.53m, 37.53m }));
        Assert.That(Interests(schedule), Is.EqualTo(new[] { 0.79m, 1.07m, 1.16m, 0.88m, 0.59m, 0.29m }));
    }

    [Test]
    public void Two_disbursements_in_the_first_period_round_its_interest_once()
    {
        var schedule = Schedule.Of(SixMonths(9.4822m, DayCountConvention.Thirty360, new Disbursement(Day("2024-01-01"), Usd(100m)), new Disbursement(Day("2024-01-08"), Usd(200m))));

        // 100.00 x 0.094822 / 12 x 7 / 31 + 300.00 x 0.094822 / 12 x 24 / 31 = 0.1784 + 1.8353
        Assert.That(schedule.Rows[0].Interest, Is.EqualTo(Usd(2.01m)));
        Assert.That(Dues(schedule)[0], Is.EqualTo(51.33m));
    }

    [Test]
    public void Fineract_every_15_days_30_360_counts_actual_days()
    {
        var schedule = Schedule.Of(Terms(principal: 100m, percent: 9.4822m, payments: 6, on: "2024-01-01", unit: PeriodUnit.Day, every: 15));

        Assert.That(Dues(schedule)[..5], Is.All.EqualTo(16.90m));
        Assert.That(Interests(schedule)[..5], Is.EqualTo(new[] { 0.40m, 0.33m, 0.26m, 0.20m, 0.13m }));
        Assert.That(DueDates(schedule)[..3], Is.EqualTo(new[] { "2024-01-16", "2024-01-31", "2024-02-15" }));
    }

    [Test]
    public void Fineract_actual_365_level_comes_from_unequal_periods()
    {
        var schedule = Schedule.Of(SixMonths(15.678m, DayCountConvention.Actual365, new Disbursement(Day("2024-01-01"), Usd(100m))));

        // 17.44 would leave a gap as wide, so 17.43 stays.
        Assert.That(Dues(schedule), Is.EqualTo(new[] { 17.43m, 17.43m, 17.43m, 17.43m, 17.43m, 17.47m }));
        Assert.That(Interests(schedule), Is.EqualTo(new[] { 1.33m, 1.05m, 0.90m, 0.66m, 0.46m, 0.22m }));
    }

    [Test]
    public void Fineract_without_interest_four_equal_parts()
    {
        var schedule = Schedule.Of(Terms(principal: 1_000m, percent: 0m, payments: 4, on: "2024-01-01", dayCount: DayCountConvention.ActualActual));

        Assert.That(Dues(schedule), Is.All.EqualTo(250m));
    }
}
