using System.Text;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Camino.Journal;

/// <summary>Which entries the journal shows.</summary>
public sealed record JournalFilter
{
    /// <summary>Posted on this business date or later.</summary>
    public DateOnly? From { get; init; }

    /// <summary>Posted on this business date or earlier.</summary>
    public DateOnly? To { get; init; }

    /// <summary>Name of an account that one of the lines is on.</summary>
    public string? Account { get; init; }

    public bool IsEmpty => this == new JournalFilter();

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static JournalFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        var account = address.Text("account");
        return new() { From = address.Day("from"), To = address.Day("to"), Account = account is not null && HouseChart.Find(account) is not null ? account : null };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter().Add("from", From).Add("to", To).Add("account", Account).ToQuery(cursorName, cursor);
}

/// <summary>Reads the entries by hand, the newest first; pages are found by keyset.</summary>
public sealed class ReadJournal(NpgsqlDataSource source)
{
    private const string Columns =
        """
        select e.id, e.number, e.posted_on, e.effective_on, e.memo, e.reverses, (select r.id from camino.journal_entries r where r.reverses = e.id), e.approval_id, e.asked_by, e.approved_by, e.posted_at, l.accounts, l.amounts,
            coalesce((select u.display_name from camino.staff_users u where u.id = e.asked_by), (select c.name from camino.api_clients c where c.id = e.asked_by), ''),
            coalesce((select u.display_name from camino.staff_users u where u.id = e.approved_by), ''), (select r.number from camino.journal_entries r where r.id = e.reverses)
        from (
        """;

    private const string Lines =
        """
        ) e, lateral (select array_agg(account order by line) as accounts, array_agg(amount order by line) as amounts from camino.journal_lines where entry_id = e.id) l
        """;

    public async Task<ListPage<PostedEntry>> ListAsync(JournalFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        await using var page = Page(source, filter, cursor);
        var entries = await ReadAsync(page, ct);
        await using var count = source.CreateCommand();
        count.CommandText = KeysetSql.Count("camino.journal_entries e", Conditions(filter, count).Conditions, ListPage.CountedAtMost);
        var counted = Convert.ToInt32(await count.ExecuteScalarAsync(ct), System.Globalization.CultureInfo.InvariantCulture);
        return ListPage.Cut(entries, counted, cursor, (entry, backward) => new ListCursor(null, entry.Id, backward));
    }

    /// <summary>One entry; null: there is none.</summary>
    public async Task<PostedEntry?> OneAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await OneAsync(connection, null, id, ct);
    }

    /// <summary>The same, seen from within a transaction.</summary>
    internal static async Task<PostedEntry?> OneAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid id, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand($"{Columns} select * from camino.journal_entries where id = $1 {Lines}", connection, transaction) { Parameters = { new() { Value = id } } };
        return (await ReadAsync(ask, ct)).FirstOrDefault();
    }

    /// <summary>What the entries by hand come to on each account, debits less credits.</summary>
    public async Task<IReadOnlyDictionary<string, decimal>> BalancesAsync(CancellationToken ct)
    {
        await using var ask = source.CreateCommand("select account, sum(amount) from camino.journal_lines group by account");
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var balances = new Dictionary<string, decimal>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
            balances[rows.GetString(0)] = rows.GetDecimal(1);
        return balances;
    }

    /// <summary>The statement of one page and one row more. By number: that is the order in which they were posted.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, JournalFilter filter, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, command);
        var descending = cursor is not { Backward: true };
        if (cursor is not null)
            sql.Add($"e.number {KeysetSql.Sign(descending)} (select at.number from camino.journal_entries at where at.id = @cursor_id)", ("cursor_id", cursor.Id));
        command.CommandText = new StringBuilder(Columns).Append(" select e.* from camino.journal_entries e").Append(KeysetSql.Where(sql.Conditions))
            .Append(" order by e.number ").Append(KeysetSql.Direction(descending)).Append(" limit ").Append(KeysetSql.Rows(ListPage.Size + 1)).Append(Lines)
            .Append(" order by e.number ").Append(KeysetSql.Direction(descending)).ToString();
        return command;
    }

    private static KeysetSql Conditions(JournalFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        if (filter.From is { } from)
            sql.Add("e.posted_on >= @from", ("from", from));
        if (filter.To is { } to)
            sql.Add("e.posted_on <= @to", ("to", to));
        if (filter.Account is { } account)
            sql.Add("exists (select from camino.journal_lines l where l.entry_id = e.id and l.account = @account)", ("account", account));
        return sql;
    }

    private static async Task<List<PostedEntry>> ReadAsync(NpgsqlCommand ask, CancellationToken ct)
    {
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var entries = new List<PostedEntry>();
        while (await rows.ReadAsync(ct))
        {
            var (accounts, amounts) = (rows.GetFieldValue<string[]>(11), rows.GetFieldValue<decimal[]>(12));
            entries.Add(new PostedEntry(
                rows.GetGuid(0), rows.GetInt64(1), rows.GetFieldValue<DateOnly>(2), rows.GetFieldValue<DateOnly>(3), rows.GetString(4), await rows.IsDBNullAsync(5, ct) ? null : rows.GetGuid(5), await rows.IsDBNullAsync(6, ct) ? null : rows.GetGuid(6),
                rows.GetGuid(7), rows.GetGuid(8), rows.GetGuid(9), rows.GetFieldValue<DateTimeOffset>(10), [.. accounts.Zip(amounts, (account, amount) => new JournalLine(account, new Money(amount)))])
            {
                AskedByName = rows.GetString(13),
                ApprovedByName = rows.GetString(14),
                ReversesNumber = await rows.IsDBNullAsync(15, ct) ? null : rows.GetInt64(15),
            });
        }

        return entries;
    }
}
