using System.Security.Cryptography;
using System.Text.Json;
using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>What somebody may do about the link of a user.</summary>
public enum PasswordLinkStand
{
    /// <summary>Make it at once: the user was never in.</summary>
    First,

    /// <summary>Make it once: a second person approved it.</summary>
    Granted,

    /// <summary>Ask for it.</summary>
    NeedsApproval,
}

/// <summary>A link for the password, as it waits for a second person.</summary>
/// <param name="HadPassword">Whether the user had one when it was asked for.</param>
public sealed record FrozenLink(bool HadPassword);

/// <summary>
/// Makes the one-time link with which a user chooses a password, at the beginning or when it was forgotten. A new link makes the one before useless.
/// For somebody who was in already, a second person approves it first: whoever asked then makes it once, and nobody else ever sees it.
/// </summary>
public sealed class OfferPasswordLink(CaminoDb db, AskApproval ask, TimeProvider clock)
{
    /// <summary>The link works for so long; so long, too, whoever asked may make it after it was approved.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>At once and by one person: an operator at the shell.</summary>
    /// <returns>The token for the link; only its hash is kept.</returns>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.disabled</c>.</exception>
    public async Task<string> RunAsync(Guid userId, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await CheckAsync(userId, ct);
        var token = await MakeAsync(userId, actor, null, ct);
        await transaction.CommitAsync(ct);
        return token;
    }

    /// <summary>Makes it where that needs no second person any more, and asks for it otherwise.</summary>
    /// <param name="reason">Why; only where it is asked for.</param>
    /// <param name="by">The administrator.</param>
    /// <returns>The token for the link, or the request; never both.</returns>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.disabled</c>, <c>user.reason</c>, <c>approval.waiting</c>.</exception>
    public async Task<(string? Token, AskedApproval? Asked)> AskAsync(Guid userId, string? reason, Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await CheckAsync(userId, ct);
        string? token = null;
        AskedApproval? asked = null;
        var now = clock.GetUtcNow();
        var grant = await db.Database.SqlQuery<Guid>(
            $"""
            update camino.staff_link_grants set used_at = {now} where approval_id = (
                select g.approval_id from camino.staff_link_grants g where g.user_id = {userId} and g.granted_to = {by} and g.used_at is null and g.expires_at > {now} order by g.expires_at limit 1)
            returning approval_id as "Value"
            """).ToListAsync(ct);
        if (grant.Count > 0 || !await WasInAsync(userId, ct))
        {
            token = await MakeAsync(userId, new StaffActor(by, null), grant.Count > 0 ? grant[0] : null, ct);
        }
        else
        {
            var why = StaffActs.Reason(reason);
            asked = await ask.AddAsync(new FrozenAct(ApprovalKinds.PasswordLink, "user", userId.ToString(), null, JsonSerializer.Serialize(new FrozenLink(user.PasswordHash is not null), JsonSerializerOptions.Web), why), by, ct);
        }

        await transaction.CommitAsync(ct);
        return (token, asked);
    }

    /// <summary>What an administrator would meet.</summary>
    public async Task<PasswordLinkStand> StandAsync(Guid userId, Guid by, CancellationToken ct)
    {
        var isGranted = await db.Database.SqlQuery<bool>(
            $"""select exists (select from camino.staff_link_grants where user_id = {userId} and granted_to = {by} and used_at is null and expires_at > {clock.GetUtcNow()}) as "Value" """).SingleAsync(ct);
        return isGranted ? PasswordLinkStand.Granted : await WasInAsync(userId, ct) ? PasswordLinkStand.NeedsApproval : PasswordLinkStand.First;
    }

    /// <summary>What a second person approved: whoever asked may make the link once, in the caller's transaction.</summary>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.disabled</c>.</exception>
    internal async Task<FrozenLink> RunApprovedAsync(Guid userId, Approval approval, ApprovalRun run, CancellationToken ct)
    {
        await CheckAsync(userId, ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.staff_link_grants (approval_id, user_id, granted_to, expires_at) values ({approval.Id}, {userId}, {approval.AskedBy}, {run.At + Lifetime})", ct);
        db.AuditEntries.Add(StaffActs.Entry(clock, new StaffActor(run.By, null), "user.link_granted", userId, new { approval = approval.Id, askedBy = approval.AskedBy, hours = (int)Lifetime.TotalHours }));
        await db.SaveChangesAsync(ct);
        return approval.Read<FrozenLink>();
    }

    internal async Task<string> StoreAsync(Guid userId, CancellationToken ct)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var (hash, now) = (FirstAdmin.HashOf(token), clock.GetUtcNow());
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.staff_links (user_id, hash, made_at, expires_at) values ({userId}, {hash}, {now}, {now + Lifetime})
            on conflict (user_id) do update set hash = excluded.hash, made_at = excluded.made_at, expires_at = excluded.expires_at
            """, ct);
        return token;
    }

    private async Task<StaffUser> CheckAsync(Guid userId, CancellationToken ct)
    {
        var user = await db.UserForChangeAsync(userId, ct);
        Refuse.If(user.IsDisabled, "user.disabled", "The user is disabled; enable the account first.");
        return user;
    }

    private async Task<string> MakeAsync(Guid userId, StaffActor actor, Guid? approval, CancellationToken ct)
    {
        var token = await StoreAsync(userId, ct);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.link_made", userId, new { hours = (int)Lifetime.TotalHours, approval }));
        await db.SaveChangesAsync(ct);
        return token;
    }

    /// <summary>Whether anything could be taken over: a password, a second factor, a login of the company, a session that ever was.</summary>
    private Task<bool> WasInAsync(Guid userId, CancellationToken ct) => db.Database.SqlQuery<bool>(
        $"""
        select exists (select from camino.staff_users u where u.id = {userId} and (u.password_hash is not null or u.two_factor_enabled))
            or exists (select from camino.staff_sessions s where s.user_id = {userId})
            or exists (select from camino.staff_user_logins l where l.user_id = {userId}) as "Value"
        """).SingleAsync(ct);
}
