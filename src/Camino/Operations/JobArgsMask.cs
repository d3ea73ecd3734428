using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Camino.Operations;

/// <summary>
/// Shows arguments and results of jobs without what nobody needs to see. They should hold ids, dates and numbers only; what is text all the same is shown to
/// administrators alone, and what its name calls a secret or personal to nobody.
/// </summary>
public static class JobArgsMask
{
    private const string Hidden = "•••";

    private static readonly string[] Never =
        ["password", "secret", "token", "apikey", "credential", "ssn", "taxid", "ein", "account", "routing", "iban", "card", "birth", "email", "phone", "address", "name"];

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>JSON with a line for each value.</summary>
    /// <param name="json">As it was stored.</param>
    /// <param name="everything">True for administrators.</param>
    public static string Show(string json, bool everything) => Masked(JsonNode.Parse(json), "", everything)?.ToJsonString(Readable) ?? "null";

    private static JsonNode? Masked(JsonNode? node, string name, bool everything) => node switch
    {
        JsonObject inner => new JsonObject(inner.Select(member => KeyValuePair.Create(member.Key, Masked(member.Value, member.Key, everything)))),
        JsonArray list => new JsonArray([.. list.Select(item => Masked(item, name, everything))]),
        JsonValue value when Never.Any(word => name.Replace("_", "", StringComparison.Ordinal).Contains(word, StringComparison.OrdinalIgnoreCase)) => Hidden,
        JsonValue value when value.GetValueKind() == JsonValueKind.String && !everything && !IsPlain(value.GetValue<string>()) => Hidden,
        _ => node?.DeepClone(),
    };

    /// <summary>Ids and times.</summary>
    private static bool IsPlain(string text) =>
        Guid.TryParse(text, out _) || DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _);
}
