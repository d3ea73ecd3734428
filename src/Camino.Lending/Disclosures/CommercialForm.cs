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
/// <param name="AprDecimals">Decimals of the annual percentage rate on the form.</param>
/// <param name="Source">The regulation.</param>
public sealed record CommercialForm(string State, DateOnly From, DateOnly? Until, Money MostFinanced, IReadOnlyList<CommercialFigure> Figures, int AprDecimals, string Source)
{
    /// <summary>The forms known here. A change of law is a new entry, and an end to the old one.</summary>
    public static IReadOnlyList<CommercialForm> Known { get; } =
    [
        new("CA", new DateOnly(2022, 12, 9), Until: null, new Money(500_000m),
        [
            CommercialFigure.FundingProvided, CommercialFigure.AnnualPercentageRate, CommercialFigure.FinanceCharge, CommercialFigure.TotalPayments, CommercialFigure.Payment,
            CommercialFigure.AverageMonthlyCost, CommercialFigure.Term, CommercialFigure.Prepayment,
        ], AprDecimals: 2, "10 CCR 910-955"),
        new("NY", new DateOnly(2023, 8, 1), Until: null, new Money(2_500_000m),
        [
            CommercialFigure.FundingProvided, CommercialFigure.AnnualPercentageRate, CommercialFigure.FinanceCharge, CommercialFigure.TotalPayments, CommercialFigure.Payment,
            CommercialFigure.AverageMonthlyCost, CommercialFigure.Term, CommercialFigure.AvoidableFees, CommercialFigure.Prepayment, CommercialFigure.Collateral,
        ], AprDecimals: 2, "23 NYCRR 600"),
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

    /// <summary>The annual percentage rate as the form shows it: to the nearest, halves up.</summary>
    /// <remarks>
    /// Source: 10 CCR 901(a)(5), "to the nearest ten basis points. For example: 10.45%". The words and the example differ; two decimals, as in the example, are nearer to the rate
    /// than the words ask for. New York's form is of the same build (23 NYCRR 600.5) and is shown alike.
    /// </remarks>
    public decimal ShownApr(decimal aprPercent) => decimal.Round(aprPercent, AprDecimals, MidpointRounding.AwayFromZero);

    /// <summary>The term as the form shows it: in days up to one year, beyond that in years and months with the remaining days as part of a month, two decimals.</summary>
    /// <param name="from">The first disbursement.</param>
    /// <param name="to">The last due date.</param>
    /// <remarks>Source: 10 CCR 901(a)(4). A part of a month is days / 30, as 12 CFR 1026 Appendix J (b)(5)(ii) counts; halves up.</remarks>
    public static FormTerm ShownTerm(DateOnly from, DateOnly to)
    {
        Refuse.If(to < from, "disclosure.term", $"A term ends on {from:yyyy-MM-dd} or later; got {to:yyyy-MM-dd}.");
        if (to <= from.AddYears(1))
            return new FormTerm(to.DayNumber - from.DayNumber, 0, 0m);
        var months = ((to.Year - from.Year) * 12) + to.Month - from.Month;
        if (from.AddMonths(months) > to)
            months--;
        var part = decimal.Round((to.DayNumber - from.AddMonths(months).DayNumber) / 30m, 2, MidpointRounding.AwayFromZero);
        // 30 days of a month of 31 are a whole one
        return part >= 1m ? new FormTerm(0, (months + 1) / 12, (months + 1) % 12) : new FormTerm(0, months / 12, (months % 12) + part);
    }
}

/// <summary>A term as a state's form shows it.</summary>
/// <param name="Days">Up to one year; else 0.</param>
/// <param name="Years">Whole years, beyond one year.</param>
/// <param name="Months">Months beyond the years, two decimals.</param>
public readonly record struct FormTerm(int Days, int Years, decimal Months);

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
