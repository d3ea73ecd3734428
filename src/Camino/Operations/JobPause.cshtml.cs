using Camino.Jobs;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>Asks why a queue or a kind shall rest, or work again, and does it.</summary>
[Authorize(Permissions.JobsAll)]
public sealed class JobPausePage(PauseWork pause, JobStore jobs, ListJobs list, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary><c>queue</c> or <c>kind</c>.</summary>
    public string Scope { get; private set; } = "";

    public string Name { get; private set; } = "";

    /// <summary>The name as staff know it.</summary>
    public string ShownName => Scope == "kind" ? texts.Or("JobKind." + Name, Name) : Name;

    /// <summary>The pause that stands, or null while work goes on.</summary>
    public JobPause? Paused { get; private set; }

    /// <summary>Who paused it.</summary>
    public string PausedBy { get; private set; } = "";

    public string? Reason { get; private set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(string? scope, string? name, CancellationToken ct) => ShowAsync(scope, name, ct);

    [Needs(Permissions.JobsAll)]
    public async Task<IActionResult> OnPostAsync(string? scope, string? name, string? reason, bool resume, CancellationToken ct)
    {
        if (scope is not ("queue" or "kind") || name is null)
            return NotFound();
        try
        {
            await (resume ? pause.ResumeAsync(scope, name, reason, User.Id(), ct) : pause.PauseAsync(scope, name, reason, User.Id(), ct));
            return LocalRedirect("/jobs");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
            Reason = reason;
            return await ShowAsync(scope, name, ct);
        }
    }

    private async Task<IActionResult> ShowAsync(string? scope, string? name, CancellationToken ct)
    {
        if (scope is not ("queue" or "kind") || string.IsNullOrEmpty(name))
            return NotFound();
        Scope = scope;
        Name = name;
        Paused = (await jobs.PausedAsync(ct)).FirstOrDefault(one => one.Scope == scope && one.Name == name);
        PausedBy = Paused is null ? "" : (await list.NamesAsync([Paused.PausedBy], ct)).GetValueOrDefault(Paused.PausedBy, Paused.PausedBy);
        return Page();
    }
}
