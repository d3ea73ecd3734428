using Camino.Lending.Ledger;
using Camino.Lending.Loans;
using FsCheck;
using FsCheck.Fluent;

namespace Camino.Lending.Tests.Loans;

/// <summary>Random terms and histories from one number, so that a failing case is one number to note down.</summary>
internal static class RandomLoans
{
    /// <summary>Checks a property over so many random loans; the failing seed is in the message.</summary>
    public static void ForAll(int loans, Action<Random> property) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(loans), Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            try
            {
                property(new Random(seed));
            }
            catch (Exception wrong)
            {
                throw new AssertionException($"seed {seed}: {wrong.Message}", wrong);
            }

            return true;
        }));

    public static ScheduleTerms Terms(Random random, bool isPlain = false)
    {
        var principal = Money.FromCents(random.Next(4) == 0 ? random.Next(1, 5_000) : random.Next(200_000, 5_000_000));
        var start = Make.Day("2019-01-01").AddDays(random.Next(4_000));
        var unit = (PeriodUnit)random.Next(4);
        var payments = random.Next(1, 61);
        var terms = new ScheduleTerms
        {
            Principal = principal,
            Rate = Rate.FromPercent(random.Next(10) == 0 ? 0m : random.Next(1, 60_000) / 1_000m),
            Method = (ScheduleMethod)random.Next(4),
            DayCount = (DayCountConvention)random.Next(6),
            Disbursements = [new Disbursement(start, principal)],
            Every = unit == PeriodUnit.HalfMonth ? 1 : random.Next(1, 4),
            Unit = unit,
            Payments = payments,
            MonthEnd = (MonthEnd)random.Next(2),
            Rounding = new Rounding((RoundingMode)random.Next(4), Money.FromCents(1)),
        };
        if (isPlain)
            return terms with { Rounding = Rounding.Default };
        terms = terms with
        {
            GracePrincipal = random.Next(3) == 0 ? random.Next(payments) : 0,
            GraceInterest = random.Next(4) == 0 ? random.Next(payments) : 0,
            InterestFree = random.Next(4) == 0 ? random.Next(payments + 1) : 0,
            Balloon = random.Next(4) == 0 && terms.Method != ScheduleMethod.InterestOnly ? Money.FromCents(random.NextInt64(principal.Cents + 1)) : Money.Zero,
            DownPaymentPercent = principal.Cents > 200_000 && random.Next(4) == 0 ? random.Next(90) : 0,
            FirstDueOn = unit != PeriodUnit.HalfMonth && random.Next(3) == 0 ? start.AddDays(random.Next(1, 90)) : null,
            OddInterest = (OddInterest)random.Next(3),
            Rounding = new Rounding(terms.Rounding.Mode, Money.FromCents(random.Next(3) == 0 ? random.Next(1, 2_500) : 1)),
        };
        var left = terms.Principal - terms.Rounding.ToMultiple(terms.Principal.Dollars * terms.DownPaymentPercent / 100m);
        return terms with { Balloon = Money.Min(terms.Balloon, left) };
    }

    /// <summary>Adds a second disbursement within the term.</summary>
    public static ScheduleTerms WithSecondDisbursement(ScheduleTerms terms, Random random)
    {
        if (terms.Principal.Cents < 2 || terms.DownPaymentPercent > 0)
            return terms;
        var days = Schedule.Of(terms).Rows[^1].DueOn.DayNumber - terms.Disbursements[0].On.DayNumber;
        var first = Money.FromCents(random.NextInt64(1, terms.Principal.Cents));
        return days < 2 ? terms : terms with
        {
            Disbursements = [new Disbursement(terms.Disbursements[0].On, first), new Disbursement(terms.Disbursements[0].On.AddDays(random.Next(1, days)), terms.Principal - first)],
        };
    }

    /// <summary>Payments, fees, returns and changes on distinct days, each day at most one event.</summary>
    public static List<LoanEvent> History(ScheduleTerms terms, Random random, int events)
    {
        var history = new List<LoanEvent>();
        var on = terms.Disbursements[0].On;
        for (var i = 1; i <= events; i++)
        {
            on = on.AddDays(random.Next(1, 25));
            var key = $"e{i}";
            var amount = Money.FromCents(random.NextInt64(1, Math.Max(2, terms.Principal.Cents / 6)));
            var payments = history.FindAll(one => one.Type == LoanEventType.Pay && !history.Exists(other => other.Of == one.Key));
            history.Add(random.Next(14) switch
            {
                0 when payments.Count > 0 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Return, Of = payments[random.Next(payments.Count)].Key, BankCode = "R01" },
                1 when payments.Count > 0 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Reverse, Of = payments[random.Next(payments.Count)].Key },
                2 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Fee, Amount = amount },
                3 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Waive, Amount = amount, Portion = (Portion)random.Next(4) },
                4 => new LoanEvent { Key = key, On = on, Type = LoanEventType.InterestPause, Until = on.AddDays(random.Next(1, 40)) },
                5 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Reamortize },
                6 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Skip },
                7 => new LoanEvent { Key = key, On = on, Type = LoanEventType.DueDateChange, Until = on.AddDays(random.Next(1, 30)) },
                8 when random.Next(3) == 0 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Extend, Count = random.Next(1, 5) },
                9 when random.Next(3) == 0 => new LoanEvent { Key = key, On = on, Type = LoanEventType.Restructure, Count = random.Next(1, 20), Until = on.AddDays(random.Next(5, 40)) },
                10 when terms.Method != ScheduleMethod.Flat => new LoanEvent { Key = key, On = on, Type = LoanEventType.RateChange, Rate = Rate.FromPercent(random.Next(0, 4_000) / 100m) },
                11 when random.Next(8) == 0 => new LoanEvent { Key = key, On = on, Type = LoanEventType.ChargeOff },
                _ => new LoanEvent { Key = key, On = on, Type = LoanEventType.Pay, Amount = amount },
            });
        }

        return history;
    }

    /// <summary>A history that also has money going out, small write-offs, recoveries, pauses and events entered later than they count from.</summary>
    public static List<LoanEvent> FullHistory(ScheduleTerms terms, Random random, int events)
    {
        var history = History(terms, random, events);
        for (var i = 0; i < events / 6; i++)
        {
            var on = terms.Disbursements[0].On.AddDays(random.Next(1, 700));
            var one = new LoanEvent
            {
                Key = $"x{i}",
                On = on,
                PostedOn = on.AddDays(random.Next(60)),
                Type = (LoanEventType)random.Next((int)LoanEventType.WriteOff, (int)LoanEventType.Refund + 1),
                Amount = Money.FromCents(random.NextInt64(1, Math.Max(2, terms.Principal.Cents / 8))),
            };
            history.Add(random.Next(4) switch
            {
                0 => one with { Type = LoanEventType.DelinquencyPause, Until = on.AddDays(random.Next(1, 50)) },
                1 => one with { Type = LoanEventType.Pay },
                _ when one.Type == LoanEventType.ChargeOff => one with { Type = LoanEventType.Refund },
                _ => one,
            });
        }

        return history;
    }

    public static LoanProduct Product(Random random) => new()
    {
        Basis = (AccountingBasis)random.Next(2),
        AccrualPosting = (AccrualPosting)random.Next(2),
        Accrual = (AccrualBasis)random.Next(2),
        Order = (AllocationOrder)random.Next(2),
        Surplus = (SurplusRule)random.Next(4),
        Portions = random.Next(2) == 0 ? [Portion.Penalty, Portion.Fee, Portion.Interest, Portion.Principal] : [Portion.Principal, Portion.Interest, Portion.Fee, Portion.Penalty],
        LateFee = random.Next(2) == 0 ? new FeeRule { Amount = Make.Usd(15m), Percent = 5m, GraceDays = 10, Cap = Make.Usd(50m), TotalCap = Make.Usd(300m) } : null,
        ReturnFee = random.Next(2) == 0 ? new FeeRule { Amount = Make.Usd(25m) } : null,
        GraceDays = random.Next(10),
        Tolerance = Money.FromCents(random.Next(200)),
    };

    /// <summary>A state as text, to compare two of them whole.</summary>
    public static string Shown(LoanState state) => string.Join('\n', [(state with { Rows = [] }).ToString(), .. state.Rows.Select(row => row.ToString())]);

    public static bool HasAmount(this LoanEvent one) => one.Type is LoanEventType.Disburse or LoanEventType.Fee or LoanEventType.Pay or LoanEventType.Waive
        or LoanEventType.WriteOff or LoanEventType.Recover or LoanEventType.Refund;
}
