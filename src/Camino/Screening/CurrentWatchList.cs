using Camino.Lending;
using Camino.Lending.Screening;
using Npgsql;

namespace Camino.Screening;

/// <summary>A version of the lists, ready to be searched.</summary>
public sealed record LoadedWatchList(int Number, WatchList List);

/// <summary>The version in force, kept in memory: read when it is first asked for, and again when a newer one was taken in.</summary>
public sealed class CurrentWatchList(NpgsqlDataSource source) : IDisposable
{
    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile LoadedWatchList? _loaded;

    /// <summary>The version in force.</summary>
    /// <exception cref="RefusedException"><c>screening.no_list</c>: none was ever taken in.</exception>
    public async Task<LoadedWatchList> GetAsync(CancellationToken ct) =>
        await FindAsync(ct) ?? throw new RefusedException("screening.no_list", "No sanctions list was taken in yet; run: camino screening import FOLDER.");

    /// <summary>The version in force; null when none was ever taken in.</summary>
    public async Task<LoadedWatchList?> FindAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var newest = await NewestAsync(connection, null, ct);
        if (newest == 0)
            return null;
        if (_loaded is { } there && there.Number == newest)
            return there;
        await _reading.WaitAsync(ct);
        try
        {
            if (_loaded is { } meanwhile && meanwhile.Number >= newest)
                return meanwhile;
            return _loaded = await ReadAsync(connection, ct);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();

    private static async Task<int> NewestAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select coalesce(max(number), 0) from camino.watch_lists", connection, transaction);
        return (int)(await command.ExecuteScalarAsync(ct) ?? 0);
    }

    /// <summary>On one snapshot, so that number and entries belong together.</summary>
    private static async Task<LoadedWatchList> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var number = await NewestAsync(connection, transaction, ct);
        var names = new Dictionary<(string, int), List<ListedName>>();
        await using (var command = new NpgsqlCommand("select list, entry, kind, name from camino.watch_names order by list, entry, position", connection, transaction))
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
                Under(names, (rows.GetString(0), rows.GetInt32(1))).Add(new ListedName(rows.GetString(3), (ListedNameKind)rows.GetInt16(2)));
        }

        var addresses = new Dictionary<(string, int), List<ListedAddress>>();
        await using (var command = new NpgsqlCommand("select list, entry, street, place, country from camino.watch_addresses order by list, entry, position", connection, transaction))
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
                Under(addresses, (rows.GetString(0), rows.GetInt32(1))).Add(new ListedAddress(rows.GetString(2), rows.GetString(3), rows.GetString(4)));
        }

        var parties = new List<ListedParty>();
        await using (var command = new NpgsqlCommand("select list, entry, kind, programme, remarks from camino.watch_entries order by list, entry", connection, transaction))
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
            {
                var key = (rows.GetString(0), rows.GetInt32(1));
                parties.Add(new ListedParty(key.Item1, key.Item2, (PartyKind)rows.GetInt16(2), rows.GetString(3), rows.GetString(4), Under(names, key), addresses.TryGetValue(key, out var found) ? found : []));
            }
        }

        await transaction.CommitAsync(ct);
        return new LoadedWatchList(number, new WatchList(parties));
    }

    private static List<T> Under<T>(Dictionary<(string, int), List<T>> all, (string, int) key) => all.TryGetValue(key, out var list) ? list : all[key] = [];
}
