using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Releases;

/// <summary>Servers and releases for programs.</summary>
public static class ServerApi
{
    /// <summary>Adds <c>GET /servers</c> to the API: fence, releases and processes.</summary>
    public static void MapServerApi(this IEndpointRouteBuilder api) => api.MapGet("/servers", ListAsync).RequireAuthorization(Permissions.ServersRead).WithSummary("Fence, releases and processes");

    private static async Task<Ok<ServerOverview>> ListAsync(ListServers list, CancellationToken ct) => TypedResults.Ok(await list.RunAsync(ct));
}
