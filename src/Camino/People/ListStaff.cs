using Npgsql;

namespace Camino.People;

/// <summary>One user as administrators see them.</summary>
/// <param name="IsLocked">Too many wrong passwords; for some minutes.</param>
/// <param name="HasPassword">False until the one-time link was followed.</param>
/// <param name="LastSignIn">Null: never, or before sessions were kept.</param>
/// <param name="OpenSessions">How many are neither ended nor over by their limits.</param>
/// <param name="HasSecondFactor">A code is asked after the password.</param>
/// <param name="IsLinked">Signs in at the company's identity provider too.</param>
public sealed record StaffLine(Guid Id, string Email, string Name, IReadOnlyList<string> Roles, bool IsDisabled, bool IsLocked, bool IsDemo, bool HasPassword, DateTimeOffset? LastSignIn, int OpenSessions, bool HasSecondFactor, bool IsLinked);

/// <summary>Reads the users in the order of their e-mails.</summary>
public sealed class ListStaff(NpgsqlDataSource source, SessionLimits limits, TimeProvider clock)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    private const string Columns =
        """
        select u.id, coalesce(u.email, ''), u.display_name,
               array(select r.name from camino.staff_user_roles l join camino.staff_roles r on r.id = l.role_id where l.user_id = u.id order by r.name),
               coalesce(u.lockout_end = 'infinity', false), coalesce(u.lockout_end > now() and u.lockout_end < 'infinity', false), u.is_demo, u.password_hash is not null,
               (select s.begun_at from camino.staff_sessions s where s.user_id = u.id order by s.id desc limit 1),
               (select count(*)::int from camino.staff_sessions s where s.user_id = u.id and s.ended_at is null and s.last_seen_at > $1 and s.begun_at > $2), u.two_factor_enabled,
               exists (select from camino.staff_user_logins g where g.user_id = u.id)
        from camino.staff_users u
        """;

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <param name="rows">At most so many.</param>
    public async Task<IReadOnlyList<StaffLine>> RunAsync(Guid? after, int rows, CancellationToken ct)
    {
        await using var page = Page(after, rows);
        return await ReadAsync(page, ct);
    }

    /// <summary>One user; null when there is none.</summary>
    public async Task<StaffLine?> OneAsync(Guid id, CancellationToken ct)
    {
        await using var one = Select(" where u.id = $3");
        one.Parameters.Add(new() { Value = id });
        return (await ReadAsync(one, ct)).FirstOrDefault();
    }

    /// <summary>Of the user with this e-mail; null when there is none.</summary>
    public async Task<Guid?> IdOfAsync(string email, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(email);
        await using var one = source.CreateCommand("select id from camino.staff_users where normalized_email = upper($1)");
        one.Parameters.Add(new() { Value = email.Trim() });
        return (Guid?)await one.ExecuteScalarAsync(ct);
    }

    internal NpgsqlCommand Page(Guid? after, int rows)
    {
        var page = Select((after is null ? "" : " where u.normalized_user_name > (select before.normalized_user_name from camino.staff_users before where before.id = $4)") + " order by u.normalized_user_name limit $3");
        page.Parameters.Add(new() { Value = rows });
        if (after is { } id)
            page.Parameters.Add(new() { Value = id });
        return page;
    }

    private NpgsqlCommand Select(string which)
    {
        var now = clock.GetUtcNow();
        var select = source.CreateCommand(Columns + which);
        select.Parameters.Add(new() { Value = now - limits.Idle });
        select.Parameters.Add(new() { Value = now - limits.Absolute });
        return select;
    }

    private static async Task<List<StaffLine>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<StaffLine>();
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new StaffLine(
                rows.GetGuid(0),
                rows.GetString(1),
                rows.GetString(2),
                await rows.GetFieldValueAsync<string[]>(3, ct),
                rows.GetBoolean(4),
                rows.GetBoolean(5),
                rows.GetBoolean(6),
                rows.GetBoolean(7),
                await rows.IsDBNullAsync(8, ct) ? null : await rows.GetFieldValueAsync<DateTimeOffset>(8, ct),
                rows.GetInt32(9),
                rows.GetBoolean(10),
                rows.GetBoolean(11)));
        }

        return lines;
    }
}
