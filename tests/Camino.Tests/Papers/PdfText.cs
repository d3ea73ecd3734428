using System.Text;
using System.Text.RegularExpressions;
using UglyToad.PdfPig;

namespace Camino.Tests.Papers;

/// <summary>Reads a PDF as somebody does who has another program than the one that made it.</summary>
internal static partial class PdfText
{
    /// <summary>All text, line by line.</summary>
    public static string Of(byte[] pdf)
    {
        using var document = PdfDocument.Open(pdf);
        var text = new StringBuilder();
        foreach (var page in document.GetPages())
        {
            foreach (var line in page.GetWords().GroupBy(word => Math.Round(word.BoundingBox.Bottom / 3)).OrderByDescending(group => group.Key))
                text.AppendLine(string.Join(' ', line.OrderBy(word => word.BoundingBox.Left).Select(word => word.Text)));
        }

        return text.ToString();
    }

    /// <summary>Every amount, percentage and count, in the order in which they are read.</summary>
    public static IReadOnlyList<string> FiguresOf(byte[] pdf)
    {
        using var document = PdfDocument.Open(pdf);
        return [.. document.GetPages().SelectMany(page => Figure().Matches(string.Join(' ', page.GetWords().OrderByDescending(word => Math.Round(word.BoundingBox.Bottom / 3)).ThenBy(word => word.BoundingBox.Left).Select(word => word.Text))).Select(match => match.Value))];
    }

    public static (string? Title, string? Language, bool IsTagged, int Pages) AboutOf(byte[] pdf)
    {
        using var document = PdfDocument.Open(pdf);
        var raw = Encoding.Latin1.GetString(pdf);
        return (document.Information.Title, Language().Match(raw) is { Success: true } match ? match.Groups["language"].Value : null, raw.Contains("/StructTreeRoot", StringComparison.Ordinal) && Marked().IsMatch(raw), document.NumberOfPages);
    }

    [GeneratedRegex(@"\$[\d,]+\.\d\d|\d+\.\d+%|\b\d{1,3}\b(?=( \w+)? \$)", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Figure();

    [GeneratedRegex(@"/Lang\s*\((?<language>[^)]+)\)", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Language();

    [GeneratedRegex(@"/Marked\s+true", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Marked();
}
