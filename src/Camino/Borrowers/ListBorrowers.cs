using System.Globalization;
using Camino.Branches;
using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Borrowers;

/// <summary>By what borrowers are sorted. The names stand in addresses.</summary>
public enum BorrowerSort
{
    Name,

    /// <summary>By the time of adding, newest first.</summary>
    Newest,
}

/// <summary>Which borrowers a list shows, and in which order: exactly what the address says.</summary>
public sealed record BorrowerFilter
{
    /// <summary>How the name begins.</summary>
    public string? Text { get; init; }

    /// <summary>Only what is seen from these branches, null: everything; no part of an address.</summary>
    public Guid[]? Branches { get; init; }

    public BorrowerSort Sort { get; init; }

    /// <summary>The other way round.</summary>
    public bool Reverse { get; init; }

    public bool IsEmpty => Text is null;

    /// <summary>In order for names, newest first for times.</summary>
    public bool Descending => (Sort == BorrowerSort.Newest) != Reverse;

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static BorrowerFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        var (sort, reverse) = address.Sort<BorrowerSort>();
        return new BorrowerFilter { Text = address.Text("q")?.Replace("\0", "", StringComparison.Ordinal), Sort = sort, Reverse = reverse };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter().Add("q", Text).Sort(Sort, Reverse).ToQuery(cursorName, cursor);
}

/// <summary>One line of the list of borrowers.</summary>
/// <param name="Loans">How many loans are linked, counted up to 100.</param>
public sealed record BorrowerLine(Guid Id, string Name, string? TradeName, string Kind, string Language, string? City, string? State, int Loans, string SortName)
{
    internal ListCursor Cursor(BorrowerSort sort, bool backward) => new(sort == BorrowerSort.Name ? SortName : null, Id, backward);
}

/// <summary>Reads pages of borrowers straight into view records, found by keyset.</summary>
public sealed class ListBorrowers(NpgsqlDataSource source, BranchScope? scope = null)
{
    /// <summary>Rows are cut first; what hangs on a line is read for the lines of the page only.</summary>
    private const string Columns =
        """
        select b.id, b.name, b.trade_name, b.kind, b.language, a.city, a.state,
               (select count(*) from (select from camino.loan_borrowers k where k.borrower_id = b.id limit 100) l)::int, b.sort_name
        from page b left join camino.borrower_addresses a on a.borrower_id = b.id and a.position = 1
        """;

    public async Task<ListPage<BorrowerLine>> RunAsync(BorrowerFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        var seen = filter with { Branches = scope?.Seen };
        return ListPage.Cut(await ReadAsync(seen, cursor, ct), await CountAsync(seen, ct), cursor, (line, backward) => line.Cursor(filter.Sort, backward));
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, BorrowerFilter filter, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, command);
        var descending = filter.Descending != cursor is { Backward: true };
        if (cursor is not null)
        {
            command.Parameters.AddWithValue("cursor_id", cursor.Id);
            if (filter.Sort == BorrowerSort.Newest)
                sql.Add($"b.id {KeysetSql.Sign(descending)} @cursor_id");
            else if (sql.Beyond("b.sort_name", "b.id", NpgsqlDbType.Text, cursor.Value, descending) is { } beyond)
                sql.Add(beyond);
        }

        var direction = KeysetSql.Direction(descending);
        string Order(string row) => filter.Sort == BorrowerSort.Newest ? $"{row}.id {direction}" : $"{row}.sort_name {direction}, {row}.id {direction}";
        command.CommandText = $"with page as (select * from camino.borrowers b{KeysetSql.Where(sql.Conditions)} order by {Order("b")} limit {KeysetSql.Rows(ListPage.Size + 1)}) {Columns} order by {Order("b")}";
        return command;
    }

    private async Task<List<BorrowerLine>> ReadAsync(BorrowerFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        await using var command = Page(source, filter, cursor);
        return await ReadAsync(command, ct);
    }

    /// <summary>The lines that a statement with the columns of the list finds.</summary>
    internal static async Task<List<BorrowerLine>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<BorrowerLine>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new BorrowerLine(
                rows.GetGuid(0), rows.GetString(1), Text(rows, 2), BorrowerWords.Kind(rows.GetInt16(3)), rows.GetString(4), Text(rows, 5), Text(rows, 6), rows.GetInt32(7), rows.GetString(8)));
        }

        return lines;
    }

    private async Task<int> CountAsync(BorrowerFilter filter, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.borrowers b", Conditions(filter, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(BorrowerFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        sql.Add("b.merged_into is null");
        sql.Within(filter.Branches, BranchSql.Row("b"));
        if (filter.Text is { } text)
            sql.Add("b.sort_name >= camino.plain_words(@text) and b.sort_name < camino.plain_words(@text) || @end", ("text", text), ("end", "\U0010FFFF"));
        return sql;
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}

/// <summary>Stored values as programs read them.</summary>
internal static class BorrowerWords
{
    public static string Kind(short kind) => kind == 2 ? "person" : "business";
}
