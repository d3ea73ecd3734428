using System.Globalization;
using Camino.Branches;
using Camino.Data;
using Camino.Reference;
using Camino.Web;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Loans;

/// <summary>
/// All SQL of the list of loans. Pages are found by keyset, never by counting rows off: the next page begins after the last row's sort value and id, so that
/// page 1,000 costs what page 1 costs. Values travel as parameters; only fixed words are put together.
/// </summary>
internal static class LoanSql
{
    private const string LineColumns =
        "id, source, number, borrower_name, city, state, naics, approved_on, term_months, amount, amount_from, amount_to, disbursed, approved, charged_off, balance, status";

    private const string ExportColumns =
        "number, borrower_name, street, city, state, zip, lender_name, naics, approved_on, disbursed_on, term_months, employees, interest_rate_percent, "
        + "approved, disbursed, guaranteed, charged_off, charged_off_on, paid_in_full_on, balance, status, source, amount_from, amount_to";

    /// <summary>The words of names have a table of their own, filled by <see cref="IndexNames"/> behind each import.</summary>
    private const string NameMatches = "select loan_id from camino.loan_names where words @@ to_tsquery('simple', @name)";

    /// <summary>One page and one row more.</summary>
    public static NpgsqlCommand Page(NpgsqlDataSource source, LoanFilter filter, ListCursor? cursor, int rows)
    {
        var command = source.CreateCommand();
        command.CommandText = Select(LineColumns, filter, cursor, rows, command);
        return command;
    }

    /// <summary>How many there are, counted up to <paramref name="most"/>.</summary>
    public static NpgsqlCommand Count(NpgsqlDataSource source, LoanFilter filter, int most)
    {
        var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.loans", Conditions(filter, command).Conditions, most);
        return command;
    }

    /// <summary>The whole filtered list in its order, to stream.</summary>
    public static NpgsqlCommand Export(NpgsqlConnection connection, LoanFilter filter, int rows)
    {
        var command = connection.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText = Select(ExportColumns, filter, null, rows, command);
        return command;
    }

    /// <summary>
    /// Rows without a sort value come last in either direction. One ORDER BY with NULLS LAST could not use the index backwards, so the list is two parts in a row,
    /// each in the order of an index; the second is read only when the first did not fill the page.
    /// </summary>
    private static string Select(string columns, LoanFilter filter, ListCursor? cursor, int rows, NpgsqlCommand command)
    {
        var sql = Conditions(filter, command);
        var conditions = sql.Conditions;
        var backward = cursor is { Backward: true };
        var descending = filter.Descending != backward;
        var (direction, sign, limit) = (KeysetSql.Direction(descending), KeysetSql.Sign(descending), KeysetSql.Rows(rows));
        if (cursor is not null)
            command.Parameters.AddWithValue("cursor_id", cursor.Id);

        if (Column(filter.Sort) is not var (column, type))
            return $"select {columns} from camino.loans{KeysetSql.Where(cursor is null ? conditions : [.. conditions, $"id {sign} @cursor_id"])} order by id {direction} limit {limit}";

        var keyset = cursor is null ? null : sql.Beyond(column, "id", type, cursor.Value, descending);
        var valued = cursor is { Value: null, Backward: false }
            ? null
            : $"(select {columns} from camino.loans{KeysetSql.Where([.. conditions, $"{column} is not null", .. keyset is null ? [] : new[] { keyset }])} order by {column} {direction}, id {direction} limit {limit})";
        var nullable = filter.Sort != LoanSort.Number && cursor is not { Value: not null, Backward: true };
        var empty = !nullable
            ? null
            : $"(select {columns} from camino.loans{KeysetSql.Where([.. conditions, $"{column} is null", .. cursor is { Value: null } ? new[] { $"id {sign} @cursor_id" } : []])} order by id {direction} limit {limit})";
        var parts = backward ? new[] { empty, valued } : [valued, empty];
        var read = parts.OfType<string>().ToList();
        return read.Count == 1 ? read[0] : string.Join(" union all ", read) + $" limit {limit}"; // one part has its limit already
    }

    private static KeysetSql Conditions(LoanFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        if (filter.Text is { } text)
            AddText(text, sql);
        if (filter.State is { } state)
            sql.Add("state = @state", ("state", state));
        if (filter.Status is { } status)
            sql.Add("status = @status", ("status", (short)status));
        if (filter.Source is { } source)
            sql.Add("source = @source", ("source", (short)source));
        if (filter.Sector is { } sector)
        {
            // the prefixes of a sector follow each other, so that one range of the index holds them all
            var prefixes = NaicsNames.Prefixes(sector);
            var end = (int.Parse(prefixes[^1], CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture);
            sql.Add("naics >= @naics_from and naics < @naics_end", ("naics_from", prefixes[0]), ("naics_end", end));
        }

        if (filter.Industry is { } industry)
            sql.Add("naics = @industry", ("industry", industry));
        if (filter.Year is { } year)
            sql.Add("coalesce(approval_fiscal_year, extract(year from approved_on + interval '3 months')::int) = @year", ("year", year));
        if (filter.Paid is { } paid)
            sql.Add("coalesce(disbursed_on, approved_on) between @paid_from and @paid_to", ("paid_from", new DateOnly(paid, 1, 1)), ("paid_to", new DateOnly(paid, 12, 31)));
        if (filter.AmountFrom is { } from)
            sql.Add("amount >= @amount_from", ("amount_from", from));
        if (filter.AmountTo is { } to)
            sql.Add("amount <= @amount_to", ("amount_to", to));
        if (filter.TermFrom is { } termFrom)
            sql.Add("term_months >= @term_from", ("term_from", termFrom));
        if (filter.TermTo is { } termTo)
            sql.Add("term_months <= @term_to", ("term_to", termTo));
        if (filter.Import is { } import)
            sql.Add("import_id = @import", ("import", import));
        sql.Within(filter.Branches, BranchSql.Loan("loans.id"));
        return sql;
    }

    private static void AddText(string text, KeysetSql sql)
    {
        if (KeysetSql.Beginnings(text) is not { } name)
        {
            sql.Add("false");
            return;
        }

        if (text.Any(char.IsAsciiDigit) && !text.Any(char.IsWhiteSpace))
        {
            sql.Add($"id in (select id from camino.loans where number >= @number and number < @number_end union all {NameMatches})", ("number", text), ("number_end", text + "\uffff"), ("name", name));
            return;
        }

        sql.Add($"id in ({NameMatches})", ("name", name));
    }

    private static (string Name, NpgsqlDbType Type)? Column(LoanSort sort) => sort switch
    {
        LoanSort.Number => ("number", NpgsqlDbType.Text),
        LoanSort.Amount => ("amount", NpgsqlDbType.Numeric),
        LoanSort.Approved => ("approved_on", NpgsqlDbType.Date),
        _ => null,
    };
}
