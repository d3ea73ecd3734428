using System.Security.Cryptography;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Where people open the Back Office; passkeys are bound to its host and to nothing else.</summary>
/// <param name="Address">As browsers name it, without a path: <c>https://camino.lender.example</c>; null: passkeys work on <c>localhost</c> alone.</param>
public sealed record PasskeySite(string? Address)
{
    /// <summary>The host that passkeys belong to; null: the one that is asked, which is <c>localhost</c>.</summary>
    public string? Host => Address is null ? null : new Uri(Address).Host;

    /// <summary>The only page origin from which a passkey is taken; null: this request can have none.</summary>
    public string? OriginOf(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Address ?? (request.Host.Host == "localhost" ? $"{request.Scheme}://{request.Host}" : null);
    }
}

/// <summary>A passkey as its owner sees it.</summary>
/// <param name="LastUsedAt">Null: never at a sign-in.</param>
/// <param name="IsBackedUp">The authenticator says that it is kept in an account and on other devices too.</param>
public sealed record PasskeyLine(Guid Id, string Name, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, bool IsBackedUp);

/// <summary>What a browser is asked to sign.</summary>
/// <param name="Options">JSON for the browser.</param>
/// <param name="Token">Comes back with the answer, in a cookie; only its hash is kept.</param>
public sealed record PasskeyChallenge(string Options, string Token);

/// <summary>
/// A user's passkeys: keys in a phone, a computer or a stick that open after a finger, a face or a PIN, and sign for this host alone. One is a second factor, and a sign-in by itself, for it stands for two.
/// Signatures, challenges and counters are checked by the framework's handler (WebAuthn level 3).
/// </summary>
public sealed class Passkeys(CaminoDb db, UserManager<StaffUser> users, IPasskeyHandler<StaffUser> handler, SecondFactors factors, SecondFactorPolicy policy, TimeProvider clock)
{
    /// <summary>Passkeys of one person at most.</summary>
    public const int Most = 10;

    /// <summary>Longest name, in characters.</summary>
    public const int LongestName = 60;

    /// <summary>So long a browser may take to answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const int LongestAnswer = 16_000;

    private sealed record Line(Guid Id, string Name, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, bool IsBackedUp);

    /// <summary>Of one user, in the order in which they were added.</summary>
    public async Task<IReadOnlyList<PasskeyLine>> ListAsync(Guid userId, CancellationToken ct) =>
        [.. (await db.Database.SqlQuery<Line>($"""select id as "Id", name as "Name", created_at as "CreatedAt", last_used_at as "LastUsedAt", is_backed_up as "IsBackedUp" from camino.staff_passkeys where user_id = {userId} order by id""").ToListAsync(ct))
            .Select(line => new PasskeyLine(line.Id, line.Name, line.CreatedAt, line.LastUsedAt, line.IsBackedUp))];

    /// <summary>What the browser needs to make a new passkey for whoever is signed in.</summary>
    /// <exception cref="RefusedException"><c>session.sign_in_anew</c>, <c>passkey.most</c>.</exception>
    public async Task<PasskeyChallenge> AskForNewAsync(Guid userId, Guid? session, HttpContext http, CancellationToken ct)
    {
        await db.MustBeFreshAsync(session, clock.GetUtcNow(), takesUntold: false, ct);
        await CheckRoomAsync(userId, ct);
        var user = await users.FindByIdAsync(userId.ToString()) ?? throw new InvalidOperationException("Nobody is signed in.");
        var made = await handler.MakeCreationOptionsAsync(new PasskeyUserEntity { Id = user.Id.ToString(), Name = user.UserName ?? "", DisplayName = user.DisplayName }, http);
        return await KeepAsync(made.CreationOptionsJson, made.AttestationState ?? "", session, userId, ct);
    }

