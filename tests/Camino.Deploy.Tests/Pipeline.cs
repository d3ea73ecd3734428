using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Camino.Deploy.Tests;

/// <summary>The pipeline as Azure expands it: templates put in, parameters, <c>each</c> and <c>if</c> worked out. Every scalar is text.</summary>
/// <remarks>Understands what our files use, no more: parameters, loop variables, <c>eq</c> and <c>ne</c>. Anything else is an error, which keeps logic out of the files.</remarks>
internal sealed partial class Pipeline
{
    /// <summary>Keys of a template's file that hold what is put in.</summary>
    private static readonly string[] s_contents = ["stages", "jobs", "steps", "variables"];

    private readonly List<string> _open = [];
    private readonly HashSet<string> _templates = new(StringComparer.Ordinal);

    private Pipeline(JsonObject file, Dictionary<string, JsonNode?> given)
    {
        var parameters = ParametersOf("azure-pipelines.yml", file, given);
        _open.Add("azure-pipelines.yml");
        Whole = (JsonObject)(Expand(file, parameters, "azure-pipelines.yml") ?? new JsonObject());
    }

    /// <summary>The expanded file, without its parameters.</summary>
    public JsonObject Whole { get; }

    /// <summary>Templates that were put in, as paths within the checkout.</summary>
    public IReadOnlySet<string> Templates => _templates;

    public IReadOnlyList<JsonObject> Stages => [.. ((JsonArray?)Whole["stages"] ?? []).OfType<JsonObject>()];

    /// <summary>As a run with these parameters sees it.</summary>
    public static Pipeline Of(params (string Name, string Value)[] parameters) =>
        new((JsonObject)(Yaml.Texts(Place.Text("azure-pipelines.yml")) ?? new JsonObject()), parameters.ToDictionary(given => given.Name, given => (JsonNode?)JsonValue.Create(given.Value), StringComparer.Ordinal));

    public JsonObject Stage(string name) => Stages.Single(stage => Text(stage["stage"]) == name);

    public static IReadOnlyList<JsonObject> Jobs(JsonObject stage) => [.. ((JsonArray?)stage["jobs"] ?? []).OfType<JsonObject>()];

    public static string NameOf(JsonObject job) => Text(job["job"]) ?? Text(job["deployment"]) ?? "";

    /// <summary>All steps of a job, whatever strategy and hook they stand in.</summary>
    public static IReadOnlyList<JsonObject> Steps(JsonObject job) => [.. Find(job, "steps").OfType<JsonArray>().SelectMany(steps => steps.OfType<JsonObject>())];

    public static IReadOnlyList<string> DependsOn(JsonObject item) => item["dependsOn"] switch
    {
        JsonArray several => [.. several.Select(name => Text(name) ?? "")],
        { } one => [Text(one) ?? ""],
        null => [],
    };

    public static string? Text(JsonNode? node) => node is JsonValue value ? value.GetValue<string>() : null;

    /// <summary>Every value under that key, at any depth.</summary>
    public static IEnumerable<JsonNode?> Find(JsonNode? node, string key) => node switch
    {
        JsonObject mapping => mapping.SelectMany(entry => entry.Key == key ? Find(entry.Value, key).Prepend(entry.Value) : Find(entry.Value, key)),
        JsonArray list => list.SelectMany(item => Find(item, key)),
        _ => [],
    };

    private static Dictionary<string, JsonNode?> ParametersOf(string path, JsonObject file, Dictionary<string, JsonNode?> given)
    {
        var values = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var declared in ((JsonArray?)file["parameters"] ?? []).OfType<JsonObject>())
        {
            var name = Text(declared["name"]) ?? "";
            values["parameters." + name] = given.TryGetValue(name, out var value) ? value
                : declared.TryGetPropertyValue("default", out var other) ? other
                : throw new InvalidOperationException($"{path} needs the parameter {name}, and nobody gives it.");
        }

