using System.Text.Json;
using Camino.Data;
using Camino.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Camino.Operations;

/// <summary>Something that a person did to a job.</summary>
/// <param name="Action">As the audit trail names it.</param>
public sealed record JobStoryLine(DateTimeOffset At, string? UserId, string Action, string? Reason);

/// <summary>Reads jobs and queues for pages, with the names of those who asked.</summary>
public sealed class ListJobs(JobStore jobs, CaminoDb db)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    private const int MostRelated = 20;

    /// <summary>One page of jobs, newest first.</summary>
    public Task<JobPage> RunAsync(JobFilter filter, Guid? after, CancellationToken ct) => jobs.ListAsync(filter, after, PageSize, ct);

    /// <summary>One job with its attempts, or null.</summary>
    public Task<JobDetail?> OneAsync(Guid id, CancellationToken ct) => jobs.GetAsync(id, ct);

    /// <summary>How every queue stands now.</summary>
    public Task<IReadOnlyList<QueueFigures>> QueuesAsync(CancellationToken ct) => jobs.QueueFiguresAsync(ct);

    /// <summary>What people did to a job, oldest first, at most 100 entries of the audit trail.</summary>
    public async Task<IReadOnlyList<JobStoryLine>> StoryAsync(Guid id, CancellationToken ct)
    {
        var entries = await db.AuditEntries.AsNoTracking().Where(e => e.Subject == "job" && e.SubjectId == id.ToString()).OrderBy(e => e.Id).Take(100)
            .Select(e => new { e.At, e.UserId, e.Action, e.Details }).ToListAsync(ct);
        return [.. entries.Select(e => new JobStoryLine(e.At, e.UserId?.ToString(), e.Action, ReasonIn(e.Details)))];
    }

    /// <summary>Its parent, its children, what it waits for and what waits for it; of each kind the first few.</summary>
    public async Task<IReadOnlyList<(string Role, JobLine Job)>> RelatedAsync(JobDetail job, CancellationToken ct)
    {
        (string Role, Guid Id)[] ids =
        [
            .. job.ParentId is { } parent ? [("Parent", parent)] : Array.Empty<(string, Guid)>(),
            .. job.WaitsFor.Take(MostRelated).Select(id => ("WaitsFor", id)),
            .. job.WaitedForBy.Take(MostRelated).Select(id => ("WaitedForBy", id)),
            .. job.Children.Take(MostRelated).Select(id => ("Child", id)),
        ];
        if (ids.Length == 0)
            return [];
        var lines = (await jobs.LinesAsync([.. ids.Select(one => one.Id).Distinct()], ct)).ToDictionary(line => line.Id);
        return [.. ids.Where(one => lines.ContainsKey(one.Id)).Select(one => (one.Role, lines[one.Id]))];
    }

    /// <summary>Display names by user id as jobs store it; nothing is asked where nobody is named.</summary>
    public async Task<IReadOnlyDictionary<string, string>> NamesAsync(IEnumerable<string?> userIds, CancellationToken ct)
    {
        var ids = userIds.Select(id => Guid.TryParse(id, out var user) ? user : Guid.Empty).Where(id => id != Guid.Empty).Distinct().ToList();
        if (ids.Count == 0)
            return new Dictionary<string, string>(StringComparer.Ordinal);
        return await db.Users.AsNoTracking().Where(u => ids.Contains(u.Id)).ToDictionaryAsync(u => u.Id.ToString(), u => u.DisplayName, StringComparer.OrdinalIgnoreCase, ct);
    }

    private static string? ReasonIn(string details)
    {
        using var json = JsonDocument.Parse(details);
        return json.RootElement.TryGetProperty("reason", out var reason) ? reason.GetString() : null;
    }
}
