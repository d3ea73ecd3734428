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

    /// <summary>Published files: HTML entities, damaged apostrophes and names split over two columns are repaired. Off for Camino's own template.</summary>
    public bool RepairText { get; init; }
}

/// <summary>Which column is what. JSON-serialisable, so that staff can save their own.</summary>
/// <param name="Name">Stable name of a known layout, or what staff called theirs.</param>
/// <param name="Source">Whose loan numbers these are.</param>
/// <param name="Columns">The columns that are taken in; every field at most once.</param>
/// <param name="Options">How values are written.</param>
public sealed record Layout(string Name, LoanSource Source, IReadOnlyList<ColumnUse> Columns, LayoutOptions Options);
