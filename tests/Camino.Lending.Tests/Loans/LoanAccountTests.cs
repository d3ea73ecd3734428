using Camino.Lending.Delinquency;
using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Loans;

public class LoanAccountTests
{
    private static readonly ScheduleTerms _terms = Terms(); // $12,000.00 at 12 % over 12 months from 2026-01-01, 30/360: $1,066.19 a month

    private static LoanEvent Pay(string on, decimal amount, string key) => new() { Key = key, On = Day(on), Type = LoanEventType.Pay, Amount = Usd(amount) };

    private static LoanState On(string date, params LoanEvent[] events) => On(new LoanProduct(), date, events);

    private static LoanState On(LoanProduct product, string date, params LoanEvent[] events) => LoanAccount.On(product, _terms, events, Day(date)).State();

    [Test]
    public void First_payment_on_its_due_date_pays_interest_before_principal()
    {
        var state = On("2026-02-01", Pay("2026-02-01", 1_066.19m, "p1"));

        Assert.That(state.Rows[0].Paid.Interest, Is.EqualTo(Usd(120.00m))); // 12,000.00 x 1%
        Assert.That(state.Rows[0].Paid.Principal, Is.EqualTo(Usd(946.19m)));
        Assert.That(state.Status, Is.EqualTo(LoanStatus.Current));
        Assert.That(state.Owed.Principal, Is.EqualTo(Usd(11_053.81m)));
    }

    [Test]
    public void Half_a_month_accrues_half_the_interest() =>
        Assert.That(On("2026-01-16").AccruedInterest, Is.EqualTo(Usd(58.06m))); // 120.00 x 15 / 31

    [Test]
    public void Before_the_money_is_out_the_loan_is_pending() =>
        Assert.That(On("2025-12-31").Status, Is.EqualTo(LoanStatus.Pending));

    [Test]
    public void A_late_payer_owes_interest_on_what_is_really_outstanding()
    {
        var state = On("2026-03-01");

        Assert.That(state.Rows[1].Due.Interest, Is.EqualTo(Usd(120.00m))); // still 12,000.00 x 1%
        Assert.That(state.DaysPastDue, Is.EqualTo(28));
        Assert.That(state.Status, Is.EqualTo(LoanStatus.PastDue));
        Assert.That(Buckets.Of(state.DaysPastDue), Is.EqualTo(Bucket.Days1To30));
    }

    [Test]
    public void A_returned_debit_restores_days_past_due_from_the_original_due_date()
    {
        var events = new[] { Pay("2026-02-01", 1_066.19m, "p1"), new LoanEvent { Key = "r1", On = Day("2026-02-05"), Type = LoanEventType.Return, Of = "p1", BankCode = "R01" } };
        var product = new LoanProduct { ReturnFee = new FeeRule { Amount = Usd(25m) } };

        Assert.That(On(product, "2026-02-04", events).DaysPastDue, Is.Zero);
        var state = On(product, "2026-02-06", events);
        Assert.That(state.DaysPastDue, Is.EqualTo(5));
        Assert.That(state.Owed.Fee, Is.EqualTo(Usd(25m)));
        Assert.That(state.Owed.Principal, Is.EqualTo(Usd(12_000m)));
    }

    [Test]
    public void A_late_fee_comes_once_after_its_grace_and_within_its_cap()
    {
        var product = new LoanProduct { LateFee = new FeeRule { Percent = 5m, GraceDays = 10, Cap = Usd(50m) } };

        Assert.That(On(product, "2026-02-11").Owed.Penalty, Is.EqualTo(Money.Zero));
        Assert.That(On(product, "2026-02-12").Owed.Penalty, Is.EqualTo(Usd(50m))); // 5 % of 1,066.19 is 53.31
        Assert.That(On(product, "2026-02-28").Owed.Penalty, Is.EqualTo(Usd(50m)));
    }

    [Test]
    public void Surplus_pays_the_next_installment_ahead()
    {
        var state = On("2026-03-01", Pay("2026-02-01", 2_132.38m, "p1"));

        Assert.That(state.Rows[1].Outstanding.Total, Is.EqualTo(Money.Zero));
        Assert.That(state.DaysPastDue, Is.Zero);
        Assert.That(state.Owed.Principal, Is.EqualTo(Usd(9_987.62m)));
    }

    [Test]
    public void Surplus_from_the_end_keeps_the_amount_and_shortens_the_term()
    {
        var state = On(new LoanProduct { Surplus = SurplusRule.LastInstallment }, "2026-02-01", Pay("2026-02-01", 6_066.19m, "p1"));

        Assert.That(state.Rows[1].Outstanding.Total, Is.EqualTo(Usd(1_066.19m)));
        Assert.That(state.Rows.Count(row => row.Outstanding.Total > Money.Zero), Is.EqualTo(6));
    }

