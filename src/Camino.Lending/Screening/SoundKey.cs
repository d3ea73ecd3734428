using System.Text;

namespace Camino.Lending.Screening;

/// <summary>Folds spellings that sound alike in Spanish, English and the usual romanisations: first letter, then consonants; doubled ones once.</summary>
internal static class SoundKey
{
    private static readonly (string From, string To)[] s_groups = [("PH", "F"), ("SHCH", "X"), ("SCH", "X"), ("TCH", "X"), ("CH", "X"), ("SH", "X"), ("KH", "H"), ("GH", "G"), ("DH", "D"), ("TH", "T"), ("ZH", "Z"), ("TS", "S"), ("TZ", "S"), ("CK", "K"), ("LL", "Y"), ("QU", "K"), ("DJ", "J")];

    public static string Of(string word)
    {
        var key = new StringBuilder(word.Length);
        for (var at = 0; at < word.Length;)
        {
            var sound = Next(word, ref at);
            var isFirst = key.Length == 0;
            if (sound is 'A' or 'E' or 'I' or 'O' or 'U' or 'Y' or 'W')
            {
                if (isFirst)
                    key.Append(sound is 'I' or 'Y' ? 'I' : sound);
            }
            else if (isFirst || key[^1] != sound)
            {
                key.Append(sound);
            }
        }

        return key.ToString();
    }

    private static char Next(string word, ref int at)
    {
        foreach (var (from, to) in s_groups)
        {
            if (string.CompareOrdinal(word, at, from, 0, from.Length) == 0)
            {
                at += from.Length;
                return to[0];
            }
        }

        var letter = word[at++];
        return letter switch
        {
            'C' => at < word.Length && (word[at] is 'E' or 'I') ? 'S' : 'K',
            'Q' => 'K',
            'Z' => 'S',
            'V' => 'B',
            _ => letter,
        };
    }
}
