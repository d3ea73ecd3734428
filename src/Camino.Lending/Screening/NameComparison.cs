namespace Camino.Lending.Screening;

/// <summary>Scores two names: the share of their words that are the same, each word by its weight, on both sides.</summary>
/// <remarks>
/// The same in both directions, and whatever the order of the words. Of a person, names that only one side has count little where the rest agrees (a second surname, a middle name);
/// names that contradict each other count in full.
/// </remarks>
public static class NameComparison
{
    /// <summary>What a name that only one side has counts, where the rest of a person's name agrees.</summary>
    private const double Forgiven = 0.35;

    private const double ParticleWeight = 0.08;
    private const double InitialWeight = 0.40;
    private const double JoinedLikeness = 0.97;

    /// <summary>One word that is only alike says less than one among others that agree.</summary>
    private const double OneWordAlike = 0.93;

    /// <summary>Scores two names whose words all weigh the same.</summary>
    /// <param name="given">As it was handed in.</param>
    /// <param name="listed">As it stands on the list.</param>
    /// <param name="kind">What both are; <see cref="PartyKind.Unknown"/> reads them as a person or a business.</param>
    public static NameScore Between(string given, string listed, PartyKind kind) => Between(NameWords.Of(given, kind), NameWords.Of(listed, kind), kind == PartyKind.Person, _ => 1);

    /// <summary>Scores two names.</summary>
    /// <param name="isPerson">Whether the listed one is a person: initials and missing names are then read as such.</param>
    /// <param name="weight">Weight of a word, above 0 and at most 1: rare words say more than common ones.</param>
    internal static NameScore Between(NameWords given, NameWords listed, bool isPerson, Func<NameWord, double> weight)
    {
        if (given.Words.Count == 0 || listed.Words.Count == 0)
            return new NameScore(0, []);
        var comparison = new Comparing(given.Words, listed.Words, isPerson, weight);
        return comparison.Score();
    }

    /// <summary>Weight of a word in a name.</summary>
    internal static double WeightOf(NameWord word, Func<NameWord, double> weight) => word.IsParticle ? ParticleWeight : word.IsInitial ? InitialWeight : weight(word);

    /// <summary>The most that names can come to of whose words so much agrees.</summary>
    internal static double AtMost(double agreed, double total, bool isPerson) => total <= 0 ? 0 : agreed / (agreed + ((total - agreed) * (isPerson ? Forgiven : 1)));

    private readonly record struct Pair(int Given, int GivenCount, int Listed, int ListedCount, double Likeness, MatchKind How, double Weight, string Texts);

    private sealed class Comparing(IReadOnlyList<NameWord> given, IReadOnlyList<NameWord> listed, bool isPerson, Func<NameWord, double> weight)
    {
        private readonly double[] _givenWeights = [.. given.Select(word => WeightOf(word, weight))];
        private readonly double[] _listedWeights = [.. listed.Select(word => WeightOf(word, weight))];
        private readonly bool[] _givenTaken = new bool[given.Count];
        private readonly bool[] _listedTaken = new bool[listed.Count];

        public NameScore Score()
        {
            var pairs = Pairs();
            pairs.Sort(static (a, b) => a.Likeness != b.Likeness ? b.Likeness.CompareTo(a.Likeness) : a.Weight != b.Weight ? b.Weight.CompareTo(a.Weight) : string.CompareOrdinal(a.Texts, b.Texts));
            var matches = new List<WordMatch>();
            var agreed = 0d;
            var agreedWords = 0;
            var parts = 0;
            foreach (var pair in pairs)
            {
                if (IsTaken(_givenTaken, pair.Given, pair.GivenCount) || IsTaken(_listedTaken, pair.Listed, pair.ListedCount))
                    continue;
                Array.Fill(_givenTaken, value: true, pair.Given, pair.GivenCount);
                Array.Fill(_listedTaken, value: true, pair.Listed, pair.ListedCount);
                agreed += pair.Likeness * pair.Weight;
                if (!given[pair.Given].IsParticle || pair.GivenCount > 1)
                {
                    agreedWords++;
                    parts |= PartBits(listed, pair.Listed, pair.ListedCount) | (PartBits(given, pair.Given, pair.GivenCount) << 2);
                }

                matches.Add(new WordMatch(Shown(given, pair.Given, pair.GivenCount), Shown(listed, pair.Listed, pair.ListedCount), pair.How, (int)Math.Round(pair.Likeness * 100)));
            }

            var total = _givenWeights.Sum() + _listedWeights.Sum();
            var givenMissing = Missing(_givenTaken, _givenWeights, i => matches.Add(new WordMatch(given[i].Shown, "", MatchKind.Missing, 0)));
            var listedMissing = Missing(_listedTaken, _listedWeights, i => matches.Add(new WordMatch("", listed[i].Shown, MatchKind.Missing, 0)));
            if (agreed == 0)
                return new NameScore(0, []);

            var matched = total - givenMissing - listedMissing;
            var contradicting = Math.Min(givenMissing, listedMissing);
            var oneSided = Math.Abs(givenMissing - listedMissing);
            var cost = (2 * contradicting) + (oneSided * (isPerson && agreedWords >= 2 && HasBothParts(parts) ? Forgiven : 1));
            var share = agreed / (matched + cost) * (agreedWords == 1 && matches.Exists(match => match.How is MatchKind.SoundsAlike or MatchKind.Near) ? OneWordAlike : 1);
            var whole = givenMissing + listedMissing == 0 && matches.TrueForAll(match => match.How is MatchKind.Exact or MatchKind.Transliterated && match.Likeness == 100);
            return new NameScore(whole ? 100 : Math.Clamp((int)Math.Round(share * 100), 0, 99), matches);
        }

