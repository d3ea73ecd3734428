using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Camino.Audit;

/// <summary>Which entries of the audit trail a list shows: exactly what the address says.</summary>
public sealed record AuditFilter
{
    /// <summary>Done by this user or API client.</summary>
    public Guid? By { get; init; }

    /// <summary>This act, as the trail writes it: <c>loan.disburse</c>.</summary>
    public string? Action { get; init; }

    /// <summary>Done to this kind of thing: <c>loan</c>.</summary>
    public string? Subject { get; init; }

    /// <summary>Done to this one; without <see cref="Subject"/> it says nothing.</summary>
    public string? SubjectId { get; init; }

    /// <summary>The first day, UTC.</summary>
    public DateOnly? From { get; init; }

    /// <summary>The last day, UTC.</summary>
    public DateOnly? Until { get; init; }

    public bool IsEmpty => this == new AuditFilter();

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static AuditFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        var subject = address.Text("subject");
        return new()
        {
            By = Guid.TryParse(address.Text("by"), out var by) ? by : null,
            Action = address.Text("action"),
            Subject = subject,
            SubjectId = subject is null ? null : address.Text("id"),
            From = address.Day("from"),
            Until = address.Day("until"),
        };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter()
        .Add("by", By?.ToString()).Add("action", Action).Add("subject", Subject).Add("id", SubjectId).Add("from", From).Add("until", Until).ToQuery(cursorName, cursor);
}

/// <summary>One entry of the audit trail.</summary>
/// <param name="By">Of a user or an API client; null for the system itself.</param>
/// <param name="ByName">As it is called now; null where nobody is known by that id.</param>
/// <param name="Origin">The caller's network address; null for jobs, verbs and the system.</param>
/// <param name="Details">What else the act wrote down.</param>
public sealed record AuditLine(Guid Id, DateTimeOffset At, Guid? By, string? ByName, string Action, string Subject, string SubjectId, string? Origin, JsonElement Details)
{
    /// <summary>Where the subject is shown; null for what has no page.</summary>
    public string? Link => Guid.TryParse(SubjectId, out _)
        ? Subject switch
        {
            "approval" => "/approvals/" + SubjectId,
            "application" => "/applications/" + SubjectId,
            "borrower" => "/borrowers/" + SubjectId,
            "client" => "/clients/" + SubjectId,
            "import" => "/imports/" + SubjectId,
            "job" => "/jobs/" + SubjectId,
            "loan" => "/servicing/" + SubjectId,
            "task" => "/tasks/" + SubjectId,
            "user" => "/people/" + SubjectId,
            _ => null,
        }
        : null;

    internal ListCursor Cursor(bool backward) => new(null, Id, backward);
}

/// <summary>Reads pages of the audit trail, the newest first, found by keyset.</summary>
public sealed class ListAudit(NpgsqlDataSource source)
{
    /// <summary>Offered to choose from at most.</summary>
    public const int MostChoices = 500;

    /// <summary>Times come from the caller's clock and ids from the process's: days are looked for by id with so much room, and compared by time.</summary>
    private static readonly TimeSpan ClockRoom = TimeSpan.FromHours(1);

    public async Task<ListPage<AuditLine>> RunAsync(AuditFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        await using var command = Page(source, filter, cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<AuditLine>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new AuditLine(
                rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), await rows.IsDBNullAsync(2, ct) ? null : rows.GetGuid(2), await rows.IsDBNullAsync(3, ct) ? null : rows.GetString(3),
                rows.GetString(4), rows.GetString(5), rows.GetString(6), await rows.IsDBNullAsync(7, ct) ? null : rows.GetString(7), JsonSerializer.Deserialize<JsonElement>(rows.GetString(8))));
        }

        return ListPage.Cut(lines, await CountAsync(filter, ct), cursor, (line, backward) => line.Cursor(backward));
    }

    /// <summary>What a reader chooses from: kinds of things and people, each by its place in an index.</summary>
    public async Task<(IReadOnlyList<string> Subjects, IReadOnlyList<(Guid Id, string Name)> People)> ChoicesAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"""
            with recursive kinds(subject) as (
                (select subject from camino.audit_entries order by subject limit 1)
                union all select (select e.subject from camino.audit_entries e where e.subject > k.subject order by e.subject limit 1) from kinds k where k.subject is not null
            )
            (select null::uuid, subject from kinds where subject is not null order by subject) union all
            (select id, display_name from camino.staff_users order by display_name, id limit {KeysetSql.Rows(MostChoices)})
            """);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var (subjects, people) = (new List<string>(), new List<(Guid, string)>());
        while (await rows.ReadAsync(ct))
        {
            if (await rows.IsDBNullAsync(0, ct))
                subjects.Add(rows.GetString(1));
            else
                people.Add((rows.GetGuid(0), rows.GetString(1)));
        }

        return (subjects, people);
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, AuditFilter filter, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, command);
        var descending = cursor is not { Backward: true };
        if (cursor is not null)
            sql.Add($"e.id {KeysetSql.Sign(descending)} @cursor_id", ("cursor_id", cursor.Id));
        command.CommandText =
            $"""
            select e.id, e.at, e.user_id, coalesce((select u.display_name from camino.staff_users u where u.id = e.user_id), (select c.name from camino.api_clients c where c.id = e.user_id)),
                e.action, e.subject, e.subject_id, e.origin, e.details::text
            from (select * from camino.audit_entries e{KeysetSql.Where(sql.Conditions)} order by e.id {KeysetSql.Direction(descending)} limit {KeysetSql.Rows(ListPage.Size + 1)}) e
            order by e.id {KeysetSql.Direction(descending)}
            """;
        return command;
    }

    private async Task<int> CountAsync(AuditFilter filter, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.audit_entries e", Conditions(filter, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(AuditFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        if (filter.By is { } by)
            sql.Add("e.user_id = @by", ("by", by));
        if (filter.Action is { } action)
            sql.Add("e.action = @action", ("action", action));
        if (filter.Subject is { } subject)
            sql.Add("e.subject = @subject", ("subject", subject));
        if (filter.SubjectId is { } subjectId)
            sql.Add("e.subject_id = @subject_id", ("subject_id", subjectId));
        if (filter.From is { } from)
            sql.Add("e.at >= @from and e.id >= @from_id", ("from", Start(from)), ("from_id", FirstId(Start(from), -ClockRoom)));
        if (filter.Until is { } until && until < DateOnly.MaxValue)
            sql.Add("e.at < @until and e.id < @until_id", ("until", Start(until.AddDays(1))), ("until_id", FirstId(Start(until.AddDays(1)), ClockRoom)));
        return sql;
    }

    private static DateTimeOffset Start(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

    /// <summary>No version 7 uuid of that moment or later is smaller.</summary>
    private static Guid FirstId(DateTimeOffset at, TimeSpan room)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Clamp(at.ToUnixTimeMilliseconds() + (long)room.TotalMilliseconds, 0, (1L << 48) - 1) << 16);
        return new Guid(bytes, bigEndian: true);
    }
}
