using Npgsql;

namespace Camino.Applications.Papers;

/// <summary>One paper of an application in one language.</summary>
/// <param name="Number">Of the offer, or of the event that declined the application.</param>
/// <param name="Template">What it was made from: <c>offer.1</c>.</param>
/// <param name="Problem">What the last attempt ran into; never personal data.</param>
/// <param name="DocumentId">The document that keeps it, once it is made.</param>
/// <param name="Sha256">Of the file, once it is made.</param>
public sealed record PaperLine(Guid Id, PaperKind Kind, int Number, string Language, string Template, PaperState State, string? Problem, DateTimeOffset AskedAt, DateTimeOffset? MadeAt, Guid? DocumentId, string? Sha256);

/// <summary>Reads which papers an application has.</summary>
public sealed class ShowPapers(NpgsqlDataSource source)
{
    /// <summary>Papers that are shown: those of 20 offers, of contracts and decisions, in two languages.</summary>
    public const int Most = 200;

    /// <summary>All papers of an application, the newest first.</summary>
    public async Task<IReadOnlyList<PaperLine>> RunAsync(Guid applicationId, CancellationToken ct)
    {
        await using var command = Command(source, applicationId);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<PaperLine>();
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new PaperLine(
                rows.GetGuid(0), (PaperKind)rows.GetInt16(1), rows.GetInt32(2), rows.GetString(3), rows.GetString(4), (PaperState)rows.GetInt16(5), await rows.IsDBNullAsync(6, ct) ? null : rows.GetString(6), rows.GetFieldValue<DateTimeOffset>(7),
                await rows.IsDBNullAsync(8, ct) ? null : rows.GetFieldValue<DateTimeOffset>(8), await rows.IsDBNullAsync(9, ct) ? null : rows.GetGuid(9), await rows.IsDBNullAsync(10, ct) ? null : rows.GetString(10)));
        }

        return lines;
    }

    /// <summary>The statement that reads them.</summary>
    internal static NpgsqlCommand Command(NpgsqlDataSource source, Guid applicationId)
    {
        var command = source.CreateCommand($"select p.id, p.kind, p.number, p.language, p.template, p.state, p.problem, p.asked_at, p.made_at, p.document_id, encode(p.sha256, 'hex') from camino.application_papers p where p.application_id = $1 order by p.id desc limit {Most}");
        command.Parameters.Add(new NpgsqlParameter { Value = applicationId });
        return command;
    }
}
