using Camino.Lending.Ledger;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>The words of the calculator and of the stored form, each beside what it stands for. Stored: never rename, never reuse.</summary>
internal static class Words
{
    public static readonly (string, ScheduleMethod)[] Methods =
    [
        ("equalPayment", ScheduleMethod.EqualPayment), ("equalPrincipal", ScheduleMethod.EqualPrincipal), ("flat", ScheduleMethod.Flat), ("interestOnly", ScheduleMethod.InterestOnly),
    ];

    public static readonly (string, DayCountConvention)[] DayCounts =
    [
        ("30/360", DayCountConvention.Thirty360), ("30E/360", DayCountConvention.Thirty360European), ("30E/360 ISDA", DayCountConvention.Thirty360EuropeanIsda),
        ("actual/360", DayCountConvention.Actual360), ("actual/365", DayCountConvention.Actual365), ("actual/actual", DayCountConvention.ActualActual),
    ];

    public static readonly (string, OddInterest)[] OddInterests = [("joins", OddInterest.Joins), ("prepaid", OddInterest.Prepaid), ("financed", OddInterest.Financed)];
    public static readonly (string, MonthEnd)[] MonthEnds = [("clamp", MonthEnd.Clamp), ("roll", MonthEnd.Roll)];

    public static readonly (string, RoundingMode)[] RoundingModes =
    [
        ("half-even", RoundingMode.HalfEven), ("half-up", RoundingMode.HalfUp), ("up", RoundingMode.Up), ("down", RoundingMode.Down),
    ];

    public static readonly (string, BusinessDayShift)[] Shifts =
    [
        ("none", BusinessDayShift.None), ("following", BusinessDayShift.Following), ("modifiedFollowing", BusinessDayShift.ModifiedFollowing), ("preceding", BusinessDayShift.Preceding),
    ];

    public static readonly (string, PeriodUnit)[] Units = [("day", PeriodUnit.Day), ("week", PeriodUnit.Week), ("month", PeriodUnit.Month), ("halfMonth", PeriodUnit.HalfMonth)];

    public static readonly (string, AccrualBasis)[] Accruals = [("outstanding", AccrualBasis.Outstanding), ("scheduled", AccrualBasis.Scheduled)];
    public static readonly (string, AllocationOrder)[] Orders = [("installmentFirst", AllocationOrder.InstallmentFirst), ("portionFirst", AllocationOrder.PortionFirst)];

    public static readonly (string, SurplusRule)[] Surpluses =
    [
        ("nextInstallment", SurplusRule.NextInstallment), ("lastInstallment", SurplusRule.LastInstallment), ("reamortize", SurplusRule.Reamortize), ("credit", SurplusRule.Credit),
    ];

    public static readonly (string, Portion)[] Portions =
    [
        ("penalty", Portion.Penalty), ("fee", Portion.Fee), ("interest", Portion.Interest), ("principal", Portion.Principal),
    ];

    public static readonly (string, LoanEventType)[] EventTypes =
    [
        ("disburse", LoanEventType.Disburse), ("pay", LoanEventType.Pay), ("reverse", LoanEventType.Reverse), ("return", LoanEventType.Return), ("fee", LoanEventType.Fee),
        ("waive", LoanEventType.Waive), ("rateChange", LoanEventType.RateChange), ("interestPause", LoanEventType.InterestPause),
        ("delinquencyPause", LoanEventType.DelinquencyPause), ("dueDateChange", LoanEventType.DueDateChange), ("skip", LoanEventType.Skip), ("extend", LoanEventType.Extend),
        ("reamortize", LoanEventType.Reamortize), ("restructure", LoanEventType.Restructure), ("chargeOff", LoanEventType.ChargeOff), ("recover", LoanEventType.Recover),
        ("writeOff", LoanEventType.WriteOff), ("refund", LoanEventType.Refund),
    ];

    public static readonly (string, AccountingBasis)[] Bases = [("accrual", AccountingBasis.Accrual), ("cash", AccountingBasis.Cash)];

    public static readonly (string, AccrualPosting)[] AccrualPostings = [("monthEnd", AccrualPosting.MonthEnd), ("daily", AccrualPosting.Daily)];

    public static readonly (string, LedgerAccount)[] Accounts =
    [
        .. Enum.GetValues<LedgerAccount>().Select(static account => (char.ToLowerInvariant(account.ToString()[0]) + account.ToString()[1..], account)),
    ];

    /// <summary>The word for a value.</summary>
    public static string Of<T>((string Word, T Value)[] choices, T value)
        where T : struct, Enum
    {
        foreach (var (word, choice) in choices)
        {
            if (EqualityComparer<T>.Default.Equals(choice, value))
                return word;
        }

        throw new ArgumentOutOfRangeException(nameof(value), value, "has no word");
    }
}
