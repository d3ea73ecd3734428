using System.Text.Json;
using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>Other roles for a user, as they wait for a second person.</summary>
/// <param name="Before">What the user had when it was asked for.</param>
/// <param name="Roles">All that the user shall have.</param>
public sealed record FrozenRoles(IReadOnlyList<string> Before, IReadOnlyList<string> Roles);

/// <summary>Gives a user exactly these roles; the user's sessions end in the same transaction, so that the next sign-in has them. In the Back Office a second person approves it.</summary>
public sealed class ChangeRoles(CaminoDb db, UserManager<StaffUser> users, AskApproval ask, TimeProvider clock)
{
    /// <summary>At once and by one person: an operator at the shell.</summary>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.roles</c>, <c>user.reason</c>, <c>user.self</c>, <c>user.last_administrator</c>, <c>user.already</c>.</exception>
    public async Task RunAsync(Guid userId, IEnumerable<string?>? roles, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var wanted = StaffActs.Roles(roles);
        var why = StaffActs.Reason(reason);
        StaffActs.NotOneself(actor, userId);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (user, before) = await CheckAsync(userId, wanted, ct);
        await GiveAsync(user, before, wanted);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.roles_changed", userId, new { before, after = wanted, reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Asks for it; the roles change when a second person approves.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>; <c>approval.waiting</c>.</exception>
    public async Task<AskedApproval> AskAsync(Guid userId, IEnumerable<string?>? roles, string? reason, Guid by, CancellationToken ct)
    {
        var wanted = StaffActs.Roles(roles);
        var why = StaffActs.Reason(reason);
        StaffActs.NotOneself(new StaffActor(by, null), userId);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (_, before) = await CheckAsync(userId, wanted, ct);
        var asked = await AskAsync(userId, before, wanted, why, by, ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    /// <summary>Puts the request into the caller's transaction.</summary>
    internal Task<AskedApproval> AskAsync(Guid userId, IReadOnlyList<string> before, IReadOnlyList<string> wanted, string why, Guid by, CancellationToken ct) =>
        ask.AddAsync(new FrozenAct(ApprovalKinds.Roles, "user", userId.ToString(), null, JsonSerializer.Serialize(new FrozenRoles(before, [.. wanted.Order(StringComparer.Ordinal)]), JsonSerializerOptions.Web), why), by, ct);

    /// <summary>Carries out what a second person approved, in the caller's transaction.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>; <c>user.changed</c>.</exception>
    internal async Task<FrozenRoles> RunApprovedAsync(Guid userId, FrozenRoles frozen, Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var (user, before) = await CheckAsync(userId, frozen.Roles, ct);
        Refuse.If(!before.SequenceEqual(frozen.Before, StringComparer.Ordinal), "user.changed", "The user's roles were changed after this was asked for; ask anew.");
        await GiveAsync(user, before, frozen.Roles);
        db.AuditEntries.Add(StaffActs.Entry(clock, new StaffActor(run.By, null), "user.roles_changed", userId, new { before, after = frozen.Roles, reason = approval.Reason, approval = approval.Id, askedBy = approval.AskedBy }));
        await db.SaveChangesAsync(ct);
        return frozen;
    }

    private async Task<(StaffUser User, List<string> Before)> CheckAsync(Guid userId, IReadOnlyList<string> wanted, CancellationToken ct)
    {
        if (!wanted.Contains(StaffRoles.Administrator))
            await db.KeepAnAdministratorAsync(userId, ct);
        var user = await db.UserForChangeAsync(userId, ct);
        var before = (await users.GetRolesAsync(user)).Order(StringComparer.Ordinal).ToList();
        Refuse.If(before.ToHashSet(StringComparer.Ordinal).SetEquals(wanted), "user.already", "The user has these roles already.");
        return (user, before);
    }

    private async Task GiveAsync(StaffUser user, List<string> before, IReadOnlyList<string> wanted)
    {
        await users.RemoveFromRolesAsync(user, before.Except(wanted, StringComparer.Ordinal));
        await users.AddToRolesAsync(user, wanted.Except(before, StringComparer.Ordinal));
    }
}
