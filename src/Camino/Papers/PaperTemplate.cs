using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Camino.Papers;

/// <summary>A percentage as papers show it.</summary>
public readonly record struct PaperPercent(decimal Percent);

/// <summary>What fills a template: values by name, names with several values, and the rows of the schedule. A name that is missing counts as nothing said.</summary>
/// <param name="Values">Text, amounts (decimal), counts (int), days, moments and percentages; they are written by the template's language.</param>
public sealed record PaperValues(IReadOnlyDictionary<string, object?> Values, IReadOnlyDictionary<string, IReadOnlyList<string>> Lists, IReadOnlyList<PaperRow> Schedule);

/// <summary>One payment of a schedule.</summary>
public sealed record PaperRow(int Number, DateOnly DueOn, decimal Principal, decimal Interest, decimal Due, decimal Balance);

/// <summary>
/// A template of a paper in one language, from the program itself. A line is a paragraph, <c>#</c> a heading, <c>-</c> an item, <c>|</c> a name with its value, <c>=</c> a word that others ask for,
/// <c>?name</c> a line that stands only where the name says something, <c>!name</c> one that stands only where it does not, <c>@</c> a piece that is not written out; <c>{name}</c> is a value.
/// A version that papers were made from is never changed: what is to be said otherwise is the next version.
/// </summary>
public sealed partial class PaperTemplate
{
    private readonly List<string> _lines = [];
    private readonly Dictionary<string, string> _words = new(StringComparer.Ordinal);
    private readonly string _title = "";

    private PaperTemplate(string name, string language)
    {
        (Name, Language) = (name, language);
        foreach (var line in Read("words.1", language).Concat(Read(name, language)))
        {
            if (line.StartsWith("title: ", StringComparison.Ordinal))
                _title = line[7..];
            else if (line.StartsWith("= ", StringComparison.Ordinal))
                _words[line[2..line.IndexOf(' ', 2)]] = line[(line.IndexOf(' ', 2) + 1)..];
            else if (line.Length > 0)
                _lines.Add(line);
        }
    }

    /// <summary><c>offer.1</c>: what it is, and its version.</summary>
    public string Name { get; }

    /// <summary><c>en</c> or <c>es</c>.</summary>
    public string Language { get; }

    /// <summary>Names that lines of the template ask for.</summary>
    public IReadOnlySet<string> Places => _lines.Concat(_words.Values).SelectMany(line => Place().Matches(line).Select(match => match.Groups["name"].Value)).ToHashSet(StringComparer.Ordinal);

    /// <summary>The template of a name in a language.</summary>
    public static PaperTemplate Of(string name, string language) => new(name, language);

    /// <summary>What a paper of the template is called.</summary>
    public string TitleOf(PaperValues values) => Fill(_title, values);

    /// <summary>Fills the template.</summary>
    /// <exception cref="InvalidOperationException">A value that the template needs is not there.</exception>
    public PaperText Fill(PaperValues values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var blocks = new List<PaperBlock>();
        foreach (var written in _lines)
        {
            if (Line(written, values) is { } line)
                Add(blocks, line, values);
        }

        return new PaperText(TitleOf(values), Language, Fill("{lender}", values), _words["page"], blocks);
    }

    /// <summary>The line without its condition; null where the condition does not hold.</summary>
    private static string? Line(string line, PaperValues values)
    {
        if (line[0] is not ('?' or '!'))
            return line;
        var end = line.IndexOf(' ', StringComparison.Ordinal);
        return IsSaid(line[1..end], values) == (line[0] == '?') ? line[(end + 1)..] : null;
    }

    private static bool IsSaid(string name, PaperValues values) => (values.Values.GetValueOrDefault(name) is { } value && value is not "") || values.Lists.GetValueOrDefault(name) is { Count: > 0 };

    private void Add(List<PaperBlock> blocks, string line, PaperValues values)
    {
        if (line.StartsWith("# ", StringComparison.Ordinal))
            blocks.Add(new PaperHeading(1, Fill(line[2..], values)));
        else if (line.StartsWith("## ", StringComparison.Ordinal))
            blocks.Add(new PaperHeading(2, Fill(line[3..], values)));
        else if (line.StartsWith("- ", StringComparison.Ordinal))
            Join<PaperItems>(blocks, before => new PaperItems([.. before?.Items ?? [], Fill(line[2..], values)]));
        else if (line.StartsWith("| ", StringComparison.Ordinal))
            Join<PaperPairs>(blocks, before => new PaperPairs([.. before?.Pairs ?? [], (Fill(line[2..line.IndexOf(" | ", StringComparison.Ordinal)], values), Fill(line[(line.IndexOf(" | ", StringComparison.Ordinal) + 3)..], values))]));
        else if (line.StartsWith('@'))
            AddPiece(blocks, line[1..], values);
        else
            blocks.Add(new PaperParagraph(Fill(line, values)));
    }

