namespace Camino.Lending.Screening;

/// <summary>How alike two words are.</summary>
internal static class WordLikeness
{
    /// <summary>Below this, two words are different words.</summary>
    public const double Least = 0.70;

    /// <summary>1 for the same word, 0 for different ones; the same in both directions.</summary>
    public static (double Likeness, MatchKind How) Of(NameWord a, NameWord b, bool initialsCount)
    {
        if (a.Text == b.Text)
            return (1, a.WasTransliterated || b.WasTransliterated ? MatchKind.Transliterated : MatchKind.Exact);
        if (a.IsInitial || b.IsInitial)
            return initialsCount && a.Text[0] == b.Text[0] ? (0.75, MatchKind.Initial) : (0, MatchKind.Missing);
        if (a.IsParticle || b.IsParticle)
            return (0, MatchKind.Missing);

        var near = Near(a.Text, b.Text);
        var sameSound = a.Key.Length >= 2 && a.Key == b.Key;
        if (sameSound && (a.WithoutVowels || b.WithoutVowels) && a.Key.Length >= 3)
            return (Math.Max(near, 0.90), MatchKind.Transliterated);
        if (sameSound && a.Key.Length >= 3 && near >= 0.55)
            return (Math.Max(near, 0.70 + (0.28 * near)), MatchKind.SoundsAlike);
        return near >= Least ? (near, MatchKind.Near) : (0, MatchKind.Missing);
    }

    /// <summary>By edits: a letter more, less, other, or two changed about. Words with different digits are different.</summary>
    private static double Near(string a, string b)
    {
        var shorter = Math.Min(a.Length, b.Length);
        var longer = Math.Max(a.Length, b.Length);
        if (shorter <= 3 || HasDigit(a) || HasDigit(b))
            return 0;
        var most = longer / 2;
        if (longer - shorter > most)
            return 0;
        var edits = Edits(a, b);
        var likeness = 1 - ((double)edits / longer);
        return edits switch
        {
            1 when a[0] != b[0] && shorter == longer => Math.Min(likeness, 0.78), // HERNANDEZ and FERNANDEZ are different families
            1 => Math.Max(likeness, shorter <= 4 ? 0.74 : shorter == 5 ? 0.80 : 0.86),
            2 when shorter >= 8 => Math.Max(likeness, 0.80),
            2 when shorter <= 5 => Math.Min(likeness, 0.60),
            _ => likeness,
        };
    }

    private static bool HasDigit(string word) => word.AsSpan().IndexOfAnyInRange('0', '9') >= 0;

    /// <summary>Damerau-Levenshtein distance (optimal string alignment); words are cut at 64 letters.</summary>
    public static int Edits(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
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
