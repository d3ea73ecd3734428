using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending.Screening;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Screening;

/// <summary>What became of files that were handed in.</summary>
/// <param name="Number">The version that is in force now.</param>
/// <param name="IsNew">False: the files are those of that version already.</param>
public sealed record ListImport(int Number, bool IsNew, OfacCounts Counts, int Added, int Removed, int Changed);

/// <summary>Takes a version of the lists in: all of it or nothing, with what it changes; then every borrower is screened again.</summary>
public sealed class ImportLists(CaminoDb db, TimeProvider clock)
{
    /// <summary>One version is taken in at a time.</summary>
    private const long Lock = 7_301_988_220_114;

    /// <param name="by">Null for the system itself.</param>
    public async Task<ListImport> RunAsync(ReadLists lists, Guid? by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var native = (NpgsqlTransaction)transaction.GetDbTransaction();
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({Lock})", ct);
        var (number, hash) = await NewestAsync(connection, native, ct);
        if (hash.AsSpan().SequenceEqual(lists.Hash))
            return new ListImport(number, IsNew: false, lists.Counts, 0, 0, 0);

        var before = await EntriesAsync(connection, native, ct);
        var hashes = lists.Parties.ToDictionary(party => (party.List, party.Number), HashOf);
        var added = lists.Parties.Where(party => !before.ContainsKey((party.List, party.Number))).Select(party => (party.List, party.Number, Name: party.Names[0].Text)).ToList();
        var changed = lists.Parties.Where(party => before.TryGetValue((party.List, party.Number), out var old) && !old.Hash.AsSpan().SequenceEqual(hashes[(party.List, party.Number)])).Select(party => (party.List, party.Number, Name: party.Names[0].Text)).ToList();
        var removed = before.Where(old => !hashes.ContainsKey(old.Key)).Select(old => (old.Key.List, old.Key.Number, old.Value.Name)).ToList();
        var result = new ListImport(number + 1, IsNew: true, lists.Counts, number == 0 ? 0 : added.Count, removed.Count, changed.Count);

        await AddVersionAsync(connection, native, result, lists, at, by, ct);
        await ReplaceAsync(connection, lists.Parties, hashes, ct);
        if (number > 0)
            await WriteChangesAsync(connection, result.Number, [(added, 0), (removed, 1), (changed, 2)], ct);
        await AskForBook.AddAsync(db, connection, native, result.Number, at, by, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "screening.list_imported", "watch_list", result.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), JsonSerializer.Serialize(new { entries = lists.Counts.Entries, result.Added, result.Removed, result.Changed, hash = Convert.ToHexStringLower(lists.Hash) })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return result;
    }

    private static async Task<(int Number, byte[] Hash)> NewestAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select number, hash from camino.watch_lists order by number desc limit 1", connection, transaction);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? (row.GetInt32(0), row.GetFieldValue<byte[]>(1)) : (0, []);
    }

    private static async Task<Dictionary<(string List, int Number), (byte[] Hash, string Name)>> EntriesAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var entries = new Dictionary<(string, int), (byte[], string)>();
        await using var command = new NpgsqlCommand("select e.list, e.entry, e.hash, n.name from camino.watch_entries e join camino.watch_names n on n.list = e.list and n.entry = e.entry and n.position = 0", connection, transaction);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            entries.Add((rows.GetString(0), rows.GetInt32(1)), (rows.GetFieldValue<byte[]>(2), rows.GetString(3)));
        return entries;
    }

    private static async Task AddVersionAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ListImport result, ReadLists lists, DateTimeOffset at, Guid? by, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("insert into camino.watch_lists (number, hash, source, imported_at, imported_by, entries, other_names, addresses, added, removed, changed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", connection, transaction)
        {
            Parameters =
            {
                new() { Value = result.Number }, new() { Value = lists.Hash }, new() { Value = lists.Source }, new() { Value = at }, new() { Value = by is { } who ? who : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
                new() { Value = lists.Counts.Entries }, new() { Value = lists.Counts.OtherNames }, new() { Value = lists.Counts.Addresses }, new() { Value = result.Added }, new() { Value = result.Removed }, new() { Value = result.Changed },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task ReplaceAsync(NpgsqlConnection connection, IReadOnlyList<ListedParty> parties, Dictionary<(string, int), byte[]> hashes, CancellationToken ct)
    {
        await using (var clear = new NpgsqlCommand("delete from camino.watch_addresses; delete from camino.watch_names; delete from camino.watch_entries", connection))
            await clear.ExecuteNonQueryAsync(ct);
        await using (var copy = await connection.BeginBinaryImportAsync("copy camino.watch_entries (list, entry, kind, programme, remarks, hash) from stdin (format binary)", ct))
        {
            foreach (var party in parties)
                await copy.WriteRowAsync(ct, party.List, party.Number, (short)party.Kind, party.Programme, party.Remarks, hashes[(party.List, party.Number)]);
            await copy.CompleteAsync(ct);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("copy camino.watch_names (list, entry, position, kind, name) from stdin (format binary)", ct))
        {
            foreach (var party in parties)
            {
                for (var i = 0; i < party.Names.Count; i++)
                    await copy.WriteRowAsync(ct, party.List, party.Number, i, (short)party.Names[i].Kind, party.Names[i].Text);
            }

            await copy.CompleteAsync(ct);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("copy camino.watch_addresses (list, entry, position, street, place, country) from stdin (format binary)", ct))
        {
            foreach (var party in parties)
            {
                for (var i = 0; i < party.Addresses.Count; i++)
                    await copy.WriteRowAsync(ct, party.List, party.Number, i, party.Addresses[i].Street, party.Addresses[i].Place, party.Addresses[i].Country);
            }

            await copy.CompleteAsync(ct);
        }
    }

    private static async Task WriteChangesAsync(NpgsqlConnection connection, int number, (List<(string List, int Number, string Name)> Entries, short What)[] changes, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync("copy camino.watch_changes (list_number, list, entry, change, name) from stdin (format binary)", ct);
        foreach (var (entries, what) in changes)
        {
            foreach (var (list, entry, name) in entries)
                await copy.WriteRowAsync(ct, number, list, entry, what, name);
        }

        await copy.CompleteAsync(ct);
    }

    /// <summary>Fingerprint of everything about an entry.</summary>
    internal static byte[] HashOf(ListedParty party) => SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001F', [
        party.Kind.ToString(), party.Programme, party.Remarks, .. party.Names.Select(name => $"{name.Kind}\u001E{name.Text}"), .. party.Addresses.Select(address => $"{address.Street}\u001E{address.Place}\u001E{address.Country}")])));
}
