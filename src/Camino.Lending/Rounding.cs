using System.Runtime.InteropServices;

namespace Camino.Lending;

/// <summary>Which way a part that does not fit goes.</summary>
public enum RoundingMode
{
    /// <summary>To the nearest, a tie to the even neighbour. The house default (lending rules, "Schedule").</summary>
    HalfEven,

    /// <summary>To the nearest, a tie away from zero.</summary>
    HalfUp,

    /// <summary>Away from zero.</summary>
    Up,

    /// <summary>Toward zero.</summary>
    Down,
}

/// <summary>How a product rounds money: a mode and the multiple that installments come in.</summary>
/// <remarks>
/// The mode is used wherever money is posted. The multiple is used for installments and the down payment only: interest is always in cents.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Rounding
{
    private readonly long _multipleLess1;

    /// <param name="mode">Which way a part that does not fit goes.</param>
    /// <param name="multiple">$0.01 to $100,000.00.</param>
    /// <exception cref="RefusedException"><c>rounding.multiple</c>.</exception>
    public Rounding(RoundingMode mode, Money multiple)
    {
        Refuse.If(multiple.Cents is < 1 or > 10_000_000, "rounding.multiple", $"A rounding multiple is $0.01 to $100,000.00; got {multiple}.");
        Mode = mode;
        _multipleLess1 = multiple.Cents - 1;
    }

    /// <summary>To cents, half to even.</summary>
    public static Rounding Default => default;

    /// <summary>Which way a part that does not fit goes.</summary>
    public RoundingMode Mode { get; }

    /// <summary>What installments are a multiple of, in cents; 1 for cents.</summary>
    public long MultipleCents => _multipleLess1 + 1;

    /// <summary>Rounds dollars at full precision to cents; the multiple plays no part.</summary>
    public Money ToCents(decimal dollars) => Money.FromCents(ToWhole(dollars * 100m, Mode));

    /// <summary>Rounds dollars at full precision to the multiple.</summary>
    public Money ToMultiple(decimal dollars) => Money.FromCents(checked(ToWhole(dollars * 100m / MultipleCents, Mode) * MultipleCents));

    /// <summary>An exact quotient of integers, rounded to a whole number: no intermediate rounding can hide a tie.</summary>
    /// <param name="numerator">Any.</param>
    /// <param name="denominator">Above zero.</param>
    /// <param name="mode">Which way the rest goes.</param>
    internal static long Divide(Int128 numerator, long denominator, RoundingMode mode)
    {
        long quotient;
        long rest;
        if (numerator <= long.MaxValue && numerator >= -long.MaxValue)
        {
            (quotient, rest) = Math.DivRem((long)numerator, denominator);
        }
        else
        {
            var (wide, wideRest) = Int128.DivRem(numerator, denominator);
            quotient = checked((long)wide);
            rest = (long)wideRest;
        }

        if (rest == 0)
            return quotient;

        var sign = rest < 0 ? -1 : 1;
        var size = Math.Abs(rest);
        var above = size.CompareTo(denominator - size); // compares the rest with one half, without doubling it
        var away = mode switch
        {
            RoundingMode.HalfEven => above > 0 || (above == 0 && (quotient & 1) != 0),
            RoundingMode.HalfUp => above >= 0,
            RoundingMode.Up => true,
            _ => false,
        };
        return away ? quotient + sign : quotient;
    }

    internal static long ToWhole(decimal value, RoundingMode mode)
    {
        var rounded = mode switch
        {
            RoundingMode.HalfEven => decimal.Round(value, 0, MidpointRounding.ToEven),
            RoundingMode.HalfUp => decimal.Round(value, 0, MidpointRounding.AwayFromZero),
            RoundingMode.Up => value < 0m ? decimal.Floor(value) : decimal.Ceiling(value),
            _ => decimal.Truncate(value),
        };
        Refuse.If(Math.Abs(rounded) > Money.MaxCents, "money.out_of_range", "An amount is beyond $9,999,999,999,999.99.");
        return (long)rounded;
    }
}
