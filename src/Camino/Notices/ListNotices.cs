using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Notices;

/// <summary>One line of the notices page.</summary>
public sealed record NoticeLine(Guid Id, string Text, string[] Arguments, DateTimeOffset CreatedAt, bool Unread);

/// <summary>Reads a person's notices, newest first.</summary>
public sealed class ListNotices(CaminoDb db)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <returns>Up to one more than a page, so that the caller knows whether there is a next one.</returns>
    public async Task<IReadOnlyList<NoticeLine>> RunAsync(Guid userId, Guid? after, CancellationToken ct) =>
        await db.Notices.AsNoTracking()
            .Where(n => n.UserId == userId && (after == null || n.Id < after))
            .OrderByDescending(n => n.Id)
            .Take(PageSize + 1)
            .Select(n => new NoticeLine(n.Id, n.Text, n.Arguments, n.CreatedAt, n.ReadAt == null))
            .ToListAsync(ct);
}
