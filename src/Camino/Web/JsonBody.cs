using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Camino.Web;

/// <summary>The body of a request as one JSON object, read strictly: kind, size, encoding, depth, doubles, unknown names and wrong types are each refused in a sentence with field, value and limit.</summary>
/// <remarks>Values that may be personal are never repeated, only what they are.</remarks>
internal sealed class JsonBody
{
    /// <summary>Bytes of a body at most.</summary>
    public const int MostBytes = 64 * 1024;

    /// <summary>Objects and lists within one another at most.</summary>
    public const int Deepest = 6;

    private const int LongestName = 100;

    private readonly Dictionary<string, JsonElement> _values;
    private readonly List<string> _asked = [];
    private readonly string _path;

    private JsonBody(JsonElement element, string path)
    {
        _values = element.EnumerateObject().ToDictionary(property => property.Name, property => property.Value, StringComparer.Ordinal);
        _path = path;
    }

    /// <summary>Reads the whole body.</summary>
    /// <exception cref="RefusedException"><c>input.content_type</c>, <c>input.too_large</c>, <c>input.encoding</c>, <c>input.not_json</c>, <c>input.depth</c>, <c>input.duplicate</c>, <c>input.name</c>.</exception>
    public static async Task<JsonBody> ReadAsync(HttpContext context, CancellationToken ct)
    {
        CheckKind(context.Request);
        return Read(await BytesAsync(context.Request, ct));
    }

    /// <summary>The whole body as text, for what has a reader of its own; read as strictly.</summary>
    /// <exception cref="RefusedException">As for <see cref="ReadAsync"/>.</exception>
    public static async Task<string> TextAsync(HttpContext context, CancellationToken ct)
    {
        CheckKind(context.Request);
        var bytes = await BytesAsync(context.Request, ct);
        Read(bytes);
        return Encoding.UTF8.GetString((bytes.Span.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes).Span);
    }

