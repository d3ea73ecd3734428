using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Camino.Lending.Screening;

/// <summary>Sanctions lists in memory, ready to be searched: names are found by their words, by words that sound alike and by words with letters left out, and only what can reach the threshold is scored.</summary>
/// <remarks>Read only, so that many may search at once. 7,800 entries with 22,000 names take about 40 MB.</remarks>
public sealed class WatchList
{
    /// <summary>Lowest threshold: below it, nearly everything is like something.</summary>
    public const int LowestThreshold = 60;

    private const int MostRemembered = 50_000;
    private const int MostEvidence = 6;

    private readonly Entry[] _entries;
    private readonly Dictionary<string, int> _wordIds = new(StringComparer.Ordinal);
    private readonly List<NameWord> _words = [];
    private readonly double[] _weights;
    private readonly int[][] _namesOfWord;
    private readonly Dictionary<string, List<int>> _wordsOfKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<int>> _namesOfJoined = new(StringComparer.Ordinal);
    private readonly uint[] _shortened;
    private readonly int[] _shortenedWords;
    private readonly ConcurrentDictionary<(string Text, bool WithoutVowels), Alike[]> _remembered = new();
    private readonly ConcurrentBag<Scratch> _scratch = [];

    /// <param name="parties">The entries; one without any name that can be compared is never found.</param>
    public WatchList(IEnumerable<ListedParty> parties)
    {
        ArgumentNullException.ThrowIfNull(parties);
        Parties = [.. parties];
        var partiesOfWord = new List<int>();
        var namesOfWord = new List<List<int>>();
        var entries = new List<Entry>();
        var lastParty = new List<int>();
        for (var p = 0; p < Parties.Count; p++)
        {
            foreach (var name in Parties[p].Names)
            {
                var words = NameWords.Of(name.Text, Parties[p].Kind == PartyKind.Unknown ? PartyKind.Entity : Parties[p].Kind);
                if (words.Words.Count == 0)
                    continue;
                foreach (var word in words.Words)
                {
                    if (!_wordIds.TryGetValue(word.Text, out var id))
                    {
                        _wordIds.Add(word.Text, id = _words.Count);
                        _words.Add(word);
                        partiesOfWord.Add(0);
                        namesOfWord.Add([]);
                        lastParty.Add(-1);
                    }

                    if (lastParty[id] != p)
                        partiesOfWord[id]++;
                    lastParty[id] = p;
                }

                foreach (var word in Telling(words))
                    namesOfWord[_wordIds[word.Text]].Add(entries.Count);
                Join(words, entries.Count);
                entries.Add(new Entry(p, name, words));
            }
        }

        _weights = [.. partiesOfWord.Select(Rarity)];
        _namesOfWord = [.. namesOfWord.Select(names => names.Distinct().ToArray())];
        _entries = [.. entries];
        foreach (var entry in _entries)
            entry.Weigh(WeightOf);
        (_shortened, _shortenedWords) = Shorten();
        for (var id = 0; id < _words.Count; id++)
        {
            if (_words[id].Key.Length >= 3)
                (CollectionsMarshal.GetValueRefOrAddDefault(_wordsOfKey, _words[id].Key, out _) ??= []).Add(id);
        }
    }

    /// <summary>The entries.</summary>
    public IReadOnlyList<ListedParty> Parties { get; }

    /// <summary>Names that can be found.</summary>
    public int Names => _entries.Length;

    /// <summary>Entries that a name may be, the likeliest first.</summary>
    /// <param name="asked">Whose name is looked up.</param>
    /// <param name="threshold">Least score; <see cref="LowestThreshold"/> to 100.</param>
    /// <param name="most">Most entries that are given back; 1 or more.</param>
    /// <exception cref="RefusedException"><c>screening.threshold</c>.</exception>
    public IReadOnlyList<ScreeningHit> Search(ScreenedParty asked, int threshold, int most = 20)
    {
        ArgumentNullException.ThrowIfNull(asked);
        Refuse.If(threshold is < LowestThreshold or > 100, "screening.threshold", $"The threshold is {LowestThreshold} to 100; got {threshold}.");
        var given = NameWords.Of(asked.Name, asked.Kind);
        if (given.Words.Count == 0)
            return [];

        var scratch = _scratch.TryTake(out var free) ? free : new Scratch(_entries.Length);
        try
        {
            Gather(given, scratch);
            return Best(asked, given, scratch, threshold, most);
        }
        finally
        {
            scratch.Clear();
            _scratch.Add(scratch);
        }
    }

    /// <summary>What a word weighs: 1 where at most one entry has it, the less the more have it.</summary>
    private double WeightOf(NameWord word) => _wordIds.TryGetValue(word.Text, out var id) ? _weights[id] : 1;

    private double Rarity(int parties)
    {
        const double least = 0.35;
        return Parties.Count < 2 ? 1 : least + ((1 - least) * Math.Log((double)Parties.Count / Math.Max(1, parties)) / Math.Log(Parties.Count));
    }

