using System.Text.Json;

namespace Camino.Lending.Quotes;

/// <summary>The calculator: one JSON object in, one out. Pure, and every input gets an answer: a result, or an <c>error</c> that names the field.</summary>
/// <remarks>Formats, limits and worked examples: docs/quote.md.</remarks>
public static class Quote
{
    /// <summary>The longest line, in characters.</summary>
    public const int MaxLineLength = 1_000_000;

    private static readonly JsonDocumentOptions _strict = new() { MaxDepth = 8 };

    /// <summary>What can be asked: <c>schedule</c>, <c>apr</c>, <c>dayCount</c>, <c>xirr</c>, <c>servicing</c>, <c>payoff</c>.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["schedule", "apr", "dayCount", "xirr", "servicing", "payoff"];

    /// <summary>Answers one line.</summary>
    /// <param name="what">One of <see cref="Kinds"/>.</param>
    /// <param name="jsonLine">One JSON object, at most <see cref="MaxLineLength"/> characters.</param>
    /// <returns>One JSON object without line breaks: the result, or <c>{"id":...,"error":{"code","message","field"}}</c>. Never throws.</returns>
    public static string Answer(string what, string jsonLine)
    {
        var id = "null";
        try
        {
            if (jsonLine.Length > MaxLineLength)
                throw new FieldException("quote.too_long", $"A line has at most {MaxLineLength} characters; got {jsonLine.Length}.", field: null);
            using var document = JsonDocument.Parse(jsonLine, _strict);
            id = ReadId(document.RootElement);
            return what switch
            {
                "schedule" => ScheduleQuote.Answer(id, document.RootElement),
                "apr" => AprQuote.Answer(id, document.RootElement),
                "dayCount" => DayCountQuote.Answer(id, document.RootElement),
                "xirr" => XirrQuote.Answer(id, document.RootElement),
                "servicing" => ServicingQuote.Answer(id, document.RootElement),
                "payoff" => ServicingQuote.AnswerPayoff(id, document.RootElement),
                _ => throw new FieldException("quote.unknown_kind", $"The calculators are {string.Join(", ", Kinds)}; got {Fields.Short(what)}.", field: null),
            };
        }
        catch (FieldException wrong)
        {
            return Error(id, wrong.Code, wrong.Message, wrong.Field);
        }
        catch (RefusedException refused)
        {
            return Error(id, refused.Code, refused.Message, field: null);
        }
        catch (JsonException notJson)
        {
            return Error(id, "quote.not_json", $"The line is not JSON: {Fields.Short(notJson.Message)}", field: null);
        }
        catch (Exception outOfRange) when (outOfRange is ArithmeticException or ArgumentException or InvalidOperationException)
        {
            return Error(id, "quote.out_of_range", "A figure on the way to the answer is beyond what can be computed exactly; use smaller amounts or a shorter term.", field: null);
        }
    }

    internal static string Error(string id, string code, string message, string? field)
    {
        var line = new LineWriter(256);
        line.Raw("{\"id\":");
        line.Raw(id);
        line.Raw(",\"error\":{\"code\":");
        line.Text(code);
        line.Raw(",\"message\":");
        line.Text(message);
        line.Raw(",\"field\":");
        if (field is null)
            line.Raw("null");
        else
            line.Text(field);
        line.Raw("}}");
        return line.Finish();
    }

    private static string ReadId(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("id", out var id) || id.ValueKind == JsonValueKind.Null)
            return "null";
        if (id.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
            throw new FieldException("quote.not_text", $"id is text or a number; got {Fields.Show(id)}.", "id");
        var raw = id.GetRawText();
        return raw.Length <= 202 ? raw : throw new FieldException("quote.out_of_range", $"id has at most 200 characters; got {raw.Length - 2}.", "id");
    }
}
