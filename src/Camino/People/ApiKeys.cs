using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Camino.Audit;
using Camino.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Camino.People;

/// <summary>Makes a key for a program; the key itself is shown once and only its hash is kept.</summary>
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

/// <summary>Signs a program in by <c>Authorization: Bearer camino_...</c> or <c>X-Api-Key</c>, in the name of the key's user and with that user's roles.</summary>
public sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, CaminoDb db)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>Name of the scheme.</summary>
    public const string SchemeName = "ApiKey";

    /// <summary>True when the request carries a key, so that cookies are not asked.</summary>
    public static bool IsPresent(HttpRequest request) =>
        request.Headers.ContainsKey("X-Api-Key") || request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var given = Request.Headers["X-Api-Key"].ToString();
        if (given.Length == 0 && Request.Headers.Authorization.ToString() is { Length: > 7 } header)
            given = header[7..].Trim();
        if (given.Length is 0 or > 200)
            return AuthenticateResult.Fail("The key is missing or too long.");
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
        var claims = new List<Claim> { new(ClaimTypes.NameIdentifier, found.Id.ToString()), new(ClaimTypes.Name, found.UserName ?? "") };
        claims.AddRange(found.Roles.Where(r => r is not null).Select(r => new Claim(ClaimTypes.Role, r ?? "")));
        var identity = new ClaimsIdentity(claims, SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }
}
