using System.Text.Json;
using Camino.Lending;
using Camino.Lending.Screening;
using Camino.Web;
using Npgsql;

namespace Camino.Screening;

/// <summary>One screening in a list.</summary>
public sealed record ScreeningLine(Guid Id, string Name, DateTimeOffset AskedAt, string? AskedBy, int ListNumber, int Best, int Hits, int Undecided);

/// <summary>One screening with all that was found.</summary>
public sealed record ScreeningView(Guid Id, string Name, PartyKind Kind, DateOnly? BirthDate, string Country, DateTimeOffset AskedAt, string? AskedBy, Guid? LoanId, int ListNumber, int Threshold, int Best, IReadOnlyList<HitView> Hits);

/// <summary>One hit and where its review stands.</summary>
public sealed record HitView(Guid Id, Guid ScreeningId, string ScreenedName, string List, int Entry, int Score, int NameScore, string ListedName, HitExplanation Why, HitState State, string Reason, Guid? ProposedBy, string? ProposedByName, DateTimeOffset? ProposedAt, string? DecidedByName, DateTimeOffset? DecidedAt)
{
    /// <summary>Whether this person may be the second one.</summary>
    public bool WaitsFor(Guid user) => State is HitState.ClearProposed or HitState.ConfirmProposed && ProposedBy != user;
}

/// <summary>One version of the lists.</summary>
public sealed record ListVersion(int Number, DateTimeOffset ImportedAt, string Hash, string Source, int Entries, int OtherNames, int Addresses, int Added, int Removed, int Changed);

/// <summary>One look through all borrowers.</summary>
public sealed record RunLine(Guid Id, int ListNumber, DateTimeOffset AskedAt, DateTimeOffset? FinishedAt, long Names, long Hits, long Known, bool Superseded);

/// <summary>Reads screenings, hits, versions and runs, straight into what is shown.</summary>
public sealed class ReadScreenings(NpgsqlDataSource source)
{
    private const int Few = 10;

    private const string HitColumns =
        "h.id, h.screening_id, s.name, h.list, h.entry, h.score, h.name_score, h.listed_name, h.why, h.state, h.reason, h.proposed_by, p.display_name, h.proposed_at, d.display_name, h.decided_at from camino.screening_hits h join camino.screenings s on s.id = h.screening_id left join camino.staff_users p on p.id = h.proposed_by left join camino.staff_users d on d.id = h.decided_by";

    /// <summary>One screening.</summary>
    /// <exception cref="RefusedException"><c>screening.not_found</c>.</exception>
    public async Task<ScreeningView> OneAsync(Guid id, CancellationToken ct)
    {
        var hits = await HitsAsync($"select {HitColumns} where h.screening_id = $1 order by h.score desc, h.name_score desc, h.id", id, ct);
        await using var command = source.CreateCommand("select s.name, s.kind, s.birth_date, s.country, s.asked_at, u.display_name, s.loan_id, s.list_number, s.threshold, s.best from camino.screenings s left join camino.staff_users u on u.id = s.asked_by where s.id = $1");
        command.Parameters.AddWithValue(id);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            throw new RefusedException("screening.not_found", $"There is no screening {id}.");
        return new ScreeningView(
            id, row.GetString(0), (PartyKind)row.GetInt16(1), await row.IsDBNullAsync(2, ct) ? null : row.GetFieldValue<DateOnly>(2), row.GetString(3), row.GetFieldValue<DateTimeOffset>(4), await TextAsync(row, 5, ct), await row.IsDBNullAsync(6, ct) ? null : row.GetGuid(6), row.GetInt32(7), row.GetInt16(8), row.GetInt16(9), hits);
    }

