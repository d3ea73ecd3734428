using System.Globalization;
using PdfSharp.Drawing;
using PdfSharp.Fonts;
using PdfSharp.Pdf;
using PdfSharp.UniversalAccessibility;

namespace Camino.Papers;

/// <summary>Lays a paper out as a PDF in US letter format: title, language and structure are said to screen readers, the fonts are embedded, and its text can be searched and copied.</summary>
public sealed class PdfPaper : IDisposable
{
    private const double PageWidth = 612;
    private const double PageHeight = 792;
    private const double Side = 62;
    private const double Top = 58;
    private const double Bottom = 66;
    private const double Width = PageWidth - (2 * Side);
    private const double Body = 9.5;
    private const double Small = 8.5;
    private const double Leading = 1.42;

    /// <summary>The library keeps what it knows of fonts in one place for the whole process.</summary>
    private static readonly Lock s_gate = new();

    private static readonly XBrush s_ink = new XSolidBrush(XColor.FromArgb(0x1b, 0x22, 0x2c));
    private static readonly XBrush s_quiet = new XSolidBrush(XColor.FromArgb(0x52, 0x5d, 0x6b));
    private static readonly XBrush s_shade = new XSolidBrush(XColor.FromArgb(0xf1, 0xf4, 0xf7));
    private static readonly XPen s_line = new(XColor.FromArgb(0xb9, 0xc2, 0xcc), 0.6);
    private static readonly XPen s_rule = new(XColor.FromArgb(0x1b, 0x22, 0x2c), 0.8);

    private readonly PaperText _text;
    private readonly int _pages;
    private readonly DateTimeOffset _at;
    private readonly PdfDocument _document = new();
    private readonly StructureBuilder _structure;
    private readonly XFont _body = new(PaperFonts.Family, Body);
    private readonly XFont _bold = new(PaperFonts.Family, Body, XFontStyleEx.Bold);
    private readonly XFont _small = new(PaperFonts.Family, Small);
    private readonly XFont _smallBold = new(PaperFonts.Family, Small, XFontStyleEx.Bold);
    private readonly XFont _title = new(PaperFonts.Family, 19, XFontStyleEx.Bold);
    private readonly XFont _head = new(PaperFonts.Family, 12, XFontStyleEx.Bold);

    private XGraphics? _page;
    private double _y;

    private PdfPaper(PaperText text, int pages, DateTimeOffset at)
    {
        (_text, _pages, _at) = (text, pages, at);
        _document.Info.Title = text.Title;
        _document.Info.Author = text.Foot;
        _document.Info.Creator = "Camino";
        _document.Info.CreationDate = at.UtcDateTime;
        var accessibility = UAManager.ForDocument(_document);
        accessibility.SetDocumentLanguage(text.Language + "-US");
        _document.ViewerPreferences.DisplayDocTitle = true;
        (_document.Options.NoCompression, _document.Options.CompressContentStreams) = (true, false); // what this version of the library compresses has no proper end, which strict readers note
        _structure = accessibility.StructureBuilder;
    }

    static PdfPaper() => GlobalFontSettings.FontResolver = new PaperFonts();

    private XGraphics Page => _page ?? throw new InvalidOperationException("No page was begun.");

    /// <summary>The whole file.</summary>
    /// <param name="at">When it is made, for the file's own description of itself.</param>
    public static byte[] Write(PaperText text, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(text);
        lock (s_gate)
        {
            // the first time only counts the pages, for "page 1 of 3"
            using var counted = new PdfPaper(text, 0, at);
            counted.Lay();
            using var made = new PdfPaper(text, counted._document.PageCount, at);
            made.Lay();
            using var whole = new MemoryStream();
            made._document.Save(whole);
            return whole.ToArray();
        }
    }

    private void Lay()
    {
        BeginPage();
        foreach (var block in _text.Blocks)
            Lay(block);
        Page.Dispose();
        _page = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _page?.Dispose();
        _document.Dispose();
    }

    private void Lay(PaperBlock block)
    {
        switch (block)
        {
            case PaperHeading heading: LayHeading(heading); break;
            case PaperParagraph paragraph: LayParagraph(paragraph.Text, _body, s_ink, 0, 5); break;
            case PaperLines lines: LayLines(lines); break;
            case PaperItems items: LayItems(items); break;
            case PaperPairs pairs: LayPairs(pairs); break;
            case PaperTable table: LayTable(table); break;
            case PaperSignatures signatures: LaySignatures(signatures); break;
            case PaperPageBreak: BeginPage(); break;
            default: throw new ArgumentOutOfRangeException(nameof(block), block, "A paper has no such piece.");
        }
    }

