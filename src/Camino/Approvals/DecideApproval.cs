using System.Globalization;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Notices;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;

namespace Camino.Approvals;

/// <summary>Why an approved act was no longer possible, as it was told then.</summary>
/// <param name="Code">Of the refusal.</param>
/// <param name="English">The sentence for readers of English.</param>
/// <param name="Spanish">The same for readers of Spanish.</param>
public sealed record ApprovalRefusal(string Code, string English, string Spanish);

/// <summary>
/// The second person approves or declines, or whoever asked takes the request back. What is approved is carried out in the same transaction, with all the rules as they stand then.
/// </summary>
public sealed class DecideApproval(CaminoDb db, IEnumerable<IApprovalKind> kinds, IStringLocalizer<Texts> texts, TimeProvider clock)
{
    /// <summary>Longest note, in characters.</summary>
    public const int LongestNote = 300;

    /// <summary>Agrees, and has it done. What has become impossible closes the request with the reason.</summary>
    /// <param name="seen">The subject's version that the second person looked at; null: whatever it is now.</param>
    /// <param name="note">Anything to be remembered, at most 300 characters.</param>
    /// <param name="key">The caller's Idempotency-Key; null on a page.</param>
    /// <returns>False: the same was decided under this key before.</returns>
    /// <exception cref="RefusedException"><c>approval.not_found</c>, <c>approval.own</c>, <c>approval.own_rights</c>, <c>approval.state</c>, <c>approval.expired</c>, <c>approval.version</c>, <c>approval.limit</c>, <c>approval.note</c>, <c>approval.not_possible</c>, <c>idempotency.*</c>.</exception>
    public async Task<bool> ApproveAsync(Guid id, int? seen, string? note, Guid by, string? key, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var words = Note(note);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await ClaimAsync(new { approve = id, seen, words }, by, key, at, ct))
            return false;
        var approval = await db.ApprovalForChangeAsync(id, ct);
        await CheckSecondPersonAsync(approval, by, at, ct);
        object answer;
        try
        {
            Refuse.If(!await db.StillMayAsync(approval.AskedBy, ApprovalKinds.PermissionOf(approval.Kind), ct), "approval.asker", "Whoever asked for this is disabled or may not do it any more.");
            answer = await kinds.First(kind => kind.Name == approval.Kind).RunAsync(approval, new ApprovalRun(by, seen, at), ct);
        }
        catch (RefusedException refused) when (refused.Code is not ("approval.version" or "approval.limit"))
        {
            await transaction.RollbackAsync(ct);
            db.Forget();
            await CloseAsync(approval, words, refused, by, at, ct);
            throw new RefusedException("approval.not_possible", $"This is no longer possible, and the request is closed: {refused.Message}");
        }

