using System.Globalization;
using Camino.Branches;
using Camino.Imports;
using Camino.Web;
using Npgsql;

namespace Camino.Loans;

/// <summary>One line of the list of loans.</summary>
/// <param name="AmountTo">Upper end where only a range is known; <paramref name="Amount"/> is the lower end then.</param>
public sealed record LoanLine(
    Guid Id, LoanSource Source, string Number, string? BorrowerName, string? City, string? State, string? Naics, DateOnly? ApprovedOn, int? TermMonths,
    decimal? Amount, decimal? AmountTo, decimal? ChargedOff, decimal? Balance, LoanStatus Status)
{
    internal ListCursor Cursor(LoanSort sort, bool backward) => new(
        sort switch
        {
            LoanSort.Number => Number,
            LoanSort.Amount => Amount?.ToString(CultureInfo.InvariantCulture),
            LoanSort.Approved => ApprovedOn?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            _ => null,
        },
        Id,
        backward);
}

/// <summary>Reads pages of loans straight into view records, in two queries whatever the size of the book.</summary>
public sealed class ListLoans(NpgsqlDataSource source, BranchScope? scope = null)
{
    public async Task<ListPage<LoanLine>> RunAsync(LoanFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        var seen = filter with { Branches = scope?.Seen };
        return ListPage.Cut(await ReadAsync(seen, cursor, ct), await CountAsync(seen, ct), cursor, (line, backward) => line.Cursor(filter.Sort, backward));
    }

    private async Task<List<LoanLine>> ReadAsync(LoanFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        await using var command = LoanSql.Page(source, filter, cursor, ListPage.Size + 1);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<LoanLine>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
        {
            var onlyRange = rows.IsDBNull(12) && rows.IsDBNull(13);
            lines.Add(new LoanLine(
                rows.GetGuid(0), (LoanSource)rows.GetInt16(1), rows.GetString(2), Text(rows, 3), Text(rows, 4), Text(rows, 5), Text(rows, 6),
                Value<DateOnly>(rows, 7), Value<int>(rows, 8), Value<decimal>(rows, 9), onlyRange ? Value<decimal>(rows, 11) : null,
                Value<decimal>(rows, 14), Value<decimal>(rows, 15), (LoanStatus)rows.GetInt16(16)));
        }

        return lines;
    }

    private async Task<int> CountAsync(LoanFilter filter, CancellationToken ct)
    {
        await using var command = LoanSql.Count(source, filter, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static T? Value<T>(NpgsqlDataReader rows, int column)
        where T : struct => rows.IsDBNull(column) ? null : rows.GetFieldValue<T>(column);
}
