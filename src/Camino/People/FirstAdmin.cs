using System.Security.Cryptography;
using System.Text;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Makes the one-time link with which the first administrator comes in; there is no default password.</summary>
public sealed class OfferFirstAdminLink(CaminoDb db, TimeProvider clock)
{
    /// <summary>The link works for so long.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <returns>The token for the link, or null when somebody can administer already. A new link makes older ones useless.</returns>
    public async Task<string?> RunAsync(CancellationToken ct)
    {
        if (await FirstAdmin.ExistsAsync(db, ct))
            return null;
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        db.FirstAdminLinks.RemoveRange(await db.FirstAdminLinks.Where(l => l.UsedAt == null).ToListAsync(ct));
        db.FirstAdminLinks.Add(new FirstAdminLink { Id = Guid.CreateVersion7(), Hash = FirstAdmin.HashOf(token), ExpiresAt = clock.GetUtcNow() + Lifetime });
        await db.SaveChangesAsync(ct);
        return token;
    }
}

/// <summary>The first administrator follows the link and chooses a password.</summary>
public sealed class CreateFirstAdmin(CaminoDb db, UserManager<StaffUser> users, PasswordRules rules, TimeProvider clock)
{
    /// <param name="token">From the link.</param>
    /// <param name="email">Becomes the name to sign in with.</param>
    /// <param name="displayName">1 to 100 characters.</param>
    /// <param name="password">12 characters or more.</param>
    /// <exception cref="RefusedException"><c>first_admin.link_invalid</c>, <c>first_admin.password_weak</c>, <c>first_admin.name</c>, and what <see cref="PasswordRules"/> refuses.</exception>
    public async Task<StaffUser> RunAsync(string token, string email, string displayName, string password, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var hash = FirstAdmin.HashOf(token);
        var link = await db.FirstAdminLinks.FromSql($"select * from camino.first_admin_links where hash = {hash} for update").SingleOrDefaultAsync(ct);
        var now = clock.GetUtcNow();
        Refuse.If(link is null || link.UsedAt is not null || link.ExpiresAt < now || await FirstAdmin.ExistsAsync(db, ct), "first_admin.link_invalid", "This link was used, has expired or is not the newest one; ask the operator for a new one (camino first-admin-link).");
        Refuse.If(displayName.Trim().Length is 0 or > 100, "first_admin.name", $"The name has {displayName.Trim().Length} characters; it must have 1 to 100.");

        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = email.Trim(), Email = email.Trim(), EmailConfirmed = true, DisplayName = displayName.Trim() };
        rules.Check(password, user);
        var created = await users.CreateAsync(user, password);
        Refuse.If(!created.Succeeded, "first_admin.password_weak", string.Join(" ", created.Errors.Select(e => e.Description)));
        await users.AddToRoleAsync(user, StaffRoles.Administrator);
        link.UsedAt = now;
        db.AuditEntries.Add(new AuditEntry(now, user.Id, "user.first_admin_created", "user", user.Id.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return user;
    }
}

internal static class FirstAdmin
{
    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public static Task<bool> ExistsAsync(CaminoDb db, CancellationToken ct) =>
        (from link in db.UserRoles join role in db.Roles on link.RoleId equals role.Id where role.Name == StaffRoles.Administrator select link).AnyAsync(ct);
}
