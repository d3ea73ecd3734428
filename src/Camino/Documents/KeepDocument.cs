using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>What became of a document.</summary>
/// <param name="Number">Of the version, from 1.</param>
public sealed record DocumentAnswer(Guid DocumentId, int Number)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    internal static DocumentAnswer Repeated(string answer) =>
        (JsonSerializer.Deserialize<DocumentAnswer>(answer, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };
}

/// <summary>Takes a file in as a new document, or as a new version of one. The file is kept first and its row second: a row always has its file.</summary>
public sealed class KeepDocument(CaminoDb db, IObjectStore store, DocumentOptions options, TimeProvider clock)
{
    /// <summary>Documents about one thing.</summary>
    public const int Most = 500;

    /// <summary>Versions of one document.</summary>
    public const int MostVersions = 100;

    /// <summary>A new document about something.</summary>
    /// <param name="content">The whole file; it can be read more than once.</param>
    /// <param name="fileName">As the sender calls it; the ending becomes the one of its content.</param>
    /// <param name="requestId">The request to an applicant by whose link it came; null: from staff or a program.</param>
    /// <exception cref="RefusedException"><c>document.*</c>, <c>input.*</c>, <c>*.not_found</c> of what it is about, <c>idempotency.*</c>.</exception>
    /// <exception cref="ObjectStoreException">The store failed; nothing was kept.</exception>
    public Task<DocumentAnswer> AddAsync(SubjectKind subject, Guid subjectId, DocumentInput input, Stream content, string? fileName, AskedBy by, CancellationToken ct, Guid? requestId = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        return KeepAsync(content, by, $"document.add {subject} {subjectId} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", async (found, at) =>
        {
            var name = DocumentWords.FileName(fileName, found);
            var (title, kind, expiresOn) = (DocumentWords.Title(input.Title, name), DocumentWords.Kind(input.Kind), DocumentWords.ExpiresOn(input.ExpiresOn));
            await db.CheckSubjectAsync((subject, subjectId), ct);
            var there = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from (select from camino.documents where subject = {(short)subject} and subject_id = {subjectId} and removed_at is null limit {Most}) d").SingleAsync(ct);
            Refuse.If(there >= Most, "document.too_many", $"There are {Most} documents about this already; remove some first.");
            var id = Guid.CreateVersion7(at);
            await db.Database.ExecuteSqlAsync(
                $"insert into camino.documents (id, subject, subject_id, kind, title, expires_on, added_at, added_by, request_id) values ({id}, {(short)subject}, {subjectId}, {(short)kind}, {title}, {expiresOn}, {at}, {by.UserId}, {requestId})", ct);
            return (id, 1, subject, subjectId, name, "document.added");
        }, ct);
    }

    /// <summary>A newer version of a document; the older ones stay.</summary>
    /// <exception cref="RefusedException"><c>document.*</c>, <c>idempotency.*</c>.</exception>
    /// <exception cref="ObjectStoreException">The store failed; nothing was kept.</exception>
    public Task<DocumentAnswer> AddVersionAsync(Guid id, Stream content, string? fileName, AskedBy by, CancellationToken ct) => KeepAsync(content, by, $"document.version {id}", async (kind, _) =>
    {
        var document = await db.LockDocumentAsync(id, ct);
        var number = await db.Database.SqlQuery<int>($"select coalesce(max(number), 0) + 1 as \"Value\" from camino.document_versions where document_id = {id}").SingleAsync(ct);
        Refuse.If(number > MostVersions, "document.too_many", $"A document has at most {MostVersions} versions; add it as a new one.");
        return (id, number, (SubjectKind)document.Subject, document.SubjectId, DocumentWords.FileName(fileName, kind), "document.version_added");
    }, ct);

