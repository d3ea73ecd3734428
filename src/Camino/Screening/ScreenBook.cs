using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Screening;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Screening;

/// <summary>Asks for a look through all borrowers, now.</summary>
public sealed class AskForBook(CaminoDb db, CurrentWatchList lists, TimeProvider clock)
{
    /// <returns>The run's id.</returns>
    /// <exception cref="RefusedException"><c>screening.no_list</c>.</exception>
    public async Task<Guid> RunAsync(Guid by, CancellationToken ct)
    {
        var list = await lists.GetAsync(ct);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var run = await AddAsync(db, (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction(), list.Number, at, by, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "screening.book_asked", "screening_run", run.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return run;
    }

    /// <summary>Adds the run and its job to the caller's transaction; the caller saves.</summary>
    internal static async Task<Guid> AddAsync(CaminoDb db, NpgsqlConnection connection, NpgsqlTransaction transaction, int list, DateTimeOffset at, Guid? by, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        await using var command = new NpgsqlCommand("insert into camino.screening_runs (id, list_number, asked_at, asked_by) values ($1, $2, $3, $4)", connection, transaction)
        {
            Parameters = { new() { Value = id }, new() { Value = list }, new() { Value = at }, new() { Value = by is { } who ? who : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid } },
        };
        await command.ExecuteNonQueryAsync(ct);
        db.Enqueue(new ScreenBook(id), new JobOptions { RequestedBy = by?.ToString() });
        return id;
    }
}

/// <summary>Screens every borrower of the book against the lists in force. A match that was found before, with the entry unchanged since, is not opened again.</summary>
public sealed record ScreenBook(Guid RunId) : IJobArgs
{
    public static string Kind => "screening.screen-book"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>Loans of one transaction.</summary>
    private const int Batch = 1_000;

    /// <param name="Book">0: the portfolio; 1: the serviced loans; 2: owners of businesses.</param>
    private sealed record Checkpoint(int Book, Guid LastId, long Names);

    /// <param name="Id">Of the loan, or of the owner.</param>
    private sealed record Borrower(Guid Id, string Name);

    private sealed record Finding(Guid Run, int List, Borrower Borrower, bool IsLoan, IReadOnlyList<ScreeningHit> Hits);

    /// <remarks>Safe to run twice: a match is stored under its key once, and the run goes on behind its checkpoint, which commits with its rows.</remarks>
    public sealed class Handler(NpgsqlDataSource source, CurrentWatchList lists, ScreeningOptions options, TimeProvider clock) : IJobHandler<ScreenBook>
    {
        private static readonly string[] s_books =
        [
            "select id, borrower_name from camino.loans where id > $1 order by id limit $2",
            "select id, borrower_name from camino.serviced_loans where id > $1 order by id limit $2",
            "select id, name from camino.borrower_owners where id > $1 order by id limit $2",
        ];

        public async Task RunAsync(ScreenBook args, JobContext job, CancellationToken ct)
        {
            var loaded = await lists.GetAsync(ct);
            await using var connection = await source.OpenConnectionAsync(ct);
            var (wanted, total) = await ReadRunAsync(connection, args.RunId, ct);
            var at = job.ReadCheckpoint<Checkpoint>() ?? new Checkpoint(0, Guid.Empty, 0);
            while (at.Book < s_books.Length && loaded.Number == wanted)
            {
                var borrowers = await NextAsync(connection, at, ct);
                var found = Found(loaded.List, borrowers, ct);
                var isLoan = at.Book < 2;
                at = borrowers.Count == 0 ? new Checkpoint(at.Book + 1, Guid.Empty, at.Names) : new Checkpoint(at.Book, borrowers[^1].Id, at.Names + borrowers.Count);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                foreach (var (borrower, hits) in found)
                    await StoreAsync(connection, transaction, new Finding(args.RunId, loaded.Number, borrower, isLoan, hits), ct);
                await CountAsync(connection, transaction, args.RunId, borrowers.Count, ct);
                await job.WriteCheckpointAsync(connection, transaction, at, ct);
                await transaction.CommitAsync(ct);
                await job.ReportProgressAsync(at.Names, Math.Max(total, at.Names), ct: ct);
            }

            await using var end = await connection.BeginTransactionAsync(ct);
            await using (var finish = new NpgsqlCommand("update camino.screening_runs set finished_at = $2, superseded = $3 where id = $1", connection, end) { Parameters = { new() { Value = args.RunId }, new() { Value = clock.GetUtcNow() }, new() { Value = loaded.Number != wanted } } })
                await finish.ExecuteNonQueryAsync(ct);
            await job.CompleteAsync(connection, end, new { names = at.Names, list = wanted, superseded = loaded.Number != wanted }, ct);
            await end.CommitAsync(ct);
        }

        private List<(Borrower Borrower, IReadOnlyList<ScreeningHit> Hits)> Found(WatchList list, List<Borrower> borrowers, CancellationToken ct)
        {
            var found = new List<(Borrower, IReadOnlyList<ScreeningHit>)>();
            foreach (var borrower in borrowers)
            {
                ct.ThrowIfCancellationRequested();
                if (Screen(list, borrower.Name) is { Count: > 0 } hits)
                    found.Add((borrower, hits));
            }

            return found;
        }

        private IReadOnlyList<ScreeningHit> Screen(WatchList list, string name) => name.Length == 0 ? [] : list.Search(new ScreenedParty(SanctionsGate.Screened(name)), options.Threshold, SanctionsGate.MostHits);

        private static async Task<(int List, long Loans)> ReadRunAsync(NpgsqlConnection connection, Guid run, CancellationToken ct)
        {
            await using var command = new NpgsqlCommand("select list_number, (select count(*) from camino.loans) + (select count(*) from camino.serviced_loans) + (select count(*) from camino.borrower_owners) from camino.screening_runs where id = $1", connection) { Parameters = { new() { Value = run } } };
            await using var row = await command.ExecuteReaderAsync(ct);
            return await row.ReadAsync(ct) ? (row.GetInt32(0), row.GetInt64(1)) : throw new JobAbandonedException("The run is not there any more.");
        }

        private static async Task<List<Borrower>> NextAsync(NpgsqlConnection connection, Checkpoint at, CancellationToken ct)
        {
            await using var command = new NpgsqlCommand(s_books[at.Book], connection) { Parameters = { new() { Value = at.LastId }, new() { Value = Batch } } };
            await using var rows = await command.ExecuteReaderAsync(ct);
            var borrowers = new List<Borrower>();
            while (await rows.ReadAsync(ct))
                borrowers.Add(new Borrower(rows.GetGuid(0), await rows.IsDBNullAsync(1, ct) ? "" : rows.GetString(1).Trim()));
            return borrowers;
        }

        private async Task StoreAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Finding finding, CancellationToken ct)
        {
            var (run, list, borrower, isLoan, hits) = finding;
            var found = hits.Select(hit => (Hit: hit, Key: SanctionsGate.KeyOf(borrower.Name, hit.Party))).ToList();
            var known = await SanctionsGate.KnownAsync(connection, transaction, found.ConvertAll(one => one.Key), ct);
            var fresh = found.Where(one => !known.ContainsKey(Convert.ToHexString(one.Key))).Select(one => (one.Hit, (byte[]?)one.Key)).ToList();
            if (fresh.Count > 0)
            {
                var screening = new StoredScreening(Guid.CreateVersion7(), list, new ScreenedParty(SanctionsGate.Screened(borrower.Name)), options.Threshold, clock.GetUtcNow(), null) { RunId = run, LoanId = isLoan ? borrower.Id : null };
                await ScreenName.StoreAsync(connection, transaction, screening, fresh, ct);
            }

            await using var count = new NpgsqlCommand("update camino.screening_runs set hits = hits + $2, known = known + $3 where id = $1", connection, transaction) { Parameters = { new() { Value = run }, new() { Value = (long)fresh.Count }, new() { Value = (long)(hits.Count - fresh.Count) } } };
            await count.ExecuteNonQueryAsync(ct);
        }

        private static async Task CountAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid run, int names, CancellationToken ct)
        {
            await using var command = new NpgsqlCommand("update camino.screening_runs set names = names + $2 where id = $1", connection, transaction) { Parameters = { new() { Value = run }, new() { Value = (long)names } } };
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
