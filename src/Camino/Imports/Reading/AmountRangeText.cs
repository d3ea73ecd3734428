namespace Camino.Imports;

/// <summary>Reads the five ranges in which the PPP release of July 2020 gives the larger amounts: <c>e $150,000-350,000</c>.</summary>
internal static class AmountRangeText
{
    /// <summary>The letter in front may be missing; blanks and case do not matter.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out decimal from, out decimal to)
    {
        Span<byte> key = stackalloc byte[32];
        var length = 0;
        foreach (var letter in text)
        {
            if (letter == ' ')
                continue;
            if (length == key.Length)
                break;

            key[length++] = (byte)char.ToLowerInvariant((char)letter);
        }

        key = key[..length];
        if (key.Length > 1 && key[0] is >= (byte)'a' and <= (byte)'e' && key[1] == '$')
            key = key[1..];

        (from, to) = key.SequenceEqual("$150,000-350,000"u8) ? (150_000.00m, 350_000.00m)
            : key.SequenceEqual("$350,000-1million"u8) ? (350_000.00m, 1_000_000.00m)
            : key.SequenceEqual("$1-2million"u8) ? (1_000_000.00m, 2_000_000.00m)
            : key.SequenceEqual("$2-5million"u8) ? (2_000_000.00m, 5_000_000.00m)
            : key.SequenceEqual("$5-10million"u8) ? (5_000_000.00m, 10_000_000.00m)
            : (0m, 0m);
        return to > 0m;
    }
}
