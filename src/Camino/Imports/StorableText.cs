using System.Text;

namespace Camino.Imports;

/// <summary>PostgreSQL stores no NUL, neither in text nor in JSON: it becomes the picture of one (U+2400).</summary>
internal static class StorableText
{
    private const char Picture = '\u2400';
    private const string EscapedNul = "u0000";

    /// <summary>Plain text without NUL, and without halves of characters, which have no UTF-8.</summary>
    public static string Of(string text)
    {
        var whole = text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? string.Concat(text.EnumerateRunes()) : text;
        return whole.Contains('\0', StringComparison.Ordinal) ? whole.Replace('\0', Picture) : whole;
    }

    /// <summary>JSON whose strings hold no NUL. A backslash that is itself escaped, as in a finding that shows NUL as <c>\u0000</c>, stays what it is.</summary>
    public static string OfJson(string json)
    {
        if (!json.Contains("\\u0000", StringComparison.Ordinal))
            return json;

        var stored = new StringBuilder(json.Length);
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] != '\\')
            {
                stored.Append(json[i]);
            }
            else if (string.CompareOrdinal(json, i + 1, EscapedNul, 0, EscapedNul.Length) == 0)
            {
                stored.Append(Picture);
                i += EscapedNul.Length;
            }
            else
            {
                stored.Append(json, i, 2); // JSON never ends with a backslash
                i++;
            }
        }

        return stored.ToString();
    }
}
