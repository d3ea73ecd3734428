using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Applications.Statements;

/// <summary>What the job needs to know of a statement.</summary>
internal sealed record StatementWork(Guid Id, Guid ApplicationId, string FileName, StatementHints Hints, Guid ReceivedBy);

/// <summary>Why a statement could not be read, so that it can be said in any language.</summary>
/// <param name="Pattern">The sentence in English with {0} where values stand.</param>
public sealed record StatementProblem(string Code, string Pattern, IReadOnlyList<string> Values)
{
    /// <summary>The sentence in English.</summary>
    [JsonIgnore]
    public string Sentence => string.Format(CultureInfo.InvariantCulture, Pattern, [.. Values]);

    internal static StatementProblem Of(RefusedException refused) => new(refused.Code, refused.Sentence.Pattern, [.. refused.Sentence.Values.Select(Text)]);

    private static string Text(object? value) => value switch
    {
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    };
}

/// <summary>Money in stored figures: dollars with two decimals.</summary>
internal sealed class MoneyJson : JsonConverter<Money>
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web) { Converters = { new MoneyJson() } };

    public override Money Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetDecimal());

    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Dollars);
}

/// <summary>The statements on bank statements that the job and the operations share. Whatever changes lines locks the application's row first, so that figures are reckoned one after the other.</summary>
internal static class StatementTable
{
    /// <summary>Lines of one application.</summary>
    public const int MostLines = 50_000;

    private const string Begin =
        "update camino.application_statements set state = 1 where id = $1 and state < 2 returning application_id, file_name, last4, dates, received_by";

    private const string Lock = "select 1 from camino.applications where id = $1 for update";

    private const string IsThere = "select (select count(*) from camino.application_statement_lines where application_id = $2) from camino.application_statements where id = $1 and state = 1 for update";

    private const string AddAccount =
        "insert into camino.application_statement_accounts (statement_id, number, last4, kind, from_on, to_on, stated_on, stated_amount) values ($1, $2, $3, $4, $5, $6, $7, $8)";

    private const string CopyLines = "copy camino.application_statement_lines (id, application_id, statement_id, account, number, posted_on, amount, text, bank_id, is_transfer, balance) from stdin (format binary)";

    private const string End = "update camino.application_statements set state = 2, shape = $2, line_count = $3, ended_at = now() where id = $1";

    private const string NoteProblem = "update camino.application_statements set state = 3, problem = $2, ended_at = now() where id = $1 and state = 1";

    private const string Tell = "insert into camino.notices (id, user_id, text, arguments, link, created_at) values ($1, $2, $3, $4, $5, now())";

    private const string Accounts =
        "select a.statement_id, a.number, a.last4, a.kind, a.from_on, a.to_on, a.stated_on, a.stated_amount from camino.application_statement_accounts a join camino.application_statements s on s.id = a.statement_id where s.application_id = $1 order by s.id, a.number";

    private const string Lines =
        "select id, statement_id, account, posted_on, amount, text, bank_id, is_transfer, balance, marks, lender from camino.application_statement_lines where application_id = $1 order by statement_id, account, number";

    private const string Mark = "update camino.application_statement_lines l set marks = v.marks, lender = v.lender from unnest($1, $2, $3) v (id, marks, lender) where l.id = v.id";

    private const string Keep =
        "insert into camino.application_cash_flows (application_id, figures, reckoned_at) values ($1, $2, now()) on conflict (application_id) do update set figures = excluded.figures, reckoned_at = excluded.reckoned_at";

    private const string Drop = "delete from camino.application_cash_flows where application_id = $1";

