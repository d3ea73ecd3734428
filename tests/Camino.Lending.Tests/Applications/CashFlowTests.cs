using Camino.Lending.Applications.CashFlows;
using static Camino.Lending.Tests.Make;

namespace Camino.Lending.Tests.Applications;

/// <summary>What bank statements come to, with figures that can be reckoned on paper.</summary>
public sealed class CashFlowTests
{
    [Test]
    public void A_running_balance_that_adds_up_gives_the_balance_of_every_day_whichever_way_the_file_runs()
    {
        StatementLine[] lines = [Line("2026-03-01", 500m, "Deposit", balance: 500m), Line("2026-03-03", -100m, "Check 101", balance: 400m), Line("2026-03-06", -450m, "Rent", balance: -50m)];
        var up = Flow(Account("2026-03-01", "2026-03-10", lines));
        var down = Flow(Account("2026-03-01", "2026-03-10", [.. lines.Reverse()]));

        Assert.That(up.Balances.Select(day => day.Amount.Dollars), Is.EqualTo(new[] { 500m, 500m, 400m, 400m, 400m, -50m, -50m, -50m, -50m, -50m }));
        Assert.That(down.Balances, Is.EqualTo(up.Balances));
        Assert.That((up.Whole?.AverageBalance, up.Whole?.LowestBalance, up.Whole?.LowestOn, up.Whole?.NegativeDays), Is.EqualTo((Usd(195m), Usd(-50m), Day("2026-03-06"), 5)));
        Assert.That((up.Whole?.DepositCount, up.Whole?.Deposits, up.Whole?.WithdrawalCount, up.Whole?.Withdrawals), Is.EqualTo((1, Usd(500m), 2, Usd(550m))));
    }

    [Test]
    public void A_balance_that_does_not_add_up_proves_nothing_and_nothing_is_guessed()
    {
        var flow = Flow(Account("2026-03-01", "2026-03-03", [Line("2026-03-01", -8.19m, "Lunch", balance: 1000m), Line("2026-03-03", -8.55m, "Lunch", balance: 1000m)]));

        Assert.That(flow.Balances, Is.Empty);
        Assert.That((flow.Whole?.AverageBalance, flow.Whole?.LowestBalance, flow.Whole?.NegativeDays, flow.Whole?.BalanceDays), Is.EqualTo(((Money?)null, (Money?)null, (int?)null, 0)));
        Assert.That((flow.Whole?.Withdrawals, flow.Whole?.DaysCovered), Is.EqualTo((Usd(16.74m), 3)));
    }

    [Test]
    public void The_balance_that_the_bank_states_for_one_day_leads_to_all_others_and_one_that_lies_outside_leads_nowhere()
    {
        StatementLine[] lines = [Line("2026-01-31", 100m, "A"), Line("2026-02-01", -30m, "B")];
        var stated = Flow(Account("2026-01-30", "2026-02-02", lines, new StatedBalance(Day("2026-02-02"), Usd(170m))));
        var opening = Flow(Account("2026-01-30", "2026-02-02", lines, new StatedBalance(Day("2026-01-29"), Usd(100m))));
        var late = Flow(Account("2026-01-30", "2026-02-02", lines, new StatedBalance(Day("2026-02-09"), Usd(170m))));

        Assert.That(stated.Balances.Select(day => day.Amount.Dollars), Is.EqualTo(new[] { 100m, 200m, 170m, 170m }));
        Assert.That(opening.Balances, Is.EqualTo(stated.Balances));
        Assert.That(late.Balances, Is.Empty);
        Assert.That(stated.Months.Select(month => (month.From.Month, month.DaysCovered, month.BalanceDays, month.AverageBalance)), Is.EqualTo(new[] { (1, 2, 2, (Money?)Usd(150m)), (2, 2, 2, (Money?)Usd(170m)) }));
    }

    [Test]
    public void What_stands_in_two_statements_counts_once_by_the_banks_id_or_by_day_amount_and_text_as_often_as_it_was_there()
    {
        var first = Account("2026-03-01", "2026-03-10", [Line("2026-03-02", 50m, "Sale", id: "1"), Line("2026-03-09", -9m, "Coffee"), Line("2026-03-09", -9m, "Coffee")]);
        var second = Account("2026-03-08", "2026-03-20", [Line("2026-03-09", -9m, "COFFEE"), Line("2026-03-09", -9m, "Coffee"), Line("2026-03-09", -9m, "Coffee"), Line("2026-03-02", 50m, "Sale of the day", id: "1"), Line("2026-03-02", 50m, "Sale", id: "2")]);
        var (flow, marks) = CashFlow.Of([first, second]);

        Assert.That(marks[1].Select(mark => (mark.Marks & LineMarks.Repeated) != LineMarks.None), Is.EqualTo(new[] { true, true, false, true, false }));
        Assert.That((flow.Whole?.DepositCount, flow.Whole?.Deposits, flow.Whole?.WithdrawalCount, flow.Whole?.DaysCovered), Is.EqualTo((2, Usd(100m), 3, 20)));
        Assert.That(CashFlow.Of([second, first]).Figures.Whole, Is.EqualTo(flow.Whole), "the order does not matter to the figures");
    }

