using System.Globalization;

namespace Camino.Lending;

/// <summary>US dollars in whole cents. Exact: a value with a fraction of a cent cannot exist; rounding is a <see cref="Rounding"/>'s act.</summary>
/// <remarks>Range: plus or minus $9,999,999,999,999.99 (<see cref="MaxCents"/>).</remarks>
public readonly record struct Money : IComparable<Money>
{
    /// <summary>The largest amount, in cents: $9,999,999,999,999.99.</summary>
    public const long MaxCents = 999_999_999_999_999;

    /// <param name="dollars">Dollars and whole cents: <c>12.34m</c>.</param>
    /// <exception cref="RefusedException"><c>money.fraction_of_cent</c>, <c>money.out_of_range</c>.</exception>
    public Money(decimal dollars)
    {
        Refuse.If(Math.Abs(dollars) > MaxCents / 100m, "money.out_of_range", $"{dollars.ToString(CultureInfo.InvariantCulture)} is beyond $9,999,999,999,999.99.");
        var cents = dollars * 100m;
        Refuse.If(cents != decimal.Truncate(cents), "money.fraction_of_cent", $"{dollars.ToString(CultureInfo.InvariantCulture)} has a fraction of a cent; round it first.");
        Cents = (long)cents;
    }

    private Money(long cents) => Cents = cents;

    /// <summary>$0.00.</summary>
    public static Money Zero => default;

    /// <summary>The amount in cents.</summary>
    public long Cents { get; }

    /// <summary>The amount in dollars, always with two decimals.</summary>
    public decimal Dollars => new((int)Math.Abs(Cents), (int)(Math.Abs(Cents) >> 32), 0, Cents < 0, 2);

    /// <param name="cents">Whole cents, at most <see cref="MaxCents"/> either way.</param>
    /// <exception cref="RefusedException"><c>money.out_of_range</c>.</exception>
    public static Money FromCents(long cents)
    {
        Refuse.If(cents is > MaxCents or < -MaxCents, "money.out_of_range", $"{cents.ToString(CultureInfo.InvariantCulture)} cents is beyond $9,999,999,999,999.99.");
        return new Money(cents);
    }

    public static Money operator +(Money left, Money right) => FromCents(left.Cents + right.Cents);

    public static Money operator -(Money left, Money right) => FromCents(left.Cents - right.Cents);

    public static Money operator -(Money value) => new(-value.Cents);

    public static Money operator *(Money value, int times) => FromCents(checked(value.Cents * times));

    public static bool operator <(Money left, Money right) => left.Cents < right.Cents;

    public static bool operator >(Money left, Money right) => left.Cents > right.Cents;

    public static bool operator <=(Money left, Money right) => left.Cents <= right.Cents;

    public static bool operator >=(Money left, Money right) => left.Cents >= right.Cents;

    public static Money Add(Money left, Money right) => left + right;

    public static Money Subtract(Money left, Money right) => left - right;

    public static Money Multiply(Money value, int times) => value * times;

    public static Money Negate(Money value) => -value;

    /// <summary>The smaller of two amounts.</summary>
    public static Money Min(Money left, Money right) => left.Cents <= right.Cents ? left : right;

    /// <summary>The larger of two amounts.</summary>
    public static Money Max(Money left, Money right) => left.Cents >= right.Cents ? left : right;

    public int CompareTo(Money other) => Cents.CompareTo(other.Cents);

    /// <summary><c>$1,234.56</c> or <c>-$0.05</c>, in US form whatever the culture.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(Cents < 0 ? "-" : "")}${Math.Abs(Cents) / 100m:#,##0.00}");
}
