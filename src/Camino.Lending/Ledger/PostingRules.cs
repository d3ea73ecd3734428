using System.Runtime.InteropServices;

namespace Camino.Lending.Ledger;

/// <summary>When income is recognised.</summary>
public enum AccountingBasis
{
    /// <summary>Interest as it accrues, fees as they are charged.</summary>
    Accrual,

    /// <summary>Interest and fees as they are received; what is owed of them is kept in the loan only.</summary>
    Cash,
}

/// <summary>On which days accrued interest is posted, besides those of payments, due dates and changes.</summary>
public enum AccrualPosting
{
    /// <summary>On the last day of each month.</summary>
    MonthEnd,

    /// <summary>Every day.</summary>
    Daily,
}

/// <summary>What an entry records. Stored by name: never rename, never reuse.</summary>
public enum LedgerAct
{
    /// <summary>Nothing that is posted: a change of the installments to come.</summary>
    None,

    /// <summary>Money was handed out.</summary>
    Disburse,

    /// <summary>Interest for the days before the first period was added to the principal.</summary>
    Capitalize,

    /// <summary>Interest accrued.</summary>
    Accrue,

    /// <summary>An installment came due; only interest that is prepaid with the disbursement is posted.</summary>
    ComeDue,

    /// <summary>Prepaid interest was earned.</summary>
    Earn,

    /// <summary>A fee or a penalty was charged by an event.</summary>
    Fee,

    /// <summary>A late fee was charged by time.</summary>
    LateFee,

    /// <summary>A fee was charged for a payment that the bank returned.</summary>
    ReturnFee,

    /// <summary>Money was received.</summary>
    Pay,

    /// <summary>A credit was used for what came due.</summary>
    UseCredit,

    /// <summary>A part of what is owed was given up.</summary>
    Waive,

    /// <summary>A small balance was written off.</summary>
    WriteOff,

    /// <summary>The loan was charged off.</summary>
    ChargeOff,

    /// <summary>Money was received after charge-off.</summary>
    Recover,

    /// <summary>A credit was paid out; what is beyond the credit is owed as principal.</summary>
    Refund,
}

/// <summary>What an act moves.</summary>
public enum Movement
{
    /// <summary>Principal owed.</summary>
    Principal,

    /// <summary>Interest owed, due or accrued.</summary>
    Interest,

    /// <summary>Fees owed.</summary>
    Fee,

    /// <summary>Penalties owed.</summary>
    Penalty,

    /// <summary>The borrower's credit.</summary>
    Credit,

    /// <summary>What is owed in all after charge-off.</summary>
    ChargedOff,

    /// <summary>Interest prepaid and not yet earned.</summary>
    Unearned,
}

/// <summary>One rule: when an act moves something, these two accounts take the amount.</summary>
/// <param name="Act">What happened.</param>
/// <param name="Moves">What it moved.</param>
/// <param name="Debit">The account debited.</param>
/// <param name="Credit">The account credited. Where an act moves something the other way (a receipt that lowers a credit), the two change places.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct PostingRule(LedgerAct Act, Movement Moves, LedgerAccount Debit, LedgerAccount Credit);

