using Npgsql;

namespace Camino.Clients;

/// <summary>One client as administrators see it.</summary>
/// <param name="LastUsedAt">By whichever key, to within <see cref="ClientUse.WriteEvery"/>; null: never.</param>
/// <param name="Keys">How many keys open something.</param>
/// <param name="KeyExpiresAt">When the newest key expires; null: it does not.</param>
/// <param name="RequestsToday">On this day of UTC, of all servers, as far as they wrote them down.</param>
public sealed record ClientLine(Guid Id, string Name, ClientTerms Terms, DateTimeOffset MadeAt, bool IsDisabled, DateTimeOffset? LastUsedAt, int Keys, DateTimeOffset? KeyExpiresAt, long RequestsToday);

/// <summary>One key of a client.</summary>
/// <param name="Ending">Its last four characters.</param>
/// <param name="IsOpen">It has not expired.</param>
public sealed record ClientKeyLine(Guid Id, string Ending, DateTimeOffset MadeAt, DateTimeOffset? ExpiresAt, bool IsOpen, DateTimeOffset? LastUsedAt);

/// <summary>Reads the clients in the order of their names.</summary>
public sealed class ListClients(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <summary>Keys shown of one client, the newest first.</summary>
    public const int KeysShown = 20;

    private const string Columns =
        """
        select c.id, c.name, c.scopes, c.requests_a_minute, c.burst, c.requests_a_day, c.made_at, c.disabled_at is not null,
               (select max(k.last_used_at) from camino.api_client_keys k where k.client_id = c.id),
               (select count(*)::int from camino.api_client_keys k where k.client_id = c.id and (k.expires_at is null or k.expires_at > $1)),
               (select k.expires_at from camino.api_client_keys k where k.client_id = c.id order by k.id desc limit 1),
               coalesce((select d.requests from camino.api_client_days d where d.client_id = c.id and d.day = $2), 0), c.result_days
        from camino.api_clients c
        """;

    private const string KeyColumns = "select id, ending, made_at, expires_at, last_used_at from camino.api_client_keys where client_id = $1 order by id desc limit $2";

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <param name="rows">At most so many.</param>
    public async Task<IReadOnlyList<ClientLine>> RunAsync(Guid? after, int rows, CancellationToken ct)
    {
        await using var page = Page(after, rows);
        return await ReadAsync(page, ct);
    }

    /// <summary>One client; null when there is none.</summary>
    public async Task<ClientLine?> OneAsync(Guid id, CancellationToken ct)
    {
        await using var one = Select(" where c.id = $3");
        one.Parameters.Add(new() { Value = id });
        return (await ReadAsync(one, ct)).FirstOrDefault();
    }

    /// <summary>The client of this name, whatever its capitals; null when there is none.</summary>
    public async Task<ClientLine?> NamedAsync(string name, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(name);
        await using var one = Select(" where c.sort_name = lower($3)");
        one.Parameters.Add(new() { Value = name.Trim() });
        return (await ReadAsync(one, ct)).FirstOrDefault();
    }

    /// <summary>The newest keys of a client.</summary>
    public async Task<IReadOnlyList<ClientKeyLine>> KeysAsync(Guid id, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var select = source.CreateCommand(KeyColumns);
        select.Parameters.Add(new() { Value = id });
        select.Parameters.Add(new() { Value = KeysShown });
        await using var rows = await select.ExecuteReaderAsync(ct);
        var keys = new List<ClientKeyLine>();
        while (await rows.ReadAsync(ct))
        {
            var expires = await rows.IsDBNullAsync(3, ct) ? (DateTimeOffset?)null : rows.GetFieldValue<DateTimeOffset>(3);
            keys.Add(new ClientKeyLine(rows.GetGuid(0), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2), expires, expires is null || expires > now, await rows.IsDBNullAsync(4, ct) ? null : rows.GetFieldValue<DateTimeOffset>(4)));
        }

        return keys;
    }

    internal NpgsqlCommand Page(Guid? after, int rows)
    {
        var page = Select((after is null ? "" : " where c.sort_name > (select before.sort_name from camino.api_clients before where before.id = $4)") + " order by c.sort_name limit $3");
        page.Parameters.Add(new() { Value = rows });
        if (after is { } id)
            page.Parameters.Add(new() { Value = id });
        return page;
    }

    private NpgsqlCommand Select(string which)
    {
        var now = clock.GetUtcNow();
        var select = source.CreateCommand(Columns + which);
        select.Parameters.Add(new() { Value = now });
        select.Parameters.Add(new() { Value = DateOnly.FromDateTime(now.UtcDateTime) });
        return select;
    }

    private static async Task<List<ClientLine>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<ClientLine>();
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new ClientLine(
                rows.GetGuid(0),
                rows.GetString(1),
                new ClientTerms(await rows.GetFieldValueAsync<string[]>(2, ct), rows.GetInt32(3), rows.GetInt32(4), await rows.IsDBNullAsync(5, ct) ? null : rows.GetInt32(5), await rows.IsDBNullAsync(12, ct) ? null : rows.GetInt32(12)),
                rows.GetFieldValue<DateTimeOffset>(6),
                rows.GetBoolean(7),
                await rows.IsDBNullAsync(8, ct) ? null : rows.GetFieldValue<DateTimeOffset>(8),
                rows.GetInt32(9),
                await rows.IsDBNullAsync(10, ct) ? null : rows.GetFieldValue<DateTimeOffset>(10),
                rows.GetInt64(11)));
        }

        return lines;
    }
}
