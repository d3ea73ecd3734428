using System.Text.Json.Serialization;

namespace Camino.Imports;

/// <summary>One column of a file that is taken in.</summary>
/// <param name="Index">Position in the header, from 0.</param>
/// <param name="Column">Heading as the file writes it, trimmed.</param>
/// <param name="Field">What it is.</param>
public sealed record ColumnUse(int Index, string Column, LoanField Field);

/// <summary>How the dates of a file are written. ISO dates (2020-04-14) and dates with a month in letters (28-Feb-97) are read in every style.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DateStyle>))]
public enum DateStyle
{
    /// <summary>4/14/2020 or 4/14/20: the month first.</summary>
    MonthFirst,

    /// <summary>14/4/2020, 14.4.2020 or 14-4-2020: the day first.</summary>
    DayFirst,

    /// <summary>15074: days counted from 1960-01-01, as SAS writes them.</summary>
    DaysFrom1960,
}

/// <summary>What has to be known about a file besides its columns.</summary>
public sealed record LayoutOptions
{
    public DateStyle Dates { get; init; }

    /// <summary>True: 1.234,56. False: 1,234.56.</summary>
    public bool DecimalComma { get; init; }

    /// <summary>0 stands for "no answer" in yes-no columns (files of the SBA study), not for "no".</summary>
    public bool ZeroIsNoAnswer { get; init; }

    /// <summary>1970-01-01 stands for "date unknown" (files that went through a program counting from that day).</summary>
    public bool EpochIsUnknown { get; init; }

    /// <summary>
    /// Published files: HTML entities, damaged letters and apostrophes, names split over two columns are repaired. Off for Camino's own template.
    /// </summary>
    public bool RepairText { get; init; }
}

/// <summary>Which column is what. JSON-serialisable, so that staff can save their own.</summary>
/// <param name="Name">Stable name of a known layout, or what staff called theirs.</param>
/// <param name="Source">Whose loan numbers these are.</param>
/// <param name="Columns">The columns that are taken in; every field at most once.</param>
/// <param name="Options">How values are written.</param>
public sealed record Layout(
    string Name,
    [property: JsonConverter(typeof(JsonStringEnumConverter<LoanSource>))] LoanSource Source,
    IReadOnlyList<ColumnUse> Columns,
    LayoutOptions Options)
{
    /// <summary>Whether the file numbers its loans. Where it does not, the reader derives a number from the content (docs/imports.md).</summary>
    [JsonIgnore]
    public bool HasNumber => Columns.Any(column => column.Field == LoanField.LoanNumber);

    /// <summary>Makes a layout from what staff said about the columns of a file.</summary>
    /// <param name="name">What staff call it, 1 to 100 characters.</param>
    /// <param name="header">The headings as <see cref="FileShape.Header"/> shows them.</param>
    /// <param name="fields">Heading to field; headings that are not taken in are left out.</param>
    /// <param name="options">How values are written; null: the defaults.</param>
    /// <param name="source">Whose loan numbers these are.</param>
    /// <exception cref="ImportFileException">
    /// <c>import.mapping.column_unknown</c>, <c>import.mapping.field_twice</c>, <c>import.mapping.number_missing</c>, <c>import.mapping.demographic</c>.
    /// </exception>
    public static Layout FromMapping(
        string name,
        IReadOnlyList<string> header,
        IReadOnlyDictionary<string, LoanField> fields,
        LayoutOptions? options = null,
        LoanSource source = LoanSource.Camino)
    {
        var columns = new List<ColumnUse>();
        foreach (var (column, field) in fields)
        {
            var index = Headings.Find(header, column);
            if (index < 0)
                throw Problem("import.mapping.column_unknown", $"The file has no column \"{column}\".", "column", column);
            if (Headings.IsDemographic(column))
                throw Problem("import.mapping.demographic", $"\"{column}\" holds demographic answers; they are not taken in (12 CFR 1002).", "column", column);
            if (columns.Any(used => used.Field == field))
                throw Problem("import.mapping.field_twice", $"Two columns are said to be {LoanFields.Name(field)}.", "field", LoanFields.Name(field));

            columns.Add(new ColumnUse(index, header[index], field));
        }

        columns.Sort((a, b) => a.Index.CompareTo(b.Index));
        var layout = new Layout(name, source, columns, options ?? new LayoutOptions());
        if (!layout.HasNumber && source == LoanSource.Camino)
            throw Problem("import.mapping.number_missing", "One column has to be the loan number.", "field", LoanFields.Name(LoanField.LoanNumber));

        return layout;
    }

    /// <summary>The same layout for a file whose columns may stand in another order.</summary>
    /// <exception cref="ImportFileException"><c>import.mapping.column_unknown</c>: a column of the layout is not in the header.</exception>
    public Layout Bind(IReadOnlyList<string> header)
    {
        var bound = new List<ColumnUse>(Columns.Count);
        foreach (var use in Columns)
        {
            var index = Headings.Find(header, use.Column);
            if (index < 0)
                throw Problem("import.mapping.column_unknown", $"Mapping \"{Name}\" needs a column \"{use.Column}\"; the file has none.", "column", use.Column);

            bound.Add(use with { Index = index, Column = header[index] });
        }

        bound.Sort((a, b) => a.Index.CompareTo(b.Index));
        return this with { Columns = bound };
    }

    private static ImportFileException Problem(string code, string message, string arg, string value) =>
        new(code, message, new Dictionary<string, string> { [arg] = value });
}
