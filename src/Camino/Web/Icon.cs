using Microsoft.AspNetCore.Html;

namespace Camino.Web;

/// <summary>The few signs that pages use, drawn on a 16-unit grid in the colour of the text.</summary>
public static class Icon
{
    public static IHtmlContent Home { get; } = Draw("M2.5 7.2 8 2.8l5.5 4.4v6H9.8V9.6H6.2v3.6H2.5z");

    public static IHtmlContent Tasks { get; } = Draw("M2.5 4.2 3.7 5.4 6 3M2.5 9.2l1.2 1.2L6 8M8 4.2h5.5M8 9.2h5.5M8 13h5.5M2.8 13h1.6");

    public static IHtmlContent Portfolio { get; } = Draw("M2.5 13.5h11M4 11V7.5M7 11V3.5M10 11V6M13 11V8.5");

    public static IHtmlContent Loans { get; } = Draw("M4 2.5h5.5L12.5 5.5v8H4zM9.3 2.7v3h3M6 8h4.5M6 10.5h4.5");

    public static IHtmlContent Borrowers { get; } = Draw("M8 7.8a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM3 13.4c.5-2.6 2.4-3.8 5-3.8s4.5 1.2 5 3.8z");

    public static IHtmlContent Servicing { get; } = Draw("M2.5 5h11v7.5h-11zM2.5 7.5h11M5 10.5h2.5M5.5 5V3.2h5V5");

    public static IHtmlContent Applications { get; } = Draw("M3.5 2.5h9v11h-9zM5.8 5.5h4.4M5.8 8h4.4M5.8 10.5h2");

    public static IHtmlContent Screening { get; } = Draw("M8 2.3 3 4.2v3.6c0 3 2.1 5 5 6 2.9-1 5-3 5-6V4.2zM5.8 8l1.6 1.6 2.9-3");

    public static IHtmlContent Policy { get; } = Draw("M3 3.5h10M3 8h5M3 12.5h5M10.2 10.4l1.6 1.6 2.4-3");

    public static IHtmlContent Approvals { get; } = Draw("M2.5 8.5 5 11l4.5-5.5M8 11l4.5-5.5M2.5 13.5h11");

    public static IHtmlContent Imports { get; } = Draw("M8 9.8V2.5M5 5.3 8 2.3l3 3M2.8 9.5v4h10.4v-4");

    public static IHtmlContent Jobs { get; } = Draw("M2.5 4h7M2.5 8h11M2.5 12h5M12 2.6v2.8M10.6 4h2.8");

    public static IHtmlContent People { get; } = Draw("M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12 9.8c1.6.5 2.5 1.8 2.5 3.7");

    public static IHtmlContent Branches { get; } = Draw("M8 2.5v4M3.5 9.5V6.5h9v3M2 9.5h3v4H2zM6.5 9.5h3v4h-3zM11 9.5h3v4h-3zM8 6.5v3");

    public static IHtmlContent Servers { get; } = Draw("M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5v.1M5 11v.1M8 5h3.5M8 11h3.5");

    public static IHtmlContent Clients { get; } = Draw("M8.2 7.8 13.5 2.5M11 5l2 2M5.5 13.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6z");

    public static IHtmlContent Audit { get; } = Draw("M3.5 2.5h9v11h-9zM5.5 5.5h5M5.5 8h5M5.5 10.5l1.2 1.2 2.3-2.4");

    public static IHtmlContent Settings { get; } = Draw("M2.5 4.5h5M11.5 4.5h2M2.5 11.5h2M8.5 11.5h5M9.5 6.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6.5 13.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4z");

    public static IHtmlContent Bell { get; } = Draw("M4 11V7a4 4 0 0 1 8 0v4l1 1.3H3zM6.8 13.9a1.4 1.4 0 0 0 2.4 0");

    public static IHtmlContent Down { get; } = Draw("M4.5 6.5 8 10l3.5-3.5");

    public static IHtmlContent Left { get; } = Draw("M9.5 4.5 6 8l3.5 3.5");

    public static IHtmlContent Right { get; } = Draw("M6.5 4.5 10 8l-3.5 3.5");

    public static IHtmlContent Search { get; } = Draw("M7 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9zM10.3 10.3l3.2 3.2");

    public static IHtmlContent Download { get; } = Draw("M8 2.5v7.3M5 7l3 3 3-3M2.8 10.5v3h10.4v-3");

    public static IHtmlContent Check { get; } = Draw("M3 8.5 6.5 12 13 4.5");

    public static IHtmlContent Warning { get; } = Draw("M8 2.5 14 13H2zM8 6.5v3M8 11.2v.4");

    /// <summary>The way up and over the hill that stands for the house.</summary>
    public static IHtmlContent Mark { get; } = new HtmlString(
        "<svg class=\"mark\" viewBox=\"0 0 24 24\" width=\"22\" height=\"22\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"mark-ground\" width=\"24\" height=\"24\" rx=\"6\"/>"
        + "<path class=\"mark-way\" d=\"M5.5 19C9 19 8 13.6 12 12.4 16 11.2 15.2 7 19 5.4\"/><circle class=\"mark-end\" cx=\"19\" cy=\"5.4\" r=\"1.9\"/></svg>");

    private static HtmlString Draw(string path) =>
        new($"<svg class=\"icon\" viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\" focusable=\"false\"><path d=\"{path}\"/></svg>");
}
