using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Camino.People;

/// <summary>The six digits of an authenticator app.</summary>
/// <remarks>Source: RFC 6238 with the values that every app has: HMAC-SHA-1, steps of 30 seconds, 6 digits. SHA-1 is what the apps speak; the code does not rest on its resistance to collisions.</remarks>
public static class Totp
{
    /// <summary>Length of a key in bytes.</summary>
    public const int KeyBytes = 20;

    /// <summary>Steps by which the phone's clock may be ahead or behind.</summary>
    public const int Tolerance = 1;

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int Seconds = 30;

    /// <summary>The step that a moment lies in.</summary>
    public static long StepOf(DateTimeOffset at) => at.ToUnixTimeSeconds() / Seconds;

    /// <summary>The code of a step.</summary>
    public static string Code(ReadOnlySpan<byte> key, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(key, counter, hash);
        var number = BinaryPrimitives.ReadInt32BigEndian(hash[(hash[^1] & 0xF)..]) & 0x7FFF_FFFF;
        return (number % 1_000_000).ToString("000000", CultureInfo.InvariantCulture);
    }

    /// <summary>The step whose code was given, within the tolerance; null when it is none of them.</summary>
    public static long? StepOf(ReadOnlySpan<byte> key, string code, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(code);
        long? found = null;
        // every step is compared, so that the time tells nothing
        for (var step = StepOf(now) - Tolerance; step <= StepOf(now) + Tolerance; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(key, step)), Encoding.ASCII.GetBytes(code)))
                found = step;
        }

        return found;
    }

    /// <summary>A key as people type it: base 32 without padding.</summary>
    public static string Base32(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        var (buffer, bits) = (0, 0);
        foreach (var one in bytes)
        {
            buffer = (buffer << 8) | one;
            for (bits += 8; bits >= 5; bits -= 5)
                text.Append(Alphabet[(buffer >> (bits - 5)) & 31]);
            buffer &= (1 << bits) - 1;
        }

        return bits == 0 ? text.ToString() : text.Append(Alphabet[(buffer << (5 - bits)) & 31]).ToString();
    }

    /// <summary>What the picture says to the app.</summary>
    public static string Address(string base32, string account) =>
        $"otpauth://totp/Camino:{Uri.EscapeDataString(account)}?secret={base32}&issuer=Camino&digits=6&period={Seconds}";
}
