using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Html;
using Microsoft.Extensions.Localization;

namespace Camino.Tasks;

/// <summary>How pages say what a task is and when it is due.</summary>
internal static class TaskTexts
{
    /// <summary>What people wrote as it is, what Camino says in the reader's language.</summary>
    public static string Title(IStringLocalizer<Texts> texts, TaskLine line) => line.Said is { } said ? texts[said, line.SubjectName ?? ""].Value : line.Title;

    /// <summary>The day, warm on the day itself and red behind it; nothing for a task without one.</summary>
    public static IHtmlContent Due(IStringLocalizer<Texts> texts, TaskLine line)
    {
        if (line.DueOn is not { } day || line.State != TaskState.Open)
            return HtmlString.Empty;
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(line.ReadAt, s_newYork).DateTime);
        return day < today ? Chips.Write(texts["Tasks.Late", Show.Date(day)], "bad") : day == today ? Chips.Write(texts["Tasks.Today"], "warn") : Chips.Write(texts["Tasks.Until", Show.Date(day)], "quiet");
    }

    private static readonly TimeZoneInfo s_newYork = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");
}
