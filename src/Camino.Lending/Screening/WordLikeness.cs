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
        var edits = Edits.Between(a, b);
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
}
