using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Notices;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>Has a malware scanner look at a version of a document; who handed it in is told what it found.</summary>
public sealed record ScanDocument(Guid VersionId) : IJobArgs
{
    public static string Kind => "documents.scan"; // stored in rows: never rename, never reuse

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(5);

    public static JobRetry Retry => new(20, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10));

    private sealed record Stored(string ObjectKey, short Scan, Guid DocumentId, Guid AddedBy, short Subject, Guid SubjectId, string Title);

    /// <remarks>Safe to run twice: a version that was looked at is left alone; what was found and the end of the job are one transaction.</remarks>
    public sealed class Handler(CaminoDb db, IObjectStore store, DocumentOptions options, TimeProvider clock) : IJobHandler<ScanDocument>
    {
        public async Task RunAsync(ScanDocument args, JobContext job, CancellationToken ct)
        {
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select v.object_key as "ObjectKey", v.scan as "Scan", v.document_id as "DocumentId", v.added_by as "AddedBy", d.subject as "Subject", d.subject_id as "SubjectId", d.title as "Title"
                from camino.document_versions v join camino.documents d on d.id = v.document_id where v.id = {args.VersionId}
                """).ToListAsync(ct);
            if (found.Count == 0 || (ScanState)found[0].Scan != ScanState.Waiting)
                return;
            var version = found[0];
            var (host, port) = options.Scanner ?? throw new JobAbandonedException("No malware scanner is named (Documents:Scanner), and this document waits for one.");
            await using var content = await store.OpenAsync(version.ObjectKey, ct) ?? throw new JobAbandonedException("The file of the document is not in the store.");
            var signature = await Scanner.FindAsync(host, port, content, ct);

            var at = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"update camino.document_versions set scan = {(short)(signature is null ? ScanState.Clean : ScanState.Infected)}, scanned_at = {at}, scan_found = {signature} where id = {args.VersionId}", ct);
            if (signature is not null)
            {
                db.AuditEntries.Add(new AuditEntry(at, null, "document.infected", TaskWords.Word((SubjectKind)version.Subject), version.SubjectId.ToString(), JsonSerializer.Serialize(new { documentId = version.DocumentId, found = signature }, JsonSerializerOptions.Web)));
                if (await db.Users.AnyAsync(user => user.Id == version.AddedBy, ct))
                    db.Notices.Add(new Notice(version.AddedBy, "Notice.DocumentInfected", [version.Title], $"/documents/{version.DocumentId}", at));
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, new { infected = signature is not null }, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Speaks with clamd, the daemon of ClamAV: a stream in pieces, one line back (clamd(8), INSTREAM).</summary>
internal static class Scanner
{
    private const int PieceBytes = 64 * 1024;
    private const int LongestSignature = 200;

    /// <summary>The name of what was found; null for nothing.</summary>
    /// <exception cref="IOException">The scanner does not answer, or not as it should: the job tries again.</exception>
    public static async Task<string?> FindAsync(string host, int port, Stream content, CancellationToken ct)
    {
        string answer;
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(host, port, ct);
            await using var line = client.GetStream();
            await line.WriteAsync("zINSTREAM\0"u8.ToArray(), ct);
            var piece = new byte[4 + PieceBytes];
            int read;
            while ((read = await content.ReadAsync(piece.AsMemory(4), ct)) > 0)
            {
                BinaryPrimitives.WriteInt32BigEndian(piece, read);
                await line.WriteAsync(piece.AsMemory(0, 4 + read), ct);
            }

            await line.WriteAsync(new byte[4], ct);
            var said = new byte[1_024];
            var length = await line.ReadAtLeastAsync(said, said.Length, throwOnEndOfStream: false, ct);
            answer = Encoding.UTF8.GetString(said, 0, length).TrimEnd('\0', '\n', ' ');
        }
        catch (SocketException wrong)
        {
            throw new IOException("The malware scanner cannot be reached.", wrong);
        }

        const string Begin = "stream: ";
        if (answer == Begin + "OK")
            return null;
        if (answer.StartsWith(Begin, StringComparison.Ordinal) && answer.EndsWith(" FOUND", StringComparison.Ordinal))
            return Imports.Shown.Cut(answer[Begin.Length..^" FOUND".Length], LongestSignature);
        throw new IOException("The malware scanner did not say whether it found something.");
    }
}
