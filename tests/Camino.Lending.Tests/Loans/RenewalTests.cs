using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Loans;

/// <summary>Months on time: $12,000.00 at 12 % over 12 months from 2026-01-01, 30/360, $1,066.19 due on the first of each month; three days late still count as on time.</summary>
public class RenewalTests
{
    private static readonly LoanProduct _product = new() { Renewal = new RenewalRule { OnTimeMonths = 3, GraceDays = 3 } };

    private static LoanEvent Pay(string on, string key) => new() { Key = key, On = Day(on), Type = LoanEventType.Pay, Amount = Usd(1_066.19m) };

    private static RenewalStanding On(string date, params LoanEvent[] events) => LoanAccount.On(_product, Terms(), events, Day(date)).Renewal();

    [TestCase("2026-03-31", 2, false)]
    [TestCase("2026-04-01", 3, true)]
    [TestCase("2026-04-03", 3, false)] // the installment of the first is not paid yet: the loan is past due
    public void Whole_months_count_from_the_day_the_money_was_handed_out(string date, int months, bool mayRenew)
    {
        var standing = On(date, Pay("2026-02-01", "p1"), Pay("2026-03-01", "p2"));

        Assert.That((standing.Since, standing.Months, standing.MayRenew), Is.EqualTo((Day("2026-01-01"), months, mayRenew)));
    }

    [Test]
    public void A_payment_within_the_grace_is_on_time_and_one_after_it_begins_the_count_anew()
    {
        Assert.That(On("2026-02-10", Pay("2026-02-04", "p1")).Since, Is.EqualTo(Day("2026-01-01")));
        Assert.That(On("2026-02-10", Pay("2026-02-05", "p1")).Since, Is.EqualTo(Day("2026-02-05")));
    }

    [Test]
    public void While_an_installment_is_late_no_month_counts()
    {
        var standing = On("2026-02-10");

        Assert.That((standing.Since, standing.Months, standing.Status), Is.EqualTo((Day("2026-02-10"), 0, LoanStatus.PastDue)));
    }

    [Test]
    public void A_returned_debit_makes_late_what_seemed_on_time()
    {
        LoanEvent[] events = [Pay("2026-02-01", "p1"), new() { Key = "r1", On = Day("2026-02-05"), Type = LoanEventType.Return, Of = "p1", BankCode = "R01" }, Pay("2026-02-20", "p2")];

        Assert.That(On("2026-02-28", events).Since, Is.EqualTo(Day("2026-02-20")));
    }

    [Test]
    public void Paid_ahead_is_paid_on_time()
    {
        var ahead = new LoanEvent { Key = "p1", On = Day("2026-01-20"), Type = LoanEventType.Pay, Amount = Usd(3_500m) };

        Assert.That(On("2026-04-01", ahead).MayRenew, Is.True);
    }

    [Test]
    public void A_restructure_begins_the_count_anew()
    {
        LoanEvent[] events = [Pay("2026-02-01", "p1"), new() { Key = "r", On = Day("2026-02-15"), Type = LoanEventType.Restructure, Count = 12, Until = Day("2026-03-15") }];

        Assert.That(On("2026-03-01", events).Since, Is.EqualTo(Day("2026-02-15")));
    }

    [Test]
    public void Days_on_which_nothing_counts_as_past_due_are_none_late()
    {
        LoanEvent[] events = [new() { Key = "d", On = Day("2026-02-02"), Type = LoanEventType.DelinquencyPause, Until = Day("2026-02-20") }, Pay("2026-02-21", "p1")];

        Assert.That(On("2026-02-25", events).Since, Is.EqualTo(Day("2026-01-01")));
    }

    [Test]
    public void What_speaks_against_a_renewal_is_said_with_its_figures()
    {
        Assert.That(() => LoanAccount.On(new LoanProduct(), Terms(), [], Day("2026-01-15")).Renewal().Check("L-1"), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("renewal.none"));
        Assert.That(() => On("2026-02-10").Check("L-1"), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("renewal.status"));
        Assert.That(() => On("2026-02-01", Pay("2026-02-01", "p1")).Check("L-1"), Throws.InstanceOf<RefusedException>().With.Message.EqualTo("Loan L-1 has been paid on time for 1 whole months, since 2026-01-01; its product asks for 3."));
    }

    [TestCase(0, 0)]
    [TestCase(121, 0)]
    [TestCase(6, 61)]
    public void Limits_of_the_rule_are_kept(int months, int grace) =>
        Assert.That(() => StoredForm.Of(new LoanProduct { Renewal = new RenewalRule { OnTimeMonths = months, GraceDays = grace } }), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("product.renewal"));

    [Test]
    public void The_rule_is_stored_with_the_product_and_read_back()
    {
        var stored = StoredForm.Of(_product);

        Assert.That(stored, Does.Contain("\"renewal\":{\"onTimeMonths\":3,\"graceDays\":3}"));
        Assert.That(StoredForm.ReadProduct(stored).Renewal, Is.EqualTo(_product.Renewal));
        Assert.That(StoredForm.ReadProduct(StoredForm.Of(new LoanProduct())).Renewal, Is.Null);
    }
}