/// <summary>The posting rules of both bases, as data.</summary>
/// <remarks>
/// Accrual basis after US GAAP (ASC 310-10, 310-20, 326-20-35-8 for charge-offs and recoveries). On the cash basis interest, fees and penalties owed are
/// kept in the loan and reach the ledger when they are received, interest that is added to the principal when it is added. Charged off is
/// what is owed of principal, on the accrual basis of interest, fees and penalties too; from then on only memorandum accounts hold what is owed.
/// On the accrual basis prepaid interest is earned by day over the days it is for.
/// </remarks>
public static class PostingRules
{
    private static readonly PostingRule[] _both =
    [
        new(LedgerAct.Disburse, Movement.Principal, LedgerAccount.LoansReceivable, LedgerAccount.Cash),
        new(LedgerAct.Pay, Movement.Principal, LedgerAccount.Cash, LedgerAccount.LoansReceivable),
        new(LedgerAct.Pay, Movement.Credit, LedgerAccount.Cash, LedgerAccount.BorrowerCredits),
        new(LedgerAct.UseCredit, Movement.Principal, LedgerAccount.BorrowerCredits, LedgerAccount.LoansReceivable),
        new(LedgerAct.Waive, Movement.Principal, LedgerAccount.PrincipalForgiven, LedgerAccount.LoansReceivable),
        new(LedgerAct.WriteOff, Movement.Principal, LedgerAccount.SmallBalanceLosses, LedgerAccount.LoansReceivable),
        new(LedgerAct.ChargeOff, Movement.Principal, LedgerAccount.ChargeOffLosses, LedgerAccount.LoansReceivable),
        new(LedgerAct.ChargeOff, Movement.ChargedOff, LedgerAccount.ChargedOffBalances, LedgerAccount.ChargedOffContra),
        new(LedgerAct.Fee, Movement.ChargedOff, LedgerAccount.ChargedOffBalances, LedgerAccount.ChargedOffContra),
        new(LedgerAct.ReturnFee, Movement.ChargedOff, LedgerAccount.ChargedOffBalances, LedgerAccount.ChargedOffContra),
        new(LedgerAct.Waive, Movement.ChargedOff, LedgerAccount.ChargedOffContra, LedgerAccount.ChargedOffBalances),
        new(LedgerAct.WriteOff, Movement.ChargedOff, LedgerAccount.ChargedOffContra, LedgerAccount.ChargedOffBalances),
        new(LedgerAct.Recover, Movement.ChargedOff, LedgerAccount.ChargedOffContra, LedgerAccount.ChargedOffBalances),
        new(LedgerAct.Recover, Movement.Principal, LedgerAccount.Cash, LedgerAccount.Recoveries),
        new(LedgerAct.Recover, Movement.Interest, LedgerAccount.Cash, LedgerAccount.Recoveries),
        new(LedgerAct.Recover, Movement.Fee, LedgerAccount.Cash, LedgerAccount.Recoveries),
        new(LedgerAct.Recover, Movement.Penalty, LedgerAccount.Cash, LedgerAccount.Recoveries),
        new(LedgerAct.Recover, Movement.Credit, LedgerAccount.Cash, LedgerAccount.BorrowerCredits),
        new(LedgerAct.Refund, Movement.Credit, LedgerAccount.BorrowerCredits, LedgerAccount.Cash),
        new(LedgerAct.Refund, Movement.Principal, LedgerAccount.LoansReceivable, LedgerAccount.Cash),
        new(LedgerAct.Refund, Movement.ChargedOff, LedgerAccount.ChargedOffBalances, LedgerAccount.ChargedOffContra),
    ];

