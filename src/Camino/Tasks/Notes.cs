using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Notices;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Camino.Tasks;

/// <summary>What became of a note.</summary>
public sealed record NoteAnswer(Guid NoteId)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    internal static NoteAnswer Repeated(string answer) =>
        (JsonSerializer.Deserialize<NoteAnswer>(answer, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };
}

/// <summary>Writes a note about a borrower, an application or a loan; who is mentioned in it is told.</summary>
public sealed class AddNote(CaminoDb db, TimeProvider clock)
{
    /// <param name="text">1 to 4,000 characters.</param>
    /// <exception cref="RefusedException"><c>input.text</c>, <c>note.mention</c>, <c>*.not_found</c>, <c>idempotency.*</c>.</exception>
    public async Task<NoteAnswer> RunAsync(SubjectKind kind, Guid subjectId, string? text, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"note.add {kind} {subjectId} {text}", at, ct) is { } before)
            return NoteAnswer.Repeated(before);
        var said = TaskWords.Text("text", text);
        await db.CheckSubjectAsync((kind, subjectId), ct);
        var mentioned = await db.MentionedAsync(said, ct);
        var id = Guid.CreateVersion7(at);
        await db.Database.ExecuteSqlAsync($"insert into camino.notes (id, subject, subject_id, text, at, by, mentions) values ({id}, {(short)kind}, {subjectId}, {said}, {at}, {by.UserId}, {mentioned.ToArray()})", ct);
        foreach (var who in mentioned.Where(one => one != by.UserId))
            db.Notices.Add(new Notice(who, "Notice.Mentioned." + kind, [await db.NameOfAsync(by.UserId, ct)], $"/notes/{TaskWords.Word(kind)}/{subjectId}#note-{id}", at));
        // what was written stays with the note: it may name people, and the audit trail may not
        return await db.AnswerNoteAsync(transaction, id, by, "note.added", kind, subjectId, at, new { noteId = id, mentions = mentioned }, ct);
    }
}

/// <summary>Takes a note off the pages: by who wrote it. It stays stored, and that it was taken off is in the audit trail.</summary>
public sealed class RemoveNote(CaminoDb db, TimeProvider clock)
{
    private sealed record Stored(short Subject, Guid SubjectId, Guid By, bool IsRemoved);

    /// <exception cref="RefusedException"><c>note.not_found</c>, <c>note.own</c>, <c>idempotency.*</c>.</exception>
    public async Task<NoteAnswer> RunAsync(Guid id, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"note.remove {id}", at, ct) is { } before)
            return NoteAnswer.Repeated(before);
        var found = await db.Database.SqlQuery<Stored>($"select subject as \"Subject\", subject_id as \"SubjectId\", by as \"By\", removed_at is not null as \"IsRemoved\" from camino.notes where id = {id} for update").ToListAsync(ct);
        Refuse.If(found.Count == 0 || found[0].IsRemoved, "note.not_found", $"There is no note {id}.");
        Refuse.If(found[0].By != by.UserId, "note.own", "Only who wrote a note takes it off.");
        await db.Database.ExecuteSqlAsync($"update camino.notes set removed_at = {at}, removed_by = {by.UserId} where id = {id}", ct);
        return await db.AnswerNoteAsync(transaction, id, by, "note.removed", (SubjectKind)found[0].Subject, found[0].SubjectId, at, new { noteId = id }, ct);
    }
}

/// <summary>The statements that acts on notes share.</summary>
internal static class NoteTable
{
    /// <summary>How a user or a program is called.</summary>
    public static async Task<string> NameOfAsync(this CaminoDb db, Guid id, CancellationToken ct) =>
        (await db.Database.SqlQuery<string>($"select coalesce((select u.display_name from camino.staff_users u where u.id = {id}), (select c.name from camino.api_clients c where c.id = {id}), '') as \"Value\"").ToListAsync(ct))[0];

    public static async Task<NoteAnswer> AnswerNoteAsync(this CaminoDb db, IDbContextTransaction transaction, Guid id, AskedBy by, string action, SubjectKind kind, Guid subjectId, DateTimeOffset at, object details, CancellationToken ct)
    {
        var answer = new NoteAnswer(id);
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, action, TaskWords.Word(kind), subjectId.ToString(), JsonSerializer.Serialize(details, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }
}