    [Test]
    public void Surplus_that_reamortizes_lowers_the_payment_and_keeps_the_term()
    {
        var state = On(new LoanProduct { Surplus = SurplusRule.Reamortize }, "2026-02-01", Pay("2026-02-01", 6_066.19m, "p1"));

        Assert.That(state.Rows[1].Outstanding.Total, Is.EqualTo(Usd(583.91m))); // 6,053.81 over 11 months at 1 %
        Assert.That(state.Rows[11].Outstanding.Total, Is.InRange(Usd(583.80m), Usd(584m)));
    }

    [Test]
    public void Surplus_as_credit_waits_for_the_next_due_date()
    {
        var product = new LoanProduct { Surplus = SurplusRule.Credit };

        Assert.That(On(product, "2026-02-15", Pay("2026-02-01", 1_500m, "p1")).Credit, Is.EqualTo(Usd(433.81m)));
        var due = On(product, "2026-03-01", Pay("2026-02-01", 1_500m, "p1"));
        Assert.That(due.Credit, Is.EqualTo(Money.Zero));
        Assert.That(due.Rows[1].Paid.Total, Is.EqualTo(Usd(433.81m)));
    }

    [Test]
    public void A_payoff_quote_paid_on_its_day_closes_the_loan()
    {
        var payoff = LoanAccount.On(new LoanProduct(), _terms, [Pay("2026-02-01", 1_066.19m, "p1")], Day("2026-02-11")).Payoff();

        Assert.That(payoff.Amount, Is.EqualTo(Usd(11_093.29m))); // 11,053.81 + 110.5381 x 10 / 28
        Assert.That(payoff.PerDiem, Is.EqualTo(Usd(3.95m)));
        Assert.That(payoff.GoodThrough, Is.EqualTo(Day("2026-02-21")));
        Assert.That(On("2026-02-11", Pay("2026-02-01", 1_066.19m, "p1"), Pay("2026-02-11", payoff.Amount.Dollars, "p2")).Status, Is.EqualTo(LoanStatus.PaidOff));
        Assert.That(On("2026-02-11", Pay("2026-02-01", 1_066.19m, "p1"), Pay("2026-02-11", payoff.Amount.Dollars + 1m, "p2")).Credit, Is.EqualTo(Usd(1m)));
    }

    [Test]
    public void Within_tolerance_a_payoff_closes_the_loan()
    {
        var state = On(new LoanProduct { Tolerance = Usd(1m) }, "2026-02-01", Pay("2026-02-01", 12_119.50m, "p1"));

        Assert.That(state.Status, Is.EqualTo(LoanStatus.PaidOff));
        Assert.That(state.Rows.Aggregate(Money.Zero, (sum, row) => sum + row.Waived.Total), Is.EqualTo(Usd(0.50m)));
    }

    [Test]
    public void A_charge_off_stops_interest_and_later_money_is_a_recovery()
    {
        var chargeOff = new LoanEvent { Key = "c1", On = Day("2026-05-15"), Type = LoanEventType.ChargeOff };
        var then = On("2026-05-15", chargeOff);
        var later = On("2026-08-01", chargeOff, Pay("2026-07-01", 500m, "p1"));

        Assert.That(then.Status, Is.EqualTo(LoanStatus.ChargedOff));
        Assert.That(later.ChargedOff, Is.EqualTo(then.ChargedOff - Usd(500m)));
        Assert.That(later.Recovered, Is.EqualTo(Usd(500m)));
        Assert.That(later.AccruedInterest, Is.EqualTo(Money.Zero));
    }

    [Test]
    public void A_restructure_does_not_reset_days_past_due_until_a_new_installment_is_paid()
    {
        var restructure = new LoanEvent { Key = "x", On = Day("2026-04-01"), Type = LoanEventType.Restructure, Count = 24, Until = Day("2026-05-01") };
        var before = On("2026-04-01");
        var after = On("2026-04-02", restructure);

        Assert.That(before.DaysPastDue, Is.EqualTo(59));
        Assert.That(after.DaysPastDue, Is.EqualTo(60));
        Assert.That(after.Restructures, Is.EqualTo(1));
        Assert.That(after.Rows.Count(row => !row.IsDue), Is.EqualTo(24));
        Assert.That(after.Rows.Aggregate(Money.Zero, (sum, row) => sum + row.Outstanding.Principal), Is.EqualTo(Usd(12_000m)));
        Assert.That(On("2026-05-01", restructure, Pay("2026-05-01", 1_500m, "p")).DaysPastDue, Is.Zero);
    }

