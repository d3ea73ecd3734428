using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Camino.Audit;
using Camino.Branches;
using Camino.Clients;
using Camino.Data;
using Camino.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Camino.People;

/// <summary>Makes a key that acts as its user does, with all the user's roles: for demo data and for trying out. Programs get keys of their own by <see cref="AddClient"/>.</summary>
public sealed class AddApiKey(CaminoDb db, TimeProvider clock)
{
    /// <summary>Every key begins so, so that scanners can find one that leaked.</summary>
    public const string Prefix = "camino_";

    /// <returns>The key: the prefix and 43 characters for 256 random bits.</returns>
    public async Task<string> RunAsync(string name, Guid userId, CancellationToken ct)
    {
        var key = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var row = new ApiKey(name, userId, HashOf(key), clock.GetUtcNow());
        db.ApiKeys.Add(row);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "api_key.added", "api_key", row.Id.ToString()));
        await db.SaveChangesAsync(ct);
        return key;
    }

    internal static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}

/// <summary>
/// Signs a program in by <c>Authorization: Bearer camino_...</c> or <c>X-Api-Key</c>: an API client with what its scopes give, for the API and the metrics alone; or a user's own key, with that user's roles.
/// </summary>
public sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, CaminoDb db, CheckClient clients)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>Name of the scheme.</summary>
    public const string SchemeName = "ApiKey";

    /// <summary>True when the request carries a key, so that cookies are not asked.</summary>
    public static bool IsPresent(HttpRequest request) =>
        request.Headers.ContainsKey("X-Api-Key") || request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);

    /// <summary>The key that a request carries; empty for none.</summary>
    public static string KeyIn(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var given = request.Headers["X-Api-Key"].ToString();
        return given.Length == 0 && request.Headers.Authorization.ToString() is { Length: > 7 } header ? header[7..].Trim() : given;
    }

    /// <inheritdoc/>
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var given = KeyIn(Request);
        if (given.Length is 0 or > 200)
            return AuthenticateResult.Fail("The key is missing or too long.");
        if (given.StartsWith(ClientKey.Prefix, StringComparison.Ordinal))
            return await ClientAsync(given);
        var hash = AddApiKey.HashOf(given);
        var found = await (
            from key in db.ApiKeys
            join user in db.Users on key.UserId equals user.Id
            where key.Hash == hash && key.RevokedAt == null && (user.LockoutEnd == null || user.LockoutEnd < DateTimeOffset.MaxValue)
            select new
            {
                user.Id,
                user.UserName,
                Roles = (from link in db.UserRoles join role in db.Roles on link.RoleId equals role.Id where link.UserId == user.Id select role.Name).ToList(),
            }).AsNoTracking().FirstOrDefaultAsync(Context.RequestAborted);
        if (found is null)
            return AuthenticateResult.Fail("The key is not known or was withdrawn.");
        var bound = await db.Database.SqlQuery<Bound>($"select m.branch_id as \"Branch\", r.id as \"Seen\" from camino.staff_branches m join camino.branches r on r.id = m.branch_id or r.parent_id = m.branch_id where m.user_id = {found.Id}").ToListAsync(Context.RequestAborted);
        Context.Features.Set(ReaderBranches.Of([.. bound.Select(one => one.Branch).Distinct()], [.. bound.Select(one => one.Seen).Distinct()]));
        return SignedIn(found.Id, found.UserName ?? "", found.Roles.Where(r => r is not null).Select(r => new Claim(ClaimTypes.Role, r ?? "")));
    }

    /// <inheritdoc/>
    /// <remarks>Source: RFC 6750, section 3.</remarks>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = IsPresent(Request) ? "Bearer realm=\"Camino\", error=\"invalid_token\"" : "Bearer realm=\"Camino\"";
        return base.HandleChallengeAsync(properties);
    }

    /// <inheritdoc/>
    /// <remarks>Source: RFC 6750, section 3.1; a scope is named where one would help.</remarks>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var asked = Context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>().LastOrDefault(data => data.Policy is not null)?.Policy;
        if (Context.Features.Get<KnownClient>() is not null)
            Response.Headers.WWWAuthenticate = "Bearer realm=\"Camino\", error=\"insufficient_scope\"" + (asked is not null && Scopes.Giving(asked) is { } scope ? $", scope=\"{scope}\"" : "");
        return base.HandleForbiddenAsync(properties);
    }

    private static AuthenticateResult SignedIn(Guid id, string name, IEnumerable<Claim> rights)
    {
        var identity = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, id.ToString()), new(ClaimTypes.Name, name), .. rights], SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    private sealed record Bound(Guid Branch, Guid Seen);

    /// <summary>Whom the key belongs to is left to the request, for whoever counts it.</summary>
    private async Task<AuthenticateResult> ClientAsync(string key)
    {
        if (!Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) && !Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal))
            return AuthenticateResult.Fail("Clients are answered below /api and at /metrics; pages are for people.");
        if (await clients.FindAsync(key, Context.RequestAborted) is not { } client)
            return AuthenticateResult.Fail("The key is not known, has expired, or its client is disabled.");
        Context.Features.Set(client);
        Context.Features.Set(client.Branches);
        return SignedIn(client.Id, client.Name, Scopes.ClaimsOf(client.Terms.Scopes));
    }
}
