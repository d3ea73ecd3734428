using Camino.Lending.Ledger;
using Camino.Lending.Loans;
using Camino.Lending.Tests.Loans;

namespace Camino.Lending.Tests.Ledger;

public class LoanLedgerPropertyTests
{
    [Test]
    public void Entries_balance_and_come_to_what_the_loan_says() => RandomLoans.ForAll(2_000, random =>
    {
        var (terms, product, history, asOf) = Case(random);
        var account = LoanAccount.On(product, terms, history, asOf, posts: true);

        foreach (var entry in account.Entries)
        {
            Assert.That(entry.IsBalanced, $"{entry.On} {entry.Act}");
            Assert.That(entry.Lines, Has.Count.AtLeast(2).And.All.Matches<LedgerLine>(line => line.Amount != Money.Zero));
        }

        Assert.That(account.Entries.Select(entry => (entry.On, entry.Key, entry.Act)), Is.Unique);
        Assert.That(LoanLedger.Balances(account.Entries)[LedgerAccount.UnearnedInterest], product.Basis == AccountingBasis.Cash ? Is.EqualTo(Money.Zero) : Is.LessThanOrEqualTo(Money.Zero));
        Assert.That(LoanLedger.Differences(account, account.Entries, product.Basis), Is.Empty);
    });

    [TestCase(1_729_226_960)] // a part of accrued interest is paid that ends in half a cent
    [TestCase(1_631_496_628)] // more than the credit is paid out when the last installment was paid already, and then repaid
    [TestCase(366_797_020)] // an installment moved before its odd first period begins, its interest put off
    public void Entries_of_a_loan_that_once_failed_come_to_what_it_says(int seed)
    {
        var (terms, product, history, asOf) = Case(new Random(seed));
        var account = LoanAccount.On(product, terms, history, asOf, posts: true);

        Assert.That(LoanLedger.Differences(account, account.Entries, product.Basis), Is.Empty);
    }

    [Test]
    public void Posting_daily_leaves_nothing_accrued_unposted() => RandomLoans.ForAll(500, random =>
    {
        var (terms, product, history, asOf) = Case(random);
        var account = LoanAccount.On(product with { AccrualPosting = AccrualPosting.Daily }, terms, history, asOf, posts: true);

        Assert.That(account.AccruedSincePosting, Is.EqualTo(Money.Zero));
    });

    [Test]
    public void The_ledger_does_not_change_the_loan() => RandomLoans.ForAll(500, random =>
    {
        var (terms, product, history, asOf) = Case(random);

        Assert.That(RandomLoans.Shown(LoanAccount.On(product, terms, history, asOf, posts: true).State()), Is.EqualTo(RandomLoans.Shown(LoanAccount.On(product, terms, history, asOf).State())));
    });

    [Test]
    public void A_later_date_only_adds_entries() => RandomLoans.ForAll(800, random =>
    {
        var (terms, product, history, asOf) = Case(random);
        history.RemoveAll(one => one.Of is not null);
        var earlier = asOf.AddDays(-random.Next(300));
        if (earlier < terms.Disbursements[0].On)
            return;
        var before = LoanAccount.On(product, terms, history, earlier, posts: true).Entries;
        var after = LoanAccount.On(product, terms, history, asOf, posts: true).Entries;

        Assert.That(after.Where(entry => entry.On <= earlier).Select(Shown), Is.EqualTo(before.Select(Shown)));
    });

    [Test]
    public void Posting_what_is_missing_day_by_day_comes_to_the_ledger_of_one_replay() => RandomLoans.ForAll(400, random =>
    {
        var (terms, product, history, asOf) = Case(random);
        var stored = new List<LedgerEntry>();
        var known = history.ConvertAll(one => one.PostedOn ?? one.On);
        known.Add(asOf);
        foreach (var day in known.Where(day => day <= asOf).Distinct().Order())
        {
            var replayed = LoanAccount.On(product, terms, history.FindAll(one => (one.PostedOn ?? one.On) <= day), day, posts: true).Entries;
            var missing = LoanLedger.Missing(stored, replayed);
            Assert.That(missing.All(entry => entry.IsBalanced));
            stored.AddRange(missing);
            Assert.That(LoanLedger.Missing(stored, replayed), Is.Empty);
        }

        var account = LoanAccount.On(product, terms, history, asOf, knownOn: asOf, posts: true);
        Assert.That(LoanLedger.Balances(stored), Is.EqualTo(LoanLedger.Balances(account.Entries)));
        Assert.That(LoanLedger.Differences(account, stored, product.Basis), Is.Empty);
    });

    [Test]
    public void Reversing_everything_returns_every_balance_to_the_start() => RandomLoans.ForAll(400, random =>
    {
        var (terms, product, history, asOf) = Case(random);
        history.RemoveAll(one => one.Of is not null || one.On > asOf);
        var stored = new List<LedgerEntry>(LoanAccount.On(product, terms, history, asOf, posts: true).Entries);
        var reversals = history.ConvertAll(one => new LoanEvent { Key = $"r{one.Key}", On = asOf, Type = LoanEventType.Reverse, Of = one.Key });
        stored.AddRange(LoanLedger.Missing(stored, LoanAccount.On(product, terms, [.. history, .. reversals], asOf, posts: true).Entries));

        Assert.That(LoanLedger.Balances(stored), Is.EqualTo(LoanLedger.Balances(LoanAccount.On(product, terms, [], asOf, posts: true).Entries)));
    });

    private static (ScheduleTerms Terms, LoanProduct Product, List<LoanEvent> History, DateOnly AsOf) Case(Random random)
    {
        var terms = RandomLoans.WithSecondDisbursement(RandomLoans.Terms(random), random);
        return (terms, RandomLoans.Product(random), RandomLoans.FullHistory(terms, random, random.Next(60)), terms.Disbursements[0].On.AddDays(random.Next(1_200)));
    }

    private static string Shown(LedgerEntry entry) => $"{entry.On} {entry.Key} {entry.Act} {string.Join(' ', entry.Lines)}";
}
