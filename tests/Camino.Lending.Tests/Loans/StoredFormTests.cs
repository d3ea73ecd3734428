using Camino.Lending.Ledger;
using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Loans;

public class StoredFormTests
{
    [Test]
    public void Terms_are_read_back_as_they_were_stored() => RandomLoans.ForAll(2_000, random =>
    {
        var terms = RandomLoans.WithSecondDisbursement(
            RandomLoans.Terms(random) with { Shift = (BusinessDayShift)random.Next(4), Calendar = new BusinessCalendar([Day("2026-07-03"), Day("2026-12-25")]) }, random);
        var stored = StoredForm.Of(terms);
        var read = StoredForm.ReadTerms(stored);

        Assert.That(StoredForm.Of(read), Is.EqualTo(stored));
        Assert.That(Dues(Schedule.Of(read)), Is.EqualTo(Dues(Schedule.Of(terms))));
        Assert.That(read.Rate, Is.EqualTo(terms.Rate));
    });

    [Test]
    public void Products_and_events_are_read_back_as_they_were_stored() => RandomLoans.ForAll(2_000, random =>
    {
        var product = RandomLoans.Product(random) with { Accounts = ChartOfAccounts.Standard.With(LedgerAccount.Cash, $"10{random.Next(100)}") };
        var read = StoredForm.ReadProduct(StoredForm.Of(product));

        Assert.That(read with { Portions = product.Portions }, Is.EqualTo(product));
        Assert.That(read.Portions, Is.EqualTo(product.Portions));
        foreach (var one in RandomLoans.FullHistory(RandomLoans.Terms(random), random, 40))
            Assert.That(StoredForm.ReadEvent(StoredForm.Of(one)), Is.EqualTo(one with { Amount = one.HasAmount() ? one.Amount : Money.Zero }));
    });

    [Test]
    public void The_form_of_version_1_stays_as_it_is() => Assert.Multiple(() =>
    {
        Assert.That(StoredForm.Of(Terms() with { FirstDueOn = Day("2026-02-01"), HalfMonthDays = null }), Is.EqualTo(
            """{"version":1,"terms":{"principal":"12000.00","annualRatePercent":"12","method":"equalPayment","dayCount":"30/360","disbursements":[{"on":"2026-01-01","amount":"12000.00"}],"every":1,"unit":"month","payments":12,"firstDueOn":"2026-02-01","oddInterest":"joins","gracePrincipal":0,"graceInterest":0,"interestFree":0,"balloon":"0.00","downPaymentPercent":"0","rounding":{"mode":"half-even","multiple":"0.01"},"monthEnd":"clamp","shift":"none","holidays":[]}}"""));
        Assert.That(StoredForm.Of(new LoanProduct { LateFee = new FeeRule { Percent = 5m, GraceDays = 10, Cap = Usd(50m) } }), Is.EqualTo(
            """{"version":1,"product":{"accrual":"outstanding","allocation":"installmentFirst","portions":["penalty","fee","interest","principal"],"surplus":"nextInstallment","lateFee":{"amount":"0.00","percent":"5","graceDays":10,"cap":"50.00"},"graceDays":0,"tolerance":"0.00","payoffDays":10,"basis":"accrual","accrualPosting":"monthEnd","accounts":{"cash":"1010","loansReceivable":"1200","interestReceivable":"1210","feesReceivable":"1220","penaltiesReceivable":"1230","borrowerCredits":"2100","unearnedInterest":"2200","interestIncome":"4010","feeIncome":"4020","penaltyIncome":"4030","recoveries":"4100","interestWaived":"4910","feesWaived":"4920","principalForgiven":"5010","chargeOffLosses":"5020","smallBalanceLosses":"5030","chargedOffBalances":"9100","chargedOffContra":"9900"}}}"""));
        Assert.That(StoredForm.Of(new LoanEvent { Key = "r1", On = Day("2026-02-04"), PostedOn = Day("2026-02-05"), Type = LoanEventType.Return, Of = "p1", BankCode = "R01" }), Is.EqualTo(
            """{"version":1,"event":{"key":"r1","on":"2026-02-04","postedOn":"2026-02-05","type":"return","of":"p1","bankCode":"R01"}}"""));
    });

    [TestCase("""{"version":2,"event":{}}""", "stored.version", "version 2")]
    [TestCase("""{"event":{"key":"p1"}}""", "stored.form", "version is missing")]
    [TestCase("""{"version":1}""", "stored.form", "event is missing")]
    [TestCase("""{"version":1,"event":{"key":"p1","on":"2026-02-01","type":"gift"}}""", "stored.form", "event.type")]
    [TestCase("""{"version":1,"event":{"key":"p1","on":"2026-02-01","type":"pay","sum":"1.00"}}""", "stored.form", "sum")]
    [TestCase("nothing", "stored.form", "not stored as JSON")]
    public void A_form_that_cannot_be_read_is_refused(string stored, string code, string says) =>
        Assert.That(() => StoredForm.ReadEvent(stored), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo(code).And.Message.Contains(says));
}
