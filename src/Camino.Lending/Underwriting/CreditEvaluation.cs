using Camino.Lending.Applications;

namespace Camino.Lending.Underwriting;

/// <summary>What a policy recommends. The values are stored and never change.</summary>
public enum Recommendation
{
    /// <summary>Offer it.</summary>
    Approve = 1,

    /// <summary>A person decides.</summary>
    Refer = 2,

    /// <summary>Say no.</summary>
    Decline = 3,
}

/// <summary>What came of one rule.</summary>
/// <param name="Applies">It has its effect.</param>
/// <param name="IsReferral">It only asks for a person, also where it would decline: something is not known.</param>
/// <param name="Missing">Facts that it asks for and that are not known.</param>
public sealed record RuleOutcome(string Code, bool Applies, bool IsReferral, IReadOnlyList<string> Missing);

/// <summary>What one line of the scorecard gave.</summary>
/// <param name="Value">Null where the fact is not known.</param>
/// <param name="Most">The most that it can give.</param>
public sealed record PointsGiven(string Fact, string? Value, int Points, int Most);

/// <summary>What a policy says about an application, line by line.</summary>
/// <param name="Score">Null where the policy has no scorecard.</param>
/// <param name="Reasons">Codes of <see cref="AdverseReasons"/>, the principal one first, where it does not recommend to approve.</param>
/// <param name="IsAbsolute">Nobody decides against it.</param>
public sealed record CreditEvaluation(Recommendation Recommendation, int? Score, IReadOnlyList<RuleOutcome> Rules, IReadOnlyList<PointsGiven> Points, IReadOnlyList<string> Reasons, bool IsAbsolute)
{
    /// <summary>Applies a policy to facts. Every rule is looked at and every line counted, so that one finding hides no other.</summary>
    /// <remarks>
    /// The principal reasons are those of the knock-outs, then of the referrals, then of the lines of the scorecard that are furthest below the most that they can give, which is one of the two methods of
    /// comment 9(b)(2)-5 to 12 CFR 1002; at most four.
    /// </remarks>
    public static CreditEvaluation Of(CreditPolicy policy, CreditFacts facts)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(facts);
        List<(CreditRule Rule, RuleOutcome Outcome)> rules = [.. policy.Rules.Select(rule => (rule, OutcomeOf(rule, facts)))];
        List<(ScoreLine Line, PointsGiven Given)> lines = [.. (policy.Scorecard?.Lines ?? []).Select(line => (line, new PointsGiven(line.Fact, facts.Text(line.Fact), line.PointsOf(facts), Math.Max(line.Most, line.Missing))))];
        var score = policy.Scorecard is { } card ? card.Base + lines.Sum(line => line.Given.Points) : (int?)null;
        var knockOuts = rules.Where(one => one.Outcome is { Applies: true, IsReferral: false }).Select(one => one.Rule).ToList();
        var referrals = rules.Where(one => one.Outcome is { Applies: true, IsReferral: true }).Select(one => one.Rule).ToList();
        var byScore = policy.Scorecard is null || score >= policy.Scorecard.ApproveFrom ? Recommendation.Approve : score < policy.Scorecard.DeclineBelow ? Recommendation.Decline : Recommendation.Refer;
        var recommendation = knockOuts.Count > 0 ? Recommendation.Decline : byScore == Recommendation.Approve && referrals.Count > 0 ? Recommendation.Refer : byScore;
        var below = byScore == Recommendation.Approve ? [] : lines.Where(line => line.Given.Points < line.Given.Most).OrderByDescending(line => line.Given.Most - line.Given.Points).Select(line => line.Line.Reason);
        List<string> reasons = recommendation == Recommendation.Approve ? [] : [.. knockOuts.Concat(referrals).Select(rule => rule.Reason).Concat(below).Distinct(StringComparer.Ordinal).Take(AdverseReasons.Most)];
        return new CreditEvaluation(recommendation, score, [.. rules.Select(one => one.Outcome)], [.. lines.Select(line => line.Given)], reasons, knockOuts.Exists(rule => rule.IsAbsolute));
    }

    private static RuleOutcome OutcomeOf(CreditRule rule, CreditFacts facts)
    {
        var held = rule.When.Select(condition => (condition.Fact, Holds: condition.Holds(facts))).ToList();
        List<string> missing = [.. held.Where(one => one.Holds is null).Select(one => one.Fact).Distinct(StringComparer.Ordinal)];
        if (held.Exists(one => one.Holds == false) || (missing.Count > 0 && rule.Missing == WhenMissing.Passes))
            return new RuleOutcome(rule.Code, Applies: false, IsReferral: false, missing);
        return new RuleOutcome(rule.Code, Applies: true, IsReferral: rule.Effect == RuleEffect.Refer || (missing.Count > 0 && rule.Missing == WhenMissing.Refers), missing);
    }
}
