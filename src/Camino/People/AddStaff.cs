using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>Adds a user who chooses the password by a one-time link; nobody else ever knows one.</summary>
public sealed class AddStaff(CaminoDb db, UserManager<StaffUser> users, OfferPasswordLink offer, TimeProvider clock)
{
    /// <param name="email">Becomes the name to sign in with.</param>
    /// <param name="name">Shown on pages, 1 to 100 characters.</param>
    /// <param name="roles">One or more of <see cref="StaffRoles.All"/>.</param>
    /// <returns>The user's id, and the token of the link.</returns>
    /// <exception cref="RefusedException"><c>user.email</c>, <c>user.name</c>, <c>user.roles</c>, <c>user.exists</c>.</exception>
    public async Task<(Guid Id, string Token)> RunAsync(string? email, string? name, IEnumerable<string?>? roles, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var address = StaffActs.Email(email);
        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = address, Email = address, EmailConfirmed = true, DisplayName = StaffActs.Name(name) };
        var given = StaffActs.Roles(roles);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var created = await users.CreateAsync(user);
        Refuse.If(!created.Succeeded, "user.exists", "A user with this e-mail is there already; it may be disabled.");
        await users.AddToRolesAsync(user, given);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.added", user.Id, new { roles = given }));
        var token = await offer.StoreAsync(user.Id, ct);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (user.Id, token);
    }
}
