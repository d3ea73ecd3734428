using System.Globalization;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;

using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Ledger;

public class LoanLedgerTests
{
    private static readonly LoanEvent _firstPayment = new() { Key = "p1", On = Day("2026-02-01"), Type = LoanEventType.Pay, Amount = Usd(1_066.19m) };

    [Test]
    public void Interest_is_posted_at_the_month_end_and_the_rest_when_it_is_paid() =>
        Assert.That(Shown(new LoanProduct(), [_firstPayment], "2026-02-01"), Is.EqualTo((string[])
        [
            "2026-01-01 Disburse: LoansReceivable 12000.00, Cash -12000.00",
            "2026-01-31 Accrue: InterestReceivable 116.13, InterestIncome -116.13", // 120.00 x 30 / 31
            "2026-02-01 Accrue: InterestReceivable 3.87, InterestIncome -3.87",
            "2026-02-01 Pay p1: Cash 1066.19, LoansReceivable -946.19, InterestReceivable -120.00",
        ]));

    [Test]
    public void On_the_cash_basis_interest_is_income_when_it_is_paid() =>
        Assert.That(Shown(new LoanProduct { Basis = AccountingBasis.Cash }, [_firstPayment], "2026-02-01"), Is.EqualTo((string[])
        [
            "2026-01-01 Disburse: LoansReceivable 12000.00, Cash -12000.00",
            "2026-02-01 Pay p1: Cash 1066.19, LoansReceivable -946.19, InterestIncome -120.00",
        ]));

    [Test]
    public void A_returned_debit_is_corrected_by_new_entries_and_nothing_is_edited()
    {
        var product = new LoanProduct { ReturnFee = new FeeRule { Amount = Usd(25m) } };
        var posted = Entries(product, [_firstPayment], "2026-02-03");
        var returned = new LoanEvent { Key = "r1", On = Day("2026-02-04"), Type = LoanEventType.Return, Of = "p1", BankCode = "R01" };
        var missing = LoanLedger.Missing(posted, Entries(product, [_firstPayment, returned], "2026-02-04"));

        Assert.That(missing.Select(Show), Is.EqualTo((string[])
        [
            "2026-02-01 Pay p1 (correction): LoansReceivable 946.19, InterestReceivable 120.00, Cash -1066.19",
            "2026-02-04 ReturnFee r1: FeesReceivable 25.00, FeeIncome -25.00",
        ]));
        Assert.That(LoanLedger.Missing([.. posted, .. missing], Entries(product, [_firstPayment, returned], "2026-02-04")), Is.Empty);
    }

    [Test]
    public void A_back_dated_payment_corrects_the_interest_posted_since()
    {
        var product = new LoanProduct { Surplus = SurplusRule.LastInstallment };
        var posted = Entries(product, [], "2026-02-01");
        var early = new LoanEvent { Key = "p1", On = Day("2026-01-16"), PostedOn = Day("2026-02-01"), Type = LoanEventType.Pay, Amount = Usd(6_000m) };
        var missing = LoanLedger.Missing(posted, Entries(product, [early], "2026-02-01"));

        Assert.That(missing.Select(Show), Is.EqualTo((string[])
        [
            "2026-01-16 Accrue: InterestReceivable 58.06, InterestIncome -58.06", // 120.00 x 15 / 31
            "2026-01-16 Pay p1: Cash 6000.00, LoansReceivable -5941.94, InterestReceivable -58.06",
            "2026-01-31 Accrue (correction): InterestIncome 86.81, InterestReceivable -86.81", // 6,058.06 x 1 % x 15 / 31 = 29.32 instead of 116.13
            "2026-02-01 Accrue (correction): InterestIncome 1.92, InterestReceivable -1.92", // 1.95 instead of 3.87
        ]));
    }

    [Test]
    public void A_charge_off_takes_the_loan_off_the_books_and_keeps_it_in_view()
    {
        LoanEvent[] events =
        [
            new LoanEvent { Key = "f1", On = Day("2026-01-10"), Type = LoanEventType.Fee, Amount = Usd(40m) },
            new LoanEvent { Key = "c1", On = Day("2026-02-01"), Type = LoanEventType.ChargeOff },
            new LoanEvent { Key = "p1", On = Day("2026-06-01"), Type = LoanEventType.Recover, Amount = Usd(500m) },
        ];

        Assert.That(Shown(new LoanProduct(), events, "2026-06-30")[^2..], Is.EqualTo((string[])
        [
            "2026-02-01 ChargeOff c1: ChargeOffLosses 12160.00, ChargedOffBalances 12160.00, LoansReceivable -12000.00, InterestReceivable -120.00, FeesReceivable -40.00, ChargedOffContra -12160.00",
            "2026-06-01 Recover p1: Cash 500.00, ChargedOffContra 500.00, Recoveries -500.00, ChargedOffBalances -500.00",
        ]));
    }

    [Test]
    public void Prepaid_interest_is_earned_over_the_days_it_is_for()
    {
        var terms = Terms(on: "2026-01-22") with { FirstDueOn = Day("2026-03-01"), OddInterest = OddInterest.Prepaid };
        var entries = LoanAccount.On(new LoanProduct(), terms, [], Day("2026-02-01"), posts: true).Entries;

        // 22 January to 1 February are 9 days of 30/360: 12,000 x 12 % x 9 / 360 = 36.00, earned over 10 calendar days
        Assert.That(entries.Select(Show), Is.EqualTo((string[])
        [
            "2026-01-22 Disburse: LoansReceivable 12000.00, Cash -12000.00",
            "2026-01-22 ComeDue: InterestReceivable 36.00, UnearnedInterest -36.00",
            "2026-01-31 Earn: UnearnedInterest 32.40, InterestIncome -32.40",
            "2026-02-01 Earn: UnearnedInterest 3.60, InterestIncome -3.60",
        ]));
    }

