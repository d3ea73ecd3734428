using Npgsql;

namespace Camino.People;

/// <summary>One session as its owner sees it.</summary>
/// <param name="Address">The network; empty where it is not known.</param>
/// <param name="Agent">Browser and system; empty where they are not known.</param>
/// <param name="EndedAt">Null while it is open.</param>
/// <param name="EndedWhy">A reason of the table; null while it is open.</param>
/// <param name="IsByCompany">Begun by the company's identity provider.</param>
public sealed record SessionLine(Guid Id, DateTimeOffset BegunAt, DateTimeOffset LastSeenAt, string Address, string Agent, DateTimeOffset? EndedAt, string? EndedWhy, bool IsByCompany);

/// <summary>Reads the sessions of one user, newest first; those that ended long ago are gone.</summary>
public sealed class ListSessions(NpgsqlDataSource source, SessionLimits limits, TimeProvider clock)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <returns>Up to one more than a page, so that the caller knows whether there is a next one. What is over by its limits is shown as ended, though nobody came to say so.</returns>
    public async Task<IReadOnlyList<SessionLine>> RunAsync(Guid userId, Guid? after, CancellationToken ct)
    {
        await using var page = Page(source, userId, after);
        await using var rows = await page.ExecuteReaderAsync(ct);
        var now = clock.GetUtcNow();
        var lines = new List<SessionLine>();
        while (await rows.ReadAsync(ct))
        {
            var line = new SessionLine(
                rows.GetGuid(0),
                await rows.GetFieldValueAsync<DateTimeOffset>(1, ct),
                await rows.GetFieldValueAsync<DateTimeOffset>(2, ct),
                rows.GetString(3),
                rows.GetString(4),
                await rows.IsDBNullAsync(5, ct) ? null : await rows.GetFieldValueAsync<DateTimeOffset>(5, ct),
                await rows.IsDBNullAsync(6, ct) ? null : rows.GetString(6),
                rows.GetBoolean(7));
            lines.Add(line.EndedAt is not null ? line
                : line.BegunAt + limits.Absolute <= now ? line with { EndedAt = line.BegunAt + limits.Absolute, EndedWhy = SessionEnds.TooOld }
                : line.LastSeenAt + limits.Idle <= now ? line with { EndedAt = line.LastSeenAt + limits.Idle, EndedWhy = SessionEnds.Idle }
                : line);
        }

        return lines;
    }

    internal static NpgsqlCommand Page(NpgsqlDataSource source, Guid userId, Guid? after)
    {
        var page = source.CreateCommand(
            $"select id, begun_at, last_seen_at, address, agent, ended_at, ended_why, by_company from camino.staff_sessions where user_id = $1{(after is null ? "" : " and id < $2")} order by id desc limit {PageSize + 1}");
        page.Parameters.Add(new() { Value = userId });
        if (after is { } id)
            page.Parameters.Add(new() { Value = id });
        return page;
    }
}
