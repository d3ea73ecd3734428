using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Branches;

/// <summary>Binds users and API clients to exactly these branches; to none: they see everything. The next request has it, on every server.</summary>
public sealed class BindBranches(CaminoDb db, TimeProvider clock)
{
    /// <summary>Branches that somebody is bound to at most.</summary>
    public const int Most = 50;

    /// <exception cref="RefusedException"><c>branch.*</c>, <c>user.not_found</c>, <c>user.self</c>.</exception>
    public async Task StaffAsync(Guid userId, IEnumerable<Guid>? branches, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = BranchTable.Reason(reason);
        Refuse.If(actor.UserId == userId, "user.self", "Nobody changes the own branches; ask another administrator.");
        var wanted = Wanted(branches);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.UserForChangeAsync(userId, ct);
        if (wanted.Length > 0)
            await KeepAnAdministratorAsync(userId, ct);
        await CheckAsync(wanted, ct);
        var before = await db.Database.SqlQuery<Guid>($"select branch_id as \"Value\" from camino.staff_branches where user_id = {userId}").ToListAsync(ct);
        Refuse.If(before.ToHashSet().SetEquals(wanted), "branch.bound", "These are the branches already.");
        await db.Database.ExecuteSqlAsync($"delete from camino.staff_branches where user_id = {userId}", ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.staff_branches (user_id, branch_id) select {userId}, id from unnest({wanted}) id", ct);
        db.AuditEntries.Add(BranchTable.Entry(clock.GetUtcNow(), actor, "user.branches", "user", userId, new { before, after = wanted, reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <exception cref="RefusedException"><c>branch.*</c>, <c>client.not_found</c>.</exception>
    public async Task ClientAsync(Guid clientId, IEnumerable<Guid>? branches, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = BranchTable.Reason(reason);
        var wanted = Wanted(branches);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var there = await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.api_clients where id = {clientId} for update").ToListAsync(ct);
        Refuse.If(there.Count == 0, "client.not_found", "There is no such client.");
        await CheckAsync(wanted, ct);
        var before = await db.Database.SqlQuery<Guid>($"select branch_id as \"Value\" from camino.api_client_branches where client_id = {clientId}").ToListAsync(ct);
        Refuse.If(before.ToHashSet().SetEquals(wanted), "branch.bound", "These are the branches already.");
        await db.Database.ExecuteSqlAsync($"delete from camino.api_client_branches where client_id = {clientId}", ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.api_client_branches (client_id, branch_id) select {clientId}, id from unnest({wanted}) id", ct);
        db.AuditEntries.Add(BranchTable.Entry(clock.GetUtcNow(), actor, "client.branches", "client", clientId, new { before, after = wanted, reason = why }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private Guid[] Wanted(IEnumerable<Guid>? branches)
    {
        Refuse.If(db.Scope.IsBound, "branch.house", "This is about the whole house; you are bound to branches. Ask somebody who is not.");
        var wanted = (branches ?? []).Distinct().ToArray();
        Refuse.If(wanted.Length > Most, "branch.too_many", $"Somebody is bound to at most {Most} branches; got {wanted.Length}.");
        return wanted;
    }

    private async Task CheckAsync(Guid[] wanted, CancellationToken ct)
    {
        var known = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.branches where id = any({wanted})").SingleAsync(ct);
        Refuse.If(known != wanted.Length, "branch.not_found", "One of these branches is not there; look again.");
    }

    /// <summary>Somebody must be left who administers the whole house. Two who bind each other at one moment wait for each other here.</summary>
    private async Task KeepAnAdministratorAsync(Guid without, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select from camino.staff_roles where name = {StaffRoles.Administrator} for update", ct);
        var free = await db.Database.SqlQuery<Guid>(
            $"""
            select link.user_id as "Value" from camino.staff_user_roles link join camino.staff_roles role on role.id = link.role_id join camino.staff_users one on one.id = link.user_id
            where role.name = {StaffRoles.Administrator} and one.lockout_end is distinct from 'infinity' and not exists (select from camino.staff_branches bound where bound.user_id = link.user_id)
            """).ToListAsync(ct);
        Refuse.If(free.Contains(without) && free.Count == 1, "branch.last_administrator", "This is the last administrator who sees the whole house; make another one first.");
    }
}
