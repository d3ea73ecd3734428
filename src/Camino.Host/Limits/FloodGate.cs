using Camino.Clients;
using Camino.People;

namespace Camino.Host.Limits;

/// <summary>
/// Stands before the places that requests wait for: whoever showed a key a moment ago whose client had no turn, and has none yet, is told so at once. Such a request takes no place of others and asks the
/// database nothing, so that a client's flood delays nobody.
/// </summary>
internal sealed class FloodGate(RequestDelegate next, ClientTurns turns)
{
    public Task InvokeAsync(HttpContext context)
    {
        var key = ApiKeyHandler.KeyIn(context.Request);
        if (!key.StartsWith(ClientKey.Prefix, StringComparison.Ordinal) || key.Length > 200 || RouteClasses.Of(context.Request) == RouteClass.Always || turns.StillExhausted(ClientKey.HashOf(key)) is not { } known)
            return next(context);
        ClientGate.Tell(context, known.Client.Terms, known.Turn);
        return ClientGate.RefuseAsync(context, turns, known.Client, known.Turn);
    }
}