    /// <summary>Words by which a name is found; all of them where it has only particles and initials.</summary>
    private static IEnumerable<NameWord> Telling(NameWords name)
    {
        var telling = name.Words.Where(word => !word.IsParticle && !word.IsInitial).ToList();
        return telling.Count > 0 ? telling : name.Words;
    }

    private void Join(NameWords name, int entry)
    {
        foreach (var text in Neighbours(name))
            (CollectionsMarshal.GetValueRefOrAddDefault(_namesOfJoined, text, out _) ??= []).Add(entry);
    }

    private static IEnumerable<string> Neighbours(NameWords name)
    {
        for (var at = 0; at + 1 < name.Words.Count; at++)
        {
            var two = name.Words[at].Text + name.Words[at + 1].Text;
            if (two.Length >= 4)
                yield return two;
            if (at + 2 < name.Words.Count)
                yield return two + name.Words[at + 2].Text;
        }
    }

    /// <summary>Every word of the lists with letters left out, by hash, so that a word with a typing error meets it.</summary>
    private (uint[] Hashes, int[] Words) Shorten()
    {
        var hashes = new List<uint>();
        var words = new List<int>();
        var forms = new HashSet<uint>();
        for (var id = 0; id < _words.Count; id++)
        {
            if (!CanBeMistyped(_words[id]))
                continue;
            forms.Clear();
            ShortForms(_words[id].Text, forms);
            foreach (var form in forms)
            {
                hashes.Add(form);
                words.Add(id);
            }
        }

        var (keys, values) = (hashes.ToArray(), words.ToArray());
        Array.Sort(keys, values);
        return (keys, values);
    }

    private static bool CanBeMistyped(NameWord word) => word.Text.Length >= 4 && !word.IsParticle;

    /// <summary>The word itself, without one letter, and a long one without two.</summary>
    private static void ShortForms(string word, HashSet<uint> forms)
    {
        var length = Math.Min(word.Length, 20);
        forms.Add(Hash(word, length, -1, -1));
        for (var i = 0; i < length; i++)
        {
            forms.Add(Hash(word, length, i, -1));
            for (var j = i + 1; length >= 8 && j < length; j++)
                forms.Add(Hash(word, length, i, j));
        }
    }

    private static uint Hash(string word, int length, int without, int orWithout)
    {
        var hash = 2166136261u;
        for (var i = 0; i < length; i++)
        {
            if (i != without && i != orWithout)
                hash = (hash ^ word[i]) * 16777619u;
        }

        return hash;
    }

    private void Gather(NameWords given, Scratch scratch)
    {
        var position = 0;
        foreach (var word in Telling(given))
        {
            position++;
            var weight = NameComparison.WeightOf(word, WeightOf);
            foreach (var alike in AlikeWords(word))
            {
                var agreed = alike.Likeness * (weight + _weights[alike.Word]);
                foreach (var name in _namesOfWord[alike.Word])
                    scratch.Add(name, position, agreed);
            }

            if (_namesOfJoined.TryGetValue(word.Text, out var joined))
            {
                foreach (var name in joined)
                    scratch.Add(name, position, weight + _entries[name].Total);
            }
        }

        foreach (var text in Neighbours(given))
        {
            position++;
            if (_wordIds.TryGetValue(text, out var id))
            {
                foreach (var name in _namesOfWord[id])
                    scratch.Add(name, position, _weights[id] + 3);
            }
        }
    }

    private Alike[] AlikeWords(NameWord word)
    {
        var key = (word.Text, word.WithoutVowels);
        if (_remembered.TryGetValue(key, out var known))
            return known;
        var candidates = new HashSet<int>();
        if (_wordIds.TryGetValue(word.Text, out var same))
            candidates.Add(same);
        if (word.Key.Length >= 3 && _wordsOfKey.TryGetValue(word.Key, out var sounding))
            candidates.UnionWith(sounding);
        if (CanBeMistyped(word))
        {
            var forms = new HashSet<uint>();
            ShortForms(word.Text, forms);
            foreach (var form in forms)
            {
                var at = Array.BinarySearch(_shortened, form);
                if (at < 0)
                    continue;
                while (at > 0 && _shortened[at - 1] == form)
                    at--;
                for (; at < _shortened.Length && _shortened[at] == form; at++)
                    candidates.Add(_shortenedWords[at]);
            }
        }

        var alike = candidates.Select(id => new Alike(id, WordLikeness.Of(word, _words[id], initialsCount: false).Likeness)).Where(one => one.Likeness > 0).ToArray();
        if (_remembered.Count >= MostRemembered)
            _remembered.Clear();
        _remembered[key] = alike;
        return alike;
    }

