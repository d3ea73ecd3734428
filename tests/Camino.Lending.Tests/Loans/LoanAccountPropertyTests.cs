using Camino.Lending.Loans;

namespace Camino.Lending.Tests.Loans;

public class LoanAccountPropertyTests
{
    [Test]
    public void A_loan_paid_on_time_follows_its_schedule_to_the_cent() => RandomLoans.ForAll(2_000, random =>
    {
        var terms = RandomLoans.WithSecondDisbursement(RandomLoans.Terms(random), random);
        var schedule = Schedule.Of(terms);
        var events = new List<LoanEvent>();
        foreach (var row in schedule.Rows)
        {
            if (row.Due > Money.Zero)
                events.Add(new LoanEvent { Key = $"p{row.Number}", On = row.DueOn, Type = LoanEventType.Pay, Amount = row.Due });
        }

        var state = LoanAccount.On(new LoanProduct(), terms, events, schedule.Rows[^1].DueOn).State();
        for (var i = 0; i < schedule.Rows.Length; i++)
        {
            Assert.That(state.Rows[i].Paid.Principal, Is.EqualTo(schedule.Rows[i].Principal), $"row {i + 1} of {terms}");
            Assert.That(state.Rows[i].Paid.Interest, Is.EqualTo(schedule.Rows[i].Interest), $"row {i + 1} of {terms}");
        }

        Assert.That(state.Status, Is.EqualTo(LoanStatus.PaidOff));
    });

    [Test]
    public void A_second_disbursement_in_an_odd_first_period_accrues_as_scheduled() => RandomLoans.ForAll(1_000, random =>
    {
        var terms = RandomLoans.Terms(random) with { Unit = PeriodUnit.Month, Every = 1, DownPaymentPercent = 0m, Principal = Make.Usd(9_000m), Balloon = Money.Zero };
        var start = terms.Disbursements[0].On;
        var days = random.Next(2, 90);
        terms = terms with
        {
            FirstDueOn = start.AddDays(days),
            Disbursements = [new Disbursement(start, Make.Usd(4_000m)), new Disbursement(start.AddDays(random.Next(1, days)), Make.Usd(5_000m))],
        };
        var schedule = Schedule.Of(terms);
        var first = terms.OddInterest == OddInterest.Prepaid && schedule.Rows[0].Days == 0 ? 1 : 0;
        var state = LoanAccount.On(new LoanProduct(), terms, [], schedule.Rows[first].DueOn).State();

        Assert.That(state.Rows[first].Due.Interest, Is.EqualTo(schedule.Rows[first].Interest), $"{terms}");
    });

    [Test]
    public void At_disbursement_the_installments_to_come_are_the_schedule() => RandomLoans.ForAll(1_000, random =>
    {
        var terms = RandomLoans.Terms(random) with { DownPaymentPercent = 0m, OddInterest = OddInterest.Joins };
        var schedule = Schedule.Of(terms);
        var state = LoanAccount.On(new LoanProduct(), terms, [], terms.Disbursements[0].On).State();

        for (var i = 0; i < schedule.Rows.Length; i++)
            Assert.That(state.Rows[i].Due.Total, Is.EqualTo(schedule.Rows[i].Due), $"row {i + 1} of {terms}");
    });

