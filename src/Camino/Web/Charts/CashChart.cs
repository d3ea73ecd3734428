using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;

namespace Camino.Web.Charts;

/// <summary>
/// Draws daily balances as SVG on the server, also such as lie below zero: level, then straight up or down. Where nothing is known the line breaks. The picture fills any width; text keeps its size;
/// colours come from CSS classes, so that it follows the theme and prints.
/// </summary>
public static class CashChart
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(System.Text.Unicode.UnicodeRanges.All);
    private const int Height = 220;
    private const int Top = 12;
    private const int Bottom = 26;
    private const int Plot = Height - Top - Bottom;
    private const decimal Width = 1000m;

    /// <param name="id">Unique on the page.</param>
    /// <param name="title">What the picture shows, with its figures, for those who do not see it.</param>
    /// <param name="stretches">Days one after the other, in order; at least one with one day.</param>
    public static IHtmlContent Write(string id, string title, IReadOnlyList<IReadOnlyList<BalancePoint>> stretches, Func<decimal, string> axis, Func<DateOnly, string> date)
    {
        var (first, last) = (stretches[0][0].On, stretches[^1][^1].On);
        var days = last.DayNumber - first.DayNumber + 1;
        var amounts = stretches.SelectMany(stretch => stretch).Select(point => point.Amount).ToList();
        var step = ColumnChart.Step(Math.Max(Math.Max(0m, amounts.Max()), -Math.Min(0m, amounts.Min())));
        var low = Math.Floor(Math.Min(0m, amounts.Min()) / step) * step;
        var high = Math.Max(Math.Ceiling(Math.Max(0m, amounts.Max()) / step) * step, low + step);
        decimal X(DateOnly on) => (on.DayNumber - first.DayNumber) * Width / days;
        decimal Y(decimal amount) => Plot - ((amount - low) / (high - low) * Plot);

        var html = new StringBuilder("<div class=\"chart\">");
        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart-axis\" width=\"58\" height=\"{Height}\" aria-hidden=\"true\" focusable=\"false\">");
        for (var value = low; value <= high; value += step)
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"52\" y=\"{Top + Y(value) + 4:0.#}\" text-anchor=\"end\">{s_encoder.Encode(axis(value))}</text>");
        html.Append(CultureInfo.InvariantCulture, $"</svg><svg class=\"chart-plot\" width=\"100%\" height=\"{Height}\" role=\"img\" aria-labelledby=\"{id}-title\"><title id=\"{id}-title\">{s_encoder.Encode(title)}</title>");
        for (var value = low; value <= high; value += step)
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"{(value == 0m ? "axis" : "grid")}\" x1=\"0\" x2=\"100%\" y1=\"{Top + Y(value):0.#}\" y2=\"{Top + Y(value):0.#}\"/>");
        html.Append(CultureInfo.InvariantCulture, $"<svg x=\"0\" y=\"{Top}\" width=\"100%\" height=\"{Plot}\" viewBox=\"0 0 1000 {Plot}\" preserveAspectRatio=\"none\">");
        foreach (var stretch in stretches)
        {
            var line = Line(stretch, X, Y);
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"balance-area\" d=\"{line} V{Y(0m):0.##} H{X(stretch[0].On):0.##} Z\"/><path class=\"balance-line\" d=\"{line}\" vector-effect=\"non-scaling-stroke\"/>");
        }

        html.Append(CultureInfo.InvariantCulture, $"</svg><text class=\"tick\" x=\"0\" y=\"{Height - 8}\" text-anchor=\"start\">{s_encoder.Encode(date(first))}</text><text class=\"tick\" x=\"100%\" y=\"{Height - 8}\" text-anchor=\"end\">{s_encoder.Encode(date(last))}</text>");
        return new HtmlString(html.Append("</svg></div>").ToString());
    }

    private static string Line(IReadOnlyList<BalancePoint> days, Func<DateOnly, decimal> x, Func<decimal, decimal> y)
    {
        var path = new StringBuilder();
        path.Append(CultureInfo.InvariantCulture, $"M{x(days[0].On):0.##} {y(days[0].Amount):0.##}");
        for (var i = 1; i < days.Count; i++)
        {
            if (days[i].Amount != days[i - 1].Amount)
                path.Append(CultureInfo.InvariantCulture, $" H{x(days[i].On):0.##} V{y(days[i].Amount):0.##}");
        }

        return path.Append(CultureInfo.InvariantCulture, $" H{x(days[^1].On.AddDays(1)):0.##}").ToString();
    }
}