    private async Task<DocumentAnswer> KeepAsync(Stream content, AskedBy by, string what, Func<ContentKind, DateTimeOffset, Task<(Guid Id, int Number, SubjectKind Subject, Guid SubjectId, string Name, string Action)>> begin, CancellationToken ct)
    {
        Refuse.If(content.Length > options.MaxBytes, "document.too_large", $"The file has {content.Length} bytes; a document has at most {options.MaxBytes}.");
        var kind = await ContentKind.ReadAsync(content, ct);
        var hash = await SHA256.HashDataAsync(content, ct);
        content.Position = 0;
        var bytes = content.Length;
        var at = clock.GetUtcNow();
        var key = $"documents/{at.UtcDateTime:yyyy-MM}/{Guid.CreateVersion7(at):N}";
        // noted before it is stored and crossed out with its row: what a crash leaves between the two is found by SweepDocuments
        await db.Database.ExecuteSqlAsync($"insert into camino.document_puts (object_key, at) values ({key}, {at})", ct);
        var isKept = false;
        try
        {
            await store.PutAsync(key, content, bytes, ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (await db.ClaimAsync(by, $"{what} {Convert.ToHexString(hash)}", at, ct) is { } before)
            {
                await store.DeleteAsync(key, CancellationToken.None);
                await db.Database.ExecuteSqlAsync($"delete from camino.document_puts where object_key = {key}", ct);
                await transaction.CommitAsync(ct);
                isKept = true;
                return DocumentAnswer.Repeated(before);
            }

            var (id, number, subject, subjectId, name, action) = await begin(kind, at);
            var scan = options.Scanner is null ? ScanState.NotScanned : ScanState.Waiting;
            var versionId = Guid.CreateVersion7(at);
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into camino.document_versions (id, document_id, number, file_name, media_type, bytes, sha256, object_key, scan, added_at, added_by)
                values ({versionId}, {id}, {number}, {name}, {kind.MediaType}, {bytes}, {hash}, {key}, {(short)scan}, {at}, {by.UserId})
                """, ct);
            await db.Database.ExecuteSqlAsync($"delete from camino.document_puts where object_key = {key}", ct);
            if (subject == SubjectKind.Application && options.ReadKinds.Count > 0 && ReadingTable.MediaTypes.Contains(kind.MediaType))
                await db.AskReadingAsync(id, versionId, options.ReadKinds, by.UserId, at, ct);
            if (scan == ScanState.Waiting)
                db.Enqueue(new ScanDocument(versionId), new JobOptions { RequestedBy = by.UserId.ToString() });
            // the names of files and documents may name people, and the audit trail may not
            db.AuditEntries.Add(new AuditEntry(at, by.UserId, action, TaskWords.Word(subject), subjectId.ToString(), JsonSerializer.Serialize(new { documentId = id, number, bytes, sha256 = Convert.ToHexStringLower(hash) }, JsonSerializerOptions.Web)));
            await db.SaveChangesAsync(ct);
            var answer = new DocumentAnswer(id, number);
            await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
            isKept = true; // whether a commit whose answer was lost took place, only the database knows: the file stays until the sweep can ask
            await transaction.CommitAsync(ct);
            return answer;
        }
        finally
        {
            if (!isKept)
                await store.DeleteAsync(key, CancellationToken.None);
        }
    }
}

/// <summary>Changes what is said about a document, and takes documents away.</summary>
public sealed class ChangeDocument(CaminoDb db, TimeProvider clock)
{
    /// <summary>Title, kind and day of expiry, all three as given.</summary>
    /// <exception cref="RefusedException"><c>document.not_found</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public Task<DocumentAnswer> ChangeAsync(Guid id, DocumentInput input, AskedBy by, CancellationToken ct) => ActAsync(id, by, $"document.change {id} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", "document.changed", async _ =>
    {
        var (title, kind, expiresOn) = (TaskWords.Title(input.Title), DocumentWords.Kind(input.Kind), DocumentWords.ExpiresOn(input.ExpiresOn));
        await db.Database.ExecuteSqlAsync($"update camino.documents set title = {title}, kind = {(short)kind}, expires_on = {expiresOn} where id = {id}", ct);
        return new { documentId = id, kind = Words.Camel(kind), expiresOn };
    }, ct);

    /// <summary>Takes it off the pages. Its versions stay in the store for who must prove something later.</summary>
    /// <exception cref="RefusedException"><c>document.not_found</c>, <c>input.reason</c>, <c>idempotency.*</c>.</exception>
    public Task<DocumentAnswer> RemoveAsync(Guid id, string? reason, AskedBy by, CancellationToken ct) => ActAsync(id, by, $"document.remove {id} {reason}", "document.removed", async at =>
    {
        var why = InputText.Text("reason", reason is null ? null : Imports.StorableText.Of(reason), 500);
        await db.Database.ExecuteSqlAsync($"update camino.documents set removed_at = {at}, removed_by = {by.UserId}, removed_why = {why} where id = {id}", ct);
        return new { documentId = id };
    }, ct);

    private async Task<DocumentAnswer> ActAsync(Guid id, AskedBy by, string what, string action, Func<DateTimeOffset, Task<object>> act, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, what, at, ct) is { } before)
            return DocumentAnswer.Repeated(before);
        var document = await db.LockDocumentAsync(id, ct);
        var details = await act(at);
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, action, TaskWords.Word((SubjectKind)document.Subject), document.SubjectId.ToString(), JsonSerializer.Serialize(details, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        var answer = new DocumentAnswer(id, await db.Database.SqlQuery<int>($"select coalesce(max(number), 0) as \"Value\" from camino.document_versions where document_id = {id}").SingleAsync(ct));
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }
}

/// <summary>The statements that acts on documents share.</summary>
internal static class DocumentTable
{
    internal sealed record Stored(short Subject, Guid SubjectId);

    /// <exception cref="RefusedException"><c>document.not_found</c>, <c>document.made</c>: a contract or letter that Camino made.</exception>
    public static async Task<Stored> LockDocumentAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Stored>($"select subject as \"Subject\", subject_id as \"SubjectId\" from camino.documents where id = {id} and removed_at is null for update").ToListAsync(ct);
        Refuse.If(found.Count == 0, "document.not_found", $"There is no document {id}.");
        var made = await db.Database.SqlQuery<bool>($"select exists (select from camino.application_papers where document_id = {id}) as \"Value\"").SingleAsync(ct);
        Refuse.If(made, "document.made", "Camino made this document itself; it stays as it is.");
        return found[0];
    }
}
