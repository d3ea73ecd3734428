using System.Security.Cryptography;
using System.Text;
using Camino.Approvals;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Web;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Who must have a second factor.</summary>
/// <param name="IsRequired">Everybody with a role that moves money; false: whoever wants one.</param>
/// <param name="IsForEverybody">Whatever the roles.</param>
public sealed record SecondFactorPolicy(bool IsRequired, bool IsForEverybody = false)
{
    /// <summary>What changes what somebody owes, what the lender is owed, or who may do so.</summary>
    private static readonly string[] s_money =
    [
        Permissions.BookLoans, Permissions.BookDisburse, Permissions.BookPayments, Permissions.BookFees, Permissions.BookWaive, Permissions.BookTerms, Permissions.BookPauses, Permissions.BookChargeOff,
        Permissions.ProductsChange, Permissions.LedgerPost, Permissions.DayClose, Permissions.PeopleManage,
    ];

    /// <summary>Whether a role may do any of that; by the table of permissions.</summary>
    public static bool MovesMoney(string role) => s_money.Any(Permissions.Of(role).Contains);

    /// <summary>Whether somebody with these roles must have one.</summary>
    public bool Asks(IEnumerable<string> roles) => IsForEverybody || (IsRequired && roles.Any(MovesMoney));
}

/// <summary>How far a user is.</summary>
/// <param name="PendingKey">The key in base 32 that the app shall take on; null when none waits for its first code.</param>
/// <param name="IsSet">A code is asked at every sign-in.</param>
/// <param name="CodesLeft">Recovery codes that were not used.</param>
public sealed record SecondFactorState(string? PendingKey, bool IsSet, int CodesLeft);

/// <summary>A user's authenticator app and recovery codes. Keys are stored encrypted with the keys of the cookies, recovery codes as hashes; no code is taken twice.</summary>
public sealed class SecondFactors(CaminoDb db, UserManager<StaffUser> users, AskApproval ask, IDataProtectionProvider protection, TimeProvider clock)
{
    /// <summary>Recovery codes that somebody has at first.</summary>
    public const int Codes = 10;

    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    private readonly IDataProtector _protector = protection.CreateProtector("Camino.SecondFactor.v1");

    private sealed record Row(string Key, bool IsConfirmed, long LastStep);

    /// <param name="session">A key that waits for its first code is shown to a session of just now alone: whoever finds an older one open copies nothing.</param>
    public async Task<SecondFactorState> StateAsync(Guid userId, Guid? session, CancellationToken ct)
    {
        var row = await RowAsync(userId, ct);
        var shows = row is { IsConfirmed: false } && await db.IsFreshAsync(session, clock.GetUtcNow(), takesUntold: true, ct);
        var left = await db.Database.SqlQuery<int>($"""select count(*)::int as "Value" from camino.staff_recovery_codes where user_id = {userId} and used_at is null""").ToListAsync(ct);
        return new SecondFactorState(row is not null && shows ? Totp.Base32(KeyOf(row)) : null, row is { IsConfirmed: true }, left[0]);
    }

