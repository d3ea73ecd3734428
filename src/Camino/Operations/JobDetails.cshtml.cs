using Camino.Jobs;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>One job's whole life: who asked, where it stands, what it was asked, what went wrong, who did what about it, what came out.</summary>
[Authorize(Permissions.JobsRead)]
public sealed class JobDetailsPage(ListJobs list, IStringLocalizer<Texts> texts, TimeProvider clock) : PageModel
{
    private JobDetail? _job;

    public JobDetail Job => _job ?? throw new InvalidOperationException("The job was not read.");

    /// <summary>Who asked or acted, by user id.</summary>
    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What people did to it, oldest first.</summary>
    public IReadOnlyList<JobStoryLine> Story { get; private set; } = [];

    /// <summary>Jobs that it has to do with, each with what it is to it.</summary>
    public IReadOnlyList<(string Role, JobLine Job)> Related { get; private set; } = [];

    /// <summary>When the page was made.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>The reader may act on this job.</summary>
    public bool MayAct => User.May(Permissions.JobsAll) || User.May(Permissions.JobsAct) && Job.RequestedBy == User.Id().ToString();

    /// <summary>What its state allows.</summary>
    public IReadOnlyList<string> Acts => Job switch
    {
        { State: JobState.Failed, AcknowledgedAt: null } => ["retry", "acknowledge"],
        { State: JobState.Failed or JobState.Cancelled } => ["retry"],
        { State: JobState.Scheduled } => ["run-now", "change-due", "cancel"],
        { State: JobState.Waiting or JobState.Held } => ["change-due", "cancel"],
        { State: JobState.Running, Cancellation: null } => ["cancel"],
        _ => [],
    };

    public async Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct)
    {
        _job = await list.OneAsync(id, ct);
        if (_job is null)
            return NotFound();
        Story = await list.StoryAsync(id, ct);
        Related = await list.RelatedAsync(_job, ct);
        Names = await list.NamesAsync([_job.RequestedBy, _job.Cancellation?.By, _job.AcknowledgedBy, .. Story.Select(line => line.UserId)], ct);
        Now = clock.GetUtcNow();
        return Page();
    }

    /// <summary>The name behind a user id; the system where there is none.</summary>
    public string NameOf(string? userId) => userId is null ? texts["Jobs.System"] : Names.GetValueOrDefault(userId, userId);
}