    [Test]
    public void A_restructure_spreads_a_balloon_over_the_new_installments()
    {
        var restructure = new LoanEvent { Key = "x", On = Day("2026-02-01"), Type = LoanEventType.Restructure, Count = 10, Until = Day("2026-03-01") };
        var state = LoanAccount.On(new LoanProduct(), _terms with { Balloon = Usd(6_000m) }, [restructure], Day("2026-02-01")).State();

        Assert.That(state.Rows[^1].Outstanding.Total, Is.InRange(state.Rows[^2].Outstanding.Total - Usd(0.10m), state.Rows[^2].Outstanding.Total + Usd(0.10m)));
    }

    [Test]
    public void A_pause_of_days_past_due_stops_the_count()
    {
        var pause = new LoanEvent { Key = "d", On = Day("2026-02-11"), Type = LoanEventType.DelinquencyPause, Until = Day("2026-02-20") };

        Assert.That(On("2026-02-21", pause).DaysPastDue, Is.EqualTo(10));
        Assert.That(On("2026-02-22", pause).DaysPastDue, Is.EqualTo(11));
    }

    [Test]
    public void An_interest_pause_accrues_nothing()
    {
        var pause = new LoanEvent { Key = "i", On = Day("2026-01-01"), Type = LoanEventType.InterestPause, Until = Day("2026-01-31") };

        Assert.That(On("2026-02-01", pause).Rows[0].Due.Interest, Is.EqualTo(Money.Zero));
    }

    [Test]
    public void The_same_key_counts_once_and_with_another_body_is_refused()
    {
        Assert.That(On("2026-02-01", Pay("2026-02-01", 100m, "p1"), Pay("2026-02-01", 100m, "p1")).Owed.Total, Is.EqualTo(Usd(12_020m)));
        Assert.That(() => On("2026-02-01", Pay("2026-02-01", 100m, "p1"), Pay("2026-02-01", 101m, "p1")), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("event.key"));
    }

    [Test]
    public void A_reversal_of_nothing_or_of_something_reversed_is_refused()
    {
        static LoanEvent Reverse(string key, string of) => new() { Key = key, On = Day("2026-02-03"), Type = LoanEventType.Reverse, Of = of };

        Assert.That(() => On("2026-02-03", Reverse("r1", "p1")), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("event.of"));
        Assert.That(() => On("2026-02-03", Pay("2026-02-01", 1m, "p1"), Reverse("r1", "p1"), Reverse("r2", "p1")), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("event.of"));
        Assert.That(On("2026-02-03", Pay("2026-02-01", 1_066.19m, "p1"), Reverse("r1", "p1"), Reverse("r2", "r1")).Owed.Principal, Is.EqualTo(Usd(11_053.81m)));
    }

    [Test]
    public void Every_balance_says_why()
    {
        var account = LoanAccount.On(new LoanProduct(), _terms, [Pay("2026-02-01", 1_066.19m, "p1")], Day("2026-02-02"), explains: true);
        var chain = account.Explain();

        Assert.That(chain.Select(one => one.What), Is.EqualTo(new[]
        {
            "Money was handed out.", "Installment 1 came due: $946.19 of principal, $120.00 of interest.", "A payment was received.",
        }));
        Assert.That(chain[^1].Change.Principal, Is.EqualTo(Usd(-946.19m)));
        Assert.That(chain[^1].Owed, Is.EqualTo(account.State().Owed));
    }

    [Test]
    public void A_reversed_payment_stays_visible_in_the_explanation()
    {
        var events = new[] { Pay("2026-02-01", 1_066.19m, "p1"), new LoanEvent { Key = "r1", On = Day("2026-02-05"), Type = LoanEventType.Return, Of = "p1", BankCode = "R09" } };
        var chain = LoanAccount.On(new LoanProduct(), _terms, events, Day("2026-02-06"), explains: true).Explain();

        Assert.That(chain.Select(one => one.What), Has.Member("Pay of $1,066.19 was taken back on 2026-02-05 by r1 (R09); it has no effect."));
        Assert.That(chain.Select(one => one.What), Has.Member("The bank returned payment p1 (R09)."));
    }