    [Test]
    public void On_the_cash_basis_prepaid_interest_is_income_once_when_it_is_paid()
    {
        var terms = Terms(on: "2026-01-22") with { FirstDueOn = Day("2026-03-01"), OddInterest = OddInterest.Prepaid };
        LoanEvent[] events = [new LoanEvent { Key = "p0", On = Day("2026-01-22"), Type = LoanEventType.Pay, Amount = Usd(36m) }];
        var entries = LoanAccount.On(new LoanProduct { Basis = AccountingBasis.Cash }, terms, events, Day("2026-02-28"), posts: true).Entries;

        Assert.That(entries.Select(Show), Is.EqualTo((string[])
        [
            "2026-01-22 Disburse: LoansReceivable 12000.00, Cash -12000.00",
            "2026-01-22 Pay p0: Cash 36.00, InterestIncome -36.00",
        ]));
    }

    [Test]
    public void Financed_interest_accrues_by_day_and_becomes_principal_when_its_period_begins()
    {
        var terms = Terms(on: "2026-01-22") with { FirstDueOn = Day("2026-03-01"), OddInterest = OddInterest.Financed };
        var entries = LoanAccount.On(new LoanProduct(), terms, [], Day("2026-02-10"), posts: true).Entries;

        Assert.That(entries.Select(Show), Is.EqualTo((string[])
        [
            "2026-01-22 Disburse: LoansReceivable 12000.00, Cash -12000.00",
            "2026-01-31 Accrue: InterestReceivable 32.00, InterestIncome -32.00", // 8 of the 9 days of 30/360
            "2026-02-01 Accrue: InterestReceivable 4.00, InterestIncome -4.00",
            "2026-02-01 Capitalize: LoansReceivable 36.00, InterestReceivable -36.00",
        ]));
    }

    [Test]
    public void A_credit_is_a_liability_until_it_is_used_or_paid_out()
    {
        LoanEvent[] events =
        [
            new LoanEvent { Key = "p1", On = Day("2026-01-10"), Type = LoanEventType.Pay, Amount = Usd(1_100m) },
            new LoanEvent { Key = "o1", On = Day("2026-02-02"), Type = LoanEventType.Refund, Amount = Usd(33.81m) },
        ];

        Assert.That(Shown(new LoanProduct { Surplus = SurplusRule.Credit }, events, "2026-02-02")[1..], Is.EqualTo((string[])
        [
            "2026-01-10 Accrue: InterestReceivable 34.84, InterestIncome -34.84",
            "2026-01-10 Pay p1: Cash 1100.00, BorrowerCredits -1100.00",
            "2026-01-31 Accrue: InterestReceivable 81.29, InterestIncome -81.29",
            "2026-02-01 Accrue: InterestReceivable 3.87, InterestIncome -3.87",
            "2026-02-01 UseCredit: BorrowerCredits 1066.19, LoansReceivable -946.19, InterestReceivable -120.00",
            "2026-02-02 Accrue: InterestReceivable 3.95, InterestIncome -3.95", // 11,053.81 x 1 % / 28
            "2026-02-02 Refund o1: BorrowerCredits 33.81, Cash -33.81",
        ]));
    }

    [Test]
    public void Every_account_has_a_code_and_a_product_may_have_its_own()
    {
        var chart = ChartOfAccounts.Standard.With(LedgerAccount.InterestIncome, "4011-WC");

        Assert.That(ChartOfAccounts.Standard.Entries.Select(entry => entry.Account), Is.EqualTo(Enum.GetValues<LedgerAccount>()));
        Assert.That(ChartOfAccounts.Standard.Entries.Select(entry => entry.Code), Is.Unique);
        Assert.That(chart[LedgerAccount.InterestIncome].Code, Is.EqualTo("4011-WC"));
        Assert.That(() => chart.With(LedgerAccount.Cash, "10 10"), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("product.accounts"));
    }

    [Test]
    public void No_rule_debits_and_credits_the_same_account([Values] AccountingBasis basis)
    {
        Assert.That(PostingRules.For(basis), Has.All.Matches<PostingRule>(rule => rule.Debit != rule.Credit));
        Assert.That(PostingRules.For(basis).Select(rule => (rule.Act, rule.Moves)), Is.Unique);
    }

    private static string[] Shown(LoanProduct product, LoanEvent[] events, string asOf) => [.. Entries(product, events, asOf).Select(Show)];

    private static IReadOnlyList<LedgerEntry> Entries(LoanProduct product, LoanEvent[] events, string asOf) => LoanAccount.On(product, Terms(), events, Day(asOf), posts: true).Entries;

    /// <summary>Debits first, as a bookkeeper writes them.</summary>
    private static string Show(LedgerEntry entry) => string.Create(
        CultureInfo.InvariantCulture,
        $"{entry.On:yyyy-MM-dd} {entry.Act}{(entry.Key.Length > 0 ? " " + entry.Key : "")}{(entry.IsCorrection ? " (correction)" : "")}: {string.Join(", ", entry.Lines.OrderBy(line => line.Amount < Money.Zero).Select(line => string.Create(CultureInfo.InvariantCulture, $"{line.Account} {line.Amount.Dollars}")))}");
}
