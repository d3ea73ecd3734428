using Camino.Branches;
using Npgsql;

namespace Camino.Clients;

/// <summary>A client that showed a key which opens something.</summary>
/// <param name="UsedToday">Requests on this day of UTC, of all servers, as far as they wrote them down.</param>
public sealed record KnownClient(Guid KeyId, Guid Id, string Name, ClientTerms Terms, long UsedToday)
{
    /// <summary>The branches that it is bound to.</summary>
    public ReaderBranches Branches { get; init; } = ReaderBranches.All;
}

/// <summary>
/// Whose key this is and what its client may do: asked at every request, from the key's row. Nothing is kept in the process, so what was disabled, expired or changed anywhere is felt by the next request, on any server.
/// </summary>
public sealed class CheckClient(NpgsqlDataSource source, TimeProvider clock)
{
    private static readonly string Ask =
        $"""
        select k.id, c.id, c.name, c.scopes, c.requests_a_minute, c.burst, c.requests_a_day, coalesce(d.requests, 0),
            {ReaderBranches.Columns("api_client_branches", "client_id", "c.id")}
        from camino.api_client_keys k
        join camino.api_clients c on c.id = k.client_id
        left join camino.api_client_days d on d.client_id = c.id and d.day = $3
        where k.hash = $1 and (k.expires_at is null or k.expires_at > $2) and c.disabled_at is null
        """;

    /// <param name="key">As it was sent.</param>
    /// <returns>Null: the key is none, has expired, or its client is disabled.</returns>
    public async Task<KnownClient?> FindAsync(string key, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!ClientKey.IsWhole(key))
            return null;
        try
        {
            return await AskAsync(key, ct);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            return await AskAsync(key, ct); // the database's password was changed while the connection was made
        }
    }

    internal NpgsqlCommand Command(string key)
    {
        var now = clock.GetUtcNow();
        var ask = source.CreateCommand(Ask);
        ask.Parameters.Add(new() { Value = ClientKey.HashOf(key) });
        ask.Parameters.Add(new() { Value = now });
        ask.Parameters.Add(new() { Value = DateOnly.FromDateTime(now.UtcDateTime) });
        return ask;
    }

    private async Task<KnownClient?> AskAsync(string key, CancellationToken ct)
    {
        await using var ask = Command(key);
        await using var row = await ask.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        var terms = new ClientTerms(await row.GetFieldValueAsync<string[]>(3, ct), row.GetInt32(4), row.GetInt32(5), await row.IsDBNullAsync(6, ct) ? null : row.GetInt32(6));
        return new KnownClient(row.GetGuid(0), row.GetGuid(1), row.GetString(2), terms, row.GetInt64(7)) { Branches = ReaderBranches.Of(await row.GetFieldValueAsync<Guid[]>(8, ct), await row.GetFieldValueAsync<Guid[]>(9, ct)) };
    }
}
