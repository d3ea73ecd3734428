using System.Globalization;
using System.Text.Json;
using Camino.Approvals;
using Camino.Audit;
using Camino.Data;
using Camino.Documents;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Camino.People;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Applications.Underwriting;

/// <summary>Where a version of the credit policy stands. The values are stored and never change.</summary>
public enum PolicyStatus
{
    /// <summary>May still be changed; nothing is judged by it.</summary>
    Draft = 0,

    /// <summary>Applications are judged by it; never changed again.</summary>
    Published = 1,

    /// <summary>Another version took its place.</summary>
    Retired = 2,
}

/// <summary>One version of the credit policy.</summary>
/// <param name="Document">As it is stored and edited: JSON.</param>
/// <param name="Note">What it is about, as whoever wrote it says.</param>
public sealed record PolicyVersion(int Number, PolicyStatus Status, string Document, string Note, DateTimeOffset ChangedAt, string? ChangedBy, DateTimeOffset? PublishedAt, string? PublishedBy)
{
    /// <summary>What it says.</summary>
    public CreditPolicy Policy => PolicyForm.Read(Document);
}

/// <summary>Keeps what a draft of the credit policy says: the draft there is, or a new one after the published version.</summary>
public sealed class SavePolicyDraft(CaminoDb db, TimeProvider clock)
{
    /// <summary>Longest note, in characters.</summary>
    public const int LongestNote = 500;

