using System.Buffers;
using System.Globalization;
using System.Text;

namespace Camino.Imports;

/// <summary>What had to be changed in a text beyond spelling.</summary>
[Flags]
internal enum TextChange
{
    None = 0,
    Invisible = 1,
    Unreadable = 2,
    Entity = 4,
    Mojibake = 8,
    Apostrophe = 16,
    Cut = 32,
}

/// <summary>Which repairs a layout allows.</summary>
[Flags]
internal enum TextRepair
{
    None = 0,

    /// <summary>HTML entities and damaged letters of published files.</summary>
    Published = 1,

    /// <summary>A quotation mark between two letters is an apostrophe.</summary>
    Apostrophes = 2,
}

/// <summary>
/// Makes names and addresses uniform: composed Unicode (NFC), one blank between words and none around them (every kind of blank counts, line ends
/// too), no invisible, control or direction characters. Letters of any script and their case stay as they are.
/// </summary>
/// <remarks>
/// Zero-width joiners stay between characters that are not ASCII, where Persian, Indic scripts and emoji need them. An apostrophe in front of = + - @
/// is the guard that <see cref="CsvText"/> puts there and is taken off.
/// </remarks>
internal sealed class TextCleaner(TextPool pool)
{
    private static readonly (string Damaged, string Right)[] Mojibake =
    [
        // UTF-8 read as Mac Roman.
        ("\u201A\u00C4\u00F4", "\u2019"), ("\u201A\u00C4\u00F2", "\u2018"), ("\u201A\u00C4\u00FA", "\u201C"), ("\u201A\u00C4\u00F9", "\u201D"),
        ("\u201A\u00C4\u00EC", "\u2013"), ("\u201A\u00C4\u00EE", "\u2014"),

        // UTF-8 read as Windows-1252.
        ("\u00E2\u20AC\u2122", "\u2019"), ("\u00E2\u20AC\u02DC", "\u2018"), ("\u00E2\u20AC\u0153", "\u201C"), ("\u00E2\u20AC\u201C", "\u2013"),
        ("\u00E2\u20AC\u201D", "\u2014"),
    ];

    private static readonly SearchValues<byte> Suspicious = SearchValues.Create("&\""u8);

    /// <summary>Cleans one value.</summary>
    /// <param name="utf8">As it stands in the file; may hold bytes that are no UTF-8.</param>
    /// <param name="most">Characters (UTF-16 units) allowed; longer text is cut between characters.</param>
    /// <param name="repair">What the layout allows.</param>
    /// <param name="pooled">Whether the value is likely to come again.</param>
    /// <param name="change">What was changed.</param>
    /// <returns>Null when nothing is left.</returns>
    public string? Clean(ReadOnlySpan<byte> utf8, int most, TextRepair repair, bool pooled, out TextChange change)
    {
        change = TextChange.None;
        utf8 = utf8.Trim((byte)' ');
        if (utf8.IsEmpty)
            return null;

        var clean = utf8.Length <= most
            && !utf8.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            && utf8.IndexOf("  "u8) < 0
            && utf8[0] != '\''
            && (repair == TextRepair.None || !utf8.ContainsAny(Suspicious));
        if (clean)
            return pooled ? pool.Ascii(utf8) : Encoding.ASCII.GetString(utf8);

        return Repair(Encoding.UTF8.GetString(utf8), most, repair, ref change);
    }

    private static string? Repair(string text, int most, TextRepair repair, ref TextChange change)
    {
        if ((repair & TextRepair.Published) != TextRepair.None)
        {
            text = RepairMojibake(text, ref change);
            text = DecodeEntities(text, ref change);
        }

        if ((repair & TextRepair.Apostrophes) != TextRepair.None)
            text = RepairApostrophes(text, ref change);

        if (text.Contains('\uFFFD', StringComparison.Ordinal))
            change |= TextChange.Unreadable;
        if (text.Length > 1 && text[0] == '\'' && CsvText.StartsFormula(text[1]))
            text = text[1..];

        text = Tidy(ComposeKnown(text), ref change);
        if (text.Length > most)
        {
            change |= TextChange.Cut;
            text = Cut(text, most);
        }

        return text.Length == 0 ? null : text;
    }

