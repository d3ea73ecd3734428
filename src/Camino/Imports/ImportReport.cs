using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Imports;

/// <summary>Amounts as text with cents; null where the file has no such column.</summary>
public sealed record AmountsView(string? Disbursed, string? Approved, string? Guaranteed, string? ChargedOff)
{
    internal static AmountsView Of(AmountSums? sums) => new(Text(sums?.Disbursed), Text(sums?.Approved), Text(sums?.Guaranteed), Text(sums?.ChargedOff));

    private static string? Text(decimal? amount) => amount?.ToString("0.00", CultureInfo.InvariantCulture);
}

/// <summary>Why an import failed.</summary>
public sealed record ImportErrorView(string Code, IReadOnlyList<string> Arguments);

/// <summary>One import as the API, the events and the command line show it. The counts are those of the load, or of the dry run as long as nothing was loaded.</summary>
public sealed record ImportReport(
    Guid ImportId,
    string Status,
    string Plan,
    string FileName,
    long SizeBytes,
    string Sha256,
    string? Layout,
    DateTimeOffset RequestedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    bool DryRun,
    long Rows,
    long Imported,
    long Unchanged,
    long Corrected,
    long Rejected,
    long New,
    long Changed,
    AmountsView Accepted,
    AmountsView RejectedSums,
    IReadOnlyDictionary<string, long> Findings,
    long BytesDone,
    ImportErrorView? Error)
{
    /// <summary>No further step will happen.</summary>
    public bool IsOver => Status is "done" or "failed" or "cancelled" || (Plan == "dryRun" && Status == "checked");

    /// <summary>The import with that id, or null.</summary>
    public static async Task<ImportReport?> FindAsync(CaminoDb db, Guid id, CancellationToken ct) =>
        await db.Imports.AsNoTracking().FirstOrDefaultAsync(i => i.Id == id, ct) is { } import ? Of(import) : null;

    /// <summary>Projects one import.</summary>
    public static ImportReport Of(Import import)
    {
        var loaded = ImportFigures.FromJson(import.LoadFigures);
        var figures = loaded ?? ImportFigures.FromJson(import.CheckFigures) ?? new ImportFigures();
        return new ImportReport(
            import.Id,
            Name(import.Status.ToString()),
            Name(import.Plan.ToString()),
            import.FileName,
            import.SizeBytes,
            Convert.ToHexStringLower(import.Sha256),
            import.LayoutName,
            import.RequestedAt,
            import.StartedAt,
            import.FinishedAt,
            loaded is null,
            figures.Rows,
            figures.Imported,
            figures.Unchanged,
            figures.Corrected,
            figures.Rejected,
            figures.New,
            figures.Changed,
            AmountsView.Of(figures.Accepted),
            AmountsView.Of(figures.RejectedSums),
            figures.Findings,
            import.BytesDone,
            import.ErrorCode is null ? null : new ImportErrorView(import.ErrorCode, import.ErrorArguments));
    }

    /// <summary>Statuses and plans travel in lower camel case.</summary>
    internal static string Name(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}
