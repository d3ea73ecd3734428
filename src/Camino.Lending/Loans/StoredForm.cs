using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Lending.Quotes;

namespace Camino.Lending.Loans;

/// <summary>Products, terms and events as they are stored: one JSON object each, which names its version.</summary>
/// <remarks>
/// The words are those of the calculator (docs/quote.md). Everything is written out, defaults too, so that a later default never changes a
/// stored loan; what is not set is left out. Reading is strict. A change that an older reader could take wrongly raises <see cref="Version"/>,
/// and the reader keeps taking all versions before.
/// </remarks>
public static class StoredForm
{
    /// <summary>The version written.</summary>
    public const int Version = 1;

    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A product in its stored form.</summary>
    /// <exception cref="RefusedException"><c>product.*</c>.</exception>
    public static string Of(LoanProduct product)
    {
        product.Check();
        return Write("product", json => Write(json, product));
    }

    /// <summary>Terms in their stored form.</summary>
    /// <exception cref="RefusedException"><c>schedule.*</c>.</exception>
    public static string Of(ScheduleTerms terms)
    {
        terms.Check();
        return Write("terms", json => Write(json, terms));
    }

    /// <summary>An event in its stored form.</summary>
    /// <exception cref="RefusedException"><c>event.*</c>.</exception>
    public static string Of(LoanEvent one)
    {
        one.Check();
        return Write("event", json => Write(json, one));
    }

    /// <summary>Reads a stored product.</summary>
    /// <exception cref="RefusedException"><c>stored.version</c>, <c>stored.form</c>.</exception>
    public static LoanProduct ReadProduct(string json) => Read(json, "product", static fields => ServicingInput.ReadProduct(fields));

    /// <summary>Reads stored terms.</summary>
    /// <exception cref="RefusedException"><c>stored.version</c>, <c>stored.form</c>.</exception>
    public static ScheduleTerms ReadTerms(string json) => Read(json, "terms", static fields => ScheduleQuote.ReadTerms(fields.Get("terms"), "terms"));

    /// <summary>Reads a stored event.</summary>
    /// <exception cref="RefusedException"><c>stored.version</c>, <c>stored.form</c>.</exception>
    public static LoanEvent ReadEvent(string json) => Read(json, "event", static fields => ServicingInput.ReadEvent(fields.Get("event"), 0, "event"));

