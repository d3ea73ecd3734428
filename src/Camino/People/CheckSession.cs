using Camino.Branches;
using Npgsql;

namespace Camino.People;

/// <summary>A session that is open.</summary>
/// <param name="Branches">Of its user, as they are now.</param>
/// <param name="Unread">Notices that its user has not read, up to <see cref="CheckSession.UnreadCountedTo"/>; the frame of every page shows it.</param>
public sealed record OpenSession(ReaderBranches Branches, int Unread);

/// <summary>
/// Whether a session is still open: asked at every request, from one row by its key. Nothing is kept in the process, so a session that was ended anywhere opens nothing from then on, on any server.
/// </summary>
public sealed class CheckSession(NpgsqlDataSource source, SessionLimits limits, TimeProvider clock)
{
    /// <summary>How exactly a session knows when it was used last; its idle end comes earlier by this at most.</summary>
    public static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(1);

    /// <summary>More notices than these are not counted.</summary>
    public const int UnreadCountedTo = 100;

    internal static readonly string Ask =
        $"""
        select begun_at, last_seen_at, {ReaderBranches.Columns("staff_branches", "user_id", "$2")}, (select count(*)::int from (select from camino.notices where user_id = $2 and read_at is null limit {UnreadCountedTo}) unread)
        from camino.staff_sessions where id = $1 and user_id = $2 and ended_at is null
        """;
    private const string Seen = "update camino.staff_sessions set last_seen_at = $2 where id = $1 and last_seen_at < $2 and ended_at is null";
    private const string End = "update camino.staff_sessions set ended_at = $2, ended_why = $3 where id = $1 and ended_at is null";

    /// <summary>Whether it is open.</summary>
    public async Task<bool> IsOpenAsync(Guid session, Guid userId, bool isUse, CancellationToken ct) => await FindAsync(session, userId, isUse, ct) is not null;

    /// <param name="isUse">A person did something; a page that keeps itself up to date does not count.</param>
    /// <returns>Null: the session is not open.</returns>
    public async Task<OpenSession?> FindAsync(Guid session, Guid userId, bool isUse, CancellationToken ct)
    {
        try
        {
            return await AskAsync(session, userId, isUse, ct);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            return await AskAsync(session, userId, isUse, ct); // the database's password was changed while the connection was made
        }
    }

    private async Task<OpenSession?> AskAsync(Guid session, Guid userId, bool isUse, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        DateTimeOffset begun, seen;
        OpenSession open;
        await using (var ask = new NpgsqlCommand(Ask, connection) { Parameters = { new() { Value = session }, new() { Value = userId } } })
        {
            await using var row = await ask.ExecuteReaderAsync(ct);
            if (!await row.ReadAsync(ct))
                return null;
            open = new OpenSession(ReaderBranches.Of(await row.GetFieldValueAsync<Guid[]>(2, ct), await row.GetFieldValueAsync<Guid[]>(3, ct)), row.GetInt32(4));
            (begun, seen) = (await row.GetFieldValueAsync<DateTimeOffset>(0, ct), await row.GetFieldValueAsync<DateTimeOffset>(1, ct));
        }

        var now = clock.GetUtcNow();
        var why = now - begun >= limits.Absolute ? SessionEnds.TooOld : now - seen >= limits.Idle ? SessionEnds.Idle : null;
        if (why is null && (!isUse || now - seen < SeenEvery))
            return open;
        await using var write = new NpgsqlCommand(why is null ? Seen : End, connection) { Parameters = { new() { Value = session }, new() { Value = now } } };
        if (why is not null)
            write.Parameters.Add(new() { Value = why });
        await write.ExecuteNonQueryAsync(ct);
        return why is null ? open : null;
    }
}
