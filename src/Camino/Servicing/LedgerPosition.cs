using Camino.Lending;
using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>Accounts of the general ledger that loans are posted to.</summary>
public static class LedgerAccounts
{
    public const string Cash = "Cash";
    public const string Principal = "LoansReceivable";
    public const string Interest = "InterestReceivable";
    public const string Fees = "FeesReceivable";
    public const string Penalties = "PenaltiesReceivable";
    public const string Credits = "BorrowerCredits";
    public const string InterestIncome = "InterestIncome";
    public const string FeeIncome = "FeeIncome";
    public const string PenaltyIncome = "PenaltyIncome";
    public const string Recoveries = "Recoveries";
    public const string ChargeOffs = "ChargeOffLosses";
    public const string Waivers = "InterestWaived";

    /// <summary>All, in the order of the trial balance.</summary>
    public static IReadOnlyList<string> All { get; } =
        [Cash, Principal, Interest, Fees, Penalties, Credits, InterestIncome, FeeIncome, PenaltyIncome, Recoveries, ChargeOffs, Waivers];
}

/// <summary>
/// What a loan's entries come to on each account, given where the loan stands: debits above zero, credits below, all together zero. What is posted is the difference
/// between two positions, so that a back-dated event is corrected by new entries and the ledger can never drift from the loan.
/// </summary>
/// <remarks>Accrual basis: interest is income as it accrues, fees as they are charged. Principal received is what was paid on any row, whether due or ahead of time.</remarks>
internal static class LedgerPosition
{
    /// <param name="state">The loan on a date.</param>
    /// <param name="handedOut">All disbursements that were not taken back.</param>
    public static IReadOnlyList<(string Account, decimal Amount)> Of(LoanState state, Money handedOut)
    {
        Portions paid = default;
        Portions waived = default;
        foreach (var row in state.Rows)
        {
            paid = Add(paid, row.Paid);
            waived = Add(waived, row.Waived);
        }

        var owed = state.Owed;
        var accrued = state.AccruedInterest;
        var isChargedOff = state.Status == LoanStatus.ChargedOff;
        var financed = paid.Principal + waived.Principal + owed.Principal - handedOut;
        var receivable = isChargedOff ? default : owed;
        return
        [
            (LedgerAccounts.Cash, (paid.Total + state.Credit - handedOut).Dollars),
            (LedgerAccounts.Principal, receivable.Principal.Dollars),
            (LedgerAccounts.Interest, (receivable.Interest + (isChargedOff ? Money.Zero : accrued)).Dollars),
            (LedgerAccounts.Fees, receivable.Fee.Dollars),
            (LedgerAccounts.Penalties, receivable.Penalty.Dollars),
            (LedgerAccounts.Credits, (-state.Credit).Dollars),
            (LedgerAccounts.InterestIncome, (-(paid.Interest + waived.Interest + owed.Interest + accrued + financed)).Dollars),
            (LedgerAccounts.FeeIncome, (-(paid.Fee + waived.Fee + owed.Fee)).Dollars),
            (LedgerAccounts.PenaltyIncome, (-(paid.Penalty + waived.Penalty + owed.Penalty)).Dollars),
            (LedgerAccounts.Recoveries, (-(isChargedOff ? state.Recovered : Money.Zero)).Dollars),
            (LedgerAccounts.ChargeOffs, (isChargedOff ? owed.Total + accrued + state.Recovered : Money.Zero).Dollars),
            (LedgerAccounts.Waivers, waived.Total.Dollars),
        ];
    }

    private static Portions Add(Portions left, Portions right) =>
        new(left.Principal + right.Principal, left.Interest + right.Interest, left.Fee + right.Fee, left.Penalty + right.Penalty);
}