    /// <param name="seen">The number of the draft that was looked at, or of the newest version where there was none; null: whatever it is now.</param>
    /// <returns>The number of the draft.</returns>
    /// <exception cref="RefusedException"><c>policy.*</c>, <c>input.*</c>.</exception>
    public async Task<int> RunAsync(string document, string? note, int? seen, Guid by, CancellationToken ct)
    {
        var policy = PolicyForm.Read(document);
        CheckNames(policy);
        var words = Imports.StorableText.Of((note ?? "").Trim());
        Refuse.If(words.Length > LongestNote, "input.note", $"note has at most {LongestNote} characters; got {words.Length}.");
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var newest = await db.LockPoliciesAsync(ct);
        Refuse.If(seen is { } number && number != (newest?.Number ?? 0), "policy.version", $"Version {seen} was looked at; the newest is {newest?.Number ?? 0} now. Look again.");
        var isNew = newest is not { Status: PolicyStatus.Draft };
        var draft = isNew ? (newest?.Number ?? 0) + 1 : newest?.Number ?? 1;
        var text = PolicyForm.Write(policy);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.credit_policies (number, status, document, note, changed_at, changed_by) values ({draft}, 0, {text}::json, {words}, {at}, {by})
            on conflict (number) do update set document = excluded.document, note = excluded.note, changed_at = excluded.changed_at, changed_by = excluded.changed_by
            """, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, isNew ? "policy.drafted" : "policy.changed", "policy", PolicyTable.SubjectId(draft), JsonSerializer.Serialize(new { version = draft })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return draft;
    }

    /// <summary>Roles and kinds of documents are those of the house.</summary>
    private static void CheckNames(CreditPolicy policy)
    {
        var role = policy.Limits.Roles.Select(limit => limit.Role).Concat(policy.Checklist.SelectMany(item => item.Roles)).FirstOrDefault(one => !StaffRoles.All.Contains(one, StringComparer.Ordinal));
        Refuse.If(role is not null, "policy.role", $"{InputText.Short(role)} is no role; the roles are {string.Join(", ", StaffRoles.All)}.");
        var kinds = Enum.GetValues<DocumentKind>().Select(Words.Camel).ToList();
        var kind = policy.Checklist.Select(item => item.Document).FirstOrDefault(one => one is not null && !kinds.Contains(one, StringComparer.Ordinal));
        Refuse.If(kind is not null, "policy.document", $"{InputText.Short(kind)} is no kind of document; the kinds are {string.Join(", ", kinds)}.");
    }
}

/// <summary>A version as somebody looked at it who wants it published.</summary>
public sealed record FrozenPolicy(int Version, string Document);

/// <summary>Publishes the draft of the credit policy: applications are judged by it from then on, and the version published before is retired. In the Back Office a second person approves exactly what the draft says.</summary>
public sealed class PublishPolicy(CaminoDb db, AskApproval ask, TimeProvider clock)
{
    /// <summary>At once; for invented books.</summary>
    /// <exception cref="RefusedException"><c>policy.no_draft</c>.</exception>
    public async Task<int> RunAsync(Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var draft = await DraftAsync(ct);
        await PublishAsync(draft.Number, clock.GetUtcNow(), by, new { version = draft.Number }, ct);
        await transaction.CommitAsync(ct);
        return draft.Number;
    }

    /// <summary>Asks for it.</summary>
    /// <exception cref="RefusedException"><c>policy.no_draft</c>, <c>approval.waiting</c>.</exception>
    public async Task<AskedApproval> AskAsync(Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var draft = await DraftAsync(ct);
        var asked = await ask.AddAsync(
            new FrozenAct(ApprovalKinds.PublishPolicy, "policy", PolicyTable.SubjectId(draft.Number), draft.Number, JsonSerializer.Serialize(new FrozenPolicy(draft.Number, draft.Document), JsonSerializerOptions.Web), draft.Note), by, ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    /// <summary>Carries out what a second person approved, in the caller's transaction.</summary>
    /// <exception cref="RefusedException"><c>policy.no_draft</c>, <c>policy.changed</c>.</exception>
    internal async Task<int> RunApprovedAsync(Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var draft = await DraftAsync(ct);
        var frozen = approval.Read<FrozenPolicy>();
        Refuse.If(frozen.Version != draft.Number || frozen.Document != draft.Document, "policy.changed", "The draft of the policy was changed after this was asked for; ask anew.");
        await PublishAsync(draft.Number, run.At, run.By, new { version = draft.Number, approval = approval.Id, askedBy = approval.AskedBy }, ct);
        return draft.Number;
    }

    private async Task<StoredPolicy> DraftAsync(CancellationToken ct) =>
        await db.LockPoliciesAsync(ct) is { Status: PolicyStatus.Draft } draft ? draft : throw new RefusedException("policy.no_draft", "There is no draft of the policy that could be published.");

    private async Task PublishAsync(int number, DateTimeOffset at, Guid by, object details, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"update camino.credit_policies set status = 2 where status = 1", ct);
        await db.Database.ExecuteSqlAsync($"update camino.credit_policies set status = 1, published_at = {at}, published_by = {by} where number = {number}", ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "policy.published", "policy", PolicyTable.SubjectId(number), JsonSerializer.Serialize(details)));
        await db.SaveChangesAsync(ct);
    }
}

/// <summary>A version as it is stored.</summary>
internal sealed record StoredPolicy(int Number, PolicyStatus Status, string Document, string Note);

/// <summary>The statements on the credit policy that operations share.</summary>
internal static class PolicyTable
{
    private sealed record Row(int Number, short Status, string Document, string Note);

    /// <summary>Serialises whoever changes the policy.</summary>
    private const long Turn = 0x43616d_706f6c; // "Cam" "pol"

    /// <summary>A version as requests and the audit trail name it.</summary>
    public static string SubjectId(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Takes the turn to change the policy, and reads the newest version; null where there is none.</summary>
    public static async Task<StoredPolicy?> LockPoliciesAsync(this CaminoDb db, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({Turn})", ct);
        var rows = await db.Database.SqlQuery<Row>($"select number as \"Number\", status as \"Status\", document::text as \"Document\", note as \"Note\" from camino.credit_policies order by number desc limit 1").ToListAsync(ct);
        return rows is [var row] ? new StoredPolicy(row.Number, (PolicyStatus)row.Status, row.Document, row.Note) : null;
    }
}

/// <summary>Reads versions of the credit policy.</summary>
public sealed class ReadPolicies(NpgsqlDataSource source)
{
    /// <summary>Versions of one page of the list.</summary>
    public const int PageSize = 50;

    private const string Columns =
        "select p.number, p.status, p.document::text, p.note, p.changed_at, c.display_name, p.published_at, u.display_name from camino.credit_policies p left join camino.staff_users c on c.id = p.changed_by left join camino.staff_users u on u.id = p.published_by";

    /// <summary>The newest versions.</summary>
    /// <param name="below">Only versions before this one; null: all.</param>
    public async Task<IReadOnlyList<PolicyVersion>> ListAsync(int? below, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Columns + " where p.number < $1 order by p.number desc limit 50");
        command.Parameters.Add(new NpgsqlParameter { Value = below ?? int.MaxValue });
        return await ReadAsync(command, ct);
    }

    /// <summary>One version, or null.</summary>
    public async Task<PolicyVersion?> OneAsync(int number, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Columns + " where p.number = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = number });
        return (await ReadAsync(command, ct)).FirstOrDefault();
    }

    /// <summary>The published version, or null.</summary>
    public async Task<PolicyVersion?> PublishedAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(Columns + " where p.status = 1");
        return (await ReadAsync(command, ct)).FirstOrDefault();
    }

    /// <summary>The version that a version took or would take the place of: the newest before it that was published; null where there was none.</summary>
    public async Task<PolicyVersion?> BeforeAsync(int number, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Columns + " where p.number < $1 and p.status <> 0 order by p.number desc limit 1");
        command.Parameters.Add(new NpgsqlParameter { Value = number });
        return (await ReadAsync(command, ct)).FirstOrDefault();
    }

    private static async Task<List<PolicyVersion>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var versions = new List<PolicyVersion>();
        while (await rows.ReadAsync(ct))
        {
            versions.Add(new PolicyVersion(
                rows.GetInt32(0), (PolicyStatus)rows.GetInt16(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<DateTimeOffset>(4), await rows.IsDBNullAsync(5, ct) ? null : rows.GetString(5),
                await rows.IsDBNullAsync(6, ct) ? null : rows.GetFieldValue<DateTimeOffset>(6), await rows.IsDBNullAsync(7, ct) ? null : rows.GetString(7)));
        }

        return versions;
    }
}
