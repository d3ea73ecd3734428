namespace Camino.Lending.Loans;

/// <summary>When a loan of a product may be renewed: a new loan to the same borrower then pays off what is left of it.</summary>
public sealed record RenewalRule
{
    /// <summary>The most months that a product can ask for.</summary>
    public const int MostMonths = 120;

    /// <summary>The most days of grace.</summary>
    public const int MostGraceDays = 60;

    /// <summary>Whole months paid on time, without a break up to the day, 1 to 120.</summary>
    public required int OnTimeMonths { get; init; }

    /// <summary>Days after its due date on which an installment still counts as paid on time, 0 to 60.</summary>
    public int GraceDays { get; init; }

    internal void Check()
    {
        Refuse.If(OnTimeMonths is < 1 or > MostMonths, "product.renewal", $"A renewal asks for 1 to {MostMonths} months on time; got {OnTimeMonths}.");
        Refuse.If(GraceDays is < 0 or > MostGraceDays, "product.renewal", $"A renewal has 0 to {MostGraceDays} days of grace; got {GraceDays}.");
    }
}

/// <summary>Whether a loan may be renewed on a date.</summary>
/// <param name="Rule">What the product asks for; null where its loans are not renewed.</param>
/// <param name="Status">Where the loan stands.</param>
/// <param name="Since">From when it was paid on time: the first disbursement, the last restructure, or the day on which the last late installment was paid, whichever came last. The date itself while an installment is late.</param>
/// <param name="On">The date.</param>
public sealed record RenewalStanding(RenewalRule? Rule, LoanStatus Status, DateOnly Since, DateOnly On)
{
    /// <summary>Whole months from <see cref="Since"/> to <see cref="On"/>.</summary>
    public int Months
    {
        get
        {
            var months = ((On.Year - Since.Year) * 12) + On.Month - Since.Month;
            return Since.AddMonths(months) > On ? months - 1 : months;
        }
    }

    /// <summary>Whether it may be renewed.</summary>
    public bool MayRenew => Rule is { } rule && Status == LoanStatus.Current && Months >= rule.OnTimeMonths;

    /// <summary>Refuses what may not be renewed.</summary>
    /// <param name="number">The loan's number.</param>
    /// <exception cref="RefusedException"><c>renewal.none</c>, <c>renewal.status</c>, <c>renewal.months</c>.</exception>
    public void Check(string number)
    {
        if (Rule is not { } rule)
            throw new RefusedException("renewal.none", $"Loan {number} is of a product that has no renewals.");
        Refuse.If(Status != LoanStatus.Current, "renewal.status", $"Loan {number} is {Status}; only a loan on which nothing is past due is renewed.");
        Refuse.If(Months < rule.OnTimeMonths, "renewal.months", $"Loan {number} has been paid on time for {Months} whole months, since {Since:yyyy-MM-dd}; its product asks for {rule.OnTimeMonths}.");
    }
}