    /// <summary>Screenings, the newest first.</summary>
    /// <param name="after">The last one of the page before.</param>
    public async Task<(IReadOnlyList<ScreeningLine> Lines, Guid? Next)> HistoryAsync(Guid? after, CancellationToken ct)
    {
        await using var command = History(source, after);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<ScreeningLine>();
        while (await rows.ReadAsync(ct))
            lines.Add(new ScreeningLine(rows.GetGuid(0), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2), await TextAsync(rows, 3, ct), rows.GetInt32(4), rows.GetInt16(5), rows.GetInt32(6), (int)rows.GetInt64(7)));
        return Cut(lines, line => line.Id);
    }

    /// <summary>Hits that wait for a person, the oldest first.</summary>
    /// <param name="after">The last one of the page before.</param>
    public async Task<(IReadOnlyList<HitView> Lines, Guid? Next)> WaitingAsync(Guid? after, CancellationToken ct) =>
        Cut(await HitsAsync(WaitingSql, after ?? Guid.Empty, ct), hit => hit.Id);

    /// <summary>The last versions of the lists.</summary>
    public async Task<IReadOnlyList<ListVersion>> VersionsAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select number, imported_at, hash, source, entries, other_names, addresses, added, removed, changed from camino.watch_lists order by number desc limit $1");
        command.Parameters.AddWithValue(Few);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var versions = new List<ListVersion>();
        while (await rows.ReadAsync(ct))
            versions.Add(new ListVersion(rows.GetInt32(0), rows.GetFieldValue<DateTimeOffset>(1), Convert.ToHexStringLower(rows.GetFieldValue<byte[]>(2)), rows.GetString(3), rows.GetInt32(4), rows.GetInt32(5), rows.GetInt32(6), rows.GetInt32(7), rows.GetInt32(8), rows.GetInt32(9)));
        return versions;
    }

    /// <summary>The last looks through all borrowers.</summary>
    public async Task<IReadOnlyList<RunLine>> RunsAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select id, list_number, asked_at, finished_at, names, hits, known, superseded from camino.screening_runs order by id desc limit $1");
        command.Parameters.AddWithValue(Few);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var runs = new List<RunLine>();
        while (await rows.ReadAsync(ct))
            runs.Add(new RunLine(rows.GetGuid(0), rows.GetInt32(1), rows.GetFieldValue<DateTimeOffset>(2), await rows.IsDBNullAsync(3, ct) ? null : rows.GetFieldValue<DateTimeOffset>(3), rows.GetInt64(4), rows.GetInt64(5), rows.GetInt64(6), rows.GetBoolean(7)));
        return runs;
    }

    /// <summary>The statement of a page of history.</summary>
    internal static NpgsqlCommand History(NpgsqlDataSource source, Guid? after)
    {
        var command = source.CreateCommand(
            $"select s.id, s.name, s.asked_at, u.display_name, s.list_number, s.best, s.hits, (select count(*) from camino.screening_hits h where h.screening_id = s.id and h.state < 3) from camino.screenings s left join camino.staff_users u on u.id = s.asked_by where s.id < $1 order by s.id desc limit {ListPage.Size + 1}");
        command.Parameters.AddWithValue(after ?? Guid.AllBitsSet);
        return command;
    }

    /// <summary>The statement of a page of hits that wait.</summary>
    internal static string WaitingSql { get; } = $"select {HitColumns} where h.state < 3 and h.id > $1 order by h.id limit {ListPage.Size + 1}";

    private async Task<List<HitView>> HitsAsync(string sql, Guid parameter, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.AddWithValue(parameter);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var hits = new List<HitView>();
        while (await rows.ReadAsync(ct))
        {
            hits.Add(new HitView(
                rows.GetGuid(0), rows.GetGuid(1), rows.GetString(2), rows.GetString(3), rows.GetInt32(4), rows.GetInt16(5), rows.GetInt16(6), rows.GetString(7),
                JsonSerializer.Deserialize<HitExplanation>(rows.GetString(8), HitExplanation.Json) ?? throw new JsonException("A hit has no explanation."),
                (HitState)rows.GetInt16(9), rows.GetString(10), await rows.IsDBNullAsync(11, ct) ? null : rows.GetGuid(11), await TextAsync(rows, 12, ct), await rows.IsDBNullAsync(13, ct) ? null : rows.GetFieldValue<DateTimeOffset>(13),
                await TextAsync(rows, 14, ct), await rows.IsDBNullAsync(15, ct) ? null : rows.GetFieldValue<DateTimeOffset>(15)));
        }

        return hits;
    }

    private static (IReadOnlyList<T> Lines, Guid? Next) Cut<T>(List<T> lines, Func<T, Guid> id)
    {
        if (lines.Count <= ListPage.Size)
            return (lines, null);
        lines.RemoveAt(ListPage.Size);
        return (lines, id(lines[^1]));
    }

    private static async Task<string?> TextAsync(NpgsqlDataReader row, int column, CancellationToken ct) => await row.IsDBNullAsync(column, ct) ? null : row.GetString(column);
}