        var unknown = given.Keys.FirstOrDefault(name => !values.ContainsKey("parameters." + name));
        return unknown is null ? values : throw new InvalidOperationException($"{path} has no parameter {unknown}.");
    }

    private JsonNode? Expand(JsonNode? node, Dictionary<string, JsonNode?> scope, string path) => node switch
    {
        JsonObject mapping => ExpandMapping(mapping, scope, path),
        JsonArray list => new JsonArray([.. list.SelectMany(item => ExpandItem(item, scope, path))]),
        JsonValue value => Substitute(Text(value) ?? "", scope),
        _ => null,
    };

    private JsonObject ExpandMapping(JsonObject mapping, Dictionary<string, JsonNode?> scope, string path)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping.Where(entry => entry.Key != "parameters" || mapping.ContainsKey("template")))
        {
            if (key.Contains("${{", StringComparison.Ordinal))
                throw new InvalidOperationException($"{path}: the key {key} is an expression; those stand in lists only.");
            result[key] = Expand(value, scope, path);
        }

        return result;
    }

    /// <summary>An entry of a list, which may become none or several.</summary>
    private IEnumerable<JsonNode?> ExpandItem(JsonNode? item, Dictionary<string, JsonNode?> scope, string path)
    {
        if (item is not JsonObject { Count: > 0 } mapping)
            return [Expand(item, scope, path)];
        var (key, inner) = mapping.First();
        if (If().Match(key) is { Success: true } condition)
            return Holds(condition.Groups["test"].Value, scope) ? Inner(inner).SelectMany(each => ExpandItem(each, scope, path)) : [];
        if (Each().Match(key) is { Success: true } loop)
        {
            return ((JsonArray?)Value(loop.Groups["list"].Value, scope) ?? []).SelectMany(value =>
            {
                var within = new Dictionary<string, JsonNode?>(scope, StringComparer.Ordinal) { [loop.Groups["name"].Value] = value };
                return Inner(inner).SelectMany(each => ExpandItem(each, within, path)).ToList();
            }).ToList();
        }

        return mapping.ContainsKey("template") ? PutIn(mapping, scope, path) : [Expand(mapping, scope, path)];
    }

    private List<JsonNode?> PutIn(JsonObject reference, Dictionary<string, JsonNode?> scope, string path)
    {
        var named = Text(Expand(reference["template"], scope, path)) ?? "";
        var file = named.StartsWith('/') ? named[1..] : string.Join('/', path.Split('/')[..^1].Append(named));
        if (_open.Contains(file))
            throw new InvalidOperationException($"{string.Join(" -> ", _open)} -> {file}: templates go round in a circle.");
        if (!System.IO.File.Exists(Place.File(file)))
            throw new InvalidOperationException($"{path} names the template {named}, and there is no {file}.");
        _templates.Add(file);
        var given = ((JsonObject?)Expand(reference["parameters"], scope, path))?.ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal) ?? [];
        var template = (JsonObject)(Yaml.Texts(Place.Text(file)) ?? new JsonObject());
        _open.Add(file);
        var inside = ParametersOf(file, template, given);
        var contents = template.Single(entry => s_contents.Contains(entry.Key)).Value as JsonArray ?? [];
        var result = contents.SelectMany(item => ExpandItem(item, inside, file)).ToList();
        _open.RemoveAt(_open.Count - 1);
        return result;
    }

    private static IEnumerable<JsonNode?> Inner(JsonNode? inner) => inner as JsonArray ?? throw new InvalidOperationException("Below an expression stands a list.");

    private static JsonNode? Substitute(string text, Dictionary<string, JsonNode?> scope)
    {
        if (Expression().Match(text) is { Success: true } all && all.Length == text.Length)
            return Value(all.Groups["name"].Value, scope)?.DeepClone();
        return JsonValue.Create(Expression().Replace(text, match => Text(Value(match.Groups["name"].Value, scope)) ?? ""));
    }

    private static bool Holds(string test, Dictionary<string, JsonNode?> scope)
    {
        var parts = Comparison().Match(test);
        if (!parts.Success)
            throw new InvalidOperationException($"The condition {test} is more than eq or ne of a parameter and a literal.");
        var equal = Text(Value(parts.Groups["name"].Value, scope)) == parts.Groups["literal"].Value;
        return parts.Groups["verb"].Value == "eq" ? equal : !equal;
    }

    private static JsonNode? Value(string name, Dictionary<string, JsonNode?> scope)
    {
        if (scope.TryGetValue(name, out var whole))
            return whole;
        var dot = name.LastIndexOf('.');
        return dot > 0 && scope.TryGetValue(name[..dot], out var holder) && holder is JsonObject mapping && mapping.TryGetPropertyValue(name[(dot + 1)..], out var value)
            ? value
            : throw new InvalidOperationException($"Nothing is called {name} here.");
    }

    [GeneratedRegex(@"\$\{\{ (?<name>[a-zA-Z.]+) \}\}", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Expression();

    [GeneratedRegex(@"^\$\{\{ if (?<test>.+) \}\}$", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex If();

    [GeneratedRegex(@"^\$\{\{ each (?<name>[a-zA-Z]+) in (?<list>[a-zA-Z.]+) \}\}$", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Each();

    [GeneratedRegex("^(?<verb>eq|ne)\\((?<name>[a-zA-Z.]+), '?(?<literal>[^')]*)'?\\)$", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Comparison();
}
