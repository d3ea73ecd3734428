using Camino.Lending.Applications.CashFlows;
using Camino.Lending.Underwriting;

namespace Camino.Lending.Tests.Underwriting;

/// <summary>Rules, scorecard and limits as data, with numbers that an underwriter can check.</summary>
internal sealed class CreditPolicyTests
{
    private const string Limits = "\"limits\":" + """{"secondSignatureOver":"25000.00","roles":[{"role":"underwriter","offer":"50000.00","override":"10000.00"}]},"checklist":[ ]""";
    private const string Says = "\"says\":" + """{"en":"Words","es":"Palabras"}""";

    [Test]
    public void Points_are_added_line_by_line_and_the_cut_offs_say_what_is_recommended()
    {
        var policy = Policy("[]", Card(""" {"fact":"ownerScore","reason":"creditReferences","missing":10,"bins":[{"below":"600","points":0},{"below":"700","points":50},{"points":100}]},{"fact":"identity","reason":"identity","missing":5,"bins":[{"is":["match"],"points":40},{"points":0}]} """));

        var strong = CreditEvaluation.Of(policy, Facts(("ownerScore", "700"), ("identity", "match")));
        var middle = CreditEvaluation.Of(policy, Facts(("ownerScore", "699"), ("identity", "partial")));
        var weak = CreditEvaluation.Of(policy, Facts(("ownerScore", "599"), ("identity", "noMatch")));
        var unknown = CreditEvaluation.Of(policy, Facts());

        Assert.That((strong.Recommendation, strong.Score), Is.EqualTo((Recommendation.Approve, 240))); // 100 + 100 + 40
        Assert.That((middle.Recommendation, middle.Score), Is.EqualTo((Recommendation.Refer, 150))); // 100 + 50 + 0
        Assert.That((weak.Recommendation, weak.Score), Is.EqualTo((Recommendation.Decline, 100)));
        Assert.That((unknown.Recommendation, unknown.Score), Is.EqualTo((Recommendation.Decline, 115))); // 100 + 10 + 5
        Assert.That(middle.Points, Is.EqualTo(new[] { new PointsGiven("ownerScore", "699", 50, 100), new PointsGiven("identity", "partial", 0, 40) }));
        Assert.That(middle.Reasons, Is.EqualTo(new[] { "creditReferences", "identity" }), "50 points are missing of the first, 40 of the second");
        Assert.That(strong.Reasons, Is.Empty);
    }

    [Test]
    public void A_knock_out_declines_whatever_the_score_and_its_reason_comes_first()
    {
        var policy = Policy(
            $$"""[{"code":"young","effect":"decline","when":[{"fact":"monthsInBusiness","below":"6"}],"missing":"refers","reason":"timeInBusiness",{{Says}}},{"code":"large","effect":"refer","when":[{"fact":"amount","from":"20000"},{"fact":"state","isNot":["CA"]}],"reason":"outsidePolicy",{{Says}}}]""",
            Card(""" {"fact":"ownerScore","reason":"creditReferences","missing":10,"bins":[{"below":"600","points":0},{"points":200}]} """));

        var young = CreditEvaluation.Of(policy, Facts(("monthsInBusiness", "5"), ("ownerScore", "800"), ("amount", "25000.00"), ("state", "NY")));
        var old = CreditEvaluation.Of(policy, Facts(("monthsInBusiness", "6"), ("ownerScore", "800"), ("amount", "25000.00"), ("state", "NY")));
        var local = CreditEvaluation.Of(policy, Facts(("monthsInBusiness", "6"), ("ownerScore", "800"), ("amount", "25000.00"), ("state", "CA")));
        var silent = CreditEvaluation.Of(policy, Facts(("ownerScore", "800"), ("amount", "19999.99"), ("state", "NY")));

        Assert.That((young.Recommendation, young.Score), Is.EqualTo((Recommendation.Decline, 300)));
        Assert.That(young.Reasons, Is.EqualTo(new[] { "timeInBusiness", "outsidePolicy" }));
        Assert.That((old.Recommendation, old.Reasons[0]), Is.EqualTo((Recommendation.Refer, "outsidePolicy")));
        Assert.That(local.Recommendation, Is.EqualTo(Recommendation.Approve), "all conditions of a rule must hold");
        Assert.That(silent.Recommendation, Is.EqualTo(Recommendation.Refer), "what is not known refers, as the rule says");
        Assert.That(silent.Rules[0], Is.EqualTo(new RuleOutcome("young", true, true, silent.Rules[0].Missing)));
        Assert.That(silent.Rules[0].Missing, Is.EqualTo(new[] { "monthsInBusiness" }));
    }

    [TestCase("passes", Recommendation.Approve)]
    [TestCase("applies", Recommendation.Decline)]
    [TestCase("refers", Recommendation.Refer)]
    public void What_is_not_known_counts_as_each_rule_says(string missing, Recommendation recommended)
    {
        var policy = Policy($$"""[{"code":"score","effect":"decline","when":[{"fact":"ownerScore","below":"500"}],"missing":"{{missing}}","reason":"creditReferences",{{Says}}}]""", null);

        var evaluation = CreditEvaluation.Of(policy, Facts());

        Assert.That((evaluation.Recommendation, evaluation.Score), Is.EqualTo((recommended, (int?)null)));
    }

