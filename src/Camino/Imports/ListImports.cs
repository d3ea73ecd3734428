using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Imports;

/// <summary>One line of the list of imports.</summary>
/// <param name="Figures">What was stored; before that what the dry run counted; null before any row was read.</param>
public sealed record ImportLine(
    Guid Id, string FileName, long SizeBytes, ImportStatus Status, ImportPlan Plan, string? LayoutName, DateTimeOffset RequestedAt, string RequestedBy, ImportFigures? Figures)
{
    /// <summary>Nothing goes on until a person says which column is what, or whether to load.</summary>
    public bool WaitsForPerson => Status == ImportStatus.NeedsMapping || (Status == ImportStatus.Checked && Plan == ImportPlan.Review);
}

/// <summary>Reads imports for lists, newest first.</summary>
public sealed class ListImports(CaminoDb db)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <returns>Up to one more than a page, so that the caller knows whether there is a next one.</returns>
    public async Task<IReadOnlyList<ImportLine>> RunAsync(Guid? after, CancellationToken ct) =>
        await ReadAsync(db.Imports.Where(i => after == null || i.Id < after).OrderByDescending(i => i.Id).Take(PageSize + 1), ct);

    /// <summary>For the home page, in one query: up to 20 that wait for a person, and the newest five.</summary>
    public async Task<IReadOnlyList<ImportLine>> ForHomeAsync(CancellationToken ct)
    {
        var waiting = db.Imports
            .Where(i => i.Status == ImportStatus.NeedsMapping || (i.Status == ImportStatus.Checked && i.Plan == ImportPlan.Review))
            .OrderByDescending(i => i.Id).Select(i => i.Id).Take(20);
        var newest = db.Imports.OrderByDescending(i => i.Id).Select(i => i.Id).Take(5);
        return await ReadAsync(db.Imports.Where(i => waiting.Contains(i.Id) || newest.Contains(i.Id)), ct);
    }

    private async Task<IReadOnlyList<ImportLine>> ReadAsync(IQueryable<Import> imports, CancellationToken ct)
    {
        var rows = await (
            from import in imports
            join user in db.Users on import.RequestedBy equals user.Id into users
            from user in users.DefaultIfEmpty()
            orderby import.Id descending
            select new
            {
                import.Id,
                import.FileName,
                import.SizeBytes,
                import.Status,
                import.Plan,
                import.LayoutName,
                import.RequestedAt,
                RequestedBy = user == null ? "" : user.DisplayName,
                Figures = import.LoadFigures ?? import.CheckFigures,
            }).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(r => new ImportLine(r.Id, r.FileName, r.SizeBytes, r.Status, r.Plan, r.LayoutName, r.RequestedAt, r.RequestedBy, ImportFigures.FromJson(r.Figures)))];
    }
}