    private static readonly PostingRule[] _accrual =
    [
        .. _both,
        new(LedgerAct.Capitalize, Movement.Principal, LedgerAccount.LoansReceivable, LedgerAccount.InterestReceivable),
        new(LedgerAct.Earn, Movement.Unearned, LedgerAccount.UnearnedInterest, LedgerAccount.InterestIncome),
        new(LedgerAct.Accrue, Movement.Interest, LedgerAccount.InterestReceivable, LedgerAccount.InterestIncome),
        new(LedgerAct.ComeDue, Movement.Interest, LedgerAccount.InterestReceivable, LedgerAccount.UnearnedInterest),
        new(LedgerAct.Fee, Movement.Fee, LedgerAccount.FeesReceivable, LedgerAccount.FeeIncome),
        new(LedgerAct.Fee, Movement.Penalty, LedgerAccount.PenaltiesReceivable, LedgerAccount.PenaltyIncome),
        new(LedgerAct.LateFee, Movement.Penalty, LedgerAccount.PenaltiesReceivable, LedgerAccount.PenaltyIncome),
        new(LedgerAct.ReturnFee, Movement.Fee, LedgerAccount.FeesReceivable, LedgerAccount.FeeIncome),
        new(LedgerAct.Pay, Movement.Interest, LedgerAccount.Cash, LedgerAccount.InterestReceivable),
        new(LedgerAct.Pay, Movement.Fee, LedgerAccount.Cash, LedgerAccount.FeesReceivable),
        new(LedgerAct.Pay, Movement.Penalty, LedgerAccount.Cash, LedgerAccount.PenaltiesReceivable),
        new(LedgerAct.UseCredit, Movement.Interest, LedgerAccount.BorrowerCredits, LedgerAccount.InterestReceivable),
        new(LedgerAct.UseCredit, Movement.Fee, LedgerAccount.BorrowerCredits, LedgerAccount.FeesReceivable),
        new(LedgerAct.UseCredit, Movement.Penalty, LedgerAccount.BorrowerCredits, LedgerAccount.PenaltiesReceivable),
        new(LedgerAct.Waive, Movement.Interest, LedgerAccount.InterestWaived, LedgerAccount.InterestReceivable),
        new(LedgerAct.Waive, Movement.Fee, LedgerAccount.FeesWaived, LedgerAccount.FeesReceivable),
        new(LedgerAct.Waive, Movement.Penalty, LedgerAccount.FeesWaived, LedgerAccount.PenaltiesReceivable),
        new(LedgerAct.WriteOff, Movement.Interest, LedgerAccount.SmallBalanceLosses, LedgerAccount.InterestReceivable),
        new(LedgerAct.WriteOff, Movement.Fee, LedgerAccount.SmallBalanceLosses, LedgerAccount.FeesReceivable),
        new(LedgerAct.WriteOff, Movement.Penalty, LedgerAccount.SmallBalanceLosses, LedgerAccount.PenaltiesReceivable),
        new(LedgerAct.ChargeOff, Movement.Interest, LedgerAccount.ChargeOffLosses, LedgerAccount.InterestReceivable),
        new(LedgerAct.ChargeOff, Movement.Fee, LedgerAccount.ChargeOffLosses, LedgerAccount.FeesReceivable),
        new(LedgerAct.ChargeOff, Movement.Penalty, LedgerAccount.ChargeOffLosses, LedgerAccount.PenaltiesReceivable),
    ];

    private static readonly PostingRule[] _cash =
    [
        .. _both,
        new(LedgerAct.Capitalize, Movement.Principal, LedgerAccount.LoansReceivable, LedgerAccount.InterestIncome),
        new(LedgerAct.Pay, Movement.Interest, LedgerAccount.Cash, LedgerAccount.InterestIncome),
        new(LedgerAct.Pay, Movement.Fee, LedgerAccount.Cash, LedgerAccount.FeeIncome),
        new(LedgerAct.Pay, Movement.Penalty, LedgerAccount.Cash, LedgerAccount.PenaltyIncome),
        new(LedgerAct.UseCredit, Movement.Interest, LedgerAccount.BorrowerCredits, LedgerAccount.InterestIncome),
        new(LedgerAct.UseCredit, Movement.Fee, LedgerAccount.BorrowerCredits, LedgerAccount.FeeIncome),
        new(LedgerAct.UseCredit, Movement.Penalty, LedgerAccount.BorrowerCredits, LedgerAccount.PenaltyIncome),
    ];

    private static readonly PostingRule?[,,] _byAct = Index();

    /// <summary>All rules of a basis; what has no rule is not posted.</summary>
    public static IReadOnlyList<PostingRule> For(AccountingBasis basis) => basis == AccountingBasis.Cash ? _cash : _accrual;

    /// <summary>The rule for an act and what it moves, or none.</summary>
    internal static PostingRule? Find(AccountingBasis basis, LedgerAct act, Movement moves) => _byAct[(int)basis, (int)act, (int)moves];

    private static PostingRule?[,,] Index()
    {
        var index = new PostingRule?[2, (int)LedgerAct.Refund + 1, (int)Movement.Unearned + 1];
        foreach (var rule in _accrual)
            index[(int)AccountingBasis.Accrual, (int)rule.Act, (int)rule.Moves] = rule;
        foreach (var rule in _cash)
            index[(int)AccountingBasis.Cash, (int)rule.Act, (int)rule.Moves] = rule;
        return index;
    }
}
