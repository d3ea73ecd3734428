using Camino.Imports;
using Camino.Jobs;
using Camino.Resources;
using Microsoft.AspNetCore.Html;
using Microsoft.Extensions.Localization;

namespace Camino.Web;

/// <summary>A state in one word, in a colour that never says more than the word.</summary>
public static class Chips
{
    /// <summary>State of an import; the warm tone means: a person is waited for.</summary>
    public static IHtmlContent Chip(this IStringLocalizer<Texts> texts, ImportStatus status) => Write(texts.Of(status), status switch
    {
        ImportStatus.NeedsMapping or ImportStatus.Checked => "warn",
        ImportStatus.Done => "good",
        ImportStatus.Failed => "bad",
        ImportStatus.Cancelled => "quiet",
        _ => "info",
    });

    /// <summary>State of a loan.</summary>
    public static IHtmlContent Chip(this IStringLocalizer<Texts> texts, LoanStatus status) => Write(texts.Of(status), status switch
    {
        LoanStatus.Open => "info",
        LoanStatus.PaidInFull => "good",
        LoanStatus.ChargedOff => "bad",
        _ => "quiet",
    });

    /// <summary>State of a job.</summary>
    public static IHtmlContent Chip(this IStringLocalizer<Texts> texts, JobState state) => Write(texts["JobState." + state], state switch
    {
        JobState.Running => "info",
        JobState.Done => "good",
        JobState.Failed => "bad",
        JobState.Scheduled => "warn",
        _ => "quiet",
    });

    /// <param name="tone"><c>info</c>, <c>good</c>, <c>warn</c>, <c>bad</c> or <c>quiet</c>.</param>
    public static IHtmlContent Write(string text, string tone) =>
        new HtmlContentBuilder().AppendHtml("<span class=\"chip chip-").AppendHtml(tone).AppendHtml("\">").Append(text).AppendHtml("</span>");
}
