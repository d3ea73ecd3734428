using System.Globalization;
using Camino.Approvals;
using Camino.Jobs;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>Says how many jobs an act would touch, asks why, and does it: on one, on those that were chosen, or on all that match.</summary>
[Authorize(Permissions.JobsAct)]
public sealed class JobActsPage(ActOnJobs some, ActOnAllJobs all, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>The word of the act.</summary>
    public string Act { get; private set; } = "retry";

    /// <summary>Chosen jobs; empty when all that match are meant.</summary>
    public IReadOnlyList<Guid> Ids { get; private set; } = [];

    /// <summary>The dry run, when all that match are meant.</summary>
    public JobCount? Count { get; private set; }

    /// <summary>What limits them, in words.</summary>
    public IReadOnlyList<string> FilterWords { get; private set; } = [];

    /// <summary>The filter, as the form sends it on.</summary>
    public string Query { get; private set; } = "";

    /// <summary>Where to go afterwards.</summary>
    public string Back { get; private set; } = "/jobs/all";

    public string? Reason { get; private set; }

    /// <summary>The new due time as the field holds it.</summary>
    public string? Due { get; private set; }

    /// <summary>Why the last try was refused.</summary>
    public string? Problem { get; private set; }

    private bool MayOnAll => User.May(Permissions.JobsAll);

    public Task<IActionResult> OnGetAsync(string? act, Guid? id, CancellationToken ct) => ShowAsync(act, id is { } one ? [one] : [], id is { } job ? $"/jobs/{job}" : null, ct);

    /// <summary>Jobs were chosen in the list; the reason is still to come.</summary>
    [Needs(Permissions.JobsAct)]
    public Task<IActionResult> OnPostChooseAsync(string? act, Guid[] ids, string? back, CancellationToken ct) => ShowAsync(act, ids, back, ct, chosen: true);

    [Needs(Permissions.JobsAct)]
    public async Task<IActionResult> OnPostAsync(string? act, Guid[] ids, string? reason, string? due, int zone, string? back, CancellationToken ct)
    {
        Reason = reason;
        Due = due;
        try
        {
            var order = JobAct.Of(act, reason, At(due, zone));
            if (ids.Length == 0)
            {
                if (!MayOnAll)
                    return Forbid();
                return LocalRedirect($"/approvals/{(await all.AskAsync(order, JobQuery.ReadForAct(Request.Query), User.Id(), ct)).ApprovalId}");
            }

            var done = await some.RunAsync(order, ids, new JobActor(User.Id(), MayOnAll), ct);
            var to = Url.IsLocalUrl(back) ? back : "/jobs/all";
            return LocalRedirect(ids.Length == 1 ? $"/jobs/{ids[0]}" : string.Create(CultureInfo.InvariantCulture, $"{to}{(to.Contains('?', StringComparison.Ordinal) ? '&' : '?')}did={done.Done}&refused={done.Refused}"));
        }
        catch (RefusedException refused)
        {
            Problem = ApprovalText.Refused(texts, refused);
            return await ShowAsync(act, ids, back, ct, chosen: ids.Length > 0);
        }
    }

    private async Task<IActionResult> ShowAsync(string? act, Guid[] ids, string? back, CancellationToken ct, bool chosen = false)
    {
        if (act is null || !JobAct.Words.TryGetValue(act, out var action))
            return NotFound();
        Act = act;
        Ids = ids;
        var filter = JobQuery.Read(Request.Query);
        Query = filter.ToQuery();
        Back = Url.IsLocalUrl(back) ? back : "/jobs/all" + filter.ToQuery();
        if (ids.Length > 0 || chosen)
            return Page();
        if (!MayOnAll)
            return Forbid();
        Count = await all.CountAsync(action, filter, ct);
        FilterWords = [.. BulkJobsApproval.Words(ActOnAllJobs.Fitting(action, filter).Words(), texts)];
        return Page();
    }

    /// <summary>A local time and the minutes by which the reader's zone is behind UTC.</summary>
    private static DateTimeOffset? At(string? local, int zone) =>
        DateTime.TryParse(local, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) && Math.Abs(zone) <= 900
            ? new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Unspecified), TimeSpan.Zero).AddMinutes(zone)
            : null;
}
