namespace Camino.Portfolio;

/// <summary>
/// One bar of one picture: counts and sums of all loans with one key in one dimension. Computed by <c>portfolio.refresh</c> on the Async Server,
/// so that the portfolio page reads a few hundred rows however large the book is; <see cref="AsOf"/> says how old the figures are.
/// </summary>
public sealed class PortfolioFigure
{
    /// <summary><c>total</c>, <c>year</c> (of disbursement, else approval), <c>vintage</c> (fiscal year of approval), <c>state</c>, <c>sector</c> (two-digit NAICS), <c>industry</c> (six-digit NAICS), <c>term</c>, <c>size</c>, <c>status</c>, <c>source</c>.</summary>
    public string Dimension { get; private set; } = "";

    /// <summary>The value in that dimension; empty where the loan has none.</summary>
    public string Key { get; private set; } = "";

    public long Loans { get; private set; }
    public decimal Disbursed { get; private set; }
    public decimal Approved { get; private set; }
    public decimal Guaranteed { get; private set; }
    public decimal ChargedOff { get; private set; }
    public decimal Balance { get; private set; }

    /// <summary>Loans with the status charged off.</summary>
    public long LoansChargedOff { get; private set; }

    /// <summary>Loans whose outcome is known (paid in full or charged off): the base of the charge-off rate.</summary>
    public long LoansClosed { get; private set; }

    public DateTimeOffset AsOf { get; private set; }
}
