using Camino.Jobs;
using Npgsql;

namespace Camino.Borrowers;

/// <summary>
/// Finds or makes the borrower of each loan: of one import, or of every loan that has none yet. Beside the import and not in it, so that the import is as fast as its table allows.
/// Portfolio loans of the same name at the same place are one borrower; a loan of the lender's own book that was booked without one gets a borrower of its own.
/// </summary>
/// <param name="ImportId">The import; null for all that is not linked.</param>
public sealed record LinkBorrowers(Guid? ImportId) : IJobArgs
{
    public static string Kind => "borrowers.link"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>Loans of one transaction.</summary>
    private const int Batch = 5_000;

    private sealed record Checkpoint(Guid LastLoanId, long Done);

    /// <remarks>Safe to run twice: it sets the borrower of each loan and goes on behind its checkpoint.</remarks>
    public sealed class Handler(NpgsqlDataSource source) : IJobHandler<LinkBorrowers>
    {
        private const string OfImport = "l.import_id = $1";

        /// <summary>The parameter is named so that both forms take the same ones.</summary>
        private const string OfAll = "$1::uuid is null and not exists (select from camino.loan_borrowers k where k.loan_id = l.id)";

        private const string Rows = """
            batch as materialized (
                select l.id, l.borrower_name, l.street, l.city, l.state, l.zip, camino.borrower_key(l.borrower_name, l.city, l.state, l.zip) as key
                from camino.loans l where {0} and l.id > $2 order by l.id limit $3
            )
            """;

        private const string Make = $$"""
            with {{Rows}}, one as (
                select distinct on (key) key, id, borrower_name, street, city, state, zip from batch where key is not null order by key, id
            ), made as (
                insert into camino.borrowers (id, name, match_key, branch_id)
                select camino.new_id(), left(borrower_name, 200), key, (select lb.branch_id from camino.loan_branches lb where lb.loan_id = o.id) from one o where borrower_name <> '' and not exists (select from camino.borrowers b where b.match_key = o.key)
                on conflict (match_key) where match_key is not null do nothing
                returning id, match_key
            ), placed as (
                insert into camino.borrower_addresses (borrower_id, position, street, city, state, zip)
                select m.id, 1, nullif(left(o.street, 200), ''), nullif(left(o.city, 100), ''), o.state, o.zip from made m join one o on o.key = m.match_key
                where coalesce(nullif(o.street, ''), nullif(o.city, ''), o.state, o.zip) is not null
            )
            select count(*), (array_agg(id order by id desc))[1] from batch
            """;

        private const string Link = $$"""
            with {{Rows}}
            insert into camino.loan_borrowers (loan_id, borrower_id, own_book)
            select l.id, coalesce(b.merged_into, b.id), false from batch l join camino.borrowers b on b.match_key = l.key
            on conflict (loan_id) do update set borrower_id = excluded.borrower_id where loan_borrowers.borrower_id <> excluded.borrower_id
            """;

        private const string OwnBook = """
            with open as materialized (
                select s.id, s.borrower_name, md5('book|' || s.id)::uuid as key
                from camino.serviced_loans s where not exists (select from camino.loan_borrowers k where k.loan_id = s.id) order by s.id limit $1
            ), made as (
                insert into camino.borrowers (id, name, match_key) select camino.new_id(), borrower_name, key from open
                on conflict (match_key) where match_key is not null do update set match_key = excluded.match_key -- so that one that is there is returned too
                returning coalesce(merged_into, id) as id, match_key
            )
            insert into camino.loan_borrowers (loan_id, borrower_id, own_book)
            select o.id, m.id, true from open o join made m on m.match_key = o.key
            on conflict (loan_id) do nothing
            """;

        private static readonly System.Text.CompositeFormat s_make = System.Text.CompositeFormat.Parse(Make);
        private static readonly System.Text.CompositeFormat s_link = System.Text.CompositeFormat.Parse(Link);

        public async Task RunAsync(LinkBorrowers args, JobContext job, CancellationToken ct)
        {
            var at = job.ReadCheckpoint<Checkpoint>() ?? new Checkpoint(Guid.Empty, 0);
            await using var connection = await source.OpenConnectionAsync(ct);
            var total = await TotalAsync(connection, args, ct);
            var condition = args.ImportId is null ? OfAll : OfImport;
            while (true)
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                var count = 0L;
                var next = at;
                await using (var make = Command(string.Format(null, s_make, condition), connection, transaction, args, at))
                await using (var reader = await make.ExecuteReaderAsync(ct))
                {
                    await reader.ReadAsync(ct);
                    count = reader.GetInt64(0);
                    if (count > 0)
                        next = new Checkpoint(reader.GetGuid(1), at.Done + count);
                }

                await using (var link = Command(string.Format(null, s_link, condition), connection, transaction, args, at))
                    await link.ExecuteNonQueryAsync(ct);
                at = next;
                if (count < Batch)
                {
                    var own = args.ImportId is null ? await LinkOwnAsync(connection, transaction, ct) : 0;
                    await job.CompleteAsync(connection, transaction, new { loans = at.Done + own }, ct);
                    await transaction.CommitAsync(ct);
                    return;
                }

                await job.WriteCheckpointAsync(connection, transaction, at, ct);
                await transaction.CommitAsync(ct);
                await job.ReportProgressAsync(at.Done, total, ct: ct);
            }
        }

        private static async Task<long> LinkOwnAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
        {
            var linked = 0L;
            while (true)
            {
                await using var own = new NpgsqlCommand(OwnBook, connection, transaction) { CommandTimeout = 300, Parameters = { new() { Value = Batch } } };
                var rows = await own.ExecuteNonQueryAsync(ct);
                linked += rows;
                if (rows < Batch)
                    return linked;
            }
        }

        /// <summary>How many there are to look at: counted for one import, estimated for all.</summary>
        private static async Task<long> TotalAsync(NpgsqlConnection connection, LinkBorrowers args, CancellationToken ct)
        {
            await using var count = new NpgsqlCommand(
                args.ImportId is null ? "select greatest(reltuples::bigint, 0) from pg_class where oid = 'camino.loans'::regclass" : "select count(*) from camino.loans where import_id = $1", connection);
            if (args.ImportId is { } import)
                count.Parameters.Add(new NpgsqlParameter { Value = import });
            return (long)(await count.ExecuteScalarAsync(ct) ?? 0L);
        }

        private static NpgsqlCommand Command(string text, NpgsqlConnection connection, NpgsqlTransaction transaction, LinkBorrowers args, Checkpoint at) => new(text, connection, transaction)
        {
            CommandTimeout = 300,
            Parameters = { new() { Value = (object?)args.ImportId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid }, new() { Value = at.LastLoanId }, new() { Value = Batch } },
        };
    }
}
