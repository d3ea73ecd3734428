using Camino.Data;
using Camino.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Camino.Operations;

/// <summary>Reads jobs and queues for pages, with the names of those who asked.</summary>
public sealed class ListJobs(JobStore jobs, CaminoDb db)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <summary>One page of jobs, newest first.</summary>
    public Task<JobPage> RunAsync(JobFilter filter, Guid? after, CancellationToken ct) => jobs.ListAsync(filter, after, PageSize, ct);

    /// <summary>One job with its attempts, or null.</summary>
    public Task<JobDetail?> OneAsync(Guid id, CancellationToken ct) => jobs.GetAsync(id, ct);

    /// <summary>How every queue stands now.</summary>
    public Task<IReadOnlyList<QueueFigures>> QueuesAsync(CancellationToken ct) => jobs.QueueFiguresAsync(ct);

    /// <summary>Display names by user id as jobs store it; nothing is asked where nobody is named.</summary>
    public async Task<IReadOnlyDictionary<string, string>> NamesAsync(IEnumerable<string?> userIds, CancellationToken ct)
    {
        var ids = userIds.Select(id => Guid.TryParse(id, out var user) ? user : Guid.Empty).Where(id => id != Guid.Empty).Distinct().ToList();
        if (ids.Count == 0)
            return new Dictionary<string, string>(StringComparer.Ordinal);
        return await db.Users.AsNoTracking().Where(u => ids.Contains(u.Id)).ToDictionaryAsync(u => u.Id.ToString(), u => u.DisplayName, StringComparer.OrdinalIgnoreCase, ct);
    }
}