    [Test]
    public void At_most_four_reasons_are_given_and_none_twice()
    {
        var rules = string.Join(',', new[] { "incomplete", "identity", "identity", "revenue", "cashFlow", "bankruptcy" }.Select((reason, n) => $$"""{"code":"rule{{n}}","effect":"decline","when":[{"fact":"amount","from":"1"}],"reason":"{{reason}}",{{Says}}}"""));

        var evaluation = CreditEvaluation.Of(Policy($"[{rules}]", null), Facts(("amount", "5000.00")));

        Assert.That(evaluation.Reasons, Is.EqualTo(new[] { "incomplete", "identity", "revenue", "cashFlow" }));
    }

    [Test]
    public void Facts_take_the_weakest_owner_and_tell_deposits_for_thirty_days()
    {
        var cash = new CashPeriod(Day("2026-01-01"), Day("2026-03-01"), 60, 30, new Money(40_000m), 20, new Money(35_000m), 60, new Money(3_200.55m), new Money(-120m), Day("2026-02-03"), 2, 1, 3, 4, new Money(2_000m), 0, Money.Zero, 0, Money.Zero);
        var facts = CreditFacts.Of(new FactSources(
            new Money(25_000m), 24, new Money(200_000m), Day("2024-03-15"), Day("2026-03-14"), "CA", 2, "clear", "active", new BureauReport(610, 3, 1), [new BureauReport(720, 2, 0), new BureauReport(655, 1, 4)], ["match", "partial"], cash, 1)
        {
            BankAccount = "nameDiffers",
        });

        Assert.That((facts.Text("ownerScore"), facts.Text("ownerLatePayments"), facts.Text("ownerOpenLoans"), facts.Text("identity")), Is.EqualTo(("655", "4", "3", "partial")));
        Assert.That(facts.Text("bankAccount"), Is.EqualTo("nameDiffers"));
        Assert.That(facts.Text("monthsInBusiness"), Is.EqualTo("23"), "the 24th month ends on the 15th");
        Assert.That(facts.Text("amountToRevenue"), Is.EqualTo("12.50"));
        Assert.That((facts.Text("monthlyDeposits"), facts.Text("amountToDeposits"), facts.Text("lenderShare")), Is.EqualTo(("20000.00", "125.00", "5.00")));
        Assert.That((facts.Number("lowestBalance"), facts.Number("businessScore")), Is.EqualTo((-120m, 610m)));
        Assert.That(facts.IsSame(new CreditFacts(facts.Values)), Is.True);
        Assert.That(facts.Values.Keys, Is.SubsetOf(CreditFacts.All.Select(fact => fact.Name)));
    }

    [Test]
    public void What_is_not_known_is_no_fact()
    {
        var facts = CreditFacts.Of(new FactSources(new Money(5_000m), null, Money.Zero, null, Day("2026-03-14"), null, 0, null, null, null, [], [], null, 0));

        Assert.That(facts.Values.Keys, Is.EqualTo(new[] { "amount", "annualRevenue", "guarantors" }));
    }

    [Test]
    public void A_document_that_was_read_is_written_in_one_form_that_reads_the_same()
    {
        var policy = Policy($$"""[{"code":"young","effect":"decline","when":[{"fact":"monthsInBusiness","from":"1","below":"6"}],"missing":"refers","reason":"timeInBusiness","absolute":true,{{Says}}}]""", Card(""" {"fact":"registry","reason":"businessUnverified","missing":0,"bins":[{"is":["active"],"points":10},{"points":0}]} """));

        var written = PolicyForm.Write(policy);

        Assert.That(PolicyForm.Write(PolicyForm.Read(written)), Is.EqualTo(written));
        Assert.That(PolicyDifference.Between(policy, PolicyForm.Read(written)), Is.Empty);
    }

    [Test]
    public void What_differs_is_named_by_rule_and_field()
    {
        var before = Policy($$"""[{"code":"young","effect":"decline","when":[{"fact":"monthsInBusiness","below":"6"}],"reason":"timeInBusiness",{{Says}}}]""", null);
        var after = Policy($$"""[{"code":"young","effect":"refer","when":[{"fact":"monthsInBusiness","below":"12"}],"reason":"timeInBusiness",{{Says}}}]""", null);

        Assert.That(PolicyDifference.Between(before, after), Is.EqualTo(new[] { new PolicyDifference("rules", "young", "effect", "decline", "refer"), new PolicyDifference("rules", "young", "when", "monthsInBusiness < 6", "monthsInBusiness < 12") }));
    }

