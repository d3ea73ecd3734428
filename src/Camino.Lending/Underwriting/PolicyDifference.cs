using System.Globalization;

namespace Camino.Lending.Underwriting;

/// <summary>One thing that two versions of a policy say differently.</summary>
/// <param name="Part"><c>rules</c>, <c>scorecard</c>, <c>limits</c> or <c>checklist</c>.</param>
/// <param name="Name">The rule, the fact, the role or the item; empty where it is the part itself.</param>
/// <param name="Field">What of it; empty where all of it came or went.</param>
/// <param name="Was">Null where it was not there.</param>
/// <param name="Becomes">Null where it is not there any more.</param>
public sealed record PolicyDifference(string Part, string Name, string Field, string? Was, string? Becomes)
{
    /// <summary>All that differs, in the order of the document.</summary>
    /// <param name="before">Null: there was none.</param>
    public static IReadOnlyList<PolicyDifference> Between(CreditPolicy? before, CreditPolicy after)
    {
        ArgumentNullException.ThrowIfNull(after);
        var (was, becomes) = (before is null ? [] : Said(before), Said(after));
        var old = was.ToDictionary(one => (one.Part, one.Name, one.Field), one => one.Value);
        var fresh = becomes.ToDictionary(one => (one.Part, one.Name, one.Field), one => one.Value);
        return
        [
            .. becomes.Concat(was).Select(one => (one.Part, one.Name, one.Field)).Distinct().Where(key => old.GetValueOrDefault(key) != fresh.GetValueOrDefault(key))
                .Select(key => new PolicyDifference(key.Part, key.Name, key.Field, old.GetValueOrDefault(key), fresh.GetValueOrDefault(key))),
        ];
    }

    private static List<(string Part, string Name, string Field, string Value)> Said(CreditPolicy policy)
    {
        var said = new List<(string, string, string, string)>();
        foreach (var rule in policy.Rules)
        {
            said.Add(("rules", rule.Code, "effect", PolicyForm.Word(rule.Effect)));
            said.Add(("rules", rule.Code, "when", string.Join(" & ", rule.When.Select(Text))));
            said.Add(("rules", rule.Code, "missing", PolicyForm.Word(rule.Missing)));
            said.Add(("rules", rule.Code, "reason", rule.Reason));
            said.Add(("rules", rule.Code, "absolute", rule.IsAbsolute ? "true" : "false"));
            said.Add(("rules", rule.Code, "says", $"{rule.Says.En} / {rule.Says.Es}"));
        }

        if (policy.Scorecard is { } card)
        {
            said.Add(("scorecard", "", "base", Text(card.Base)));
            said.Add(("scorecard", "", "approveFrom", Text(card.ApproveFrom)));
            said.Add(("scorecard", "", "declineBelow", Text(card.DeclineBelow)));
            foreach (var line in card.Lines)
            {
                said.Add(("scorecard", line.Fact, "bins", string.Join("; ", line.Bins.Select(Text))));
                said.Add(("scorecard", line.Fact, "missing", Text(line.Missing)));
                said.Add(("scorecard", line.Fact, "reason", line.Reason));
            }
        }

        if (policy.Limits.SecondSignatureOver is { } over)
            said.Add(("limits", "", "secondSignatureOver", over.ToString()));
        foreach (var limit in policy.Limits.Roles)
        {
            said.Add(("limits", limit.Role, "offer", limit.Offer.ToString()));
            said.Add(("limits", limit.Role, "override", limit.Override.ToString()));
        }

        foreach (var item in policy.Checklist)
        {
            said.Add(("checklist", item.Code, "before", PolicyForm.Word(item.Before)));
            said.Add(("checklist", item.Code, "from", item.From.ToString()));
            said.Add(("checklist", item.Code, "products", string.Join(", ", item.Products)));
            said.Add(("checklist", item.Code, "document", item.Document ?? (item.StatementDays is { } days ? Text(days) : "")));
            said.Add(("checklist", item.Code, "roles", string.Join(", ", item.Roles)));
            said.Add(("checklist", item.Code, "says", $"{item.Says.En} / {item.Says.Es}"));
        }

        return said;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(decimal number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Text(Bin bin) => $"{(bin.Below is { } below ? "< " + Text(below) : bin.Is.Count > 0 ? string.Join(", ", bin.Is) : "…")}: {Text(bin.Points)}";

    private static string Text(Condition condition) => string.Join(
        " ",
        new[]
        {
            condition.Fact, condition.From is { } from ? "≥ " + Text(from) : "", condition.Below is { } below ? "< " + Text(below) : "", condition.Is.Count > 0 ? "= " + string.Join(", ", condition.Is) : "",
            condition.IsNot.Count > 0 ? "≠ " + string.Join(", ", condition.IsNot) : "",
        }.Where(part => part.Length > 0));
}
