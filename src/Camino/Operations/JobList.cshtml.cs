using System.Globalization;
using Camino.Jobs;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>Every job, newest first, searched and filtered; some or all of them can be chosen to be acted on.</summary>
[Authorize(Permissions.JobsRead)]
public sealed class JobListPage(ListJobs list, JobRegistry registry, IStringLocalizer<Texts> texts, TimeProvider clock) : PageModel
{
    public JobFilter Filter { get; private set; } = new();

    public Guid? After { get; private set; }

    public JobPage Jobs { get; private set; } = new([], null);

    public IReadOnlyList<string> Queues { get; private set; } = [];

    /// <summary>The kinds that this release knows.</summary>
    public IReadOnlyList<string> Kinds { get; } = [.. registry.Kinds.Select(kind => kind.Name).Order(StringComparer.Ordinal)];

    /// <summary>Who asked, by user id.</summary>
    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>When the page was made; ages count up to it.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>How many jobs the act did something to that led back here; null when none did.</summary>
    public long? Did { get; private set; }

    /// <summary>How many it could do nothing to.</summary>
    public long NotDid { get; private set; }

    /// <summary>The reader may act on all that match.</summary>
    public bool MayActOnAll => User.May(Permissions.JobsAll);

    public async Task<IActionResult> OnGetAsync(Guid? after, string? did, string? refused, CancellationToken ct)
    {
        if (Guid.TryParse(Request.Query["q"].FirstOrDefault(), out var id))
            return LocalRedirect($"/jobs/{id}");

        Filter = JobQuery.Read(Request.Query);
        After = after;
        Did = long.TryParse(did, NumberStyles.None, CultureInfo.InvariantCulture, out var done) ? done : null;
        NotDid = long.TryParse(refused, NumberStyles.None, CultureInfo.InvariantCulture, out var not) ? not : 0;
        Queues = [.. (await list.QueuesAsync(ct)).Select(figures => figures.Queue)];
        Jobs = await list.RunAsync(Filter, after, ct);
        Names = await list.NamesAsync(Jobs.Jobs.Select(job => job.RequestedBy).Append(Filter.RequestedBy), ct);
        Now = clock.GetUtcNow();
        return Page();
    }

    /// <summary>The name behind a user id; the system where there is none.</summary>
    public string NameOf(string? userId) => userId is null ? texts["Jobs.System"] : Names.GetValueOrDefault(userId, userId);
}
