using System.Globalization;
using Camino.Branches;
using Camino.Data;
using Camino.Lending.Delinquency;
using Camino.Lending.Loans;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Servicing;

/// <summary>By what the serviced loans are sorted. The names stand in addresses.</summary>
public enum ServicedSort
{
    /// <summary>By the time of booking.</summary>
    Newest,
    Number,

    /// <summary>By all that is owed.</summary>
    Owed,

    /// <summary>By days past due.</summary>
    Late,
}

/// <summary>Which serviced loans a list shows, and in which order: exactly what the address says.</summary>
public sealed record ServicedFilter
{
    /// <summary>Words of the borrower's name, or the beginning of a number.</summary>
    public string? Text { get; init; }

    public LoanStatus? Status { get; init; }

    public Bucket? Bucket { get; init; }

    /// <summary>Code of a product.</summary>
    public string? Product { get; init; }

    /// <summary>Only those that the close set aside.</summary>
    public bool SetAside { get; init; }

    /// <summary>Only what is seen from these branches, null: everything; no part of an address.</summary>
    public Guid[]? Branches { get; init; }

    public ServicedSort Sort { get; init; }

    /// <summary>The other way round.</summary>
    public bool Reverse { get; init; }

    public bool IsEmpty => this with { Sort = ServicedSort.Newest, Reverse = false } == new ServicedFilter();

    /// <summary>Largest first for amounts and days, in order for numbers.</summary>
    public bool Descending => (Sort != ServicedSort.Number) != Reverse;

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static ServicedFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        var (sort, reverse) = address.Sort<ServicedSort>();
        return new ServicedFilter
        {
            Text = address.Text("q"),
            Status = address.Name<LoanStatus>("status"),
            Bucket = address.Name<Bucket>("bucket"),
            Product = address.Text("product") is { Length: <= 20 } code ? code.ToUpperInvariant() : null,
            SetAside = address.Text("aside") == "yes",
            Sort = sort,
            Reverse = reverse,
        };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter()
        .Add("q", Text)
        .Add("status", Status)
        .Add("bucket", Bucket)
        .Add("product", Product)
        .Add("aside", SetAside ? "yes" : null)
        .Sort(Sort, Reverse)
        .ToQuery(cursorName, cursor);
}

/// <summary>One line of the list of serviced loans.</summary>
public sealed record ServicedLine(Guid Id, string Number, string BorrowerName, string Product, LoanStatus Status, decimal Principal, decimal Owed, decimal PastDue, int DaysPastDue, DateOnly? NextDueOn, decimal? NextDue, DateOnly AsOf, bool SetAside)
{
    internal ListCursor Cursor(ServicedSort sort, bool backward) => new(
        sort switch
        {
            ServicedSort.Number => Number,
            ServicedSort.Owed => Owed.ToString(CultureInfo.InvariantCulture),
            ServicedSort.Late => DaysPastDue.ToString(CultureInfo.InvariantCulture),
            _ => null,
        },
        Id, backward);
}

/// <summary>Reads pages of serviced loans straight into view records, found by keyset.</summary>
public sealed class ListServicedLoans(NpgsqlDataSource source, BranchScope? scope = null)
{
    private const string Columns = "l.id, l.number, l.borrower_name, p.code, l.status, l.principal, l.owed, l.past_due, l.days_past_due, l.next_due_on, l.next_due, l.as_of, l.set_aside_at is not null";

    public async Task<ListPage<ServicedLine>> RunAsync(ServicedFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        var seen = filter with { Branches = scope?.Seen };
        return ListPage.Cut(await ReadAsync(seen, cursor, ct), await CountAsync(seen, ct), cursor, (line, backward) => line.Cursor(filter.Sort, backward));
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, ServicedFilter filter, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, command);
        var descending = filter.Descending != cursor is { Backward: true };
        var column = Column(filter.Sort);
        if (cursor is not null)
        {
            command.Parameters.AddWithValue("cursor_id", cursor.Id);
            if (column is not var (name, type))
                sql.Add($"l.id {KeysetSql.Sign(descending)} @cursor_id");
            else if (sql.Beyond(name, "l.id", type, cursor.Value, descending) is { } beyond)
                sql.Add(beyond);
        }

        var direction = KeysetSql.Direction(descending);
        var order = column is var (by, _) ? $"{by} {direction}, l.id {direction}" : $"l.id {direction}";
        command.CommandText = $"select {Columns} from camino.serviced_loans l join camino.products p on p.id = l.product_id{KeysetSql.Where(sql.Conditions)} order by {order} limit {KeysetSql.Rows(ListPage.Size + 1)}";
        return command;
    }

    private async Task<List<ServicedLine>> ReadAsync(ServicedFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        await using var command = Page(source, filter, cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<ServicedLine>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new ServicedLine(
                rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), (LoanStatus)rows.GetInt16(4), rows.GetDecimal(5), rows.GetDecimal(6), rows.GetDecimal(7), rows.GetInt32(8),
                rows.IsDBNull(9) ? null : rows.GetFieldValue<DateOnly>(9), rows.IsDBNull(10) ? null : rows.GetDecimal(10), rows.GetFieldValue<DateOnly>(11), rows.GetBoolean(12)));
        }

        return lines;
    }

    private async Task<int> CountAsync(ServicedFilter filter, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.serviced_loans l join camino.products p on p.id = l.product_id", Conditions(filter, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(ServicedFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        if (filter.Text is { } text)
            AddText(text, sql);
        if (filter.Status is { } status)
            sql.Add("l.status = @status", ("status", (short)status));
        if (filter.Bucket is { } bucket)
            sql.Add("l.bucket = @bucket", ("bucket", (short)bucket));
        if (filter.Product is { } product)
            sql.Add("p.code = @product", ("product", product));
        if (filter.SetAside)
            sql.Add("l.set_aside_at is not null");
        sql.Within(filter.Branches, BranchSql.Loan("l.id"));
        return sql;
    }

    private static void AddText(string text, KeysetSql sql)
    {
        if (text.StartsWith("L-", StringComparison.OrdinalIgnoreCase))
            sql.Add("l.number >= @number and l.number < @number_end", ("number", text.ToUpperInvariant()), ("number_end", text.ToUpperInvariant() + "\uffff"));
        else if (KeysetSql.Beginnings(text) is { } words)
            sql.Add("l.words @@ to_tsquery('simple', @words)", ("words", words));
        else
            sql.Add("false");
    }

    private static (string Name, NpgsqlDbType Type)? Column(ServicedSort sort) => sort switch
    {
        ServicedSort.Number => ("l.number", NpgsqlDbType.Text),
        ServicedSort.Owed => ("l.owed", NpgsqlDbType.Numeric),
        ServicedSort.Late => ("l.days_past_due", NpgsqlDbType.Integer),
        _ => null,
    };
}
