using Npgsql;
using NpgsqlTypes;

namespace Camino.Imports;

/// <summary>What the portfolio holds already under one number.</summary>
internal readonly record struct StoredLoan(Guid Id, Guid ContentHash);

/// <summary>The bulk statements on <c>camino.loans</c>: look up, copy in, replace. One place knows the order of the columns.</summary>
internal static class LoanTable
{
    private const string Columns =
        "id, source, number, borrower_name, street, city, state, zip, lender_name, lender_state, naics, industry_title, approved_on, disbursed_on, charged_off_on, paid_in_full_on, " +
        "approval_fiscal_year, term_months, employees, jobs_created, jobs_retained, business_age, business_type, franchise_code, urban_rural, county, congressional_district, " +
        "processing_method, revolving, low_documentation, non_profit, fixed_rate, interest_rate_percent, status, disbursed, approved, guaranteed, charged_off, balance, " +
        "amount_from, amount_to, content_hash, import_id, import_line, stored_at";

    private const string AnyInRange = "select exists (select from camino.loans where source = $1 and number between $2 and $3)";

    private const string FindMany = "select number, id, content_hash from camino.loans where source = $1 and number = any($2)";

    private const string CopyIn = $"copy camino.loans ({Columns}) from stdin (format binary)";

    private const string MakeChanged = $"create temporary table if not exists changed_loans on commit drop as select {Columns} from camino.loans with no data";

    private const string CopyChanged = $"copy changed_loans ({Columns}) from stdin (format binary)";

    private const string KeepVersions =
        "insert into camino.loan_versions (loan_id, replaced_by_import_id, replaced_at, facts) " +
        "select l.id, c.import_id, c.stored_at, to_jsonb(l) - 'id' - 'content_hash' from camino.loans l join changed_loans c using (id)";

    private static readonly string s_replace =
        $"update camino.loans l set {string.Join(", ", Columns.Split(", ").Where(c => c is not ("id" or "source" or "number")).Select(c => $"{c} = c.{c}"))} from changed_loans c where l.id = c.id";

