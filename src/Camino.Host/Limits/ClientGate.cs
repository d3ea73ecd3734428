using System.Globalization;
using Camino.Clients;
using Camino.Host.Releases;
using Camino.People;

namespace Camino.Host.Limits;

/// <summary>How often an API client may ask, by the limits that stand with it. Every answer says what is left.</summary>
/// <remarks>
/// Source: draft-ietf-httpapi-ratelimit-headers-10. Policy <c>burst</c>: so many requests (<c>q</c>) at once, all of which are there again after the window (<c>w</c>, seconds), which makes the sustained rate;
/// policy <c>day</c>: the quota of a day, UTC. <c>r</c> is what is left, <c>t</c> the seconds until all of it is there again.
/// </remarks>
internal sealed class ClientGate(RequestDelegate next, ClientTurns turns)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<KnownClient>() is not { } client || RouteClasses.Of(context.Request) == RouteClass.Always)
        {
            await next(context);
            return;
        }

        var turn = turns.Take(client);
        Tell(context, client.Terms, turn);
        if (turn.IsGiven)
        {
            await next(context);
            return;
        }

        turns.NoteExhausted(ClientKey.HashOf(ApiKeyHandler.KeyIn(context.Request)), client);
        await RefuseAsync(context, turns, client, turn);
    }

    /// <summary>429 with the limit in words and when to ask again.</summary>
    internal static Task RefuseAsync(HttpContext context, ClientTurns turns, KnownClient client, ClientTurn turn)
    {
        turns.NoteRefusal(client.Id, turn.IsDayOver ? "client.day_over" : "client.too_many");
        var seconds = Math.Max(1, Seconds(turn.Wait));
        return turn.IsDayOver
            ? Shed.AnswerAsync(context, seconds, "client.day_over", string.Create(CultureInfo.InvariantCulture, $"This client may make {client.Terms.RequestsADay:N0} requests a day (UTC) and has made them; ask again in {seconds} s."), StatusCodes.Status429TooManyRequests)
            : Shed.AnswerAsync(context, seconds, "client.too_many", string.Create(CultureInfo.InvariantCulture, $"This client may make {client.Terms.RequestsAMinute:N0} requests a minute and {client.Terms.Burst:N0} at once; ask again in {seconds} s."), StatusCodes.Status429TooManyRequests);
    }

    /// <summary>Says in every answer what is left.</summary>
    internal static void Tell(HttpContext context, ClientTerms terms, ClientTurn turn) =>
        // at the last moment: whoever turns an exception into an answer clears the headers first
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["RateLimit-Policy"] = PolicyOf(terms);
            context.Response.Headers["RateLimit"] = Left(turn);
            return Task.CompletedTask;
        });

    private static string PolicyOf(ClientTerms terms) => string.Create(
        CultureInfo.InvariantCulture, $"\"burst\";q={terms.Burst};w={Math.Max(1, Seconds(TimeSpan.FromMinutes((double)terms.Burst / terms.RequestsAMinute)))}{(terms.RequestsADay is { } quota ? string.Create(CultureInfo.InvariantCulture, $", \"day\";q={quota};w=86400") : "")}");

    private static string Left(ClientTurn turn) => string.Create(
        CultureInfo.InvariantCulture, $"\"burst\";r={turn.Left};t={Seconds(turn.Full)}{(turn.LeftToday is { } left ? string.Create(CultureInfo.InvariantCulture, $", \"day\";r={left};t={Seconds(turn.DayEnds)}") : "")}");

    private static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
