using System.Security.Cryptography;
using System.Text;
using Camino.Lending;
using Camino.Lending.Screening;
using Npgsql;

namespace Camino.Screening;

/// <summary>Lets no money out to somebody who may be on a sanctions list: the loan's borrower and the owners of the business are screened against the lists in force.</summary>
public sealed class SanctionsGate(NpgsqlDataSource source, CurrentWatchList lists, ScreeningOptions options, TimeProvider clock)
{
    /// <summary>Matches of one name that are kept.</summary>
    internal const int MostHits = 10;

    /// <summary>Screens, and keeps what was not found before; the work is committed whatever the answer, so that people find it on the page <i>Screening</i>.</summary>
    /// <param name="by">Who wants the money paid out.</param>
    /// <returns>Null: nothing stands in the way. Else how many matches do.</returns>
    /// <exception cref="RefusedException"><c>screening.no_list</c>: no list was taken in, and the configuration says that there must be one.</exception>
    public async Task<SanctionsStop?> LookAsync(Guid loanId, Guid by, CancellationToken ct)
    {
        if ((options.IsRequired ? await lists.GetAsync(ct) : await lists.FindAsync(ct)) is not { } loaded)
            return null;
        await using var connection = await source.OpenConnectionAsync(ct);
        var (waiting, confirmed) = (0, 0);
        foreach (var party in await NamesAsync(connection, loanId, ct))
        {
            ct.ThrowIfCancellationRequested();
            foreach (var state in await StatesAsync(connection, loaded, party, loanId, by, ct))
            {
                waiting += state is HitState.Open or HitState.ClearProposed or HitState.ConfirmProposed ? 1 : 0;
                confirmed += state == HitState.Confirmed ? 1 : 0;
            }
        }

        return waiting + confirmed == 0 ? null : new SanctionsStop(waiting, confirmed);
    }

    /// <summary>Who matched what, in which state of the entry: once cleared, the same match stays cleared until the entry changes.</summary>
    internal static byte[] KeyOf(string name, ListedParty party)
    {
        var words = string.Join(' ', NameWords.Of(name, PartyKind.Unknown).Words.Select(word => word.Text));
        return SHA256.HashData([.. Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{words}\u001F{party.List}\u001F{party.Number}\u001F")), .. ImportLists.HashOf(party)]);
    }

    /// <summary>A name as it is screened: at most <see cref="ScreenName.LongestName"/> characters.</summary>
    internal static string Screened(string name) => name.Length > ScreenName.LongestName ? name[..ScreenName.LongestName] : name;

    private static async Task<List<ScreenedParty>> NamesAsync(NpgsqlConnection connection, Guid loanId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select borrower_name, null::boolean from camino.serviced_loans where id = $1
            union
            select b.name, b.kind = 2 from camino.loan_borrowers k join camino.borrowers b on b.id = k.borrower_id where k.loan_id = $1
            union
            select o.name, true from camino.loan_borrowers k join camino.borrower_owners o on o.borrower_id = k.borrower_id where k.loan_id = $1
            """, connection)
        { Parameters = { new() { Value = loanId } } };
        await using var rows = await command.ExecuteReaderAsync(ct);
        var names = new List<ScreenedParty>();
        while (await rows.ReadAsync(ct))
            names.Add(new ScreenedParty(Screened(rows.GetString(0).Trim()), !await rows.IsDBNullAsync(1, ct) && rows.GetBoolean(1) ? PartyKind.Person : PartyKind.Unknown));
        return [.. names.Where(one => one.Name.Length > 0).DistinctBy(one => one.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>The reviews of everything that one name matches; what is new is stored first.</summary>
    private async Task<List<HitState>> StatesAsync(NpgsqlConnection connection, LoadedWatchList loaded, ScreenedParty party, Guid loanId, Guid by, CancellationToken ct)
    {
        var found = loaded.List.Search(party, options.Threshold, MostHits).Select(hit => (Hit: hit, Key: KeyOf(party.Name, hit.Party))).ToList();
        if (found.Count == 0)
            return [];
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var known = await KnownAsync(connection, transaction, found.ConvertAll(one => one.Key), ct);
        var fresh = found.Where(one => !known.ContainsKey(Convert.ToHexString(one.Key))).Select(one => (one.Hit, (byte[]?)one.Key)).ToList();
        if (fresh.Count > 0)
        {
            var screening = new StoredScreening(Guid.CreateVersion7(), loaded.Number, party, options.Threshold, clock.GetUtcNow(), by) { LoanId = loanId };
            await ScreenName.StoreAsync(connection, transaction, screening, fresh, ct);
        }

        await transaction.CommitAsync(ct);
        return [.. known.Values, .. fresh.Select(_ => HitState.Open)];
    }

    /// <summary>Which of these keys are known already, in hexadecimal, and where their review stands.</summary>
    internal static async Task<Dictionary<string, HitState>> KnownAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, List<byte[]> keys, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select match_key, state from camino.screening_hits where match_key = any($1)", connection, transaction) { Parameters = { new() { Value = keys.ToArray() } } };
        await using var rows = await command.ExecuteReaderAsync(ct);
        var known = new Dictionary<string, HitState>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
            known[Convert.ToHexString(rows.GetFieldValue<byte[]>(0))] = (HitState)rows.GetInt16(1);
        return known;
    }
}

/// <summary>Why no money goes out.</summary>
/// <param name="Waiting">Matches that two people have not decided yet.</param>
/// <param name="Confirmed">Matches of which two people said: it is the one on the list.</param>
public sealed record SanctionsStop(int Waiting, int Confirmed)
{
    /// <exception cref="RefusedException"><c>loan.sanctions</c>.</exception>
    public void Throw(string number)
    {
        Refuse.If(Confirmed > 0, "loan.sanctions", $"Loan {number} cannot be paid out: its borrower or an owner is on a sanctions list, two people said so.");
        Refuse.If(Waiting > 0, "loan.sanctions", $"Loan {number} cannot be paid out yet: {Waiting} possible matches with a sanctions list wait for two people; see the page Screening.");
    }
}
