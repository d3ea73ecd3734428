using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Camino.Lending.Quotes;

/// <summary>The calculator: one JSON object in, one out. Pure, and every input gets an answer: a result, or an <c>error</c> that names the field.</summary>
/// <remarks>Formats, limits and worked examples: docs/quote.md.</remarks>
public static class Quote
{
    /// <summary>The longest line, in bytes of UTF-8.</summary>
    public const int MaxLineLength = 1_000_000;

    private static readonly JsonDocumentOptions _strict = new() { MaxDepth = 8 };

    /// <summary>What can be asked: <c>schedule</c>, <c>apr</c>, <c>dayCount</c>, <c>xirr</c>, <c>servicing</c>, <c>payoff</c>.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["schedule", "apr", "dayCount", "xirr", "servicing", "payoff"];

    /// <summary>Answers one line.</summary>
    /// <param name="what">One of <see cref="Kinds"/>.</param>
    /// <param name="jsonLine">One JSON object, at most <see cref="MaxLineLength"/> bytes of UTF-8.</param>
    /// <returns>One JSON object without line breaks: the result, or <c>{"id":...,"error":{"code","message","field"}}</c>. Never throws.</returns>
    public static string Answer(string what, string jsonLine)
    {
        using var line = new LineWriter(1_024);
        Answer(what, Encoding.UTF8.GetBytes(jsonLine), line);
        return Encoding.UTF8.GetString(line.Written.Span);
    }

    /// <summary>Answers many lines, each with one line, in the same order. An empty line asks nothing and gets nothing.</summary>
    /// <param name="what">One of <see cref="Kinds"/>.</param>
    /// <param name="lines">UTF-8, the lines ended by line feeds (or carriage return and line feed); the last one may lack it.</param>
    /// <returns>The answers, each ended by a line feed; to be disposed of, as its memory is lent.</returns>
    public static QuoteAnswers AnswerLines(string what, ReadOnlyMemory<byte> lines)
    {
        var writer = new LineWriter(Math.Max(1_024, Math.Min(lines.Length * 8, 1 << 20)));
        while (!lines.IsEmpty)
        {
            var end = lines.Span.IndexOf((byte)'\n');
            var line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? default : lines[(end + 1)..];
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            Answer(what, line, writer);
            writer.Raw("\n"u8);
        }

        return new QuoteAnswers(writer);
    }

    private static void Answer(string what, ReadOnlyMemory<byte> jsonLine, LineWriter line)
    {
        var start = line.Position;
        var id = "null";
        try
        {
            if (jsonLine.Length > MaxLineLength)
                throw new FieldException("quote.too_long", $"A line has at most {MaxLineLength} bytes; got {jsonLine.Length}.", field: null);
            if (!Utf8.IsValid(jsonLine.Span))
                throw new FieldException("quote.not_json", "The line is not UTF-8.", field: null);
            using var document = JsonDocument.Parse(jsonLine, _strict);
            id = ReadId(document.RootElement);
            line.Raw("{\"id\":"u8);
            line.Raw(id);
            switch (what)
            {
                case "schedule":
                    ScheduleQuote.Answer(document.RootElement, line);
                    break;
                case "apr":
                    AprQuote.Answer(document.RootElement, line);
                    break;
                case "dayCount":
                    DayCountQuote.Answer(document.RootElement, line);
                    break;
                case "xirr":
                    XirrQuote.Answer(document.RootElement, line);
                    break;
                case "servicing":
                    ServicingQuote.Answer(document.RootElement, line);
                    break;
                case "payoff":
                    ServicingQuote.AnswerPayoff(document.RootElement, line);
                    break;
                default:
                    throw new FieldException("quote.unknown_kind", $"The calculators are {string.Join(", ", Kinds)}; got {Fields.Short(what)}.", field: null);
            }

            line.Raw("}"u8);
        }
        catch (FieldException wrong)
        {
            Error(line, start, id, wrong.Code, wrong.Message, wrong.Field);
        }
        catch (RefusedException refused)
        {
            Error(line, start, id, refused.Code, refused.Message, field: null);
        }
        catch (JsonException notJson)
        {
            Error(line, start, id, "quote.not_json", $"The line is not JSON: {Fields.Short(notJson.Message)}", field: null);
        }
        catch (Exception outOfRange) when (outOfRange is ArithmeticException or ArgumentException or InvalidOperationException)
        {
            Error(line, start, id, "quote.out_of_range", "A figure on the way to the answer is beyond what can be computed exactly; use smaller amounts or a shorter term.", field: null);
        }
    }

    private static void Error(LineWriter line, int start, string id, string code, string message, string? field)
    {
        line.Truncate(start);
        line.Raw("{\"id\":"u8);
        line.Raw(id);
        line.Raw(",\"error\":{\"code\":"u8);
        line.Text(code);
        line.Raw(",\"message\":"u8);
        line.Text(message);
        line.Raw(",\"field\":"u8);
        if (field is null)
            line.Raw("null"u8);
        else
            line.Text(field);
        line.Raw("}}"u8);
    }

    private static string ReadId(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("id"u8, out var id) || id.ValueKind == JsonValueKind.Null)
            return "null";
        if (id.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
            throw new FieldException("quote.not_text", $"id is text or a number; got {Fields.Show(id)}.", "id");
        var raw = id.GetRawText();
        return raw.Length <= 202 ? raw : throw new FieldException("quote.out_of_range", $"id has at most 200 characters; got {raw.Length - 2}.", "id");
    }
}

/// <summary>Answers as UTF-8, one a line.</summary>
public sealed class QuoteAnswers : IDisposable
{
    private readonly LineWriter _lines;

    internal QuoteAnswers(LineWriter lines) => _lines = lines;

    /// <summary>The lines; valid until disposed of.</summary>
    public ReadOnlyMemory<byte> Utf8 => _lines.Written;

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _lines.Dispose();
}
