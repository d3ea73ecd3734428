using System.Globalization;
using Camino.Lending.Delinquency;
using Camino.Lending.Loans;
using Camino.Loans;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
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

    public ServicedSort Sort { get; init; }

    /// <summary>The other way round.</summary>
    public bool Reverse { get; init; }

    public bool IsEmpty => this with { Sort = ServicedSort.Newest, Reverse = false } == new ServicedFilter();

    /// <summary>Largest first for amounts and days, in order for numbers.</summary>
    public bool Descending => (Sort != ServicedSort.Number) != Reverse;

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static ServicedFilter FromQuery(IQueryCollection query)
    {
        string? Text(string key) => query[key].ToString().Trim() is { Length: > 0 and <= 100 } text ? text : null;
        T? Name<T>(string key)
            where T : struct, Enum =>
            Text(key) is { } text && !char.IsDigit(text[0]) && Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : null;

        var sort = Text("sort") ?? "newest";
        return new ServicedFilter
        {
            Text = Text("q"),
            Status = Name<LoanStatus>("status"),
            Bucket = Name<Bucket>("bucket"),
            Product = Text("product") is { Length: <= 20 } code ? code.ToUpperInvariant() : null,
            SetAside = Text("aside") == "yes",
            Sort = Enum.TryParse<ServicedSort>(sort.TrimStart('-'), ignoreCase: true, out var by) && Enum.IsDefined(by) ? by : ServicedSort.Newest,
            Reverse = sort.StartsWith('-'),
        };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null)
    {
        var query = new QueryBuilder();
        void Add(string key, string? value)
        {
            if (value is not null)
                query.Add(key, value);
        }

        Add("q", Text);
        Add("status", Status?.ToString().ToLowerInvariant());
        Add("bucket", Bucket?.ToString().ToLowerInvariant());
        Add("product", Product);
        Add("aside", SetAside ? "yes" : null);
        if (Sort != ServicedSort.Newest || Reverse)
            Add("sort", (Reverse ? "-" : "") + Sort.ToString().ToLowerInvariant());
        if (cursorName is not null)
            Add(cursorName, cursor);
        return query.ToString();
    }
}

/// <summary>One line of the list of serviced loans.</summary>
public sealed record ServicedLine(Guid Id, string Number, string BorrowerName, string Product, LoanStatus Status, decimal Principal, decimal Owed, decimal PastDue, int DaysPastDue, DateOnly? NextDueOn, decimal? NextDue, DateOnly AsOf, bool SetAside)
{
    internal LoanCursor Cursor(ServicedSort sort, bool backward) => new(
        sort switch
        {
            ServicedSort.Number => Number,
            ServicedSort.Owed => Owed.ToString(CultureInfo.InvariantCulture),
            ServicedSort.Late => DaysPastDue.ToString(CultureInfo.InvariantCulture),
            _ => null,
        },
        Id, backward);
}

/// <summary>One page of serviced loans.</summary>
public sealed record ServicedPage(IReadOnlyList<ServicedLine> Lines, int Count, LoanCursor? Next, LoanCursor? Previous)
{
    public bool CountIsCapped => Count >= ListServicedLoans.CountedAtMost;
}

