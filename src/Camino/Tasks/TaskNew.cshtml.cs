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

/// <summary>A new task; for the reader where nobody else is chosen.</summary>
[Authorize(Permissions.TasksWork)]
public sealed class TaskNewPage(AddTask add, ShowTask show, NameSubject name, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public TaskInput Input { get; private set; } = new();

    /// <summary>What it is about; null for nothing in particular.</summary>
    public (SubjectKind Kind, Guid Id, string Name)? About { get; private set; }

    public IReadOnlyList<Colleague> Colleagues { get; private set; } = [];

    /// <summary>Made with the form: pressed twice, one task is made.</summary>
    public string Key { get; private set; } = Guid.CreateVersion7().ToString("N");

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(string? subject, string? subjectId, CancellationToken ct) =>
        LookAsync(new TaskInput { Subject = subject, SubjectId = subjectId, Assignee = User.Id().ToString() }, ct);

    [Needs(Permissions.TasksWork)]
    public async Task<IActionResult> OnPostAsync(TaskInput input, string? key, CancellationToken ct)
    {
        try
        {
            var answer = await add.RunAsync(input, new AskedBy(User.Id(), key ?? Key), ct);
            return Redirect($"/tasks/{answer.TaskId}");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Key) = (texts.Refused(refused), key ?? Key);
            return await LookAsync(input, ct);
        }
    }

    private async Task<IActionResult> LookAsync(TaskInput input, CancellationToken ct)
    {
        Input = input;
        if (TaskWords.Kind(input.Subject) is { } kind && Guid.TryParse(input.SubjectId, out var id) && User.MayRead(kind) && await name.RunAsync(kind, id, ct) is { } found)
            About = (kind, id, found);
        Colleagues = await show.ColleaguesAsync(ct);
        return Page();
    }
}
