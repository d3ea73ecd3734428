using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Servicing;

/// <summary>Ends the business date and begins the next one; jobs then bring every loan to it.</summary>
public sealed class CloseDay(CaminoDb db, CloseWork work, TimeProvider clock)
{
    /// <param name="closes">The business date that the caller wants to end: a second press, or a second schedule tick, changes nothing more.</param>
    /// <param name="by">Null for the system itself.</param>
    /// <remarks>A close whose jobs have failed does not stand in the way: the new one brings forward what it left behind.</remarks>
    /// <exception cref="RefusedException"><c>close.not_today</c>, <c>close.running</c>.</exception>
    public async Task<CloseRun> RunAsync(DateOnly closes, Guid? by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var stuck = await work.StuckAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // commands hold the same lock shared: those in hand end on the old date, those after see the new one
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({LoanAccess.DayLock})", ct);
        var day = await db.BusinessDays.SingleAsync(ct);
        Refuse.If(day.Today != closes, "close.not_today", $"The business date is {day.Today:yyyy-MM-dd}; {closes:yyyy-MM-dd} cannot be closed.");
        var unfinished = await db.CloseRuns.Where(run => run.FinishedAt == null).ToListAsync(ct);
        Refuse.If(unfinished.Exists(run => !stuck.Contains(run.Id)), "close.running", "The close before is still bringing loans forward; wait until it has finished.");
        var run = new CloseRun(closes, closes.AddDays(1), at, by);
        foreach (var left in unfinished)
        {
            left.Finish(at);
            db.AuditEntries.Add(new AuditEntry(at, by, "day.close_taken_over", "day", Text(left.Closes), JsonSerializer.Serialize(new { by = run.Closes })));
        }

        day.MoveTo(run.Opens, at, by);
        db.CloseRuns.Add(run);
        CloseWork.AskForPlan(db, run.Id, by?.ToString());
        db.AuditEntries.Add(new AuditEntry(at, by, "day.closed", "day", Text(closes), JsonSerializer.Serialize(new { opens = run.Opens })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return run;
    }

    internal static string Text(DateOnly date) => date.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Lays the loans of a close out in chunks, each a job.</summary>
public sealed record PlanClose(Guid RunId) : IJobArgs
{
    public static string Kind => "servicing.plan-close"; // stored in rows: never rename, never reuse

    /// <summary>Loans of one chunk.</summary>
    public const int ChunkLoans = 1_000;

    /// <remarks>Safe to run twice: the run is laid out once, together with its jobs and with "done".</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<PlanClose>
    {
        private sealed record Range(int Number, Guid FromId, Guid ToId, int Loans);

        public async Task RunAsync(PlanClose args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"select 1 from camino.close_runs where id = {args.RunId} for update", ct);
            var run = await db.CloseRuns.SingleAsync(one => one.Id == args.RunId, ct);
            if (run.PlannedAt is null)
            {
                var ranges = await db.Database.SqlQuery<Range>(
                    $"""
                    select (n / {ChunkLoans})::int as "Number", (array_agg(id order by id))[1] as "FromId", (array_agg(id order by id desc))[1] as "ToId", count(*)::int as "Loans"
                    from (select id, row_number() over (order by id) - 1 as n from camino.serviced_loans where as_of < {run.Opens}) numbered group by 1
                    """).ToListAsync(ct);
                foreach (var range in ranges.OrderBy(range => range.Number))
                {
                    db.CloseChunks.Add(new CloseChunk(run.Id, range.Number, range.FromId, range.ToId, range.Loans));
                    CloseWork.AskForChunk(db, run.Id, range.Number, job.RequestedBy);
                }

                run.Plan(clock.GetUtcNow());
                if (ranges.Count == 0)
                    run.Finish(clock.GetUtcNow());
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Brings the loans of one chunk to the business date that a close opened: ages them, accrues, posts.</summary>
/// <param name="Chunk">The chunk's number within the run.</param>
public sealed partial record CloseLoans(Guid RunId, int Chunk) : IJobArgs
{
    public static string Kind => "servicing.close-loans"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>Loans of one transaction: few, so that a payment never waits long for a loan.</summary>
    private const int Batch = 50;

    /// <remarks>Safe to run twice: a loan that has reached the date is passed over. A loan that cannot be read is set aside with its error, and the others go on.</remarks>
    public sealed partial class Handler(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Handler> log) : IJobHandler<CloseLoans>
    {
        public async Task RunAsync(CloseLoans args, JobContext job, CancellationToken ct)
        {
            CloseRun run;
            CloseChunk chunk;
            await using (var scope = scopes.CreateAsyncScope())
            {
                var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
                run = await db.CloseRuns.AsNoTracking().SingleAsync(one => one.Id == args.RunId, ct);
                chunk = await db.CloseChunks.AsNoTracking().SingleAsync(one => one.RunId == args.RunId && one.Number == args.Chunk, ct);
            }

            var after = Guid.Empty;
            var done = chunk.Closed + chunk.SetAside;
            while (await NextAsync(run, chunk, after, ct) is { Length: > 0 } ids)
            {
                after = ids[^1];
                var failed = await BringForwardAsync(ids, args, job, ct) ? 0 : await OneByOneAsync(ids, args, job, ct);
                done += ids.Length;
                await job.ReportProgressAsync(done, Math.Max(done, chunk.Planned), failed == 0 ? null : $"{failed} set aside", ct);
            }

            await FinishAsync(args, job, ct);
        }

        private async Task<Guid[]> NextAsync(CloseRun run, CloseChunk chunk, Guid after, CancellationToken ct)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            return await db.Database.SqlQuery<Guid>(
                $"select id as \"Value\" from camino.serviced_loans where id >= {chunk.FromId} and id <= {chunk.ToId} and id > {after} and as_of < {run.Opens} order by id limit {Batch}").ToArrayAsync(ct);
        }

        /// <summary>One transaction for all; false when something went wrong and nothing was kept.</summary>
        private async Task<bool> BringForwardAsync(IReadOnlyList<Guid> ids, CloseLoans args, JobContext job, CancellationToken ct)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                var loans = await db.LoansForChangeAsync(ids, ct);
                foreach (var loan in loans)
                {
                    loan.BringForward(clock.GetUtcNow());
                    db.Keep(loan);
                }

                await KeepAsync(db, transaction, args, loans.Count, 0, job, ct);
                return true;
            }
            catch (Exception broken) when (IsTheLoansFault(broken))
            {
                return false;
            }
        }

        private async Task<int> OneByOneAsync(IReadOnlyList<Guid> ids, CloseLoans args, JobContext job, CancellationToken ct)
        {
            var failed = 0;
            foreach (var id in ids)
            {
                await using var scope = scopes.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
                try
                {
                    await using var transaction = await db.Database.BeginTransactionAsync(ct);
                    var loan = await db.LoanForChangeAsync(id, ct);
                    loan.BringForward(clock.GetUtcNow());
                    db.Keep(loan);
                    await KeepAsync(db, transaction, args, 1, 0, job, ct);
                }
                catch (Exception broken) when (IsTheLoansFault(broken))
                {
                    failed++;
                    LogSetAside(broken, id);
                    await SetAsideAsync(id, broken, args, job, ct);
                }
            }

            return failed;
        }

        private async Task SetAsideAsync(Guid id, Exception broken, CloseLoans args, JobContext job, CancellationToken ct)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.SetLoanAsideAsync(id, broken is RefusedException refused ? $"{refused.Code}: {refused.Message}" : broken.GetType().Name, clock.GetUtcNow(), ct);
            await KeepAsync(db, transaction, args, 0, 1, job, ct);
        }

        /// <summary>Counts what was done, and commits it with the rest, unless another server has taken the job over.</summary>
        private static async Task KeepAsync(CaminoDb db, IDbContextTransaction transaction, CloseLoans args, int closed, int setAside, JobContext job, CancellationToken ct)
        {
            (await db.CloseChunks.SingleAsync(one => one.RunId == args.RunId && one.Number == args.Chunk, ct)).Report(closed, setAside);
            await db.SaveChangesAsync(ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task FinishAsync(CloseLoans args, JobContext job, CancellationToken ct)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            // chunks end one after the other, so that exactly one of them sees itself as the last
            await db.Database.ExecuteSqlAsync($"select 1 from camino.close_runs where id = {args.RunId} for update", ct);
            (await db.CloseChunks.SingleAsync(one => one.RunId == args.RunId && one.Number == args.Chunk, ct)).Finish(clock.GetUtcNow());
            await db.SaveChangesAsync(ct);
            if (!await db.CloseChunks.AnyAsync(one => one.RunId == args.RunId && one.DoneAt == null, ct))
            {
                var run = await db.CloseRuns.SingleAsync(one => one.Id == args.RunId, ct);
                if (run.FinishedAt is null)
                {
                    run.Finish(clock.GetUtcNow());
                    var check = new LedgerCheck(run.Opens, clock.GetUtcNow(), null);
                    db.LedgerChecks.Add(check);
                    db.Enqueue(new CheckLedger(check.Id));
                    await db.SaveChangesAsync(ct);
                }
            }

            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        /// <summary>Cancelled, without its lease or without a database, the run itself has ended; everything else is about the loan in hand.</summary>
        private static bool IsTheLoansFault(Exception broken) =>
            broken is not (OperationCanceledException or LeaseLostException) && broken is not NpgsqlException { IsTransient: true } && broken.InnerException is not NpgsqlException { IsTransient: true };

        [LoggerMessage(210, LogLevel.Error, "Loan {LoanId} was set aside by the close")]
        private partial void LogSetAside(Exception broken, Guid loanId);
    }
}
