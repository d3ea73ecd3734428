using System.Text.Json;
using Camino.Data;
using Camino.Documents;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Camino.People;
using Camino.Servicing;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications.Underwriting;

/// <summary>What somebody does to an item of a checklist. The values are stored and never change.</summary>
public enum TickAct
{
    /// <summary>It is there.</summary>
    Tick = 1,

    /// <summary>It is not there after all.</summary>
    TakeBack = 2,

    /// <summary>It is done without.</summary>
    Waive = 3,
}

/// <summary>Where an item of a checklist stands.</summary>
public enum ItemState
{
    /// <summary>It is missing.</summary>
    Open,

    /// <summary>It is missing, and the applicant was asked for it.</summary>
    Asked,

    /// <summary>It came: a document, or enough days of statements.</summary>
    Met,

    /// <summary>Somebody says that it is there.</summary>
    Ticked,

    /// <summary>Somebody says that it is done without.</summary>
    Waived,
}

/// <summary>One item of an application's checklist.</summary>
/// <param name="By">Name of who ticked or waived it.</param>
/// <param name="Reason">Why it was waived.</param>
public sealed record ChecklistLine(ChecklistItem Item, ItemState State, string? By, DateTimeOffset? At, string? Reason)
{
    /// <summary>Nothing is missing here.</summary>
    public bool IsDone => State is ItemState.Met or ItemState.Ticked or ItemState.Waived;

    /// <summary>It comes by itself, with a document or statements, and nobody ticks it.</summary>
    public bool IsByItself => Item.Document is not null || Item.StatementDays is not null;

    /// <summary>The colour of its state.</summary>
    public string Tone => State switch { ItemState.Met or ItemState.Ticked => "good", ItemState.Waived => "quiet", ItemState.Asked => "info", _ => "warn" };
}

/// <summary>The statements on checklists.</summary>
internal static class ChecklistTable
{
    /// <summary>Documents that can be opened, kinds that are asked for, days of statements, and the last tick of each item.</summary>
    private const string Known =
        """
        select coalesce((select array_agg(distinct d.kind) from camino.documents d where d.subject = $2 and d.subject_id = $1 and d.removed_at is null
                and (select v.scan from camino.document_versions v where v.document_id = d.id order by v.number desc limit 1) in ($3, $4)), '{}'),
            coalesce((select array_agg(distinct k) from camino.document_requests r cross join lateral unnest(r.kinds) k where r.application_id = $1 and r.ended_at is null and r.expires_at > now()), '{}'),
            coalesce((select (f.figures -> 'whole' ->> 'daysCovered')::int from camino.application_cash_flows f where f.application_id = $1), 0),
            coalesce((select jsonb_agg(jsonb_build_object('item', t.item, 'act', t.act, 'reason', t.reason, 'at', t.at, 'by', t.name))
                from (select distinct on (t.item) t.item, t.act, t.reason, t.at, u.display_name as name from camino.application_ticks t left join camino.staff_users u on u.id = t.by where t.application_id = $1 order by t.item, t.sequence desc) t), '[]')::text
        """;

    private sealed record LastTick(string Item, short Act, string? Reason, DateTimeOffset At, string? By);

    /// <summary>Every item of a policy with where it stands for an application.</summary>
    public static async Task<IReadOnlyList<ChecklistLine>> LinesAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid id, CreditPolicy policy, CancellationToken ct)
    {
        if (policy.Checklist.Count == 0)
            return [];
        await using var command = new NpgsqlCommand(Known, connection, transaction)
        {
            Parameters = { new() { Value = id }, new() { Value = (short)SubjectKind.Application }, new() { Value = (short)ScanState.Clean }, new() { Value = (short)ScanState.NotScanned } },
        };
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var (came, asked, days) = (Kinds(row.GetFieldValue<short[]>(0)), Kinds(row.GetFieldValue<short[]>(1)), row.GetInt32(2));
        var ticks = (JsonSerializer.Deserialize<List<LastTick>>(row.GetString(3), JsonSerializerOptions.Web) ?? []).ToDictionary(tick => tick.Item, StringComparer.Ordinal);
        return [.. policy.Checklist.Select(item => LineOf(item, came, asked, days, ticks.GetValueOrDefault(item.Code)))];
    }

    /// <summary>Nothing is offered, and nothing booked, while something is missing that is needed before.</summary>
    /// <exception cref="RefusedException"><c>application.checklist</c>.</exception>
    public static void Check(IEnumerable<ChecklistLine> lines, string number, CheckBefore before, string product, Money principal)
    {
        var open = Open(lines, before, product, principal);
        var codes = string.Join(", ", open.Select(line => line.Item.Code));
        Refuse.If(open.Count > 0, "application.checklist", $"Application {number} misses what its checklist asks for: {codes}. Bring it, tick it, or waive it with a reason.");
    }

    /// <summary>What is missing.</summary>
    public static IReadOnlyList<ChecklistLine> Open(IEnumerable<ChecklistLine> lines, CheckBefore before, string product, Money principal) => [.. lines.Where(line => !line.IsDone && line.Item.Before == before && line.Item.IsFor(product, principal))];

    private static ChecklistLine LineOf(ChecklistItem item, HashSet<string> came, HashSet<string> asked, int days, LastTick? tick)
    {
        if ((item.Document is { } kind && came.Contains(kind)) || (item.StatementDays is { } needed && days >= needed))
            return new ChecklistLine(item, ItemState.Met, null, null, null);
        if (tick is { Act: (short)TickAct.Tick or (short)TickAct.Waive })
            return new ChecklistLine(item, tick.Act == (short)TickAct.Tick ? ItemState.Ticked : ItemState.Waived, tick.By, tick.At, tick.Reason);
        return new ChecklistLine(item, item.Document is { } wanted && asked.Contains(wanted) ? ItemState.Asked : ItemState.Open, null, null, null);
    }

    private static HashSet<string> Kinds(short[] kinds) => kinds.Select(kind => Words.Camel((DocumentKind)kind)).ToHashSet(StringComparer.Ordinal);
}

