using System.Text.Json;
using Camino.Approvals;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Journal;

/// <summary>Entries by hand: always asked for by one person and approved by another, posted on the business date of the approval.</summary>
public sealed class PostJournal(CaminoDb db, AskApproval ask, TimeProvider clock)
{
    /// <summary>Asks for an entry, which is checked as if it were posted now.</summary>
    /// <param name="by">Its key makes two presses one request.</param>
    /// <exception cref="RefusedException"><c>journal.*</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<AskedApproval> AskAsync(JournalInput input, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(by);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, "journal " + JsonSerializer.Serialize(input, JsonSerializerOptions.Web), at, ct) is { } before)
            return Repeated(before);
        var entry = JournalTable.Read(input, await db.TodayAsync(ct));
        return await AskAsync(Guid.CreateVersion7(at), FrozenEntry.Of(entry, null), by, transaction, ct);
    }

    /// <summary>Asks for the entry that takes another back.</summary>
    /// <param name="on">From when that counts; the business date when left out.</param>
    /// <param name="memo">Why, 3 to 300 characters.</param>
    /// <exception cref="RefusedException"><c>journal.not_found</c>, <c>journal.reversed</c>, <c>journal.reversal</c>, <c>journal.on</c>, <c>journal.memo</c>, <c>approval.waiting</c>, <c>idempotency.*</c>.</exception>
    public async Task<AskedApproval> AskReversalAsync(Guid entry, string? on, string? memo, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(by);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, "journal reverse " + JsonSerializer.Serialize(new { entry, on, memo }, JsonSerializerOptions.Web), at, ct) is { } before)
            return Repeated(before);
        var today = await db.TodayAsync(ct);
        var (posted, reversal) = await ReversalAsync(entry, JournalTable.On(on, today), memo, today, ct);
        return await AskAsync(entry, FrozenEntry.Of(reversal, posted.Number), by, transaction, ct);
    }

    /// <summary>What would be posted if a request were approved now.</summary>
    /// <exception cref="RefusedException">It could not be.</exception>
    internal async Task<JournalEntry> TryAsync(Approval approval, CancellationToken ct)
    {
        var frozen = FrozenEntry.Read(approval.Request);
        var today = await db.TodayAsync(ct);
        return frozen.Reverses is { } entry ? (await ReversalAsync(entry, frozen.On, frozen.Memo, today, ct)).Reversal : JournalEntry.Of(frozen.On, frozen.Memo, frozen.Read(), today);
    }

    /// <summary>Posts what a second person approved, in the caller's transaction.</summary>
    internal async Task<object> RunApprovedAsync(Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var frozen = FrozenEntry.Read(approval.Request);
        if (frozen.Reverses is { } taken)
            await db.HoldAsync(taken, ct);
        var entry = await TryAsync(approval, ct);
        var (id, today) = (Guid.CreateVersion7(run.At), await db.TodayAsync(ct));
        var number = (await db.Database.SqlQuery<long>(
            $"""
            insert into camino.journal_entries (id, posted_on, effective_on, memo, reverses, lines, approval_id, asked_by, approved_by, posted_at)
            values ({id}, {today}, {entry.On}, {entry.Memo}, {entry.Reverses}, {(short)entry.Lines.Count}, {approval.Id}, {approval.AskedBy}, {run.By}, {run.At}) returning number as "Value"
            """).ToListAsync(ct))[0];
        var (accounts, amounts) = (entry.Lines.Select(line => line.Account).ToArray(), entry.Lines.Select(line => line.Amount.Dollars).ToArray());
        await db.Database.ExecuteSqlAsync($"insert into camino.journal_lines (entry_id, line, account, amount) select {id}, t.line, t.account, t.amount from unnest({accounts}, {amounts}) with ordinality t (account, amount, line)", ct);
        // the memo stays with the entry: it may name people, and the audit trail may not
        db.AuditEntries.Add(new AuditEntry(run.At, run.By, "journal.posted", JournalTable.Subject, id.ToString(), JsonSerializer.Serialize(new { number, total = Words.Amount(entry.Total.Dollars), entry.Reverses, approval = approval.Id, askedBy = approval.AskedBy }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        return new { entryId = id, number };
    }

    private static AskedApproval Repeated(string answer) =>
        AskedApproval.TryRead(answer, out var asked) ? asked with { IsRepeated = true } : throw new InvalidOperationException("The stored answer is none of an entry.");

    private async Task<AskedApproval> AskAsync(Guid subject, FrozenEntry frozen, AskedBy by, IDbContextTransaction transaction, CancellationToken ct)
    {
        var asked = await ask.AddAsync(new FrozenAct(ApprovalKinds.JournalEntry, JournalTable.Subject, subject.ToString(), null, JsonSerializer.Serialize(frozen, JsonSerializerOptions.Web), frozen.Memo), by.UserId, ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(asked, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    private async Task<(PostedEntry Posted, JournalEntry Reversal)> ReversalAsync(Guid entry, DateOnly on, string? memo, DateOnly today, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            var posted = await ReadJournal.OneAsync((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction(), entry, ct)
                ?? throw new RefusedException("journal.not_found", $"There is no entry {entry} in the journal.");
            Refuse.If(posted.ReversedBy is not null, "journal.reversed", $"Entry {posted.Number} was taken back already.");
            return (posted, JournalEntry.Posted(posted.On, posted.Memo, posted.Lines, posted.Reverses).Reversal(entry, on, memo, today));
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }
}
