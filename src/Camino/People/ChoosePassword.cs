using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>A user chooses a password: by the one-time link, or knowing the present one. Every session of the user ends by it.</summary>
public sealed class ChoosePassword(CaminoDb db, UserManager<StaffUser> users, PasswordRules rules, TimeProvider clock)
{
    /// <param name="token">From the link.</param>
    /// <param name="password">12 to 200 characters that the rules let through.</param>
    /// <exception cref="RefusedException"><c>password.link_invalid</c>, and what the rules for passwords say.</exception>
    public async Task ByLinkAsync(string? token, string? password, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (hash, now) = (FirstAdmin.HashOf(token ?? ""), clock.GetUtcNow());
        var owner = await db.Database.SqlQuery<Guid>($"""select user_id as "Value" from camino.staff_links where hash = {hash} and expires_at > {now} for update""").ToListAsync(ct);
        var user = owner.Count == 0 ? null : await db.UserForChangeAsync(owner[0], ct);
        Refuse.If(user is null || user.IsDisabled, "password.link_invalid", "This link was used, has expired or is not the newest one; ask an administrator for a new one.");
        await db.Database.ExecuteSqlAsync($"delete from camino.staff_links where user_id = {user.Id}", ct);
        await SetAsync(user, password, "user.password_chosen", ct);
        await transaction.CommitAsync(ct);
    }

    /// <param name="present">The password until now.</param>
    /// <param name="password">12 to 200 characters that the rules let through.</param>
    /// <exception cref="RefusedException"><c>password.wrong</c>, and what the rules for passwords say.</exception>
    public async Task ByPasswordAsync(Guid userId, string? present, string? password, CancellationToken ct)
    {
        // counted like a sign-in, so that whoever found an open browser cannot try passwords here either
        var asking = await users.FindByIdAsync(userId.ToString());
        var isRight = asking is not null && !await users.IsLockedOutAsync(asking) && await users.CheckPasswordAsync(asking, present ?? "");
        if (asking is not null && !isRight)
            await users.AccessFailedAsync(asking);
        Refuse.If(asking is null || !isRight, "password.wrong", "The present password is another one, or was wrong too often; then wait some minutes.");

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await SetAsync(await db.UserForChangeAsync(userId, ct), password, "user.password_changed", ct);
        await transaction.CommitAsync(ct);
    }

    private async Task SetAsync(StaffUser user, string? password, string action, CancellationToken ct)
    {
        rules.Check(password, user);
        user.LockoutEnd = null;
        user.AccessFailedCount = 0;
        user.PasswordHash = users.PasswordHasher.HashPassword(user, password ?? "");
        await users.UpdateSecurityStampAsync(user);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), user.Id, action, "user", user.Id.ToString()));
        await db.SaveChangesAsync(ct);
    }
}