        await DecideAsync(approval, ApprovalState.Approved, by, at, words, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), null, ct);
        await AnswerAsync(by, key, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Says no, with a reason.</summary>
    /// <param name="reason">3 to 300 characters.</param>
    /// <returns>False: the same was decided under this key before.</returns>
    /// <exception cref="RefusedException">As for <see cref="ApproveAsync"/>; <c>approval.reason</c>.</exception>
    public async Task<bool> DeclineAsync(Guid id, string? reason, Guid by, string? key, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var words = reason?.Trim() ?? "";
        Refuse.If(words.Length is < 3 or > LongestNote || words.Contains('\0', StringComparison.Ordinal), "approval.reason", $"A reason has 3 to {LongestNote} characters; got {words.Length}.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await ClaimAsync(new { decline = id, words }, by, key, at, ct))
            return false;
        var approval = await db.ApprovalForChangeAsync(id, ct);
        await CheckSecondPersonAsync(approval, by, at, ct);
        await DecideAsync(approval, ApprovalState.Declined, by, at, words, null, null, ct);
        await AnswerAsync(by, key, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Takes the own request back.</summary>
    /// <returns>False: the same was decided under this key before.</returns>
    /// <exception cref="RefusedException"><c>approval.not_found</c>, <c>approval.not_own</c>, <c>approval.state</c>, <c>approval.expired</c>, <c>idempotency.*</c>.</exception>
    public async Task<bool> WithdrawAsync(Guid id, Guid by, string? key, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await ClaimAsync(new { withdraw = id }, by, key, at, ct))
            return false;
        var approval = await db.ApprovalForChangeAsync(id, ct);
        if (approval.AskedBy != by)
        {
            if (!await MayDecideAsync(approval, by, ct))
                throw NotFound(id);
            throw new RefusedException("approval.not_own", "Another person asked for this; decline it instead.");
        }

        CheckWaits(approval, at);
        await DecideAsync(approval, ApprovalState.Withdrawn, by, at, null, null, null, ct);
        await AnswerAsync(by, key, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private static RefusedException NotFound(Guid id) => new("approval.not_found", $"There is no request {id} that is yours or that you may decide.");

    private static string? Note(string? note)
    {
        var words = note?.Trim() ?? "";
        Refuse.If(words.Length > LongestNote || words.Contains('\0', StringComparison.Ordinal), "approval.note", $"A note has at most {LongestNote} characters; got {words.Length}.");
        return words.Length == 0 ? null : words;
    }

    private async Task<bool> ClaimAsync(object asked, Guid by, string? key, DateTimeOffset at, CancellationToken ct) =>
        key is null || await db.ClaimAsync(new AskedBy(by, key), "approval " + JsonSerializer.Serialize(asked, JsonSerializerOptions.Web), at, ct) is null;

    private Task AnswerAsync(Guid by, string? key, CancellationToken ct) => key is null ? Task.CompletedTask : db.AnswerAsync(new AskedBy(by, key), "{}", ct);

    private async Task<bool> MayDecideAsync(Approval approval, Guid by, CancellationToken ct) =>
        await db.Users.AnyAsync(user => user.Id == by, ct) && await db.StillMayAsync(by, ApprovalKinds.PermissionOf(approval.Kind), ct);

    /// <summary>Whoever decides may do the act, is a person, and is not the one who asked, nor the one whose rights it is about.</summary>
    private async Task CheckSecondPersonAsync(Approval approval, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        Refuse.If(approval.AskedBy == by, "approval.own", "You asked for this yourself; another person has to decide.");
        await db.HoldAsync([by, approval.AskedBy], ct);
        if (!await MayDecideAsync(approval, by, ct))
            throw NotFound(approval.Id);
        Refuse.If(approval.Subject == "user" && approval.SubjectId == by.ToString(), "approval.own_rights", "Nobody decides about the own rights; another person has to.");
        CheckWaits(approval, at);
    }

    private static void CheckWaits(Approval approval, DateTimeOffset at)
    {
        Refuse.If(approval.State != ApprovalState.Waiting, "approval.state", "This request does not wait any more; somebody was faster. Look again.");
        Refuse.If(at >= approval.ExpiresAt, "approval.expired", "This request has expired; whoever needs it asks anew.");
    }

    /// <summary>Closes a request that was approved and not possible any more.</summary>
    private async Task CloseAsync(Approval approval, string? note, RefusedException refused, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await DecideAsync(approval, ApprovalState.Refused, by, at, note, null, new ApprovalRefusal(refused.Code, In(Language.English, refused), In(Language.Spanish, refused)), ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Changes the state once, writes it down and tells whoever asked.</summary>
    private async Task DecideAsync(Approval approval, ApprovalState state, Guid by, DateTimeOffset at, string? note, string? answer, ApprovalRefusal? refusal, CancellationToken ct)
    {
        var refused = refusal is null ? null : JsonSerializer.Serialize(refusal, JsonSerializerOptions.Web);
        var changed = await db.Database.ExecuteSqlAsync(
            $"""
            update camino.approvals set state = {(short)state}, decided_by = {by}, decided_at = {at}, note = {note}, answer = {answer}::jsonb, refusal = {refused}::jsonb where id = {approval.Id} and state = 0
            """, ct);
        Refuse.If(changed == 0, "approval.state", "This request does not wait any more; somebody was faster. Look again.");
        db.AuditEntries.Add(new AuditEntry(at, by, "approval." + Words.Camel(state), "approval", approval.Id.ToString(), JsonSerializer.Serialize(new { approval.Kind, approval.Subject, approval.SubjectId, code = refusal?.Code }, JsonSerializerOptions.Web)));
        if (state != ApprovalState.Withdrawn && await db.Users.AnyAsync(user => user.Id == approval.AskedBy, ct))
            db.Notices.Add(new Notice(approval.AskedBy, "Notice.Approval" + state, ["@ApprovalKind." + approval.Kind], "/approvals/" + approval.Id, at));
        await db.SaveChangesAsync(ct);
    }

    /// <summary>What was refused, in a language that need not be the one of this request.</summary>
    private string In(Language language, RefusedException refused)
    {
        var (culture, words) = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        try
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (CultureInfo.GetCultureInfo(language.Culture), CultureInfo.GetCultureInfo(language.Code));
            return ApprovalText.Refused(texts, refused);
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, words);
        }
    }
}

/// <summary>What is said about requests.</summary>
public static class ApprovalText
{
    /// <summary>A refusal of any act in the reader's language: by its code where that has a text, else by its sentence.</summary>
    public static string Refused(IStringLocalizer<Texts> texts, RefusedException refused)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(refused);
        var text = texts["Refused." + refused.Code];
        return text.ResourceNotFound ? texts.Refused(refused) : text.Value;
    }
}

/// <summary>How operations find a request, and what people may still do.</summary>
internal static class ApprovalAccess
{
    /// <summary>Locks a request and reads it as it is then.</summary>
    /// <exception cref="RefusedException"><c>approval.not_found</c>.</exception>
    public static async Task<Approval> ApprovalForChangeAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        // the lock in one statement, the look in the next: a statement that waited would still see what was before
        await db.Database.ExecuteSqlAsync($"select from camino.approvals where id = {id} for update", ct);
        var rows = await db.Database.SqlQuery<Row>(
            $"""
            select id as "Id", kind as "Kind", subject as "Subject", subject_id as "SubjectId", version as "Version", request::text as "Request", reason as "Reason", asked_by as "AskedBy", asked_at as "AskedAt", expires_at as "ExpiresAt",
                   state as "State", decided_by as "DecidedBy", decided_at as "DecidedAt", note as "Note", answer::text as "Answer"
            from camino.approvals where id = {id}
            """).ToListAsync(ct);
        return rows is [var row]
            ? new Approval(row.Id, row.Kind, row.Subject, row.SubjectId, row.Version, row.Request, row.Reason, row.AskedBy, row.AskedAt, row.ExpiresAt, (ApprovalState)row.State, row.DecidedBy, row.DecidedAt, row.Note, row.Answer)
            : throw new RefusedException("approval.not_found", $"There is no request {id} that is yours or that you may decide.");
    }

    /// <summary>Has changes of these people and clients wait until the transaction ends.</summary>
    public static async Task HoldAsync(this CaminoDb db, Guid[] ids, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select from camino.staff_users where id = any({ids}) order by id for share", ct);
        await db.Database.ExecuteSqlAsync($"select from camino.api_clients where id = any({ids}) order by id for share", ct);
    }

    /// <summary>Whether a user or an API client may do something now: by the roles or scopes as they are stored, and not disabled.</summary>
    public static async Task<bool> StillMayAsync(this CaminoDb db, Guid id, string permission, CancellationToken ct)
    {
        var roles = await (
            from user in db.Users
            join link in db.UserRoles on user.Id equals link.UserId
            join role in db.Roles on link.RoleId equals role.Id
            where user.Id == id && (user.LockoutEnd == null || user.LockoutEnd < DateTimeOffset.MaxValue)
            select role.Name).ToListAsync(ct);
        if (roles.Any(role => Permissions.Of(role ?? "").Contains(permission)))
            return true;
        var scopes = await db.Database.SqlQuery<string>($"""select unnest(scopes) as "Value" from camino.api_clients where id = {id} and disabled_at is null""").ToListAsync(ct);
        return Scopes.ClaimsOf(scopes).Any(claim => claim.Value == permission);
    }

    private sealed record Row(
        Guid Id, string Kind, string Subject, string SubjectId, int? Version, string Request, string Reason, Guid AskedBy, DateTimeOffset AskedAt, DateTimeOffset ExpiresAt, short State, Guid? DecidedBy, DateTimeOffset? DecidedAt,
        string? Note, string? Answer);
}