    [Test]
    public void A_back_dated_payment_changes_what_came_after_and_a_look_back_shows_what_was_known()
    {
        var late = Pay("2026-02-01", 1_066.19m, "p1") with { PostedOn = Day("2026-02-20") };

        Assert.That(On("2026-02-15", late).DaysPastDue, Is.Zero);
        Assert.That(LoanAccount.On(new LoanProduct(), _terms, [late], Day("2026-02-15"), knownOn: Day("2026-02-15")).State().DaysPastDue, Is.EqualTo(14));
    }

    [Test]
    public void Disbursements_in_the_events_are_the_ones_made()
    {
        LoanEvent Disburse(string key, string on, decimal amount) => new() { Key = key, On = Day(on), Type = LoanEventType.Disburse, Amount = Usd(amount) };
        var events = new[] { Disburse("d1", "2026-01-10", 5_000m), Disburse("d2", "2026-03-20", 4_000m) };

        Assert.That(On("2026-01-09", events).Status, Is.EqualTo(LoanStatus.Pending));
        Assert.That(On("2026-02-10", events).Owed.Principal, Is.EqualTo(Usd(5_000m)));
        Assert.That(On("2026-02-10", events).Rows[0].Due.Interest, Is.EqualTo(Usd(50m))); // 5,000.00 x 1 %
        Assert.That(On("2026-03-20", events).Owed.Principal, Is.EqualTo(Usd(9_000m)));
    }

    [Test]
    public void A_payment_before_anything_is_handed_out_is_refused() =>
        Assert.That(() => On("2026-01-01", Pay("2025-12-31", 1m, "p1")), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("event.on"));

    [Test]
    public void A_rate_change_gives_the_rest_a_new_level()
    {
        var state = On("2026-02-01", Pay("2026-02-01", 1_066.19m, "p1"), new LoanEvent { Key = "c", On = Day("2026-02-01"), Type = LoanEventType.RateChange, Rate = Rate.FromPercent(6m) });

        Assert.That(state.Rows[1].Due.Interest, Is.EqualTo(Usd(55.27m))); // 11,053.81 x 0.5 %
        Assert.That(state.Rows[1].Due.Total, Is.EqualTo(Usd(1_035.29m)));
    }

    [Test]
    public void A_skipped_installment_comes_at_the_end()
    {
        var state = On("2026-02-01", Pay("2026-02-01", 1_066.19m, "p1"), new LoanEvent { Key = "s", On = Day("2026-02-01"), Type = LoanEventType.Skip });

        Assert.That(state.Rows, Has.Count.EqualTo(12));
        Assert.That(state.Rows[1].DueOn, Is.EqualTo(Day("2026-04-01")));
        Assert.That(state.Rows[1].Due.Interest, Is.EqualTo(Usd(221.08m))); // 11,053.81 x 2 %
        Assert.That(state.Rows[11].DueOn, Is.EqualTo(Day("2027-02-01")));
    }

    [Test]
    public void An_extension_adds_installments_and_lowers_them()
    {
        var state = On("2026-02-01", Pay("2026-02-01", 1_066.19m, "p1"), new LoanEvent { Key = "x", On = Day("2026-02-01"), Type = LoanEventType.Extend, Count = 11 });

        Assert.That(state.Rows, Has.Count.EqualTo(23));
        Assert.That(state.Rows[1].Due.Total, Is.EqualTo(Usd(562.24m))); // 11,053.81 over 22 months at 1 %
    }

    [TestCase(ScheduleMethod.EqualPrincipal, 500)]
    [TestCase(ScheduleMethod.InterestOnly, 0)]
    [TestCase(ScheduleMethod.Flat, 500)]
    public void An_extension_spreads_the_principal_as_the_method_does(ScheduleMethod method, int principal)
    {
        var extension = new LoanEvent { Key = "x", On = Day("2026-01-02"), Type = LoanEventType.Extend, Count = 12 };
        var state = LoanAccount.On(new LoanProduct(), _terms with { Method = method }, [extension], Day("2026-01-02")).State();

        Assert.That(state.Rows, Has.Count.EqualTo(24));
        Assert.That(state.Rows.Take(23).Select(row => row.Due.Principal), Is.All.EqualTo(Usd(principal)));
        Assert.That(state.Rows.Aggregate(Money.Zero, (sum, row) => sum + row.Due.Principal), Is.EqualTo(Usd(12_000m)));
    }