    private List<ScreeningHit> Best(ScreenedParty asked, NameWords given, Scratch scratch, int threshold, int most)
    {
        var givenTotal = given.Words.Sum(word => NameComparison.WeightOf(word, WeightOf));
        var givenSlack = Slack(given);
        var least = (threshold - MostEvidence - 1) / 100d;
        var country = RemarkFacts.Country(asked.Country);
        var best = new Dictionary<int, ScreeningHit>();
        foreach (var found in scratch.Found)
        {
            var entry = _entries[found];
            var party = Parties[entry.Party];
            var isPerson = party.Kind == PartyKind.Person;
            var total = givenTotal + entry.Total;
            if (NameComparison.AtMost(Math.Min(total, scratch.Agreed(found) + givenSlack + entry.Slack), total, isPerson) < least)
                continue;
            var score = NameComparison.Between(given, entry.Words, isPerson, WeightOf);
            if (score.Points < threshold - MostEvidence)
                continue;
            var evidence = EvidenceFor(asked, country, party, entry.Name);
            var points = Math.Clamp(score.Points + evidence.Sum(Worth), 0, 100);
            if (points >= threshold && (!best.TryGetValue(entry.Party, out var other) || IsBetter(points, score.Points, entry.Name, other)))
                best[entry.Party] = new ScreeningHit(party, entry.Name, points, score.Points, score.Words, evidence);
        }

        return [.. best.Values.OrderByDescending(hit => hit.Score).ThenByDescending(hit => hit.NameScore).ThenBy(hit => hit.Party.Number).ThenBy(hit => hit.Party.List, StringComparer.Ordinal).Take(most)];
    }

    private static bool IsBetter(int points, int nameScore, ListedName name, ScreeningHit other) =>
        points != other.Score ? points > other.Score
        : nameScore != other.NameScore ? nameScore > other.NameScore
        : name.Kind != other.Name.Kind ? name.Kind < other.Name.Kind
        : string.CompareOrdinal(name.Text, other.Name.Text) < 0;

    /// <summary>What particles and initials may add to what was gathered.</summary>
    private static double Slack(NameWords name) => name.Words.Sum(word => word.IsInitial ? 1.4 : word.IsParticle ? 0.16 : 0);

    private static List<Evidence> EvidenceFor(ScreenedParty asked, string country, ListedParty party, ListedName name)
    {
        var found = new List<Evidence>();
        if (asked.BirthDate is { } born && party.BirthDates.Count > 0)
        {
            found.Add(party.BirthDates.Any(range => range.From == range.To && range.From == born) ? Evidence.BirthDateSame
                : party.BirthDates.Any(range => born.Year >= range.From.Year - 1 && born.Year <= range.To.Year + 1) ? Evidence.BirthDateNear
                : Evidence.BirthDateDiffers);
        }

        if (country.Length > 0 && party.Countries.Count > 0)
            found.Add(party.Countries.Contains(country) ? Evidence.CountrySame : Evidence.CountryDiffers);
        if (asked.Kind != PartyKind.Unknown && party.Kind != PartyKind.Unknown && asked.Kind != party.Kind)
            found.Add(Evidence.KindDiffers);
        if (name.Kind == ListedNameKind.Weak)
            found.Add(Evidence.WeakName);
        return found;
    }

    /// <summary>Points that a piece of evidence adds or takes. It orders hits; it never clears one by itself.</summary>
    private static int Worth(Evidence evidence) => evidence switch
    {
        Evidence.BirthDateSame => 4,
        Evidence.BirthDateNear => 1,
        Evidence.BirthDateDiffers => -12,
        Evidence.CountrySame => 2,
        Evidence.CountryDiffers => -4,
        Evidence.KindDiffers => -15,
        _ => -8,
    };

    private readonly record struct Alike(int Word, double Likeness);

    /// <summary>One name of one entry.</summary>
    private sealed class Entry(int party, ListedName name, NameWords words)
    {
        public int Party { get; } = party;
        public ListedName Name { get; } = name;
        public NameWords Words { get; } = words;
        public double Total { get; private set; }
        public double Slack { get; } = WatchList.Slack(words);

        public void Weigh(Func<NameWord, double> weight) => Total = Words.Words.Sum(word => NameComparison.WeightOf(word, weight));
    }

    /// <summary>What one search has gathered; each word of the name counts once for each name of the list.</summary>
    private sealed class Scratch(int names)
    {
        private readonly double[] _agreed = new double[names];
        private readonly double[] _ofWord = new double[names];
        private readonly int[] _word = new int[names];

        public List<int> Found { get; } = [];

        public double Agreed(int name) => _agreed[name];

        public void Add(int name, int word, double agreed)
        {
            if (_word[name] == 0)
                Found.Add(name);
            if (_word[name] != word)
            {
                _word[name] = word;
                _ofWord[name] = 0;
            }

            if (agreed <= _ofWord[name])
                return;
            _agreed[name] += agreed - _ofWord[name];
            _ofWord[name] = agreed;
        }

        public void Clear()
        {
            foreach (var name in Found)
                (_agreed[name], _ofWord[name], _word[name]) = (0, 0, 0);
            Found.Clear();
        }
    }
}
