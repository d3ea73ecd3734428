using System.Globalization;
using System.Security.Cryptography;
using Camino.Data;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>A file that Camino made and put into the store, whose row is still to come.</summary>
internal sealed record MadeFile(string ObjectKey, byte[] Sha256, long Bytes);

/// <summary>Keeps files that Camino makes itself: stored first, and their rows written in the transaction of whoever makes them.</summary>
public sealed class KeepMade(CaminoDb db, IObjectStore store)
{
    /// <summary>Stores a file. What never gets a row is taken away by <see cref="SweepDocuments"/>.</summary>
    /// <exception cref="ObjectStoreException">The store failed; nothing was kept.</exception>
    internal async Task<MadeFile> PutAsync(byte[] whole, DateTimeOffset at, CancellationToken ct)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"documents/{at.UtcDateTime:yyyy-MM}/{Guid.CreateVersion7(at):N}");
        await db.Database.ExecuteSqlAsync($"insert into camino.document_puts (object_key, at) values ({key}, {at})", ct);
        using var content = new MemoryStream(whole, writable: false);
        await store.PutAsync(key, content, whole.Length, ct);
        return new MadeFile(key, SHA256.HashData(whole), whole.Length);
    }

    /// <summary>Writes the rows of a stored PDF, in the caller's transaction.</summary>
    /// <param name="by">Who asked for it.</param>
    /// <returns>The document's id; the file is its version 1.</returns>
    internal async Task<Guid> KeepAsync(MadeFile file, SubjectKind subject, Guid subjectId, DocumentKind kind, string title, string fileName, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        var id = Guid.CreateVersion7(at);
        // no scanner looks at it: it came from nowhere but this program
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.documents (id, subject, subject_id, kind, title, added_at, added_by) values ({id}, {(short)subject}, {subjectId}, {(short)kind}, {title}, {at}, {by});
            insert into camino.document_versions (id, document_id, number, file_name, media_type, bytes, sha256, object_key, scan, added_at, added_by)
            values ({Guid.CreateVersion7(at)}, {id}, 1, {fileName}, 'application/pdf', {file.Bytes}, {file.Sha256}, {file.ObjectKey}, {(short)ScanState.NotScanned}, {at}, {by});
            delete from camino.document_puts where object_key = {file.ObjectKey}
            """, ct);
        return id;
    }
}
