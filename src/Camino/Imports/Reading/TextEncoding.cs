using System.Text;
using System.Text.Unicode;

namespace Camino.Imports;

/// <summary>The encoding of a file, told from its first megabyte.</summary>
/// <param name="Name">As <see cref="FileShape.Encoding"/> shows it.</param>
/// <param name="Encoding">Null for UTF-8, which the reader works on as it is.</param>
/// <param name="ByteOrderMark">Bytes to pass over at the start.</param>
internal sealed record TextEncoding(string Name, Encoding? Encoding, int ByteOrderMark)
{
    /// <summary>
    /// A byte order mark decides. Without one: UTF-16 where nearly every second byte is zero; UTF-8 where the bytes are valid UTF-8, or where more of them
    /// form valid sequences than not (one broken byte does not turn all accents of a file to rubbish); else Windows-1252.
    /// </summary>
    public static TextEncoding Detect(ReadOnlySpan<byte> sample)
    {
        if (sample.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            return new TextEncoding("utf-8", Encoding: null, 3);
        if (sample.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0x00, 0x00]))
            return new TextEncoding("utf-32le", new UTF32Encoding(bigEndian: false, byteOrderMark: false), 4);
        if (sample.StartsWith((ReadOnlySpan<byte>)[0x00, 0x00, 0xFE, 0xFF]))
            return new TextEncoding("utf-32be", new UTF32Encoding(bigEndian: true, byteOrderMark: false), 4);
        if (sample.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
            return Utf16(bigEndian: false, byteOrderMark: 2);
        if (sample.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
            return Utf16(bigEndian: true, byteOrderMark: 2);

        var (evenZeros, oddZeros) = CountZeros(sample);
        var pairs = sample.Length / 2;
        if (oddZeros > pairs * 6 / 10 && evenZeros < pairs / 20)
            return Utf16(bigEndian: false, byteOrderMark: 0);
        if (evenZeros > pairs * 6 / 10 && oddZeros < pairs / 20)
            return Utf16(bigEndian: true, byteOrderMark: 0);

        return Utf8.IsValid(sample) || MostlyUtf8(sample)
            ? new TextEncoding("utf-8", Encoding: null, 0)
            : new TextEncoding("windows-1252", CodePagesEncodingProvider.Instance.GetEncoding(1252), 0);
    }

    private static TextEncoding Utf16(bool bigEndian, int byteOrderMark) =>
        new(bigEndian ? "utf-16be" : "utf-16le", new UnicodeEncoding(bigEndian, byteOrderMark: false), byteOrderMark);

    private static (int Even, int Odd) CountZeros(ReadOnlySpan<byte> sample)
    {
        int even = 0, odd = 0;
        if (sample.Contains((byte)0))
        {
            for (var i = 0; i + 1 < sample.Length; i += 2)
            {
                even += sample[i] == 0 ? 1 : 0;
                odd += sample[i + 1] == 0 ? 1 : 0;
            }
        }

        return (even, odd);
    }

    private static bool MostlyUtf8(ReadOnlySpan<byte> sample)
    {
        int valid = 0, invalid = 0;
        while (sample.Length > 0)
        {
            var ascii = sample.IndexOfAnyExceptInRange((byte)0, (byte)0x7F);
            if (ascii < 0)
                break;

            sample = sample[ascii..];
            var status = Rune.DecodeFromUtf8(sample, out _, out var used);
            if (status == System.Buffers.OperationStatus.Done)
                valid++;
            else if (status == System.Buffers.OperationStatus.InvalidData)
                invalid++;

            sample = sample[used..];
        }

        return valid > invalid || invalid == 0;
    }
}
