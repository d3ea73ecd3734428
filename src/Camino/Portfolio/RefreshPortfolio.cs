using Camino.Jobs;
using Npgsql;

namespace Camino.Portfolio;

/// <summary>Computes the figures of the portfolio page anew, from all loans, in one statement.</summary>
public sealed record RefreshPortfolio : IJobArgs
{
    public static string Kind => "portfolio.refresh"; // stored in rows: never rename, never reuse

    /// <summary>Lower ends of the size groups in dollars, the first one included.</summary>
    public static IReadOnlyList<int> SizeFrom { get; } = [0, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000, 5_000_000];

    /// <summary>Lower ends of the term groups in months.</summary>
    public static IReadOnlyList<int> TermFrom { get; } = [0, 13, 37, 61, 85, 121, 241, 301];

    /// <remarks>Safe to run twice: it replaces the figures of one moment by those of another.</remarks>
    public sealed class Handler(NpgsqlDataSource source) : IJobHandler<RefreshPortfolio>
    {
        /// <summary>One scan of the loans with all groupings at once; groups without a value have the key ''.</summary>
        private const string Compute = """
            insert into camino.portfolio_figures (dimension, key, loans, disbursed, approved, guaranteed, charged_off, balance, loans_charged_off, loans_closed, as_of)
            with facts as (
                select extract(year from coalesce(disbursed_on, approved_on))::int as year, coalesce(approval_fiscal_year, extract(year from approved_on + interval '3 months')::int) as vintage, state, left(naics, 2) as sector, naics as industry,
                       $1::int[] as terms, width_bucket(term_months, $1::int[]) as term, width_bucket(amount, $2::numeric[]) as size, status, source,
                       coalesce(disbursed, 0) as disbursed, coalesce(approved, 0) as approved, coalesce(guaranteed, 0) as guaranteed, coalesce(charged_off, 0) as charged_off, coalesce(balance, 0) as balance
                from camino.loans
            )
            select case when grouping(year) = 0 then 'year' when grouping(vintage) = 0 then 'vintage' when grouping(state) = 0 then 'state' when grouping(sector) = 0 then 'sector'
                        when grouping(industry) = 0 then 'industry' when grouping(term) = 0 then 'term' when grouping(size) = 0 then 'size' when grouping(status) = 0 then 'status'
                        when grouping(source) = 0 then 'source' else 'total' end,
                   coalesce(case when grouping(year) = 0 then year::text when grouping(vintage) = 0 then vintage::text when grouping(state) = 0 then state when grouping(sector) = 0 then sector
                        when grouping(industry) = 0 then industry when grouping(term) = 0 then ($1::int[])[term]::text when grouping(size) = 0 then ($2::int[])[size]::text when grouping(status) = 0 then status::text
                        when grouping(source) = 0 then source::text end, ''),
                   count(*), sum(disbursed), sum(approved), sum(guaranteed), sum(charged_off), sum(balance),
                   count(*) filter (where status = 3), count(*) filter (where status in (2, 3)), now()
            from facts
            group by grouping sets ((), (year), (vintage), (state), (sector), (industry), (term), (size), (status), (source))
            """;

        public async Task RunAsync(RefreshPortfolio args, JobContext job, CancellationToken ct)
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await job.HoldLeaseAsync(connection, transaction, ct);
            // two refreshes at once would meet on the same keys
            await using (var alone = new NpgsqlCommand("lock table camino.portfolio_figures in share row exclusive mode", connection, transaction))
                await alone.ExecuteNonQueryAsync(ct);
            await using (var clear = new NpgsqlCommand("delete from camino.portfolio_figures", connection, transaction))
                await clear.ExecuteNonQueryAsync(ct);
            await using (var compute = new NpgsqlCommand(Compute, connection, transaction) { CommandTimeout = 600, Parameters = { new() { Value = TermFrom.ToArray() }, new() { Value = SizeFrom.ToArray() } } })
                await compute.ExecuteNonQueryAsync(ct);
            await job.CompleteAsync(connection, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
