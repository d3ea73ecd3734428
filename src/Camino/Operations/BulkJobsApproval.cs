using Camino.Approvals;
using Camino.Jobs;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>An act on every job that matches; always by two people.</summary>
public sealed class BulkJobsApproval(ActOnAllJobs act, JobStore jobs) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.BulkJobs;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts)
    {
        var order = approval.Read<ActOnAllJobs.Order>();
        return texts["Approvals.Say.BulkJobs", texts["Act." + order.Action], texts.Count("Act.Count", order.Counted), string.Join(", ", Words(order.Filter, texts))];
    }

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        var order = approval.Read<ActOnAllJobs.Order>();
        var now = await jobs.CountAsync(JobQuery.Read(order.Filter), ct);
        if (now.Count == 0)
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("job.no_match", "No job matches; nothing was done.")));
        var shown = now.Capped ? texts["Act.CountCapped", Show.Number(now.Count)].Value : texts.Count("Act.Count", now.Count);
        return new ApprovalChange(
            [
                new(texts["Approvals.JobsMatching"], texts.Count("Act.Count", order.Counted), shown),
                .. order.DueAt is { } due ? [new ApprovalLine(texts["Act.Due"], Show.None, Show.Time(due))] : Array.Empty<ApprovalLine>(),
            ],
            null, null);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => new { jobId = await act.RunApprovedAsync(approval.Read<ActOnAllJobs.Order>(), approval, run, ct) };

    /// <summary>What limits the jobs, in words.</summary>
    internal static IEnumerable<string> Words(IReadOnlyDictionary<string, string> filter, IStringLocalizer<Texts> texts) =>
        filter.Where(word => word.Key != "open").Select(word => $"{texts.Or("JobWord." + word.Key, word.Key)}: {Shown(word.Key, word.Value, texts)}");

    private static string Shown(string key, string value, IStringLocalizer<Texts> texts) => key switch
    {
        "state" when Enum.TryParse<JobState>(value, ignoreCase: true, out var state) => texts["JobState." + state],
        "kind" => texts.Or("JobKind." + value, value),
        _ => value,
    };
}
