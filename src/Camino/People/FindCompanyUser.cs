using System.Security.Claims;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>
/// Finds the user whom the company's identity provider has recognised: by its subject, and the first time by a verified e-mail. It links to a user who is there, once; it adds one only where the configuration says by which groups, and changes no roles of anybody afterwards.
/// </summary>
public sealed class FindCompanyUser(CaminoDb db, UserManager<StaffUser> users, CompanyProvider provider, TimeProvider clock)
{
    /// <summary>First meetings wait for one another, on every server: two subjects with one e-mail are not linked or added at one moment.</summary>
    private const long FirstMeeting = 4_857_201_533_441;

    /// <param name="said">The claims of an ID token whose signature, issuer, audience, time and nonce were checked.</param>
    /// <returns>The user; null: no enabled user has this subject or this verified e-mail, or the user is linked to another subject.</returns>
    public async Task<StaffUser?> RunAsync(ClaimsPrincipal said, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(said);
        var (issuer, subject) = (said.FindFirstValue("iss") ?? "", said.FindFirstValue("sub") ?? "");
        if (issuer.Length is 0 or > 500 || subject.Length is 0 or > 255)
            return null;
        if (await users.FindByLoginAsync(issuer, subject) is { } known)
            return known.IsDisabled ? await RefuseAsync(known, "disabled", ct) : known;
        if (VerifiedEmailOf(said) is not { } email)
            return null;

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({FirstMeeting})", ct);
        var user = await users.FindByEmailAsync(email) is { } found ? await db.UserForChangeAsync(found.Id, ct) : await AddAsync(said, email);
        if (user is null)
            return null;
        await db.Entry(user).ReloadAsync(ct);
        // somebody else who got this e-mail later is somebody else
        var other = await db.Database.SqlQuery<string>($"""select provider_key as "Value" from camino.staff_user_logins where user_id = {user.Id} and login_provider = {issuer}""").ToListAsync(ct);
        if (other is [var same] && same == subject && !user.IsDisabled)
            return user; // two first sign-ins at one moment: this one waited for the other
        if (user.IsDisabled || other.Count > 0)
        {
            var refused = await RefuseAsync(user, user.IsDisabled ? "disabled" : "another_subject", ct);
            await transaction.CommitAsync(ct);
            return refused;
        }

        var linked = await users.AddLoginAsync(user, new UserLoginInfo(issuer, subject, provider.Name));
        if (!linked.Succeeded)
            throw new InvalidOperationException("The subject was linked in spite of the lock.");
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), user.Id, "user.login_linked", "user", user.Id.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return user;
    }

    /// <summary>The one e-mail that the provider says, where it says that it is verified.</summary>
    private string? VerifiedEmailOf(ClaimsPrincipal said)
    {
        var emails = said.FindAll(provider.EmailClaim).Select(claim => claim.Value.Trim()).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var verified = said.FindAll("email_verified").Select(claim => claim.Value).ToList();
        var isVerified = provider.TrustsEmails || (verified.Count > 0 && verified.TrueForAll(value => string.Equals(value, "true", StringComparison.OrdinalIgnoreCase)));
        return isVerified && emails is [{ Length: > 0 and <= StaffActs.LongestEmail } email] ? email : null;
    }

    /// <summary>Somebody new, with the roles of the groups; null: nobody is added, or no group gives a role.</summary>
    private async Task<StaffUser?> AddAsync(ClaimsPrincipal said, string email)
    {
        var roles = provider.RolesOf(said);
        if (roles.Count == 0)
            return null;
        string address, name;
        try
        {
            address = StaffActs.Email(email);
            name = StaffActs.Name(said.FindFirstValue("name") is { Length: > 0 and <= StaffActs.LongestName } full ? full : address[..Math.Min(address.Length, StaffActs.LongestName)]);
        }
        catch (RefusedException)
        {
            return null; // no address or no name that anybody here could have
        }

        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = address, Email = address, EmailConfirmed = true, DisplayName = name };
        if (!(await users.CreateAsync(user)).Succeeded)
            return null;
        await users.AddToRolesAsync(user, roles);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), null, "user.added", "user", user.Id.ToString(), JsonSerializer.Serialize(new { roles, by = "company" }, JsonSerializerOptions.Web)));
        return user;
    }

    /// <summary>Somebody whom the provider vouched for was kept out: that stands in the audit trail.</summary>
    private async Task<StaffUser?> RefuseAsync(StaffUser user, string why, CancellationToken ct)
    {
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), null, "session.refused", "user", user.Id.ToString(), JsonSerializer.Serialize(new { by = "company", why }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        return null;
    }
}

/// <summary>Takes the link between a user and the company's identity provider away, because the person has another account there; the next sign-in by a verified e-mail makes a new one. Sessions end.</summary>
public sealed class UnlinkCompany(CaminoDb db, UserManager<StaffUser> users, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.reason</c>, <c>user.not_linked</c>.</exception>
    public async Task RunAsync(Guid userId, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = StaffActs.Reason(reason);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await db.UserForChangeAsync(userId, ct);
        var links = await db.Database.ExecuteSqlAsync($"delete from camino.staff_user_logins where user_id = {userId}", ct);
        Refuse.If(links == 0, "user.not_linked", "The user is linked to no account of the company's identity provider.");
        await users.UpdateSecurityStampAsync(user);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.login_unlinked", userId, new { reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
