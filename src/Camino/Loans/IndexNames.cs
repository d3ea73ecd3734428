using Camino.Jobs;
using Npgsql;

namespace Camino.Loans;

/// <summary>
/// Makes the names of one import searchable. Beside the import and not in it: keeping the word index costs about as much as all other work of an import
/// together, and nobody searches a loan in the second in which it comes in.
/// </summary>
public sealed record IndexNames(Guid ImportId) : IJobArgs
{
    public static string Kind => "loans.index-names"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>Loans of one transaction.</summary>
    private const int Batch = 10_000;

    private sealed record Checkpoint(Guid LastLoanId, long Done);

    /// <remarks>Safe to run twice: it sets the words of each loan and goes on behind its checkpoint.</remarks>
    public sealed class Handler(NpgsqlDataSource source) : IJobHandler<IndexNames>
    {
        /// <summary>A name with accents is found with and without them.</summary>
        private const string Index = """
            with batch as (
                select id, borrower_name from camino.loans where import_id = $1 and id > $2 order by id limit $3
            ), stored as (
                insert into camino.loan_names (loan_id, words)
                select id, case when borrower_name ~ '[^ -~]'
                                then to_tsvector('simple', borrower_name || ' ' || regexp_replace(normalize(borrower_name, NFKD), '[\u0300-\u036f]', '', 'g'))
                                else to_tsvector('simple', coalesce(borrower_name, '')) end
                from batch
                on conflict (loan_id) do update set words = excluded.words where loan_names.words is distinct from excluded.words
            )
            select count(*), (array_agg(id order by id desc))[1] from batch
            """;

        public async Task RunAsync(IndexNames args, JobContext job, CancellationToken ct)
        {
            var at = job.ReadCheckpoint<Checkpoint>() ?? new Checkpoint(Guid.Empty, 0);
            await using var connection = await source.OpenConnectionAsync(ct);
            while (true)
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                var count = 0L;
                await using (var index = new NpgsqlCommand(Index, connection, transaction) { CommandTimeout = 300, Parameters = { new() { Value = args.ImportId }, new() { Value = at.LastLoanId }, new() { Value = Batch } } })
                await using (var reader = await index.ExecuteReaderAsync(ct))
                {
                    await reader.ReadAsync(ct);
                    count = reader.GetInt64(0);
                    if (count > 0)
                        at = new Checkpoint(reader.GetGuid(1), at.Done + count);
                }

                if (count < Batch)
                {
                    await job.CompleteAsync(connection, transaction, new { loans = at.Done }, ct);
                    await transaction.CommitAsync(ct);
                    return;
                }

                await job.WriteCheckpointAsync(connection, transaction, at, ct);
                await transaction.CommitAsync(ct);
                await job.ReportProgressAsync(at.Done, null, ct: ct);
            }
        }
    }
}
