using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>How a loan is paid down.</summary>
public enum ScheduleMethod
{
    /// <summary>Declining balance, equal payments.</summary>
    EqualPayment,

    /// <summary>Declining balance, equal principal.</summary>
    EqualPrincipal,

    /// <summary>Add-on interest on the amount lent, spread equally.</summary>
    Flat,

    /// <summary>Interest only; the whole principal with the last installment.</summary>
    InterestOnly,
}

/// <summary>What installments are counted in.</summary>
public enum PeriodUnit
{
    /// <summary>Calendar days.</summary>
    Day,

    /// <summary>Seven days.</summary>
    Week,

    /// <summary>Calendar months.</summary>
    Month,

    /// <summary>Two days of every month.</summary>
    HalfMonth,
}

/// <summary>What becomes of interest for the days before the first regular period.</summary>
public enum OddInterest
{
    /// <summary>It is part of the first installment's interest; the level payment is found from the product of the unequal periods.</summary>
    Joins,

    /// <summary>It is paid at disbursement, in a row of its own.</summary>
    Prepaid,

    /// <summary>It is added to the principal when the first regular period begins.</summary>
    Financed,
}

/// <summary>Where a due date goes in a month that lacks its day.</summary>
public enum MonthEnd
{
    /// <summary>To the month's last day; the original day returns in the next month that has it.</summary>
    Clamp,

    /// <summary>To the first of the next month; the original day returns in the next month that has it.</summary>
    Roll,
}

/// <summary>Money handed out on a date.</summary>
/// <param name="On">The date.</param>
/// <param name="Amount">Above zero.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Disbursement(DateOnly On, Money Amount);

/// <summary>The terms a schedule follows from. The same terms give the same schedule for ever.</summary>
/// <remarks>Sources: lending rules, "Schedule"; where they are silent, Apache Fineract's progressive loan (named at each rule).</remarks>
public sealed record ScheduleTerms
{
    /// <summary>The most installments: daily for three years and some.</summary>
    public const int MaxPayments = 1_200;

    /// <summary>The largest loan: $100,000,000.00.</summary>
    public const long MaxPrincipalCents = 10_000_000_000;

    /// <summary>The most disbursements.</summary>
    public const int MaxDisbursements = 100;

    /// <summary>Amount lent; $0.01 to $100,000,000.00; the sum of the disbursements.</summary>
    public required Money Principal { get; init; }

    /// <summary>Nominal yearly rate.</summary>
    public required Rate Rate { get; init; }

    /// <summary>How the loan is paid down.</summary>
    public ScheduleMethod Method { get; init; }

    /// <summary>One of the six conventions for loans.</summary>
    public DayCountConvention DayCount { get; init; }

    /// <summary>When the money is handed out; 1 to 100, in any order.</summary>
    public required IReadOnlyList<Disbursement> Disbursements { get; init; }

    /// <summary>Units between installments: days 1 to 366, weeks 1 to 104, months 1 to 24, half-months 1.</summary>
    public int Every { get; init; } = 1;

    /// <summary>The unit of <see cref="Every"/>.</summary>
    public PeriodUnit Unit { get; init; } = PeriodUnit.Month;

    /// <summary>For half-months: the two days of the month, 1 to 31, the first below the second. Without it the day of the first due date and the one 15 days on, or 1 and 16.</summary>
    public (int First, int Second)? HalfMonthDays { get; init; }

    /// <summary>Regular installments, 1 to 1,200; a down payment and prepaid interest do not count.</summary>
    public required int Payments { get; init; }

    /// <summary>First due date, after the first disbursement and at most 5 years later; without it one period after the first disbursement.</summary>
    public DateOnly? FirstDueOn { get; init; }

    /// <summary>What becomes of interest for the days before the first regular period.</summary>
    public OddInterest OddInterest { get; init; }

    /// <summary>Installments at the start that repay no principal; below <see cref="Payments"/>.</summary>
    public int GracePrincipal { get; init; }

    /// <summary>Installments at the start with no interest due: it is collected, without interest on it, with the first one after. Below <see cref="Payments"/>.</summary>
    public int GraceInterest { get; init; }

    /// <summary>Periods at the start for which no interest is charged; at most <see cref="Payments"/>.</summary>
    public int InterestFree { get; init; }

    /// <summary>Principal left for the last installment, on top of the regular part; at most what is lent less the down payment.</summary>
    public Money Balloon { get; init; }

    /// <summary>Share of the principal paid back at the first disbursement: 0 to below 100, at most 8 decimals.</summary>
    public decimal DownPaymentPercent { get; init; }

    /// <summary>How money is rounded.</summary>
    public Rounding Rounding { get; init; }

    /// <summary>Where a due date goes in a month that lacks its day.</summary>
    public MonthEnd MonthEnd { get; init; }

    /// <summary>What happens to a due date on a closed day; interest runs to the shifted date except in 30/360 months.</summary>
    public BusinessDayShift Shift { get; init; }

    /// <summary>The down payment on an amount lent, rounded like an installment.</summary>
    internal Money DownPaymentOn(Money lent) => DownPaymentPercent == 0m ? Money.Zero : Rounding.ToMultiple(lent.Dollars * DownPaymentPercent / 100m);

    /// <summary>A date moved to a business day as <see cref="Shift"/> says, but never to the first disbursement or before it: then to the next business day.</summary>
    internal DateOnly Shifted(DateOnly date)
    {
        var shifted = Calendar.Shift(date, Shift);
        return shifted > StartsOn || Shift == BusinessDayShift.None ? shifted : Calendar.Shift(date, BusinessDayShift.Following);
    }

