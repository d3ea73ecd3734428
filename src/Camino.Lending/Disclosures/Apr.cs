using System.Runtime.InteropServices;

namespace Camino.Lending.Disclosures;

/// <summary>A run of equal amounts, one unit-period apart.</summary>
/// <param name="Amount">Each amount, above zero.</param>
/// <param name="Count">How many, 1 to 10,000.</param>
/// <param name="First">When the first is, in unit-periods from the begin of the term.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct UnitStream(Money Amount, int Count, UnitTime First);

/// <summary>The annual percentage rate.</summary>
/// <remarks>
/// Source: 12 CFR 1026 Appendix J (b)(8), the general equation: the sum of advances / ((1 + e i)(1 + i)^q) equals the sum of payments /
/// ((1 + f i)(1 + i)^t); the rate is 100 x i x unit-periods a year. A fraction of a unit-period bears simple interest, full ones compound.
/// </remarks>
public static class Apr
{
    /// <summary>The highest rate looked for, in percent a year.</summary>
    public const decimal MaxPercent = 1_000_000m;

    private const int MaxSteps = 200;

    /// <summary>The rate of dated advances and payments: Appendix J finds the unit-period and counts the time.</summary>
    /// <param name="advances">In order of their dates; the term begins with the first.</param>
    /// <param name="payments">In order of their dates; none before the first advance.</param>
    /// <returns>Percent a year, rounded to 6 decimals.</returns>
    /// <exception cref="RefusedException"><c>apr.no_answer</c>, <c>apr.order</c>.</exception>
    public static decimal Percent(ReadOnlySpan<DatedAmount> advances, ReadOnlySpan<DatedAmount> payments)
    {
        Refuse.If(advances.IsEmpty || payments.IsEmpty, "apr.no_answer", "A rate needs an advance and a payment.");
        Refuse.If(payments[0].On <= advances[0].On && payments.Length == 1 && advances.Length == 1, "apr.order",
            $"The payment on {payments[0].On:yyyy-MM-dd} comes after the advance on {advances[0].On:yyyy-MM-dd}.");
        Refuse.If(payments[0].On < advances[0].On, "apr.order", $"No payment comes before the first advance on {advances[0].On:yyyy-MM-dd}; got {payments[0].On:yyyy-MM-dd}.");

        advances = InSeries(advances);
        payments = InSeries(payments);
        var unit = UnitPeriod.Of(advances, payments);
        var begin = advances[0].On;
        var (perYear, share) = unit.PerYear;
        return Percent((decimal)perYear / share, Streams(unit, begin, advances), Streams(unit, begin, payments));
    }

    /// <summary>The rate of amounts whose time is already in unit-periods.</summary>
    /// <param name="unitPeriodsPerYear">Above 0, at most 366.</param>
    /// <param name="advances">At least one.</param>
    /// <param name="payments">At least one.</param>
    /// <returns>Percent a year, rounded to 6 decimals.</returns>
    /// <exception cref="RefusedException"><c>apr.no_answer</c>: payments below advances, or a rate above <see cref="MaxPercent"/>.</exception>
    public static decimal Percent(decimal unitPeriodsPerYear, ReadOnlySpan<UnitStream> advances, ReadOnlySpan<UnitStream> payments)
    {
        Refuse.If(unitPeriodsPerYear is <= 0m or > 366m, "apr.unit_periods", $"There are above 0 and at most 366 unit-periods a year; got {unitPeriodsPerYear}.");
        var lent = Sum(advances);
        var paid = Sum(payments);
        Refuse.If(paid < lent, "apr.no_answer", $"The payments come to {Money.FromCents(paid)}, less than the advances of {Money.FromCents(lent)}: no rate of 0 or more answers that.");
        if (paid == lent && AllPaymentsAfterAdvances(advances, payments))
            return 0m;

        var most = (double)(MaxPercent / 100m / unitPeriodsPerYear);
        var guess = Search(advances, payments, most);
        return decimal.Round(Polish(guess, advances, payments) * unitPeriodsPerYear * 100m, 6, MidpointRounding.ToEven);
    }

    /// <summary>Dates that are all on one day of the month, or on the month's end where it lacks that day, are scheduled for that day: (b)(3)(iv).</summary>
    private static ReadOnlySpan<DatedAmount> InSeries(ReadOnlySpan<DatedAmount> dated)
    {
        var day = 0;
        var clamped = false;
        foreach (ref readonly var one in dated)
            day = Math.Max(day, Math.Max(one.DayOfMonth, one.On.Day));
        foreach (ref readonly var one in dated)
        {
            if (one.On.Day != Math.Min(day, DateTime.DaysInMonth(one.On.Year, one.On.Month)))
                return dated;
            clamped |= one.DayOfMonth < day;
        }

        if (!clamped)
            return dated;
        var series = dated.ToArray();
        for (var i = 0; i < series.Length; i++)
            series[i] = series[i] with { DayOfMonth = day };
        return series;
    }

