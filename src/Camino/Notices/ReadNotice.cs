using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Notices;

/// <summary>Notes that a person has seen one notice of theirs, or all; a second time changes nothing.</summary>
public sealed class ReadNotice(CaminoDb db, TimeProvider clock)
{
    /// <param name="noticeId">Null: all that are unread.</param>
    /// <param name="userId">Whose notices; those of others are never touched.</param>
    /// <returns>The link of the one notice; null for all, or where there is no such notice.</returns>
    public async Task<string?> RunAsync(Guid? noticeId, Guid userId, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (noticeId is not { } id)
        {
            await db.Notices.Where(n => n.UserId == userId && n.ReadAt == null).ExecuteUpdateAsync(set => set.SetProperty(n => n.ReadAt, now), ct);
            return null;
        }

        var notice = await db.Notices.SingleOrDefaultAsync(n => n.Id == id && n.UserId == userId, ct);
        if (notice is null)
            return null;
        notice.Read(now);
        await db.SaveChangesAsync(ct);
        return notice.Link;
    }
}
