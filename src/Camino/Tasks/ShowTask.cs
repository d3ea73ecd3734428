using System.Globalization;
using Camino.Data;
using Camino.People;
using Camino.Web;
using Npgsql;

namespace Camino.Tasks;

/// <summary>Something that happened to a task.</summary>
/// <param name="ByName">Null for Camino itself.</param>
/// <param name="Text">What was written.</param>
/// <param name="AssigneeName">Whom it was given to; null for nobody in particular.</param>
public sealed record TaskEntryLine(TaskAct Act, DateTimeOffset At, string? ByName, string? Text, string? AssigneeName, DateOnly? DueOn);

/// <summary>A task with all that happened to it, the oldest first.</summary>
/// <param name="EarlierEntries">There are older ones than those shown.</param>
public sealed record TaskView(TaskLine Line, string Detail, int Version, DateTimeOffset CreatedAt, string? CreatedByName, IReadOnlyList<TaskEntryLine> Entries, bool EarlierEntries);

/// <summary>Somebody a task can be given to.</summary>
/// <param name="Handle">How a note mentions the person, without the at-sign.</param>
public sealed record Colleague(Guid Id, string Name, string Handle);

/// <summary>Reads one task, and whom it can be given to.</summary>
public sealed class ShowTask(NpgsqlDataSource source)
{
    /// <summary>Entries shown at most: the newest.</summary>
    public const int MostEntries = 200;

    /// <summary>People offered to choose from at most.</summary>
    public const int MostColleagues = 500;

    private static readonly string[] s_working = [.. StaffRoles.All.Where(role => Permissions.Of(role).Contains(Permissions.TasksWork))];

    /// <summary>The task, or null.</summary>
    public async Task<TaskView?> RunAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"""
            select t.title, t.said, t.state, t.due_on, t.assignee, (select u.display_name from camino.staff_users u where u.id = t.assignee), t.subject, t.subject_id,
                case t.subject when 1 then (select b.name from camino.borrowers b where b.id = t.subject_id) when 2 then (select a.name from camino.applications a where a.id = t.subject_id)
                    when 3 then (select s.number from camino.serviced_loans s where s.id = t.subject_id) end,
                t.detail, t.version, t.created_at, coalesce((select u.display_name from camino.staff_users u where u.id = t.created_by), (select c.name from camino.api_clients c where c.id = t.created_by)),
                e.act, e.at, coalesce((select u.display_name from camino.staff_users u where u.id = e.by), (select c.name from camino.api_clients c where c.id = e.by)), e.text, (select u.display_name from camino.staff_users u where u.id = e.assignee), e.due_on, now()
            from camino.tasks t left join lateral (select * from camino.task_entries e where e.task_id = t.id order by e.id desc limit {KeysetSql.Rows(MostEntries + 1)}) e on true
            where t.id = $1 order by e.id
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var rows = await command.ExecuteReaderAsync(ct);
        TaskView? view = null;
        var entries = new List<TaskEntryLine>();
        while (await rows.ReadAsync(ct))
        {
            view ??= ViewOf(id, rows, entries);
            if (EntryOf(rows) is { } entry)
                entries.Add(entry);
        }

        var isCut = entries.Count > MostEntries;
        if (isCut)
            entries.RemoveAt(0);
        return view is null ? null : view with { EarlierEntries = isCut };
    }

    /// <summary>Everybody who can sign in and work on tasks, by name.</summary>
    public async Task<IReadOnlyList<Colleague>> ColleaguesAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"""
            select u.id, u.display_name, lower(split_part(u.email, '@', 1)) from camino.staff_users u
            where u.lockout_end is distinct from 'infinity'
                and exists (select from camino.staff_user_roles link join camino.staff_roles role on role.id = link.role_id where link.user_id = u.id and role.name = any($1))
            order by u.display_name, u.id limit {MostColleagues.ToString(CultureInfo.InvariantCulture)}
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = s_working });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var people = new List<Colleague>();
        while (await rows.ReadAsync(ct))
            people.Add(new Colleague(rows.GetGuid(0), rows.GetString(1), rows.GetString(2)));
        return people;
    }

    private static TaskView ViewOf(Guid id, NpgsqlDataReader rows, List<TaskEntryLine> entries)
    {
        var line = new TaskLine(
            id, rows.GetString(0), Text(rows, 1), (TaskState)rows.GetInt16(2), Day(rows, 3), rows.IsDBNull(4) ? null : rows.GetGuid(4), Text(rows, 5),
            rows.IsDBNull(6) ? null : (SubjectKind)rows.GetInt16(6), rows.IsDBNull(7) ? null : rows.GetGuid(7), Text(rows, 8), rows.GetFieldValue<DateTimeOffset>(19));
        return new TaskView(line, rows.GetString(9), rows.GetInt32(10), rows.GetFieldValue<DateTimeOffset>(11), Text(rows, 12), entries, false);
    }

    private static TaskEntryLine? EntryOf(NpgsqlDataReader rows) =>
        rows.IsDBNull(13) ? null : new((TaskAct)rows.GetInt16(13), rows.GetFieldValue<DateTimeOffset>(14), Text(rows, 15), Text(rows, 16), Text(rows, 17), Day(rows, 18));

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static DateOnly? Day(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateOnly>(column);
}
