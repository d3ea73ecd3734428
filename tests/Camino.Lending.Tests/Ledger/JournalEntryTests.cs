using Camino.Lending.Ledger;

namespace Camino.Lending.Tests.Ledger;

/// <summary>What an accountant may post by hand, and what the loans keep to themselves.</summary>
public sealed class JournalEntryTests
{
    private static readonly DateOnly Today = new(2026, 3, 1);

    private static readonly JournalLine[] Provision = [new("ProvisionForLosses", Money.FromCents(125_050)), new("AllowanceForLosses", Money.FromCents(-125_050))];

    [Test]
    public void The_chart_of_the_house_has_every_account_of_the_loans_once_and_each_code_and_name_once()
    {
        Assert.That(HouseChart.All.Select(account => account.Name), Is.Unique.And.SupersetOf(Enum.GetNames<LedgerAccount>()));
        Assert.That(HouseChart.All.Select(account => account.Code), Is.Unique.And.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
    }

    [TestCase("LoansReceivable")]
    [TestCase("InterestReceivable")]
    [TestCase("FeesReceivable")]
    [TestCase("PenaltiesReceivable")]
    [TestCase("BorrowerCredits")]
    [TestCase("UnearnedInterest")]
    [TestCase("ChargedOffBalances")]
    [TestCase("ChargedOffContra")]
    public void What_the_loans_keep_takes_no_entry_by_hand(string account) =>
        Assert.That(
            () => JournalEntry.Of(Today, "Correction", [new(account, Money.FromCents(100)), new("Cash", Money.FromCents(-100))], Today),
            Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("journal.account").And.Message.EqualTo($"account is \"{account}\"; the loans keep it, and it takes no entry by hand. Do it on the loan."));

    [Test]
    public void An_entry_is_refused_for_each_thing_that_is_not_as_it_should_be()
    {
        JournalLine cash = new("Cash", Money.FromCents(100)), income = new("OtherIncome", Money.FromCents(-100));
        (string Code, Func<JournalEntry> Make)[] wrong =
        [
            ("journal.on", () => JournalEntry.Of(Today.AddDays(1), "Correction", Provision, Today)),
            ("journal.on", () => JournalEntry.Of(Today.AddDays(-367), "Correction", Provision, Today)),
            ("journal.memo", () => JournalEntry.Of(Today, " a ", Provision, Today)),
            ("journal.memo", () => JournalEntry.Of(Today, new string('a', 301), Provision, Today)),
            ("journal.memo", () => JournalEntry.Of(Today, "two\nlines", Provision, Today)),
            ("journal.memo", () => JournalEntry.Of(Today, null, Provision, Today)),
            ("journal.lines", () => JournalEntry.Of(Today, "Correction", [cash], Today)),
            ("journal.lines", () => JournalEntry.Of(Today, "Correction", [], Today)),
            ("journal.lines", () => JournalEntry.Of(Today, "Correction", [.. Enumerable.Repeat(cash, 21)], Today)),
            ("journal.account", () => JournalEntry.Of(Today, "Correction", [cash, new("Casino", Money.FromCents(-100))], Today)),
            ("journal.account", () => JournalEntry.Of(Today, "Correction", [cash, new("", Money.FromCents(-100))], Today)),
            ("journal.account", () => JournalEntry.Of(Today, "Correction", [cash, cash with { Amount = Money.FromCents(-100) }], Today)),
            ("journal.amount", () => JournalEntry.Of(Today, "Correction", [cash, income with { Amount = Money.Zero }], Today)),
            ("journal.amount", () => JournalEntry.Of(Today, "Correction", [cash with { Amount = JournalEntry.Largest + Money.FromCents(1) }, income], Today)),
            ("journal.amount", () => JournalEntry.Of(Today, "Correction", [cash, income with { Amount = -(JournalEntry.Largest + Money.FromCents(1)) }], Today)),
            ("journal.unbalanced", () => JournalEntry.Of(Today, "Correction", [cash, income with { Amount = Money.FromCents(-99) }], Today)),
        ];

        Assert.That(wrong.Select(one => Assert.Throws<RefusedException>(() => one.Make()).Code), Is.EqualTo(wrong.Select(one => one.Code)));
    }

    [Test]
    public void An_entry_of_a_year_ago_and_of_the_greatest_amount_is_taken()
    {
        var entry = JournalEntry.Of(Today.AddDays(-366), " Opening ", [new("Cash", JournalEntry.Largest), new("Suspense", -JournalEntry.Largest)], Today);

        Assert.That((entry.Memo, entry.Total, entry.Reverses), Is.EqualTo(("Opening", JournalEntry.Largest, (Guid?)null)));
    }

    [Test]
    public void A_reversal_has_the_lines_turned_round_and_cannot_be_reversed_nor_begin_before_what_it_takes_back()
    {
        var id = Guid.NewGuid();
        var entry = JournalEntry.Of(Today.AddDays(-3), "Provision", Provision, Today);
        var reversal = entry.Reversal(id, Today, "Wrong quarter", Today);

        Assert.That(reversal.Lines, Is.EqualTo(Provision.Select(line => line with { Amount = -line.Amount })));
        Assert.That((reversal.Reverses, reversal.Total), Is.EqualTo(((Guid?)id, entry.Total)));
        Assert.That(() => reversal.Reversal(Guid.NewGuid(), Today, "Again", Today), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("journal.reversal"));
        Assert.That(() => entry.Reversal(id, Today.AddDays(-4), "Wrong quarter", Today), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("journal.on"));
    }
}
