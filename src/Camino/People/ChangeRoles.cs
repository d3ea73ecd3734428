using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>Gives a user exactly these roles; the user's sessions end in the same transaction, so that the next sign-in has them.</summary>
public sealed class ChangeRoles(CaminoDb db, UserManager<StaffUser> users, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.roles</c>, <c>user.reason</c>, <c>user.self</c>, <c>user.last_administrator</c>, <c>user.already</c>.</exception>
    public async Task RunAsync(Guid userId, IEnumerable<string?>? roles, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var wanted = StaffActs.Roles(roles);
        var why = StaffActs.Reason(reason);
        StaffActs.NotOneself(actor, userId);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!wanted.Contains(StaffRoles.Administrator))
            await db.KeepAnAdministratorAsync(userId, ct);
        var user = await db.UserForChangeAsync(userId, ct);
        var before = (await users.GetRolesAsync(user)).Order(StringComparer.Ordinal).ToList();
        Refuse.If(before.ToHashSet(StringComparer.Ordinal).SetEquals(wanted), "user.already", "The user has these roles already.");
        await users.RemoveFromRolesAsync(user, before.Except(wanted, StringComparer.Ordinal));
        await users.AddToRolesAsync(user, wanted.Except(before, StringComparer.Ordinal));
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.roles_changed", userId, new { before, after = wanted, reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
