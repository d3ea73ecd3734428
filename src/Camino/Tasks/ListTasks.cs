using System.Globalization;
using Camino.Branches;
using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Tasks;

/// <summary>Whose tasks a list shows. The names stand in addresses.</summary>
public enum TaskWhose
{
    /// <summary>Given to the reader.</summary>
    Mine,

    /// <summary>Given to nobody yet.</summary>
    Unassigned,

    /// <summary>Made by the reader, whoever has them.</summary>
    Asked,

    /// <summary>Everybody's.</summary>
    All,
}

/// <summary>Which tasks a list shows: exactly what the address says.</summary>
public sealed record TaskFilter
{
    public TaskWhose Whose { get; init; }

    /// <summary>Those that are over, the newest first; else the open ones, the first due first.</summary>
    public bool IsOver { get; init; }

    /// <summary>Only what is seen from these branches, null: everything; no part of an address.</summary>
    public Guid[]? Branches { get; init; }

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static TaskFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        return new TaskFilter { Whose = address.Name<TaskWhose>("whose") ?? TaskWhose.Mine, IsOver = address.Text("state") == "over" };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) =>
        new ListAddressWriter().Add("whose", Whose == TaskWhose.Mine ? null : (TaskWhose?)Whose).Add("state", IsOver ? "over" : null).ToQuery(cursorName, cursor);
}

/// <summary>One line of a list of tasks.</summary>
/// <param name="Said">Name of the text that says the title in the reader's language; null where a person wrote it.</param>
/// <param name="SubjectName">What it is about, as people call it; null for nothing in particular.</param>
/// <param name="ReadAt">When it was read, by the database's clock.</param>
public sealed record TaskLine(Guid Id, string Title, string? Said, TaskState State, DateOnly? DueOn, Guid? Assignee, string? AssigneeName, SubjectKind? Subject, Guid? SubjectId, string? SubjectName, DateTimeOffset ReadAt)
{
    internal ListCursor Cursor(TaskFilter filter, bool backward) => new(filter.IsOver ? null : (DueOn ?? ListTasks.Never).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Id, backward);
}

/// <summary>Reads pages of tasks, found by keyset.</summary>
public sealed class ListTasks(NpgsqlDataSource source, BranchScope? scope = null)
{
    /// <summary>Where tasks without a day stand: last.</summary>
    internal static readonly DateOnly Never = new(9999, 12, 31);

    /// <summary>Rows are cut first; what hangs on a line is read for the lines of the page only.</summary>
    private const string Columns =
        """
        select t.id, t.title, t.said, t.state, t.due_on, t.assignee, (select u.display_name from camino.staff_users u where u.id = t.assignee), t.subject, t.subject_id,
            case t.subject when 1 then (select b.name from camino.borrowers b where b.id = t.subject_id) when 2 then (select a.name from camino.applications a where a.id = t.subject_id)
                when 3 then (select s.number from camino.serviced_loans s where s.id = t.subject_id) end,
            now()
        from page t
        """;

    /// <param name="reader">For whom <see cref="TaskWhose.Mine"/> and <see cref="TaskWhose.Asked"/> are read.</param>
    public async Task<ListPage<TaskLine>> RunAsync(TaskFilter filter, Guid reader, ListCursor? cursor, CancellationToken ct)
    {
        filter = filter with { Branches = scope?.Seen };
        await using var command = Page(source, filter, reader, cursor);
        return ListPage.Cut(await ReadAsync(command, ct), await CountAsync(filter, reader, ct), cursor, (line, backward) => line.Cursor(filter, backward));
    }

    /// <summary>Open tasks about one thing, the first due first.</summary>
    public async Task<IReadOnlyList<TaskLine>> OfSubjectAsync(SubjectKind kind, Guid id, int most, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"with page as (select * from camino.tasks t where t.subject = $1 and t.subject_id = $2 and t.state = 0 order by t.due_sort, t.id limit {KeysetSql.Rows(most)}) {Columns} order by t.due_sort, t.id");
        command.Parameters.Add(new NpgsqlParameter { Value = (short)kind });
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        return await ReadAsync(command, ct);
    }

    /// <summary>The reader's open tasks, the first due first.</summary>
    public async Task<IReadOnlyList<TaskLine>> OfReaderAsync(Guid reader, int most, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"with page as (select * from camino.tasks t where t.assignee = $1 and t.state = 0{BranchSql.And(scope?.Seen, BranchSql.About("t", "$2"))} order by t.due_sort, t.id limit {KeysetSql.Rows(most)}) {Columns} order by t.due_sort, t.id");
        command.Parameters.Add(new NpgsqlParameter { Value = reader });
        command.AddNextBranches(scope?.Seen);
        return await ReadAsync(command, ct);
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, TaskFilter filter, Guid reader, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, reader, command);
        var descending = filter.IsOver != cursor is { Backward: true };
        if (cursor is not null)
        {
            command.Parameters.AddWithValue("cursor_id", cursor.Id);
            if (filter.IsOver)
                sql.Add($"t.id {KeysetSql.Sign(descending)} @cursor_id");
            else if (sql.Beyond("t.due_sort", "t.id", NpgsqlDbType.Date, cursor.Value, descending) is { } beyond)
                sql.Add(beyond);
        }

        var direction = KeysetSql.Direction(descending);
        var order = filter.IsOver ? $"t.id {direction}" : $"t.due_sort {direction}, t.id {direction}";
        command.CommandText = $"with page as (select * from camino.tasks t{KeysetSql.Where(sql.Conditions)} order by {order} limit {KeysetSql.Rows(ListPage.Size + 1)}) {Columns} order by {order}";
        return command;
    }

    private async Task<int> CountAsync(TaskFilter filter, Guid reader, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.tasks t", Conditions(filter, reader, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(TaskFilter filter, Guid reader, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        sql.Add(filter.IsOver ? "t.state > 0" : "t.state = 0");
        sql.Within(filter.Branches, BranchSql.About("t"));
        switch (filter.Whose)
        {
            case TaskWhose.Mine:
                sql.Add("t.assignee = @reader", ("reader", reader));
                break;
            case TaskWhose.Unassigned:
                sql.Add("t.assignee is null");
                break;
            case TaskWhose.Asked:
                sql.Add("t.created_by = @reader", ("reader", reader));
                break;
            default:
                break;
        }

        return sql;
    }

    private static async Task<List<TaskLine>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<TaskLine>();
        while (await rows.ReadAsync(ct))
            lines.Add(LineOf(rows));
        return lines;
    }

    private static TaskLine LineOf(NpgsqlDataReader rows) => new(
        rows.GetGuid(0), rows.GetString(1), Text(rows, 2), (TaskState)rows.GetInt16(3), rows.IsDBNull(4) ? null : rows.GetFieldValue<DateOnly>(4), rows.IsDBNull(5) ? null : rows.GetGuid(5), Text(rows, 6),
        rows.IsDBNull(7) ? null : (SubjectKind)rows.GetInt16(7), rows.IsDBNull(8) ? null : rows.GetGuid(8), Text(rows, 9), rows.GetFieldValue<DateTimeOffset>(10));

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
