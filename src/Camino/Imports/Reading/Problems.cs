using System.Globalization;

namespace Camino.Imports;

/// <summary>The sentences for files that cannot be read as a whole.</summary>
internal static class Problems
{
    public static Dictionary<string, string> Args(string fileName) => new() { ["file"] = fileName };

    public static ImportFileException Empty(string fileName) => new("import.file.empty", $"{fileName} is empty.", Args(fileName));

    public static ImportFileException Spreadsheet(string fileName) => new(
        "import.file.spreadsheet", $"{fileName} is a spreadsheet; open it and save it as CSV (UTF-8), then hand in that file.", Args(fileName));

    public static ImportFileException Binary(string fileName, string kind) => new(
        "import.file.binary", $"{fileName} is not a text file ({kind}).", new Dictionary<string, string> { ["file"] = fileName, ["kind"] = kind });

    public static ImportFileException NoDelimiter(string fileName) => new(
        "import.file.no_delimiter", $"{fileName} has no columns: no comma, semicolon, tab or vertical bar divides its first line.", Args(fileName));

    public static ImportFileException Header(string fileName, string why) => new(
        "import.file.header_unreadable", $"The first line of {fileName} cannot be read as headings: {why}.",
        new Dictionary<string, string> { ["file"] = fileName, ["why"] = why });

    public static ImportFileException Damaged(string code, string fileName, Exception? inner) =>
        new(code, $"{fileName} is damaged or cut off; nothing after the damage can be read.", Args(fileName), inner);

    public static ImportFileException TooLarge(string fileName, ReaderLimits limits)
    {
        var most = (limits.MaxExpandedBytes / 1_000_000).ToString(CultureInfo.InvariantCulture);
        return new ImportFileException(
            "import.file.too_large",
            $"{fileName} holds more than {most} MB of text.",
            new Dictionary<string, string> { ["file"] = fileName, ["limitMegabytes"] = most });
    }

    public static ImportFileException Bomb(string fileName, ReaderLimits limits)
    {
        var ratio = limits.MaxRatio.ToString(CultureInfo.InvariantCulture);
        return new ImportFileException(
            "import.file.zip_bomb",
            $"{fileName} unpacks to more than {ratio} times its size; that is no portfolio.",
            new Dictionary<string, string> { ["file"] = fileName, ["limitRatio"] = ratio });
    }
}
