using System.Net.Mail;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Who does something to a user: an administrator on a page, or an operator at the shell.</summary>
/// <param name="UserId">The administrator; null for an operator.</param>
/// <param name="Operator">The operator's name on the machine; null for an administrator.</param>
public sealed record StaffActor(Guid? UserId, string? Operator);

/// <summary>What the acts on users have in common: how their input is read, who may not be touched, how they are written down.</summary>
internal static class StaffActs
{
    public const int LongestEmail = 254;
    public const int LongestName = 100;

    /// <exception cref="RefusedException"><c>user.email</c>.</exception>
    public static string Email(string? text)
    {
        var email = text?.Trim() ?? "";
        Refuse.If(
            email.Length is 0 or > LongestEmail || !MailAddress.TryCreate(email, out var read) || read.Address != email || !email.All(letter => letter is > ' ' and <= '~'),
            "user.email",
            $"email has {email.Length} characters and is no address; it must be one such as name@lender.example, at most {LongestEmail} characters.");
        return email;
    }

    /// <exception cref="RefusedException"><c>user.name</c>.</exception>
    public static string Name(string? text)
    {
        var name = text?.Trim() ?? "";
        Refuse.If(name.Length is 0 or > LongestName || name.Any(char.IsControl), "user.name", $"name has {name.Length} characters; it must have 1 to {LongestName}, without control characters.");
        return name;
    }

    /// <exception cref="RefusedException"><c>user.roles</c>.</exception>
    public static IReadOnlyList<string> Roles(IEnumerable<string?>? names)
    {
        var roles = (names ?? []).Select(name => name?.Trim() ?? "").Where(name => name.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var wrong = roles.Find(role => !StaffRoles.All.Contains(role));
        Refuse.If(roles.Count == 0 || wrong is not null, "user.roles", $"role is \"{(wrong is { Length: > 40 } ? wrong[..40] : wrong)}\"; it must be one or more of {string.Join(", ", StaffRoles.All)}.");
        return roles;
    }

    /// <exception cref="RefusedException"><c>user.reason</c>.</exception>
    public static string Reason(string? text)
    {
        var reason = text?.Trim() ?? "";
        Refuse.If(reason.Length is < 3 or > 300 || reason.Contains('\0', StringComparison.Ordinal), "user.reason", $"reason has {reason.Length} characters; say in 3 to 300 why.");
        return reason;
    }

    /// <summary>The user, whose row others wait for until the transaction ends.</summary>
    /// <exception cref="RefusedException"><c>user.not_found</c>.</exception>
    public static async Task<StaffUser> UserForChangeAsync(this CaminoDb db, Guid id, CancellationToken ct) =>
        (await db.Users.FromSql($"select * from camino.staff_users where id = {id} for update").Where(user => user.Id == id).ToListAsync(ct)).FirstOrDefault()
        ?? throw new RefusedException("user.not_found", "There is no such user.");

    /// <summary>Somebody must be left who can administer. Two administrators who take each other out at one moment wait for each other here.</summary>
    /// <exception cref="RefusedException"><c>user.last_administrator</c>.</exception>
    public static async Task KeepAnAdministratorAsync(this CaminoDb db, Guid without, CancellationToken ct)
    {
        // the lock in one statement, the look in the next: a statement that waited would still see what was before
        await db.Database.ExecuteSqlAsync($"select from camino.staff_roles where name = {StaffRoles.Administrator} for update", ct);
        var others = await db.Database.SqlQuery<Guid>(
            $"""
            select link.user_id as "Value" from camino.staff_user_roles link
            join camino.staff_roles role on role.id = link.role_id
            join camino.staff_users one on one.id = link.user_id
            where role.name = {StaffRoles.Administrator} and one.lockout_end is distinct from 'infinity'
            """).ToListAsync(ct);
        Refuse.If(others.Contains(without) && others.Count == 1, "user.last_administrator", "This is the last administrator who can sign in; make another one first.");
    }

    /// <summary>Nobody changes the own rights, and nobody locks the door behind oneself.</summary>
    /// <exception cref="RefusedException"><c>user.self</c>.</exception>
    public static void NotOneself(StaffActor actor, Guid user) =>
        Refuse.If(actor.UserId == user, "user.self", "Nobody changes the own roles or disables the own account; ask another administrator.");

    public static AuditEntry Entry(TimeProvider clock, StaffActor actor, string action, Guid user, object details)
    {
        var written = JsonSerializer.SerializeToNode(details, JsonSerializerOptions.Web)?.AsObject() ?? [];
        if (actor.Operator is { } name)
            written["operator"] = name;
        return new AuditEntry(clock.GetUtcNow(), actor.UserId, action, "user", user.ToString(), written.ToJsonString(JsonSerializerOptions.Web));
    }
}
