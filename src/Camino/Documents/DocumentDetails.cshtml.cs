using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Documents;

/// <summary>One document: its versions, a look at it where it is a picture, and what can be done with it.</summary>
[Authorize(Permissions.DocumentsRead)]
public sealed class DocumentDetailsPage(ShowDocuments show, KeepDocument keep, ChangeDocument change, ReadDocument read, ShowReading reading, NameSubject name, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private DocumentView? _view;

    public DocumentView View => _view ?? throw new InvalidOperationException("The document was not read.");

    /// <summary>How people call what it is about.</summary>
    public string Name { get; private set; } = "";

    /// <summary>What was read out of its newest version; null where nobody asked.</summary>
    public ReadingView? Reading { get; private set; }

    /// <summary>Whether a service can read it: a PDF or picture of an application.</summary>
    public bool CanBeRead => View.Line.Subject == SubjectKind.Application && ReadingTable.MediaTypes.Contains(View.Line.MediaType);

    public DocumentInput Input { get; private set; } = new();

    public string? Problem { get; private set; }

    /// <summary>Made with the page's forms: pressed twice, one is carried out.</summary>
    public string Key { get; } = Guid.CreateVersion7().ToString("N");

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => LookAsync(id, ct);

    [Needs(Permissions.DocumentsWrite)]
    public Task<IActionResult> OnPostVersionAsync(Guid id, IFormFile? file, string? key, CancellationToken ct) => DoAsync(id, async () =>
    {
        Refuse.If(file is null, "document.no_file", "No file was sent; the form needs a part named file.");
        await using var content = file.OpenReadStream();
        await keep.AddVersionAsync(id, content, file.FileName, By(key), ct);
        return $"/documents/{id}";
    }, ct);

    [Needs(Permissions.DocumentsWrite)]
    public Task<IActionResult> OnPostReadAsync(Guid id, string? key, CancellationToken ct) => DoAsync(id, async () =>
    {
        await read.RunAsync(id, By(key), ct);
        return $"/documents/{id}";
    }, ct);

    [Needs(Permissions.DocumentsWrite)]
    public Task<IActionResult> OnPostChangeAsync(Guid id, DocumentInput input, string? key, CancellationToken ct)
    {
        Input = input;
        return DoAsync(id, async () =>
        {
            await change.ChangeAsync(id, input, By(key), ct);
            return $"/documents/{id}";
        }, ct);
    }

    [Needs(Permissions.DocumentsWrite)]
    public Task<IActionResult> OnPostRemoveAsync(Guid id, string? reason, string? key, CancellationToken ct) => DoAsync(id, async () =>
    {
        await change.RemoveAsync(id, reason, By(key), ct);
        return $"/documents/about/{TaskWords.Word(View.Line.Subject)}/{View.Line.SubjectId}";
    }, ct);

    private AskedBy By(string? key) => new(User.Id(), key ?? Guid.CreateVersion7().ToString("N"));

    private async Task<IActionResult> LookAsync(Guid id, CancellationToken ct)
    {
        _view = await show.FindAsync(id, ct);
        if (_view is null)
            return NotFound();
        if (!User.MayRead(_view.Line.Subject))
            return Forbid();
        Reading = CanBeRead ? await reading.RunAsync(id, ct) : null;
        Name = await name.RunAsync(_view.Line.Subject, _view.Line.SubjectId, ct) ?? texts["Tasks.About." + _view.Line.Subject].Value;
        return Page();
    }

    /// <summary>Only on what the person may see at all.</summary>
    private async Task<IActionResult> DoAsync(Guid id, Func<Task<string>> act, CancellationToken ct)
    {
        if (await LookAsync(id, ct) is not PageResult)
            return _view is null ? NotFound() : Forbid();
        try
        {
            return Redirect(await act());
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return await LookAsync(id, ct);
        }
    }
}
