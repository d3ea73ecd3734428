using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>
/// Products, terms and events as they lie in rows and travel through the API: the same words as the calculator's (docs/quote.md). What was written once can be read
/// for ever, because fields are only added.
/// </summary>
public static class BookForm
{
    private static readonly JsonDocumentOptions _strict = new() { MaxDepth = 8 };
    private static readonly JsonWriterOptions _compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>How a product services its loans.</summary>
    /// <exception cref="RefusedException"><c>input.*</c> names the field, <c>product.*</c> a rule that the product breaks.</exception>
    public static LoanProduct ReadProduct(string json) => Read($"{{\"product\":{json}}}", static root =>
    {
        var product = ServicingInput.ReadProduct(new Fields(root, "", ["product"]));
        product.Check();
        return product;
    });

    /// <summary>The agreed terms.</summary>
    /// <exception cref="RefusedException"><c>input.*</c> names the field, <c>schedule.*</c> a rule that the terms break.</exception>
    public static ScheduleTerms ReadTerms(string json) => Read(json, static root =>
    {
        var terms = ScheduleQuote.ReadTerms(root, "");
        terms.Check();
        return terms;
    });

    /// <summary>Events in the order given.</summary>
    /// <param name="bodies">One JSON object each.</param>
    /// <exception cref="RefusedException"><c>input.*</c> names the field, <c>event.*</c> a rule that an event breaks.</exception>
    public static List<LoanEvent> ReadEvents(IEnumerable<string> bodies) =>
        Read($"{{\"events\":[{string.Join(',', bodies)}]}}", static root => ServicingInput.ReadEvents(new Fields(root, "", ["events"])));

    public static string Write(LoanProduct product) => Write(json =>
    {
        Word(json, "accrual", product.Accrual);
        Word(json, "allocation", product.Order);
        json.WriteStartArray("portions");
        foreach (var portion in product.Portions)
            json.WriteStringValue(Camel(portion.ToString()));
        json.WriteEndArray();
        Word(json, "surplus", product.Surplus);
        Fee(json, "lateFee", product.LateFee);
        Fee(json, "returnFee", product.ReturnFee);
        json.WriteNumber("graceDays", product.GraceDays);
        Amount(json, "tolerance", product.Tolerance);
        json.WriteNumber("payoffDays", product.PayoffDays);
    });

    public static string Write(ScheduleTerms terms) => Write(json =>
    {
        Amount(json, "principal", terms.Principal);
        json.WriteString("annualRatePercent", Number(terms.Rate.Percent));
        Word(json, "method", terms.Method);
        json.WriteString("dayCount", DayCountWord(terms.DayCount));
        json.WriteStartArray("disbursements");
        foreach (var disbursement in terms.Disbursements)
        {
            json.WriteStartObject();
            Date(json, "on", disbursement.On);
            Amount(json, "amount", disbursement.Amount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("every", terms.Every);
        Word(json, "unit", terms.Unit);
        if (terms.HalfMonthDays is { } days)
        {
            json.WriteStartArray("days");
            json.WriteNumberValue(days.First);
            json.WriteNumberValue(days.Second);
            json.WriteEndArray();
        }

        json.WriteNumber("payments", terms.Payments);
        if (terms.FirstDueOn is { } first)
            Date(json, "firstDueOn", first);
        Word(json, "oddInterest", terms.OddInterest);
        json.WriteNumber("gracePrincipal", terms.GracePrincipal);
        json.WriteNumber("graceInterest", terms.GraceInterest);
        json.WriteNumber("interestFree", terms.InterestFree);
        Amount(json, "balloon", terms.Balloon);
        json.WriteString("downPaymentPercent", Number(terms.DownPaymentPercent));
        json.WriteStartObject("rounding");
        json.WriteString("mode", terms.Rounding.Mode switch { RoundingMode.HalfUp => "half-up", RoundingMode.Up => "up", RoundingMode.Down => "down", _ => "half-even" });
        Amount(json, "multiple", Money.FromCents(terms.Rounding.MultipleCents));
        json.WriteEndObject();
        Word(json, "monthEnd", terms.MonthEnd);
        Word(json, "shift", terms.Shift);
        json.WriteStartArray("holidays");
        foreach (var holiday in terms.Calendar.Holidays)
            json.WriteStringValue(holiday.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        json.WriteEndArray();
    });

    public static string Write(LoanEvent one) => Write(json =>
    {
        json.WriteString("key", one.Key);
        Date(json, "on", one.On);
        if (one.PostedOn is { } posted)
            Date(json, "postedOn", posted);
        Word(json, "type", one.Type);
        if (one.Amount.Cents != 0)
            Amount(json, "amount", one.Amount);
        if (one.Type == LoanEventType.RateChange)
            json.WriteString("annualRatePercent", Number(one.Rate.Percent));
        if (one.Until is { } until)
            Date(json, "until", until);
        if (one.Count != 0)
            json.WriteNumber("count", one.Count);
        if (one.Type is LoanEventType.Fee or LoanEventType.Waive)
            Word(json, "portion", one.Portion);
        if (one.Of is { } of)
            json.WriteString("of", of);
        if (one.BankCode is { } code)
            json.WriteString("bankCode", code);
    });

    private static T Read<T>(string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, _strict);
            return read(document.RootElement);
        }
        catch (FieldException wrong)
        {
            throw new RefusedException(wrong.Code.Replace("quote.", "input.", StringComparison.Ordinal), wrong.Message);
        }
        catch (JsonException)
        {
            throw new RefusedException("input.not_json", "The body is not JSON.");
        }
    }

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream(512);
        using (var json = new Utf8JsonWriter(stream, _compact))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Fee(Utf8JsonWriter json, string name, FeeRule? rule)
    {
        if (rule is null)
            return;
        json.WriteStartObject(name);
        Amount(json, "amount", rule.Amount);
        json.WriteString("percent", Number(rule.Percent));
        json.WriteNumber("graceDays", rule.GraceDays);
        if (rule.Cap is { } cap)
            Amount(json, "cap", cap);
        if (rule.TotalCap is { } total)
            Amount(json, "totalCap", total);
        json.WriteEndObject();
    }

    private static void Word<T>(Utf8JsonWriter json, string name, T value)
        where T : struct, Enum => json.WriteString(name, Camel(value.ToString()));

    private static void Amount(Utf8JsonWriter json, string name, Money amount) => json.WriteString(name, amount.Dollars.ToString(CultureInfo.InvariantCulture));

    private static void Date(Utf8JsonWriter json, string name, DateOnly date) => json.WriteString(name, date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    private static string Number(decimal value) => value.ToString("0.########", CultureInfo.InvariantCulture);

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static string DayCountWord(DayCountConvention convention) => convention switch
    {
        DayCountConvention.Thirty360 => "30/360",
        DayCountConvention.Thirty360European => "30E/360",
        DayCountConvention.Thirty360EuropeanIsda => "30E/360 ISDA",
        DayCountConvention.Actual360 => "actual/360",
        DayCountConvention.Actual365 => "actual/365",
        _ => "actual/actual",
    };
}
