using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Audit;

/// <summary>The audit trail for programs that act as a person; no API client has it.</summary>
public static class AuditApi
{
    public sealed record AuditPage(IReadOnlyList<AuditLine> Items, string? Next);

    /// <summary>Adds <c>GET /audit</c> to the API.</summary>
    public static void MapAuditApi(this IEndpointRouteBuilder api) => api.MapGet("/audit", ListAsync).RequireAuthorization(Permissions.AuditRead).WithSummary("Who did what, when and from where, the newest first, 50 a page")
        .Asks("by", "Id of a user or an API client.").Asks("action", "An act as the trail writes it: loan.disburse.").Asks("subject", "What it was done to: loan.").Asks("id", "Which one; with subject.")
        .Asks("from", "The first day, UTC: 2026-11-27.").Asks("until", "The last day, UTC.").Asks("after", "From next of the page before.").Asks("before", "The other way.");

    private static async Task<Ok<AuditPage>> ListAsync(HttpContext context, ListAudit list, CancellationToken ct)
    {
        var filter = AuditFilter.FromQuery(context.Request.Query);
        var page = await list.RunAsync(filter, ListCursor.Of(context.Request.Query["after"], context.Request.Query["before"]), ct);
        return TypedResults.Ok(new AuditPage(page.Lines, page.Next is { } next ? "/api/v1/audit" + filter.ToQuery("after", next.ToString()) : null));
    }
}