    [Test]
    public void The_most_that_one_of_several_roles_may_decide_counts_and_no_role_decides_nothing()
    {
        var limits = new DecisionLimits(new Money(25_000m), [new RoleLimit("underwriter", new Money(50_000m), new Money(10_000m)), new RoleLimit("administrator", new Money(40_000m), new Money(30_000m))]);

        Assert.That(limits.Of(["underwriter", "administrator", "viewer"]), Is.EqualTo((new Money(50_000m), new Money(30_000m))));
        Assert.That(limits.Of(["viewer"]), Is.EqualTo((Money.Zero, Money.Zero)));
    }

    [TestCase("""{"rules":[],"limits":{"roles":[{"role":"underwriter","offer":"1.00","override":"1.00"}]},"checklist":[]}""", "policy.empty", "A policy has a rule or a scorecard.")]
    [TestCase("""{"rules":[]}""", "input.missing", "limits is missing.")]
    [TestCase("""{"rules":[{"code":"A"}]}""", "input.missing", "rules[0].effect is missing.")]
    [TestCase("""{"rules":[{"code":"aa","effect":"decline","when":[{"fact":"age","below":"1"}],"reason":"identity","says":{"en":"a","es":"b"}}]}""", "input.not_a_choice", "rules[0].when[0].fact is one of amount, termMonths")]
    [TestCase("""{"rules":[{"code":"aa","effect":"decline","when":[{"fact":"amount","below":"1","from":"2"}],"reason":"identity","says":{"en":"a","es":"b"}}]}""", "input.out_of_range", "rules[0].when[0].fact: amount is a number; say from, below, or both with from under below.")]
    [TestCase("""{"rules":[{"code":"aa","effect":"decline","when":[{"fact":"identity","is":["perhaps"]}],"reason":"identity","says":{"en":"a","es":"b"}}]}""", "input.out_of_range", "rules[0].when[0].is has words that identity can be: match, partial, noMatch; got perhaps.")]
    [TestCase("""{"rules":[{"code":"aa","effect":"refer","when":[{"fact":"amount","from":"2"}],"absolute":true,"reason":"identity","says":{"en":"a","es":"b"}}]}""", "input.out_of_range", "rules[0].absolute is true only where the effect is decline.")]
    [TestCase("""{"rules":[{"code":"aa","effect":"refer","when":[{"fact":"amount","from":"2"}],"reason":"mood","says":{"en":"a","es":"b"}}]}""", "input.not_a_choice", "rules[0].reason is one of incomplete")]
    [TestCase("""{"rules":[{"code":"aa","effect":"refer","when":[{"fact":"amount","from":"2"}],"reason":"identity","says":{"en":"a"}}]}""", "input.missing", "rules[0].says.es is missing.")]
    [TestCase("""{"rules":[], "color":1}""", "input.unknown_field", "color is not a field here")]
    [TestCase("""{"rules":""", "input.not_json", "The policy is one JSON object; at line 1")]
    [TestCase("""{"rules":[],"scorecard":{"base":1,"approveFrom":5,"declineBelow":3,"lines":[{"fact":"amount","reason":"revenue","missing":0,"bins":[{"below":"5","points":1},{"below":"3","points":2},{"points":0}]}]}}""", "input.out_of_range", "scorecard.lines[0].bins: every bin but the last says what it takes")]
    [TestCase("""{"rules":[],"scorecard":{"base":1,"approveFrom":2,"declineBelow":3,"lines":[{"fact":"amount","reason":"revenue","missing":0,"bins":[{"below":"5","points":1},{"points":0}]}]}}""", "policy.order", "declineBelow is at most approveFrom; got 3 and 2.")]
    public void A_mistake_is_named_by_its_place(string document, string code, string sentence)
    {
        var refused = Assert.Throws<RefusedException>(() => PolicyForm.Read(document));

        Assert.That((refused?.Code, refused?.Message), Is.EqualTo((code, refused?.Message)));
        Assert.That(refused?.Message, Does.StartWith(sentence));
    }

    [Test]
    public void A_document_beyond_the_limits_is_refused()
    {
        var rule = $$"""{"code":"same","effect":"refer","when":[{"fact":"amount","from":"2"}],"reason":"identity",{{Says}}}""";

        Assert.That(Assert.Throws<RefusedException>(() => PolicyForm.Read(new string(' ', 60_001)))?.Code, Is.EqualTo("policy.too_long"));
        Assert.That(Assert.Throws<RefusedException>(() => Policy($"[{rule},{rule}]", null))?.Message, Is.EqualTo("rules names same twice; each stands once."));
        Assert.That(Assert.Throws<RefusedException>(() => Policy($"[{string.Join(',', Enumerable.Repeat(rule, 61))}]", null))?.Message, Is.EqualTo("rules has 0 to 60 entries; got 61."));
    }

    private static CreditPolicy Policy(string rules, string? card) => PolicyForm.Read($$"""{"rules":{{rules}},{{(card is null ? "" : $"\"scorecard\":{card},")}}{{Limits}}}""");

    private static string Card(string lines) => $$"""{"base":100,"approveFrom":200,"declineBelow":120,"lines":[{{lines}}]}""";

    private static CreditFacts Facts(params (string Name, string Value)[] facts) => new(facts.Select(fact => KeyValuePair.Create(fact.Name, fact.Value)));

    private static DateOnly Day(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
