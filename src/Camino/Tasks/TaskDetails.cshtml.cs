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

/// <summary>One task: what is to be done, what happened to it, and what can be done with it.</summary>
[Authorize(Permissions.TasksRead)]
public sealed class TaskDetailsPage(ShowTask show, WorkOnTask work, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>Tells the fields of the task that follows from those of this one.</summary>
    internal const string NextPrefix = "next-";

    private TaskView? _view;
    private (string Form, string? Text) _kept;

    public TaskView View => _view ?? throw new InvalidOperationException("The task was not read.");

    public IReadOnlyList<Colleague> Colleagues { get; private set; } = [];

    /// <summary>The task that follows, as far as it was typed.</summary>
    public TaskInput FollowUp { get; private set; } = new();

    public string? Problem { get; private set; }

    /// <summary>Made with the page's forms: pressed twice, one is carried out.</summary>
    public string Key { get; } = Guid.CreateVersion7().ToString("N");

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => LookAsync(id, ct);

    [Needs(Permissions.TasksWork)]
    public Task<IActionResult> OnPostAssignAsync(Guid id, string? assignee, string? key, int? version, CancellationToken ct) => DoAsync(id, "Assign", null, () => work.AssignAsync(id, assignee, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.TasksWork)]
    public Task<IActionResult> OnPostDueAsync(Guid id, string? dueOn, string? key, int? version, CancellationToken ct) => DoAsync(id, "Due", null, () => work.DueAsync(id, dueOn, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.TasksWork)]
    public Task<IActionResult> OnPostCommentAsync(Guid id, string? text, string? key, CancellationToken ct) => DoAsync(id, "Comment", text, () => work.CommentAsync(id, text, By(key, null), ct), ct);

    /// <param name="next">The task that follows; one without a title is none.</param>
    [Needs(Permissions.TasksWork)]
    public Task<IActionResult> OnPostDoneAsync(Guid id, string? outcome, TaskInput next, string? key, int? version, CancellationToken ct)
    {
        FollowUp = next;
        return DoAsync(id, "Done", outcome, () => work.DoneAsync(id, outcome, string.IsNullOrWhiteSpace(next.Title) ? null : next, By(key, version ?? 0), ct), ct);
    }

    [Needs(Permissions.TasksWork)]
    public Task<IActionResult> OnPostCancelAsync(Guid id, string? reason, string? key, int? version, CancellationToken ct) => DoAsync(id, "Cancel", reason, () => work.CancelAsync(id, reason, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.TasksWork)]
    public Task<IActionResult> OnPostReopenAsync(Guid id, string? reason, string? key, int? version, CancellationToken ct) => DoAsync(id, "Reopen", reason, () => work.ReopenAsync(id, reason, By(key, version ?? 0), ct), ct);

    /// <summary>What was typed into a form that was refused.</summary>
    public string? Kept(string form) => _kept.Form == form ? _kept.Text : null;

    /// <summary>What happened, in the reader's language.</summary>
    public string What(TaskEntryLine entry) => entry.Act switch
    {
        TaskAct.Assigned or TaskAct.Added when entry.AssigneeName is { } name => texts["TaskAct." + entry.Act + ".To", name],
        TaskAct.Due when entry.DueOn is { } day => texts["TaskAct.Due.On", Show.Date(day)],
        _ => texts["TaskAct." + entry.Act],
    };

    private AskedBy By(string? key, int? version) => new(User.Id(), key ?? Guid.CreateVersion7().ToString("N"), version);

    private async Task<IActionResult> LookAsync(Guid id, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        if (_view is null)
            return NotFound();
        if (User.May(Permissions.TasksWork))
            Colleagues = await show.ColleaguesAsync(ct);
        return Page();
    }

    private async Task<IActionResult> DoAsync(Guid id, string form, string? text, Func<Task<TaskAnswer>> act, CancellationToken ct)
    {
        try
        {
            var answer = await act();
            return Redirect($"/tasks/{answer.FollowUp ?? id}");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, _kept) = (texts.Refused(refused), (form, text));
            return await LookAsync(id, ct);
        }
    }
}
