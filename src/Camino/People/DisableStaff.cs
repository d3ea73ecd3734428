using Camino.Data;
using Camino.Lending;
using Camino.Tasks;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Disables a user, whose sessions end in the same transaction, whose keys open nothing from then on and whose open tasks go back to everybody; or lets the user in again.</summary>
public sealed class DisableStaff(CaminoDb db, UserManager<StaffUser> users, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.reason</c>, <c>user.self</c>, <c>user.last_administrator</c>, <c>user.already</c>.</exception>
    public Task DisableAsync(Guid userId, string? reason, StaffActor actor, CancellationToken ct) => RunAsync(userId, isDisabled: true, reason, actor, ct);

    /// <summary>The password stays the one that it was; sessions that ended stay ended.</summary>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.reason</c>, <c>user.self</c>, <c>user.already</c>.</exception>
    public Task EnableAsync(Guid userId, string? reason, StaffActor actor, CancellationToken ct) => RunAsync(userId, isDisabled: false, reason, actor, ct);

    private async Task RunAsync(Guid userId, bool isDisabled, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = StaffActs.Reason(reason);
        StaffActs.NotOneself(actor, userId);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (isDisabled)
            await db.KeepAnAdministratorAsync(userId, ct);
        var user = await db.UserForChangeAsync(userId, ct);
        Refuse.If(user.IsDisabled == isDisabled, "user.already", $"The user is {(isDisabled ? "disabled" : "enabled")} already.");
        user.LockoutEnabled = true;
        user.LockoutEnd = isDisabled ? DateTimeOffset.MaxValue : null;
        user.AccessFailedCount = 0;
        if (isDisabled)
            await db.Database.ExecuteSqlAsync($"delete from camino.staff_links where user_id = {userId}", ct);
        await users.UpdateAsync(user);
        var tasks = isDisabled ? await db.GiveBackTasksAsync(userId, actor, clock.GetUtcNow(), ct) : 0;
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, isDisabled ? "user.disabled" : "user.enabled", userId, tasks == 0 ? new { reason = why } : new { reason = why, tasks }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
