using Npgsql;

namespace Camino.Applications.Underwriting;

/// <summary>A decision with the evaluation that it rests on.</summary>
/// <param name="Sequence">Of the event.</param>
/// <param name="Offer">Null: it was declined.</param>
/// <param name="OverrideCode">Why it was decided against the recommendation.</param>
/// <param name="SignedBy">Name of the second person.</param>
public sealed record DecisionLine(int Sequence, int? Offer, int Evaluation, bool IsOverride, string? OverrideCode, string? OverrideText, string? DecidedBy, string? SignedBy, Guid? ApprovalId, DateTimeOffset At);

/// <summary>Reads decisions about applications.</summary>
public sealed class ShowDecisions(NpgsqlDataSource source)
{
    private const string All =
        """
        select d.sequence, d.offer_number, d.evaluation, d.is_override, d.override_code, d.override_text, u.display_name, s.display_name, d.approval_id, d.at
        from camino.application_decisions d left join camino.staff_users u on u.id = d.decided_by left join camino.staff_users s on s.id = d.signed_by where d.application_id = $1 order by d.sequence desc limit 200
        """;

    /// <summary>The newest decisions about an application.</summary>
    public async Task<IReadOnlyList<DecisionLine>> RunAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(All);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var row = await command.ExecuteReaderAsync(ct);
        var lines = new List<DecisionLine>();
        while (await row.ReadAsync(ct))
        {
            lines.Add(new DecisionLine(
                row.GetInt32(0), await row.IsDBNullAsync(1, ct) ? null : row.GetInt16(1), row.GetInt32(2), row.GetBoolean(3), await TextAsync(4), await TextAsync(5), await TextAsync(6), await TextAsync(7), await row.IsDBNullAsync(8, ct) ? null : row.GetGuid(8),
                row.GetFieldValue<DateTimeOffset>(9)));
        }

        return lines;

        async Task<string?> TextAsync(int column) => await row.IsDBNullAsync(column, ct) ? null : row.GetString(column);
    }
}
