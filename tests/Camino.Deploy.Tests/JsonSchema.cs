using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Camino.Deploy.Tests;

/// <summary>
/// The part of JSON Schema draft-07 that the shared schemas use; a keyword that it does not know is an error, so that nothing passes because it was not understood.
/// Not taken from a package: those on the feed are under a licence that a lender may not ship, or know draft-04 only.
/// </summary>
internal sealed class JsonSchema
{
    /// <summary>Keywords that say something to people or editors and refuse nothing.</summary>
    private static readonly HashSet<string> s_words = new(StringComparer.Ordinal)
    {
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "definitions", "format", "deprecated", "deprecationMessage", "doNotSuggest", "firstProperty", "ignoreCase", "aliases",
    };

    private readonly JsonObject _root;

    private JsonSchema(JsonObject root) => _root = root;

    public static JsonSchema Load(string file) => new(JsonNode.Parse(File.ReadAllText(file)) as JsonObject ?? throw new InvalidOperationException($"{file} is no schema."));

    /// <summary>What is wrong with the value; empty when it is right.</summary>
    public IReadOnlyList<string> Check(JsonNode? value) => [.. Errors(_root, value, "$").Select(error => $"{error.Path}: {error.Sentence}")];

    private sealed record Wrong(string Path, string Sentence);

    private List<Wrong> Errors(JsonNode? schema, JsonNode? value, string path)
    {
        if (schema is JsonValue truth && truth.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
            return truth.GetValueKind() == JsonValueKind.True ? [] : [new(path, "is not allowed here")];
        var errors = new List<Wrong>();
        var rules = (JsonObject)(schema ?? throw new InvalidOperationException($"There is no schema at {path}."));
        if (rules["$ref"] is { } reference)
            return Errors(Resolve(reference.GetValue<string>()), value, path);
        foreach (var (keyword, rule) in rules)
        {
            if (!s_words.Contains(keyword))
                Apply(keyword, rule, rules, value, path, errors);
        }

        return errors;
    }

    private void Apply(string keyword, JsonNode? rule, JsonObject rules, JsonNode? value, string path, List<Wrong> errors)
    {
        void Wrong(bool isWrong, string sentence)
        {
            if (isWrong)
                errors.Add(new(path, sentence));
        }

        switch (keyword)
        {
            case "type":
                var types = rule is JsonArray several ? [.. several.Select(type => type?.GetValue<string>() ?? "")] : new[] { rule?.GetValue<string>() ?? "" };
                Wrong(!types.Any(type => Is(type, value)), $"must be {string.Join(" or ", types)}, and is {Shown(value)}");
                break;
            case "enum":
                Wrong(!((JsonArray)rule!).Any(choice => JsonNode.DeepEquals(choice, value)), $"is {Shown(value)}; it must be one of {Shown(rule)}");
                break;
            case "const":
                Wrong(!JsonNode.DeepEquals(rule, value), $"is {Shown(value)}; it must be {Shown(rule)}");
                break;
            case "pattern" when Text(value) is { } text:
                Wrong(!Regex.IsMatch(text, rule!.GetValue<string>(), RegexOptions.ECMAScript, TimeSpan.FromSeconds(5)), $"is {Shown(value)}; it must match {rule}");
                break;
            case "minLength" when Text(value) is { } text:
                Wrong(text.Length < Number(rule), $"must have {rule} characters or more");
                break;
            case "minimum" when value?.GetValueKind() == JsonValueKind.Number:
                Wrong(Number(value) < Number(rule), $"is {Shown(value)}; it must be {rule} or more");
                break;
            case "maximum" when value?.GetValueKind() == JsonValueKind.Number:
                Wrong(Number(value) > Number(rule), $"is {Shown(value)}; it must be {rule} or less");
                break;
            case "minItems" when value is JsonArray items:
                Wrong(items.Count < Number(rule), $"must have {rule} entries or more");
                break;
            case "uniqueItems" when value is JsonArray items && rule?.GetValue<bool>() == true:
                Wrong(items.Select(Shown).Distinct(StringComparer.Ordinal).Count() != items.Count, "has an entry twice");
                break;
            case "items" when value is JsonArray items:
                for (var i = 0; i < items.Count; i++)
                    errors.AddRange(Errors(rule, items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")));
                break;
            case "required" when value is JsonObject mapping:
                foreach (var name in ((JsonArray)rule!).Select(name => name!.GetValue<string>()).Where(name => !mapping.ContainsKey(name)))
                    errors.Add(new(path, $"lacks {name}"));
                break;
            case "minProperties" when value is JsonObject mapping:
                Wrong(mapping.Count < Number(rule), $"must have {rule} keys or more");
                break;
            case "properties" when value is JsonObject mapping:
                foreach (var (name, inner) in mapping.Where(entry => ((JsonObject)rule!).ContainsKey(entry.Key)))
                    errors.AddRange(Errors(rule![name], inner, $"{path}.{name}"));
                break;
            case "patternProperties" when value is JsonObject mapping:
                foreach (var (name, inner) in mapping)
                {
                    foreach (var (_, schema) in ((JsonObject)rule!).Where(entry => Regex.IsMatch(name, entry.Key, RegexOptions.ECMAScript, TimeSpan.FromSeconds(5))))
                        errors.AddRange(Errors(schema, inner, $"{path}.{name}"));
                }

                break;
            case "additionalProperties" when value is JsonObject mapping:
                foreach (var (name, inner) in mapping.Where(entry => !IsNamed(entry.Key, rules)))
                    errors.AddRange(Errors(rule, inner, $"{path}.{name}"));
                break;
            case "anyOf" or "oneOf":
                var branches = ((JsonArray)rule!).Select(schema => Errors(schema, value, path)).ToList();
                var fitting = branches.Count(branch => branch.Count == 0);
                if (fitting == 0)
                    errors.AddRange(branches.MaxBy(branch => branch.Max(error => error.Path.Length)) ?? []);
                Wrong(keyword == "oneOf" && fitting > 1, "fits more than one of the allowed shapes");
                break;
            case "pattern" or "minLength" or "minimum" or "maximum" or "minItems" or "uniqueItems" or "items" or "required" or "minProperties" or "properties" or "patternProperties" or "additionalProperties":
                break; // says nothing about a value of another type
            default:
                throw new NotSupportedException($"The schema uses the keyword {keyword} at {path}, which this validator does not know.");
        }
    }

    private JsonNode Resolve(string reference)
    {
        JsonNode at = _root;
        foreach (var part in reference.Split('/').Skip(1))
            at = at[part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)] ?? throw new InvalidOperationException($"The schema has no {reference}.");
        return at;
    }

    private static bool IsNamed(string name, JsonObject rules) =>
        rules["properties"] is JsonObject properties && properties.ContainsKey(name)
        || rules["patternProperties"] is JsonObject patterns && patterns.Any(entry => Regex.IsMatch(name, entry.Key, RegexOptions.ECMAScript, TimeSpan.FromSeconds(5)));

    private static bool Is(string type, JsonNode? value) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value?.GetValueKind() == JsonValueKind.String,
        "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "number" => value?.GetValueKind() == JsonValueKind.Number,
        "integer" => value?.GetValueKind() == JsonValueKind.Number && Number(value) % 1 == 0,
        _ => throw new NotSupportedException($"There is no type {type}."),
    };

    private static string? Text(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static double Number(JsonNode? value) => double.Parse(value?.ToJsonString() ?? "", CultureInfo.InvariantCulture);

    private static string Shown(JsonNode? value) => value?.ToJsonString() is { } json ? json.Length > 80 ? json[..80] + "..." : json : "null";
}
