using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Camino.Data;
using Camino.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Acceptance;

/// <summary>What the signature service signs its callbacks with; null: none is taken.</summary>
public sealed record SignatureCallbackOptions(string? Secret);

/// <summary>Has the service asked at once how an envelope stands that is not over; any other id is let be.</summary>
public sealed class LookSooner(CaminoDb db)
{
    public async Task RunAsync(Guid envelope, CancellationToken ct)
    {
        if (!await db.Database.SqlQuery<bool>($"select exists (select from camino.signature_envelopes where id = {envelope} and state in (0, 1, 5)) as \"Value\"").SingleAsync(ct))
            return;
        db.Enqueue(new SendEnvelope(envelope));
        await db.SaveChangesAsync(ct);
    }
}

/// <summary>
/// Where the signature service says that something happened to an envelope, signed by Standard Webhooks. Nothing that it says counts but the envelope's id: the service is asked then how it stands. So a callback that comes twice,
/// late or again changes nothing, and one that nobody signed is not read.
/// </summary>
public static class SignatureCallback
{
    /// <summary>Bytes of a callback at most.</summary>
    public const int MostBytes = 4_096;

    private static readonly TimeSpan s_late = TimeSpan.FromMinutes(5);

    /// <summary>Adds the address.</summary>
    public static void MapSignatureCallback(this IEndpointRouteBuilder pages) => pages.MapPost("/signature/callback", TakeAsync).AllowAnonymous().DisableAntiforgery();

    private static async Task<IResult> TakeAsync(HttpContext context, SignatureCallbackOptions options, LookSooner look, TimeProvider clock, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (options.Secret is not { Length: > 0 } secret)
            return Results.NotFound();
        if (await BodyAsync(context.Request.Body, ct) is not { } body)
            return Results.StatusCode(StatusCodes.Status413PayloadTooLarge);
        if (!IsSigned(context.Request.Headers, body, secret, clock.GetUtcNow()))
            return Results.Unauthorized();
        if (EnvelopeOf(body) is { } id)
            await look.RunAsync(id, ct);
        return Results.NoContent();
    }

    private static async Task<string?> BodyAsync(Stream body, CancellationToken ct)
    {
        var whole = new byte[MostBytes + 1];
        var length = await body.ReadAtLeastAsync(whole, whole.Length, throwOnEndOfStream: false, ct);
        return length > MostBytes ? null : Encoding.UTF8.GetString(whole, 0, length);
    }

    private static bool IsSigned(IHeaderDictionary headers, string body, string secret, DateTimeOffset now)
    {
        var (id, timestamp) = (headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString());
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || Math.Abs(now.ToUnixTimeSeconds() - seconds) > s_late.TotalSeconds)
            return false;
        var wanted = Encoding.UTF8.GetBytes(WebhookSender.Sign(id, timestamp, body, [Encoding.UTF8.GetBytes(secret)]));
        return headers["webhook-signature"].ToString().Split(' ').Any(given => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), wanted));
    }

    private static Guid? EnvelopeOf(string body)
    {
        try
        {
            var read = JsonSerializer.Deserialize<JsonElement>(body);
            return read.ValueKind == JsonValueKind.Object && read.TryGetProperty("reference", out var reference) && reference.ValueKind == JsonValueKind.String && Guid.TryParse(reference.GetString(), out var id) ? id : null;
        }
        catch (JsonException)
        {
            return null; // whoever signs what is none is told nothing
        }
    }
}
