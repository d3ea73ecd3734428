using Camino.Jobs;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Operations;

/// <summary>Failed jobs that nobody has dealt with, grouped by what went wrong.</summary>
[Authorize(Permissions.JobsRead)]
public sealed class JobErrorsPage(JobStore jobs) : PageModel
{
    public IReadOnlyList<JobCause> Causes { get; private set; } = [];

    public async Task OnGetAsync(CancellationToken ct) => Causes = await jobs.CausesAsync(ct);

    /// <summary>The jobs of one group.</summary>
    public static JobFilter FilterOf(JobCause cause) => new(JobState.Failed, Queue: null, cause.Kind) { Cause = cause.Cause, Unacknowledged = true };
}