    /// <summary>Keeps the passkey that the browser made. Every session of the user ends by it; the caller begins a new one.</summary>
    /// <param name="token">Of the challenge; it is used up, whatever comes of it.</param>
    /// <param name="credential">The browser's answer: JSON.</param>
    /// <param name="name">How its owner will know it again, 1 to 60 characters.</param>
    /// <returns>Recovery codes, which are never shown again; none where the user had a second factor already.</returns>
    /// <exception cref="RefusedException"><c>session.sign_in_anew</c>, <c>passkey.most</c>, <c>passkey.name</c>, <c>passkey.refused</c>.</exception>
    public async Task<IReadOnlyList<string>> AddAsync(Guid userId, Guid? session, string? token, string? credential, string? name, HttpContext http, CancellationToken ct)
    {
        await db.MustBeFreshAsync(session, clock.GetUtcNow(), takesUntold: false, ct);
        var state = await TakeAsync(token, session, userId, ct);
        var called = name?.Trim() ?? "";
        Refuse.If(called.Length is 0 or > LongestName || called.Any(char.IsControl), "passkey.name", $"name has {called.Length} characters; it must have 1 to {LongestName}, without control characters.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await db.UserForChangeAsync(userId, ct);
        await CheckRoomAsync(userId, ct);
        var made = state is null || credential is not { Length: > 0 and <= LongestAnswer } ? null
            : await handler.PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = http, CredentialJson = credential, AttestationState = state });
        Refuse.If(made is not { Succeeded: true } || made.UserEntity?.Id != user.Id.ToString(), "passkey.refused", "The browser's answer does not fit, came too late or is that of a passkey that is known already; try again.");
        var (key, id, now) = (made.Passkey ?? throw new InvalidOperationException("A passkey that was made is there."), Guid.CreateVersion7(), clock.GetUtcNow());
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.staff_passkeys (id, user_id, credential_id, public_key, name, created_at, sign_count, transports, is_backup_eligible, is_backed_up)
            values ({id}, {userId}, {key.CredentialId}, {key.PublicKey}, {called}, {now}, {(long)key.SignCount}, {key.Transports ?? []}, {key.IsBackupEligible}, {key.IsBackedUp})
            """, ct);
        IReadOnlyList<string> codes = [];
        if (user.TwoFactorEnabled)
        {
            await users.UpdateSecurityStampAsync(user); // ends what was begun before it
        }
        else
        {
            codes = await factors.NewCodesAsync(userId, ct);
            await users.SetTwoFactorEnabledAsync(user, true);
        }

        db.AuditEntries.Add(new AuditEntry(now, userId, "user.passkey_added", "user", userId.ToString(), JsonSerializer.Serialize(new { passkey = id }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return codes;
    }

    /// <summary>Takes one of the own passkeys away. Every session of the user ends by it; the caller begins a new one.</summary>
    /// <returns>Whether the user still has a second factor.</returns>
    /// <exception cref="RefusedException"><c>session.sign_in_anew</c>, <c>passkey.not_found</c>, <c>passkey.last</c>.</exception>
    public async Task<bool> RemoveAsync(Guid userId, Guid? session, Guid passkey, CancellationToken ct)
    {
        await db.MustBeFreshAsync(session, clock.GetUtcNow(), takesUntold: false, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var user = await db.UserForChangeAsync(userId, ct);
        Refuse.If(await db.Database.ExecuteSqlAsync($"delete from camino.staff_passkeys where id = {passkey} and user_id = {userId}", ct) == 0, "passkey.not_found", "There is no such passkey of yours; it may be removed already.");
        var isLeft = await db.Database.SqlQuery<bool>(
            $"""select exists (select from camino.staff_passkeys where user_id = {userId}) or exists (select from camino.staff_second_factors where user_id = {userId} and confirmed_at is not null) as "Value" """).SingleAsync(ct);
        Refuse.If(!isLeft && policy.Asks(await users.GetRolesAsync(user)), "passkey.last", "Your roles need a second factor and this is the last one; add another first.");
        if (isLeft)
        {
            await users.UpdateSecurityStampAsync(user);
        }
        else
        {
            await db.Database.ExecuteSqlAsync($"delete from camino.staff_recovery_codes where user_id = {userId}", ct);
            await users.SetTwoFactorEnabledAsync(user, false);
        }

        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "user.passkey_removed", "user", userId.ToString(), JsonSerializer.Serialize(new { passkey }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return isLeft;
    }

    /// <summary>New recovery codes for whoever has passkeys and no app, in place of all before.</summary>
    /// <exception cref="RefusedException"><c>session.sign_in_anew</c>, <c>second_factor.not_begun</c>.</exception>
    public async Task<IReadOnlyList<string>> RenewCodesAsync(Guid userId, Guid? session, CancellationToken ct)
    {
        await db.MustBeFreshAsync(session, clock.GetUtcNow(), takesUntold: false, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.UserForChangeAsync(userId, ct);
        Refuse.If((await ListAsync(userId, ct)).Count == 0, "second_factor.not_begun", "There is no second factor yet; begin first.");
        var codes = await factors.NewCodesAsync(userId, ct);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "user.recovery_codes_renewed", "user", userId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return codes;
    }

    /// <summary>What the browser needs to sign in with a passkey.</summary>
    /// <param name="user">Who gave the password already; null: whoever has a passkey for this host.</param>
    public async Task<PasskeyChallenge> AskAsync(StaffUser? user, HttpContext http, CancellationToken ct)
    {
        var made = await handler.MakeRequestOptionsAsync(user, http);
        return await KeepAsync(made.RequestOptionsJson, made.AssertionState ?? "", null, user?.Id, ct);
    }

    /// <summary>Checks the browser's answer.</summary>
    /// <param name="token">Of the challenge; it is used up, whatever comes of it.</param>
    /// <param name="userId">Who gave the password already; null: nobody did.</param>
    /// <returns>Whose passkey it is; null: none that is known signed this challenge for this host, after its owner was recognised.</returns>
    public async Task<StaffUser?> PassAsync(string? token, string? credential, Guid? userId, HttpContext http, CancellationToken ct)
    {
        if (await TakeAsync(token, null, userId, ct) is not { } state || credential is not { Length: > 0 and <= LongestAnswer })
            return null;
        var answer = await handler.PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = http, CredentialJson = credential, AssertionState = state });
        if (!answer.Succeeded || answer is not { User: { } user, Passkey: { } key } || (userId is { } expected && user.Id != expected))
            return null;
        // two answers of one copied passkey with one count: the second is refused
        var used = await db.Database.ExecuteSqlAsync(
            $"""
            update camino.staff_passkeys set sign_count = {(long)key.SignCount}, is_backed_up = {key.IsBackedUp}, last_used_at = {clock.GetUtcNow()}
            where user_id = {user.Id} and credential_id = {key.CredentialId} and (sign_count < {(long)key.SignCount} or (sign_count = 0 and {(long)key.SignCount} = 0))
            """, ct);
        return used == 1 ? user : null;
    }

    private async Task CheckRoomAsync(Guid userId, CancellationToken ct)
    {
        var count = await db.Database.SqlQuery<int>($"""select count(*)::int as "Value" from camino.staff_passkeys where user_id = {userId}""").SingleAsync(ct);
        Refuse.If(count >= Most, "passkey.most", $"You have {count} passkeys, and {Most} is the most; remove one first.");
    }

    private async Task<PasskeyChallenge> KeepAsync(string options, string state, Guid? session, Guid? userId, CancellationToken ct)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var (hash, now) = (FirstAdmin.HashOf(token), clock.GetUtcNow());
        await db.Database.ExecuteSqlAsync($"delete from camino.staff_passkey_challenges where hash in (select old.hash from camino.staff_passkey_challenges old where old.expires_at < {now} limit 100 for update skip locked)", ct);
        await db.Database.ExecuteSqlAsync($"insert into camino.staff_passkey_challenges (hash, session_id, user_id, state, expires_at) values ({hash}, {session}, {userId}, {state}, {now + Patience})", ct);
        return new PasskeyChallenge(options, token);
    }

    /// <summary>Uses a challenge up, in a statement of its own: a wrong answer has had its try.</summary>
    private async Task<string?> TakeAsync(string? token, Guid? session, Guid? userId, CancellationToken ct)
    {
        var (hash, now) = (FirstAdmin.HashOf(token ?? ""), clock.GetUtcNow());
        var taken = await db.Database.SqlQuery<Taken>(
            $"""delete from camino.staff_passkey_challenges where hash = {hash} returning state as "State", expires_at > {now} and session_id is not distinct from {session} and user_id is not distinct from {userId} as "IsGood" """).ToListAsync(ct);
        return taken is [{ IsGood: true } one] ? one.State : null;
    }

    private sealed record Taken(string State, bool IsGood);
}

/// <summary>How challenges travel between the pages and the browser.</summary>
internal static class PasskeyWire
{
    private const string Cookie = "camino.passkey";

    /// <summary>The options for the script; the token in a cookie that only this browser has.</summary>
    public static IActionResult Ask(this HttpContext http, PasskeyChallenge challenge)
    {
        http.Response.Cookies.Append(Cookie, challenge.Token, Options(http, Passkeys.Patience));
        http.Response.Headers.CacheControl = "no-store";
        return new ContentResult { Content = challenge.Options, ContentType = "application/json" };
    }

    /// <summary>The token that came back; it is of no use any more.</summary>
    public static string? Token(this HttpContext http)
    {
        var token = http.Request.Cookies[Cookie];
        http.Response.Cookies.Delete(Cookie, Options(http, null));
        return token;
    }

    private static CookieOptions Options(HttpContext http, TimeSpan? age) => new() { HttpOnly = true, IsEssential = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = "/", MaxAge = age };
}
