using System.Globalization;
using System.Security.Claims;
using Camino.Web;

namespace Camino.People;

/// <summary>What the configuration says about the company's identity provider.</summary>
/// <param name="Authority">Its issuer, as it calls itself; null: there is none.</param>
/// <param name="Name">As people call it; stands on the button.</param>
/// <param name="EmailClaim">Claim that holds the e-mail.</param>
/// <param name="TrustsEmails">Every e-mail that it says counts as verified, for its administrators set them; false: only with <c>email_verified</c>.</param>
/// <param name="SecondFactorValues">Values of <c>amr</c> or <c>acr</c> that say that it asked for a second factor; none: it never counts, and Camino asks for its own.</param>
/// <param name="AllowsLocal">People may sign in by password and passkey too.</param>
/// <param name="LocalAdministrator">E-mail of the administrator who may sign in by password nevertheless; null: nobody.</param>
/// <param name="GroupClaim">Claim that holds somebody's groups.</param>
/// <param name="Groups">Role of whoever is added, by group; null: nobody is added.</param>
public sealed record CompanyProvider(
    string? Authority, string Name, string EmailClaim, bool TrustsEmails, IReadOnlyList<string> SecondFactorValues, bool AllowsLocal, string? LocalAdministrator, string GroupClaim, ILookup<string, string>? Groups)
{
    /// <summary>Name of the authentication scheme.</summary>
    public const string Scheme = "Company";

    public bool IsThere => Authority is not null;

    /// <summary>Passwords and passkeys of everybody are taken.</summary>
    public bool TakesLocal => AllowsLocal || !IsThere;

    /// <summary>The form for a password is there for one administrator alone.</summary>
    public bool HasWayForOne => !TakesLocal && LocalAdministrator is not null;

    /// <summary>Whether this person's password is taken.</summary>
    public bool TakesPasswordOf(string email) => TakesLocal || string.Equals(email, LocalAdministrator, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the provider asked for a second factor that counts here.</summary>
    public bool SecondFactorCounts(ClaimsPrincipal said)
    {
        ArgumentNullException.ThrowIfNull(said);
        return said.Claims.Any(claim => claim.Type is "amr" or "acr" && SecondFactorValues.Contains(claim.Value));
    }

    /// <summary>The roles that the groups of the claims give to whoever is added.</summary>
    public IReadOnlyList<string> RolesOf(ClaimsPrincipal said)
    {
        ArgumentNullException.ThrowIfNull(said);
        return Groups is null ? [] : [.. said.FindAll(GroupClaim).SelectMany(group => Groups[group.Value]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}

/// <summary>Marks a request whose user the provider vouched for; the claims and the row of the session are made by it.</summary>
/// <param name="HasSecondFactor">A second factor was asked and right: the provider's, where it counts, or the own one.</param>
/// <param name="Session">The provider's name for its session (<c>sid</c>); null: it gave none.</param>
/// <param name="SignedAt">When the person last proved to be who it is, there or here; null: the provider did not say.</param>
public sealed record CompanyVouched(bool HasSecondFactor, string? Session, DateTimeOffset? SignedAt)
{
    private const string SessionClaim = "camino.company-session";
    private const string SignedClaim = "camino.company-signed";
    private const int LongestSession = 255;

    /// <summary>So far the provider's clock may be ahead, as its tokens may.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>As an ID token says it.</summary>
    public static CompanyVouched Of(ClaimsPrincipal said, bool hasSecondFactor, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(said);
        var session = said.FindFirstValue("sid");
        DateTimeOffset? signed = long.TryParse(said.FindFirstValue("auth_time"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= (now + ClockSkew).ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, now.ToUnixTimeSeconds())) : null;
        return new CompanyVouched(hasSecondFactor, session is { Length: > 0 and <= LongestSession } ? session : null, signed);
    }

    /// <summary>As a session, or the step before it, remembers it; null: the person came another way.</summary>
    public static CompanyVouched? KeptIn(ClaimsPrincipal? kept, bool hasSecondFactor) => kept?.CameByCompany() != true ? null
        : new CompanyVouched(hasSecondFactor, kept.FindFirstValue(SessionClaim), DateTimeOffset.TryParse(kept.FindFirstValue(SignedClaim), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null);

    /// <summary>The claims that keep it.</summary>
    public IEnumerable<Claim> Claims()
    {
        yield return new Claim(StaffClaims.Company, "true");
        if (Session is not null)
            yield return new Claim(SessionClaim, Session);
        if (SignedAt is { } at)
            yield return new Claim(SignedClaim, at.ToString("O", CultureInfo.InvariantCulture));
    }
}
