using Camino.Clients;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Search;

/// <summary>The search for programs.</summary>
public static class SearchApi
{
    /// <summary>Adds the endpoint to <c>/api/v1</c>.</summary>
    public static void MapSearchApi(this IEndpointRouteBuilder api) =>
        api.MapPost("/search", SearchAsync).RequireAuthorization(Permissions.SearchRead).WithSummary("Finds borrowers, owners, applications and loans by name, phone, e-mail, tax number, its last four, or number").Reads(typeof(SearchInput), "application/json");

    /// <summary>What is looked for; it comes in a body, never in an address.</summary>
    /// <param name="Query">1 to 100 characters.</param>
    public sealed record SearchInput(string? Query);

    private static async Task<Ok<SearchAnswer>> SearchAsync(HttpContext context, SearchEverything search, CancellationToken ct)
    {
        var query = (await JsonBody.ReadAsync(context, ct)).All(body => body.Text("query"));
        var answer = await search.RunAsync(query, context.User.May, ct, context.Features.Get<KnownClient>()?.Id);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(answer);
    }
}
