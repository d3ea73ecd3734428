using System.Globalization;
using Camino.Imports;
using Npgsql;

namespace Camino.Loans;

/// <summary>One line of the list of loans.</summary>
/// <param name="AmountTo">Upper end where only a range is known; <paramref name="Amount"/> is the lower end then.</param>
public sealed record LoanLine(
    Guid Id, LoanSource Source, string Number, string? BorrowerName, string? City, string? State, string? Naics, DateOnly? ApprovedOn, int? TermMonths,
    decimal? Amount, decimal? AmountTo, decimal? ChargedOff, decimal? Balance, LoanStatus Status)
{
    internal LoanCursor Cursor(LoanSort sort, bool backward) => new(
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

/// <summary>One page of loans.</summary>
/// <param name="Count">Counted up to <see cref="ListLoans.CountedAtMost"/>.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
/// <param name="Previous">Where the page before ends; null on the first.</param>
public sealed record LoanPage(IReadOnlyList<LoanLine> Lines, int Count, LoanCursor? Next, LoanCursor? Previous)
{
    /// <summary>There are more than were counted.</summary>
    public bool CountIsCapped => Count >= ListLoans.CountedAtMost;
}

/// <summary>Reads pages of loans straight into view records, in two queries whatever the size of the book.</summary>
public sealed class ListLoans(NpgsqlDataSource source)
{
    /// <summary>Lines of one page.</summary>
    public const int PageSize = 50;

    /// <summary>Where counting stops.</summary>
    public const int CountedAtMost = 10_001;

    public async Task<LoanPage> RunAsync(LoanFilter filter, LoanCursor? cursor, CancellationToken ct)
    {
        var lines = await ReadAsync(filter, cursor, ct);
        var more = lines.Count > PageSize;
        if (more)
            lines.RemoveAt(PageSize);
        var backward = cursor is { Backward: true };
        if (backward)
            lines.Reverse();

        var hasNext = lines.Count > 0 && (backward || more);
        var hasPrevious = lines.Count > 0 && (backward ? more : cursor is not null);
        return new LoanPage(
            lines,
            await CountAsync(filter, ct),
            hasNext ? lines[^1].Cursor(filter.Sort, backward: false) : null,
            hasPrevious ? lines[0].Cursor(filter.Sort, backward: true) : null);
    }

    private async Task<List<LoanLine>> ReadAsync(LoanFilter filter, LoanCursor? cursor, CancellationToken ct)
    {
        await using var command = LoanSql.Page(source, filter, cursor, PageSize + 1);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<LoanLine>(PageSize + 1);
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
        await using var command = LoanSql.Count(source, filter, CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static T? Value<T>(NpgsqlDataReader rows, int column)
        where T : struct => rows.IsDBNull(column) ? null : rows.GetFieldValue<T>(column);
}
