using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Camino.Lending.Screening;

/// <summary>How many of each kind the files hold.</summary>
public sealed record OfacCounts(int Entries, int OtherNames, int Addresses, int Comments);

/// <summary>One list read from its files.</summary>
public sealed record OfacContents(IReadOnlyList<ListedParty> Parties, OfacCounts Counts);

/// <summary>The bytes of the four files of one list. The names are only for messages.</summary>
/// <param name="List"><c>sdn</c> or <c>cons</c>.</param>
public sealed record OfacFileSet(string List, OfacFile Entries, OfacFile OtherNames, OfacFile Addresses, OfacFile Comments);

/// <summary>One file and its name.</summary>
public sealed record OfacFile(string Name, ReadOnlyMemory<byte> Bytes);

/// <summary>Reads the delimited files that OFAC publishes: no heading, <c>-0-</c> for what is empty, keyed by the first number, some ending with the byte 1A.</summary>
/// <remarks>UTF-8 where the bytes are that, else Latin-1. A file that is not whole is refused, for a list with a gap lets through who stands in the gap.</remarks>
public static class OfacFiles
{
    /// <summary>Largest file, in bytes.</summary>
    public const int LargestFile = 64 * 1024 * 1024;

    /// <summary>Longest line, in characters.</summary>
    public const int LongestLine = 20_000;

    /// <summary>Most lines of a file.</summary>
    public const int MostLines = 500_000;

    private const int EntryColumns = 12;
    private const int OtherNameColumns = 5;
    private const int AddressColumns = 6;
    private const int CommentColumns = 2;

    /// <summary>Reads one list.</summary>
    /// <exception cref="RefusedException"><c>ofac.empty</c>, <c>ofac.too_large</c>, <c>ofac.line</c>, <c>ofac.columns</c>, <c>ofac.number</c>, <c>ofac.twice</c>, <c>ofac.orphan</c>; the message names file and line.</exception>
    public static OfacContents Read(OfacFileSet files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var entries = new List<Draft>();
        var byNumber = new Dictionary<int, Draft>();
        foreach (var (line, cells) in Lines(files.Entries, EntryColumns))
        {
            var number = Number(files.Entries, line, cells[0]);
            Refuse.If(cells[1].Length == 0, "ofac.line", $"{files.Entries.Name}, line {line}: the entry {number} has no name.");
            var draft = new Draft(number, Kind(cells[2]), cells[3], cells[11], cells[1]);
            Refuse.If(!byNumber.TryAdd(number, draft), "ofac.twice", $"{files.Entries.Name}, line {line}: the number {number} stands there twice.");
            entries.Add(draft);
        }

        Refuse.If(entries.Count == 0, "ofac.empty", $"{files.Entries.Name} holds no entry; a list is never empty.");
        var others = 0;
        foreach (var (line, cells) in Lines(files.OtherNames, OtherNameColumns))
        {
            var draft = Owner(files.OtherNames, line, cells[0], byNumber, files.Entries);
            if (cells[3].Length > 0)
                draft.Names.Add(new ListedName(cells[3], cells[2] switch { "fka" => ListedNameKind.Former, "nka" => ListedNameKind.Now, _ => ListedNameKind.Alias }));
            others++;
        }

        var addresses = 0;
        foreach (var (line, cells) in Lines(files.Addresses, AddressColumns))
        {
            var draft = Owner(files.Addresses, line, cells[0], byNumber, files.Entries);
            if (cells[2].Length + cells[3].Length + cells[4].Length > 0)
                draft.Addresses.Add(new ListedAddress(cells[2], cells[3], cells[4]));
            addresses++;
        }

        var comments = 0;
        foreach (var (line, cells) in Lines(files.Comments, CommentColumns))
        {
            // OFAC's comments of one list name entries that have gone over to the other; a remark without its entry lets nobody through
            if (byNumber.TryGetValue(Number(files.Comments, line, cells[0]), out var draft))
                draft.Remarks += cells[1];
            comments++;
        }

        return new OfacContents([.. entries.Select(draft => draft.Done(files.List))], new OfacCounts(entries.Count, others, addresses, comments));
    }

