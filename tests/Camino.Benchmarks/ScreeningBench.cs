using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Camino.Host.Local;
using Camino.Lending.Screening;

namespace Camino.Benchmarks;

/// <summary>Sanctions screening: 10,000 names against the full lists in one thread, and how many variants of listed names and how many innocent names become hits.</summary>
internal sealed class ScreeningBench(Report report, string folder)
{
    private const int Threshold = 85;
    private const int Seed = 20_261_127;

    private static readonly Option<string?> s_folder = new("--lists") { Description = "Folder with OFAC's eight files; shared/data/ofac beside the checkout unless told otherwise." };

    /// <summary>Common in the United States; none of the combinations is meant.</summary>
    private static readonly string[] s_given = "James Mary Michael Patricia Robert Jennifer John Linda David Elizabeth William Barbara Richard Susan Thomas Karen Carlos Maria Jose Ana Luis Carmen Miguel Rosa Juan Sofia Kevin Nancy Brian Lisa Daniel Sandra Mark Ashley Paul Emily Steven Donna Andrew Michelle".Split(' ');

    private static readonly string[] s_family = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts".Split(' ');

    private static readonly string[] s_trades = ["Bakery LLC", "Auto Repair Inc", "Dental Care PLLC", "Hardware Co", "Landscaping LLC", "Taqueria", "Trucking Inc", "Hair Studio", "Plumbing & Heating", "Family Restaurant LLC"];

    /// <summary>The verb with its option.</summary>
    public static Command Verb() => BenchVerb.Create("screening", "10,000 names against the full sanctions lists in one thread; variants that are found, innocent names that are not.", (report, parsed, ct) =>
    {
        var folder = parsed.GetValue(s_folder) ?? Path.Combine(Repository.Root ?? ".", "..", "shared", "data", "ofac");
        if (!File.Exists(Path.Combine(folder, "sdn.csv")))
            throw new BenchFailedException($"There are no lists in {folder}; name their folder with --lists.");
        new ScreeningBench(report, folder).Run(ct);
        return Task.CompletedTask;
    }, s_folder);

