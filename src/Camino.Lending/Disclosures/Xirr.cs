using System.Runtime.InteropServices;

namespace Camino.Lending.Disclosures;

/// <summary>Money in (above zero) or out (below zero) on a date.</summary>
/// <param name="On">The date.</param>
/// <param name="Amount">Dollars; not zero.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Flow(DateOnly On, Money Amount);

/// <summary>The internal rate of return of dated flows: the sum of amount / (1 + r)^(days / 365) is zero.</summary>
/// <remarks>
/// The convention is that of the spreadsheet function XIRR. All roots are isolated, so that "no answer" is said exactly when there is none:
/// a sum of exponentials with s changes of sign, multiplied by one exponential and differentiated, has s - 1 (Laguerre); between the roots of
/// that derivative the sum is monotone. Of several roots the one nearest to zero is given.
/// </remarks>
public static class Xirr
{
    /// <summary>The lowest rate looked for, in percent.</summary>
    public const decimal MinPercent = -99.9999m;

    /// <summary>The highest rate looked for, in percent.</summary>
    public const decimal MaxPercent = 100_000_000m;

    /// <summary>The most flows.</summary>
    public const int MaxFlows = 2_000;

    /// <summary>The most changes between money in and money out.</summary>
    public const int MaxSignChanges = 40;

    private static readonly double _low = Math.Log(1 + (double)(MinPercent / 100m));
    private static readonly double _high = Math.Log(1 + (double)(MaxPercent / 100m));

    /// <summary>The rate of the flows.</summary>
    /// <param name="flows">At least one above and one below zero, at most <see cref="MaxFlows"/>, in any order.</param>
    /// <returns>Percent a year, rounded to 10 decimals.</returns>
    /// <exception cref="RefusedException"><c>xirr.no_answer</c>, <c>xirr.too_many</c>.</exception>
    public static decimal Percent(ReadOnlySpan<Flow> flows)
    {
        Refuse.If(flows.Length > MaxFlows, "xirr.too_many", $"There are at most {MaxFlows} flows; got {flows.Length}.");
        var terms = Merge(flows);
        var changes = SignChanges(terms);
        Refuse.If(changes == 0, "xirr.no_answer", "A rate needs money both in and out, on different dates.");
        Refuse.If(changes > MaxSignChanges, "xirr.too_many", $"The flows change sign at most {MaxSignChanges} times; got {changes}.");

        var roots = Roots(terms, changes);
        Refuse.If(roots.Count == 0, "xirr.no_answer", $"No rate from {MinPercent} to {MaxPercent} percent makes the flows come to zero.");
        var nearest = roots[0];
        foreach (var root in roots)
        {
            if (Math.Abs(Math.Exp(root) - 1) < Math.Abs(Math.Exp(nearest) - 1))
                nearest = root;
        }

        return decimal.Round(Polish(terms, nearest) * 100m, 10, MidpointRounding.ToEven);
    }

    private static Term[] Merge(ReadOnlySpan<Flow> flows)
    {
        var sorted = flows.ToArray();
        Array.Sort(sorted, static (one, other) => one.On.CompareTo(other.On));
        var terms = new List<Term>(sorted.Length);
        foreach (var flow in sorted)
        {
            var days = flow.On.DayNumber - sorted[0].On.DayNumber;
            if (terms.Count > 0 && terms[^1].Days == days)
                terms[^1] = terms[^1] with { Cents = terms[^1].Cents + flow.Amount.Cents };
            else
                terms.Add(new Term(days, flow.Amount.Cents, 0));
        }

        terms.RemoveAll(static term => term.Cents == 0);
        var merged = terms.ToArray();
        for (var i = 0; i < merged.Length; i++)
            merged[i] = merged[i] with { Weight = merged[i].Cents };
        return merged;
    }

    private static int SignChanges(ReadOnlySpan<Term> terms)
    {
        var changes = 0;
        var before = 0;
        foreach (ref readonly var term in terms)
        {
            var sign = Math.Sign(term.Weight);
            if (sign != 0 && before != 0 && sign != before)
                changes++;
            if (sign != 0)
                before = sign;
        }

        return changes;
    }

