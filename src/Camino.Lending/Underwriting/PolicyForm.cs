using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Lending.Applications;
using Camino.Lending.Quotes;

namespace Camino.Lending.Underwriting;

/// <summary>A credit policy as the JSON document that people edit and that is stored: read strictly, every mistake named by its place, and written in one form.</summary>
public static class PolicyForm
{
    private const decimal MostValue = 1_000_000_000m;
    private const int LongestSentence = 200;
    private const int LongestLine = 140;
    private static readonly string[] s_root = ["rules", "scorecard", "limits", "checklist"];
    private static readonly string[] s_rule = ["code", "effect", "when", "missing", "reason", "absolute", "says"];
    private static readonly string[] s_condition = ["fact", "from", "below", "is", "isNot"];
    private static readonly string[] s_scorecard = ["base", "approveFrom", "declineBelow", "lines"];
    private static readonly string[] s_line = ["fact", "reason", "missing", "bins"];
    private static readonly string[] s_bin = ["below", "is", "points"];
    private static readonly string[] s_limits = ["secondSignatureOver", "roles"];
    private static readonly string[] s_role = ["role", "offer", "override"];
    private static readonly string[] s_item = ["code", "before", "from", "products", "document", "statementDays", "roles", "says"];
    private static readonly string[] s_says = ["en", "es"];
    private static readonly (string, RuleEffect)[] s_effects = [("decline", RuleEffect.Decline), ("refer", RuleEffect.Refer)];
    private static readonly (string, WhenMissing)[] s_missing = [("passes", WhenMissing.Passes), ("applies", WhenMissing.Applies), ("refers", WhenMissing.Refers)];
    private static readonly (string, CheckBefore)[] s_before = [("offer", CheckBefore.Offer), ("booking", CheckBefore.Booking)];
    private static readonly (string, CreditFact)[] s_facts = [.. CreditFacts.All.Select(fact => (fact.Name, fact))];
    private static readonly (string, string)[] s_reasons = [.. AdverseReasons.Codes.Select(code => (code, code))];

