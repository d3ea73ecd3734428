using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using Camino.Branches;
using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Camino.Approvals;

/// <summary>Which requests the list shows, and where they are looked for.</summary>
public sealed record ApprovalFilter
{
    public ApprovalState? State { get; init; }

    /// <summary>One of <see cref="ApprovalKinds"/>.</summary>
    public string? Kind { get; init; }

    /// <summary>Only what is seen from these branches, null: everything; no part of an address.</summary>
    public Guid[]? Branches { get; init; }

    public bool IsEmpty => this == new ApprovalFilter();

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static ApprovalFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        var kind = address.Text("kind");
        return new() { State = address.Name<ApprovalState>("state"), Kind = ApprovalKinds.All.Any(one => one.Kind == kind) ? kind : null };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter().Add("state", State).Add("kind", Kind).ToQuery(cursorName, cursor);
}

/// <summary>A request with the names that belong to it.</summary>
/// <param name="SubjectName">A loan's number, a product's code, a person's name; the id where nothing has that id any more.</param>
/// <param name="Refusal">Why it was no longer possible; null unless it was refused.</param>
public sealed record NamedApproval(Approval Approval, string SubjectName, string AskedByName, string? DecidedByName, ApprovalRefusal? Refusal);

/// <summary>Reads requests: for each reader those that the reader asked for or may decide; what waits first, then the newest. Pages are found by keyset.</summary>
public sealed class ListApprovals(NpgsqlDataSource source, TimeProvider clock, BranchScope scope)
{
    private const string Columns =
        """
        select a.id, a.kind, a.subject, a.subject_id, a.version, a.request::text, a.reason, a.asked_by, a.asked_at, a.expires_at, a.state, a.decided_by, a.decided_at, a.note, a.answer::text, a.refusal::text,
            coalesce(case a.subject
                when 'loan' then (select l.number from camino.serviced_loans l where l.id = a.subject_id::uuid)
                when 'application' then (select l.number from camino.applications l where l.id = a.subject_id::uuid)
                when 'product' then (select p.code from camino.products p where p.id = a.subject_id::uuid)
                when 'user' then (select u.display_name from camino.staff_users u where u.id = a.subject_id::uuid)
            end, a.subject_id),
            coalesce((select u.display_name from camino.staff_users u where u.id = a.asked_by), (select c.name from camino.api_clients c where c.id = a.asked_by), a.asked_by::text),
            coalesce((select u.display_name from camino.staff_users u where u.id = a.decided_by), (select c.name from camino.api_clients c where c.id = a.decided_by), a.decided_by::text)
        """;

    /// <param name="reader">Who looks.</param>
    /// <param name="client">The API client that looks, which sees its own alone; null: a person.</param>
    public async Task<ListPage<NamedApproval>> RunAsync(ApprovalFilter filter, ClaimsPrincipal reader, Guid? client, ListCursor? cursor, CancellationToken ct)
    {
        filter = filter with { Branches = scope.Seen };
        await using var command = Page(source, filter, Kinds(reader, client), reader.Id(), cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<NamedApproval>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
            lines.Add(await LineAsync(rows, ct));
        return ListPage.Cut(lines, await CountAsync(filter, Kinds(reader, client), reader.Id(), ct), cursor, CursorOf);
    }

    /// <summary>One request that the reader asked for or may decide; null: there is none.</summary>
    public async Task<NamedApproval?> OneAsync(Guid id, ClaimsPrincipal reader, Guid? client, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"{Columns} from camino.approvals a where a.id = @id and (a.kind = any(@kinds) or a.asked_by = @reader)");
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("kinds", Kinds(reader, client));
        command.Parameters.AddWithValue("reader", reader.Id());
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? await LineAsync(row, ct) : null;
    }

    /// <summary>What waits about one subject and the reader asked for or may decide; the newest first, at most 20.</summary>
    public async Task<IReadOnlyList<NamedApproval>> WaitingAsync(string subject, string subjectId, ClaimsPrincipal reader, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"{Columns} from camino.approvals a where a.state = 0 and a.subject = @subject and a.subject_id = @id and a.expires_at > @now and (a.kind = any(@kinds) or a.asked_by = @reader) order by a.id desc limit 20");
        command.Parameters.AddWithValue("subject", subject);
        command.Parameters.AddWithValue("id", subjectId);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        command.Parameters.AddWithValue("kinds", Kinds(reader, null));
        command.Parameters.AddWithValue("reader", reader.Id());
        await using var rows = await command.ExecuteReaderAsync(ct);
        var waiting = new List<NamedApproval>();
        while (await rows.ReadAsync(ct))
            waiting.Add(await LineAsync(rows, ct));
        return waiting;
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, ApprovalFilter filter, string[] kinds, Guid reader, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, kinds, reader, command);
        var descending = cursor is not { Backward: true };
        if (cursor is not null)
            sql.Add($"((a.state = 0), a.id) {KeysetSql.Sign(descending)} (@cursor_waits, @cursor_id)", ("cursor_waits", cursor.Value == "waiting"), ("cursor_id", cursor.Id));
        command.CommandText =
            $"{Columns} from camino.approvals a{KeysetSql.Where(sql.Conditions)} order by (a.state = 0) {KeysetSql.Direction(descending)}, a.id {KeysetSql.Direction(descending)} limit {KeysetSql.Rows(ListPage.Size + 1)}";
        return command;
    }

    private static string[] Kinds(ClaimsPrincipal reader, Guid? client) => client is null ? ApprovalKinds.DecidedBy(reader) : [];

    private static ListCursor CursorOf(NamedApproval line, bool backward) => new(line.Approval.State == ApprovalState.Waiting ? "waiting" : "decided", line.Approval.Id, backward);

    private async Task<int> CountAsync(ApprovalFilter filter, string[] kinds, Guid reader, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.approvals a", Conditions(filter, kinds, reader, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(ApprovalFilter filter, string[] kinds, Guid reader, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        sql.Add("(a.kind = any(@kinds) or a.asked_by = @reader)", ("kinds", kinds), ("reader", reader));
        sql.Within(filter.Branches, BranchSql.Approval("a"));
        if (filter.State is { } state)
            sql.Add("a.state = @state", ("state", (short)state));
        if (filter.Kind is { } kind)
            sql.Add("a.kind = @kind", ("kind", kind));
        return sql;
    }

    private static async Task<NamedApproval> LineAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        var approval = new Approval(
            row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), await row.IsDBNullAsync(4, ct) ? null : row.GetInt32(4), row.GetString(5), row.GetString(6), row.GetGuid(7), row.GetFieldValue<DateTimeOffset>(8),
            row.GetFieldValue<DateTimeOffset>(9), (ApprovalState)row.GetInt16(10), await row.IsDBNullAsync(11, ct) ? null : row.GetGuid(11), await row.IsDBNullAsync(12, ct) ? null : row.GetFieldValue<DateTimeOffset>(12),
            await TextAsync(row, 13, ct), await TextAsync(row, 14, ct));
        var refusal = await TextAsync(row, 15, ct);
        return new NamedApproval(approval, row.GetString(16), row.GetString(17), await TextAsync(row, 18, ct), refusal is null ? null : JsonSerializer.Deserialize<ApprovalRefusal>(refusal, JsonSerializerOptions.Web));
    }

    private static async Task<string?> TextAsync(NpgsqlDataReader row, int column, CancellationToken ct) => await row.IsDBNullAsync(column, ct) ? null : row.GetString(column);
}
