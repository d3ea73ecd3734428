using System.Globalization;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Camino.People;

/// <summary>
/// Ends sessions because the company's identity provider says that somebody signed out there, or lost the account: back-channel logout. The provider posts a logout token, signed like its ID tokens.
/// </summary>
/// <remarks>Source: OpenID Connect Back-Channel Logout 1.0, sections 2.4 to 2.8.</remarks>
public sealed class EndCompanySessions(CaminoDb db, CompanyProvider provider, IOptionsMonitor<OpenIdConnectOptions> options, TimeProvider clock)
{
    /// <summary>Where the provider posts; it is registered there.</summary>
    public const string Path = "/sign-in/company/ended";

    private const string Event = "http://schemas.openid.net/event/backchannel-logout";
    private const string LogoutType = "logout+jwt"; // so that no other token of the provider is taken for one
    private const int LongestToken = 20_000;

    /// <summary>A token that was kept longer says nothing any more.</summary>
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(10);

    /// <summary>So much the provider's clock may differ.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(1);

    private sealed record Ended(Guid Id, Guid UserId);

    /// <summary>The way in for the provider; what counts is the token's signature.</summary>
    public static void Map(IEndpointRouteBuilder app) => app.MapPost(Path, PostAsync).AllowAnonymous().ExcludeFromDescription();

    /// <param name="token">As the provider signed it.</param>
    /// <returns>False: it is not a logout token of this provider for us, or is too old.</returns>
    public async Task<bool> RunAsync(string? token, CancellationToken ct)
    {
        if (!provider.IsThere || token is not { Length: > 0 and <= LongestToken } || await ReadAsync(token) is not { } said)
            return false;
        // who signed in again after it was signed stays in
        var before = said.IssuedAt + s_skew;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var ended = await db.Database.SqlQuery<Ended>(
            $"""
            update camino.staff_sessions one set ended_at = {clock.GetUtcNow()}, ended_why = {SessionEnds.SignedOut}
            where one.ended_at is null and one.by_company and one.begun_at <= {before}
              and ({said.Session}::text is null or one.company_session = {said.Session})
              and ({said.Subject}::text is null or one.user_id in (select login.user_id from camino.staff_user_logins login where login.login_provider = {said.Issuer} and login.provider_key = {said.Subject}))
            returning one.id as "Id", one.user_id as "UserId"
            """).ToListAsync(ct);
        foreach (var user in ended.GroupBy(one => one.UserId, one => one.Id))
            db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), null, "session.ended", "user", user.Key.ToString(), JsonSerializer.Serialize(new { sessions = user, why = SessionEnds.SignedOut, by = "company" }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private sealed record Said(string Issuer, string? Subject, string? Session, DateTimeOffset IssuedAt);

    private async Task<Said?> ReadAsync(string token)
    {
        var company = options.Get(CompanyProvider.Scheme);
        var parameters = company.TokenValidationParameters.Clone();
        parameters.ConfigurationManager = company.ConfigurationManager as BaseConfigurationManager;
        parameters.RequireExpirationTime = false; // the standard came to ask for one late; the time of signing is asked for below
        var read = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(token, parameters);
        if (!read.IsValid || read.SecurityToken is not JsonWebToken { EncodedSignature.Length: > 0, Typ: LogoutType } said || said.TryGetClaim("nonce", out _))
            return null;
        var subject = said.TryGetClaim("sub", out var sub) ? sub.Value : null;
        var session = said.TryGetClaim("sid", out var sid) ? sid.Value : null;
        var now = clock.GetUtcNow();
        if ((subject is null && session is null) || !said.TryGetClaim("events", out var events) || !HasEvent(events.Value) || !said.TryGetClaim("iat", out var iat) || !long.TryParse(iat.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return null;
        var at = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, now.ToUnixTimeSeconds() + (long)s_fresh.TotalSeconds));
        return at > now + s_skew || at < now - s_fresh ? null : new Said(said.Issuer, subject, session, at);
    }

    private static bool HasEvent(string events)
    {
        try
        {
            using var parsed = JsonDocument.Parse(events);
            return parsed.RootElement.ValueKind == JsonValueKind.Object && parsed.RootElement.TryGetProperty(Event, out var one) && one.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static async Task<Results<Ok, BadRequest>> PostAsync(HttpContext context, EndCompanySessions end, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!context.Request.HasFormContentType || context.Request.ContentLength is not <= LongestToken + 1_000)
            return TypedResults.BadRequest();
        var form = await context.Request.ReadFormAsync(new FormOptions { ValueCountLimit = 10, BufferBodyLengthLimit = LongestToken + 1_000, ValueLengthLimit = LongestToken }, ct);
        return await end.RunAsync(form["logout_token"], ct) ? TypedResults.Ok() : TypedResults.BadRequest();
    }
}
