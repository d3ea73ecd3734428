using System.Xml.Linq;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;
using Camino.Servicing;
using Camino.Tests.HouseRules;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>What the engine and the ledger say has words in both languages.</summary>
public sealed class ServicingTextTests
{
    [Test]
    public void Every_sentence_of_an_explanation_is_known()
    {
        var terms = new ScheduleTerms { Principal = new Money(12_000m), Rate = Rate.FromPercent(12m), Disbursements = [new Disbursement(new DateOnly(2026, 1, 1), new Money(12_000m))], Payments = 12, DayCount = DayCountConvention.Actual365 };
        var product = new LoanProduct { LateFee = new FeeRule { Amount = new Money(25m), GraceDays = 5 }, ReturnFee = new FeeRule { Amount = new Money(15m) }, Tolerance = new Money(1m), Surplus = SurplusRule.Credit };
        var day = new DateOnly(2026, 1, 1);
        LoanEvent Event(LoanEventType type, int days, decimal amount = 0m, DateOnly? until = null, int count = 0, Portion portion = Portion.Fee, string? of = null, string? code = null) => new()
        {
            Key = $"{type}-{days}",
            Type = type,
            On = day.AddDays(days),
            Amount = new Money(amount),
            Until = until,
            Count = count,
            Portion = portion,
            Of = of,
            BankCode = code,
            Rate = Rate.FromPercent(10m),
        };
        LoanEvent[] events =
        [
            Event(LoanEventType.Disburse, 0, 12_000m), Event(LoanEventType.Pay, 20, 2_000m), Event(LoanEventType.Pay, 21, 50m), Event(LoanEventType.Return, 25, of: "Pay-21", code: "R01"), Event(LoanEventType.Pay, 26, 10m),
            Event(LoanEventType.Reverse, 27, of: "Pay-26"), Event(LoanEventType.Fee, 30, 9m), Event(LoanEventType.Fee, 31, 9m, portion: Portion.Penalty), Event(LoanEventType.Waive, 32, 3m), Event(LoanEventType.RateChange, 33),
            Event(LoanEventType.InterestPause, 34, until: day.AddDays(36)), Event(LoanEventType.DelinquencyPause, 35, until: day.AddDays(40)), Event(LoanEventType.DueDateChange, 36, until: day.AddDays(70)), Event(LoanEventType.Skip, 37),
            Event(LoanEventType.Extend, 38, count: 2), Event(LoanEventType.Reamortize, 39), Event(LoanEventType.WriteOff, 40, 5m), Event(LoanEventType.Refund, 41, 1m), Event(LoanEventType.Restructure, 120, until: day.AddDays(150), count: 6),
            Event(LoanEventType.ChargeOff, 200), Event(LoanEventType.Recover, 210, 100m),
        ];

        var told = LoanAccount.On(product, terms, events, day.AddDays(220), explains: true).Explain().Select(link => link.What).ToList();

        Assert.That(told, Has.Count.GreaterThan(20));
        Assert.That(told.Where(sentence => !ServicingText.IsKnown(sentence)), Is.Empty);
    }

    [TestCase("Texts.resx")]
    [TestCase("Texts.es.resx")]
    public void Accounts_acts_events_commands_and_states_have_names(string file)
    {
        var texts = XElement.Load(Path.Combine(House.Root, "src/Camino/Resources", file)).Elements("data").Select(text => (string?)text.Attribute("name")).ToHashSet(StringComparer.Ordinal);
        var needed = Enum.GetNames<LedgerAccount>().Select(name => "Serviced.Account." + name)
            .Concat(Enum.GetNames<LedgerAct>().Where(name => name != nameof(LedgerAct.None)).Select(name => "Serviced.Act." + name))
            .Concat(Enum.GetNames<LoanEventType>().Select(name => "Serviced.Event." + name))
            .Concat(Enum.GetNames<LoanStatus>().Select(name => "Serviced.Status." + name))
            .Concat(Enum.GetNames<LetterKind>().SelectMany(name => new[] { "Serviced.Letter." + name, "Serviced.LetterText." + name }))
            .Concat(LoanCommand.All.SelectMany(command => new[] { "Serviced.Command." + command.Name, "Serviced.CommandHint." + command.Name }));

        Assert.That(needed.Where(name => !texts.Contains(name)), Is.Empty);
    }
}