    [Test]
    public void Money_in_is_money_applied_and_principal_out_is_principal_repaid_or_owed() => RandomLoans.ForAll(2_000, random =>
    {
        var terms = RandomLoans.Terms(random) with { OddInterest = OddInterest.Joins };
        var history = RandomLoans.History(terms, random, random.Next(60));
        var asOf = terms.Disbursements[0].On.AddDays(random.Next(1_500));
        var state = LoanAccount.On(RandomLoans.Product(random), terms, history, asOf).State();

        var received = Money.Zero;
        foreach (var one in history)
        {
            if (one.On <= asOf && one.Type == LoanEventType.Pay && !history.Exists(other => other.Of == one.Key && other.On <= asOf))
                received += one.Amount;
        }

        var paid = state.Rows.Aggregate(Money.Zero, (sum, row) => sum + row.Paid.Total);
        var principal = state.Rows.Aggregate(Money.Zero, (sum, row) => sum + row.Paid.Principal + row.Waived.Principal);
        Assert.That(paid + state.Credit, Is.EqualTo(received));
        Assert.That(principal + state.Owed.Principal, Is.EqualTo(terms.Principal));
        Assert.That(state.Owed.Interest, Is.GreaterThanOrEqualTo(Money.Zero));
        Assert.That(state.Owed.Fee, Is.GreaterThanOrEqualTo(Money.Zero));
        Assert.That(state.Owed.Penalty, Is.GreaterThanOrEqualTo(Money.Zero));
        Assert.That(state.AccruedInterest, Is.GreaterThanOrEqualTo(Money.Zero));
    });

    [Test]
    public void A_list_in_any_order_gives_the_same_loan() => RandomLoans.ForAll(800, random =>
    {
        var terms = RandomLoans.Terms(random);
        var product = RandomLoans.Product(random);
        var history = RandomLoans.History(terms, random, random.Next(40));
        var asOf = terms.Disbursements[0].On.AddDays(random.Next(1_000));
        var shuffled = history.ToArray();
        random.Shuffle(shuffled);

        Assert.That(RandomLoans.Shown(LoanAccount.On(product, terms, shuffled, asOf).State()), Is.EqualTo(RandomLoans.Shown(LoanAccount.On(product, terms, history, asOf).State())));
    });

    [Test]
    public void Reversing_everything_returns_to_the_start() => RandomLoans.ForAll(800, random =>
    {
        var terms = RandomLoans.Terms(random);
        var product = RandomLoans.Product(random);
        var history = RandomLoans.History(terms, random, random.Next(40)).FindAll(one => one.Of is null);
        var asOf = history.Count == 0 ? terms.Disbursements[0].On : history[^1].On.AddDays(random.Next(100));
        var reversals = history.ConvertAll(one => new LoanEvent { Key = $"r{one.Key}", On = asOf, Type = LoanEventType.Reverse, Of = one.Key });

        Assert.That(RandomLoans.Shown(LoanAccount.On(product, terms, [.. history, .. reversals], asOf).State()), Is.EqualTo(RandomLoans.Shown(LoanAccount.On(product, terms, [], asOf).State())));
    });

    [Test]
    public void Later_events_do_not_change_an_earlier_date() => RandomLoans.ForAll(800, random =>
    {
        var terms = RandomLoans.Terms(random);
        var product = RandomLoans.Product(random);
        var history = RandomLoans.History(terms, random, random.Next(40));
        var asOf = terms.Disbursements[0].On.AddDays(random.Next(600));

        Assert.That(RandomLoans.Shown(LoanAccount.On(product, terms, history, asOf).State()), Is.EqualTo(RandomLoans.Shown(LoanAccount.On(product, terms, history.FindAll(one => one.On <= asOf), asOf).State())));
    });

    [Test]
    public void A_payoff_paid_on_its_day_leaves_nothing() => RandomLoans.ForAll(1_000, random =>
    {
        var terms = RandomLoans.Terms(random);
        var product = RandomLoans.Product(random);
        var history = RandomLoans.History(terms, random, random.Next(30));
        var asOf = (history.Count == 0 ? terms.Disbursements[0].On : history[^1].On).AddDays(random.Next(1, 60));
        var payoff = LoanAccount.On(product, terms, history, asOf).Payoff();
        if (payoff.Amount == Money.Zero || payoff.Credit > Money.Zero)
            return;

        history.Add(new LoanEvent { Key = "payoff", On = asOf, Type = LoanEventType.Pay, Amount = payoff.Amount });
        var state = LoanAccount.On(product, terms, history, asOf).State();
        Assert.That(state.Owed.Total + state.AccruedInterest + state.Credit, Is.EqualTo(Money.Zero));
    });

