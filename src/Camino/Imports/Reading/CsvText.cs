using System.Buffers;
using System.Text;

namespace Camino.Imports;

/// <summary>Writes CSV that people open in a spreadsheet: RFC 4180, and no cell that a spreadsheet would take for a formula.</summary>
/// <remarks>
/// A cell that starts with = + - @, a tab or a carriage return gets an apostrophe in front, which spreadsheets show as nothing.
/// <see cref="PortfolioReader"/> takes that apostrophe off again, so a downloaded file can be corrected and handed in.
/// </remarks>
public static class CsvText
{
    private static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(",;\t|\"\r\n");

    /// <summary>True for the characters that start a formula in one spreadsheet or another.</summary>
    public static bool StartsFormula(char first) => first is '=' or '+' or '-' or '@' or '\t' or '\r';

    /// <summary>One cell, guarded and quoted where needed; null is an empty cell.</summary>
    public static string Cell(string? value)
    {
        if (string.IsNullOrEmpty(value))
            return "";

        var guarded = StartsFormula(value[0]) ? "'" + value : value;
        var quote = guarded.AsSpan().ContainsAny(NeedsQuotes) || guarded[0] == ' ' || guarded[^1] == ' ';
        return quote ? "\"" + guarded.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : guarded;
    }

    /// <summary>One line of cells with its line end (CR LF).</summary>
    public static string Line(IEnumerable<string?> cells)
    {
        var line = new StringBuilder();
        var separator = "";
        foreach (var cell in cells)
        {
            line.Append(separator).Append(Cell(cell));
            separator = ",";
        }

        return line.Append("\r\n").ToString();
    }
}
