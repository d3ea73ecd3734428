using System.Text;

namespace Camino.Imports;

/// <summary>The header and first records of a file as one delimiter divides them.</summary>
internal sealed record Sample(char Delimiter, string[] Header, IReadOnlyList<string[]> Rows)
{
    private const int Bytes = 256 << 10;
    private const int Records = 20;
    private static readonly char[] Delimiters = [',', ';', '\t', '|'];

    /// <summary>Rows as wide as the header, give or take empty cells at the end.</summary>
    private int Fitting
    {
        get
        {
            var width = RowReader.Width(Header);
            return Rows.Count(row => row.Length >= width && row.Skip(width).All(string.IsNullOrWhiteSpace));
        }
    }

    /// <summary>
    /// Tries all delimiters on the start of the file. One whose header is a known layout wins; else the one that divides most rows like the header, and
    /// among equals the one with most columns.
    /// </summary>
    public static Sample Choose(RecordSplitter text, string fileName, ReaderLimits limits)
    {
        var bytes = text.Peek(Bytes).ToArray();
        if (bytes.AsSpan().Trim(" \t\r\n\u001A"u8).IsEmpty)
            throw Problems.Empty(fileName);

        RefuseControlCharacters(bytes, fileName);
        Sample? best = null;
        foreach (var delimiter in StatedDelimiter(text, ref bytes) is { } stated ? [stated] : Delimiters)
        {
            var sample = Take(bytes, text.AtEnd, delimiter, limits);
            if (sample is null || RowReader.Width(sample.Header) < 2)
                continue;
            if (Layouts.Detect(sample.Header, sample.Rows) is not null)
                return sample;
            if (best is null || (sample.Fitting, sample.Header.Length).CompareTo((best.Fitting, best.Header.Length)) > 0)
                best = sample;
        }

        if (best is null)
            throw Problems.NoDelimiter(fileName);
        if (best.Header.Length > limits.MaxColumns)
            throw Problems.Header(fileName, $"more than {limits.MaxColumns} columns");

        return best;
    }

    /// <summary>Spreadsheets write and obey a first line such as <c>sep=;</c>.</summary>
    private static char? StatedDelimiter(RecordSplitter text, ref byte[] bytes)
    {
        if (bytes.Length < 6 || !Ascii.EqualsIgnoreCase(bytes.AsSpan(0, 4), "sep="))
            return null;
        if (!Delimiters.Contains((char)bytes[4]) || bytes[5] is not ((byte)'\r' or (byte)'\n'))
            return null;

        var delimiter = (char)bytes[4];
        var length = bytes.Length > 6 && bytes[5] == '\r' && bytes[6] == '\n' ? 7 : 6;
        text.DropLine(length);
        bytes = bytes[length..];
        return delimiter;
    }

    private static Sample? Take(byte[] bytes, bool whole, char delimiter, ReaderLimits limits)
    {
        using var splitter = new RecordSplitter(new MemoryStream(bytes, writable: false), limits) { Delimiter = (byte)delimiter };
        if (splitter.Next() != RecordKind.Record)
            return null;

        var header = Headings.Distinct(Cells(splitter, limits));
        splitter.ExpectedColumns = RowReader.Width(header);
        var rows = new List<string[]>();
        RecordKind kind;
        while ((kind = splitter.Next()) != RecordKind.End && rows.Count < Records)
        {
            if (kind == RecordKind.Record)
                rows.Add(Cells(splitter, limits));
        }

        // The last record of a cut sample is cut itself.
        if (kind == RecordKind.End && !whole && rows.Count > 0)
            rows.RemoveAt(rows.Count - 1);

        return new Sample(delimiter, header, rows);
    }

    private static string[] Cells(RecordSplitter record, ReaderLimits limits)
    {
        var cells = new string[Math.Min(record.CellCount, limits.MaxColumns + 1)];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = Encoding.UTF8.GetString(record.Cell(i));

        return cells;
    }

    /// <summary>Text has no control characters in its first line, and no NUL beyond an accident here and there.</summary>
    private static void RefuseControlCharacters(ReadOnlySpan<byte> bytes, string fileName)
    {
        var text = bytes.TrimStart("\r\n"u8);
        var end = text.IndexOfAny((byte)'\r', (byte)'\n');
        foreach (var one in end < 0 ? text : text[..end])
        {
            if (one < 0x20 && one != '\t')
                throw Problems.Binary(fileName, "control characters in its first line");
        }

        if (bytes.Count((byte)0) > bytes.Length / 10)
            throw Problems.Binary(fileName, "mostly zero bytes");
    }
}
