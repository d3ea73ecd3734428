using System.Globalization;
using System.Text;

namespace Camino.Imports;

/// <summary>Writes the rejected rows of a file for download: the file's own columns behind the line and the reason, comma-separated, safe to open.</summary>
/// <remarks>
/// The two extra columns stand in front, since a rejected row may have too few or too many cells. They are ignored when the corrected file is handed in
/// again. Write a byte order mark first: spreadsheets need it to see UTF-8.
/// </remarks>
public static class RejectedRowsCsv
{
    /// <summary>The heading line with its line end.</summary>
    public static string Header(FileShape shape) => CsvText.Line(["Rejected line", "Rejected because", .. shape.Header]);

    /// <summary>One row with its line end.</summary>
    /// <param name="line">Physical line of the file.</param>
    /// <param name="reason">Why, in words for people.</param>
    /// <param name="raw">The record as <see cref="PortfolioRow.Raw"/> has it.</param>
    /// <param name="delimiter">The file's delimiter.</param>
    public static string Line(long line, string reason, string raw, char delimiter) =>
        CsvText.Line([line.ToString(CultureInfo.InvariantCulture), reason, .. Cells(raw, delimiter)]);

    /// <summary>The cells of one record; the whole of it as one cell where its quotation marks do not fit together.</summary>
    public static IReadOnlyList<string> Cells(string raw, char delimiter)
    {
        if (raw.Length == 0)
            return [];

        var record = new MemoryStream(Encoding.UTF8.GetBytes(raw), writable: false);
        using var splitter = new RecordSplitter(record, ReaderLimits.Default) { Delimiter = (byte)delimiter };
        if (splitter.Next() != RecordKind.Record)
            return [raw];

        var cells = new List<string>(splitter.CellCount);
        for (var i = 0; i < splitter.CellCount && i < ReaderLimits.Default.MaxColumns; i++)
            cells.Add(Encoding.UTF8.GetString(splitter.Cell(i)));

        return cells;
    }
}