    private static UnitStream[] Streams(UnitPeriod unit, DateOnly begin, ReadOnlySpan<DatedAmount> dated)
    {
        var streams = new UnitStream[dated.Length];
        var used = 0;
        for (var i = 0; i < dated.Length; i++)
        {
            var time = unit.Between(begin, dated[i]);
            var last = used - 1;
            if (used > 0 && streams[last].Amount == dated[i].Amount
                && time == streams[last].First with { Full = streams[last].First.Full + streams[last].Count })
            {
                streams[last] = streams[last] with { Count = streams[last].Count + 1 };
            }
            else
            {
                streams[used++] = new UnitStream(dated[i].Amount, 1, time);
            }
        }

        return streams[..used];
    }

    private static long Sum(ReadOnlySpan<UnitStream> streams)
    {
        var sum = 0L;
        foreach (ref readonly var stream in streams)
            sum += checked(stream.Amount.Cents * stream.Count);
        return sum;
    }

    private static bool AllPaymentsAfterAdvances(ReadOnlySpan<UnitStream> advances, ReadOnlySpan<UnitStream> payments)
    {
        var lastAdvance = 0m;
        var firstPayment = decimal.MaxValue;
        foreach (ref readonly var advance in advances)
            lastAdvance = Math.Max(lastAdvance, advance.First.Full + advance.Count - 1 + ((decimal)advance.First.Numerator / advance.First.Denominator));
        foreach (ref readonly var payment in payments)
            firstPayment = Math.Min(firstPayment, payment.First.Full + ((decimal)payment.First.Numerator / payment.First.Denominator));
        return firstPayment >= lastAdvance;
    }

    /// <summary>A bracketed Newton search in double; <see cref="Polish"/> takes the result to decimal.</summary>
    private static double Search(ReadOnlySpan<UnitStream> advances, ReadOnlySpan<UnitStream> payments, double most)
    {
        var low = 0.0;
        var high = 0.01;
        while (Gap(advances, payments, high, out _) > 0)
        {
            low = high;
            high *= 4;
            Refuse.If(high > most * 4, "apr.no_answer", $"No rate up to {MaxPercent} percent a year makes the payments worth the advances.");
        }

        var rate = (low + high) / 2;
        for (var step = 0; step < MaxSteps; step++)
        {
            var gap = Gap(advances, payments, rate, out var slope);
            if (gap > 0)
                low = rate;
            else
                high = rate;
            var next = slope < 0 ? rate - (gap / slope) : double.NaN;
            if (!(next > low && next < high))
                next = (low + high) / 2;
            if (Math.Abs(next - rate) <= 1e-14 * Math.Max(1e-3, rate))
                return next;
            rate = next;
        }

        return rate;
    }

    /// <summary>Present value of payments less advances at a rate, in cents, and its derivative.</summary>
    private static double Gap(ReadOnlySpan<UnitStream> advances, ReadOnlySpan<UnitStream> payments, double rate, out double slope)
    {
        var (paid, paidSlope) = Value(payments, rate);
        var (lent, lentSlope) = Value(advances, rate);
        slope = paidSlope - lentSlope;
        return paid - lent;
    }

    private static (double Value, double Slope) Value(ReadOnlySpan<UnitStream> streams, double rate)
    {
        var value = 0.0;
        var slope = 0.0;
        var discount = 1 / (1 + rate);
        foreach (ref readonly var stream in streams)
        {
            var fraction = (double)stream.First.Numerator / stream.First.Denominator;
            var odd = 1 / (1 + (fraction * rate));
            var term = stream.Amount.Cents * odd * Math.Pow(discount, stream.First.Full);
            for (var i = 0; i < stream.Count; i++)
            {
                value += term;
                slope -= term * ((fraction * odd) + ((stream.First.Full + i) * discount));
                term *= discount;
            }
        }

        return (value, slope);
    }

    /// <summary>Two Newton steps with the equation in decimal: the rate is then good to far more than the 6 decimals that are shown.</summary>
    private static decimal Polish(double guess, ReadOnlySpan<UnitStream> advances, ReadOnlySpan<UnitStream> payments)
    {
        var rate = (decimal)guess;
        for (var step = 0; step < 2; step++)
        {
            Gap(advances, payments, (double)rate, out var slope);
            if (slope >= 0)
                break;
            var gap = ExactValue(payments, rate) - ExactValue(advances, rate);
            var move = (double)gap / slope;
            if (!(Math.Abs(move) < 1e-6))
                break;
            rate -= (decimal)move;
        }

        return rate;
    }

    private static decimal ExactValue(ReadOnlySpan<UnitStream> streams, decimal rate)
    {
        var value = 0m;
        var discount = 1m / (1m + rate);
        foreach (ref readonly var stream in streams)
        {
            var term = Power(discount, stream.First.Full) / (1m + (stream.First.Numerator * rate / stream.First.Denominator));
            var sum = 0m;
            for (var i = 0; i < stream.Count; i++)
            {
                sum += term;
                term *= discount;
            }

            value += stream.Amount.Cents * sum;
        }

        return value;
    }

    private static decimal Power(decimal value, int exponent)
    {
        var power = 1m;
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
                power *= value;
            value *= value;
        }

        return power;
    }
}
