using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Html;

namespace Camino.Web.Charts;

/// <summary>A thin bar that shows how a whole divides into its parts; the figures stand beside it, so it is hidden from screen readers.</summary>
public static class PartsBar
{
    /// <param name="parts">Size and CSS class of each part, in order.</param>
    public static IHtmlContent Write(IEnumerable<(decimal Size, string Class)> parts)
    {
        var all = parts.ToList();
        var whole = all.Sum(part => part.Size);
        var svg = new StringBuilder("<svg class=\"parts\" width=\"100%\" height=\"8\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"track\" width=\"100%\" height=\"8\"/>");
        var from = 0m;
        foreach (var (size, name) in all.Where(part => part.Size > 0m && whole > 0m))
        {
            var share = size * 100m / whole;
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{name}\" x=\"{from:0.###}%\" width=\"{share:0.###}%\" height=\"8\"/>");
            from += share;
        }

        return new HtmlString(svg.Append("</svg>").ToString());
    }

    /// <summary>One bar of a ranking: the share of the longest one.</summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="name">CSS class of the colour.</param>
    public static IHtmlContent Rank(decimal share, string name) => new HtmlString(string.Create(
        CultureInfo.InvariantCulture,
        $"<svg class=\"rank-bar\" width=\"100%\" height=\"10\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"track\" width=\"100%\" height=\"10\" rx=\"2\"/><rect class=\"{name}\" width=\"{Math.Clamp(share, 0m, 1m) * 100m:0.##}%\" height=\"10\" rx=\"2\"/></svg>"));
}
