using System.Globalization;
using System.Text.Json;
using Camino.Lending.Disclosures;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>The <c>apr</c> line, in unit-periods or by dates.</summary>
internal static class AprQuote
{
    private const int MaxEntries = 2_000;
    private const int MaxPayments = 10_000;
    private const long MaxCents = 100_000_000_000;

    private static readonly string[] _lineFields = ["id", "unitPeriodsPerYear", "advances", "payments"];
    private static readonly string[] _advanceFields = ["amount", "unitPeriods", "fraction"];
    private static readonly string[] _paymentFields = ["amount", "count", "firstUnitPeriods", "firstFraction"];
    private static readonly string[] _datedAdvanceFields = ["on", "amount"];
    private static readonly string[] _datedPaymentFields = ["on", "amount", "count", "every", "unit"];

    public static void Answer(JsonElement root, LineWriter line)
    {
        var fields = new Fields(root, "", _lineFields);
        decimal percent;
        try
        {
            percent = fields.Has("unitPeriodsPerYear") ? ByUnitPeriods(fields) : ByDates(fields);
        }
        catch (RefusedException refused)
        {
            throw new FieldException(refused.Code, refused.Sentence, "payments");
        }

        line.Raw(",\"aprPercent\":"u8);
        line.Decimals(percent, "0.000000");
    }

    private static decimal ByUnitPeriods(Fields fields)
    {
        var text = fields.Text("unitPeriodsPerYear");
        var (numerator, denominator) = ParseFraction(text, fields.PathOf("unitPeriodsPerYear"), 1_000_000_000m);
        var perYear = (decimal)numerator / denominator;
        if (perYear is <= 0m or > 366m)
            throw fields.Wrong("unitPeriodsPerYear", $"unitPeriodsPerYear is above 0 and at most 366; got {Fields.Short(text)}.");

        var advances = fields.List("advances", 1, MaxEntries);
        var lent = new UnitStream[advances.GetArrayLength()];
        for (var i = 0; i < lent.Length; i++)
        {
            var entry = new Fields(advances[i], string.Create(CultureInfo.InvariantCulture, $"advances[{i}]"), _advanceFields);
            lent[i] = new UnitStream(entry.Amount("amount", 1, MaxCents), 1, Time(entry, "unitPeriods", "fraction"));
        }

        var payments = fields.List("payments", 1, MaxEntries);
        var paid = new UnitStream[payments.GetArrayLength()];
        var count = 0;
        for (var i = 0; i < paid.Length; i++)
        {
            var entry = new Fields(payments[i], string.Create(CultureInfo.InvariantCulture, $"payments[{i}]"), _paymentFields);
            paid[i] = new UnitStream(entry.Amount("amount", 1, MaxCents), entry.Integer("count", 1, MaxPayments, 1), Time(entry, "firstUnitPeriods", "firstFraction"));
            count += paid[i].Count;
            if (count > MaxPayments)
                throw entry.Wrong("count", $"There are at most {MaxPayments} payments in all.");
        }

        return Apr.Percent(perYear, lent, paid);
    }

    private static UnitTime Time(Fields entry, string full, string fraction)
    {
        var periods = entry.Integer(full, 0, 20_000, 0);
        if (!entry.Has(fraction))
            return new UnitTime(periods, 0, 1);
        var text = entry.Text(fraction);
        var (numerator, denominator) = ParseFraction(text, entry.PathOf(fraction), 1m);
        return new UnitTime(periods, numerator, denominator);
    }

