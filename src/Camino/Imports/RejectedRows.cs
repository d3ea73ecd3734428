using System.Text;
using System.Text.Json;
using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Imports;

/// <summary>
/// The rejected rows of an import as CSV: line, reasons, then the row's own columns as they stood in the file, so that it can be mended and handed in again.
/// No cell can become a formula.
/// </summary>
public sealed class RejectedRows(CaminoDb db)
{
    /// <summary>Writes the whole file, streaming; false when there is no such import.</summary>
    public async Task<bool> WriteAsync(Guid importId, Stream output, Func<Finding, string> say, CancellationToken ct)
    {
        var import = await db.Imports.AsNoTracking().Where(i => i.Id == importId).Select(i => new { i.Shape, DryRun = i.LoadFigures == null }).FirstOrDefaultAsync(ct);
        if (import is null)
            return false;
        var shape = import.Shape is null ? null : JsonSerializer.Deserialize(import.Shape, ImportJson.Default.FileShape);
        var delimiter = shape?.Delimiter ?? ',';
        await using var writer = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        if (shape is not null)
            await writer.WriteAsync(RejectedRowsCsv.Header(shape));

        var rows = db.ImportRows.AsNoTracking().Where(r => r.ImportId == importId && r.DryRun == import.DryRun && r.Outcome == RowOutcome.Rejected)
            .OrderBy(r => r.Line).Select(r => new { r.Line, r.Findings, r.Raw }).AsAsyncEnumerable();
        await foreach (var row in rows.WithCancellation(ct))
        {
            var findings = JsonSerializer.Deserialize(row.Findings, ImportJson.Default.ListFinding) ?? [];
            var reason = string.Join("; ", findings.Where(f => f.Rejects).Select(say));
            await writer.WriteAsync(RejectedRowsCsv.Line(row.Line, reason, row.Raw ?? "", delimiter));
        }

        return true;
    }
}
