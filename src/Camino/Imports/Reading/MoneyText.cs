namespace Camino.Imports;

/// <summary>What became of the text of an amount.</summary>
internal enum MoneyReading
{
    Exact,

    /// <summary>Fractions of a cent were rounded half to even.</summary>
    Rounded,

    /// <summary>Not an amount.</summary>
    Unreadable,

    /// <summary>Three digits after the only separator: 1.500 may be one and a half or one and a half thousand.</summary>
    Ambiguous,

    /// <summary>Above 999,999,999,999.99 or below its negative.</summary>
    TooLarge,
}

/// <summary>Reads dollars: <c>$60,000.00 </c>, <c>-15000</c>, <c>(1,250.50)</c>; with a decimal comma <c>1.250,50</c>.</summary>
internal static class MoneyText
{
    private const int MostDigits = 12;
    private static readonly long[] PowersOfTen = [1, 10, 100];

    /// <summary>Reads one amount.</summary>
    /// <param name="text">Not empty; blanks around it are allowed.</param>
    /// <param name="decimalComma">True: 1.250,50. False: 1,250.50.</param>
    /// <param name="amount">Dollars with two decimals; 0 unless the reading is exact or rounded.</param>
    public static MoneyReading Read(ReadOnlySpan<byte> text, bool decimalComma, out decimal amount)
    {
        amount = 0m;
        var digits = Unwrap(text.Trim((byte)' '), out var negative);
        if (digits.SequenceEqual("-"u8) && text.Contains((byte)'$'))
        {
            // The accounting format of spreadsheets writes zero as "$ -".
            amount = new decimal(0, 0, 0, isNegative: false, scale: 2);
            return MoneyReading.Exact;
        }

        var reading = ReadCents(digits, decimalComma, out var cents);
        if (reading is MoneyReading.Exact or MoneyReading.Rounded)
            amount = new decimal((int)cents, (int)(cents >> 32), 0, negative && cents != 0, 2);

        return reading;
    }

    /// <summary>Takes off parentheses, sign, dollar sign and the blanks between them.</summary>
    private static ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> text, out bool negative)
    {
        negative = false;
        if (text.Length > 2 && text[0] == '(' && text[^1] == ')')
        {
            negative = true;
            text = text[1..^1].Trim((byte)' ');
        }

        bool signed = negative, dollar = false;
        while (text.Length > 1)
        {
            if (text[0] is (byte)'-' or (byte)'+' && !signed)
            {
                signed = true;
                negative = text[0] == '-';
            }
            else if (text[0] == '$' && !dollar)
            {
                dollar = true;
            }
            else
            {
                break;
            }

            text = text[1..].TrimStart((byte)' ');
        }

        return text;
    }

    private static MoneyReading ReadCents(ReadOnlySpan<byte> text, bool decimalComma, out long cents)
    {
        cents = 0;
        var point = decimalComma ? (byte)',' : (byte)'.';
        var group = decimalComma ? (byte)'.' : (byte)',';
        long dollars = 0;
        int digits = 0, sinceGroup = 0, at = 0;
        var grouped = false;
        for (; at < text.Length && text[at] != point; at++)
        {
            var digit = text[at] - '0';
            if ((uint)digit <= 9)
            {
                digits += dollars > 0 || digit > 0 ? 1 : 0;
                if (digits > MostDigits)
                    return MoneyReading.TooLarge;

                dollars = (dollars * 10) + digit;
                sinceGroup++;
            }
            else if (text[at] == group && (grouped ? sinceGroup == 3 : sinceGroup is >= 1 and <= 3))
            {
                grouped = true;
                sinceGroup = 0;
            }
            else
            {
                return MoneyReading.Unreadable;
            }
        }

        if (grouped && sinceGroup != 3)
            return MoneyReading.Unreadable;

        var fraction = at < text.Length ? text[(at + 1)..] : default;
        if ((sinceGroup == 0 && fraction.IsEmpty) || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return MoneyReading.Unreadable;
        if (fraction.Length == 3 && !grouped && sinceGroup <= 3 && dollars > 0)
            return MoneyReading.Ambiguous;

        return Round(dollars, fraction, out cents);
    }

    private static MoneyReading Round(long dollars, ReadOnlySpan<byte> fraction, out long cents)
    {
        cents = dollars * 100;
        for (var i = 0; i < 2 && i < fraction.Length; i++)
            cents += (fraction[i] - '0') * PowersOfTen[1 - i];

        var rest = fraction.Length > 2 ? fraction[2..].TrimEnd((byte)'0') : default;
        if (rest.IsEmpty)
            return MoneyReading.Exact;

        var half = rest[0] == '5' && rest.Length == 1;
        if (half ? (cents & 1) == 1 : rest[0] >= '5')
            cents++;

        return cents > 99_999_999_999_999 ? MoneyReading.TooLarge : MoneyReading.Rounded;
    }
}
