using Npgsql;

namespace Camino.Applications.Messages;

/// <summary>One message to an applicant; neither its address nor its words.</summary>
/// <param name="Attempts">How often the service was asked in vain, and the one time that it took it.</param>
public sealed record MessageLine(Guid Id, MessageKind Kind, MessageChannel Channel, int Number, MessageState State, int Attempts, string? Problem, DateTimeOffset AskedAt, string? AskedByName, DateTimeOffset? SentAt)
{
    /// <summary>How pages call where it stands: one that failed and is tried again is not yet lost.</summary>
    public string Word => State == MessageState.Queued && Attempts > 0 ? "Retried" : State.ToString();

    /// <summary>The colour of it.</summary>
    public string Tone => State switch { MessageState.Sent => "good", MessageState.Failed => "bad", _ => "info" };
}

/// <summary>The messages of an application, and how the applicant wants to be written to.</summary>
public sealed record MessagesView(IReadOnlyList<MessageLine> Messages, ContactChoices Choices);

/// <summary>Reads what was written to an applicant.</summary>
public sealed class ShowMessages(NpgsqlDataSource source)
{
    /// <summary>The newest first.</summary>
    public async Task<MessagesView> RunAsync(Guid applicationId, CancellationToken ct)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
            select m.id, m.kind, m.channel, m.number, m.state, m.attempts, m.problem, m.asked_at, (select u.display_name from camino.staff_users u where u.id = m.asked_by), m.sent_at
            from camino.application_messages m where m.application_id = $1 order by m.id desc limit {WriteApplicant.Most}
            """)
        { Parameters = { new() { Value = applicationId } } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(MessageTable.Choices.Replace("{0}", "$1", StringComparison.Ordinal)) { Parameters = { new() { Value = applicationId } } });
        await using var rows = await batch.ExecuteReaderAsync(ct);
        var lines = new List<MessageLine>();
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new MessageLine(
                rows.GetGuid(0), (MessageKind)rows.GetInt16(1), (MessageChannel)rows.GetInt16(2), rows.GetInt32(3), (MessageState)rows.GetInt16(4), rows.GetInt32(5), await rows.IsDBNullAsync(6, ct) ? null : rows.GetString(6), rows.GetFieldValue<DateTimeOffset>(7),
                await rows.IsDBNullAsync(8, ct) ? null : rows.GetString(8), await rows.IsDBNullAsync(9, ct) ? null : rows.GetFieldValue<DateTimeOffset>(9)));
        }

        await rows.NextResultAsync(ct);
        await rows.ReadAsync(ct);
        return new MessagesView(lines, new ContactChoices(rows.GetBoolean(0), rows.GetBoolean(1)));
    }
}