    /// <summary>Composes, unless there are code points that Unicode says are none, which the framework refuses to look at.</summary>
    private static string ComposeKnown(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u02FF'))
            return text;

        foreach (var rune in text.EnumerateRunes())
        {
            if ((rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF)
                return text;
        }

        return text.Normalize(NormalizationForm.FormC);
    }

    private static string RepairMojibake(string text, ref TextChange change)
    {
        if (text.AsSpan().IndexOfAny('\u201A', '\u00E2') < 0)
            return text;

        foreach (var (damaged, right) in Mojibake)
        {
            if (text.Contains(damaged, StringComparison.Ordinal))
            {
                text = text.Replace(damaged, right, StringComparison.Ordinal);
                change |= TextChange.Mojibake;
            }
        }

        return text;
    }

    /// <summary>Decodes numbers and the five names of XML, in any case: the files have <c>&amp;Amp;</c> and <c>&amp;#X2019;</c>.</summary>
    private static string DecodeEntities(string text, ref TextChange change)
    {
        var at = text.IndexOf('&', StringComparison.Ordinal);
        if (at < 0)
            return text;

        StringBuilder? decoded = null;
        var copied = 0;
        while (at >= 0)
        {
            var end = text.IndexOf(';', at, Math.Min(10, text.Length - at));
            if (end > 0 && Entity(text.AsSpan(at + 1, end - at - 1)) is { } letter)
            {
                decoded ??= new StringBuilder(text.Length);
                decoded.Append(text, copied, at - copied).Append(letter);
                copied = end + 1;
            }

            at = text.IndexOf('&', at + 1);
        }

        if (decoded is null)
            return text;

        change |= TextChange.Entity;
        return decoded.Append(text, copied, text.Length - copied).ToString();
    }

    private static string? Entity(ReadOnlySpan<char> name)
    {
        if (name.Length > 1 && name[0] == '#')
        {
            var hex = name[1] is 'x' or 'X';
            var style = hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
            return int.TryParse(name[(hex ? 2 : 1)..], style, CultureInfo.InvariantCulture, out var value) && value >= ' ' && Rune.IsValid(value)
                ? new Rune(value).ToString()
                : null;
        }

        return name.Equals("amp", StringComparison.OrdinalIgnoreCase) ? "&"
            : name.Equals("apos", StringComparison.OrdinalIgnoreCase) ? "'"
            : name.Equals("quot", StringComparison.OrdinalIgnoreCase) ? "\""
            : name.Equals("lt", StringComparison.OrdinalIgnoreCase) ? "<"
            : name.Equals("gt", StringComparison.OrdinalIgnoreCase) ? ">"
            : name.Equals("nbsp", StringComparison.OrdinalIgnoreCase) ? " "
            : null;
    }

    private static string RepairApostrophes(string text, ref TextChange change)
    {
        var at = text.IndexOf('"', StringComparison.Ordinal);
        while (at >= 0)
        {
            if (at > 0 && at + 1 < text.Length && char.IsLetter(text[at - 1]) && char.IsLetter(text[at + 1]))
            {
                text = string.Concat(text.AsSpan(0, at), "'", text.AsSpan(at + 1));
                change |= TextChange.Apostrophe;
            }

            at = text.IndexOf('"', at + 1);
        }

        return text;
    }

    /// <summary>One blank for any run of blanks, none at the ends, nothing invisible.</summary>
    private static string Tidy(string text, ref TextChange change)
    {
        var tidy = new StringBuilder(text.Length);
        var blank = false;
        var previous = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
            {
                blank = tidy.Length > 0;
                previous = ' ';
            }
            else if (IsInvisible(rune, previous))
            {
                change |= TextChange.Invisible;
            }
            else
            {
                if (blank)
                    tidy.Append(' ');

                tidy.Append(rune.ToString());
                blank = false;
                previous = rune.Value;
            }
        }

        return tidy.ToString();
    }

    private static bool IsInvisible(Rune rune, int previous) => rune.Value switch
    {
        < 0x20 or 0x7F => true,
        0x200C or 0x200D => previous < 0x250,
        >= 0xE0020 and <= 0xE007F => previous != 0x1F3F4 && previous is not (>= 0xE0020 and <= 0xE007F),
        0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x034F => true,
        _ => rune.Value >= 0x80 && (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            || (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF),
    };

    /// <summary>Cuts before the limit without leaving half a character or an accent without its letter.</summary>
    private static string Cut(string text, int most)
    {
        var end = 0;
        while (true)
        {
            var length = StringInfo.GetNextTextElementLength(text, end);
            if (length == 0 || end + length > most)
                return text[..(end == 0 ? most - 1 : end)].TrimEnd();

            end += length;
        }
    }
}
