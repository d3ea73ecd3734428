using Npgsql;

namespace Camino.Testing;

/// <summary>Makes a book of many loans out of one: copies of everything that is stored for it, each under an id of its own.</summary>
public static class ManyLoans
{
    /// <param name="source">A database of the test's own.</param>
    /// <param name="loan">The loan that is copied.</param>
    /// <param name="copies">How many loans there are to be more.</param>
    public static async Task CopyAsync(NpgsqlDataSource source, Guid loan, int copies, CancellationToken ct = default)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using (var ids = new NpgsqlCommand("create temporary table copied as select gen_random_uuid() as id, n from generate_series(1, $1) n", connection))
        {
            ids.CommandTimeout = 600;
            ids.Parameters.AddWithValue(copies);
            await ids.ExecuteNonQueryAsync(ct);
        }

        // one transaction: the ledger's balance is looked at when it ends
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await CopyAsync(connection, "serviced_loans", "o.id = $1", new() { ["id"] = "c.id", ["number"] = "'L-C' || c.n", ["principal_owed"] = "o.principal_owed + c.n % 977", ["principal_receivable"] = "o.principal_receivable", ["days_past_due"] = "c.n % 91" }, loan, ct);
        await CopyAsync(connection, "loan_events", "o.loan_id = $1", new() { ["id"] = "gen_random_uuid()", ["loan_id"] = "c.id" }, loan, ct);
        await CopyAsync(connection, "loan_installments", "o.loan_id = $1", new() { ["loan_id"] = "c.id" }, loan, ct);
        await CopyAsync(connection, "loan_balances", "o.loan_id = $1", new() { ["loan_id"] = "c.id" }, loan, ct);
        // a copy's transaction id is made of both, so that its entries find it
        const string Id = "md5(c.id::text || {0})::uuid";
        await CopyAsync(connection, "ledger_transactions", "o.loan_id = $1", new() { ["id"] = string.Format(System.Globalization.CultureInfo.InvariantCulture, Id, "o.id"), ["loan_id"] = "c.id" }, loan, ct);
        await CopyAsync(connection, "ledger_entries", "o.loan_id = $1", new() { ["transaction_id"] = string.Format(System.Globalization.CultureInfo.InvariantCulture, Id, "o.transaction_id"), ["loan_id"] = "c.id" }, loan, ct);
        await transaction.CommitAsync(ct);
        await using var analyze = new NpgsqlCommand("analyze camino.serviced_loans; analyze camino.ledger_transactions; analyze camino.ledger_entries; analyze camino.loan_events; analyze camino.loan_installments; analyze camino.loan_balances", connection);
        analyze.CommandTimeout = 600;
        await analyze.ExecuteNonQueryAsync(ct);
    }

    private static async Task CopyAsync(NpgsqlConnection connection, string table, string which, Dictionary<string, string> own, Guid loan, CancellationToken ct)
    {
        var columns = new List<string>();
        await using (var read = new NpgsqlCommand("select column_name from information_schema.columns where table_schema = 'camino' and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO' order by ordinal_position", connection))
        {
            read.Parameters.AddWithValue(table);
            await using var names = await read.ExecuteReaderAsync(ct);
            while (await names.ReadAsync(ct))
                columns.Add(names.GetString(0));
        }

        await using var copy = new NpgsqlCommand($"insert into camino.{table} ({string.Join(", ", columns)}) select {string.Join(", ", columns.Select(column => own.GetValueOrDefault(column, "o." + column)))} from camino.{table} o cross join copied c where {which}", connection);
        copy.CommandTimeout = 600;
        copy.Parameters.AddWithValue(loan);
        await copy.ExecuteNonQueryAsync(ct);
    }
}
