using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>Adds a user who chooses the password by a one-time link; nobody else ever knows one. In the Back Office a second person approves every role but that of who only looks.</summary>
public sealed class AddStaff(CaminoDb db, UserManager<StaffUser> users, OfferPasswordLink offer, ChangeRoles change, TimeProvider clock)
{
    /// <summary>With all the roles at once: an operator at the shell.</summary>
    /// <param name="email">Becomes the name to sign in with.</param>
    /// <param name="name">Shown on pages, 1 to 100 characters.</param>
    /// <param name="roles">One or more of <see cref="StaffRoles.All"/>.</param>
    /// <returns>The user's id, and the token of the link.</returns>
    /// <exception cref="RefusedException"><c>user.email</c>, <c>user.name</c>, <c>user.roles</c>, <c>user.exists</c>.</exception>
    public async Task<(Guid Id, string Token)> RunAsync(string? email, string? name, IEnumerable<string?>? roles, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var given = StaffActs.Roles(roles);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var added = await AddAsync(email, name, given, actor, ct);
        await transaction.CommitAsync(ct);
        return added;
    }

    /// <summary>As one who only looks, and asks for the other roles.</summary>
    /// <param name="by">The administrator.</param>
    /// <returns>The token of the link, and the request for the roles; null where there is nothing to ask for.</returns>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>.</exception>
    public async Task<(string Token, AskedApproval? Asked)> AskAsync(string? email, string? name, IEnumerable<string?>? roles, Guid by, CancellationToken ct)
    {
        var wanted = StaffActs.Roles(roles);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (id, token) = await AddAsync(email, name, [StaffRoles.Viewer], new StaffActor(by, null), ct);
        var asked = wanted is [StaffRoles.Viewer] ? null : await change.AskAsync(id, [StaffRoles.Viewer], wanted, "", by, ct);
        await transaction.CommitAsync(ct);
        return (token, asked);
    }

    private async Task<(Guid Id, string Token)> AddAsync(string? email, string? name, IReadOnlyList<string> roles, StaffActor actor, CancellationToken ct)
    {
        var address = StaffActs.Email(email);
        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = address, Email = address, EmailConfirmed = true, DisplayName = StaffActs.Name(name) };
        var created = await users.CreateAsync(user);
        Refuse.If(!created.Succeeded, "user.exists", "A user with this e-mail is there already; it may be disabled.");
        await users.AddToRolesAsync(user, roles);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.added", user.Id, new { roles }));
        var token = await offer.StoreAsync(user.Id, ct);
        await db.SaveChangesAsync(ct);
        return (user.Id, token);
    }
}
