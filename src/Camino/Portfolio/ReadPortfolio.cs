using System.Globalization;
using Camino.Data;
using Camino.Reference;
using Microsoft.EntityFrameworkCore;

namespace Camino.Portfolio;

/// <summary>Counts and sums of the loans behind one bar.</summary>
/// <param name="Key">Value in its dimension; empty where the loans have none.</param>
public sealed record Figure(string Key, long Loans, decimal Disbursed, decimal Approved, decimal ChargedOff, decimal Balance, long LoansChargedOff, long LoansClosed)
{
    /// <summary>Loans charged off among those whose outcome is known; null where none is.</summary>
    public decimal? ChargeOffRate => LoansClosed == 0 ? null : (decimal)LoansChargedOff / LoansClosed;

    /// <summary>Both together, under the first one's key.</summary>
    public static Figure operator +(Figure a, Figure b) => new(
        a.Key, a.Loans + b.Loans, a.Disbursed + b.Disbursed, a.Approved + b.Approved, a.ChargedOff + b.ChargedOff, a.Balance + b.Balance, a.LoansChargedOff + b.LoansChargedOff, a.LoansClosed + b.LoansClosed);

    /// <summary>The same sums under another key.</summary>
    public static Figure Add(Figure a, Figure b) => a + b;
}

/// <summary>The figures of the whole book, as the last refresh left them.</summary>
public sealed record PortfolioView(
    DateTimeOffset AsOf,
    Figure Total,
    IReadOnlyList<Figure> Years,
    IReadOnlyList<Figure> Vintages,
    IReadOnlyList<Figure> States,
    IReadOnlyList<Figure> Sectors,
    IReadOnlyList<Figure> Industries,
    IReadOnlyList<Figure> Terms,
    IReadOnlyList<Figure> Sizes,
    IReadOnlyList<Figure> Statuses,
    IReadOnlyList<Figure> Sources);

/// <summary>Reads the portfolio's figures: one query over a few hundred rows, however many loans there are.</summary>
public sealed class ReadPortfolio(CaminoDb db)
{
    /// <summary>Null when nothing was ever imported.</summary>
    public async Task<PortfolioView?> RunAsync(CancellationToken ct)
    {
        var rows = await db.PortfolioFigures.AsNoTracking()
            .Select(f => new { f.Dimension, f.AsOf, Figure = new Figure(f.Key, f.Loans, f.Disbursed, f.Approved, f.ChargedOff, f.Balance, f.LoansChargedOff, f.LoansClosed) })
            .ToListAsync(ct);
        var total = rows.FirstOrDefault(row => row.Dimension == "total");
        if (total is null || total.Figure.Loans == 0)
            return null;

        var byDimension = rows.ToLookup(row => row.Dimension, row => row.Figure);
        return new PortfolioView(
            total.AsOf,
            total.Figure,
            InOrder(byDimension["year"]),
            InOrder(byDimension["vintage"]),
            Largest(byDimension["state"]),
            Largest(byDimension["sector"].GroupBy(f => NaicsNames.Sector(f.Key)).Select(group => group.Aggregate((a, b) => a + b) with { Key = group.Key })),
            Largest(byDimension["industry"].Where(f => f.Key.Length > 0)),
            InOrder(byDimension["term"]),
            InOrder(byDimension["size"]),
            Largest(byDimension["status"]),
            Largest(byDimension["source"]));
    }

    /// <summary>The figures of the whole book only, for the home page.</summary>
    public async Task<(Figure Total, DateTimeOffset AsOf)?> TotalAsync(CancellationToken ct)
    {
        var row = await db.PortfolioFigures.AsNoTracking().Where(f => f.Dimension == "total")
            .Select(f => new { f.AsOf, Figure = new Figure(f.Key, f.Loans, f.Disbursed, f.Approved, f.ChargedOff, f.Balance, f.LoansChargedOff, f.LoansClosed) })
            .FirstOrDefaultAsync(ct);
        return row is null || row.Figure.Loans == 0 ? null : (row.Figure, row.AsOf);
    }

    /// <summary>By number; loans without a value come last.</summary>
    private static List<Figure> InOrder(IEnumerable<Figure> figures) =>
        [.. figures.OrderBy(f => f.Key.Length == 0).ThenBy(f => int.TryParse(f.Key, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue)];

    private static List<Figure> Largest(IEnumerable<Figure> figures) => [.. figures.OrderByDescending(f => f.Loans)];
}
