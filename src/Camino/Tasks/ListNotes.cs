using System.Text.Json.Serialization;
using Camino.Data;
using Npgsql;

namespace Camino.Tasks;

/// <summary>A note as it is read.</summary>
/// <param name="By">Of a user or an API client.</param>
/// <param name="ByName">As it is called now; null where nobody is known by that id.</param>
/// <param name="Told">Who was mentioned, by name.</param>
public sealed record NoteLine(Guid Id, string Text, DateTimeOffset At, Guid By, string? ByName, IReadOnlyList<string> Told);

/// <summary>What hangs on a borrower, an application or a loan: what was noted last and what is to be done.</summary>
/// <param name="Subject">The kind and the id of it.</param>
/// <param name="HasMoreNotes">There are older ones.</param>
/// <param name="Tasks">Open ones, the first due first.</param>
public sealed record FollowUp((SubjectKind Kind, Guid Id) Subject, IReadOnlyList<NoteLine> Notes, bool HasMoreNotes, IReadOnlyList<TaskLine> Tasks)
{
    /// <summary>Made with the panel's form: pressed twice, one note is written.</summary>
    [JsonIgnore]
    public string Key { get; } = Guid.CreateVersion7().ToString("N");
}

/// <summary>Reads notes, the newest first, found by keyset; those that were taken off are left out.</summary>
public sealed class ListNotes(NpgsqlDataSource source, ListTasks tasks)
{
    /// <summary>Notes of one page.</summary>
    public const int PageSize = 50;

    /// <summary>Notes and tasks that the page of a subject shows at most.</summary>
    public const int Shown = 5;

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <returns>Up to one more than asked for, so that the caller knows whether there is a next one.</returns>
    public async Task<IReadOnlyList<NoteLine>> RunAsync(SubjectKind kind, Guid subjectId, Guid? after, CancellationToken ct, int most = PageSize)
    {
        await using var command = Page(source, kind, subjectId, after, most);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<NoteLine>();
        while (await rows.ReadAsync(ct))
            lines.Add(new NoteLine(rows.GetGuid(0), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2), rows.GetGuid(3), await rows.IsDBNullAsync(4, ct) ? null : rows.GetString(4), rows.GetFieldValue<string[]>(5)));
        return lines;
    }

    /// <summary>For the page of the subject.</summary>
    public async Task<FollowUp> ForPageAsync(SubjectKind kind, Guid subjectId, CancellationToken ct)
    {
        var notes = await RunAsync(kind, subjectId, null, ct, Shown);
        return new FollowUp((kind, subjectId), [.. notes.Take(Shown)], notes.Count > Shown, await tasks.OfSubjectAsync(kind, subjectId, Shown, ct));
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, SubjectKind kind, Guid subjectId, Guid? after, int most)
    {
        var command = source.CreateCommand(
            $"""
            select n.id, n.text, n.at, n.by, coalesce((select u.display_name from camino.staff_users u where u.id = n.by), (select c.name from camino.api_clients c where c.id = n.by)),
                array(select u.display_name from camino.staff_users u where u.id = any(n.mentions) order by u.display_name)
            from (select * from camino.notes n where n.subject = $1 and n.subject_id = $2 and n.removed_at is null and ($3::uuid is null or n.id < $3) order by n.id desc limit {KeysetSql.Rows(most + 1)}) n
            order by n.id desc
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = (short)kind });
        command.Parameters.Add(new NpgsqlParameter { Value = subjectId });
        command.Parameters.Add(new NpgsqlParameter { Value = after is { } id ? id : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
        return command;
    }
}