    /// <summary>The closed days that <see cref="Shift"/> looks at.</summary>
    public BusinessCalendar Calendar { get; init; } = BusinessCalendar.WeekendsOnly;

    /// <summary>The first disbursement's date.</summary>
    internal DateOnly StartsOn
    {
        get
        {
            var first = Disbursements[0].On;
            for (var i = 1; i < Disbursements.Count; i++)
            {
                if (Disbursements[i].On < first)
                    first = Disbursements[i].On;
            }

            return first;
        }
    }

    /// <summary>Refuses terms that no schedule follows from; the code after <c>schedule.</c> is the name of the field.</summary>
    /// <exception cref="RefusedException"><c>schedule.principal</c>, <c>schedule.payments</c> and so on.</exception>
    internal void Check()
    {
        Refuse.If(Principal.Cents is < 1 or > MaxPrincipalCents, "schedule.principal", $"A principal is $0.01 to $100,000,000.00; got {Principal}.");
        Refuse.If(!Enum.IsDefined(Method), "schedule.method", $"Unknown method {Method}.");
        Refuse.If(DayCount is < DayCountConvention.Thirty360 or > DayCountConvention.ActualActual, "schedule.dayCount", $"{DayCount} is not for schedules.");
        Refuse.If(Payments is < 1 or > MaxPayments, "schedule.payments", $"There are 1 to {MaxPayments} payments; got {Payments}.");
        CheckPeriods();
        CheckDisbursements();
        Refuse.If(GracePrincipal < 0 || GracePrincipal >= Payments, "schedule.gracePrincipal", $"Grace on principal is 0 to {Payments - 1} installments; got {GracePrincipal}.");
        Refuse.If(GraceInterest < 0 || GraceInterest >= Payments, "schedule.graceInterest", $"Grace on interest is 0 to {Payments - 1} installments; got {GraceInterest}.");
        Refuse.If(InterestFree < 0 || InterestFree > Payments, "schedule.interestFree", $"An interest-free start is 0 to {Payments} periods; got {InterestFree}.");
        Refuse.If(Balloon < Money.Zero || Balloon > Principal, "schedule.balloon", $"A balloon is $0.00 to the principal of {Principal}; got {Balloon}.");
        Refuse.If(Method == ScheduleMethod.InterestOnly && Balloon != Money.Zero && Balloon != Principal, "schedule.balloon",
            $"With interestOnly the balloon is the principal of {Principal} or left out; got {Balloon}.");
        Refuse.If(DownPaymentPercent is < 0m or >= 100m, "schedule.downPaymentPercent", $"A down payment is 0 to below 100 percent; got {DownPaymentPercent}.");
        Refuse.If(DownPaymentPercent * 100_000_000m % 1m != 0m, "schedule.downPaymentPercent", $"A down payment has at most 8 decimals of a percent; got {DownPaymentPercent}.");
        Refuse.If(!Enum.IsDefined(OddInterest), "schedule.oddInterest", $"Unknown treatment of odd interest {OddInterest}.");
        Refuse.If(!Enum.IsDefined(MonthEnd), "schedule.monthEnd", $"Unknown month-end rule {MonthEnd}.");
        Refuse.If(!Enum.IsDefined(Shift), "schedule.shift", $"Unknown shift {Shift}.");
        Refuse.If(!Enum.IsDefined(Rounding.Mode), "schedule.rounding", $"Unknown rounding mode {Rounding.Mode}.");
    }

    private void CheckPeriods()
    {
        var most = Unit switch
        {
            PeriodUnit.Day => 366,
            PeriodUnit.Week => 104,
            PeriodUnit.Month => 24,
            PeriodUnit.HalfMonth => 1,
            _ => 0,
        };
        Refuse.If(most == 0, "schedule.unit", $"Unknown unit {Unit}.");
        Refuse.If(Every < 1 || Every > most, "schedule.every", $"With unit {Unit}, every is 1 to {most}; got {Every}.");
        if (HalfMonthDays is not { } days)
            return;
        Refuse.If(Unit != PeriodUnit.HalfMonth, "schedule.days", "Days of the month go with unit halfMonth only.");
        Refuse.If(days.First < 1 || days.Second > 31 || days.First >= days.Second, "schedule.days",
            $"The two days of the month are 1 to 31, the first below the second; got {days.First} and {days.Second}.");
        Refuse.If(days.First > 28, "schedule.days", $"The first of the two days is at most 28, so that February has both; got {days.First}.");
    }

    private void CheckDisbursements()
    {
        Refuse.If(Disbursements.Count is < 1 or > MaxDisbursements, "schedule.disbursements", $"There are 1 to {MaxDisbursements} disbursements; got {Disbursements.Count}.");
        var sum = 0L;
        foreach (var disbursement in Disbursements)
        {
            Refuse.If(disbursement.Amount.Cents is < 1 or > MaxPrincipalCents, "schedule.disbursements", $"A disbursement is $0.01 to $100,000,000.00; got {disbursement.Amount}.");
            Refuse.If(disbursement.On.Year is < 1900 or > 2199, "schedule.disbursements", $"A disbursement is in the years 1900 to 2199; got {disbursement.On:yyyy-MM-dd}.");
            sum += disbursement.Amount.Cents;
        }

        Refuse.If(sum != Principal.Cents, "schedule.disbursements", $"The disbursements come to {Money.FromCents(sum)}, the principal is {Principal}.");
        if (FirstDueOn is { } first)
        {
            Refuse.If(first <= StartsOn || first > StartsOn.AddYears(5), "schedule.firstDueOn",
                $"The first due date is after the first disbursement on {StartsOn:yyyy-MM-dd} and at most 5 years later; got {first:yyyy-MM-dd}.");
        }
    }
}