    /// <summary>Loans that are there already under the given numbers. A probe of the whole range comes first: a fresh file costs one look, not one a row.</summary>
    public static async Task<Dictionary<string, StoredLoan>> FindAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, LoanSource source, List<string> numbers, CancellationToken ct)
    {
        var found = new Dictionary<string, StoredLoan>(StringComparer.Ordinal);
        if (numbers.Count == 0)
            return found;
        var least = numbers[0];
        var most = numbers[0];
        foreach (var number in numbers)
        {
            if (string.CompareOrdinal(number, least) < 0)
                least = number;
            if (string.CompareOrdinal(number, most) > 0)
                most = number;
        }

        await using var probe = new NpgsqlCommand(AnyInRange, connection, transaction) { Parameters = { new() { Value = (short)source }, new() { Value = least }, new() { Value = most } } };
        if (await probe.ExecuteScalarAsync(ct) is not true)
            return found;

        await using var find = new NpgsqlCommand(FindMany, connection, transaction) { Parameters = { new() { Value = (short)source }, new() { Value = numbers.ToArray() } } };
        await using var reader = await find.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            found[reader.GetString(0)] = new StoredLoan(reader.GetGuid(1), reader.GetGuid(2));
        return found;
    }

    /// <summary>Copies new loans in.</summary>
    public static Task InsertAsync(NpgsqlConnection connection, List<(PortfolioRow Row, Guid Id)> loans, Guid importId, DateTime at, CancellationToken ct) =>
        CopyAsync(connection, CopyIn, loans, importId, at, ct);

    /// <summary>Puts new loans into the branch that their import names; loans that were there stay where they are.</summary>
    public static async Task PlaceAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, List<(PortfolioRow Row, Guid Id)> loans, Guid branch, CancellationToken ct)
    {
        await using var place = new NpgsqlCommand("insert into camino.loan_branches (loan_id, branch_id) select id, $2 from unnest($1::uuid[]) id on conflict (loan_id) do nothing", connection, transaction)
        {
            Parameters = { new() { Value = loans.ConvertAll(loan => loan.Id).ToArray() }, new() { Value = branch } },
        };
        await place.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Replaces loans whose content changed and keeps the replaced state as a version.</summary>
    public static async Task ReplaceAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, List<(PortfolioRow Row, Guid Id)> loans, Guid importId, DateTime at, CancellationToken ct)
    {
        await using (var make = new NpgsqlCommand(MakeChanged, connection, transaction))
            await make.ExecuteNonQueryAsync(ct);
        await CopyAsync(connection, CopyChanged, loans, importId, at, ct);
        await using (var keep = new NpgsqlCommand(KeepVersions, connection, transaction))
            await keep.ExecuteNonQueryAsync(ct);
        await using var replace = new NpgsqlCommand(s_replace, connection, transaction);
        await replace.ExecuteNonQueryAsync(ct);
    }

    private static async Task CopyAsync(NpgsqlConnection connection, string statement, List<(PortfolioRow Row, Guid Id)> loans, Guid importId, DateTime at, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(statement, ct);
        foreach (var (row, id) in loans)
        {
            ct.ThrowIfCancellationRequested();
            Write(copy, row, id, importId, at);
        }

        await copy.CompleteAsync(ct);
    }

    private static void Write(NpgsqlBinaryImporter copy, PortfolioRow row, Guid id, Guid importId, DateTime at)
    {
        var facts = row.Facts;
        copy.StartRow();
        copy.Write(id, NpgsqlDbType.Uuid);
        copy.Write((short)facts.Source, NpgsqlDbType.Smallint);
        copy.Write(facts.Number, NpgsqlDbType.Text);
        Text(copy, facts.BorrowerName);
        Text(copy, facts.Street);
        Text(copy, facts.City);
        Text(copy, facts.State);
        Text(copy, facts.Zip);
        Text(copy, facts.LenderName);
        Text(copy, facts.LenderState);
        Text(copy, facts.Naics);
        Text(copy, facts.IndustryTitle);
        Value(copy, facts.ApprovedOn, NpgsqlDbType.Date);
        Value(copy, facts.DisbursedOn, NpgsqlDbType.Date);
        Value(copy, facts.ChargedOffOn, NpgsqlDbType.Date);
        Value(copy, facts.PaidInFullOn, NpgsqlDbType.Date);
        Value(copy, facts.ApprovalFiscalYear, NpgsqlDbType.Integer);
        Value(copy, facts.TermMonths, NpgsqlDbType.Integer);
        Value(copy, facts.Employees, NpgsqlDbType.Integer);
        Value(copy, facts.JobsCreated, NpgsqlDbType.Integer);
        Value(copy, facts.JobsRetained, NpgsqlDbType.Integer);
        Text(copy, facts.BusinessAge);
        Text(copy, facts.BusinessType);
        Text(copy, facts.FranchiseCode);
        Text(copy, facts.UrbanRural);
        Text(copy, facts.County);
        Text(copy, facts.CongressionalDistrict);
        Text(copy, facts.ProcessingMethod);
        Value(copy, facts.Revolving, NpgsqlDbType.Boolean);
        Value(copy, facts.LowDocumentation, NpgsqlDbType.Boolean);
        Value(copy, facts.NonProfit, NpgsqlDbType.Boolean);
        Value(copy, facts.FixedRate, NpgsqlDbType.Boolean);
        Value(copy, facts.InterestRatePercent, NpgsqlDbType.Numeric);
        copy.Write((short)facts.Status, NpgsqlDbType.Smallint);
        Value(copy, facts.Disbursed, NpgsqlDbType.Numeric);
        Value(copy, facts.Approved, NpgsqlDbType.Numeric);
        Value(copy, facts.Guaranteed, NpgsqlDbType.Numeric);
        Value(copy, facts.ChargedOff, NpgsqlDbType.Numeric);
        Value(copy, facts.Balance, NpgsqlDbType.Numeric);
        Value(copy, facts.AmountFrom, NpgsqlDbType.Numeric);
        Value(copy, facts.AmountTo, NpgsqlDbType.Numeric);
        copy.Write(facts.ContentHash, NpgsqlDbType.Uuid);
        copy.Write(importId, NpgsqlDbType.Uuid);
        copy.Write(row.Line, NpgsqlDbType.Bigint);
        copy.Write(at, NpgsqlDbType.TimestampTz);
    }

    private static void Text(NpgsqlBinaryImporter copy, string? value)
    {
        if (value is null)
            copy.WriteNull();
        else
            copy.Write(value, NpgsqlDbType.Text);
    }

    private static void Value<T>(NpgsqlBinaryImporter copy, T? value, NpgsqlDbType type)
        where T : struct
    {
        if (value is { } there)
            copy.Write(there, type);
        else
            copy.WriteNull();
    }
}