    /// <summary>Reads bytes that came as a body.</summary>
    internal static JsonBody Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        Refuse.If(!Utf8.IsValid(bytes.Span), "input.encoding", "The body is UTF-8; these bytes are not.");
        try
        {
            Walk(bytes.Span);
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = Deepest });
            return new JsonBody(document.RootElement.Clone(), "");
        }
        catch (JsonException wrong)
        {
            throw new RefusedException("input.not_json", $"The body is one JSON object; at line {(wrong.LineNumber ?? 0) + 1}, byte {(wrong.BytePositionInLine ?? 0) + 1} it is not.");
        }
        catch (InvalidOperationException)
        {
            throw new RefusedException("input.encoding", "The body holds half of a character (a lone surrogate such as \\ud800); texts are whole characters.");
        }
    }

    /// <summary>A text; null where it is left out or null.</summary>
    public string? Text(string name) => Take(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        { } value => throw Wrong(name, "text", value),
    };

    /// <summary>true or false; false where it is left out or null.</summary>
    public bool Flag(string name) => Take(name) switch
    {
        null => false,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(name, "true or false", value),
    };

    /// <summary>A whole number of up to nine digits; null where it is left out or null.</summary>
    public int? Whole(string name) => Take(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var whole) && value.GetRawText().Length <= 10 => whole,
        { } value => throw Wrong(name, "a whole number of at most nine digits", value),
    };

    /// <summary>An object; null where it is left out or null.</summary>
    public T? Part<T>(string name, Func<JsonBody, T> read)
        where T : class => Take(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } value => new JsonBody(value, Full(name)).All(read),
            { } value => throw Wrong(name, "an object", value),
        };

    /// <summary>A list of objects; null where it is left out or null.</summary>
    public IReadOnlyList<T>? Parts<T>(string name, int most, Func<JsonBody, T> read)
        where T : class => List(name, most)?.Select((value, at) => value.ValueKind == JsonValueKind.Object ? new JsonBody(value, $"{Full(name)}[{at}]").All(read) : throw Wrong($"{name}[{at}]", "an object", value)).ToList();

    /// <summary>A list of texts; null where it is left out or null.</summary>
    public IReadOnlyList<string?>? Texts(string name, int most) =>
        List(name, most)?.Select((value, at) => value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong($"{name}[{at}]", "text", value)).ToList();

    /// <summary>Reads all of this object, and refuses what nobody asked for.</summary>
    /// <exception cref="RefusedException"><c>input.unknown</c>, <c>input.type</c>.</exception>
    public T All<T>(Func<JsonBody, T> read)
    {
        var made = read(this);
        if (_values.Keys.FirstOrDefault(name => !_asked.Contains(name)) is { } unknown)
            throw new RefusedException("input.unknown", $"{InputText.Short(Full(unknown))} is no field of this address; it knows {string.Join(", ", _asked)}.");
        return made;
    }

    private List<JsonElement>? List(string name, int most)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(name, "a list", value);
        Refuse.If(value.GetArrayLength() > most, "input." + name, $"{name} has at most {most} entries; got {value.GetArrayLength()}.");
        return [.. value.EnumerateArray()];
    }

    private JsonElement? Take(string name)
    {
        _asked.Add(name);
        return _values.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private string Full(string name) => _path.Length == 0 ? name : _path + "." + name;

    private RefusedException Wrong(string name, string wanted, JsonElement value) => new RefusedException("input.type", $"{Full(name)} is {wanted}; got {KindOf(value)}.");

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };

    private static void CheckKind(HttpRequest request)
    {
        var isJson = MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
        Refuse.If(!isJson, "input.content_type", $"Content-Type is application/json in UTF-8; got {InputText.Short(request.ContentType)}.");
        var encoding = request.Headers.ContentEncoding.ToString();
        Refuse.If(encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase), "input.content_type", $"The body is sent as it is, without Content-Encoding; got {InputText.Short(encoding)}.");
        Refuse.If(request.ContentLength is > MostBytes, "input.too_large", $"The body has at most {MostBytes} bytes; got {request.ContentLength}.");
    }

    private static async Task<ReadOnlyMemory<byte>> BytesAsync(HttpRequest request, CancellationToken ct)
    {
        var bytes = new byte[MostBytes + 1];
        var length = 0;
        int read;
        while (length < bytes.Length && (read = await request.Body.ReadAsync(bytes.AsMemory(length), ct)) > 0)
            length += read;
        Refuse.If(length > MostBytes, "input.too_large", $"The body has at most {MostBytes} bytes; got more.");
        return bytes.AsMemory(0, length);
    }

    /// <summary>Looks at every token before anything is made of them.</summary>
    private static void Walk(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = Deepest + 1 });
        var open = new Stack<HashSet<string>?>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    Refuse.If(open.Count >= Deepest, "input.depth", $"Objects and lists stand at most {Deepest} deep within one another; byte {reader.TokenStartIndex + 1} goes deeper.");
                    Refuse.If(open.Count == 0 && reader.TokenType == JsonTokenType.StartArray, "input.not_json", "The body is one JSON object; got a list.");
                    open.Push(reader.TokenType == JsonTokenType.StartObject ? new HashSet<string>(StringComparer.Ordinal) : null);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    var name = reader.GetString() ?? "";
                    Refuse.If(name.Length is 0 or > LongestName, "input.name", $"Names of fields have 1 to {LongestName} characters; got {name.Length}.");
                    Refuse.If(!(open.Peek()?.Add(name) ?? true), "input.duplicate", $"{InputText.Short(name)} stands twice in one object; a field is given once.");
                    break;
                case JsonTokenType.String:
                    _ = reader.GetString(); // throws for half a character
                    Refuse.If(open.Count == 0, "input.not_json", "The body is one JSON object; got text.");
                    break;
                default:
                    Refuse.If(open.Count == 0, "input.not_json", "The body is one JSON object; got a bare value.");
                    break;
            }
        }
    }
}
