using System.Text;
using System.Text.Json.Nodes;
using Camino.Lending;
using Camino.Lending.Quotes;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Camino.Quotes;

/// <summary>The calculator for programs: the same answers as <c>camino quote</c>.</summary>
public static class QuoteApi
{
    /// <summary>Adds <c>POST /api/v1/quotes/{what}</c>: one JSON object, or several as <c>application/x-ndjson</c>, answered line by line in the same order.</summary>
    public static void MapQuoteApi(this IEndpointRouteBuilder api) => api.MapPost("/quotes/{what}", AnswerAsync).RequireAuthorization(Permissions.QuotesUse).WithSummary("Answers a calculation: one JSON object, or one a line as application/x-ndjson").Reads(typeof(JsonObject), "application/json", "application/x-ndjson").Produces<JsonObject>(StatusCodes.Status200OK, "application/json", "application/x-ndjson");

    private static async Task<IResult> AnswerAsync(string what, HttpContext context, CancellationToken ct)
    {
        Refuse.If(!Quote.Kinds.Contains(what, StringComparer.Ordinal), "quote.not_found", $"There is no calculator \"{what}\"; there are {string.Join(", ", Quote.Kinds)}.");
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        if (!(context.Request.ContentType ?? "").StartsWith("application/x-ndjson", StringComparison.OrdinalIgnoreCase))
        {
            var answer = Quote.Answer(what, await reader.ReadToEndAsync(ct));
            return Results.Text(answer, "application/json", Encoding.UTF8);
        }

        context.Response.ContentType = "application/x-ndjson";
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line))
                await context.Response.WriteAsync(Quote.Answer(what, line) + "\n", ct);
        }

        return Results.Empty;
    }
}
