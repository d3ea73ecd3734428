using System.Buffers;

namespace Camino.Imports;

/// <summary>What became of the text of a date.</summary>
internal enum DateReading
{
    Exact,

    /// <summary>Not a date, or not in the layout's order.</summary>
    Unreadable,

    /// <summary>Before 1953-01-01, when the Small Business Administration was founded, or after 2100-12-31.</summary>
    OutOfRange,
}

/// <summary>
/// Reads days: <c>28-Feb-97</c> with English or Danish months in any case, <c>2020-04-14</c> with or without a time of day, <c>20200414</c>,
/// <c>4/14/20</c> by the layout's order, and day numbers from 1960-01-01.
/// </summary>
/// <remarks>Years of two digits: 60 to 99 are 1960 to 1999, 00 to 59 are 2000 to 2059.</remarks>
internal static class DateText
{
    private static readonly SearchValues<byte> OfTime = SearchValues.Create("0123456789:.+-ZAPM "u8);
    private static readonly DateOnly First = new(1953, 1, 1);
    private static readonly DateOnly Last = new(2100, 12, 31);
    private static readonly DateOnly SasDayZero = new(1960, 1, 1);

    /// <summary>Reads one date.</summary>
    /// <param name="text">Not empty, without blanks around it.</param>
    /// <param name="style">How the file writes dates.</param>
    /// <param name="date">Meaningful when the reading is exact.</param>
    public static DateReading Read(ReadOnlySpan<byte> text, DateStyle style, out DateOnly date)
    {
        date = default;
        if (!TryRead(text, style, out var year, out var month, out var day, out date))
            return DateReading.Unreadable;

        if (month > 0)
        {
            if (month > 12 || day < 1 || year is < 1 or > 9999 || day > DateTime.DaysInMonth(year, month))
                return DateReading.Unreadable;

            date = new DateOnly(year, month, day);
        }

        return date < First || date > Last ? DateReading.OutOfRange : DateReading.Exact;
    }

    /// <summary>True with a month when the text is a calendar date; true with month 0 when it was a day number, given in <paramref name="date"/>.</summary>
    private static bool TryRead(ReadOnlySpan<byte> text, DateStyle style, out int year, out int month, out int day, out DateOnly date)
    {
        year = month = day = 0;
        date = default;
        var first = Digits(ref text, out var firstLength);
        if (firstLength is 0 or > 8)
            return false;

        if (text.IsEmpty)
            return Compact(first, firstLength, style, ref year, ref month, ref day, ref date);

        var separator = text[0];
        if (separator is not ((byte)'-' or (byte)'/' or (byte)'.' or (byte)' '))
            return false;

        text = text[1..];
        if (text.IsEmpty)
            return false;

        var byName = !char.IsAsciiDigit((char)text[0]);
        int second, secondLength;
        if (byName)
        {
            second = Month(ref text);
            secondLength = 2;
        }
        else
        {
            second = Digits(ref text, out secondLength);
        }

        if (second == 0 || secondLength > 2 || text.IsEmpty || text[0] != separator)
            return false;

        text = text[1..];
        var third = Digits(ref text, out var thirdLength);
        if (thirdLength == 0 || !IsTimeOfDay(text))
            return false;

        if (firstLength == 4 && thirdLength <= 2 && !byName)
            (year, month, day) = (first, second, third);
        else if (firstLength > 2 || thirdLength is not (2 or 4))
            return false;
        else if (byName || style == DateStyle.DayFirst)
            (year, month, day) = (FullYear(third, thirdLength), second, first);
        else
            (year, month, day) = (FullYear(third, thirdLength), first, second);

        return month > 0;
    }

    private static bool Compact(int number, int length, DateStyle style, ref int year, ref int month, ref int day, ref DateOnly date)
    {
        if (style == DateStyle.DaysFrom1960 && length <= 6)
        {
            date = SasDayZero.AddDays(number);
            return true;
        }

        if (length != 8)
            return false;

        (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        return month > 0;
    }

    private static int FullYear(int year, int length) => length == 4 ? year : year >= 60 ? 1900 + year : 2000 + year;

    private static int Digits(ref ReadOnlySpan<byte> text, out int length)
    {
        var number = 0;
        length = 0;
        while (length < text.Length && length <= 8 && (uint)(text[length] - '0') <= 9)
            number = (number * 10) + (text[length++] - '0');

        text = text[length..];
        return number;
    }

    /// <summary>By its first three letters, English or Danish; 0 when it is none. A full name or a dot after it is allowed.</summary>
    private static int Month(ref ReadOnlySpan<byte> text)
    {
        var length = 0;
        while (length < text.Length && char.IsAsciiLetter((char)text[length]))
            length++;

        if (length is < 3 or > 9)
            return 0;

        var key = ((text[0] | 0x20) << 16) | ((text[1] | 0x20) << 8) | (text[2] | 0x20);
        text = text[(length < text.Length && text[length] == '.' ? length + 1 : length)..];
        return key switch
        {
            ('j' << 16) | ('a' << 8) | 'n' => 1,
            ('f' << 16) | ('e' << 8) | 'b' => 2,
            ('m' << 16) | ('a' << 8) | 'r' => 3,
            ('a' << 16) | ('p' << 8) | 'r' => 4,
            ('m' << 16) | ('a' << 8) | 'y' => 5,
            ('m' << 16) | ('a' << 8) | 'j' => 5,
            ('j' << 16) | ('u' << 8) | 'n' => 6,
            ('j' << 16) | ('u' << 8) | 'l' => 7,
            ('a' << 16) | ('u' << 8) | 'g' => 8,
            ('s' << 16) | ('e' << 8) | 'p' => 9,
            ('o' << 16) | ('c' << 8) | 't' => 10,
            ('o' << 16) | ('k' << 8) | 't' => 10,
            ('n' << 16) | ('o' << 8) | 'v' => 11,
            ('d' << 16) | ('e' << 8) | 'c' => 12,
            _ => 0,
        };
    }

    /// <summary>What may follow a date: nothing, or a time, which says nothing about the day.</summary>
    private static bool IsTimeOfDay(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty)
            return true;
        if (rest[0] is not ((byte)'T' or (byte)' ') || rest.Length < 5)
            return false;

        return !rest[1..].ContainsAnyExcept(OfTime);
    }
}
