using System.Security.Claims;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Tasks;

/// <summary>All notes about one borrower, application or loan, the newest first, and a new one.</summary>
[Authorize(Permissions.NotesRead)]
public sealed class NoteListPage(ListNotes list, AddNote add, RemoveNote remove, ShowTask people, NameSubject name, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public SubjectKind Kind { get; private set; }

    /// <summary>Of what the notes are about.</summary>
    public Guid Id { get; private set; }

    /// <summary>How people call what the notes are about.</summary>
    public string Name { get; private set; } = "";

    public IReadOnlyList<NoteLine> Notes { get; private set; } = [];

    /// <summary>Where the next page begins; null on the last.</summary>
    public Guid? Next { get; private set; }

    /// <summary>Who can be mentioned.</summary>
    public IReadOnlyList<Colleague> Colleagues { get; private set; } = [];

    /// <summary>What was written and is not stored.</summary>
    public string? Text { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>Made with the form: pressed twice, one note is written.</summary>
    public string Key { get; private set; } = Guid.CreateVersion7().ToString("N");

    public Task<IActionResult> OnGetAsync(string subject, Guid id, Guid? after, CancellationToken ct) => LookAsync(subject, id, after, ct);

    [Needs(Permissions.NotesWrite)]
    public async Task<IActionResult> OnPostAsync(string subject, Guid id, string? text, string? key, CancellationToken ct)
    {
        if (TaskWords.Kind(subject) is not { } kind)
            return NotFound();
        if (!User.MayRead(kind))
            return Forbid();
        try
        {
            await add.RunAsync(kind, id, text, new AskedBy(User.Id(), key ?? Key), ct);
            return Redirect(TaskWords.Page(kind, id) + "#follow-up");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Text) = (texts.Refused(refused), text);
            return await LookAsync(subject, id, null, ct);
        }
    }

    /// <summary>Takes a note off that the reader wrote.</summary>
    [Needs(Permissions.NotesWrite)]
    public async Task<IActionResult> OnPostRemoveAsync(string subject, Guid id, Guid noteId, CancellationToken ct)
    {
        if (TaskWords.Kind(subject) is not { } kind)
            return NotFound();
        try
        {
            await remove.RunAsync(noteId, new AskedBy(User.Id(), $"note-remove-{noteId:N}"), ct);
            return Redirect(TaskWords.Page(kind, id) + "#follow-up");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return await LookAsync(subject, id, null, ct);
        }
    }

    private async Task<IActionResult> LookAsync(string subject, Guid id, Guid? after, CancellationToken ct)
    {
        if (TaskWords.Kind(subject) is not { } kind)
            return NotFound();
        if (!User.MayRead(kind))
            return Forbid();
        (Kind, Id) = (kind, id);
        if (await name.RunAsync(kind, id, ct) is not { } found)
            return NotFound();
        Name = found;
        var notes = await list.RunAsync(kind, id, after, ct);
        Notes = [.. notes.Take(ListNotes.PageSize)];
        Next = notes.Count > Notes.Count ? Notes[^1].Id : null;
        if (User.May(Permissions.NotesWrite))
            Colleagues = await people.ColleaguesAsync(ct);
        return Page();
    }
}

/// <summary>Which of the things that notes are about somebody may read.</summary>
internal static class SubjectRights
{
    public static bool MayRead(this ClaimsPrincipal user, SubjectKind kind) => user.May(kind switch
    {
        SubjectKind.Borrower => Permissions.BorrowersRead,
        SubjectKind.Application => Permissions.ApplicationsRead,
        _ => Permissions.BookRead,
    });
}
