using Camino.Lending.Applications;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Applications;

/// <summary>Every application, the newest first, a page at a time.</summary>
[Authorize(Permissions.ApplicationsRead)]
[Filters.KeepsFilters("applications")]
public sealed class ApplicationListPage(ListApplications list) : PageModel
{
    public ApplicationFilter Filter { get; private set; } = new();

    public ListPage<ApplicationLine> Applications { get; private set; } = ListPage.Empty<ApplicationLine>();

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = ApplicationFilter.FromQuery(Request.Query);
        Applications = await list.RunAsync(Filter, ListCursor.Of(after, before), ct);
    }

    /// <summary>The colour of a state; the warm tone means: a person is waited for.</summary>
    public static string Tone(ApplicationState state) => state switch
    {
        ApplicationState.Received or ApplicationState.Checking => "info",
        ApplicationState.Underwriting or ApplicationState.Offered or ApplicationState.Accepted => "warn",
        ApplicationState.Booked => "good",
        ApplicationState.Declined or ApplicationState.Failed => "bad",
        _ => "quiet",
    };
}
