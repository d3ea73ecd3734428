namespace Camino.Lending.Screening;

/// <summary>How many slips of the pen lie between two words.</summary>
public static class Edits
{
    /// <summary>Damerau-Levenshtein distance (optimal string alignment); words are cut at 64 letters.</summary>
    public static int Between(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        const int longest = 64;
        a = a.Length > longest ? a[..longest] : a;
        b = b.Length > longest ? b[..longest] : b;
        Span<int> before = stackalloc int[longest + 1];
        Span<int> last = stackalloc int[longest + 1];
        Span<int> now = stackalloc int[longest + 1];
        for (var j = 0; j <= b.Length; j++)
            last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            now[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                var least = Math.Min(Math.Min(now[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    least = Math.Min(least, before[j - 2] + 1);
                now[j] = least;
            }

            var spare = before;
            before = last;
            last = now;
            now = spare;
        }

        return last[b.Length];
    }
}
