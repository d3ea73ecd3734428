using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;

namespace Camino.Web.Charts;

/// <summary>One column of a chart.</summary>
/// <param name="Label">Under the column: a year, a range.</param>
/// <param name="Weight">When the label is shown: 2 always, 1 only where there is room, 0 never.</param>
/// <param name="Values">One value for each series; null where there is none to show.</param>
/// <param name="Title">What the column says in full; shown on pointing and read out.</param>
/// <param name="Link">Where the column leads; null where it leads nowhere.</param>
/// <param name="Faint">Drawn faint because it stands on few loans.</param>
public sealed record ChartColumn(string Label, int Weight, IReadOnlyList<decimal?> Values, string Title, string? Link, bool Faint = false);

/// <summary>
/// Draws columns as SVG on the server. Places are given in percent of the width, so that the picture fills any width while its text keeps its size;
/// colours come from CSS classes, so that it follows the theme and prints. Faint columns do not set the scale: what stands on few loans ends at its top.
/// </summary>
public static class ColumnChart
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(System.Text.Unicode.UnicodeRanges.All);
    private const int Height = 200;
    private const int Top = 12;
    private const int Bottom = 24;
    private const int Plot = Height - Top - Bottom;

    /// <param name="id">Unique on the page, for the names that screen readers use.</param>
    /// <param name="title">What the picture shows.</param>
    /// <param name="series">CSS class of each series; a later one stands in front of an earlier one.</param>
    /// <param name="axis">How a value is written beside the axis.</param>
    public static IHtmlContent Write(string id, string title, IReadOnlyList<ChartColumn> columns, IReadOnlyList<string> series, Func<decimal, string> axis)
    {
        var most = columns.Where(column => !column.Faint).SelectMany(column => column.Values).Max() ?? columns.SelectMany(column => column.Values).Max() ?? 0m;
        var step = Step(most);
        var top = most == 0m ? 1m : Math.Ceiling(most / step) * step;
        var html = new StringBuilder("<div class=\"chart\">");
        Axis(html, step, top, axis);
        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart-plot\" width=\"100%\" height=\"{Height}\" role=\"group\" aria-labelledby=\"{id}-title\"><title id=\"{id}-title\">{Encode(title)}</title>");
        for (var value = 0m; value <= top; value += step)
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"{(value == 0m ? "axis" : "grid")}\" x1=\"0\" x2=\"100%\" y1=\"{Y(value, top):0.#}\" y2=\"{Y(value, top):0.#}\"/>");
        var slot = 100m / Math.Max(1, columns.Count);
        for (var i = 0; i < columns.Count; i++)
            Column(html, columns[i], slot * i, slot, top, series);
        return new HtmlString(html.Append("</svg></div>").ToString());
    }

    private static void Axis(StringBuilder html, decimal step, decimal top, Func<decimal, string> axis)
    {
        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart-axis\" width=\"58\" height=\"{Height}\" aria-hidden=\"true\" focusable=\"false\">");
        for (var value = 0m; value <= top; value += step)
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"52\" y=\"{Y(value, top) + 4:0.#}\" text-anchor=\"end\">{Encode(axis(value))}</text>");
        html.Append("</svg>");
    }

    private static void Column(StringBuilder html, ChartColumn column, decimal left, decimal slot, decimal top, IReadOnlyList<string> series)
    {
        var link = column.Link is { } target ? $" href=\"{Encode(target)}\" tabindex=\"-1\"" : "";
        html.Append(CultureInfo.InvariantCulture, $"<a class=\"column{(column.Faint ? " column-faint" : "")}\"{link} data-tip><title>{Encode(column.Title)}</title>");
        html.Append(CultureInfo.InvariantCulture, $"<rect class=\"column-hit\" x=\"{left:0.###}%\" width=\"{slot:0.###}%\" y=\"0\" height=\"{Height - Bottom}\"/>");
        for (var i = 0; i < series.Count; i++)
        {
            if (column.Values[i] is not { } value || value <= 0m)
                continue;
            var share = i == 0 ? 0.72m : 0.44m;
            var height = Math.Clamp(value / top * Plot, 1m, Plot);
            html.Append(CultureInfo.InvariantCulture, $"<rect class=\"{series[i]}\" x=\"{left + (slot * (1 - share) / 2):0.###}%\" width=\"{slot * share:0.###}%\" y=\"{Top + Plot - height:0.#}\" height=\"{height:0.#}\" rx=\"1.5\"/>");
        }

        html.Append("</a>");
        if (column.Weight > 0)
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick{(column.Weight == 1 ? " tick-minor" : "")}\" x=\"{left + (slot / 2):0.###}%\" y=\"{Height - 7}\" text-anchor=\"middle\" aria-hidden=\"true\">{Encode(column.Label)}</text>");
    }

    private static decimal Y(decimal value, decimal top) => Top + Plot - (value / top * Plot);

    /// <summary>1, 2 or 5 times a power of ten, so that there are three to five lines.</summary>
    internal static decimal Step(decimal most)
    {
        if (most <= 0m)
            return 1m;
        var raw = most / 4m;
        var power = (decimal)Math.Pow(10, Math.Floor(Math.Log10((double)raw)));
        return (raw / power) switch
        {
            <= 1m => power,
            <= 2m => power * 2m,
            <= 2.5m => power * 2.5m,
            <= 5m => power * 5m,
            _ => power * 10m,
        };
    }

    private static string Encode(string text) => s_encoder.Encode(text);
}
