namespace Camino.Imports;

/// <summary>What the reader decided about one record of a file.</summary>
public enum RowOutcome
{
    /// <summary>Every value was read; at most its spelling was normalised.</summary>
    Accepted,

    /// <summary>The loan is good, but at least one value was changed or dropped; the findings say which.</summary>
    Corrected,

    /// <summary>The row must not be stored; the findings say why.</summary>
    Rejected,
}

/// <summary>One thing that the reader found in a row.</summary>
/// <param name="Code">Stable, for translation and counting; all are in <see cref="FindingCodes"/>.</param>
/// <param name="Column">Heading of the column as the file writes it; empty where the finding is about the whole row.</param>
/// <param name="Value">What the file says, cut at 100 characters, control characters made visible; null where there is nothing to show.</param>
/// <param name="Limit">What would have been allowed, as text; null where there is no such limit.</param>
/// <param name="NewValue">
/// What is stored instead; empty when the value was dropped; the same as <paramref name="Value"/> when it was kept and is only worth a look; null when
/// the finding rejects the row.
/// </param>
public sealed record Finding(string Code, string Column, string? Value, string? Limit, string? NewValue)
{
    /// <summary>True when the row is rejected because of this.</summary>
    public bool Rejects => NewValue is null;

    /// <summary>True when the value was changed or dropped because of this.</summary>
    public bool Corrects => NewValue is not null && !string.Equals(NewValue, Value, StringComparison.Ordinal);
}

/// <summary>One record of a portfolio file. Made by the caller, filled by <see cref="PortfolioReader.TryRead"/>, and used again at will.</summary>
public sealed class PortfolioRow
{
    /// <summary>1 for the first record after the header; every record counts, rejected ones too.</summary>
    public long RecordNumber { get; set; }

    /// <summary>The physical line, from 1, on which the record starts.</summary>
    public long Line { get; set; }

    public RowOutcome Outcome { get; set; }

    /// <summary>The loan. In a rejected row whatever could be read, amounts first of all, so that sums can be reconciled; never to be stored.</summary>
    public LoanFacts Facts { get; set; } = new();

    /// <summary>
    /// Empty for nearly all rows. An accepted row may have findings too: things that were kept but are worth a look (<see cref="Finding.Corrects"/> is
    /// false for them). Decide by <see cref="Outcome"/>, not by the count.
    /// </summary>
    public IReadOnlyList<Finding> Findings { get; set; } = [];

    /// <summary>
    /// The record as the file has it, without its line end, cut at 64 KB; empty for accepted rows. Answers about race, ethnicity, sex and veteran status
    /// are blanked out wherever the record could be taken apart.
    /// </summary>
    public string Raw { get; set; } = "";
}