    /// <summary>A quotient such as <c>19/30</c> or a decimal number, from 0 to a limit.</summary>
    private static (long Numerator, long Denominator) ParseFraction(string text, string path, decimal most)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            var value = Fields.ParseDecimal(text, path, 9, 0m, most);
            return ((long)(value * 1_000_000_000m), 1_000_000_000);
        }

        var above = (long)Fields.ParseDecimal(text[..slash], path, 0, 0m, 1_000_000m);
        var below = (long)Fields.ParseDecimal(text[(slash + 1)..], path, 0, 1m, 1_000_000m);
        return above <= most * below
            ? (above, below)
            : throw new FieldException("quote.out_of_range", $"{path} is 0 to {most}; got {Fields.Short(text)}.", path);
    }

    private static decimal ByDates(Fields fields)
    {
        var advances = fields.List("advances", 1, MaxEntries);
        var lent = new DatedAmount[advances.GetArrayLength()];
        for (var i = 0; i < lent.Length; i++)
        {
            var entry = new Fields(advances[i], string.Create(CultureInfo.InvariantCulture, $"advances[{i}]"), _datedAdvanceFields);
            var on = entry.Date("on");
            lent[i] = new DatedAmount(on, entry.Amount("amount", 1, MaxCents), on.Day);
        }

        Array.Sort(lent, static (one, other) => one.On.CompareTo(other.On));
        var payments = fields.List("payments", 1, MaxEntries);
        var paid = new List<DatedAmount>(payments.GetArrayLength());
        for (var i = 0; i < payments.GetArrayLength(); i++)
            AddPayments(new Fields(payments[i], string.Create(CultureInfo.InvariantCulture, $"payments[{i}]"), _datedPaymentFields), lent[0].On, paid);

        var isSorted = true;
        for (var i = 1; i < paid.Count && isSorted; i++)
            isSorted = paid[i - 1].On <= paid[i].On;
        if (!isSorted)
            paid.Sort(static (one, other) => one.On.CompareTo(other.On));
        return Apr.Percent(lent, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(paid));
    }

    private static void AddPayments(Fields entry, DateOnly begin, List<DatedAmount> paid)
    {
        var on = entry.Date("on");
        if (on < begin)
            throw entry.Wrong("on", $"A payment is not before the first advance on {begin:yyyy-MM-dd}; got {on:yyyy-MM-dd}.");
        var amount = entry.Amount("amount", 1, MaxCents);
        var count = entry.Integer("count", 1, MaxPayments, 1);
        if (paid.Count + count > MaxPayments)
            throw entry.Wrong("count", $"There are at most {MaxPayments} payments in all.");
        if (count == 1 && !entry.Has("unit") && !entry.Has("every"))
        {
            paid.Add(new DatedAmount(on, amount, on.Day));
            return;
        }

        var every = entry.Integer("every", 1, 366, 1);
        var unit = entry.Choice<PeriodUnit>("unit", Words.Units);
        if (unit == PeriodUnit.HalfMonth && every != 1)
            throw entry.Wrong("every", $"With unit halfMonth, every is 1; got {every}.");
        for (var i = 0; i < count; i++)
        {
            var date = Step(on, unit, every, i);
            if (date.Date.Year > 2299)
                throw entry.Wrong("count", "The payments run beyond the year 2299.");
            paid.Add(new DatedAmount(date.Date, amount, date.DayOfMonth));
        }
    }

    private static (DateOnly Date, int DayOfMonth) Step(DateOnly on, PeriodUnit unit, int every, int index)
    {
        switch (unit)
        {
            case PeriodUnit.Day:
                return (on.AddDays(index * every), 0);
            case PeriodUnit.Week:
                return (on.AddDays(index * every * 7), 0);
            case PeriodUnit.Month:
                return (InMonth(on, index * every, on.Day), on.Day);
            default:
                var other = on.Day <= 15 ? on.Day + 15 : on.Day - 15;
                var day = (index & 1) == 0 ? on.Day : other;
                return (InMonth(on, (index / 2) + ((index & 1) != 0 && other < on.Day ? 1 : 0), day), day);
        }
    }

    private static DateOnly InMonth(DateOnly on, int months, int day)
    {
        var month = new DateOnly(on.Year, on.Month, 1).AddMonths(months);
        return new DateOnly(month.Year, month.Month, Math.Min(day, DateTime.DaysInMonth(month.Year, month.Month)));
    }
}
