using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Camino.Lending.Applications.CashFlows;
using Camino.Web;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Applications.Statements;

/// <summary>One bank statement of an application.</summary>
/// <param name="State"><c>received</c>, <c>reading</c>, <c>read</c> or <c>refused</c>.</param>
/// <param name="Accounts">Last four characters of the accounts in it; a dash where nobody said them.</param>
/// <param name="Shape">How it was read; null while it is not.</param>
/// <param name="Problem">Why it was refused.</param>
public sealed record StatementSummary(
    Guid Id, string FileName, long SizeBytes, string State, string? Accounts, DateOnly? From, DateOnly? To, int Lines, StatementShape? Shape, StatementProblem? Problem, DateTimeOffset ReceivedAt, string? ReceivedBy, DateTimeOffset? EndedAt)
{
    /// <summary>A job reads it, or will.</summary>
    public bool IsMoving => EndedAt is null;
}

/// <summary>All statements of an application, and what they come to together.</summary>
/// <param name="Figures">Null until one is read.</param>
public sealed record StatementsView(IReadOnlyList<StatementSummary> Statements, CashFlow? Figures, DateTimeOffset? ReckonedAt);

/// <summary>What kind of lines is looked at.</summary>
public enum LineKind
{
    /// <summary>Counted as deposits.</summary>
    Deposits,

    /// <summary>Counted as withdrawals.</summary>
    Withdrawals,

    /// <summary>Of other lenders, or it seems so.</summary>
    Lenders,

    /// <summary>What came back, and fees for too little money.</summary>
    Returned,

    /// <summary>Not counted: transfers between the accounts, what stands twice, what came back.</summary>
    LeftOut,
}

/// <summary>Which lines are looked at: exactly what the address says.</summary>
public sealed record LineFilter(Guid ApplicationId, LineKind? Kind)
{
    /// <summary>The same as an address.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter().Add("kind", Kind is { } kind ? Servicing.Words.Camel(kind) : null).ToQuery(cursorName, cursor);
}

/// <summary>One line of a statement with what it counts as.</summary>
public sealed record StatementLineView(Guid Id, DateOnly On, decimal Amount, string Text, decimal? Balance, LineMarks Marks, string? Lender, string? Account)
{
    internal ListCursor Cursor(bool backward) => new(On.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Id, backward);
}

/// <summary>Reads statements, their figures and their lines.</summary>
public sealed class ShowStatements(NpgsqlDataSource source)
{
    /// <summary>The states as programs read them, in the order of their values.</summary>
    internal static readonly string[] States = ["received", "reading", "read", "refused"];

    private const string All =
        """
        select s.id, s.file_name, s.size_bytes, s.state, a.names, a.from_on, a.to_on, s.line_count, s.shape::text, s.problem::text, s.received_at, u.display_name, s.ended_at
        from camino.application_statements s left join camino.staff_users u on u.id = s.received_by
            left join lateral (select string_agg(coalesce(a.last4, '–'), ', ' order by a.number) as names, min(a.from_on) as from_on, max(a.to_on) as to_on from camino.application_statement_accounts a where a.statement_id = s.id) a on true
        where s.application_id = $1 order by s.id
        """;

    private const string Figures = "select figures::text, reckoned_at from camino.application_cash_flows where application_id = $1";

    /// <summary>Everything but the lines.</summary>
    public async Task<StatementsView> RunAsync(Guid applicationId, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var statements = new List<StatementSummary>();
        await using (var command = new NpgsqlCommand(All, connection) { Parameters = { new() { Value = applicationId } } })
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            while (await row.ReadAsync(ct))
                statements.Add(Summary(row));
        }

        await using var figures = new NpgsqlCommand(Figures, connection) { Parameters = { new() { Value = applicationId } } };
        await using var found = await figures.ExecuteReaderAsync(ct);
        return await found.ReadAsync(ct)
            ? new StatementsView(statements, JsonSerializer.Deserialize<CashFlow>(found.GetString(0), MoneyJson.Options), found.GetFieldValue<DateTimeOffset>(1))
            : new StatementsView(statements, null, null);
    }

    /// <summary>A page of lines, the newest first, found by keyset.</summary>
    public async Task<ListPage<StatementLineView>> LinesAsync(LineFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        await using var command = Page(source, filter, cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<StatementLineView>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new StatementLineView(
                rows.GetGuid(0), rows.GetFieldValue<DateOnly>(1), rows.GetDecimal(2), rows.GetString(3), await rows.IsDBNullAsync(4, ct) ? null : rows.GetDecimal(4), (LineMarks)rows.GetInt32(5),
                await rows.IsDBNullAsync(6, ct) ? null : rows.GetString(6), await rows.IsDBNullAsync(7, ct) ? null : rows.GetString(7)));
        }

        return ListPage.Cut(lines, await CountAsync(filter, ct), cursor, (line, backward) => line.Cursor(backward));
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, LineFilter filter, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, command);
        var descending = cursor is not { Backward: true };
        if (cursor is not null && sql.Beyond("l.posted_on", "l.id", NpgsqlDbType.Date, cursor.Value, descending) is { } beyond)
            sql.Add(beyond, ("cursor_id", cursor.Id));
        command.CommandText =
            $"select l.id, l.posted_on, l.amount, l.text, l.balance, l.marks, l.lender, a.last4 from camino.application_statement_lines l join camino.application_statement_accounts a on a.statement_id = l.statement_id and a.number = l.account"
            + $"{KeysetSql.Where(sql.Conditions)} order by l.posted_on {KeysetSql.Direction(descending)}, l.id {KeysetSql.Direction(descending)} limit {KeysetSql.Rows(ListPage.Size + 1)}";
        return command;
    }

    private async Task<int> CountAsync(LineFilter filter, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.application_statement_lines l", Conditions(filter, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(LineFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        sql.Add("l.application_id = @application", ("application", filter.ApplicationId));
        if (filter.Kind is { } kind)
            sql.Add(kind == LineKind.LeftOut ? "l.marks & @marks = 0" : "l.marks & @marks <> 0", ("marks", (int)MarksOf(kind)));
        return sql;
    }

    private static LineMarks MarksOf(LineKind kind) => kind switch
    {
        LineKind.Deposits => LineMarks.Deposit,
        LineKind.Withdrawals => LineMarks.Withdrawal,
        LineKind.Lenders => LineMarks.Lender,
        LineKind.Returned => LineMarks.Returned | LineMarks.TakenBack | LineMarks.OverdraftFee,
        _ => LineMarks.Deposit | LineMarks.Withdrawal,
    };

    private static StatementSummary Summary(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetInt64(2), States[row.GetInt16(3)], row.IsDBNull(4) ? null : row.GetString(4), row.IsDBNull(5) ? null : row.GetFieldValue<DateOnly>(5), row.IsDBNull(6) ? null : row.GetFieldValue<DateOnly>(6), row.GetInt32(7),
        row.IsDBNull(8) ? null : JsonSerializer.Deserialize<StatementShape>(row.GetString(8), JsonSerializerOptions.Web), row.IsDBNull(9) ? null : JsonSerializer.Deserialize<StatementProblem>(row.GetString(9), JsonSerializerOptions.Web),
        row.GetFieldValue<DateTimeOffset>(10), row.IsDBNull(11) ? null : row.GetString(11), row.IsDBNull(12) ? null : row.GetFieldValue<DateTimeOffset>(12));
}
