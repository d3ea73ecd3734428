using System.Security.Cryptography;
using Camino.Audit;
using Camino.Branches;
using Camino.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>One demo user as it is printed at the start.</summary>
public sealed record DemoUser(string Email, string Password, string Role);

/// <summary>Makes invented users for trying Camino out, one per role, marked as demo everywhere.</summary>
public sealed class SeedDemo(CaminoDb db, UserManager<StaffUser> users, AddApiKey addApiKey, TimeProvider clock)
{
    /// <summary>One for each role, and one who is bound to a branch; the officer stands in for servicing too, as in a small house, so that one person can show a loan from booking to payment.</summary>
    private static readonly (string Name, string DisplayName, string[] Roles)[] s_people =
    [
        ("admin", "Alma Reyes (demo)", [StaffRoles.Administrator]),
        ("officer", "Owen Brandt (demo)", [StaffRoles.Officer, StaffRoles.Servicing]),
        ("underwriter", "Uma Castellanos (demo)", [StaffRoles.Underwriter]),
        ("servicing", "Silas Moreau (demo)", [StaffRoles.Servicing]),
        ("collections", "Clara Nowak (demo)", [StaffRoles.Collections]),
        ("accountant", "Amir Haddad (demo)", [StaffRoles.Accountant]),
        ("viewer", "Vera Lindqvist (demo)", [StaffRoles.Viewer]),
        ("branch", "Bruno Salazar (demo)", [StaffRoles.Officer, StaffRoles.Servicing]),
    ];

    private static readonly (string Code, string Name)[] s_branches = [("SAV", "Savannah (demo)"), ("ATL", "Atlanta (demo)")];

    /// <summary>Creates the users that are missing.</summary>
    /// <param name="password">The password of all demo users in this data folder.</param>
    /// <returns>All demo users.</returns>
    public async Task<IReadOnlyList<DemoUser>> RunAsync(string password, CancellationToken ct)
    {
        var made = new List<DemoUser>();
        foreach (var (name, displayName, roles) in s_people)
        {
            var email = $"{name}@demo.camino.example";
            made.Add(new DemoUser(email, password, string.Join(", ", roles)));
            if (await users.FindByEmailAsync(email) is { } known)
            {
                if (!await users.CheckPasswordAsync(known, password))
                {
                    await users.RemovePasswordAsync(known);
                    Check(await users.AddPasswordAsync(known, password));
                }

                // a data folder of an earlier release knows fewer roles
                foreach (var role in roles.Except(await users.GetRolesAsync(known), StringComparer.Ordinal))
                    Check(await users.AddToRoleAsync(known, role));
                continue;
            }

            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = email, Email = email, EmailConfirmed = true, DisplayName = displayName, IsDemo = true };
            Check(await users.CreateAsync(user, password));
            Check(await users.AddToRolesAsync(user, roles));
            db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), null, "user.demo_created", "user", user.Id.ToString()));
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
        }

        await BranchesAsync(ct);
        return made;
    }

    /// <summary>Two branches, and one user who is bound to the first of them.</summary>
    private async Task BranchesAsync(CancellationToken ct)
    {
        if (await db.Database.SqlQuery<bool>($"select exists (select from camino.branches) as \"Value\"").SingleAsync(ct))
            return;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        foreach (var (code, name) in s_branches)
        {
            var (id, at) = (Guid.CreateVersion7(), clock.GetUtcNow());
            await db.Database.ExecuteSqlAsync($"insert into camino.branches (id, code, name, created_at) values ({id}, {code}, {name}, {at})", ct);
            db.AuditEntries.Add(BranchTable.Entry(at, new StaffActor(null, "demo"), "branch.added", "branch", id, new { code, name }));
        }

        await db.Database.ExecuteSqlAsync($"insert into camino.staff_branches (user_id, branch_id) select u.id, r.id from camino.staff_users u, camino.branches r where u.user_name = 'branch@demo.camino.example' and r.code = {s_branches[0].Code}", ct);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>The demo officer, in whose name demo data are made.</summary>
    public Task<Guid> OfficerIdAsync(CancellationToken ct) => db.Users.Where(u => u.UserName == "officer@demo.camino.example").Select(u => u.Id).FirstAsync(ct);

    /// <summary>A key for the command line and the smoke test, in the name of the demo officer.</summary>
    public async Task<string> AddKeyAsync(string name, CancellationToken ct)
    {
        var officer = await db.Users.FirstAsync(u => u.UserName == "officer@demo.camino.example", ct);
        return await addApiKey.RunAsync(name, officer.Id, ct);
    }

    /// <summary>True while that key opens something.</summary>
    public Task<bool> KnowsKeyAsync(string key, CancellationToken ct)
    {
        var hash = AddApiKey.HashOf(key);
        return db.ApiKeys.AnyAsync(k => k.Hash == hash && k.RevokedAt == null, ct);
    }

    /// <summary>Five groups of four letters and digits that nobody mistakes for one another.</summary>
    public static string NewPassword() => string.Join('-', Enumerable.Range(0, 5).Select(_ => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 4)));

    private static void Check(IdentityResult result)
    {
        if (!result.Succeeded)
            throw new InvalidOperationException(string.Join(" ", result.Errors.Select(e => e.Description)));
    }
}
