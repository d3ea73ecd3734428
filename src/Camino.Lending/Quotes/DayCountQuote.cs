using System.Text.Json;

namespace Camino.Lending.Quotes;

/// <summary>The <c>dayCount</c> line.</summary>
internal static class DayCountQuote
{
    private static readonly string[] _fields = ["id", "from", "to", "convention", "terminationDate", "referenceFrom", "referenceTo", "frequency"];

    private static readonly (string, DayCountConvention)[] _conventions =
    [
        ("30/360", DayCountConvention.Thirty360), ("30E/360", DayCountConvention.Thirty360European), ("30E/360 ISDA", DayCountConvention.Thirty360EuropeanIsda),
        ("actual/360", DayCountConvention.Actual360), ("actual/365", DayCountConvention.Actual365), ("actual/actual", DayCountConvention.ActualActual),
        ("actual/actual ICMA", DayCountConvention.ActualActualIcma), ("actual/actual AFB", DayCountConvention.ActualActualAfb), ("30/365", DayCountConvention.Thirty365),
    ];

    public static void Answer(JsonElement root, LineWriter line)
    {
        var fields = new Fields(root, "", _fields);
        var from = fields.Date("from");
        var to = fields.Date("to");
        if (to < from)
            throw fields.Wrong("to", $"to is not before from, {from:yyyy-MM-dd}; got {to:yyyy-MM-dd}.");
        var convention = fields.Choice<DayCountConvention>("convention", _conventions);
        DateOnly? termination = fields.Has("terminationDate") ? fields.Date("terminationDate") : null;
        (DateOnly, DateOnly)? reference = null;
        if (fields.Has("referenceFrom") || fields.Has("referenceTo"))
        {
            reference = (fields.Date("referenceFrom"), fields.Date("referenceTo"));
            if (reference.Value.Item2 <= reference.Value.Item1)
                throw fields.Wrong("referenceTo", $"referenceTo is after referenceFrom, {reference.Value.Item1:yyyy-MM-dd}; got {reference.Value.Item2:yyyy-MM-dd}.");
        }

        var frequency = convention == DayCountConvention.ActualActualIcma && !fields.Has("frequency")
            ? Frequency(fields, reference ?? (from, to))
            : fields.Integer("frequency", 1, 12, 1);
        if (12 % frequency != 0)
            throw fields.Wrong("frequency", $"frequency is 1, 2, 3, 4, 6 or 12 a year; got {frequency}.");

        var fraction = DayCount.Fraction(convention, from, to, termination, reference, frequency);
        line.Raw(",\"days\":"u8);
        line.Number(DayCount.Days(convention, from, to, termination));
        line.Raw(",\"fraction\":"u8);
        line.Decimals(decimal.Round(fraction, 12, MidpointRounding.ToEven), "0.000000000000");
    }

    /// <summary>How often a year the regular period comes, where that can be seen.</summary>
    private static int Frequency(Fields fields, (DateOnly From, DateOnly To) period)
    {
        ReadOnlySpan<int> frequencies = [1, 2, 3, 4, 6, 12];
        foreach (var frequency in frequencies)
        {
            if (DayCount.IsMonthsLong(period.From, period.To, 12 / frequency))
                return frequency;
        }

        return fields.Integer("frequency", 1, 12);
    }
}
