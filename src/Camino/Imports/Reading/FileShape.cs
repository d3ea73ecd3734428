namespace Camino.Imports;

/// <summary>What a file turned out to be, known before its first row is read.</summary>
/// <param name="Container"><c>plain</c>, <c>gzip</c> or <c>zip</c>, told by content and not by name.</param>
/// <param name="Encoding"><c>utf-8</c>, <c>utf-16le</c>, <c>utf-16be</c>, <c>utf-32le</c>, <c>utf-32be</c> or <c>windows-1252</c>.</param>
/// <param name="Delimiter">Comma, semicolon, tab or vertical bar.</param>
/// <param name="Header">
/// The headings in order, trimmed. A heading that comes again gets a number: <c>Name</c>, <c>Name (2)</c>. An empty heading stays empty; its column is
/// never read.
/// </param>
/// <param name="Layout">The layout bound to this header; null when none fits and staff have to say which column is what.</param>
/// <param name="Preview">The cells of the first 20 records, demographic answers blanked out, each cell cut at 200 characters.</param>
/// <param name="IgnoredColumns">Headings that the layout does not take in. Race, ethnicity, sex and veteran status are always among them.</param>
public sealed record FileShape(
    string Container,
    string Encoding,
    char Delimiter,
    IReadOnlyList<string> Header,
    Layout? Layout,
    IReadOnlyList<string[]> Preview,
    IReadOnlyList<string> IgnoredColumns);

/// <summary>How much a file may ask of this machine. The defaults are what docs/imports.md promises.</summary>
public sealed record ReaderLimits
{
    /// <summary>The limits that the application uses.</summary>
    public static ReaderLimits Default { get; } = new();

    /// <summary>Bytes after unpacking; beyond it the file is refused.</summary>
    public long MaxExpandedBytes { get; init; } = 8L << 30;

    /// <summary>Unpacked bytes for one packed byte; beyond it the file is refused. Real portfolio files reach 5 to 30.</summary>
    public int MaxRatio { get; init; } = 250;

    /// <summary>Unpacked bytes up to which the ratio does not matter.</summary>
    public long RatioCountsFromBytes { get; init; } = 16L << 20;

    /// <summary>Bytes of one record; a longer one is rejected with its line.</summary>
    public int MaxRecordBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a quoted value that runs over several lines.</summary>
    public int MaxQuotedBytes { get; init; } = 64 << 10;

    /// <summary>Lines of a quoted value.</summary>
    public int MaxQuotedLines { get; init; } = 50;

    /// <summary>Columns of a header.</summary>
    public int MaxColumns { get; init; } = 1_000;
}

/// <summary>The file as a whole cannot be read; nothing of it may be stored because of what comes after.</summary>
/// <param name="code">Stable: <c>import.file.empty</c> and its like, all listed in docs/imports.md.</param>
/// <param name="message">One English sentence with what was found and what to do.</param>
/// <param name="args">The values in the sentence, by name, for translation.</param>
public sealed class ImportFileException(string code, string message, IReadOnlyDictionary<string, string>? args = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Stable code.</summary>
    public string Code { get; } = code;

    /// <summary>The values that the message holds, by name.</summary>
    public IReadOnlyDictionary<string, string> Args { get; } = args ?? new Dictionary<string, string>();
}