/// <summary>Reads the checklist of an application.</summary>
public sealed class ShowChecklist(NpgsqlDataSource source)
{
    /// <summary>The items of the published policy that this application needs for the amount it asks for, whatever the product; empty without a policy.</summary>
    public async Task<IReadOnlyList<ChecklistLine>> RunAsync(Guid id, Money amount, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        if (await EvaluationTable.PublishedAsync(connection, null, ct) is not { } published)
            return [];
        var lines = await ChecklistTable.LinesAsync(connection, null, id, PolicyForm.Read(published.Document), ct);
        return [.. lines.Where(line => line.Item.IsFor(null, amount) || line.State is ItemState.Ticked or ItemState.Waived)];
    }
}

/// <summary>Ticks an item of an application's checklist, takes a tick back, or waives an item with a reason. Every act stays.</summary>
public sealed class TickItem(CaminoDb db, TimeProvider clock)
{
    /// <summary>Longest reason, in characters.</summary>
    public const int LongestReason = 500;

    private const int ShortestReason = 3;

    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.ended</c>, <c>checklist.not_found</c>, <c>checklist.by_itself</c>, <c>checklist.role</c>, <c>checklist.state</c>, <c>checklist.reason</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, string item, TickAct act, string? reason, AskedBy by, CancellationToken ct)
    {
        var why = string.IsNullOrWhiteSpace(reason) ? null : Imports.StorableText.Of(reason.Trim());
        Refuse.If(act == TickAct.Waive && (why?.Length ?? 0) is < ShortestReason or > LongestReason || why is { Length: > LongestReason }, "checklist.reason", $"A reason has {ShortestReason} to {LongestReason} characters; got {why?.Length ?? 0}.");
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.item {id} {item} {(int)act} {why}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        Refuse.If(!course.IsOpen, "application.ended", $"Application {number} has ended; its checklist stays as it is.");
        var line = (await LinesAsync(transaction, id, ct)).FirstOrDefault(one => one.Item.Code == item) ?? throw new RefusedException("checklist.not_found", $"The checklist has no item {InputText.Short(item)}.");
        await CheckAsync(line, act, by.UserId, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_ticks (id, application_id, item, sequence, act, reason, at, by)
            select {Guid.CreateVersion7(at)}, {id}, {line.Item.Code}, coalesce(max(sequence), 0) + 1, {(short)act}, {why}, {at}, {by.UserId} from camino.application_ticks where application_id = {id}
            """, ct);
        // the reason stays with the tick: it may name people, and the audit trail may not
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, course), by, act switch { TickAct.Tick => "application.item-ticked", TickAct.Waive => "application.item-waived", _ => "application.item-reopened" }, at, new { item = line.Item.Code }, ct);
    }

    private async Task<IReadOnlyList<ChecklistLine>> LinesAsync(IDbContextTransaction transaction, Guid id, CancellationToken ct)
    {
        var (connection, native) = ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction());
        return await EvaluationTable.PublishedAsync(connection, native, ct) is { } published ? await ChecklistTable.LinesAsync(connection, native, id, PolicyForm.Read(published.Document), ct) : [];
    }

    private async Task CheckAsync(ChecklistLine line, TickAct act, Guid by, CancellationToken ct)
    {
        Refuse.If(line.IsByItself && act == TickAct.Tick, "checklist.by_itself", $"{line.Item.Code} comes by itself with a document or statements; nobody ticks it.");
        var fits = act == TickAct.TakeBack ? line.State is ItemState.Ticked or ItemState.Waived : !line.IsDone;
        Refuse.If(!fits, "checklist.state", $"{line.Item.Code} does not stand so that this could be done; look again.");
        var roles = await db.RolesOfAsync(by, ct);
        var ticking = act == TickAct.Tick && line.Item.Roles.Count > 0 ? line.Item.Roles : StaffRoles.All;
        Refuse.If(!ticking.Any(role => roles.Contains(role, StringComparer.Ordinal)), "checklist.role", $"{line.Item.Code} is ticked by people with one of these roles: {string.Join(", ", ticking)}.");
    }
}
