using System.Text.Json;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>The <c>schedule</c> line.</summary>
internal static class ScheduleQuote
{
    private static readonly string[] _termFields =
    [
        "id", "principal", "annualRatePercent", "method", "dayCount", "disbursements", "every", "unit", "days", "payments", "firstDueOn", "oddInterest",
        "gracePrincipal", "graceInterest", "interestFree", "balloon", "downPaymentPercent", "rounding", "monthEnd", "shift", "holidays",
    ];

    private static readonly string[] _disbursementFields = ["on", "amount"];
    private static readonly string[] _roundingFields = ["mode", "multiple"];

    public static void Answer(JsonElement root, LineWriter line)
    {
        var schedule = MakeSchedule(ReadTerms(root, ""), "");
        line.Raw(",\"rows\":["u8);
        var first = true;
        foreach (ref readonly var row in schedule.Rows)
        {
            line.Raw(first ? "{\"number\":"u8 : ",{\"number\":"u8);
            first = false;
            line.Number(row.Number);
            line.Raw(",\"dueOn\":"u8);
            line.Date(row.DueOn);
            line.Raw(",\"days\":"u8);
            line.Number(row.Days);
            line.Raw(",\"principal\":"u8);
            line.Amount(row.PrincipalCents);
            line.Raw(",\"interest\":"u8);
            line.Amount(row.InterestCents);
            line.Raw(",\"fees\":\"0.00\",\"due\":"u8);
            line.Amount(row.DueCents);
            line.Raw(",\"balance\":"u8);
            line.Amount(row.BalanceCents);
            line.Raw("}"u8);
        }

        line.Raw("],\"totals\":{\"principal\":"u8);
        line.Amount(schedule.TotalPrincipalCents);
        line.Raw(",\"interest\":"u8);
        line.Amount(schedule.TotalInterestCents);
        line.Raw(",\"fees\":\"0.00\",\"due\":"u8);
        line.Amount(schedule.TotalPrincipalCents + schedule.TotalInterestCents);
        line.Raw("}"u8);
    }

    /// <summary>The schedule, with a refusal turned into the field it is about.</summary>
    public static Schedule MakeSchedule(ScheduleTerms terms, string path)
    {
        try
        {
            return Schedule.Of(terms);
        }
        catch (RefusedException refused) when (refused.Code.StartsWith("schedule.", StringComparison.Ordinal))
        {
            var field = refused.Code["schedule.".Length..];
            throw new FieldException("quote.out_of_range", refused.Sentence, path.Length == 0 ? field : $"{path}.{field}");
        }
    }

    public static ScheduleTerms ReadTerms(JsonElement root, string path)
    {
        var fields = new Fields(root, path, _termFields);
        return new ScheduleTerms
        {
            Principal = fields.Amount("principal", 1, ScheduleTerms.MaxPrincipalCents),
            Rate = Rate.FromPercent(fields.Decimal("annualRatePercent", 8, 0m, Rate.MaxPercent)),
            Method = fields.Choice<ScheduleMethod>("method", Words.Methods),
            DayCount = fields.Choice<DayCountConvention>("dayCount", Words.DayCounts),
            Disbursements = ReadDisbursements(fields),
            Every = fields.Integer("every", 1, 366, 1),
            Unit = fields.Choice<PeriodUnit>("unit", Words.Units),
            HalfMonthDays = ReadDays(fields),
            Payments = fields.Integer("payments", 1, ScheduleTerms.MaxPayments),
            FirstDueOn = fields.Has("firstDueOn") ? fields.Date("firstDueOn") : null,
            OddInterest = fields.Choice("oddInterest", Words.OddInterests, OddInterest.Joins),
            GracePrincipal = fields.Integer("gracePrincipal", 0, ScheduleTerms.MaxPayments, 0),
            GraceInterest = fields.Integer("graceInterest", 0, ScheduleTerms.MaxPayments, 0),
            InterestFree = fields.Integer("interestFree", 0, ScheduleTerms.MaxPayments, 0),
            Balloon = fields.Has("balloon") ? fields.Amount("balloon", 0, ScheduleTerms.MaxPrincipalCents) : Money.Zero,
            DownPaymentPercent = fields.Has("downPaymentPercent") ? fields.Decimal("downPaymentPercent", 8, 0m, 99.99999999m) : 0m,
            Rounding = ReadRounding(fields),
            MonthEnd = fields.Choice("monthEnd", Words.MonthEnds, MonthEnd.Clamp),
            Shift = fields.Choice("shift", Words.Shifts, BusinessDayShift.None),
            Calendar = ReadHolidays(fields),
        };
    }

    private static Disbursement[] ReadDisbursements(Fields fields)
    {
        var list = fields.List("disbursements", 1, ScheduleTerms.MaxDisbursements);
        var disbursements = new Disbursement[list.GetArrayLength()];
        for (var i = 0; i < disbursements.Length; i++)
        {
            var entry = new Fields(list[i], $"{fields.PathOf("disbursements")}[{i}]", _disbursementFields);
            disbursements[i] = new Disbursement(entry.Date("on"), entry.Amount("amount", 1, ScheduleTerms.MaxPrincipalCents));
        }

        return disbursements;
    }

    private static (int First, int Second)? ReadDays(Fields fields)
    {
        if (!fields.Has("days"))
            return null;
        var list = fields.List("days", 2, 2);
        return list[0].ValueKind == JsonValueKind.Number && list[1].ValueKind == JsonValueKind.Number && list[0].TryGetInt32(out var first) && list[1].TryGetInt32(out var second)
            ? (first, second)
            : throw new FieldException("quote.not_integer", $"{fields.PathOf("days")} is two days of the month such as [1,16]; got {Fields.Show(list)}.", fields.PathOf("days"));
    }

    private static Rounding ReadRounding(Fields fields)
    {
        if (!fields.Has("rounding"))
            return Rounding.Default;
        var rounding = new Fields(fields.Get("rounding"), fields.PathOf("rounding"), _roundingFields);
        return new Rounding(
            rounding.Choice("mode", Words.RoundingModes, RoundingMode.HalfEven),
            rounding.Has("multiple") ? rounding.Amount("multiple", 1, 10_000_000) : Money.FromCents(1));
    }

    private static BusinessCalendar ReadHolidays(Fields fields)
    {
        if (!fields.Has("holidays"))
            return BusinessCalendar.WeekendsOnly;
        var list = fields.List("holidays", 0, BusinessCalendar.MaxHolidays);
        var holidays = new List<DateOnly>(list.GetArrayLength());
        foreach (var entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.String)
                throw new FieldException("quote.not_date", $"{fields.PathOf("holidays")} holds dates in quotes; got {Fields.Show(entry)}.", fields.PathOf("holidays"));
            holidays.Add(Fields.ParseDate(Fields.ReadText(entry, fields.PathOf("holidays")), fields.PathOf("holidays")));
        }

        return new BusinessCalendar(holidays);
    }
}