    private void BeginPage()
    {
        _page?.Dispose();
        var page = _document.AddPage();
        (page.Width, page.Height) = (XUnit.FromPoint(PageWidth), XUnit.FromPoint(PageHeight));
        _page = XGraphics.FromPdfPage(page);
        _y = Top;
        _structure.BeginArtifact();
        var foot = PageHeight - Bottom + 26;
        Page.DrawLine(s_line, Side, foot - 12, PageWidth - Side, foot - 12);
        Page.DrawString(_text.Foot, _small, s_quiet, new XPoint(Side, foot));
        Page.DrawString(string.Format(CultureInfo.InvariantCulture, _text.PageWord, _document.PageCount, _pages), _small, s_quiet, new XPoint(PageWidth - Side, foot), Right);
        _structure.End();
    }

    private static XStringFormat Right => new() { Alignment = XStringAlignment.Far, LineAlignment = XLineAlignment.BaseLine };

    private void Need(double height)
    {
        if (_y + height > PageHeight - Bottom)
            BeginPage();
    }

    private void LayHeading(PaperHeading heading)
    {
        var font = heading.Level == 1 ? _title : _head;
        var lines = Wrap(heading.Text, font, Width);
        var height = LineOf(font) * lines.Count;
        if (heading.Level > 1)
            _y += 9;
        Need(height + 44); // a heading is not left alone at the foot
        _structure.BeginElement(heading.Level == 1 ? PdfBlockLevelElementTag.Heading1 : PdfBlockLevelElementTag.Heading2);
        Draw(lines, font, s_ink, Side);
        _structure.End();
        _y += heading.Level == 1 ? 8 : 3;
    }

    private void LayParagraph(string text, XFont font, XBrush brush, double indent, double after)
    {
        var lines = Wrap(text, font, Width - indent);
        while (lines.Count > 0)
        {
            var room = Math.Max(0, (int)((PageHeight - Bottom - _y) / LineOf(font)));
            if (room < Math.Min(lines.Count, 2))
            {
                BeginPage();
                continue;
            }

            var take = Math.Min(room, lines.Count);
            if (lines.Count - take == 1 && take > 2)
                take--; // nor is a line left alone at the top
            _structure.BeginElement(PdfBlockLevelElementTag.Paragraph);
            Draw(lines[..take], font, brush, Side + indent);
            _structure.End();
            lines = lines[take..];
        }

        _y += after;
    }

    private void LayLines(PaperLines block)
    {
        Need(block.Lines.Count * LineOf(_body));
        foreach (var line in block.Lines)
            LayParagraph(line, _body, s_ink, 0, 0);
        _y += 9;
    }

    private void LayItems(PaperItems block)
    {
        _structure.BeginElement(PdfBlockLevelElementTag.List);
        foreach (var item in block.Items)
        {
            var lines = Wrap(item, _body, Width - 14);
            Need(lines.Count * LineOf(_body));
            _structure.BeginElement(PdfBlockLevelElementTag.ListItem);
            _structure.BeginElement(PdfBlockLevelElementTag.Label);
            Page.DrawString("•", _body, s_ink, new XPoint(Side + 2, _y + Body));
            _structure.End();
            _structure.BeginElement(PdfBlockLevelElementTag.ListBody);
            Draw(lines, _body, s_ink, Side + 14);
            _structure.End();
            _structure.End();
            _y += 2;
        }

        _structure.End();
        _y += 4;
    }

    private void LayPairs(PaperPairs block)
    {
        const double Names = 190;
        _structure.BeginElement(PdfBlockLevelElementTag.Table);
        foreach (var (name, value) in block.Pairs)
        {
            var left = Wrap(name, _body, Names - 10);
            var right = Wrap(value, _bold, Width - Names);
            var height = (Math.Max(left.Count, right.Count) * LineOf(_body)) + 5;
            Need(height);
            var top = _y;
            Line(top + height - 1.5);
            _structure.BeginElement(PdfBlockLevelElementTag.TableRow);
            Cell(PdfBlockLevelElementTag.TableHeaderCell, left, _body, s_quiet, Side, top + 1);
            Cell(PdfBlockLevelElementTag.TableDataCell, right, _bold, s_ink, Side + Names, top + 1);
            _structure.End();
            _y = top + height;
        }

        _structure.End();
        _y += 7;
    }

