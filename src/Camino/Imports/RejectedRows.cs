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
        await writer.WriteAsync(CsvText.Line(["Line", "Reason", .. shape?.Header ?? []]));

        var rows = db.ImportRows.AsNoTracking().Where(r => r.ImportId == importId && r.DryRun == import.DryRun && r.Outcome == RowOutcome.Rejected)
            .OrderBy(r => r.Line).Select(r => new { r.Line, r.Findings, r.Raw }).AsAsyncEnumerable();
        await foreach (var row in rows.WithCancellation(ct))
        {
            var findings = JsonSerializer.Deserialize(row.Findings, ImportJson.Default.ListFinding) ?? [];
            var reason = string.Join("; ", findings.Where(f => f.Rejects).Select(say));
            await writer.WriteAsync(CsvText.Line([row.Line.ToString(System.Globalization.CultureInfo.InvariantCulture), reason, .. Cells(row.Raw ?? "", delimiter)]));
        }

        return true;
    }

    /// <summary>The row's own cells; quotes that do not pair are text, so that a damaged row still shows all it has.</summary>
    internal static List<string> Cells(string raw, char delimiter)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (quoted)
            {
                if (c != '"')
                    cell.Append(c);
                else if (i + 1 < raw.Length && raw[i + 1] == '"')
                    cell.Append(raw[i++]);
                else
                    quoted = false;
            }
            else if (c == '"' && cell.Length == 0 && raw.IndexOf('"', i + 1) > 0)
            {
                quoted = true;
            }
            else if (c == delimiter)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(c);
            }
        }

        cells.Add(cell.ToString());
        return cells;
    }
}
