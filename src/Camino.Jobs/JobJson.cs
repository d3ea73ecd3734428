using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Camino.Jobs;

/// <summary>How arguments, results and checkpoints are written to rows and read back, also by another release.</summary>
public static class JobJson
{
    /// <summary>Camel case, enums by name; a property without a default that is missing is an error, not a zero: what a later release adds needs a default.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            Converters = { new JsonStringEnumConverter() },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    /// <summary>Writes a value, or refuses it in words: too large, or text that PostgreSQL cannot store.</summary>
    internal static string Encode(object? value, Type type, string field)
    {
        var json = JsonSerializer.Serialize(value, type, Options);
        var bytes = Encoding.UTF8.GetByteCount(json);
        if (bytes > JobNames.LargestJson)
            throw new ArgumentException($"{field} takes {bytes} bytes as JSON; at most {JobNames.LargestJson} are allowed. Store the data and pass its id.", field);
        return HasNul(json)
            ? throw new ArgumentException($"{field} holds a NUL character, which PostgreSQL cannot store.", field)
            : json;
    }

    /// <summary>Looks for the escape of NUL; an escaped backslash before <c>u0000</c> is plain text.</summary>
    private static bool HasNul(string json)
    {
        for (var at = json.IndexOf(@"\u0000", StringComparison.Ordinal); at >= 0; at = json.IndexOf(@"\u0000", at + 1, StringComparison.Ordinal))
        {
            var slashes = 1;
            while (at - slashes >= 0 && json[at - slashes] == '\\')
                slashes++;
            if (slashes % 2 == 1)
                return true;
        }
        return false;
    }
}
