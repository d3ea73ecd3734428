using Npgsql;

namespace Camino.Clients;

/// <summary>Why something of a client was refused today, and how often.</summary>
public sealed record ClientRefusal(string Code, long Refused);

/// <summary>What a client handed in lately.</summary>
/// <param name="AcceptedToday">Applications taken in on this day of UTC.</param>
/// <param name="Waiting">Of the newest, those that are not over.</param>
/// <param name="Done">Of the newest, those that are.</param>
/// <param name="Turnaround">Half of those that are over took so long at most; null: none is.</param>
/// <param name="Refusals">Of this day, the most frequent first, as far as servers wrote them down.</param>
public sealed record ClientFigures(long AcceptedToday, long Waiting, long Done, TimeSpan? Turnaround, IReadOnlyList<ClientRefusal> Refusals);

/// <summary>Reckons the figures of one client.</summary>
public sealed class ReadClientFigures(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>The newest applications that are looked at.</summary>
    public const int Newest = 10_000;

    private const int MostRefusals = 20;

    private const string Counts =
        """
        select count(*) filter (where n.received_at >= $2), count(*) filter (where n.ended_at is null), count(n.ended_at), percentile_cont(0.5) within group (order by extract(epoch from n.ended_at - n.received_at)::float8)
        from (select a.received_at, a.ended_at from camino.applications a where a.received_by = $1 and a.channel = 'api' order by a.id desc limit $3) n
        """;

    private const string Refused = "select code, refused from camino.api_client_refusals where client_id = $1 and day = $2 order by refused desc, code limit $3";

    public async Task<ClientFigures> RunAsync(Guid clientId, CancellationToken ct)
    {
        var today = clock.GetUtcNow().UtcDateTime.Date;
        await using var refused = source.CreateCommand(Refused);
        refused.Parameters.Add(new NpgsqlParameter { Value = clientId });
        refused.Parameters.Add(new NpgsqlParameter { Value = DateOnly.FromDateTime(today) });
        refused.Parameters.Add(new NpgsqlParameter { Value = MostRefusals });
        var refusals = new List<ClientRefusal>();
        await using (var rows = await refused.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
                refusals.Add(new ClientRefusal(rows.GetString(0), rows.GetInt64(1)));
        }

        await using var counts = source.CreateCommand(Counts);
        counts.Parameters.Add(new NpgsqlParameter { Value = clientId });
        counts.Parameters.Add(new NpgsqlParameter { Value = new DateTimeOffset(today, TimeSpan.Zero) });
        counts.Parameters.Add(new NpgsqlParameter { Value = Newest });
        await using var row = await counts.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new ClientFigures(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), await row.IsDBNullAsync(3, ct) ? null : TimeSpan.FromSeconds(row.GetDouble(3)), refusals);
    }
}
