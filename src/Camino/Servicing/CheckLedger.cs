using System.Globalization;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Servicing;

/// <summary>Asks for a comparison of the loans with the ledger, now.</summary>
public sealed class AskLedgerCheck(CaminoDb db, TimeProvider clock)
{
    public async Task<LedgerCheck> RunAsync(Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var check = new LedgerCheck(await db.TodayAsync(ct), at, by);
        db.LedgerChecks.Add(check);
        db.Enqueue(new CheckLedger(check.Id), new JobOptions { RequestedBy = by.ToString() });
        db.AuditEntries.Add(new AuditEntry(at, by, "ledger.check_asked", "ledger_check", check.Id.ToString()));
        await db.SaveChangesAsync(ct);
        return check;
    }
}

/// <summary>Compares every loan's balances with the sums of its ledger entries, and all entries with zero.</summary>
public sealed record CheckLedger(Guid CheckId) : IJobArgs
{
    public static string Kind => "servicing.check-ledger"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <remarks>Safe to run twice: it replaces what it found. One statement on one snapshot, so that a payment in between cannot look like a difference.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<CheckLedger>
    {
        private const string Compare = """
            with sums as (
                select loan_id, account, sum(amount) as amount, count(*) as entries from camino.ledger_entries group by loan_id, account
            ), stated as (
                select l.id as loan_id, a.account, a.amount from camino.serviced_loans l, lateral (values
                    ('LoansReceivable', l.principal_receivable), ('InterestReceivable', l.interest_receivable), ('FeesReceivable', l.fees_receivable),
                    ('PenaltiesReceivable', l.penalties_receivable), ('BorrowerCredits', -l.credit), ('ChargedOffBalances', l.charged_off)) a (account, amount)
            ), differences as (
                select coalesce(s.loan_id, t.loan_id, b.loan_id) as loan_id, coalesce(s.account, t.account, b.account) as account,
                       coalesce(s.amount, 0) as entries, coalesce(b.amount, 0) as kept, t.amount as stated
                from sums s full join camino.loan_balances b on b.loan_id = s.loan_id and b.account = s.account
                     full join stated t on t.loan_id = coalesce(s.loan_id, b.loan_id) and t.account = coalesce(s.account, b.account)
                where coalesce(s.amount, 0) <> coalesce(b.amount, 0) or (t.account is not null and coalesce(s.amount, 0) <> t.amount)
            )
            select (select count(*) from camino.serviced_loans) as loans, (select coalesce(sum(entries), 0)::bigint from sums) as entries,
                   (select count(*) from differences) as differences, (select coalesce(sum(amount), 0) from sums) as total,
                   (select coalesce(jsonb_agg(to_jsonb(first)), '[]')::text from (select * from differences order by loan_id, account limit 100) first) as details
            """;

        public async Task RunAsync(CheckLedger args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var connection = (NpgsqlConnection)db.Database.GetDbConnection();
            var native = (NpgsqlTransaction)transaction.GetDbTransaction();
            var check = await db.LedgerChecks.SingleAsync(one => one.Id == args.CheckId, ct);
            await using (var compare = new NpgsqlCommand(Compare, connection, native) { CommandTimeout = 3_600 })
            await using (var row = await compare.ExecuteReaderAsync(ct))
            {
                await row.ReadAsync(ct);
                check.Finish(clock.GetUtcNow(), row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetDecimal(3), row.GetString(4));
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(connection, native, new { check.Loans, check.Entries, check.Differences, total = check.Total.ToString("0.00", CultureInfo.InvariantCulture) }, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