    private void LayTable(PaperTable block)
    {
        var widths = WidthsOf(block);
        _structure.BeginElement(PdfBlockLevelElementTag.Table);
        Row(block.Heads, widths, _smallBold, PdfBlockLevelElementTag.TableHeaderCell, isHead: true);
        foreach (var row in block.Rows)
        {
            if (_y + RowHeight > PageHeight - Bottom)
            {
                BeginPage();
                Row(block.Heads, widths, _smallBold, PdfBlockLevelElementTag.TableHeaderCell, isHead: true); // said again on every page
            }

            Row(row, widths, _small, PdfBlockLevelElementTag.TableDataCell, isHead: false);
        }

        if (block.Total.Count > 0)
        {
            Need(RowHeight);
            Row(block.Total, widths, _smallBold, PdfBlockLevelElementTag.TableDataCell, isHead: false);
        }

        _structure.End();
        _y += 9;
    }

    private double RowHeight => LineOf(_small) + 3.4;

    private void Row(IReadOnlyList<string> cells, double[] widths, XFont font, PdfBlockLevelElementTag tag, bool isHead)
    {
        var top = _y;
        if (isHead)
        {
            Need(RowHeight * 3);
            top = _y;
            _structure.BeginArtifact();
            Page.DrawRectangle(s_shade, Side, top, Width, RowHeight);
            _structure.End();
        }
        else
        {
            Line(top + RowHeight);
        }

        _structure.BeginElement(PdfBlockLevelElementTag.TableRow);
        var x = Side;
        for (var i = 0; i < cells.Count; i++)
        {
            _structure.BeginElement(tag);
            var format = i == 0 ? XStringFormats.BaseLineLeft : Right;
            if (cells[i].Length > 0)
                Page.DrawString(cells[i], font, s_ink, new XPoint(i == 0 ? x + 4 : x + widths[i] - 4, top + Small + 3), format);
            _structure.End();
            x += widths[i];
        }

        _structure.End();
        _y = top + RowHeight;
    }

    /// <summary>Each column is as wide as what stands in it; what is left over is shared.</summary>
    private double[] WidthsOf(PaperTable block)
    {
        var widths = new double[block.Heads.Count];
        foreach (var row in block.Rows.Append(block.Heads).Append(block.Total))
        {
            for (var i = 0; i < row.Count; i++)
                widths[i] = Math.Max(widths[i], Page.MeasureString(row[i], _smallBold).Width + 10);
        }

        var rest = (Width - widths.Sum()) / widths.Length;
        for (var i = 0; i < widths.Length; i++)
            widths[i] += rest;
        return widths;
    }

    private void LaySignatures(PaperSignatures block)
    {
        foreach (var name in block.Names)
        {
            Need(62);
            _y += 38;
            _structure.BeginArtifact();
            Page.DrawLine(s_rule, Side, _y, Side + 300, _y);
            Page.DrawLine(s_rule, Side + 330, _y, PageWidth - Side, _y);
            _structure.End();
            _structure.BeginElement(PdfBlockLevelElementTag.Paragraph);
            Page.DrawString(name, _small, s_quiet, new XPoint(Side, _y + 12));
            Page.DrawString(block.DateWord, _small, s_quiet, new XPoint(Side + 330, _y + 12));
            _structure.End();
            _y += 24;
        }
    }

    private void Line(double y)
    {
        _structure.BeginArtifact();
        Page.DrawLine(s_line, Side, y, PageWidth - Side, y);
        _structure.End();
    }

    private void Cell(PdfBlockLevelElementTag tag, List<string> lines, XFont font, XBrush brush, double x, double top)
    {
        _structure.BeginElement(tag);
        _y = top;
        Draw(lines, font, brush, x);
        _structure.End();
    }

    private void Draw(List<string> lines, XFont font, XBrush brush, double x)
    {
        foreach (var line in lines)
        {
            Page.DrawString(line, font, brush, new XPoint(x, _y + font.Size));
            _y += LineOf(font);
        }
    }

    private static double LineOf(XFont font) => font.Size * Leading;

    /// <summary>Breaks at spaces, and inside what is longer than a line.</summary>
    private List<string> Wrap(string text, XFont font, double width)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var longer = line.Length == 0 ? word : line + " " + word;
            if (Page.MeasureString(longer, font).Width <= width)
            {
                line = longer;
                continue;
            }

            if (line.Length > 0)
                lines.Add(line);
            line = word;
            while (Page.MeasureString(line, font).Width > width && line.Length > 1)
            {
                var fits = line.Length - 1;
                while (fits > 1 && Page.MeasureString(line[..fits], font).Width > width)
                    fits--;
                lines.Add(line[..fits]);
                line = line[fits..];
            }
        }

        lines.Add(line);
        return lines;
    }
}
