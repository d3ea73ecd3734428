using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Loans;

public class SchedulePropertyTests
{
    [Test]
    public void Principal_repaid_is_the_principal_and_nothing_is_negative() => RandomLoans.ForAll(4_000, random =>
    {
        var terms = RandomLoans.WithSecondDisbursement(RandomLoans.Terms(random), random);
        var schedule = Schedule.Of(terms);
        var financed = terms.OddInterest == OddInterest.Financed ? schedule.TotalPrincipal - terms.Principal : Money.Zero;

        Assert.That(schedule.TotalPrincipal, Is.EqualTo(terms.Principal + financed));
        Assert.That(financed, Is.GreaterThanOrEqualTo(Money.Zero));
        Assert.That(schedule.Rows[^1].Balance, Is.EqualTo(Money.Zero));
        var before = terms.StartsOn();
        foreach (var row in schedule.Rows)
        {
            Assert.That(row.Principal, Is.GreaterThanOrEqualTo(Money.Zero));
            Assert.That(row.Interest, Is.GreaterThanOrEqualTo(Money.Zero));
            Assert.That(row.Balance, Is.GreaterThanOrEqualTo(Money.Zero));
            Assert.That(row.Due, Is.EqualTo(row.Principal + row.Interest));
            Assert.That(row.DueOn, Is.GreaterThanOrEqualTo(before));
            before = row.DueOn;
        }
    });

    [Test]
    public void The_last_payment_is_as_near_to_the_level_as_a_cent_allows() => RandomLoans.ForAll(2_000, random =>
    {
        var terms = RandomLoans.Terms(random, isPlain: true) with { Method = ScheduleMethod.EqualPayment };
        var schedule = Schedule.Of(terms);
        if (schedule.Rows.Length < 3)
            return;
        foreach (var row in schedule.Rows)
        {
            if (row.Principal == Money.Zero)
                return; // interest alone reaches the level: principal does not grow, and the last payment bears what follows
        }

        // One cent on the level moves the last payment by the growth of a cent a period; interest rounding adds at most half a cent a period, grown.
        var growth = 0m;
        for (var i = 1; i < schedule.Rows.Length; i++)
            growth = (growth * (1m + ((schedule.Rows[i].Interest.Dollars + 0.01m) / Math.Max(0.01m, schedule.Rows[i - 1].Balance.Dollars)))) + 0.01m;
        Assert.That(Math.Abs((schedule.Rows[^1].Due - schedule.Rows[0].Due).Dollars), Is.LessThanOrEqualTo(growth + 0.02m), $"{terms}");
    });

    [Test]
    public void No_interest_at_rate_zero() => RandomLoans.ForAll(500, random =>
        Assert.That(Schedule.Of(RandomLoans.Terms(random) with { Rate = Rate.Zero }).TotalInterest, Is.EqualTo(Money.Zero)));

    [Test]
    public void A_thousand_percent_over_480_payments_stays_exact([Values] ScheduleMethod method)
    {
        var schedule = Schedule.Of(Terms(principal: 50_000m, percent: 1_000m, payments: 480, method: method));

        Assert.That(schedule.TotalPrincipal, Is.EqualTo(Usd(50_000m)));
        Assert.That(schedule.Rows.Length, Is.EqualTo(480));
    }

    [Test]
    public void A_day_on_the_31st_is_clamped_and_returns() =>
        Assert.That(DueDates(Schedule.Of(Terms(on: "2027-12-31", payments: 6))), Is.EqualTo(new[] { "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31", "2028-06-30" }));

    [Test]
    public void A_first_due_date_of_one_clamped_month_is_a_regular_period()
    {
        var given = Terms(on: "2026-01-31", payments: 4) with { FirstDueOn = Day("2026-02-28") };

        Assert.That(DueDates(Schedule.Of(given)), Is.EqualTo(DueDates(Schedule.Of(given with { FirstDueOn = null }))));
        Assert.That(Schedule.Of(given).Rows[0].Interest, Is.EqualTo(Usd(120m)));
    }

    [Test]
    public void Terms_out_of_limits_are_refused_with_the_field()
    {
        void Refused(ScheduleTerms terms, string code) => Assert.That(() => Schedule.Of(terms), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo(code));

        Refused(Terms(payments: 0), "schedule.payments");
        Refused(Terms(payments: 1_201), "schedule.payments");
        Refused(Terms() with { GracePrincipal = 12 }, "schedule.gracePrincipal");
        Refused(Terms() with { Balloon = Usd(12_000.01m) }, "schedule.balloon");
        Refused(Terms() with { FirstDueOn = Day("2026-01-01") }, "schedule.firstDueOn");
        Refused(Terms() with { Disbursements = [new Disbursement(Day("2026-01-01"), Usd(1m))] }, "schedule.disbursements");
        Refused(Terms() with { Disbursements = [new Disbursement(Day("2026-01-01"), Usd(6_000m)), new Disbursement(Day("2027-01-01"), Usd(6_000m))] }, "schedule.disbursements");
        Refused(Terms() with { DownPaymentPercent = 100m }, "schedule.downPaymentPercent");
        Refused(Terms() with { DayCount = DayCountConvention.ActualActualIcma }, "schedule.dayCount");
        Refused(Terms() with { HalfMonthDays = (1, 16) }, "schedule.days");
    }
}

file static class TermsReading
{
    public static DateOnly StartsOn(this ScheduleTerms terms) => terms.Disbursements.Min(one => one.On);
}
