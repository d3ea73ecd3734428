using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Camino.Deploy.Tests;

/// <summary>YAML as JSON: anchors and merge keys resolved.</summary>
internal static partial class Yaml
{
    /// <summary>Plain scalars become numbers, truth values and nulls as in YAML 1.2.</summary>
    public static IReadOnlyList<JsonNode?> Documents(string text) => Read(text, typed: true);

    /// <summary>Every scalar stays text, as Azure Pipelines reads a file.</summary>
    public static JsonNode? Texts(string text) => Read(text, typed: false).FirstOrDefault();

    private static List<JsonNode?> Read(string text, bool typed)
    {
        var stream = new YamlStream();
        stream.Load(new MergingParser(new Parser(new StringReader(text))));
        return [.. stream.Documents.Select(document => Convert(document.RootNode, typed)).Where(node => node is not null)];
    }

    private static JsonNode? Convert(YamlNode node, bool typed)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                var json = new JsonObject();
                foreach (var (key, value) in mapping.Children)
                    json[((YamlScalarNode)key).Value ?? ""] = Convert(value, typed);
                return json;
            case YamlSequenceNode sequence:
                return new JsonArray([.. sequence.Children.Select(child => Convert(child, typed))]);
            case YamlScalarNode { Style: ScalarStyle.Plain } plain when typed:
                return Typed(plain.Value ?? "");
            case YamlScalarNode scalar:
                return JsonValue.Create(scalar.Value);
            default:
                return null;
        }
    }

    private static JsonValue? Typed(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when WholeNumber().IsMatch(text) => JsonValue.Create(long.Parse(text, CultureInfo.InvariantCulture)),
        _ when Fraction().IsMatch(text) => JsonValue.Create(double.Parse(text, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(text),
    };

    [GeneratedRegex(@"^[-+]?\d{1,18}$", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"^[-+]?\d+\.\d+([eE][-+]?\d+)?$", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Fraction();
}
