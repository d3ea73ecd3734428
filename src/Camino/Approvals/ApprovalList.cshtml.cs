using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Approvals;

/// <summary>Requests that the reader made or may decide: what waits first, then the newest.</summary>
[Authorize(Permissions.ApprovalsRead)]
public sealed class ApprovalListPage(ListApprovals list, ShowApproval show) : PageModel
{
    public ApprovalFilter Filter { get; private set; } = new();

    public ListPage<NamedApproval> Approvals { get; private set; } = ListPage.Empty<NamedApproval>();

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = ApprovalFilter.FromQuery(Request.Query);
        Approvals = await list.RunAsync(Filter, User, null, ListCursor.Of(after, before), ct);
    }

    /// <summary>What is to be done.</summary>
    public string Say(NamedApproval found) => show.Say(found);

    /// <summary>Where it stands now.</summary>
    public ApprovalState StateOf(NamedApproval found) => show.StateOf(found);

    /// <summary>The colour of a state.</summary>
    public static string Tone(ApprovalState state) => state switch { ApprovalState.Waiting => "warn", ApprovalState.Approved => "good", ApprovalState.Declined or ApprovalState.Refused => "bad", _ => "quiet" };
}
