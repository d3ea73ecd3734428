using Camino.Applications.Messages;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Documents;

/// <summary>Asks an applicant for documents: which ones, and the link to send, shown once; and what was asked for before.</summary>
[Authorize(Permissions.DocumentsWrite)]
public sealed class AskPage(AskApplicant ask, NameSubject name, WriteApplicant write, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public Guid Id { get; private set; }

    /// <summary>The applicant.</summary>
    public string Name { get; private set; } = "";

    public DocumentRequestInput Input { get; private set; } = new();

    /// <summary>The link, shown once.</summary>
    public string? Link { get; private set; }

    /// <summary>The link is on its way to the applicant.</summary>
    public bool Sent { get; private set; }

    /// <summary>The day on which the link ends.</summary>
    public DateOnly Until { get; private set; }

    public IReadOnlyList<DocumentRequestLine> Requests { get; private set; } = [];

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => LookAsync(id, ct);

    [Needs(Permissions.DocumentsWrite)]
    public Task<IActionResult> OnPostAsync(Guid id, DocumentRequestInput input, MessageChannel? send, CancellationToken ct)
    {
        Input = input;
        return DoAsync(id, async () =>
        {
            var made = await ask.RunAsync(id, input, User.Id(), ct);
            if (send is { } channel)
            {
                Until = DateOnly.FromDateTime(made.ExpiresAt.UtcDateTime);
                Sent = true;
                await write.RunAsync(id, new MessageInput(MessageKind.Documents, channel, 1, AddressOf(made), Until), new AskedBy(User.Id(), made.RequestId.ToString("N")), ct);
                return;
            }

            (Link, Until) = (AddressOf(made), DateOnly.FromDateTime(made.ExpiresAt.UtcDateTime));
            Response.Headers.CacheControl = "no-store";
        }, ct);
    }

    [Needs(Permissions.DocumentsWrite)]
    public Task<IActionResult> OnPostEndAsync(Guid id, Guid requestId, CancellationToken ct) => DoAsync(id, () => ask.EndAsync(id, requestId, User.Id(), ct), ct);

    private string AddressOf(DocumentRequestMade made) => $"{Request.Scheme}://{Request.Host}/upload?token={made.Token}&lang={made.Language}";

    private async Task<IActionResult> LookAsync(Guid id, CancellationToken ct)
    {
        if (!User.MayRead(SubjectKind.Application))
            return Forbid();
        if (await name.RunAsync(SubjectKind.Application, id, ct) is not { } found)
            return NotFound();
        (Id, Name) = (id, found);
        Requests = await ask.ListAsync(id, ct);
        return Page();
    }

    private async Task<IActionResult> DoAsync(Guid id, Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Sent) = (texts.Refused(refused), false);
        }

        return await LookAsync(id, ct);
    }
}
