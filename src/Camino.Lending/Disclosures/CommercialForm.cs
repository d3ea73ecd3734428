using Camino.Lending.Loans;

namespace Camino.Lending.Disclosures;

/// <summary>A figure that a commercial financing form asks for.</summary>
public enum CommercialFigure
{
    /// <summary>What is handed out, and what is kept back of it.</summary>
    FundingProvided,

    /// <summary>The annual percentage rate.</summary>
    AnnualPercentageRate,

    /// <summary>Interest and fees in dollars.</summary>
    FinanceCharge,

    /// <summary>All payments.</summary>
    TotalPayments,

    /// <summary>The regular payment and how often.</summary>
    Payment,

    /// <summary>All payments per month, where payments are not monthly.</summary>
    AverageMonthlyCost,

    /// <summary>From the first disbursement to the last due date.</summary>
    Term,

    /// <summary>What an early payoff costs.</summary>
    Prepayment,

    /// <summary>What secures the financing.</summary>
    Collateral,

    /// <summary>Fees that can be avoided, such as late fees.</summary>
    AvoidableFees,
}

/// <summary>A state's form as data: from when it holds, up to what amount, and which figures it asks for in which order.</summary>
/// <param name="State">Two letters.</param>
/// <param name="From">The first date of an offer that it holds for.</param>
/// <param name="Until">The last date; none while it holds.</param>
/// <param name="MostFinanced">The largest financing it is due for.</param>
/// <param name="Figures">The figures, in the form's order.</param>
/// <param name="Source">The regulation.</param>
public sealed record CommercialForm(string State, DateOnly From, DateOnly? Until, Money MostFinanced, IReadOnlyList<CommercialFigure> Figures, string Source)
{
    /// <summary>The forms known here. A change of law is a new entry, and an end to the old one.</summary>
    public static IReadOnlyList<CommercialForm> Known { get; } =
    [
        new("CA", new DateOnly(2022, 12, 9), Until: null, new Money(500_000m),
        [
            CommercialFigure.FundingProvided, CommercialFigure.AnnualPercentageRate, CommercialFigure.FinanceCharge, CommercialFigure.TotalPayments, CommercialFigure.Payment,
            CommercialFigure.AverageMonthlyCost, CommercialFigure.Term, CommercialFigure.Prepayment,
        ], "10 CCR 910-955"),
        new("NY", new DateOnly(2023, 8, 1), Until: null, new Money(2_500_000m),
        [
            CommercialFigure.FundingProvided, CommercialFigure.AnnualPercentageRate, CommercialFigure.FinanceCharge, CommercialFigure.TotalPayments, CommercialFigure.Payment,
            CommercialFigure.AverageMonthlyCost, CommercialFigure.Term, CommercialFigure.AvoidableFees, CommercialFigure.Prepayment, CommercialFigure.Collateral,
        ], "23 NYCRR 600"),
    ];

    /// <summary>The form due for an offer, or none.</summary>
    /// <param name="forms">The forms to look in, <see cref="Known"/> or the lender's own.</param>
    /// <param name="state">Two letters.</param>
    /// <param name="offeredOn">The date of the offer.</param>
    /// <param name="financed">The amount of the financing.</param>
    public static CommercialForm? For(IEnumerable<CommercialForm> forms, string state, DateOnly offeredOn, Money financed)
    {
        foreach (var form in forms)
        {
            if (string.Equals(form.State, state, StringComparison.Ordinal) && form.From <= offeredOn && (form.Until is not { } until || offeredOn <= until) && financed <= form.MostFinanced)
                return form;
        }

        return null;
    }
}

/// <summary>The figures that the states' forms are filled with; all come from the schedule that is serviced.</summary>
/// <param name="Funding">What is handed out.</param>
/// <param name="KeptBack">What is kept back of it: prepaid fees and interest.</param>
/// <param name="Received">What the borrower receives.</param>
/// <param name="AprPercent">The annual percentage rate, 6 decimals.</param>
/// <param name="FinanceCharge">Interest and fees.</param>
/// <param name="TotalPayments">All payments.</param>
/// <param name="RegularPayment">The first regular installment.</param>
/// <param name="AverageMonthlyCost">Total payments / months of the term, a month being a twelfth of 365 days; rounded half to even.</param>
/// <param name="TermDays">Calendar days from the first disbursement to the last due date.</param>
public sealed record CommercialFigures(
    Money Funding, Money KeptBack, Money Received, decimal AprPercent, Money FinanceCharge, Money TotalPayments, Money RegularPayment, Money AverageMonthlyCost, int TermDays)
{
    /// <summary>Works out the figures.</summary>
    /// <param name="terms">The terms of the loan.</param>
    /// <param name="prepaidFees">Fees kept back from the first disbursement.</param>
    /// <exception cref="RefusedException">As <see cref="CreditDisclosure.Of"/>.</exception>
    public static CommercialFigures Of(ScheduleTerms terms, Money prepaidFees)
    {
        var credit = CreditDisclosure.Of(terms, prepaidFees);
        var schedule = Schedule.Of(terms);
        var start = terms.StartsOn;
        var regular = schedule.Rows[0].DueOn == start && schedule.Rows.Length > 1 ? schedule.Rows[1] : schedule.Rows[0];
        var days = schedule.Rows[^1].DueOn.DayNumber - start.DayNumber;
        return new CommercialFigures(
            terms.Principal, terms.Principal - credit.AmountFinanced, credit.AmountFinanced, credit.AprPercent, credit.FinanceCharge, credit.TotalOfPayments, regular.Due,
            Rounding.Default.ToCents(credit.TotalOfPayments.Dollars * 365m / (12m * days)), days);
    }
}
