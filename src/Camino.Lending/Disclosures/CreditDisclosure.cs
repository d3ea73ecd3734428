using Camino.Lending.Loans;

namespace Camino.Lending.Disclosures;

/// <summary>The figures of a closed-end transaction, from the schedule that is serviced.</summary>
/// <param name="AmountFinanced">What is handed out, less what is kept back for prepaid finance charges: 12 CFR 1026.18(b).</param>
/// <param name="FinanceCharge">Total of payments less amount financed: 12 CFR 1026.18(d), 1026.4.</param>
/// <param name="TotalOfPayments">All payments, without prepaid finance charges: 12 CFR 1026.18(h).</param>
/// <param name="AprPercent">The annual percentage rate, 6 decimals: 12 CFR 1026 Appendix J.</param>
public sealed record CreditDisclosure(Money AmountFinanced, Money FinanceCharge, Money TotalOfPayments, decimal AprPercent)
{
    /// <summary>Works out the figures.</summary>
    /// <param name="terms">The terms of the loan.</param>
    /// <param name="prepaidFees">Fees that are finance charges and are kept back from the first disbursement; zero or more, below that disbursement. Prepaid odd interest is added from the schedule.</param>
    /// <exception cref="RefusedException"><c>schedule.*</c>, <c>disclosure.prepaid</c>, <c>apr.no_answer</c>.</exception>
    public static CreditDisclosure Of(ScheduleTerms terms, Money prepaidFees)
    {
        Refuse.If(prepaidFees < Money.Zero, "disclosure.prepaid", $"Prepaid fees are $0.00 or more; got {prepaidFees}.");
        var schedule = Schedule.Of(terms);
        var start = terms.StartsOn;
        var advances = new List<DatedAmount>(terms.Disbursements.Count);
        foreach (var disbursement in terms.Disbursements.OrderBy(static one => one.On))
            advances.Add(new DatedAmount(disbursement.On, disbursement.Amount, disbursement.On.Day));

        var prepaid = prepaidFees;
        var payments = new List<DatedAmount>(schedule.Rows.Length);
        var total = Money.Zero;
        foreach (ref readonly var row in schedule.Rows)
        {
            var payment = row.Due;
            if (row.DueOn == start)
            {
                prepaid += row.Interest; // odd interest collected at disbursement is a prepaid finance charge
                payment = row.Principal;
            }

            total += payment;
            if (payment > Money.Zero)
                payments.Add(new DatedAmount(row.DueOn, payment, row.DueOn.Day));
        }

        Refuse.If(prepaid >= advances[0].Amount, "disclosure.prepaid", $"Prepaid charges of {prepaid} leave nothing of the first disbursement of {advances[0].Amount}.");
        advances[0] = advances[0] with { Amount = advances[0].Amount - prepaid };
        var financed = terms.Principal - prepaid;
        return new CreditDisclosure(financed, total - financed, total, Apr.Percent(advances.ToArray(), payments.ToArray()));
    }
}