    private static Draft Owner(OfacFile file, int line, string number, Dictionary<int, Draft> byNumber, OfacFile entries)
    {
        var id = Number(file, line, number);
        return byNumber.TryGetValue(id, out var draft) ? draft : throw new RefusedException("ofac.orphan", $"{file.Name}, line {line}: the number {id} is not in {entries.Name}; the files are of different days.");
    }

    private static PartyKind Kind(string text) => text switch
    {
        "individual" => PartyKind.Person,
        "vessel" => PartyKind.Vessel,
        "aircraft" => PartyKind.Aircraft,
        _ => PartyKind.Entity,
    };

    private static int Number(OfacFile file, int line, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new RefusedException("ofac.number", $"{file.Name}, line {line}: it does not begin with the number of an entry.");

    private static IEnumerable<(int Line, string[] Cells)> Lines(OfacFile file, int columns)
    {
        Refuse.If(file.Bytes.Length > LargestFile, "ofac.too_large", $"{file.Name} has {file.Bytes.Length} bytes; the limit is {LargestFile}.");
        var line = 0;
        foreach (var text in Text(file.Bytes.Span).Split('\n'))
        {
            line++;
            Refuse.If(line > MostLines, "ofac.too_large", $"{file.Name} has more than {MostLines} lines.");
            var record = text.TrimEnd('\r', '\u001A');
            if (record.Length == 0)
                continue;
            Refuse.If(record.Length > LongestLine, "ofac.line", $"{file.Name}, line {line}: it has {record.Length} characters; the limit is {LongestLine}.");
            Refuse.If(record.AsSpan().IndexOfAnyInRange('\0', '\u0008') >= 0, "ofac.line", $"{file.Name}, line {line}: it holds bytes that are no text.");
            var cells = Cells(file, line, record);
            Refuse.If(cells.Count != columns, "ofac.columns", $"{file.Name}, line {line}: {columns} columns are expected, {cells.Count} are there.");
            yield return (line, [.. cells]);
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            bytes = bytes[3..];
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
    }

    /// <summary>Cells with quotation marks taken off; <c>-0-</c> is empty.</summary>
    private static List<string> Cells(OfacFile file, int line, string record)
    {
        var cells = new List<string>();
        for (var at = 0; at <= record.Length;)
        {
            string cell;
            if (at < record.Length && record[at] == '"')
            {
                var end = ClosingQuote(record, at + 1);
                Refuse.If(end < 0, "ofac.line", $"{file.Name}, line {line}: a quotation mark is not closed.");
                cell = record[(at + 1)..end].Replace("\"\"", "\"", StringComparison.Ordinal);
                at = end + 1;
                Refuse.If(at < record.Length && record[at] != ',' && !string.IsNullOrWhiteSpace(record[at..]), "ofac.line", $"{file.Name}, line {line}: after a quotation mark a comma is expected.");
                at = at < record.Length && record[at] != ',' ? record.Length : at;
            }
            else
            {
                var end = record.IndexOf(',', at) is var comma and >= 0 ? comma : record.Length;
                cell = record[at..end];
                at = end;
            }

            cell = cell.Trim();
            cells.Add(cell == "-0-" ? "" : cell);
            at++;
        }

        return cells;
    }

    private static int ClosingQuote(string record, int from)
    {
        for (var at = from; at < record.Length; at++)
        {
            if (record[at] != '"')
                continue;
            if (at + 1 < record.Length && record[at + 1] == '"')
                at++;
            else
                return at;
        }

        return -1;
    }

    private sealed class Draft(int number, PartyKind kind, string programme, string remarks, string name)
    {
        public List<ListedName> Names { get; } = [new(name, ListedNameKind.Primary)];
        public List<ListedAddress> Addresses { get; } = [];
        public string Remarks { get; set; } = remarks;

        public ListedParty Done(string list)
        {
            foreach (var weak in RemarkFacts.WeakNames(Remarks).Where(weak => Names.TrueForAll(known => known.Text != weak)).ToList())
                Names.Add(new ListedName(weak, ListedNameKind.Weak));
            return new ListedParty(list, number, kind, programme, Remarks, Names, Addresses);
        }
    }
}
