using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Camino.Lending;

namespace Camino.People;

/// <summary>
/// A record of passwords that were stolen somewhere, asked without a network: a text file with one upper-case SHA-1 hash a line, in their order, each followed by nothing or by a colon and
/// how often it was seen. That is what the downloader of Have I Been Pwned writes (some 40 GB); a search reads about 35 blocks of it, and keeps nothing in memory.
/// </summary>
/// <param name="path">The file; null: there is no record, and nothing is in it. It is opened for each search, so another one may be put in its place at any time.</param>
/// <remarks>Source: OWASP ASVS 5.0, 6.2.4 and 6.2.12; NIST SP 800-63B 5.1.1.2. SHA-1 is what the record is made of; nothing of ours is kept by it.</remarks>
public sealed class BreachedPasswords(string? path)
{
    private const int HashLetters = 40;

    /// <summary>Bytes of a line at most, its end included.</summary>
    private const int LongestLine = 64;

    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789ABCDEF");

    /// <summary>Whether a password stands in the record.</summary>
    /// <exception cref="RefusedException"><c>password.record</c>: the file is gone, or is none of this kind.</exception>
    public bool Contains(string password)
    {
        if (string.IsNullOrEmpty(path))
            return false;
        try
        {
            return Find(path, Convert.ToHexString(Sha1(password)));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new RefusedException("password.record", "The record of stolen passwords cannot be read, so no password can be chosen now; tell whoever runs Camino. Nothing was changed.");
        }
    }

    /// <summary>What is wrong with a file, so that a start can refuse it: it must begin and end with a hash, the first one before the last.</summary>
    /// <returns>Null: nothing.</returns>
    public static string? Fault(string file)
    {
        try
        {
            using var handle = File.OpenHandle(file);
            var length = RandomAccess.GetLength(handle);
            if (length < HashLetters)
                return "it is shorter than one SHA-1 hash";
            var (first, last) = (LineAt(handle, 0, 0, length), LineAt(handle, length - 1, 0, length));
            return string.CompareOrdinal(first.Hash, last.Hash) > 0 ? "its hashes are not in their order" : null;
        }
        catch (InvalidDataException wrong)
        {
            return wrong.Message;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "it cannot be read";
        }
    }

    private static bool Find(string file, string hash)
    {
        using var handle = File.OpenHandle(file);
        var (low, high) = (0L, RandomAccess.GetLength(handle));
        while (low < high)
        {
            var line = LineAt(handle, low + ((high - low) / 2), low, high);
            switch (string.CompareOrdinal(line.Hash, hash))
            {
                case 0:
                    return true;
                case < 0:
                    low = line.End;
                    break;
                default:
                    high = line.Start;
                    break;
            }
        }

        return false;
    }

    /// <summary>The line that a byte belongs to.</summary>
    /// <param name="from">Where a line begins, at or before the byte.</param>
    /// <param name="to">Where one ends, after it.</param>
    /// <exception cref="InvalidDataException">It is none of this kind of file.</exception>
    private static (long Start, long End, string Hash) LineAt(Microsoft.Win32.SafeHandles.SafeFileHandle handle, long at, long from, long to)
    {
        Span<byte> block = stackalloc byte[2 * LongestLine];
        var begin = Math.Max(from, at - LongestLine);
        block = block[..RandomAccess.Read(handle, block[..(int)Math.Min(block.Length, to - begin)], begin)];
        var here = (int)(at - begin);
        var start = here == 0 ? 0 : block[..Math.Min(here, block.Length)].LastIndexOf((byte)'\n') + 1;
        var length = block[start..].IndexOf((byte)'\n');
        var line = Encoding.ASCII.GetString(length < 0 ? block[start..] : block.Slice(start, length)).TrimEnd('\r');
        var isWhole = (start > 0 || begin == from) && (length >= 0 || begin + block.Length == to);
        if (!isWhole || line.Length < HashLetters || line.AsSpan(0, HashLetters).ContainsAnyExcept(s_hex) || (line.Length > HashLetters && line[HashLetters] != ':'))
            throw new InvalidDataException("a line is not an upper-case SHA-1 hash, alone or with a colon and a count behind it");
        return (begin + start, length < 0 ? to : begin + start + length + 1, line[..HashLetters]);
    }

    private static byte[] Sha1(string password) => SHA1.HashData(Encoding.UTF8.GetBytes(password));
}
