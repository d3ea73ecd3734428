using Camino.Data;
using Camino.Lending;
using Camino.People;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Branches;

/// <summary>Adds branches and teams, gives them other names, closes and opens them. Whoever is bound to branches does none of it.</summary>
public sealed class KeepBranch(CaminoDb db, TimeProvider clock)
{
    private sealed record Stored(Guid Id, string Code, string Name, Guid? ParentId, bool IsClosed);

    /// <param name="parent">Code of the branch of which it is a team; null: it is a branch.</param>
    /// <exception cref="RefusedException"><c>branch.code</c>, <c>branch.name</c>, <c>branch.parent</c>, <c>branch.exists</c>, <c>branch.house</c>.</exception>
    public async Task<BranchAnswer> AddAsync(string? code, string? name, string? parent, StaffActor actor, CancellationToken ct)
    {
        OfTheHouse();
        var (given, called) = (BranchTable.Code(code), BranchTable.Name(name));
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var parentId = string.IsNullOrWhiteSpace(parent) ? null : await ParentAsync(parent, ct);
        var id = Guid.CreateVersion7(at);
        var rows = await db.Database.ExecuteSqlAsync(
            $"insert into camino.branches (id, code, name, parent_id, created_at, created_by) values ({id}, {given}, {called}, {parentId}, {at}, {actor.UserId}) on conflict (code) do nothing", ct);
        Refuse.If(rows == 0, "branch.exists", $"There is a branch {given} already.");
        db.AuditEntries.Add(BranchTable.Entry(at, actor, "branch.added", "branch", id, new { code = given, name = called, parentId }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new BranchAnswer(id, given);
    }

    /// <summary>Gives it another name; the code stays.</summary>
    /// <exception cref="RefusedException"><c>branch.name</c>, <c>branch.not_found</c>, <c>branch.house</c>.</exception>
    public Task<BranchAnswer> RenameAsync(Guid id, string? name, StaffActor actor, CancellationToken ct)
    {
        var called = BranchTable.Name(name);
        return ChangeAsync(id, "branch.renamed", actor, branch => new { before = branch.Name, after = called }, _ => db.Database.ExecuteSqlAsync($"update camino.branches set name = {called}, version = version + 1 where id = {id}", ct), ct);
    }

    /// <summary>Nothing new goes into a closed branch; what is in it stays, and whoever is bound to it goes on seeing it.</summary>
    /// <exception cref="RefusedException"><c>branch.reason</c>, <c>branch.not_found</c>, <c>branch.state</c>, <c>branch.teams</c>, <c>branch.house</c>.</exception>
    public Task<BranchAnswer> CloseAsync(Guid id, string? reason, StaffActor actor, CancellationToken ct)
    {
        var why = BranchTable.Reason(reason);
        var at = clock.GetUtcNow();
        return ChangeAsync(id, "branch.closed", actor, _ => new { reason = why }, async branch =>
        {
            Refuse.If(branch.IsClosed, "branch.state", $"Branch {branch.Code} is closed already.");
            var teams = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.branches where parent_id = {id} and closed_at is null").SingleAsync(ct);
            Refuse.If(teams > 0, "branch.teams", $"Branch {branch.Code} has open teams: {teams}. Close them first.");
            await db.Database.ExecuteSqlAsync($"update camino.branches set closed_at = {at}, version = version + 1 where id = {id}", ct);
        }, ct);
    }

    /// <exception cref="RefusedException"><c>branch.reason</c>, <c>branch.not_found</c>, <c>branch.state</c>, <c>branch.parent</c>, <c>branch.house</c>.</exception>
    public Task<BranchAnswer> OpenAsync(Guid id, string? reason, StaffActor actor, CancellationToken ct)
    {
        var why = BranchTable.Reason(reason);
        return ChangeAsync(id, "branch.opened", actor, _ => new { reason = why }, async branch =>
        {
            Refuse.If(!branch.IsClosed, "branch.state", $"Branch {branch.Code} is open already.");
            if (branch.ParentId is { } parent)
                Refuse.If(await db.Database.SqlQuery<bool>($"select closed_at is not null as \"Value\" from camino.branches where id = {parent}").SingleAsync(ct), "branch.parent", $"The branch of team {branch.Code} is closed; open it first.");
            await db.Database.ExecuteSqlAsync($"update camino.branches set closed_at = null, version = version + 1 where id = {id}", ct);
        }, ct);
    }

    private void OfTheHouse() => Refuse.If(db.Scope.IsBound, "branch.house", "This is about the whole house; you are bound to branches. Ask somebody who is not.");

    private async Task<Guid?> ParentAsync(string parent, CancellationToken ct)
    {
        var code = parent.Trim().ToUpperInvariant();
        var found = code.Length > 20 ? [] : await db.Database.SqlQuery<Stored>($"select id as \"Id\", code as \"Code\", name as \"Name\", parent_id as \"ParentId\", closed_at is not null as \"IsClosed\" from camino.branches where code = {code} for share").ToListAsync(ct);
        Refuse.If(found is not [{ IsClosed: false, ParentId: null }], "branch.parent", $"A team is of an open branch that is no team itself; got {InputText.Short(parent)}.");
        return found[0].Id;
    }

    private async Task<BranchAnswer> ChangeAsync(Guid id, string action, StaffActor actor, Func<Stored, object> details, Func<Stored, Task> change, CancellationToken ct)
    {
        OfTheHouse();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var found = await db.Database.SqlQuery<Stored>($"select id as \"Id\", code as \"Code\", name as \"Name\", parent_id as \"ParentId\", closed_at is not null as \"IsClosed\" from camino.branches where id = {id} for update").ToListAsync(ct);
        Refuse.If(found.Count == 0, "branch.not_found", $"There is no branch {id}.");
        await change(found[0]);
        db.AuditEntries.Add(BranchTable.Entry(clock.GetUtcNow(), actor, action, "branch", id, details(found[0])));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new BranchAnswer(id, found[0].Code);
    }
}
