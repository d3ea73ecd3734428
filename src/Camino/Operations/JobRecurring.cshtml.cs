using Camino.Jobs;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>The recurring jobs: when each runs next, how the last one went, and whether it is on.</summary>
[Authorize(Permissions.JobsRead)]
public sealed class JobRecurringPage(JobStore jobs, ListJobs list, IStringLocalizer<Texts> texts) : PageModel
{
    public IReadOnlyList<JobScheduleLine> Entries { get; private set; } = [];

    /// <summary>The reader may run, disable and enable.</summary>
    public bool MayAct => User.May(Permissions.JobsAll);

    private IReadOnlyDictionary<string, string> Names { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public async Task OnGetAsync(CancellationToken ct)
    {
        Entries = await jobs.RecurringAsync(ct);
        Names = await list.NamesAsync(Entries.Select(entry => entry.DisabledBy).OfType<string>().Where(by => Guid.TryParse(by, out _)), ct);
    }

    /// <summary>The name behind a user id; entries that the configuration disables say so.</summary>
    public string NameOf(string userId) => userId == "configuration" ? texts["Recurring.ByConfiguration"].Value : Names.GetValueOrDefault(userId, userId);
}