/// <summary>Reads pages of serviced loans straight into view records, found by keyset.</summary>
public sealed class ListServicedLoans(NpgsqlDataSource source)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <summary>Where counting stops.</summary>
    public const int CountedAtMost = 10_001;

    private const string Columns = "l.id, l.number, l.borrower_name, p.code, l.status, l.principal, l.owed, l.past_due, l.days_past_due, l.next_due_on, l.next_due, l.as_of, l.set_aside_at is not null";

    public async Task<ServicedPage> RunAsync(ServicedFilter filter, LoanCursor? cursor, CancellationToken ct)
    {
        var lines = await ReadAsync(filter, cursor, ct);
        var more = lines.Count > PageSize;
        if (more)
            lines.RemoveAt(PageSize);
        var backward = cursor is { Backward: true };
        if (backward)
            lines.Reverse();
        var hasNext = lines.Count > 0 && (backward || more);
        var hasPrevious = lines.Count > 0 && (backward ? more : cursor is not null);
        return new ServicedPage(lines, await CountAsync(filter, ct), hasNext ? lines[^1].Cursor(filter.Sort, backward: false) : null, hasPrevious ? lines[0].Cursor(filter.Sort, backward: true) : null);
    }

    /// <summary>The statement of one page and one row more; for the plan test too.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, ServicedFilter filter, LoanCursor? cursor)
    {
        var command = source.CreateCommand();
        var conditions = Conditions(filter, command);
        var backward = cursor is { Backward: true };
        var direction = filter.Descending != backward ? "desc" : "asc";
        var sign = filter.Descending != backward ? "<" : ">";
        var column = filter.Sort switch { ServicedSort.Number => "l.number", ServicedSort.Owed => "l.owed", ServicedSort.Late => "l.days_past_due", _ => null };
        if (cursor is not null)
        {
            command.Parameters.AddWithValue("cursor_id", cursor.Id);
            if (column is null)
            {
                conditions.Add($"l.id {sign} @cursor_id");
            }
            else if (Key(filter.Sort, cursor.Value) is { } key)
            {
                command.Parameters.Add(new NpgsqlParameter("cursor_value", key.Type) { Value = key.Value });
                conditions.Add($"({column}, l.id) {sign} (@cursor_value, @cursor_id)");
            }
        }

        var order = column is null ? $"l.id {direction}" : $"{column} {direction}, l.id {direction}";
        command.CommandText = $"select {Columns} from camino.serviced_loans l join camino.products p on p.id = l.product_id{Where(conditions)} order by {order} limit {(PageSize + 1).ToString(CultureInfo.InvariantCulture)}";
        return command;
    }

    private async Task<List<ServicedLine>> ReadAsync(ServicedFilter filter, LoanCursor? cursor, CancellationToken ct)
    {
        await using var command = Page(source, filter, cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<ServicedLine>(PageSize + 1);
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
        var conditions = Conditions(filter, command);
        command.CommandText = $"select count(*) from (select 1 from camino.serviced_loans l{(filter.Product is null ? "" : " join camino.products p on p.id = l.product_id")}{Where(conditions)} limit {CountedAtMost.ToString(CultureInfo.InvariantCulture)}) counted";
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static List<string> Conditions(ServicedFilter filter, NpgsqlCommand command)
    {
        var conditions = new List<string>();
        void Add(string condition, string name, object value)
        {
            conditions.Add(condition);
            command.Parameters.AddWithValue(name, value);
        }

        if (filter.Text is { } text)
            AddText(text, Add);
        if (filter.Status is { } status)
            Add("l.status = @status", "status", (short)status);
        if (filter.Bucket is { } bucket)
            Add("l.bucket = @bucket", "bucket", (short)bucket);
        if (filter.Product is { } product)
            Add("p.code = @product", "product", product);
        if (filter.SetAside)
            conditions.Add("l.set_aside_at is not null");
        return conditions;
    }

    private static void AddText(string text, Action<string, string, object> add)
    {
        if (text.StartsWith("L-", StringComparison.OrdinalIgnoreCase))
        {
            add("l.number >= @number", "number", text.ToUpperInvariant());
            add("l.number < @number_end", "number_end", text.ToUpperInvariant() + "\uffff");
            return;
        }

        var words = LoanSql.Words(text);
        add("l.words @@ to_tsquery('simple', @words)", "words", words.Count == 0 ? "''" : string.Join(" & ", words.Select(word => word + ":*")));
    }

    private static (object Value, NpgsqlDbType Type)? Key(ServicedSort sort, string? value) => sort switch
    {
        ServicedSort.Number when value is not null => (value, NpgsqlDbType.Text),
        ServicedSort.Owed when decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var owed) => (owed, NpgsqlDbType.Numeric),
        ServicedSort.Late when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var days) => (days, NpgsqlDbType.Integer),
        _ => null,
    };

    private static string Where(List<string> conditions) => conditions.Count == 0 ? "" : " where " + string.Join(" and ", conditions);
}
