using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.People;

/// <summary>Where the reader is signed in; sessions that should not be are ended here.</summary>
[Authorize(Permissions.Own)]
public sealed class SessionListPage(ListSessions list, EndSessions end, SessionLimits limits, CompanyProvider provider) : PageModel
{
    public IReadOnlyList<SessionLine> Lines { get; private set; } = [];

    public Guid? Next { get; private set; }

    public SessionLimits Limits => limits;

    /// <summary>As people call the company's identity provider.</summary>
    public string ProviderName => provider.Name;

    /// <summary>The session that looks at the page.</summary>
    public Guid? Present => User.SessionId();

    public async Task OnGetAsync(Guid? after, CancellationToken ct)
    {
        var lines = await list.RunAsync(User.Id(), after, ct);
        Lines = [.. lines.Take(ListSessions.PageSize)];
        Next = lines.Count > ListSessions.PageSize ? Lines[^1].Id : null;
    }

    /// <summary>Ends one; one that is over already, or is not the reader's, is left as it is.</summary>
    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostEndAsync(Guid id, CancellationToken ct)
    {
        await end.OneAsync(User.Id(), id, SessionEnds.Owner, ct);
        return LocalRedirect("/sessions");
    }

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostEndOthersAsync(CancellationToken ct)
    {
        await end.OthersAsync(User.Id(), Present ?? Guid.Empty, ct);
        return LocalRedirect("/sessions");
    }
}
