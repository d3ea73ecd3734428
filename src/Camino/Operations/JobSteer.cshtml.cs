using Camino.Jobs;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>Asks why a recurring job shall run, rest or fire again, or a job server take nothing, and does it.</summary>
[Authorize(Permissions.JobsAll)]
public sealed class JobSteerPage(SteerWork steer, JobStore jobs, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>A key of <see cref="SteerWork.OfSchedules"/> or <see cref="SteerWork.OfServers"/>.</summary>
    public string Act { get; private set; } = "";

    /// <summary>Of the recurring job, or the id of the server.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The name as staff know it.</summary>
    public string ShownName { get; private set; } = "";

    public bool IsSchedule => SteerWork.OfSchedules.ContainsKey(Act);

    public string Back => IsSchedule ? "/jobs/recurring" : "/jobs";

    public string? Reason { get; private set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(string? act, string? name, CancellationToken ct) => ShowAsync(act, name, ct);

    [Needs(Permissions.JobsAll)]
    public async Task<IActionResult> OnPostAsync(string? act, string? name, string? reason, CancellationToken ct)
    {
        if (act is null || name is null)
            return NotFound();
        try
        {
            if (SteerWork.OfSchedules.ContainsKey(act))
                return LocalRedirect(await steer.ScheduleAsync(act, name, reason, User.Id(), ct) is { } job ? $"/jobs/{job}" : "/jobs/recurring");
            if (!SteerWork.OfServers.ContainsKey(act) || !Guid.TryParse(name, out var server))
                return NotFound();
            await steer.ServerAsync(act, server, reason, User.Id(), ct);
            return LocalRedirect("/jobs");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
            Reason = reason;
            return await ShowAsync(act, name, ct);
        }
    }

    private async Task<IActionResult> ShowAsync(string? act, string? name, CancellationToken ct)
    {
        Act = act ?? "";
        Name = name ?? "";
        var shown = IsSchedule ? (await jobs.RecurringAsync(ct)).FirstOrDefault(entry => entry.Name == Name) is { } entry ? texts.Or("JobKind." + entry.Kind, entry.Name) : null
            : SteerWork.OfServers.ContainsKey(Act) && Guid.TryParse(Name, out var server) ? (await jobs.ServersAsync(ct)).FirstOrDefault(one => one.Id == server)?.Name
            : null;
        if (shown is null)
            return NotFound();
        ShownName = shown;
        return Page();
    }
}
