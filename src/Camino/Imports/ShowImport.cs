using System.Text.Json;
using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Imports;

/// <summary>Everything about one import, for its page.</summary>
/// <param name="Check">What the dry run counted.</param>
/// <param name="Load">What was stored.</param>
public sealed record ImportView(
    Guid Id,
    string FileName,
    long SizeBytes,
    string Sha256,
    ImportPlan Plan,
    ImportStatus Status,
    bool IsOver,
    string RequestedBy,
    DateTimeOffset RequestedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    long BytesDone,
    string? LayoutName,
    Layout? Mapping,
    FileShape? Shape,
    ImportFigures? Check,
    ImportFigures? Load,
    string? ErrorCode,
    IReadOnlyList<string> ErrorArguments)
{
    /// <summary>The figures that the page shows: those of the load once there are any, else those of the dry run.</summary>
    public ImportFigures? Figures => Load ?? Check;

    /// <summary>True while the figures on the page are those of a dry run.</summary>
    public bool IsDryRun => Load is null;

    /// <summary>A job has it, or will have it in a moment.</summary>
    public bool IsMoving => Status is ImportStatus.Received or ImportStatus.Checking or ImportStatus.Loading;

    /// <summary>Share of the file that has been worked, 0 to 100.</summary>
    public int PercentDone => SizeBytes == 0 ? 0 : (int)Math.Clamp(BytesDone * 100 / SizeBytes, 0, 100);

    /// <summary>Columns can be said anew as long as nothing was stored.</summary>
    public bool CanBeMapped => Shape is not null && Load is null && Status is ImportStatus.NeedsMapping or ImportStatus.Checked or ImportStatus.Failed;
}

/// <summary>One row of the file that was corrected or rejected.</summary>
public sealed record ImportRowLine(long Line, RowOutcome Outcome, string? Number, IReadOnlyList<Finding> Findings);

/// <summary>Reads one import and the rows of it that did not simply go in.</summary>
public sealed class ShowImport(CaminoDb db)
{
    /// <summary>Rows of one page.</summary>
    public const int PageSize = 100;

    /// <summary>The import, or null.</summary>
    public async Task<ImportView?> RunAsync(Guid id, CancellationToken ct)
    {
        var found = await (
            from import in db.Imports
            join user in db.Users on import.RequestedBy equals user.Id into users
            from user in users.DefaultIfEmpty()
            where import.Id == id
            select new { Import = import, RequestedBy = user == null ? "" : user.DisplayName }).AsNoTracking().SingleOrDefaultAsync(ct);
        if (found is null)
            return null;

        var it = found.Import;
        return new ImportView(
            it.Id, it.FileName, it.SizeBytes, Convert.ToHexStringLower(it.Sha256), it.Plan, it.Status, it.IsOver, found.RequestedBy, it.RequestedAt, it.StartedAt, it.FinishedAt, it.BytesDone,
            it.LayoutName, LayoutOf(it.Mapping), ShapeOf(it.Shape), ImportFigures.FromJson(it.CheckFigures), ImportFigures.FromJson(it.LoadFigures), it.ErrorCode, it.ErrorArguments);
    }

    /// <summary>Rows with one outcome in the order of the file.</summary>
    /// <param name="afterLine">The last line of the page before; 0 for the first page.</param>
    /// <returns>Up to one more than a page, so that the caller knows whether there is a next one.</returns>
    public async Task<IReadOnlyList<ImportRowLine>> RowsAsync(Guid id, bool dryRun, RowOutcome outcome, long afterLine, CancellationToken ct)
    {
        var rows = await db.ImportRows.AsNoTracking()
            .Where(r => r.ImportId == id && r.DryRun == dryRun && r.Outcome == outcome && r.Line > afterLine)
            .OrderBy(r => r.Line)
            .Take(PageSize + 1)
            .Select(r => new { r.Line, r.Outcome, r.Number, r.Findings })
            .ToListAsync(ct);
        return [.. rows.Select(r => new ImportRowLine(r.Line, r.Outcome, r.Number, JsonSerializer.Deserialize(r.Findings, ImportJson.Default.ListFinding) ?? []))];
    }

    /// <summary>The mappings that staff have named, by name.</summary>
    public async Task<IReadOnlyList<SavedMappingLine>> SavedMappingsAsync(CancellationToken ct)
    {
        var rows = await db.SavedMappings.AsNoTracking().OrderBy(m => m.Name).Take(200).Select(m => new { m.Id, m.Name, m.Layout }).ToListAsync(ct);
        return [.. rows.Select(r => new SavedMappingLine(r.Id, r.Name, LayoutOf(r.Layout))).Where(m => m.Layout is not null)];
    }

    private static Layout? LayoutOf(string? json) => json is null ? null : JsonSerializer.Deserialize(json, ImportJson.Default.Layout);

    private static FileShape? ShapeOf(string? json) => json is null ? null : JsonSerializer.Deserialize(json, ImportJson.Default.FileShape);
}

/// <summary>A mapping that staff can use again.</summary>
public sealed record SavedMappingLine(Guid Id, string Name, Layout? Layout);
