using Camino.Lending.Ledger;

namespace Camino.Lending.Loans;

/// <summary>What interest accrues on.</summary>
public enum AccrualBasis
{
    /// <summary>Daily, on the principal really outstanding: the normal US product.</summary>
    Outstanding,

    /// <summary>As scheduled, whenever payments come.</summary>
    Scheduled,
}

/// <summary>What comes first: an older installment, or a portion across all installments.</summary>
public enum AllocationOrder
{
    /// <summary>Past due oldest first, each with all its portions.</summary>
    InstallmentFirst,

    /// <summary>Each portion in turn, across all installments oldest first.</summary>
    PortionFirst,
}

/// <summary>What money beyond what is due does.</summary>
public enum SurplusRule
{
    /// <summary>It pays the next installments ahead.</summary>
    NextInstallment,

    /// <summary>It lowers the principal from the end: the amounts stay, the term gets shorter.</summary>
    LastInstallment,

    /// <summary>It lowers the principal and the remaining installments get a new, lower level.</summary>
    Reamortize,

    /// <summary>It is kept as a credit and used when the next installment is due.</summary>
    Credit,
}

/// <summary>A fee: a fixed amount or a percentage, whichever is given, within a cap.</summary>
public sealed record FeeRule
{
    /// <summary>The largest fee, in cents: $10,000.00.</summary>
    public const long MaxCents = 1_000_000;

    /// <summary>The fixed amount, at most $10,000.00; zero for none.</summary>
    public Money Amount { get; init; }

    /// <summary>Percent of what is overdue of the installment, 0 to 100, at most 4 decimals.</summary>
    public decimal Percent { get; init; }

    /// <summary>Days after the due date before a late fee, 0 to 365; the fee comes the day after.</summary>
    public int GraceDays { get; init; }

    /// <summary>The most one fee can be, at most $10,000.00; none for no cap.</summary>
    public Money? Cap { get; init; }

    /// <summary>The most all these fees can come to on one loan; none for no cap.</summary>
    public Money? TotalCap { get; init; }

    /// <summary>The fee on an overdue amount, given what was charged before.</summary>
    internal long Of(long overdueCents, long chargedCents, Rounding rounding)
    {
        var fee = Amount.Cents + rounding.ToCents(overdueCents / 100m * Percent / 100m).Cents;
        if (Cap is { } cap)
            fee = Math.Min(fee, cap.Cents);
        if (TotalCap is { } total)
            fee = Math.Min(fee, total.Cents - chargedCents);
        return Math.Max(0, fee);
    }
}

/// <summary>How a loan is serviced. A loan keeps the version of the product it was made under.</summary>
public sealed record LoanProduct
{
    /// <summary>What interest accrues on; flat loans accrue as scheduled in any case.</summary>
    public AccrualBasis Accrual { get; init; }

    /// <summary>What comes first.</summary>
    public AllocationOrder Order { get; init; }

    /// <summary>The order of the four portions, each once.</summary>
    public IReadOnlyList<Portion> Portions { get; init; } = [Portion.Penalty, Portion.Fee, Portion.Interest, Portion.Principal];

    /// <summary>What money beyond what is due does.</summary>
    public SurplusRule Surplus { get; init; }

    /// <summary>Charged when an installment is late; none for no late fee.</summary>
    public FeeRule? LateFee { get; init; }

    /// <summary>Charged when a payment is returned; none for no such fee.</summary>
    public FeeRule? ReturnFee { get; init; }

    /// <summary>Days that do not count as past due, 0 to 365.</summary>
    public int GraceDays { get; init; }

    /// <summary>What may be missing from a payoff, written off when it is; $0.00 to $100.00.</summary>
    public Money Tolerance { get; init; }

    /// <summary>For how many days a payoff quote is good, 0 to 60.</summary>
    public int PayoffDays { get; init; } = 10;

    /// <summary>When a loan may be renewed; none for never.</summary>
    public RenewalRule? Renewal { get; init; }

    /// <summary>When income is recognised in the ledger.</summary>
    public AccountingBasis Basis { get; init; }

    /// <summary>On which days accrued interest is posted, besides those of payments, due dates and changes.</summary>
    public AccrualPosting AccrualPosting { get; init; }

    /// <summary>The general ledger's codes for the accounts.</summary>
    public ChartOfAccounts Accounts { get; init; } = ChartOfAccounts.Standard;

    /// <exception cref="RefusedException"><c>product.portions</c>, <c>product.graceDays</c>, <c>product.tolerance</c>, <c>product.payoffDays</c>, <c>product.lateFee</c>, <c>product.returnFee</c>, <c>product.renewal</c>.</exception>
    internal void Check()
    {
        var seen = 0;
        foreach (var portion in Portions)
            seen |= 1 << (int)portion;
        Refuse.If(Portions.Count != 4 || seen != 15, "product.portions", "The portions are penalty, fee, interest and principal, each once.");
        Refuse.If(GraceDays is < 0 or > 365, "product.graceDays", $"Grace is 0 to 365 days; got {GraceDays}.");
        Refuse.If(Tolerance < Money.Zero || Tolerance.Cents > 10_000, "product.tolerance", $"A tolerance is $0.00 to $100.00; got {Tolerance}.");
        Refuse.If(PayoffDays is < 0 or > 60, "product.payoffDays", $"A payoff quote is good for 0 to 60 days; got {PayoffDays}.");
        Refuse.If(!Enum.IsDefined(Accrual), "product.accrual", $"Unknown accrual {Accrual}.");
        Refuse.If(!Enum.IsDefined(Order), "product.allocation", $"Unknown allocation {Order}.");
        Refuse.If(!Enum.IsDefined(Surplus), "product.surplus", $"Unknown surplus rule {Surplus}.");
        Refuse.If(!Enum.IsDefined(Basis), "product.basis", $"Unknown accounting basis {Basis}.");
        Refuse.If(!Enum.IsDefined(AccrualPosting), "product.accrualPosting", $"Unknown accrual posting {AccrualPosting}.");
        CheckFee(LateFee, "product.lateFee");
        CheckFee(ReturnFee, "product.returnFee");
        Renewal?.Check();
    }

    private static void CheckFee(FeeRule? rule, string code)
    {
        if (rule is null)
            return;
        Refuse.If(rule.Amount < Money.Zero || rule.Amount.Cents > FeeRule.MaxCents, code, $"A fee is $0.00 to $10,000.00; got {rule.Amount}.");
        Refuse.If(rule.Percent is < 0m or > 100m || rule.Percent * 10_000m % 1m != 0m, code, $"A fee is 0 to 100 percent, at most 4 decimals; got {rule.Percent}.");
        Refuse.If(rule.GraceDays is < 0 or > 365, code, $"A fee has 0 to 365 days of grace; got {rule.GraceDays}.");
        Refuse.If(rule.Cap is { } cap && (cap < Money.Zero || cap.Cents > FeeRule.MaxCents), code, $"A cap on one fee is $0.00 to $10,000.00; got {rule.Cap}.");
        Refuse.If(rule.TotalCap is { } total && (total < Money.Zero || total.Cents > ScheduleTerms.MaxPrincipalCents), code, $"A cap on all fees is $0.00 to $100,000,000.00; got {rule.TotalCap}.");
    }
}