    /// <summary>Makes a key that becomes the second factor when its first code is given; begun again, it is another key.</summary>
    /// <param name="session">The user's own, which must be of a sign-in of just now.</param>
    /// <exception cref="RefusedException"><c>second_factor.already</c>, <c>session.sign_in_anew</c>.</exception>
    public async Task BeginAsync(Guid userId, Guid? session, CancellationToken ct)
    {
        await db.MustBeFreshAsync(session, clock.GetUtcNow(), takesUntold: true, ct);
        var key = _protector.Protect(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Totp.KeyBytes)));
        var stored = await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.staff_second_factors (user_id, key, made_at) values ({userId}, {key}, {clock.GetUtcNow()})
            on conflict (user_id) do update set key = excluded.key, made_at = excluded.made_at, last_step = 0 where staff_second_factors.confirmed_at is null
            """, ct);
        Refuse.If(stored == 0, "second_factor.already", "There is a second factor already; an administrator can take it away.");
    }

    /// <summary>The first code proves that the app has the key: from now on one is asked at every sign-in. The user's sessions end; the caller begins a new one.</summary>
    /// <returns>The recovery codes, which are never shown again.</returns>
    /// <exception cref="RefusedException"><c>second_factor.already</c>, <c>second_factor.not_begun</c>, <c>second_factor.code</c>, <c>session.sign_in_anew</c>.</exception>
    public async Task<IReadOnlyList<string>> ConfirmAsync(Guid userId, Guid? session, string? code, CancellationToken ct)
    {
        await db.MustBeFreshAsync(session, clock.GetUtcNow(), takesUntold: true, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await db.UserForChangeAsync(userId, ct);
        var row = await RowAsync(userId, ct);
        Refuse.If(row is null, "second_factor.not_begun", "No key was made yet; begin first.");
        Refuse.If(row.IsConfirmed, "second_factor.already", "There is a second factor already; an administrator can take it away.");
        var step = Totp.StepOf(KeyOf(row), Digits(code), clock.GetUtcNow());
        Refuse.If(step is null, "second_factor.code", "code is not the one that the app shows now; it has 6 digits and counts for 30 seconds.");
        await db.Database.ExecuteSqlAsync($"update camino.staff_second_factors set confirmed_at = {clock.GetUtcNow()}, last_step = {step} where user_id = {userId}", ct);
        var codes = await NewCodesAsync(userId, ct);
        await users.SetTwoFactorEnabledAsync(user, true);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "user.second_factor_set", "user", userId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return codes;
    }

    /// <summary>New recovery codes in place of all before.</summary>
    /// <param name="code">Of the app, now.</param>
    /// <exception cref="RefusedException"><c>second_factor.not_begun</c>, <c>second_factor.code</c>.</exception>
    public async Task<IReadOnlyList<string>> RenewCodesAsync(Guid userId, string? code, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.UserForChangeAsync(userId, ct);
        var row = await RowAsync(userId, ct);
        Refuse.If(row is null || !row.IsConfirmed, "second_factor.not_begun", "There is no second factor yet; begin first.");
        Refuse.If(!await TakeAsync(userId, row, code, ct), "second_factor.code", "code is not the one that the app shows now; it has 6 digits and counts for 30 seconds.");
        var codes = await NewCodesAsync(userId, ct);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "user.recovery_codes_renewed", "user", userId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return codes;
    }

    /// <summary>At the sign-in: takes a code of the app, or a recovery code, once. Wrong ones count like wrong passwords.</summary>
    public async Task<bool> PassAsync(Guid userId, string? code, CancellationToken ct)
    {
        var user = await users.FindByIdAsync(userId.ToString());
        if (user is null || await users.IsLockedOutAsync(user))
            return false;
        if ((await RowAsync(userId, ct) is { IsConfirmed: true } row && await TakeAsync(userId, row, code, ct)) || await TakeRecoveryCodeAsync(userId, code, ct))
        {
            await users.ResetAccessFailedCountAsync(user);
            return true;
        }

        await users.AccessFailedAsync(user);
        return false;
    }

    /// <summary>Takes a second factor away from somebody who lost phone and codes; it is set up anew at the next sign-in. At once and by one person: an operator at the shell.</summary>
    /// <exception cref="RefusedException"><c>user.not_found</c>, <c>user.reason</c>, <c>second_factor.none</c>.</exception>
    public async Task ResetAsync(Guid userId, string? reason, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = StaffActs.Reason(reason);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (apps, passkeys) = await TakeAwayAsync(userId, ct);
        db.AuditEntries.Add(StaffActs.Entry(clock, actor, "user.second_factor_reset", userId, new { reason = why, apps, passkeys }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>An administrator asks for it; it is taken away when a second person approves.</summary>
    /// <exception cref="RefusedException">As for <see cref="ResetAsync"/>; <c>second_factor.self</c>, <c>approval.waiting</c>.</exception>
    public async Task<AskedApproval> AskResetAsync(Guid userId, string? reason, Guid by, CancellationToken ct)
    {
        var why = StaffActs.Reason(reason);
        Refuse.If(by == userId, "second_factor.self", "Nobody takes the own second factor away; ask another administrator.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await db.UserForChangeAsync(userId, ct);
        Refuse.If(!user.TwoFactorEnabled, "second_factor.none", "The user has no second factor.");
        var asked = await ask.AddAsync(new FrozenAct(ApprovalKinds.SecondFactorReset, "user", userId.ToString(), null, "{}", why), by, ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    /// <summary>Whether an app or a passkey was set up after a moment.</summary>
    internal Task<bool> ChangedSinceAsync(Guid userId, DateTimeOffset at, CancellationToken ct) => db.Database.SqlQuery<bool>(
        $"""
        select exists (select from camino.staff_second_factors where user_id = {userId} and confirmed_at > {at}) or exists (select from camino.staff_passkeys where user_id = {userId} and created_at > {at}) as "Value"
        """).SingleAsync(ct);

    /// <summary>Takes away what a second person approved, in the caller's transaction.</summary>
    /// <exception cref="RefusedException">As for <see cref="ResetAsync"/>; <c>second_factor.changed</c>.</exception>
    internal async Task<object> RunApprovedAsync(Guid userId, Approval approval, ApprovalRun run, CancellationToken ct)
    {
        Refuse.If(await ChangedSinceAsync(userId, approval.AskedAt, ct), "second_factor.changed", "The second factor was set up after this was asked for; ask anew.");
        var (apps, passkeys) = await TakeAwayAsync(userId, ct);
        db.AuditEntries.Add(StaffActs.Entry(clock, new StaffActor(run.By, null), "user.second_factor_reset", userId, new { reason = approval.Reason, apps, passkeys, approval = approval.Id, askedBy = approval.AskedBy }));
        await db.SaveChangesAsync(ct);
        return new { apps, passkeys };
    }

    private async Task<(int Apps, int Passkeys)> TakeAwayAsync(Guid userId, CancellationToken ct)
    {
        var user = await db.UserForChangeAsync(userId, ct);
        var apps = await db.Database.ExecuteSqlAsync($"delete from camino.staff_second_factors where user_id = {userId}", ct);
        var passkeys = await db.Database.ExecuteSqlAsync($"delete from camino.staff_passkeys where user_id = {userId}", ct);
        Refuse.If(apps + passkeys == 0, "second_factor.none", "The user has no second factor.");
        await db.Database.ExecuteSqlAsync($"delete from camino.staff_recovery_codes where user_id = {userId}", ct);
        await users.SetTwoFactorEnabledAsync(user, false);
        return (apps, passkeys);
    }

    /// <summary>Two requests with one code: one of them passes.</summary>
    private async Task<bool> TakeAsync(Guid userId, Row row, string? code, CancellationToken ct) =>
        Totp.StepOf(KeyOf(row), Digits(code), clock.GetUtcNow()) is { } step
        && await db.Database.ExecuteSqlAsync($"update camino.staff_second_factors set last_step = {step} where user_id = {userId} and last_step < {step}", ct) == 1;

    private async Task<bool> TakeRecoveryCodeAsync(Guid userId, string? code, CancellationToken ct)
    {
        var hash = HashOf(code ?? "");
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Database.ExecuteSqlAsync($"update camino.staff_recovery_codes set used_at = {now} where user_id = {userId} and hash = {hash} and used_at is null", ct) == 0)
            return false;
        db.AuditEntries.Add(new AuditEntry(now, userId, "user.recovery_code_used", "user", userId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Stores new ones in the caller's transaction.</summary>
    internal async Task<IReadOnlyList<string>> NewCodesAsync(Guid userId, CancellationToken ct)
    {
        // 24 letters of 31: 118 bits, so that a fast hash is enough (OWASP ASVS 5.0, 6.5.2: from 112 on)
        var codes = Enumerable.Range(0, Codes).Select(_ => string.Join('-', Enumerable.Range(0, 6).Select(_ => RandomNumberGenerator.GetString(Letters, 4)))).ToList();
        var hashes = codes.Select(HashOf).ToArray();
        await db.Database.ExecuteSqlAsync($"delete from camino.staff_recovery_codes where user_id = {userId}", ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.staff_recovery_codes (user_id, hash) select {userId}, unnest({hashes})", ct);
        return codes;
    }

    private async Task<Row?> RowAsync(Guid userId, CancellationToken ct) =>
        (await db.Database.SqlQuery<Row>($"""select key as "Key", confirmed_at is not null as "IsConfirmed", last_step as "LastStep" from camino.staff_second_factors where user_id = {userId}""").ToListAsync(ct)).FirstOrDefault();

    private byte[] KeyOf(Row row) => Convert.FromBase64String(_protector.Unprotect(row.Key));

    private static string Digits(string? code) => new([.. (code ?? "").Where(char.IsAsciiDigit).Take(20)]);

    private static byte[] HashOf(string code) => SHA256.HashData(Encoding.UTF8.GetBytes(new string([.. code.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit).Take(100)])));
}
