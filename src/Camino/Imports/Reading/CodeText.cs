using System.Text;

namespace Camino.Imports;

/// <summary>Reads codes: yes and no, status, place, age. Each reader returns false for a code without a known meaning.</summary>
internal static class CodeText
{
    /// <summary>The ways in which the files say that nobody answered: U, Unanswered, NONE, NA, N/A, NULL.</summary>
    public static bool IsNoAnswer(ReadOnlySpan<byte> text) => text.Length <= 10
        && (Is(text, "u") || Is(text, "na") || Is(text, "n/a") || Is(text, "none") || Is(text, "null") || Is(text, "unanswered") || Is(text, "unknown"));

    /// <summary>Y, N and their like; 0 is no answer where the layout says so.</summary>
    public static bool TryFlag(ReadOnlySpan<byte> text, bool zeroIsNoAnswer, out bool? flag)
    {
        flag = null;
        if (text.Length == 1)
        {
            var letter = text[0] | 0x20;
            if (letter == 'y' || letter == 'n')
                flag = letter == 'y';
            else if (!zeroIsNoAnswer && text[0] is (byte)'1' or (byte)'0')
                flag = text[0] == '1';
            else if (!zeroIsNoAnswer && letter is 't' or 'f')
                flag = letter == 't';
            else
                return letter == 'u' || text[0] == '0';

            return true;
        }

        if (Is(text, "yes") || Is(text, "true"))
            flag = true;
        else if (Is(text, "no") || Is(text, "false"))
            flag = false;

        return flag is not null || IsNoAnswer(text);
    }

    /// <summary>F fixed, V variable.</summary>
    public static bool TryFixedRate(ReadOnlySpan<byte> text, out bool? isFixed)
    {
        isFixed = Is(text, "f") || Is(text, "fixed") ? true : Is(text, "v") || Is(text, "variable") ? false : null;
        return isFixed is not null || IsNoAnswer(text);
    }

    /// <summary>1 urban, 2 rural, 0 unknown.</summary>
    public static bool TryUrbanRural(ReadOnlySpan<byte> text, out string? place)
    {
        place = Is(text, "1") || Is(text, "urban") ? "urban" : Is(text, "2") || Is(text, "rural") ? "rural" : null;
        return place is not null || Is(text, "0") || IsNoAnswer(text);
    }

    /// <summary>1 existing, 2 new, 0 unknown; also the sentences of the SBA's present file.</summary>
    public static bool TryBusinessAge(ReadOnlySpan<byte> text, out string? age)
    {
        age = Is(text, "1") || StartsWith(text, "existing") || StartsWith(text, "change of ownership") ? "existing"
            : Is(text, "2") || StartsWith(text, "new") || StartsWith(text, "startup") || StartsWith(text, "start-up") ? "new"
            : null;
        return age is not null || Is(text, "0") || IsNoAnswer(text);
    }

    /// <summary>The status words of the SBA and plain English ones.</summary>
    public static bool TryStatus(ReadOnlySpan<byte> text, out LoanStatus status)
    {
        status = Is(text, "p i f") || Is(text, "pif") || Is(text, "paid in full") || Is(text, "paidinfull") || Is(text, "paid off") ? LoanStatus.PaidInFull
            : Is(text, "chgoff") || Is(text, "charged off") || Is(text, "chargedoff") || Is(text, "charge-off") ? LoanStatus.ChargedOff
            : Is(text, "cancld") || Is(text, "cancelled") || Is(text, "canceled") ? LoanStatus.Cancelled
            : Is(text, "exempt") || Is(text, "commit") || Is(text, "open") || Is(text, "active") || Is(text, "current") ? LoanStatus.Open
            : LoanStatus.Unknown;
        return status != LoanStatus.Unknown || IsNoAnswer(text);
    }

    /// <summary>A whole number, with thousands commas or a trailing <c>.0</c>; false when it is none.</summary>
    public static bool TryCount(ReadOnlySpan<byte> text, out long count)
    {
        count = 0;
        if (text.EndsWith(".0"u8))
            text = text[..^2];

        var negative = text.Length > 1 && text[0] == '-';
        if (negative)
            text = text[1..];
        if (text.Length is 0 or > 15)
            return false;

        var sinceComma = 0;
        var grouped = false;
        foreach (var letter in text)
        {
            var digit = letter - '0';
            if ((uint)digit <= 9)
            {
                count = (count * 10) + digit;
                sinceComma++;
            }
            else if (letter == ',' && (grouped ? sinceComma == 3 : sinceComma is >= 1 and <= 3))
            {
                grouped = true;
                sinceComma = 0;
            }
            else
            {
                return false;
            }
        }

        count = negative ? -count : count;
        return !grouped || sinceComma == 3;
    }

    /// <summary>Whether a text is a word, letters in any case.</summary>
    private static bool Is(ReadOnlySpan<byte> text, string word) => text.Length == word.Length && Ascii.EqualsIgnoreCase(text, word);

    private static bool StartsWith(ReadOnlySpan<byte> text, string word) =>
        text.Length >= word.Length && Ascii.EqualsIgnoreCase(text[..word.Length], word);
}