    /// <summary>Reads a document.</summary>
    /// <exception cref="RefusedException"><c>policy.too_long</c>, <c>policy.double</c>, <c>policy.order</c>, <c>policy.empty</c>, <c>input.*</c> names the place.</exception>
    public static CreditPolicy Read(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        Refuse.If(json.Length > CreditPolicy.LongestDocument, "policy.too_long", $"A policy has at most {CreditPolicy.LongestDocument} characters; got {json.Length}.");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            var root = new Fields(document.RootElement, "", s_root);
            List<CreditRule> rules = [.. Entries(root, "rules", CreditPolicy.MostRules, s_rule).Select(ReadRule)];
            var policy = new CreditPolicy(
                rules, root.Has("scorecard") ? ReadScorecard(new Fields(root.Get("scorecard"), "scorecard", s_scorecard)) : null,
                ReadLimits(new Fields(root.Get("limits"), "limits", s_limits)), [.. Entries(root, "checklist", CreditPolicy.MostItems, s_item).Select(ReadItem)]);
            Check(policy);
            return policy;
        }
        catch (FieldException wrong)
        {
            throw new RefusedException(wrong.Code.Replace("quote.", "input.", StringComparison.Ordinal), wrong.Sentence);
        }
        catch (JsonException wrong)
        {
            throw new RefusedException("input.not_json", $"The policy is one JSON object; at line {(wrong.LineNumber ?? 0) + 1}, byte {(wrong.BytePositionInLine ?? 0) + 1} it is not.");
        }
    }

    /// <summary>Writes a policy in the form in which it is stored and edited.</summary>
    public static string Write(CreditPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteList(json, "rules", policy.Rules, WriteRule);
            if (policy.Scorecard is { } card)
                WriteScorecard(json, card);
            json.WriteStartObject("limits");
            if (policy.Limits.SecondSignatureOver is { } over)
                json.WriteString("secondSignatureOver", Text(over.Dollars));
            WriteList(json, "roles", policy.Limits.Roles, (writer, limit) =>
            {
                writer.WriteString("role", limit.Role);
                writer.WriteString("offer", Text(limit.Offer.Dollars));
                writer.WriteString("override", Text(limit.Override.Dollars));
            });
            json.WriteEndObject();
            WriteList(json, "checklist", policy.Checklist, WriteItem);
            json.WriteEndObject();
        }

        return Compact(Encoding.UTF8.GetString(stream.ToArray()));
    }

    /// <summary>Brings what fits on one line onto one line, from the inside out, so that a rule is a few lines and not thirty. No text holds the end of a line, so the ends of lines tell all.</summary>
    private static string Compact(string json)
    {
        var lines = json.Split('\n').Select(line => line.TrimEnd('\r')).ToList();
        for (var open = lines.Count - 1; open >= 0; open--)
        {
            if (!lines[open].EndsWith('{') && !lines[open].EndsWith('['))
                continue;
            var close = lines.FindIndex(open + 1, line => line.TrimStart() is ['}' or ']', ..]);
            var parts = lines.GetRange(open, close - open + 1);
            var one = string.Concat(parts[0], string.Join(' ', parts.Skip(1).SkipLast(1).Select(line => line.Trim())), parts[^1].Trim());
            if (one.Length > LongestLine || parts.Skip(1).SkipLast(1).Any(line => line.EndsWith('{') || line.EndsWith('[')))
                continue;
            lines.RemoveRange(open, parts.Count);
            lines.Insert(open, one);
        }

        return string.Join('\n', lines);
    }

    /// <summary>The word of a value in the document.</summary>
    internal static string Word<T>((string Word, T Value)[] words, T value) => words.First(one => EqualityComparer<T>.Default.Equals(one.Value, value)).Word;

    internal static string Word(RuleEffect effect) => Word(s_effects, effect);

    internal static string Word(WhenMissing missing) => Word(s_missing, missing);

    internal static string Word(CheckBefore before) => Word(s_before, before);

    private static CreditRule ReadRule(Fields fields)
    {
        var effect = fields.Choice<RuleEffect>("effect", s_effects);
        var rule = new CreditRule(
            Code(fields), effect, [.. Entries(fields, "when", CreditPolicy.MostConditions, s_condition, least: 1).Select(ReadCondition)], fields.Choice("missing", s_missing, WhenMissing.Passes), fields.Choice<string>("reason", s_reasons),
            fields.Flag("absolute", otherwise: false), Says(fields));
        return rule.IsAbsolute && effect != RuleEffect.Decline ? throw fields.Wrong("absolute", $"{fields.PathOf("absolute")} is true only where the effect is decline.") : rule;
    }

    private static Condition ReadCondition(Fields fields)
    {
        var fact = fields.Choice<CreditFact>("fact", s_facts);
        if (fact.Unit == FactUnit.Word)
        {
            var condition = new Condition(fact.Name, null, null, Words(fields, "is", fact), Words(fields, "isNot", fact));
            if (fields.Has("from") || fields.Has("below") || (condition.Is.Count == 0) == (condition.IsNot.Count == 0))
                throw fields.Wrong("fact", $"{fields.PathOf("fact")}: {fact.Name} is a word; say either is or isNot.");
            return condition;
        }

        var numbers = new Condition(fact.Name, Number(fields, "from"), Number(fields, "below"), [], []);
        if (fields.Has("is") || fields.Has("isNot") || (numbers.From is null && numbers.Below is null) || numbers.From >= numbers.Below)
            throw fields.Wrong("fact", $"{fields.PathOf("fact")}: {fact.Name} is a number; say from, below, or both with from under below.");
        return numbers;
    }

    private static Scorecard ReadScorecard(Fields fields)
    {
        var card = new Scorecard(
            fields.Integer("base", -CreditPolicy.MostPoints, CreditPolicy.MostPoints), fields.Integer("approveFrom", -100_000, 100_000), fields.Integer("declineBelow", -100_000, 100_000),
            [.. Entries(fields, "lines", CreditPolicy.MostLines, s_line, least: 1).Select(ReadLine)]);
        Refuse.If(card.DeclineBelow > card.ApproveFrom, "policy.order", $"declineBelow is at most approveFrom; got {card.DeclineBelow} and {card.ApproveFrom}.");
        return card;
    }

    private static ScoreLine ReadLine(Fields fields)
    {
        var fact = fields.Choice<CreditFact>("fact", s_facts);
        List<Bin> bins = [.. Entries(fields, "bins", CreditPolicy.MostBins, s_bin, least: 2).Select(bin => new Bin(Number(bin, "below"), fact.Unit == FactUnit.Word ? Words(bin, "is", fact) : [], bin.Integer("points", -CreditPolicy.MostPoints, CreditPolicy.MostPoints)))];
        var fit = fact.Unit == FactUnit.Word
            ? bins.TrueForAll(bin => bin.Below is null) && bins.SkipLast(1).All(bin => bin.Is.Count > 0)
            : bins.SkipLast(1).All(bin => bin.Below is not null) && bins.SkipLast(1).Zip(bins.SkipLast(1).Skip(1)).All(pair => pair.First.Below < pair.Second.Below);
        if (!fit || bins[^1].Below is not null || bins[^1].Is.Count > 0)
            throw fields.Wrong("bins", $"{fields.PathOf("bins")}: every bin but the last says what it takes, numbers by a rising below, words by is; the last takes the rest.");
        return new ScoreLine(fact.Name, fields.Choice<string>("reason", s_reasons), fields.Integer("missing", -CreditPolicy.MostPoints, CreditPolicy.MostPoints), bins);
    }

    private static DecisionLimits ReadLimits(Fields fields) => new(
        fields.Has("secondSignatureOver") ? fields.Amount("secondSignatureOver", 0, Money.MaxCents) : null,
        [.. Entries(fields, "roles", 20, s_role, least: 1).Select(one => new RoleLimit(one.Text("role", 40), one.Amount("offer", 0, Money.MaxCents), one.Amount("override", 0, Money.MaxCents)))]);

    private static ChecklistItem ReadItem(Fields fields)
    {
        var item = new ChecklistItem(
            Code(fields), fields.Choice<CheckBefore>("before", s_before), fields.Has("from") ? fields.Amount("from", 0, Money.MaxCents) : Money.Zero, Texts(fields, "products", 20, 20), fields.Has("document") ? fields.Text("document", 40) : null,
            fields.Has("statementDays") ? fields.Integer("statementDays", 1, 1_000) : null, Texts(fields, "roles", 10, 40), Says(fields));
        return item is { Document: not null, StatementDays: not null } ? throw fields.Wrong("document", $"{fields.PathOf("document")}: an item asks for a document or for days of statements, not for both.") : item;
    }

    private static void Check(CreditPolicy policy)
    {
        Single("rules", policy.Rules.Select(rule => rule.Code));
        Single("lines", policy.Scorecard?.Lines.Select(line => line.Fact) ?? []);
        Single("roles", policy.Limits.Roles.Select(limit => limit.Role));
        Single("checklist", policy.Checklist.Select(item => item.Code));
        Refuse.If(policy.Rules.Count == 0 && policy.Scorecard is null, "policy.empty", "A policy has a rule or a scorecard.");
    }

    private static void Single(string list, IEnumerable<string> names)
    {
        var twice = names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key;
        Refuse.If(twice is not null, "policy.double", $"{list} names {twice} twice; each stands once.");
    }

    private static List<Fields> Entries(Fields fields, string name, int most, string[] known, int least = 0)
    {
        var path = fields.PathOf(name);
        return fields.List(name, least, most).EnumerateArray().Select((entry, at) => new Fields(entry, string.Create(CultureInfo.InvariantCulture, $"{path}[{at}]"), known)).ToList();
    }

    private static string Code(Fields fields)
    {
        var code = fields.Text("code", 40);
        return code.Length >= 2 && char.IsAsciiLetterLower(code[0]) && code.All(char.IsAsciiLetterOrDigit) ? code : throw fields.Wrong("code", $"{fields.PathOf("code")} is 2 to 40 letters and digits that begin with a small letter; got {Fields.Short(code)}.");
    }

    private static TwoTongues Says(Fields fields)
    {
        var says = new Fields(fields.Get("says"), fields.PathOf("says"), s_says);
        return new TwoTongues(Sentence(says, "en"), Sentence(says, "es"));
    }

    private static string Sentence(Fields fields, string name)
    {
        var text = fields.Text(name, LongestSentence).Trim();
        return text.Length > 0 && !text.Any(char.IsControl) ? text : throw fields.Wrong(name, $"{fields.PathOf(name)} has 1 to {LongestSentence} characters on one line.");
    }

    private static decimal? Number(Fields fields, string name) => fields.Has(name) ? fields.Decimal(name, 2, -MostValue, MostValue) : null;

    private static List<string> Words(Fields fields, string name, CreditFact fact)
    {
        var words = Texts(fields, name, 60, 40);
        if (words.Find(word => fact.Words.Length == 0 ? word.Length != 2 || !word.All(char.IsAsciiLetterUpper) : !fact.Words.Contains(word, StringComparer.Ordinal)) is { } wrong)
            throw fields.Wrong(name, $"{fields.PathOf(name)} has words that {fact.Name} can be: {(fact.Words.Length == 0 ? "CA, NY" : string.Join(", ", fact.Words))}; got {Fields.Short(wrong)}.");
        return words;
    }

    private static List<string> Texts(Fields fields, string name, int most, int longest)
    {
        if (!fields.Has(name))
            return [];
        var path = fields.PathOf(name);
        var texts = fields.List(name, 0, most).EnumerateArray().Select(entry => entry.ValueKind == JsonValueKind.String ? Fields.ReadText(entry, path) : "").ToList();
        return texts.Exists(text => text.Length == 0 || text.Length > longest) ? throw fields.Wrong(name, $"{path} is a list of texts of 1 to {longest} characters.") : texts;
    }

    private static void WriteRule(Utf8JsonWriter json, CreditRule rule)
    {
        json.WriteString("code", rule.Code);
        json.WriteString("effect", Word(rule.Effect));
        WriteList(json, "when", rule.When, (writer, condition) =>
        {
            writer.WriteString("fact", condition.Fact);
            WriteNumber(writer, "from", condition.From);
            WriteNumber(writer, "below", condition.Below);
            WriteTexts(writer, "is", condition.Is);
            WriteTexts(writer, "isNot", condition.IsNot);
        });
        json.WriteString("missing", Word(rule.Missing));
        json.WriteString("reason", rule.Reason);
        if (rule.IsAbsolute)
            json.WriteBoolean("absolute", true);
        WriteSays(json, rule.Says);
    }

    private static void WriteScorecard(Utf8JsonWriter json, Scorecard card)
    {
        json.WriteStartObject("scorecard");
        json.WriteNumber("base", card.Base);
        json.WriteNumber("approveFrom", card.ApproveFrom);
        json.WriteNumber("declineBelow", card.DeclineBelow);
        WriteList(json, "lines", card.Lines, (writer, line) =>
        {
            writer.WriteString("fact", line.Fact);
            writer.WriteString("reason", line.Reason);
            writer.WriteNumber("missing", line.Missing);
            WriteList(writer, "bins", line.Bins, (inner, bin) =>
            {
                WriteNumber(inner, "below", bin.Below);
                WriteTexts(inner, "is", bin.Is);
                inner.WriteNumber("points", bin.Points);
            });
        });
        json.WriteEndObject();
    }

    private static void WriteItem(Utf8JsonWriter json, ChecklistItem item)
    {
        json.WriteString("code", item.Code);
        json.WriteString("before", Word(item.Before));
        json.WriteString("from", Text(item.From.Dollars));
        WriteTexts(json, "products", item.Products);
        if (item.Document is { } kind)
            json.WriteString("document", kind);
        if (item.StatementDays is { } days)
            json.WriteNumber("statementDays", days);
        WriteTexts(json, "roles", item.Roles);
        WriteSays(json, item.Says);
    }

    private static void WriteList<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> entries, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray(name);
        foreach (var entry in entries)
        {
            json.WriteStartObject();
            write(json, entry);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void WriteSays(Utf8JsonWriter json, TwoTongues says)
    {
        json.WriteStartObject("says");
        json.WriteString("en", says.En);
        json.WriteString("es", says.Es);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, decimal? value)
    {
        if (value is { } number)
            json.WriteString(name, number.ToString("0.##", CultureInfo.InvariantCulture));
    }

    private static string Text(decimal dollars) => dollars.ToString("0.00", CultureInfo.InvariantCulture);
}