    private static void Join<T>(List<PaperBlock> blocks, Func<T?, PaperBlock> make)
        where T : PaperBlock
    {
        if (blocks is [.., T before])
            blocks[^1] = make(before);
        else
            blocks.Add(make(null));
    }

    private void AddPiece(List<PaperBlock> blocks, string piece, PaperValues values)
    {
        var (name, rest) = piece.Split(' ', 2) is [var first, var second] ? (first, second) : (piece, "");
        switch (name)
        {
            case "lender":
            case "applicant":
                blocks.Add(new PaperLines(values.Lists[name + "Lines"]));
                break;
            case "list":
                blocks.Add(new PaperItems([.. values.Lists[rest].Select(code => Fill(_words[rest + "." + code], values))]));
                break;
            case "schedule":
                blocks.Add(Schedule([.. rest.Split(" | ")], values.Schedule));
                break;
            case "sign":
                blocks.Add(new PaperSignatures(values.Lists["signers"], rest));
                break;
            case "page":
                blocks.Add(new PaperPageBreak());
                break;
            default:
                throw new InvalidOperationException($"Template {Name} asks for the piece {name}, which there is not.");
        }
    }

    private PaperTable Schedule(string[] heads, IReadOnlyList<PaperRow> rows) => new(
        heads[..^1], [.. rows.Select(row => (IReadOnlyList<string>)[row.Number.ToString(CultureInfo.InvariantCulture), ShortDay(row.DueOn), Sum(row.Principal), Sum(row.Interest), Sum(row.Due), Sum(row.Balance)])],
        [heads[^1], "", Sum(rows.Sum(row => row.Principal)), Sum(rows.Sum(row => row.Interest)), Sum(rows.Sum(row => row.Due)), ""]);

    private string Fill(string text, PaperValues values) => Place().Replace(text, match =>
    {
        var name = match.Groups["name"].Value;
        if (name.Length > 4 && name.EndsWith("Word", StringComparison.Ordinal))
            return Fill(_words[(string)(values.Values.GetValueOrDefault(name) ?? throw new InvalidOperationException($"Template {Name} needs {name}."))], values);
        return Write(values.Values.GetValueOrDefault(name) ?? throw new InvalidOperationException($"Template {Name} needs {name}."));
    });

    private string Write(object value) => value switch
    {
        string text => text,
        decimal amount => Sum(amount),
        int count => count.ToString("#,0", CultureInfo.InvariantCulture),
        PaperPercent percent => percent.Percent.ToString("0.00######", CultureInfo.InvariantCulture) + "%",
        DateOnly day => LongDay(day),
        DateTimeOffset at => LongDay(DateOnly.FromDateTime(at.UtcDateTime)) + at.UtcDateTime.ToString(", HH:mm:ss 'UTC'", CultureInfo.InvariantCulture),
        _ => throw new InvalidOperationException($"Template {Name} cannot write a {value.GetType().Name}."),
    };

    private static string Sum(decimal amount) => amount.ToString("$#,0.00;-$#,0.00", CultureInfo.InvariantCulture);

    private CultureInfo Culture => CultureInfo.GetCultureInfo(Language + "-US");

    private string LongDay(DateOnly day) => day.ToString(Language == "es" ? "d 'de' MMMM 'de' yyyy" : "MMMM d, yyyy", Culture);

    private string ShortDay(DateOnly day) => day.ToString(Language == "es" ? "d MMM yyyy" : "MMM d, yyyy", Culture);

    private static IEnumerable<string> Read(string name, string language)
    {
        foreach (var line in Whole(name, language).Split('\n').Select(line => line.TrimEnd('\r', ' ')))
        {
            if (!line.StartsWith("@include ", StringComparison.Ordinal))
                yield return line;
            else
                foreach (var included in Read(line[9..], language))
                    yield return included;
        }
    }

    private static string Whole(string name, string language)
    {
        using var stream = typeof(PaperTemplate).Assembly.GetManifestResourceStream($"Camino.Papers.Templates.{name}.{language}.txt") ?? throw new InvalidOperationException($"There is no template {name} in {language}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\{(?<name>[A-Za-z]+)\}", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Place();
}
