using System.Security.Claims;
using Camino.People;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Camino.Web;

/// <summary>Puts what every page shows about the reader into the cookie, so that no page asks the database for it.</summary>
public sealed class StaffClaims(UserManager<StaffUser> users, RoleManager<IdentityRole<Guid>> roles, IOptions<IdentityOptions> options, SecondFactorPolicy policy, IHttpContextAccessor http)
    : UserClaimsPrincipalFactory<StaffUser, IdentityRole<Guid>>(users, roles, options)
{
    internal const string DisplayName = "camino.name";
    internal const string Demo = "camino.demo";
    internal const string Company = "camino.company";
    internal const string MustSetUp = "camino.must-set-up";

    /// <inheritdoc/>
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(StaffUser user)
    {
        var identity = await base.GenerateClaimsAsync(user);
        identity.AddClaim(new Claim(DisplayName, user.DisplayName));
        if (user.IsDemo)
            identity.AddClaim(new Claim(Demo, "true"));

        var vouched = http.HttpContext?.Features.Get<CompanyVouched>();
        if (vouched is not null)
            identity.AddClaims(vouched.Claims());

        // who must have a second factor and has none comes in without any role, to set it up and for nothing else
        var given = identity.FindAll(identity.RoleClaimType).ToList();
        if (!user.TwoFactorEnabled && vouched is not { HasSecondFactor: true } && policy.Asks(given.Select(role => role.Value)))
        {
            given.ForEach(identity.RemoveClaim);
            identity.AddClaim(new Claim(Permissions.GivenClaim, Permissions.Own));
            identity.AddClaim(new Claim(MustSetUp, "true"));
        }

        return identity;
    }
}

/// <summary>The signed-in reader as pages see them.</summary>
public static class CurrentUser
{
    /// <summary>The user's id.</summary>
    /// <exception cref="InvalidOperationException">nobody is signed in; the page was not closed.</exception>
    public static Guid Id(this ClaimsPrincipal user) =>
        Guid.TryParse(user.FindFirstValue(ClaimTypes.NameIdentifier), out var id) ? id : throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>Name to show: the display name, else the sign-in name.</summary>
    public static string Name(this ClaimsPrincipal user) =>
        user.FindFirstValue(StaffClaims.DisplayName) is { Length: > 0 } name ? name : user.Identity?.Name ?? "";

    /// <summary>True until somebody who must have a second factor has set it up.</summary>
    public static bool MustSetUp(this ClaimsPrincipal user) => user.HasClaim(StaffClaims.MustSetUp, "true");

    /// <summary>True for whoever came in by the company's identity provider.</summary>
    public static bool CameByCompany(this ClaimsPrincipal user) => user.HasClaim(StaffClaims.Company, "true");

    /// <summary>True for demo users; every page marks them.</summary>
    public static bool IsDemo(this ClaimsPrincipal user) => user.HasClaim(StaffClaims.Demo, "true");
}
