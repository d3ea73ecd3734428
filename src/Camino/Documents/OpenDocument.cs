using System.Globalization;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>A version that somebody opens.</summary>
public sealed record OpenedDocument(Stream Content, string FileName, string MediaType, long Bytes, SubjectKind Subject);

/// <summary>Opens a version of a document for somebody: who opened what is in the audit trail before the first byte leaves.</summary>
public sealed class OpenDocument(CaminoDb db, IObjectStore store, TimeProvider clock)
{
    private sealed record Stored(short Subject, Guid SubjectId, string FileName, string MediaType, long Bytes, string ObjectKey, short Scan);

    /// <param name="mayRead">Whether the person may see what the document is about.</param>
    /// <param name="isShown">It is shown in a page, not taken home.</param>
    /// <exception cref="RefusedException"><c>document.not_found</c>, <c>document.not_scanned</c>, <c>document.infected</c>.</exception>
    /// <exception cref="ObjectStoreException">The store failed, or the file is not there.</exception>
    public async Task<OpenedDocument> RunAsync(Guid id, int number, Func<SubjectKind, Guid, Task<bool>> mayRead, bool isShown, Guid by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(mayRead);
        var found = await db.Database.SqlQuery<Stored>(
            $"""
            select d.subject as "Subject", d.subject_id as "SubjectId", v.file_name as "FileName", v.media_type as "MediaType", v.bytes as "Bytes", v.object_key as "ObjectKey", v.scan as "Scan"
            from camino.document_versions v join camino.documents d on d.id = v.document_id where v.document_id = {id} and v.number = {number} and d.removed_at is null
            """).ToListAsync(ct);
        Refuse.If(found.Count == 0 || !await mayRead((SubjectKind)found[0].Subject, found[0].SubjectId), "document.not_found", $"There is no document {id}.");
        var version = found[0];
        Refuse.If((ScanState)version.Scan == ScanState.Waiting, "document.not_scanned", "The malware scanner has not looked at this document yet. Try again in a minute.");
        Refuse.If((ScanState)version.Scan == ScanState.Infected, "document.infected", "The malware scanner found something in this document; nobody opens it.");
        var content = await store.OpenAsync(version.ObjectKey, ct) ?? throw new ObjectStoreException(string.Create(CultureInfo.InvariantCulture, $"The file of version {number} of document {id} is not in the store."));
        try
        {
            db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), by, isShown ? "document.viewed" : "document.downloaded", TaskWords.Word((SubjectKind)version.Subject), version.SubjectId.ToString(), JsonSerializer.Serialize(new { documentId = id, number }, JsonSerializerOptions.Web)));
            await db.SaveChangesAsync(ct);
        }
        catch
        {
            await content.DisposeAsync();
            throw;
        }

        return new OpenedDocument(content, version.FileName, version.MediaType, version.Bytes, (SubjectKind)version.Subject);
    }
}
