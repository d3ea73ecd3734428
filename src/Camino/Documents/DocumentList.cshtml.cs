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

/// <summary>All documents about one borrower, application or loan, the newest first, and a new one: chosen, dropped on the field, or taken with a phone's camera.</summary>
[Authorize(Permissions.DocumentsRead)]
public sealed class DocumentListPage(ShowDocuments show, KeepDocument keep, NameSubject name, DocumentOptions options, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>What browsers offer to choose; phones offer the camera for pictures. The server looks at the content.</summary>
    public const string Accepted = ".pdf,.png,.jpg,.jpeg,.webp,.heic,.tif,.tiff,.docx,.xlsx,.txt,image/*";

    public SubjectKind Kind { get; private set; }

    /// <summary>Of what the documents are about.</summary>
    public Guid Id { get; private set; }

    /// <summary>How people call what the documents are about.</summary>
    public string Name { get; private set; } = "";

    public IReadOnlyList<DocumentLine> Lines { get; private set; } = [];

    public Guid? After { get; private set; }

    /// <summary>Where the next page begins; null on the last.</summary>
    public Guid? Next { get; private set; }

    public DocumentInput Input { get; private set; } = new();

    public long MaxBytes => options.MaxBytes;

    public string? Problem { get; private set; }

    /// <summary>Made with the form: pressed twice, one document is kept.</summary>
    public string Key { get; private set; } = Guid.CreateVersion7().ToString("N");

    public Task<IActionResult> OnGetAsync(string subject, Guid id, Guid? after, CancellationToken ct) => LookAsync(subject, id, after, ct);

    [Needs(Permissions.DocumentsWrite)]
    public async Task<IActionResult> OnPostAsync(string subject, Guid id, DocumentInput input, IFormFile? file, string? key, CancellationToken ct)
    {
        if (TaskWords.Kind(subject) is not { } kind)
            return NotFound();
        if (!User.MayRead(kind))
            return Forbid();
        try
        {
            Refuse.If(file is null, "document.no_file", "No file was sent; the form needs a part named file.");
            await using var content = file.OpenReadStream();
            var answer = await keep.AddAsync(kind, id, input, content, file.FileName, new AskedBy(User.Id(), key ?? Key), ct);
            return Redirect($"/documents/{answer.DocumentId}");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Input) = (texts.Refused(refused), input);
            return await LookAsync(subject, id, null, ct);
        }
    }

    /// <summary>The kind of that name; <see cref="DocumentKind.Other"/> where there is none.</summary>
    public static DocumentKind KindOf(string? name) => Enum.GetValues<DocumentKind>().FirstOrDefault(kind => Words.Camel(kind) == name);

    private async Task<IActionResult> LookAsync(string subject, Guid id, Guid? after, CancellationToken ct)
    {
        if (TaskWords.Kind(subject) is not { } kind)
            return NotFound();
        if (!User.MayRead(kind))
            return Forbid();
        if (await name.RunAsync(kind, id, ct) is not { } found)
            return NotFound();
        (Kind, Id, Name, After) = (kind, id, found, after);
        var lines = await show.RunAsync(kind, id, after, ct);
        Lines = [.. lines.Take(ShowDocuments.PageSize)];
        Next = lines.Count > Lines.Count ? Lines[^1].Id : null;
        return Page();
    }
}
