using System.Globalization;
using Camino.Lending.Underwriting;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Applications.Underwriting;

/// <summary>The words of policies and evaluations in the reader's language.</summary>
public static class UnderwritingText
{
    /// <summary>A sentence that the policy says in both languages.</summary>
    public static string Said(TwoTongues says)
    {
        ArgumentNullException.ThrowIfNull(says);
        return says.In(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName);
    }

    /// <summary>What a fact is called.</summary>
    public static string Fact(this IStringLocalizer<Texts> texts, string name)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return texts["Fact." + name];
    }

    /// <summary>The value of a fact as the reader writes it; a dash where it is not known.</summary>
    public static string Value(this IStringLocalizer<Texts> texts, string fact, string? value)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (value is null || CreditFacts.Find(fact) is not { } known)
            return texts["Evaluation.Unknown"];
        if (known.Unit == FactUnit.Word)
            return texts.Or($"FactWord.{fact}.{value}", value);
        return Number(known, decimal.Parse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture));
    }

    /// <summary>What must hold, in a few words: Owner's credit score below 560.</summary>
    public static string Condition(this IStringLocalizer<Texts> texts, Condition condition)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(condition);
        var name = texts.Fact(condition.Fact);
        if (condition.Is.Count > 0)
            return texts["Policy.Is", name, string.Join(", ", condition.Is.Select(word => texts.Value(condition.Fact, word)))];
        if (condition.IsNot.Count > 0)
            return texts["Policy.IsNot", name, string.Join(", ", condition.IsNot.Select(word => texts.Value(condition.Fact, word)))];
        var fact = CreditFacts.Find(condition.Fact) ?? throw new InvalidOperationException("The policy asks for a fact that nobody knows.");
        return (condition.From, condition.Below) switch
        {
            ({ } from, { } below) => texts["Policy.Between", name, Number(fact, from), Number(fact, below)],
            ({ } from, null) => texts["Policy.From", name, Number(fact, from)],
            (_, { } below) => texts["Policy.Below", name, Number(fact, below)],
            _ => name,
        };
    }

    /// <summary>What a bin takes: below 600; match; all others.</summary>
    public static string Bin(this IStringLocalizer<Texts> texts, string fact, Bin bin)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(bin);
        if (bin.Is.Count > 0)
            return string.Join(", ", bin.Is.Select(word => texts.Value(fact, word)));
        return bin.Below is { } below && CreditFacts.Find(fact) is { } known ? texts["Policy.Under", Number(known, below)] : texts["Policy.Rest"];
    }

    /// <summary>What a line of a difference is about: Rule registryInactive: effect.</summary>
    public static string NameOf(this IStringLocalizer<Texts> texts, PolicyDifference one)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(one);
        var name = one.Part switch
        {
            "scorecard" when one.Name.Length > 0 => texts.Fact(one.Name),
            "limits" when one.Name.Length > 0 => texts.Or("Role." + one.Name, one.Name),
            _ => one.Name,
        };
        return string.Join(" · ", new[] { texts["Policy.Part." + one.Part].Value, name, texts["Policy.Field." + one.Field].Value }.Where(part => part.Length > 0));
    }

    /// <summary>The colour of a recommendation.</summary>
    public static string Tone(Recommendation recommendation) => recommendation switch { Recommendation.Approve => "good", Recommendation.Refer => "warn", _ => "bad" };

    /// <summary>The colour of a version's status.</summary>
    public static string Tone(PolicyStatus status) => status switch { PolicyStatus.Published => "good", PolicyStatus.Draft => "warn", _ => "quiet" };

    private static string Number(CreditFact fact, decimal value) => fact.Unit switch
    {
        FactUnit.Dollars => Show.Money(value),
        FactUnit.Percent => Show.Percent(value / 100m, value == decimal.Truncate(value) ? 0 : 2),
        _ => value.ToString("#,0.##", CultureInfo.CurrentCulture),
    };
}
