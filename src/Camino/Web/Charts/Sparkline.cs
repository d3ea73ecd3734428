using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;

namespace Camino.Web.Charts;

/// <summary>A picture as large as a word: how one figure went over the last hour. The words beside it say the same to those who do not see it.</summary>
public static class Sparkline
{
    private const int Height = 26;
    private const int Width = 120;

    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(System.Text.Unicode.UnicodeRanges.All);

    /// <param name="values">Oldest first; null where nothing is known.</param>
    /// <param name="name">CSS class of the colour: <c>series-1</c>, <c>series-2</c>, <c>series-bad</c>.</param>
    /// <param name="title">What it shows, with its highest value.</param>
    /// <param name="above">A second part of each column that stands on the first, for example what failed; empty for none.</param>
    public static IHtmlContent Write(IReadOnlyList<double?> values, string name, string title, IReadOnlyList<double?>? above = null)
    {
        var most = Math.Max(1d, Enumerable.Range(0, values.Count).Select(i => (values[i] ?? 0) + (above?[i] ?? 0)).DefaultIfEmpty(0).Max());
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"spark\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{Encoder.Encode(title)}\" focusable=\"false\"><title>{Encoder.Encode(title)}</title>");
        html.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"0\" x2=\"{Width}\" y1=\"{Height - 0.5}\" y2=\"{Height - 0.5}\"/>");
        var slot = (double)Width / Math.Max(1, values.Count);
        for (var i = 0; i < values.Count; i++)
        {
            var low = Bar(html, values[i], i * slot, slot, 0, most, name);
            if (above is not null)
                Bar(html, above[i], i * slot, slot, low, most, "series-bad");
        }

        return new HtmlString(html.Append("</svg>").ToString());
    }

    private static double Bar(StringBuilder html, double? value, double left, double slot, double from, double most, string name)
    {
        if (value is not > 0)
            return from;
        var height = Math.Max(1.5, value.Value / most * (Height - 2));
        html.Append(CultureInfo.InvariantCulture, $"<rect class=\"{name}\" x=\"{left + (slot * 0.12):0.##}\" width=\"{slot * 0.76:0.##}\" y=\"{Height - 1 - from - height:0.##}\" height=\"{height:0.##}\"/>");
        return from + height;
    }
}