    private static T Read<T>(string json, string what, Func<Fields, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var fields = new Fields(document.RootElement, "", ["version", what]);
            var version = fields.Integer("version", 1, int.MaxValue);
            Refuse.If(version > Version, "stored.version", $"This {what} is stored in version {version}; versions 1 to {Version} can be read.");
            fields.Get(what);
            return read(fields);
        }
        catch (FieldException wrong)
        {
            throw new RefusedException("stored.form", wrong.Sentence);
        }
        catch (JsonException)
        {
            throw new RefusedException("stored.form", $"This {what} is not stored as JSON.");
        }
    }

    private static string Write(string what, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream(512);
        using (var json = new Utf8JsonWriter(stream, _plain))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteStartObject(what);
            write(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Write(Utf8JsonWriter json, LoanProduct product)
    {
        json.WriteString("accrual", Words.Of(Words.Accruals, product.Accrual));
        json.WriteString("allocation", Words.Of(Words.Orders, product.Order));
        json.WriteStartArray("portions");
        foreach (var portion in product.Portions)
            json.WriteStringValue(Words.Of(Words.Portions, portion));
        json.WriteEndArray();
        json.WriteString("surplus", Words.Of(Words.Surpluses, product.Surplus));
        WriteFee(json, "lateFee", product.LateFee);
        WriteFee(json, "returnFee", product.ReturnFee);
        json.WriteNumber("graceDays", product.GraceDays);
        Write(json, "tolerance", product.Tolerance);
        json.WriteNumber("payoffDays", product.PayoffDays);
        if (product.Renewal is { } renewal)
        {
            json.WriteStartObject("renewal");
            json.WriteNumber("onTimeMonths", renewal.OnTimeMonths);
            json.WriteNumber("graceDays", renewal.GraceDays);
            json.WriteEndObject();
        }

        json.WriteString("basis", Words.Of(Words.Bases, product.Basis));
        json.WriteString("accrualPosting", Words.Of(Words.AccrualPostings, product.AccrualPosting));
        json.WriteStartObject("accounts");
        foreach (var (word, account) in Words.Accounts)
            json.WriteString(word, product.Accounts[account].Code);
        json.WriteEndObject();
    }

    private static void WriteFee(Utf8JsonWriter json, string name, FeeRule? rule)
    {
        if (rule is null)
            return;
        json.WriteStartObject(name);
        Write(json, "amount", rule.Amount);
        Write(json, "percent", rule.Percent);
        json.WriteNumber("graceDays", rule.GraceDays);
        if (rule.Cap is { } cap)
            Write(json, "cap", cap);
        if (rule.TotalCap is { } total)
            Write(json, "totalCap", total);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ScheduleTerms terms)
    {
        Write(json, "principal", terms.Principal);
        Write(json, "annualRatePercent", terms.Rate.Percent);
        json.WriteString("method", Words.Of(Words.Methods, terms.Method));
        json.WriteString("dayCount", Words.Of(Words.DayCounts, terms.DayCount));
        json.WriteStartArray("disbursements");
        foreach (var disbursement in terms.Disbursements)
        {
            json.WriteStartObject();
            Write(json, "on", disbursement.On);
            Write(json, "amount", disbursement.Amount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("every", terms.Every);
        json.WriteString("unit", Words.Of(Words.Units, terms.Unit));
        if (terms.HalfMonthDays is { } days)
        {
            json.WriteStartArray("days");
            json.WriteNumberValue(days.First);
            json.WriteNumberValue(days.Second);
            json.WriteEndArray();
        }

        json.WriteNumber("payments", terms.Payments);
        if (terms.FirstDueOn is { } first)
            Write(json, "firstDueOn", first);
        json.WriteString("oddInterest", Words.Of(Words.OddInterests, terms.OddInterest));
        json.WriteNumber("gracePrincipal", terms.GracePrincipal);
        json.WriteNumber("graceInterest", terms.GraceInterest);
        json.WriteNumber("interestFree", terms.InterestFree);
        Write(json, "balloon", terms.Balloon);
        Write(json, "downPaymentPercent", terms.DownPaymentPercent);
        json.WriteStartObject("rounding");
        json.WriteString("mode", Words.Of(Words.RoundingModes, terms.Rounding.Mode));
        Write(json, "multiple", Money.FromCents(terms.Rounding.MultipleCents));
        json.WriteEndObject();
        json.WriteString("monthEnd", Words.Of(Words.MonthEnds, terms.MonthEnd));
        json.WriteString("shift", Words.Of(Words.Shifts, terms.Shift));
        json.WriteStartArray("holidays");
        foreach (var holiday in terms.Calendar.Holidays)
            json.WriteStringValue(holiday.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, LoanEvent one)
    {
        json.WriteString("key", one.Key);
        Write(json, "on", one.On);
        if (one.PostedOn is { } posted)
            Write(json, "postedOn", posted);
        json.WriteString("type", Words.Of(Words.EventTypes, one.Type));
        if (one.HasAmount)
            Write(json, "amount", one.Amount);
        if (one.Type == LoanEventType.RateChange)
            Write(json, "annualRatePercent", one.Rate.Percent);
        if (one.Until is { } until)
            Write(json, "until", until);
        if (one.Count > 0)
            json.WriteNumber("count", one.Count);
        if (one.Type is LoanEventType.Fee or LoanEventType.Waive)
            json.WriteString("portion", Words.Of(Words.Portions, one.Portion));
        if (one.Of is not null)
            json.WriteString("of", one.Of);
        if (one.BankCode is not null)
            json.WriteString("bankCode", one.BankCode);
    }

    private static void Write(Utf8JsonWriter json, string name, Money amount) => Write(json, name, amount.Dollars);

    private static void Write(Utf8JsonWriter json, string name, decimal value) => json.WriteString(name, value.ToString(CultureInfo.InvariantCulture));

    private static void Write(Utf8JsonWriter json, string name, DateOnly date) => json.WriteString(name, date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
}
