using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Releases;

/// <summary>Which release runs where, and which of them has the work.</summary>
[Authorize(Permissions.ServersRead)]
public sealed class ServerListPage(ListServers list) : PageModel
{
    public ServerOverview Servers { get; private set; } = new(null, [], []);

    public async Task OnGetAsync(CancellationToken ct) => Servers = await list.RunAsync(ct);

    /// <summary>The tone of a state's chip.</summary>
    public static string Tone(string state) => state switch
    {
        "current" or "serving" => "good",
        "waiting" or "draining" => "warn",
        "gone" => "bad",
        _ => "quiet",
    };
}