        private List<Pair> Pairs()
        {
            var pairs = new List<Pair>();
            for (var i = 0; i < given.Count; i++)
            {
                for (var j = 0; j < listed.Count; j++)
                {
                    var (likeness, how) = WordLikeness.Of(given[i], listed[j], isPerson);
                    if (likeness > 0)
                        pairs.Add(new Pair(i, 1, j, 1, likeness, how, _givenWeights[i] + _listedWeights[j], Texts(given[i].Text, listed[j].Text)));
                }
            }

            Join(given, listed, (one, at, count) => pairs.Add(new Pair(one, 1, at, count, JoinedLikeness, MatchKind.Joined, _givenWeights[one] + _listedWeights.AsSpan(at, count).ToArray().Sum(), given[one].Text)));
            Join(listed, given, (one, at, count) => pairs.Add(new Pair(at, count, one, 1, JoinedLikeness, MatchKind.Joined, _listedWeights[one] + _givenWeights.AsSpan(at, count).ToArray().Sum(), listed[one].Text)));
            return pairs;
        }

        /// <summary>Words of one side that are two or three neighbours of the other, written as one.</summary>
        private static void Join(IReadOnlyList<NameWord> ones, IReadOnlyList<NameWord> several, Action<int, int, int> found)
        {
            for (var one = 0; one < ones.Count; one++)
            {
                var text = ones[one].Text;
                for (var at = 0; text.Length >= 4 && at + 1 < several.Count; at++)
                {
                    var rest = text.AsSpan();
                    for (var count = 1; count <= 3 && at + count <= several.Count && rest.StartsWith(several[at + count - 1].Text); count++)
                    {
                        rest = rest[several[at + count - 1].Text.Length..];
                        if (rest.IsEmpty && count > 1)
                            found(one, at, count);
                    }
                }
            }
        }

        private static string Texts(string a, string b) => string.CompareOrdinal(a, b) <= 0 ? $"{a} {b}" : $"{b} {a}";

        private static bool IsTaken(bool[] taken, int at, int count) => Array.IndexOf(taken, value: true, at, count) >= 0;

        private static double Missing(bool[] taken, double[] weights, Action<int> report)
        {
            var missing = 0d;
            for (var i = 0; i < taken.Length; i++)
            {
                if (taken[i])
                    continue;
                missing += weights[i];
                report(i);
            }

            return missing;
        }

        /// <summary>1 surname, 2 given name.</summary>
        private static int PartBits(IReadOnlyList<NameWord> words, int at, int count)
        {
            var bits = 0;
            for (var i = at; i < at + count; i++)
                bits |= words[i].Part switch { NamePart.Surname => 1, NamePart.Given => 2, _ => 3 };
            return bits;
        }

        /// <summary>A surname and a given name agree, as far as the comma tells them apart.</summary>
        private static bool HasBothParts(int parts) => parts == 15;

        private static string Shown(IReadOnlyList<NameWord> words, int at, int count) => count == 1 ? words[at].Shown : string.Join(' ', Enumerable.Range(at, count).Select(i => words[i].Shown));
    }
}