    private void Run(CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var sdn = OfacFiles.Read(new OfacFileSet("sdn", Read("sdn.csv"), Read("alt.csv"), Read("add.csv"), Read("sdn_comments.csv")));
        var consolidated = OfacFiles.Read(new OfacFileSet("cons", Read("cons_prim.csv"), Read("cons_alt.csv"), Read("cons_add.csv"), Read("cons_comments.csv")));
        report.Add(new Figure("read", "both lists read", Stopwatch.GetElapsedTime(started).TotalSeconds, "s"));
        started = Stopwatch.GetTimestamp();
        var list = new WatchList(sdn.Parties.Concat(consolidated.Parties));
        report.Add(new Figure("index", $"index of {list.Names.ToString("#,0", CultureInfo.InvariantCulture)} names", Stopwatch.GetElapsedTime(started).TotalSeconds, "s"));

        var random = new Random(Seed);
        var listed = random.GetItems(list.Parties.Where(party => party.Kind is PartyKind.Person or PartyKind.Entity && NameWords.Of(party.Names[0].Text, party.Kind).Words.Count >= 2).ToArray(), report.Quick ? 500 : 2_000);
        var variants = listed.SelectMany(party => Variants(party, random).Select(variant => (party, variant.What, variant.Name))).ToList();
        var innocent = Innocent(random, report.Quick ? 2_000 : 10_000).ToList();
        Speed(list, [.. variants.Select(one => one.Name).Concat(innocent).OrderBy(_ => random.Next()).Take(10_000)], ct);

        var others = 0;
        foreach (var group in variants.GroupBy(one => one.What, StringComparer.Ordinal))
        {
            ct.ThrowIfCancellationRequested();
            var found = 0;
            foreach (var (party, _, name) in group)
            {
                var hits = list.Search(new ScreenedParty(name), Threshold, 100);
                found += hits.Any(hit => hit.Party == party) ? 1 : 0;
                others += hits.Count(hit => hit.Party != party);
            }

            report.Add(new Figure("found " + group.Key, $"found: {group.Key} ({group.Count().ToString("#,0", CultureInfo.InvariantCulture)} names)", 100d * found / group.Count(), "%"));
        }

        report.Add(new Figure("others", "other entries beside the right one", (double)others / variants.Count, "a name"));
        report.Add(new Figure("innocent", $"innocent names that become hits ({innocent.Count.ToString("#,0", CultureInfo.InvariantCulture)})", 100d * innocent.Count(name => list.Search(new ScreenedParty(name), Threshold, 1).Count > 0) / innocent.Count, "%"));
        report.Remark($"Threshold {Threshold.ToString(CultureInfo.InvariantCulture)}, the kind of the name not told. Variants are made from randomly chosen primary names of persons and organisations; the entry itself must be among the hits. Other entries are mostly namesakes that the list itself has.");
    }

    private void Speed(WatchList list, IReadOnlyList<string> names, CancellationToken ct)
    {
        var hits = 0;
        var started = Stopwatch.GetTimestamp();
        foreach (var name in names)
        {
            ct.ThrowIfCancellationRequested();
            hits += list.Search(new ScreenedParty(name), Threshold).Count > 0 ? 1 : 0;
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        report.Add(new Figure("tenThousand", $"{names.Count.ToString("#,0", CultureInfo.InvariantCulture)} names against the full lists, one thread, cold", seconds, "s") { AtMost = 10 });
        report.Check("some of the names are hits", hits > names.Count / 10);
    }

    private static IEnumerable<(string What, string Name)> Variants(ListedParty party, Random random)
    {
        var name = party.Names[0].Text;
        yield return ("as it stands", name);
        var words = NameWords.Of(name, party.Kind).Words.Select(word => word.Text).ToArray();
        var mixed = words.ToArray();
        random.Shuffle(mixed);
        yield return ("order changed", string.Join(' ', mixed));
        yield return ("accents added", name.Replace('a', 'á').Replace('e', 'é').Replace('A', 'Á').Replace('O', 'Ó').Replace('N', 'Ñ'));
        yield return ("one letter wrong", Changed(words, random, (word, at) => word[..at] + (char)('A' + random.Next(26)) + word[(at + 1)..]));
        yield return ("one letter missing", Changed(words, random, (word, at) => word.Remove(at, 1)));
        yield return ("two letters exchanged", Changed(words, random, (word, at) => at + 1 < word.Length ? word[..at] + word[at + 1] + word[at] + word[(at + 2)..] : word));
        if (party.Kind == PartyKind.Entity)
        {
            yield return ("other legal form", string.Join(' ', words) + " LLC");
            yield break;
        }

        var comma = name.IndexOf(',', StringComparison.Ordinal);
        var surnames = comma < 0 ? [] : name[..comma].Split(' ');
        var given = comma < 0 ? [] : name[(comma + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (surnames.Length == 2 && given.Length > 0 && Array.TrueForAll(surnames, one => one.Length > 3))
        {
            yield return ("second surname missing", $"{given[0]} {surnames[0]}");
            yield return ("first surname missing", $"{given[0]} {surnames[1]}");
            yield return ("initial for the given name", $"{given[0][0]}. {surnames[0]} {surnames[1]}");
        }
    }

    /// <summary>Changes the longest word.</summary>
    private static string Changed(string[] words, Random random, Func<string, int, string> change)
    {
        var longest = words.MaxBy(word => word.Length) ?? "";
        var changed = change(longest, random.Next(longest.Length));
        return string.Join(' ', words.Select(word => ReferenceEquals(word, longest) ? changed : word));
    }

    private static IEnumerable<string> Innocent(Random random, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var person = $"{Any(s_given)} {Any(s_family)}";
            yield return (i % 3) switch { 0 => person, 1 => $"{Any(s_given)} {person}", _ => $"{Any(s_family)} {Any(s_trades)}" };
        }

        string Any(string[] of) => of[random.Next(of.Length)];
    }

    private OfacFile Read(string name) => new(name, File.ReadAllBytes(Path.Combine(folder, name)));
}
