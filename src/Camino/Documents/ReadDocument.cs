using System.Text.Json;
using Camino.Applications;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Documents;

/// <summary>Where the reading of a document stands. The values are stored and never change.</summary>
public enum ReadingState
{
    /// <summary>It waits for its turn, or for another attempt.</summary>
    Queued = 0,

    /// <summary>The service has the file and is at it.</summary>
    Handed = 1,

    /// <summary>It was read.</summary>
    Read = 2,

    /// <summary>The last attempt failed.</summary>
    Failed = 3,
}

/// <summary>One thing that was read out of a document.</summary>
/// <param name="Name">One of <see cref="ReadField.Names"/>.</param>
/// <param name="Value">As it stands there; of numbers of accounts and taxes the last four digits.</param>
/// <param name="Confidence">How sure the service is, 0 to 100.</param>
public sealed record ReadField(string Name, string Value, int Confidence)
{
    /// <summary>What is asked for; anything else that a service answers is left out.</summary>
    public static IReadOnlyList<string> Names { get; } = ["businessName", "ein", "routing", "account", "personName", "birthDate", "documentNumber", "expiresOn", "taxYear", "grossReceipts", "periodFrom", "periodTo"];

    /// <summary>Those of which the last four digits are kept.</summary>
    internal static IReadOnlySet<string> Numbers { get; } = new HashSet<string>(["ein", "account", "documentNumber"], StringComparer.Ordinal);
}

/// <summary>What was read out of a version of a document, for who may see the document.</summary>
/// <param name="Problem">What the last attempt ran into; never personal data.</param>
/// <param name="Fields">Empty until it was read.</param>
/// <param name="Agrees">Names of fields that say what the application says.</param>
/// <param name="Differs">Names of fields that say something else.</param>
public sealed record ReadingView(int Number, ReadingState State, string? Problem, DateTimeOffset AskedAt, DateTimeOffset? ReadAt, IReadOnlyList<ReadField> Fields, IReadOnlyList<string> Agrees, IReadOnlyList<string> Differs);

/// <summary>Has the newest version of a document of an application read by an outside service.</summary>
public sealed class ReadDocument(CaminoDb db, TimeProvider clock)
{
    private sealed record Newest(Guid Id, int Number, string MediaType, short Scan, short? Reading);

    /// <exception cref="RefusedException"><c>document.not_found</c>, <c>document.made</c>, <c>document.not_readable</c>, <c>document.infected</c>, <c>document.reading</c>, <c>idempotency.*</c>.</exception>
    public async Task<DocumentAnswer> RunAsync(Guid id, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"document.read {id}", at, ct) is { } before)
            return DocumentAnswer.Repeated(before);
        var document = await db.LockDocumentAsync(id, ct);
        var newest = await db.Database.SqlQuery<Newest>(
            $"""
            select v.id as "Id", v.number as "Number", v.media_type as "MediaType", v.scan as "Scan", r.state as "Reading" from camino.document_versions v left join camino.document_readings r on r.version_id = v.id
            where v.document_id = {id} order by v.number desc limit 1
            """).SingleAsync(ct);
        Refuse.If((SubjectKind)document.Subject != SubjectKind.Application || !ReadingTable.MediaTypes.Contains(newest.MediaType), "document.not_readable", "Only PDFs and pictures of an application are read.");
        Refuse.If((ScanState)newest.Scan == ScanState.Infected, "document.infected", "The malware scanner found something in this document; nobody opens it.");
        Refuse.If(newest.Reading is not (null or (short)ReadingState.Failed), "document.reading", "This version is being read, or was read already; look again.");
        await db.AskReadingAsync(id, newest.Id, null, by.UserId, at, ct);
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, "document.reading-asked", TaskWords.Word(SubjectKind.Application), document.SubjectId.ToString(), JsonSerializer.Serialize(new { documentId = id, number = newest.Number }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        var answer = new DocumentAnswer(id, newest.Number);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }
}

/// <summary>The statements on readings of documents.</summary>
internal static class ReadingTable
{
    /// <summary>What is read: PDFs and pictures.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } = [ContentKind.Pdf.MediaType, ContentKind.Png.MediaType, ContentKind.Jpeg.MediaType, ContentKind.Webp.MediaType, ContentKind.Heic.MediaType, ContentKind.Tiff.MediaType];

    /// <summary>Asks for the reading of a version in the caller's transaction; one that failed is asked for again.</summary>
    /// <param name="kinds">Only where the document is of one of these; null: whatever it is.</param>
    public static async Task AskReadingAsync(this CaminoDb db, Guid documentId, Guid versionId, IReadOnlyCollection<DocumentKind>? kinds, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        var wanted = (kinds ?? []).Select(kind => (short)kind).ToArray();
        var asked = await db.Database.SqlQuery<Guid>(
            $"""
            insert into camino.document_readings as r (id, version_id, application_id, asked_at, asked_by)
            select {Guid.CreateVersion7(at)}, {versionId}, d.subject_id, {at}, {by} from camino.documents d where d.id = {documentId} and d.subject = {(short)SubjectKind.Application} and ({kinds is null} or d.kind = any({wanted}))
            on conflict (version_id) do update set state = 0, problem = null, handed_at = null, asked_at = excluded.asked_at, asked_by = excluded.asked_by where r.state = {(short)ReadingState.Failed}
            returning id as "Value"
            """).ToListAsync(ct);
        foreach (var reading in asked)
            db.Enqueue(new SendReading(reading), new JobOptions { RequestedBy = by.ToString() });
    }
}

/// <summary>Shows what was read out of documents; the pages alone can open it.</summary>
public sealed class ShowReading(NpgsqlDataSource source, ExchangeKeys keys)
{
    /// <summary>The reading of the newest version of a document; null where nobody asked for one.</summary>
    public async Task<ReadingView?> RunAsync(Guid documentId, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            select v.number, r.state, r.problem, r.asked_at, r.read_at, r.sealed, r.agrees, r.differs from (select * from camino.document_versions v where v.document_id = $1 order by v.number desc limit 1) v
            join camino.document_readings r on r.version_id = v.id
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = documentId });
        byte[]? whole;
        ReadingView view;
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            if (!await row.ReadAsync(ct))
                return null;
            whole = await row.IsDBNullAsync(5, ct) ? null : row.GetFieldValue<byte[]>(5);
            view = new ReadingView(
                row.GetInt32(0), (ReadingState)row.GetInt16(1), await row.IsDBNullAsync(2, ct) ? null : row.GetString(2), row.GetFieldValue<DateTimeOffset>(3), await row.IsDBNullAsync(4, ct) ? null : row.GetFieldValue<DateTimeOffset>(4), [],
                row.GetFieldValue<string[]>(6), row.GetFieldValue<string[]>(7));
        }

        return whole is null ? view : view with { Fields = JsonSerializer.Deserialize<List<ReadField>>(await keys.OpenAsync(whole, ct), JsonSerializerOptions.Web) ?? [] };
    }
}
