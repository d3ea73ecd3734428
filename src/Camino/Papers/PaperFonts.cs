using PdfSharp.Fonts;

namespace Camino.Papers;

/// <summary>The two faces that papers are set in, which come with Camino: what a paper looks like does not hang on what is installed on a server.</summary>
internal sealed class PaperFonts : IFontResolver
{
    public const string Family = "IBM Plex Sans";

    private const string Regular = "IBMPlexSans-Regular.ttf";
    private const string SemiBold = "IBMPlexSans-SemiBold.ttf";

    public FontResolverInfo? ResolveTypeface(string familyName, bool isBold, bool isItalic) => familyName == Family ? new FontResolverInfo(isBold ? SemiBold : Regular) : null;

    public byte[]? GetFont(string faceName)
    {
        using var stream = typeof(PaperFonts).Assembly.GetManifestResourceStream("Camino.Papers.Fonts." + faceName) ?? throw new InvalidOperationException($"The font {faceName} is not in the program.");
        using var whole = new MemoryStream();
        stream.CopyTo(whole);
        return whole.ToArray();
    }
}
