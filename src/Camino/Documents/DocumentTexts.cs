using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Html;
using Microsoft.Extensions.Localization;

namespace Camino.Documents;

/// <summary>How pages say how large a document is, how long it is good, and whether it was looked at.</summary>
internal static class DocumentTexts
{
    private const int SoonDays = 30;

    /// <summary>In kilobytes or megabytes, as people say it.</summary>
    public static string Size(IStringLocalizer<Texts> texts, long bytes) => bytes < 1_000_000 ? texts["Documents.Kilobytes", Show.Number(Math.Max(1, bytes / 1_000))] : texts["Documents.Megabytes", (bytes / 1_000_000m).ToString("0.0", System.Globalization.CultureInfo.CurrentCulture)];

    /// <summary>Red behind the day, warm in the month before it; nothing for a document without one.</summary>
    public static IHtmlContent Expiry(IStringLocalizer<Texts> texts, DocumentLine line)
    {
        if (line.ExpiresOn is not { } day)
            return HtmlString.Empty;
        var today = DateOnly.FromDateTime(line.ReadAt.UtcDateTime);
        return day < today ? Chips.Write(texts["Documents.Expired", Show.Date(day)], "bad") : Chips.Write(texts["Documents.Expires", Show.Date(day)], day <= today.AddDays(SoonDays) ? "warn" : "quiet");
    }

    /// <summary>Only what keeps people from opening it.</summary>
    public static IHtmlContent Scan(IStringLocalizer<Texts> texts, ScanState scan) => scan switch
    {
        ScanState.Waiting => Chips.Write(texts["ScanState.Waiting"], "info"),
        ScanState.Infected => Chips.Write(texts["ScanState.Infected"], "bad"),
        _ => HtmlString.Empty,
    };
}