    /// <summary>All roots in x = ln(1 + r), by recursion over the changes of sign.</summary>
    private static List<double> Roots(Term[] terms, int changes)
    {
        var roots = new List<double>();
        if (changes == 0)
            return roots;

        var turns = changes > 1 ? Derivative(terms) is var derived ? Roots(derived, SignChanges(derived)) : [] : [];
        turns.Add(_high);
        var from = _low;
        var (fromValue, _) = Value(terms, from);
        foreach (var to in turns)
        {
            if (to <= from)
                continue;
            var (toValue, size) = Value(terms, to);
            if (Math.Abs(toValue) <= 1e-13 * size)
                roots.Add(to);
            else if (Math.Sign(fromValue) * Math.Sign(toValue) < 0 && Math.Abs(fromValue) > 0)
                roots.Add(Bisect(terms, from, to, fromValue));
            (from, fromValue) = (to, Math.Abs(toValue) <= 1e-13 * size ? 0 : toValue);
        }

        return roots;
    }

    /// <summary>The derivative of the sum x e^(x T) with T between the terms of the first change of sign: one change fewer.</summary>
    private static Term[] Derivative(Term[] terms)
    {
        var at = 1;
        while (Math.Sign(terms[at].Weight) * Math.Sign(terms[at - 1].Weight) >= 0)
            at++;
        var middle = (terms[at - 1].Days + terms[at].Days) / 2.0;
        var derived = new Term[terms.Length];
        for (var i = 0; i < terms.Length; i++)
            derived[i] = terms[i] with { Weight = terms[i].Weight * (middle - terms[i].Days) / 365 };
        return derived;
    }

    /// <summary>The sum at x, scaled by its largest term so that nothing overflows, and the sum of the sizes of its terms.</summary>
    private static (double Value, double Size) Value(ReadOnlySpan<Term> terms, double x)
    {
        var shift = x < 0 ? terms[^1].Days : terms[0].Days;
        var value = 0.0;
        var size = 0.0;
        foreach (ref readonly var term in terms)
        {
            var part = term.Weight * Math.Exp(-x * (term.Days - shift) / 365);
            value += part;
            size += Math.Abs(part);
        }

        return (value, size);
    }

    private static double Bisect(ReadOnlySpan<Term> terms, double from, double to, double fromValue)
    {
        for (var step = 0; step < 200; step++)
        {
            var middle = (from + to) / 2;
            if (middle <= from || middle >= to)
                break;
            var (value, _) = Value(terms, middle);
            if (Math.Sign(value) == Math.Sign(fromValue))
                from = middle;
            else
                to = middle;
        }

        return (from + to) / 2;
    }

    /// <summary>
    /// Newton steps in decimal on the growth of one day or, for a rate above zero, its inverse: a base below 1, in which the sum is a polynomial of
    /// whole powers and nothing overflows.
    /// </summary>
    private static decimal Polish(Term[] terms, double root)
    {
        var rough = (decimal)(Math.Exp(root) - 1);
        var discounts = root >= 0;
        var factor = (decimal)Math.Exp(-Math.Abs(root) / 365);
        var lastDay = terms[^1].Days;
        for (var step = 0; step < 3; step++)
        {
            var value = 0m;
            var slope = 0m;
            var power = 1m;
            var days = 0;
            for (var i = 0; i < terms.Length; i++)
            {
                var term = discounts ? terms[i] : terms[terms.Length - 1 - i];
                var exponent = discounts ? term.Days : lastDay - term.Days;
                power *= Power(factor, exponent - days);
                days = exponent;
                value += term.Cents * power;
                slope += (decimal)term.Cents * days * power / factor;
            }

            if (slope == 0m || Math.Abs(value / slope) > 1e-9m)
                break;
            factor -= value / slope;
        }

        var year = Power(factor, 365);
        if (year == 0m)
            return rough;
        var polished = (discounts ? 1m / year : year) - 1m;
        return Math.Abs(polished - rough) <= 1e-9m * (1m + Math.Abs(rough)) ? polished : rough;
    }

    private static decimal Power(decimal value, int exponent)
    {
        var power = 1m;
        while (true)
        {
            if ((exponent & 1) != 0)
                power *= value;
            exponent >>= 1;
            if (exponent == 0)
                return power;
            value *= value;
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Term(int Days, long Cents, double Weight);
}
