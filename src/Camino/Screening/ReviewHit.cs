using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Screening;

/// <summary>Where the review of a hit stands.</summary>
public enum HitState
{
    /// <summary>Nobody has looked yet, or the second person disagreed.</summary>
    Open,

    /// <summary>One person says that it is somebody else.</summary>
    ClearProposed,

    /// <summary>One person says that it is the one on the list.</summary>
    ConfirmProposed,

    /// <summary>Two people say that it is somebody else.</summary>
    Cleared,

    /// <summary>Two people say that it is the one on the list.</summary>
    Confirmed,
}

/// <summary>The review of a hit by two people: one proposes with a reason, another agrees or sends it back.</summary>
public sealed class ReviewHit(CaminoDb db, TimeProvider clock)
{
    /// <summary>Longest reason, in characters.</summary>
    public const int LongestReason = 1_000;

    /// <summary>Says what the hit is.</summary>
    /// <param name="isMatch">True: the one on the list. False: somebody else.</param>
    /// <exception cref="RefusedException"><c>screening_hit.not_found</c>, <c>screening_hit.state</c>, <c>screening_hit.reason</c>.</exception>
    public Task ProposeAsync(Guid hitId, bool isMatch, string? reason, Guid by, CancellationToken ct)
    {
        var why = Reason(reason);
        return ChangeAsync(hitId, by, (state, _) =>
        {
            Refuse.If(state != HitState.Open, "screening_hit.state", "This hit is not open; somebody has proposed or decided already. Look again.");
            return new Step(isMatch ? HitState.ConfirmProposed : HitState.ClearProposed, isMatch ? "screening.confirm_proposed" : "screening.clear_proposed", "proposed_by = $3, proposed_at = $4, reason = $5", why);
        }, ct);
    }

    /// <summary>The second person agrees.</summary>
    /// <exception cref="RefusedException"><c>screening_hit.not_found</c>, <c>screening_hit.state</c>, <c>screening_hit.same_person</c>.</exception>
    public Task AgreeAsync(Guid hitId, Guid by, CancellationToken ct) => ChangeAsync(hitId, by, (state, proposedBy) =>
    {
        CheckSecond(state, proposedBy, by);
        return new Step(state == HitState.ConfirmProposed ? HitState.Confirmed : HitState.Cleared, state == HitState.ConfirmProposed ? "screening.confirmed" : "screening.cleared", "decided_by = $3, decided_at = $4", null);
    }, ct);

    /// <summary>The second person disagrees; the hit is open again.</summary>
    /// <exception cref="RefusedException"><c>screening_hit.not_found</c>, <c>screening_hit.state</c>, <c>screening_hit.same_person</c>, <c>screening_hit.reason</c>.</exception>
    public Task DisagreeAsync(Guid hitId, string? reason, Guid by, CancellationToken ct)
    {
        var why = Reason(reason);
        return ChangeAsync(hitId, by, (state, proposedBy) =>
        {
            CheckSecond(state, proposedBy, by);
            return new Step(HitState.Open, "screening.sent_back", "proposed_by = null, proposed_at = null, reason = $5", why);
        }, ct);
    }

    private sealed record Step(HitState To, string Action, string Sets, string? Reason);

    private static string Reason(string? reason)
    {
        var text = reason?.Trim() ?? "";
        Refuse.If(text.Length is 0 or > LongestReason || text.Contains('\0', StringComparison.Ordinal), "screening_hit.reason", $"A reason has 1 to {LongestReason} characters; got {text.Length}.");
        return text;
    }

    private static void CheckSecond(HitState state, Guid? proposedBy, Guid by)
    {
        Refuse.If(state is not (HitState.ClearProposed or HitState.ConfirmProposed), "screening_hit.state", "Nothing is proposed for this hit that a second person could agree to. Look again.");
        Refuse.If(proposedBy == by, "screening_hit.same_person", "You proposed this yourself; another person has to agree.");
    }

    /// <summary>Locks the hit, asks what follows, writes it with its audit entry.</summary>
    private async Task ChangeAsync(Guid hitId, Guid by, Func<HitState, Guid?, Step> decide, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var native = (NpgsqlTransaction)transaction.GetDbTransaction();
        Step step;
        await using (var read = new NpgsqlCommand("select state, proposed_by from camino.screening_hits where id = $1 for update", connection, native) { Parameters = { new() { Value = hitId } } })
        await using (var row = await read.ExecuteReaderAsync(ct))
        {
            if (!await row.ReadAsync(ct))
                throw new RefusedException("screening_hit.not_found", $"There is no hit {hitId}.");
            step = decide((HitState)row.GetInt16(0), await row.IsDBNullAsync(1, ct) ? null : row.GetGuid(1));
        }

        await using (var write = new NpgsqlCommand($"update camino.screening_hits set state = $2, {step.Sets} where id = $1 and $3::uuid is not null and $4::timestamptz is not null and $5::text is not null", connection, native)
        {
            Parameters = { new() { Value = hitId }, new() { Value = (short)step.To }, new() { Value = by }, new() { Value = at }, new() { Value = step.Reason ?? "" } },
        })
            await write.ExecuteNonQueryAsync(ct);
        // the reason stays with the hit: it may name people, and the audit trail may not
        db.AuditEntries.Add(new AuditEntry(at, by, step.Action, "screening_hit", hitId.ToString(), JsonSerializer.Serialize(new { state = step.To.ToString() })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
