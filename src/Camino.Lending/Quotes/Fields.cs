using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Camino.Lending.Quotes;

/// <summary>An input that gets no answer: which field, what it held, and the limit.</summary>
internal sealed class FieldException(string code, RefusalSentence sentence, string? field) : Exception(sentence.Text)
{
    public FieldException(string code, string message, string? field)
        : this(code, RefusalSentence.Plain(message), field)
    {
    }

    public FieldException(string code, ref RefusalMessage message, string? field)
        : this(code, message.Said(), field)
    {
    }

    public string Code { get; } = code;

    public RefusalSentence Sentence { get; } = sentence;

    public string? Field { get; } = field;
}

/// <summary>One JSON object of a line, read strictly: unknown, doubled, missing and misspelt fields are named, not guessed.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct Fields
{
    private readonly string[] _known;
    private readonly JsonElement[] _values;
    private readonly string _path;

    /// <param name="element">The object.</param>
    /// <param name="path">Its place in the line, such as <c>disbursements[0]</c>; empty for the line itself.</param>
    /// <param name="known">The fields it may have.</param>
    public Fields(JsonElement element, string path, string[] known)
    {
        _known = known;
        _values = new JsonElement[known.Length];
        _path = path;
        if (element.ValueKind != JsonValueKind.Object)
            throw new FieldException("quote.not_object", $"{(path.Length == 0 ? "A line" : path)} is one JSON object; got {Show(element)}.", path.Length == 0 ? null : path);

        // Lines mostly have their fields in the order that is documented: the search goes on from the field before.
        var next = 0;
        foreach (var property in element.EnumerateObject())
        {
            var index = -1;
            for (var tried = 0; tried < known.Length && index < 0; tried++)
            {
                var at = next + tried < known.Length ? next + tried : next + tried - known.Length;
                if (property.NameEquals(known[at]))
                    index = at;
            }

            if (index < 0)
                throw new FieldException("quote.unknown_field", $"{Short(property.Name)} is not a field here; the fields are {string.Join(", ", known)}.", PathOf(Short(property.Name)));
            if (_values[index].ValueKind != JsonValueKind.Undefined)
                throw new FieldException("quote.doubled_field", $"{property.Name} is given twice.", PathOf(property.Name));
            _values[index] = property.Value;
            next = index + 1;
        }
    }

    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    public bool Has(string name) => Find(name).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    public JsonElement Get(string name) => Find(name) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } value
        ? value
        : throw new FieldException("quote.missing", $"{PathOf(name)} is missing.", PathOf(name));

    public string Text(string name, int longest = 200)
    {
        var value = Get(name);
        if (value.ValueKind != JsonValueKind.String)
            throw new FieldException("quote.not_text", $"{PathOf(name)} is text in quotes; got {Show(value)}.", PathOf(name));
        var text = ReadText(value, PathOf(name));
        return text.Length <= longest
            ? text
            : throw new FieldException("quote.out_of_range", $"{PathOf(name)} has at most {longest} characters; got {text.Length}.", PathOf(name));
    }

    /// <summary>An amount in dollars with at most two decimals, within limits in cents.</summary>
    public Money Amount(string name, long least, long most)
    {
        var dollars = Decimal(name, 2, least / 100m, most / 100m);
        return new Money(dollars);
    }

    /// <summary>A decimal number in quotes.</summary>
    public decimal Decimal(string name, int decimals, decimal least, decimal most) => ParseDecimal(Text(name), PathOf(name), decimals, least, most);

    public int Integer(string name, int least, int most)
    {
        var value = Get(name);
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number))
            throw new FieldException("quote.not_integer", $"{PathOf(name)} is a whole number of {least} to {most}; got {Show(value)}.", PathOf(name));
        return number >= least && number <= most
            ? number
            : throw new FieldException("quote.out_of_range", $"{PathOf(name)} is {least} to {most}; got {number}.", PathOf(name));
    }

    public int Integer(string name, int least, int most, int otherwise) => Has(name) ? Integer(name, least, most) : otherwise;

    public bool Flag(string name, bool otherwise)
    {
        if (!Has(name))
            return otherwise;
        var value = Get(name);
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new FieldException("quote.not_flag", $"{PathOf(name)} is true or false; got {Show(value)}.", PathOf(name)),
        };
    }

    public DateOnly Date(string name) => ParseDate(Text(name), PathOf(name));

    /// <summary>One of a list of words.</summary>
    public T Choice<T>(string name, ReadOnlySpan<(string Word, T Value)> choices)
    {
        var text = Text(name);
        foreach (var (word, value) in choices)
        {
            if (string.Equals(text, word, StringComparison.Ordinal))
                return value;
        }

        var words = new List<string>();
        foreach (var (word, _) in choices)
            words.Add(word);
        throw new FieldException("quote.not_a_choice", $"{PathOf(name)} is one of {string.Join(", ", words)}; got {Short(text)}.", PathOf(name));
    }

    public T Choice<T>(string name, ReadOnlySpan<(string Word, T Value)> choices, T otherwise) => Has(name) ? Choice(name, choices) : otherwise;

    /// <summary>A list, with its length within limits.</summary>
    public JsonElement List(string name, int least, int most)
    {
        var value = Get(name);
        if (value.ValueKind != JsonValueKind.Array)
            throw new FieldException("quote.not_list", $"{PathOf(name)} is a list; got {Show(value)}.", PathOf(name));
        var count = value.GetArrayLength();
        return count >= least && count <= most
            ? value
            : throw new FieldException("quote.out_of_range", $"{PathOf(name)} has {least} to {most} entries; got {count}.", PathOf(name));
    }

    public FieldException Wrong(string name, ref RefusalMessage message) => new("quote.out_of_range", message.Said(), PathOf(name));

    /// <inheritdoc cref="Wrong(string, ref RefusalMessage)"/>
    public FieldException Wrong(string name, string message) => new("quote.out_of_range", message, PathOf(name));

    public static decimal ParseDecimal(string text, string path, int decimals, decimal least, decimal most)
    {
        var digits = 0;
        var after = -1;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsAsciiDigit(c))
            {
                digits++;
                if (after >= 0)
                    after++;
            }
            else if (c == '.' && after < 0 && digits > 0)
            {
                after = 0;
            }
            else if (c != '-' || i != 0)
            {
                digits = 0;
                break;
            }
        }

        if (digits is 0 or > 25 || after == 0 || !decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            throw new FieldException("quote.not_decimal", $"{path} is a decimal number such as 1234.56; got {Short(text)}.", path);
        if (after > decimals)
            throw new FieldException("quote.too_precise", $"{path} has at most {decimals} decimals; got {Short(text)}.", path);
        return value >= least && value <= most
            ? value
            : throw new FieldException("quote.out_of_range", $"{path} is {least} to {most}; got {Short(text)}.", path);
    }

    public static DateOnly ParseDate(string text, string path)
    {
        if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            throw new FieldException("quote.not_date", $"{path} is a date such as 2026-03-01; got {Short(text)}.", path);
        return date.Year is >= 1900 and <= 2299
            ? date
            : throw new FieldException("quote.out_of_range", $"{path} is in the years 1900 to 2299; got {text}.", path);
    }

    /// <summary>A value for a message, cut to 40 characters.</summary>
    public static string Show(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? "nothing" : Short(element.GetRawText());

    public static string Short(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "...");

    public static string ReadText(JsonElement value, string path)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw new FieldException("quote.not_text", $"{path} holds an unpaired surrogate.", path);
        }
    }

    private JsonElement Find(string name)
    {
        var index = Array.IndexOf(_known, name);
        return index < 0 ? throw new ArgumentOutOfRangeException(nameof(name), name, "is not a field here") : _values[index];
    }
}