    /// <summary>Locks an application that is still open.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.ended</c>.</exception>
    public static async Task LockOpenApplicationAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var (number, course) = await db.LockApplicationAsync(id, ct);
        Refuse.If(!course.IsOpen, "application.ended", $"Application {number} has ended; its statements stay as they are.");
    }

    /// <returns>Null when there is nothing (more) to read; the job has ended then.</returns>
    public static async Task<StatementWork?> BeginAsync(NpgsqlConnection connection, Guid id, JobContext job, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        StatementWork? work = null;
        await using (var command = Command(connection, transaction, Begin, id))
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            if (await row.ReadAsync(ct))
                work = new StatementWork(id, row.GetGuid(0), row.GetString(1), new StatementHints(await TextAsync(row, 2, ct), await row.IsDBNullAsync(3, ct) ? null : (StatementDates)row.GetInt16(3)), row.GetGuid(4));
        }

        if (work is null)
            await job.CompleteAsync(connection, transaction, null, ct);
        else
            await job.HoldLeaseAsync(connection, transaction, ct);
        await transaction.CommitAsync(ct);
        return work;
    }

    /// <summary>Stores what was read.</summary>
    /// <returns>False when the statement was removed meanwhile, or read by another.</returns>
    /// <exception cref="RefusedException"><c>statement.lines</c>.</exception>
    public static async Task<bool> StoreAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, StatementWork work, ReadStatement read, DateTimeOffset at, CancellationToken ct)
    {
        await RunAsync(connection, transaction, Lock, ct, work.ApplicationId);
        await using (var there = Command(connection, transaction, IsThere, work.Id, work.ApplicationId))
        {
            if (await there.ExecuteScalarAsync(ct) is not long before)
                return false;
            var more = read.Accounts.Sum(one => one.Account.Lines.Count);
            Refuse.If(before + more > MostLines, "statement.lines_of_all", $"The statements of an application have at most {MostLines} lines together; there are {before}, and this file has {more}.");
        }

        for (var i = 0; i < read.Accounts.Count; i++)
        {
            var account = read.Accounts[i].Account;
            await RunAsync(
                connection, transaction, AddAccount, ct, work.Id, (short)(i + 1), Text(account.Last4), (short)account.Kind, account.From, account.To,
                new NpgsqlParameter { Value = (object?)account.Stated?.On ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Date }, new NpgsqlParameter { Value = (object?)account.Stated?.Amount.Dollars ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Numeric });
        }

        await CopyAsync(connection, work, read, at, ct);
        await RunAsync(connection, transaction, End, ct, work.Id, Json(JsonSerializer.Serialize(read.Shape, JsonSerializerOptions.Web)), read.Accounts.Sum(one => one.Account.Lines.Count));
        return true;
    }

    /// <summary>The file cannot be read.</summary>
    /// <returns>False when the statement was removed meanwhile.</returns>
    public static async Task<bool> RefuseAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, RefusedException refused, CancellationToken ct) =>
        await RunAsync(connection, transaction, NoteProblem, ct, id, Json(JsonSerializer.Serialize(StatementProblem.Of(refused), JsonSerializerOptions.Web))) > 0;

    /// <summary>Tells who handed it in.</summary>
    public static Task TellAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, StatementWork work, string text, params string[] arguments) =>
        RunAsync(connection, transaction, Tell, CancellationToken.None, Guid.CreateVersion7(), work.ReceivedBy, text, (string[])[work.FileName, .. arguments], $"/applications/{work.ApplicationId}");

    /// <summary>Reckons the figures of an application's statements anew, and what each line counts as. The application's row is locked.</summary>
    public static async Task ReckonAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid applicationId, CancellationToken ct)
    {
        var (statements, keys) = await ReadAsync(connection, transaction, applicationId, ct);
        if (statements.Count == 0)
        {
            await RunAsync(connection, transaction, Drop, ct, applicationId);
            return;
        }

        var (figures, marks) = CashFlow.Of(statements);
        var changed = keys.Zip(marks.SelectMany(one => one)).Where(pair => pair.First.Mark != pair.Second).ToList();
        if (changed.Count > 0)
            await RunAsync(connection, transaction, Mark, ct, changed.Select(pair => pair.First.Id).ToArray(), changed.Select(pair => (int)pair.Second.Marks).ToArray(), new NpgsqlParameter { Value = changed.Select(pair => pair.Second.Lender).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await RunAsync(connection, transaction, Keep, ct, applicationId, Json(JsonSerializer.Serialize(figures, MoneyJson.Options)));
    }

    private static async Task<(List<StatementAccount> Statements, List<(Guid Id, LineMark Mark)> Keys)> ReadAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid applicationId, CancellationToken ct)
    {
        var lines = new Dictionary<(Guid Statement, short Account), List<StatementLine>>();
        var keys = new List<(Guid Id, LineMark Mark)>();
        await using (var command = Command(connection, transaction, Lines, applicationId))
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            while (await row.ReadAsync(ct))
            {
                var key = (row.GetGuid(1), row.GetInt16(2));
                if (!lines.TryGetValue(key, out var list))
                    lines[key] = list = [];
                list.Add(new StatementLine(
                    row.GetFieldValue<DateOnly>(3), new Money(row.GetDecimal(4)), row.GetString(5), await TextAsync(row, 6, ct), row.GetBoolean(7), await row.IsDBNullAsync(8, ct) ? null : new Money(row.GetDecimal(8))));
                keys.Add((row.GetGuid(0), new LineMark((LineMarks)row.GetInt32(9), await TextAsync(row, 10, ct))));
            }
        }

        var statements = new List<StatementAccount>();
        await using (var command = Command(connection, transaction, Accounts, applicationId))
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            while (await row.ReadAsync(ct))
            {
                StatedBalance? stated = await row.IsDBNullAsync(6, ct) ? null : new StatedBalance(row.GetFieldValue<DateOnly>(6), new Money(row.GetDecimal(7)));
                statements.Add(new StatementAccount(
                    await TextAsync(row, 2, ct), (BankAccountKind)row.GetInt16(3), row.GetFieldValue<DateOnly>(4), row.GetFieldValue<DateOnly>(5), stated, lines.GetValueOrDefault((row.GetGuid(0), row.GetInt16(1))) ?? []));
            }
        }

        return (statements, keys);
    }

    /// <summary>Ids follow one another as the lines do in time, a millisecond apart, so that lines of one day keep their order in lists; files often begin with the newest.</summary>
    private static async Task CopyAsync(NpgsqlConnection connection, StatementWork work, ReadStatement read, DateTimeOffset at, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(CopyLines, ct);
        for (var account = 0; account < read.Accounts.Count; account++)
        {
            var lines = read.Accounts[account].Account.Lines;
            var isNewestFirst = lines.Count > 0 && (lines[0].On > lines[^1].On || (DailyBalances.Chronological(lines) is { } chronological && !ReferenceEquals(chronological, lines)));
            for (var number = 0; number < lines.Count; number++)
            {
                var line = lines[number];
                copy.StartRow();
                copy.Write(Guid.CreateVersion7(at.AddMilliseconds(isNewestFirst ? lines.Count - number : number)), NpgsqlDbType.Uuid);
                copy.Write(work.ApplicationId, NpgsqlDbType.Uuid);
                copy.Write(work.Id, NpgsqlDbType.Uuid);
                copy.Write((short)(account + 1), NpgsqlDbType.Smallint);
                copy.Write(number + 1, NpgsqlDbType.Integer);
                copy.Write(line.On, NpgsqlDbType.Date);
                copy.Write(line.Amount.Dollars, NpgsqlDbType.Numeric);
                copy.Write(line.Text, NpgsqlDbType.Text);
                if (line.BankId is { } id)
                    copy.Write(id, NpgsqlDbType.Text);
                else
                    copy.WriteNull();
                copy.Write(line.IsTransfer, NpgsqlDbType.Boolean);
                if (line.Balance is { } balance)
                    copy.Write(balance.Dollars, NpgsqlDbType.Numeric);
                else
                    copy.WriteNull();
            }
        }

        await copy.CompleteAsync(ct);
    }

    private static async Task<string?> TextAsync(NpgsqlDataReader row, int column, CancellationToken ct) => await row.IsDBNullAsync(column, ct) ? null : row.GetString(column);

    private static NpgsqlParameter Text(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Json(string json) => new() { Value = Imports.StorableText.OfJson(json), NpgsqlDbType = NpgsqlDbType.Jsonb };

    private static NpgsqlCommand Command(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var value in values)
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        return command;
    }

    private static async Task<int> RunAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Command(connection, transaction, sql, values);
        return await command.ExecuteNonQueryAsync(ct);
    }
}
