using System.Globalization;
using System.Text;

namespace Camino.Imports;

/// <summary>Text of a file as people may see it in a finding: cut, and with nothing invisible in it.</summary>
internal static class Shown
{
    private const int Most = 100;

    /// <summary>At most 100 characters; control, format and separator characters as <c>\u200B</c>.</summary>
    public static string Text(string text)
    {
        if (text.Length <= Most && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return text;

        var shown = new StringBuilder(Most);
        foreach (var rune in text.EnumerateRunes())
        {
            var visible = IsHidden(rune) ? string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}") : rune.ToString();
            if (shown.Length + visible.Length > Most)
                break;

            shown.Append(visible);
        }

        return shown.ToString();
    }

    /// <summary>The first characters, never half of one that has two parts.</summary>
    public static string Cut(string text, int most) => text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];

    /// <summary>As <see cref="Text(string)"/>, for bytes of UTF-8.</summary>
    public static string Text(ReadOnlySpan<byte> utf8) => Text(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * Most)]));

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