    [Test]
    public void An_event_entered_late_leaves_the_loan_as_if_it_had_come_in_order() => RandomLoans.ForAll(800, random =>
    {
        var terms = RandomLoans.Terms(random);
        var product = RandomLoans.Product(random);
        var inOrder = RandomLoans.History(terms, random, random.Next(2, 40)).FindAll(one => one.Of is null);
        if (inOrder.Count == 0)
            return;
        var late = random.Next(inOrder.Count);
        var asOf = inOrder[^1].On.AddDays(random.Next(100));
        List<LoanEvent> entered = [.. inOrder];
        entered.RemoveAt(late);
        entered.Add(inOrder[late] with { PostedOn = asOf });

        Assert.That(RandomLoans.Shown(LoanAccount.On(product, terms, entered, asOf).State()), Is.EqualTo(RandomLoans.Shown(LoanAccount.On(product, terms, inOrder, asOf).State())));
        var known = LoanAccount.On(product, terms, entered, asOf, knownOn: asOf.AddDays(-1)).State();
        entered.RemoveAt(entered.Count - 1);
        Assert.That(RandomLoans.Shown(known), Is.EqualTo(RandomLoans.Shown(LoanAccount.On(product, terms, entered.FindAll(one => one.On < asOf), asOf).State())));
    });

    [Test]
    public void The_chain_of_an_explanation_comes_to_the_balances() => RandomLoans.ForAll(800, random =>
    {
        var terms = RandomLoans.WithSecondDisbursement(RandomLoans.Terms(random), random);
        var product = RandomLoans.Product(random);
        var history = RandomLoans.FullHistory(terms, random, random.Next(40));
        var account = LoanAccount.On(product, terms, history, terms.Disbursements[0].On.AddDays(random.Next(900)), explains: true);
        var state = account.State();
        var owed = account.Explain().Aggregate(default(Portions), (sum, link) => new Portions(
            sum.Principal + link.Change.Principal, sum.Interest + link.Change.Interest, sum.Fee + link.Change.Fee, sum.Penalty + link.Change.Penalty));

        Assert.That(owed, Is.EqualTo(state.Owed));
        Assert.That(account.Explain().Select(link => link.On), Is.Ordered);
        foreach (var stretch in account.Explain().SelectMany(link => link.Interest).Concat(account.ExplainAccrued()))
            Assert.That(stretch.To > stretch.From && stretch.Amount >= 0m, $"{stretch}");
    });

    [Test]
    public void Financed_odd_interest_accrues_by_day_and_becomes_principal_as_scheduled() => RandomLoans.ForAll(500, random =>
    {
        var terms = RandomLoans.Terms(random) with { OddInterest = OddInterest.Financed, Unit = PeriodUnit.Month, Every = 1, InterestFree = 0, DownPaymentPercent = 0m, Balloon = Money.Zero };
        terms = terms with { FirstDueOn = terms.Disbursements[0].On.AddDays(random.Next(40, 90)) };
        var schedule = Schedule.Of(terms);
        var financed = schedule.TotalPrincipal - terms.Principal;
        var begins = schedule.Rows[0].DueOn.AddMonths(-1).AddDays(3);
        var before = LoanAccount.On(new LoanProduct(), terms, [], terms.Disbursements[0].On.AddDays(1)).State();
        var after = LoanAccount.On(new LoanProduct(), terms, [], begins).State();

        Assert.That(before.Owed.Principal, Is.EqualTo(terms.Principal));
        Assert.That(before.AccruedInterest, Is.LessThanOrEqualTo(financed));
        Assert.That(after.Owed.Principal, Is.EqualTo(schedule.TotalPrincipal));
        for (var i = 0; i < schedule.Rows.Length; i++)
            Assert.That(before.Rows[i].Due.Total, Is.EqualTo(schedule.Rows[i].Due), $"row {i + 1} of {terms}");
    });
}
