using Camino.Jobs;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Operations;

/// <summary>The queues as they stand, and every job, newest first.</summary>
public sealed class JobListPage(ListJobs list, TimeProvider clock) : PageModel
{
    public JobState? State { get; private set; }

    public string? Queue { get; private set; }

    public Guid? After { get; private set; }

    public JobPage Jobs { get; private set; } = new([], null);

    public IReadOnlyList<QueueFigures> Queues { get; private set; } = [];

    /// <summary>Who asked, by user id.</summary>
    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>When the page was made; ages count up to it.</summary>
    public DateTimeOffset Now { get; private set; }

    public async Task OnGetAsync(string? state, string? queue, Guid? after, CancellationToken ct)
    {
        State = Enum.TryParse<JobState>(state, ignoreCase: true, out var known) && Enum.IsDefined(known) ? known : null;
        Queues = await list.QueuesAsync(ct);
        Queue = Queues.FirstOrDefault(figures => figures.Queue == queue)?.Queue;
        After = after;
        Jobs = await list.RunAsync(new JobFilter(State, Queue), after, ct);
        Names = await list.NamesAsync(Jobs.Jobs.Select(job => job.RequestedBy), ct);
        Now = clock.GetUtcNow();
    }

    /// <summary>The address of this list with another start.</summary>
    public string Address(Guid? after)
    {
        var parts = new[] { State is { } state ? "state=" + state.ToString().ToLowerInvariant() : null, Queue is { } queue ? "queue=" + Uri.EscapeDataString(queue) : null, after is { } id ? "after=" + id : null };
        var query = string.Join('&', parts.Where(part => part is not null));
        return query.Length == 0 ? "/jobs" : "/jobs?" + query;
    }
}
