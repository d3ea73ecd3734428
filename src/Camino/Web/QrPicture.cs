using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Html;
using QRCoder;

namespace Camino.Web;

/// <summary>A QR code as a drawing in the page itself: no file with a secret that could be asked for by its address, no script, no style.</summary>
public static class QrPicture
{
    /// <param name="text">What a phone reads.</param>
    /// <param name="title">What people hear who do not see it.</param>
    public static IHtmlContent Write(string text, string title)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var dots = new StringBuilder();
        var size = code.ModuleMatrix.Count;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                if (code.ModuleMatrix[y][x])
                    dots.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z");
            }
        }

        return new HtmlContentBuilder()
            .AppendHtml(string.Create(CultureInfo.InvariantCulture, $"<svg class=\"qr\" role=\"img\" viewBox=\"0 0 {size} {size}\" width=\"220\" height=\"220\" shape-rendering=\"crispEdges\"><title>"))
            .Append(title)
            .AppendHtml(string.Create(CultureInfo.InvariantCulture, $"</title><rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{dots}\"/></svg>"));
    }
}
