using System.Globalization;
using Camino.Data;
using Camino.Web;
using Npgsql;

namespace Camino.Webhooks;

/// <summary>One endpoint of a client.</summary>
/// <param name="DisabledWhy">Null: it is enabled.</param>
/// <param name="FailingSince">Since when it took nothing; null: the last notice was taken, or none was sent.</param>
/// <param name="OldSecretUntil">Until when the secret before the newest signs too; null: one secret signs.</param>
public sealed record EndpointLine(Guid Id, Guid ClientId, string Url, string Description, string[] EventTypes, DateTimeOffset MadeAt, DateTimeOffset? DisabledAt, DisabledWhy? DisabledWhy, DateTimeOffset? FailingSince, DateTimeOffset? OldSecretUntil);

/// <summary>One notice to one endpoint.</summary>
/// <param name="MessageId">As the header <c>webhook-id</c> says it.</param>
/// <param name="Status">The last answer's status; null: none came.</param>
/// <param name="Problem">A code of what the last attempt ran into; null: nothing.</param>
/// <param name="NextAt">When the next attempt is planned.</param>
public sealed record DeliveryLine(Guid Id, string MessageId, string Type, Guid? ApplicationId, DeliveryState State, int Attempts, int? Status, string? Problem, DateTimeOffset MadeAt, DateTimeOffset? NextAt, DateTimeOffset? EndedAt)
{
    internal ListCursor Cursor(bool backward) => new(null, Id, backward);
}

/// <summary>One attempt to send a notice.</summary>
public sealed record AttemptLine(int Number, DateTimeOffset At, int? Status, string? Problem, int Milliseconds);

/// <summary>A notice with the body that was signed, and its newest attempts.</summary>
public sealed record DeliveryView(DeliveryLine Line, string Body, IReadOnlyList<AttemptLine> Attempts);

/// <summary>Reads endpoints, their deliveries (the newest first, found by keyset) and attempts.</summary>
public sealed class ListWebhooks(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Attempts shown of one delivery, the newest first.</summary>
    public const int MostAttempts = 100;

    private const string Endpoints =
        """
        select p.id, p.client_id, p.url, p.description, p.event_types, p.made_at, p.disabled_at, p.disabled_why, p.failing_since,
            (select max(s.expires_at) from camino.webhook_secrets s where s.endpoint_id = p.id and s.expires_at > $2)
        from camino.webhook_endpoints p where p.client_id = $1 and p.removed_at is null
        """;

    private const string Deliveries = "select d.id, d.event_id, e.type, e.application_id, d.state, d.attempts, d.status, d.problem, d.made_at, d.next_at, d.ended_at";

    /// <summary>All endpoints of a client, the oldest first.</summary>
    public async Task<IReadOnlyList<EndpointLine>> EndpointsAsync(Guid clientId, CancellationToken ct)
    {
        await using var command = Command(Endpoints + " order by p.id", clientId);
        return await ReadAsync(command, ct);
    }

    /// <summary>One endpoint of a client, or null.</summary>
    public async Task<EndpointLine?> EndpointAsync(Guid clientId, Guid id, CancellationToken ct)
    {
        await using var command = Command(Endpoints + " and p.id = $3", clientId);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        return (await ReadAsync(command, ct)).FirstOrDefault();
    }

    /// <summary>One page of an endpoint's deliveries.</summary>
    /// <param name="state">Only those that stand there; null: all.</param>
    public async Task<ListPage<DeliveryLine>> DeliveriesAsync(Guid endpointId, DeliveryState? state, ListCursor? cursor, CancellationToken ct)
    {
        await using var command = Page(source, endpointId, state, cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<DeliveryLine>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
            lines.Add(LineOf(rows));
        return ListPage.Cut(lines, await CountAsync(endpointId, state, ct), cursor, (line, backward) => line.Cursor(backward));
    }

    /// <summary>One delivery of an endpoint, or null.</summary>
    public async Task<DeliveryView?> DeliveryAsync(Guid endpointId, Guid id, CancellationToken ct)
    {
        DeliveryLine line;
        string body;
        await using (var command = source.CreateCommand(Deliveries + ", e.body from camino.webhook_deliveries d join camino.webhook_events e on e.id = d.event_id where d.id = $1 and d.endpoint_id = $2"))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = id });
            command.Parameters.Add(new NpgsqlParameter { Value = endpointId });
            await using var row = await command.ExecuteReaderAsync(ct);
            if (!await row.ReadAsync(ct))
                return null;
            (line, body) = (LineOf(row), row.GetString(11));
        }

        await using var attempts = source.CreateCommand("select number, at, status, problem, milliseconds from camino.webhook_attempts where delivery_id = $1 order by number desc limit $2");
        attempts.Parameters.Add(new NpgsqlParameter { Value = id });
        attempts.Parameters.Add(new NpgsqlParameter { Value = MostAttempts });
        await using var rows = await attempts.ExecuteReaderAsync(ct);
        var all = new List<AttemptLine>();
        while (await rows.ReadAsync(ct))
            all.Add(new AttemptLine(rows.GetInt32(0), rows.GetFieldValue<DateTimeOffset>(1), Value<int>(rows, 2), Text(rows, 3), rows.GetInt32(4)));
        return new DeliveryView(line, body, all);
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, Guid endpointId, DeliveryState? state, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(endpointId, state, command);
        var descending = cursor is not { Backward: true };
        if (cursor is not null)
            sql.Add($"d.id {KeysetSql.Sign(descending)} @cursor_id", ("cursor_id", cursor.Id));
        command.CommandText = $"{Deliveries} from camino.webhook_deliveries d join camino.webhook_events e on e.id = d.event_id{KeysetSql.Where(sql.Conditions)} order by d.id {KeysetSql.Direction(descending)} limit {KeysetSql.Rows(ListPage.Size + 1)}";
        return command;
    }

    private async Task<int> CountAsync(Guid endpointId, DeliveryState? state, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.webhook_deliveries d", Conditions(endpointId, state, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static KeysetSql Conditions(Guid endpointId, DeliveryState? state, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        sql.Add("d.endpoint_id = @endpoint", ("endpoint", endpointId));
        if (state is { } some)
            sql.Add("d.state = @state", ("state", (short)some));
        return sql;
    }

    private NpgsqlCommand Command(string sql, Guid clientId)
    {
        var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = clientId });
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow() });
        return command;
    }

    private static async Task<List<EndpointLine>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<EndpointLine>();
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new EndpointLine(
                rows.GetGuid(0), rows.GetGuid(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<string[]>(4), rows.GetFieldValue<DateTimeOffset>(5), Value<DateTimeOffset>(rows, 6), (DisabledWhy?)Value<short>(rows, 7), Value<DateTimeOffset>(rows, 8), Value<DateTimeOffset>(rows, 9)));
        }

        return lines;
    }

    private static DeliveryLine LineOf(NpgsqlDataReader row) => new(
        row.GetGuid(0), EndpointTable.MessageId(row.GetGuid(1)), row.GetString(2), Value<Guid>(row, 3), (DeliveryState)row.GetInt16(4), row.GetInt32(5), Value<int>(row, 6), Text(row, 7), row.GetFieldValue<DateTimeOffset>(8), Value<DateTimeOffset>(row, 9), Value<DateTimeOffset>(row, 10));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static T? Value<T>(NpgsqlDataReader row, int column)
        where T : struct => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);
}