    [TestCase(ScheduleMethod.EqualPrincipal)]
    [TestCase(ScheduleMethod.InterestOnly)]
    [TestCase(ScheduleMethod.Flat)]
    public void A_skip_leaves_the_rest_of_the_principal_to_the_new_last_one(ScheduleMethod method)
    {
        var skip = new LoanEvent { Key = "s", On = Day("2026-01-02"), Type = LoanEventType.Skip };
        var state = LoanAccount.On(new LoanProduct(), _terms with { Method = method }, [skip], Day("2026-01-02")).State();

        Assert.That(state.Rows[10].Due.Principal, Is.EqualTo(state.Rows[9].Due.Principal));
        Assert.That(state.Rows[11].Outstanding.Principal, Is.EqualTo(Usd(12_000m) - Money.FromCents(state.Rows.Take(11).Sum(row => row.Due.Principal.Cents))));
    }

    [Test]
    public void A_moved_due_date_takes_those_after_it_along()
    {
        var state = On("2026-01-15", new LoanEvent { Key = "m", On = Day("2026-01-15"), Type = LoanEventType.DueDateChange, Until = Day("2026-02-15") });

        Assert.That(state.Rows[0].DueOn, Is.EqualTo(Day("2026-02-15")));
        Assert.That(state.Rows[1].DueOn, Is.EqualTo(Day("2026-03-15")));
        Assert.That(state.DaysPastDue, Is.Zero);
    }

    [Test]
    public void A_waiver_takes_a_fee_away_and_a_refund_a_credit()
    {
        var fee = new LoanEvent { Key = "f", On = Day("2026-01-10"), Type = LoanEventType.Fee, Amount = Usd(30m) };
        var waiver = new LoanEvent { Key = "w", On = Day("2026-01-11"), Type = LoanEventType.Waive, Amount = Usd(20m), Portion = Portion.Fee };
        var payoff = Pay("2026-02-01", 13_000m, "p");
        var refund = new LoanEvent { Key = "r", On = Day("2026-02-02"), Type = LoanEventType.Refund, Amount = Usd(870m) };

        Assert.That(On("2026-01-11", fee, waiver).Owed.Fee, Is.EqualTo(Usd(10m)));
        Assert.That(On("2026-02-01", fee, waiver, payoff).Credit, Is.EqualTo(Usd(870m))); // 13,000.00 - 12,120.00 - 10.00
        Assert.That(On("2026-02-02", fee, waiver, payoff, refund).Status, Is.EqualTo(LoanStatus.PaidOff));
    }

    [Test]
    public void A_small_balance_is_written_off_only_within_its_limit()
    {
        LoanEvent WriteOff(decimal limit) => new() { Key = "w", On = Day("2026-02-01"), Type = LoanEventType.WriteOff, Amount = Usd(limit) };

        Assert.That(On("2026-02-01", Pay("2026-02-01", 12_115m, "p"), WriteOff(5m)).Status, Is.EqualTo(LoanStatus.PaidOff));
        Assert.That(On("2026-02-01", Pay("2026-02-01", 12_115m, "p"), WriteOff(4.99m)).Owed.Total, Is.EqualTo(Usd(5m)));
    }

    [TestCase(0, Bucket.Current)]
    [TestCase(1, Bucket.Days1To30)]
    [TestCase(30, Bucket.Days1To30)]
    [TestCase(31, Bucket.Days31To60)]
    [TestCase(90, Bucket.Days61To90)]
    [TestCase(120, Bucket.Days91To120)]
    [TestCase(121, Bucket.Over120)]
    public void Days_past_due_fall_into_buckets(int days, Bucket bucket) => Assert.That(Buckets.Of(days), Is.EqualTo(bucket));

    [Test]
    public void A_loan_rolls_between_buckets_and_is_cured()
    {
        Assert.That(Buckets.Between(Bucket.Current, Bucket.Days1To30), Is.EqualTo(Roll.Worsened));
        Assert.That(Buckets.Between(Bucket.Days61To90, Bucket.Days1To30), Is.EqualTo(Roll.Improved));
        Assert.That(Buckets.Between(Bucket.Days61To90, Bucket.Current), Is.EqualTo(Roll.Cured));
        Assert.That(Buckets.Between(Bucket.Over120, Bucket.Over120), Is.EqualTo(Roll.Stayed));
    }

    [Test]
    public void Principal_that_is_waived_bore_interest_until_then()
    {
        var terms = Terms(dayCount: DayCountConvention.Actual365, payments: 1);
        var waiver = new LoanEvent { Key = "w1", On = Day("2026-02-11"), Type = LoanEventType.Waive, Portion = Portion.Principal, Amount = Usd(6_000m) };
        var state = LoanAccount.On(new LoanProduct(), terms, [waiver], Day("2026-02-21")).State();

        Assert.That(state.AccruedInterest, Is.EqualTo(Usd(59.18m))); // 12,000 x 12 % x 10 / 365 + 6,000 x 12 % x 10 / 365
    }
}
