using System.Text;

namespace Camino.Imports;

/// <summary>Reads a portfolio file from disk as a stream of rows, each an accepted or corrected loan or a rejection with its reasons.</summary>
/// <remarks>
/// Synchronous on purpose: one import is one job on its own thread, and a row takes microseconds. Cancel between rows. Memory stays flat at any file
/// size: a few megabytes, plus the longest record allowed. Not safe for several threads. Reading a file twice gives the same rows in the same order.
/// </remarks>
public sealed class PortfolioReader : IDisposable, IAsyncDisposable
{
    private const int EncodingSample = 1 << 20;
    private const int PreviewCell = 200;

    private readonly FileStream _file;
    private readonly RecordSplitter _records;
    private readonly RowReader? _rows;
    private long _recordNumber;

    private PortfolioReader(FileStream file, RecordSplitter records, FileShape shape, ReaderLimits limits)
    {
        _file = file;
        _records = records;
        Shape = shape;
        FileLength = file.Length;
        if (shape.Layout is { } layout)
        {
            _rows = new RowReader(shape, layout, limits);
            records.SingleLineColumns = RowReader.SingleLineColumns(shape, layout);
        }
    }

    /// <summary>What the file turned out to be.</summary>
    public FileShape Shape { get; }

    /// <summary>Bytes of the file on disk that have been taken, for progress: packed bytes where it is packed. Runs ahead of the rows by a buffer.</summary>
    public long BytesRead => _file.Position;

    /// <summary>Bytes of the file on disk.</summary>
    public long FileLength { get; }

    /// <summary>Opens a file and finds out what it is. Reads at most the first megabyte of its text.</summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="fileName">What staff called it; only used in messages.</param>
    /// <param name="limits">See <see cref="ReaderLimits.Default"/>.</param>
    /// <param name="mapping">
    /// What staff said about the columns; null: detect. A file without a known layout opens too, with <see cref="FileShape.Layout"/> null.
    /// </param>
    /// <exception cref="ImportFileException">
    /// The file as a whole cannot be read: one of the <c>import.file.*</c> codes of docs/imports.md, or <c>import.mapping.column_unknown</c>.
    /// </exception>
    public static PortfolioReader Open(string path, string fileName, ReaderLimits limits, Layout? mapping = null)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 << 10, FileOptions.SequentialScan);
        Stream? content = null;
        try
        {
            (var container, content) = FileContainer.Open(file, fileName, limits);
            (var encoding, content) = Decode(content, fileName);
            var records = new RecordSplitter(content, limits);
            var sample = Sample.Choose(records, fileName, limits);
            var layout = mapping?.Bind(sample.Header) ?? Layouts.Detect(sample.Header, sample.Rows);
            var shape = Describe(container, encoding, sample, layout);

            records.Delimiter = (byte)sample.Delimiter;
            records.ExpectedColumns = RowReader.Width(sample.Header);
            if (records.Next() != RecordKind.Record)
                throw Problems.Header(fileName, "it is too long, or a quotation mark is not closed");

            return new PortfolioReader(file, records, shape, limits);
        }
        catch
        {
            content?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next record into <paramref name="row"/>, which may be used again; false at the end of the file.</summary>
    /// <exception cref="ImportFileException">
    /// Further in the file turns out to be damaged (<c>import.file.gzip_damaged</c>, <c>import.file.zip_damaged</c>) or larger than allowed
    /// (<c>import.file.too_large</c>, <c>import.file.zip_bomb</c>). Rows given out before are good.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="FileShape.Layout"/> is null: nobody has said which column is what.</exception>
    public bool TryRead(PortfolioRow row)
    {
        if (_rows is null)
            throw new InvalidOperationException("This file has no known layout; open it with a mapping.");

        var kind = _records.Next();
        if (kind == RecordKind.End)
            return false;

        row.RecordNumber = ++_recordNumber;
        _rows.Read(_records, kind, row);
        return true;
    }

    /// <summary>The text of the record that was read last, as <see cref="PortfolioRow.Raw"/> shows it: for whoever rejects a row that the reader accepted.</summary>
    public string RawOfLast() => _rows?.Raw(_records) ?? "";

    /// <summary>Passes over records without reading their values: the way to go on from a checkpoint.</summary>
    /// <param name="records">How many; going past the end is not an error.</param>
    /// <exception cref="ImportFileException">As in <see cref="TryRead"/>.</exception>
    public void Skip(long records)
    {
        for (; records > 0 && _records.Next() != RecordKind.End; records--)
            _recordNumber++;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _records.Dispose();
        _file.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Finds the encoding and gives the same text as UTF-8.</summary>
    private static (string Encoding, Stream Utf8) Decode(Stream content, string fileName)
    {
        var sample = new byte[EncodingSample];
        var length = content.ReadAtLeast(sample, sample.Length, throwOnEndOfStream: false);
        if (length == 0)
            throw Problems.Empty(fileName);

        FileContainer.RefuseKnownBinary(sample.AsSpan(0, Math.Min(16, length)), fileName);
        var encoding = TextEncoding.Detect(sample.AsSpan(0, length));
        var whole = new PrefixedStream(sample.AsMemory(encoding.ByteOrderMark..length), content);
        return (encoding.Name, encoding.Encoding is null ? whole : Encoding.CreateTranscodingStream(whole, encoding.Encoding, new UTF8Encoding(false)));
    }

    private static FileShape Describe(string container, string encoding, Sample sample, Layout? layout)
    {
        var demographic = sample.Header.Select(Headings.IsDemographic).ToArray();
        var preview = sample.Rows.Select(row => row.Select((cell, i) => i < demographic.Length && demographic[i] ? "" : Shown.Cut(cell, PreviewCell)).ToArray()).ToList();
        var used = layout?.Columns.Select(use => use.Index).ToHashSet() ?? [];
        var ignored = sample.Header.Where((heading, i) => heading.Length > 0 && !used.Contains(i)).ToList();
        return new FileShape(container, encoding, sample.Delimiter, sample.Header, layout, preview, ignored);
    }
}