    [Test]
    public void Transfers_between_the_accounts_are_neither_deposits_nor_withdrawals_and_balances_add_up_over_all_accounts()
    {
        var checking = Account("2026-03-01", "2026-03-04", [Line("2026-03-02", -200m, "Online transfer to SAV 9200"), Line("2026-03-03", 75m, "Customer")], new StatedBalance(Day("2026-03-04"), Usd(300m)));
        var savings = Account("2026-03-01", "2026-03-03", [Line("2026-03-03", 200m, "Deposit")], new StatedBalance(Day("2026-03-03"), Usd(250m)), "9200", BankAccountKind.Savings);
        var flow = Flow(checking, savings);

        Assert.That((flow.Whole?.Deposits, flow.Whole?.Withdrawals, flow.Whole?.LeftOutCount, flow.Whole?.LeftOut), Is.EqualTo((Usd(75m), Money.Zero, 1, Usd(200m))));
        Assert.That(flow.Balances.Select(day => day.Amount.Dollars), Is.EqualTo(new[] { 475m, 275m, 550m }), "no day on which one of the two is unknown");
        Assert.That(flow.Accounts.Select(account => (account.Last4, account.DaysCovered, account.BalanceDays)), Is.EqualTo(new[] { ("1234", 4, 4), ("9200", 3, 3) }));
    }

    [Test]
    public void What_comes_back_is_no_deposit_and_items_and_fees_are_counted_apart()
    {
        var flow = Flow(Account("2026-03-01", "2026-03-31",
        [
            Line("2026-03-02", 500m, "Deposit"), Line("2026-03-05", 500m, "Deposit"), Line("2026-03-09", -500m, "DEPOSITED ITEM RETURNED"), Line("2026-03-10", -35m, "RETURNED CHECK FEE, CHECK # 319"),
            Line("2026-03-11", 120m, "NSF return item check 320"), Line("2026-03-12", -36m, "Overdraft fee"),
        ]));

        Assert.That((flow.Whole?.DepositCount, flow.Whole?.Deposits), Is.EqualTo((1, Usd(500m))), "the deposit nearest before the return is the one that came back");
        Assert.That((flow.Whole?.ReturnedItems, flow.Whole?.OverdraftFees, flow.Whole?.LeftOutCount), Is.EqualTo((2, 2, 2)));
    }

    [Test]
    public void Other_lenders_are_known_by_name_by_words_or_by_the_same_debit_every_business_day_and_what_they_pay_in_is_no_deposit()
    {
        List<StatementLine> lines = [Line("2026-03-02", 20_000m, "ACH CREDIT ONDECK CAPITAL 8812"), Line("2026-03-04", -410m, "OnDeck Capital pmt"), Line("2026-03-15", -197.12m, "DIRECT DEBIT HOMESTREET LS LOAN PMT"), Line("2026-03-02", 90m, "Sale")];
        for (var day = Day("2026-03-02"); day < Day("2026-03-20"); day = day.AddDays(1))
        {
            if (day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday))
                lines.Add(Line(day.ToString("yyyy-MM-dd", null), -149m, $"ACH DEBIT SUNRISE RECEIVABLES {day.DayNumber}"));
        }

        lines.AddRange([Line("2026-03-03", -80m, "Yoga studio 1"), Line("2026-03-10", -80m, "Yoga studio 2"), Line("2026-03-17", -80m, "Yoga studio 3"), Line("2026-03-24", -80m, "Yoga studio 4"), Line("2026-03-24", -80m, "Parking")]);
        var (flow, marks) = CashFlow.Of([Account("2026-03-01", "2026-03-31", lines)]);

