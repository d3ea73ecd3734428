using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;

namespace Camino.Web.Charts;

/// <summary>A balance from a date on, until the next one.</summary>
public readonly record struct BalancePoint(DateOnly On, decimal Amount);

/// <summary>
/// Draws a balance over time as SVG on the server: what was, as an area with a firm line; what is to come, dashed. The picture fills any width; text keeps its size; colours
/// come from CSS classes, so that it follows the theme and prints.
/// </summary>
public static class BalanceChart
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(System.Text.Unicode.UnicodeRanges.All);
    private const int Height = 220;
    private const int Top = 22;
    private const int Bottom = 26;
    private const int Plot = Height - Top - Bottom;
    private const decimal Width = 1000m;

    /// <param name="id">Unique on the page.</param>
    /// <param name="title">What the picture shows, with its figures, for those who do not see it.</param>
    /// <param name="past">What was, in order of dates; at least one.</param>
    /// <param name="future">What is to come, in order; may be empty.</param>
    /// <param name="today">Where the past ends.</param>
    public static IHtmlContent Write(string id, string title, IReadOnlyList<BalancePoint> past, IReadOnlyList<BalancePoint> future, DateOnly today, string todayLabel, Func<decimal, string> axis, Func<DateOnly, string> date)
    {
        var first = past[0].On;
        var last = future.Count > 0 && future[^1].On > today ? future[^1].On : today;
        var days = Math.Max(1, last.DayNumber - first.DayNumber);
        var most = Math.Max(past.Max(point => point.Amount), future.Select(point => point.Amount).DefaultIfEmpty().Max());
        var top = most <= 0m ? 1m : most * 1.04m;
        decimal X(DateOnly on) => (on.DayNumber - first.DayNumber) * Width / days;
        decimal Y(decimal amount) => Plot - (amount / top * Plot);

        var line = Steps(past, today, X, Y);
        var html = new StringBuilder("<div class=\"chart\">");
        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart-axis\" width=\"58\" height=\"{Height}\" aria-hidden=\"true\" focusable=\"false\">");
        for (var part = 0; part <= 4; part++)
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"52\" y=\"{Top + Y(most * part / 4m) + 4:0.#}\" text-anchor=\"end\">{s_encoder.Encode(axis(most * part / 4m))}</text>");
        html.Append(CultureInfo.InvariantCulture, $"</svg><svg class=\"chart-plot\" width=\"100%\" height=\"{Height}\" role=\"img\" aria-labelledby=\"{id}-title\"><title id=\"{id}-title\">{s_encoder.Encode(title)}</title>");
        for (var part = 0; part <= 4; part++)
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"{(part == 0 ? "axis" : "grid")}\" x1=\"0\" x2=\"100%\" y1=\"{Top + Y(most * part / 4m):0.#}\" y2=\"{Top + Y(most * part / 4m):0.#}\"/>");
        html.Append(CultureInfo.InvariantCulture, $"<svg x=\"0\" y=\"{Top}\" width=\"100%\" height=\"{Plot}\" viewBox=\"0 0 1000 {Plot}\" preserveAspectRatio=\"none\">");
        html.Append(CultureInfo.InvariantCulture, $"<path class=\"balance-area\" d=\"{line} V{Plot} H{X(first):0.##} Z\"/><path class=\"balance-line\" d=\"{line}\" vector-effect=\"non-scaling-stroke\"/>");
        if (future.Count > 0)
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"balance-future\" d=\"{Steps([new BalancePoint(today, past[^1].Amount), .. future], last, X, Y)}\" vector-effect=\"non-scaling-stroke\"/>");
        html.Append("</svg>");
        if (today > first && today < last)
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"balance-today\" x1=\"{X(today) / 10m:0.##}%\" x2=\"{X(today) / 10m:0.##}%\" y1=\"{Top}\" y2=\"{Top + Plot}\"/>");
        html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"0\" y=\"{Height - 8}\" text-anchor=\"start\">{s_encoder.Encode(date(first))}</text>");
        // above the plot, so that it never stands on a date below it
        if (today > first && today < last)
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"{X(today) / 10m:0.##}%\" y=\"{Top - 8}\" text-anchor=\"{(X(today) < 100m ? "start" : X(today) > 900m ? "end" : "middle")}\">{s_encoder.Encode(todayLabel)}</text>");
        html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"100%\" y=\"{Height - 8}\" text-anchor=\"end\">{s_encoder.Encode(date(last))}</text>");
        return new HtmlString(html.Append("</svg></div>").ToString());
    }

    /// <summary>A balance stays until it changes: level, then straight up or down.</summary>
    private static string Steps(IReadOnlyList<BalancePoint> points, DateOnly until, Func<DateOnly, decimal> x, Func<decimal, decimal> y)
    {
        var path = new StringBuilder();
        path.Append(CultureInfo.InvariantCulture, $"M{x(points[0].On):0.##} {y(points[0].Amount):0.##}");
        foreach (var point in points.Skip(1))
            path.Append(CultureInfo.InvariantCulture, $" H{x(point.On):0.##} V{y(point.Amount):0.##}");
        return path.Append(CultureInfo.InvariantCulture, $" H{x(until):0.##}").ToString();
    }
}
