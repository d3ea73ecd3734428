using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Camino.Clients;

/// <summary>The key of an API client: <c>camino_client_</c>, 43 letters and digits for 256 random bits, and 6 that check what stands before, so that a scanner or a mistyped key needs no database.</summary>
public static class ClientKey
{
    /// <summary>Every key begins so, so that scanners for secrets can find one that leaked.</summary>
    public const string Prefix = "camino_client_";

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomLength = 43;
    private const int CheckLength = 6;

    private static readonly SearchValues<char> s_alphabet = SearchValues.Create(Alphabet);

    /// <summary>A key that nobody had before.</summary>
    public static string New()
    {
        var text = Prefix + RandomNumberGenerator.GetString(Alphabet, RandomLength);
        return text + CheckOf(text);
    }

    /// <summary>Whether a text was made by <see cref="New"/> and nothing of it was changed; not whether it opens anything.</summary>
    public static bool IsWhole(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == Prefix.Length + RandomLength + CheckLength && text.StartsWith(Prefix, StringComparison.Ordinal) && !text.AsSpan(Prefix.Length).ContainsAnyExcept(s_alphabet)
            && CheckOf(text[..^CheckLength]) == text[^CheckLength..];
    }

    /// <summary>What is kept of a key. It has 256 random bits, so no slow hash is needed.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.ASCII.GetBytes(key));

    /// <summary>By which people tell keys apart: the last of the digits that check it.</summary>
    internal static string EndingOf(string key) => key[^4..];

    /// <summary>CRC-32C in six digits of base 62, the most significant first.</summary>
    private static string CheckOf(string text)
    {
        var sum = uint.MaxValue;
        foreach (var letter in Encoding.ASCII.GetBytes(text))
            sum = BitOperations.Crc32C(sum, letter);
        sum = ~sum;
        var digits = new char[CheckLength];
        for (var place = CheckLength - 1; place >= 0; place--)
            (digits[place], sum) = (Alphabet[(int)(sum % Alphabet.Length)], sum / (uint)Alphabet.Length);
        return new string(digits);
    }
}