        Assert.That(flow.Lenders.Select(one => (one.Name, one.Sign, one.Debits, one.Out, one.In)), Is.EqualTo(new[]
        {
            ("ach debit sunrise receiv", LineMarks.RegularDaily, 14, Usd(2086m), Money.Zero),
            ("OnDeck", LineMarks.KnownLender, 1, Usd(410m), Usd(20_000m)),
            ("yoga studio", LineMarks.RegularWeekly, 4, Usd(320m), Money.Zero),
            ("loan pmt", LineMarks.LoanWords, 1, Usd(197.12m), Money.Zero),
        }));
        Assert.That((flow.Whole?.DepositCount, flow.Whole?.Deposits, flow.Whole?.LenderDebitCount, flow.Whole?.LenderDebits, flow.Whole?.LenderCredits), Is.EqualTo((1, Usd(90m), 20, Usd(3013.12m), Usd(20_000m))));
        Assert.That((marks[0][0], marks[0][1]), Is.EqualTo((new LineMark(LineMarks.KnownLender, "OnDeck"), new LineMark(LineMarks.KnownLender | LineMarks.Withdrawal, "OnDeck"))));
        Assert.That(flow.WordsVersion, Is.EqualTo(CashWords.Version));
    }

    [Test]
    public void Days_between_statements_are_named_and_cards_do_not_count()
    {
        var flow = Flow(
            Account("2026-01-01", "2026-01-31", []), Account("2026-03-01", "2026-03-31", [Line("2026-03-02", 10m, "A")]),
            Account("2026-01-01", "2026-03-31", [Line("2026-01-05", 700m, "Payment, thank you")], new StatedBalance(Day("2026-03-31"), Usd(-900m)), "4242", BankAccountKind.CreditCard));

        Assert.That(flow.Gaps, Is.EqualTo(new[] { new CoverageGap("1234", Day("2026-02-01"), Day("2026-02-28")) }));
        Assert.That((flow.Whole?.Deposits, flow.Whole?.DaysCovered, flow.Months.Count), Is.EqualTo((Usd(10m), 62, 2)));
        Assert.That(flow.Accounts.Select(account => account.IsCounted), Is.EqualTo(new[] { true, false }));
    }

    [Test]
    public void Whatever_the_lines_are_each_counts_once_and_the_months_add_up_to_the_whole()
    {
        var random = new Random(8);
        string[] texts = ["Sale", "Transfer to savings", "Transfer from checking", "NSF return item", "Overdraft fee", "OnDeck", "Loan payment", "Rent"];
        for (var round = 0; round < 300; round++)
        {
            var statements = Enumerable.Range(0, random.Next(1, 4)).Select(n =>
            {
                var from = Day("2026-01-01").AddDays(random.Next(60));
                var to = from.AddDays(random.Next(1, 60));
                var lines = Enumerable.Range(0, random.Next(40)).Select(_ => Line(from.AddDays(random.Next(to.DayNumber - from.DayNumber + 1)).ToString("yyyy-MM-dd", null), random.Next(-5, 6) * 10m, texts[random.Next(texts.Length)])).ToList();
                return Account(from.ToString("yyyy-MM-dd", null), to.ToString("yyyy-MM-dd", null), lines, new StatedBalance(to, Usd(random.Next(-500, 500))), random.Next(2) == 0 ? "1234" : "9200");
            }).ToList();
            var (flow, marks) = CashFlow.Of(statements);
            var lines = statements.SelectMany(one => one.Lines).Zip(marks.SelectMany(one => one)).ToList();

            Assert.That(lines.Where(line => (line.Second.Marks & (LineMarks.Deposit | LineMarks.Withdrawal)) == (LineMarks.Deposit | LineMarks.Withdrawal)), Is.Empty);
            Assert.That(flow.Months.Sum(month => month.Deposits.Cents), Is.EqualTo(flow.Whole?.Deposits.Cents));
            Assert.That(flow.Months.Sum(month => month.DaysCovered), Is.EqualTo(flow.Whole?.DaysCovered));
            Assert.That(lines.Where(line => line.First.Amount > Money.Zero && (line.Second.Marks & LineMarks.Repeated) == LineMarks.None).Sum(line => line.First.Amount.Cents), Is.EqualTo(flow.Whole?.Deposits.Cents + flow.Whole?.LeftOut.Cents), "each credit is a deposit or left out");
            Assert.That(CashFlow.Of([.. statements, .. statements]).Figures.Whole?.Deposits, Is.EqualTo(flow.Whole?.Deposits), "taken in twice it comes to the same");
        }
    }

    private static CashFlow Flow(params StatementAccount[] statements) => CashFlow.Of(statements).Figures;

    private static StatementAccount Account(string from, string to, IReadOnlyList<StatementLine> lines, StatedBalance? stated = null, string last4 = "1234", BankAccountKind kind = BankAccountKind.Checking) =>
        new(last4, kind, Day(from), Day(to), stated, lines);

    private static StatementLine Line(string on, decimal amount, string text, string? id = null, decimal? balance = null) => new(Day(on), Usd(amount), text, id, Balance: balance is { } after ? Usd(after) : null);
}
