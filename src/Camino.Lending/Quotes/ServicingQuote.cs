using System.Globalization;
using System.Text.Json;
using Camino.Lending.Delinquency;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>The <c>servicing</c> and <c>payoff</c> lines.</summary>
internal static class ServicingQuote
{
    /// <summary>The most dates of one line.</summary>
    public const int MaxDates = 400;

    private static readonly string[] _lineFields = ["id", "product", "terms", "events", "asOf", "explain", "knownOn"];
    private static readonly string[] _payoffFields = ["id", "product", "terms", "events", "asOf", "explain", "knownOn", "on"];

    public static string Answer(string id, JsonElement root)
    {
        var fields = new Fields(root, "", _lineFields);
        var (product, terms, events) = Read(fields);
        var explains = fields.Flag("explain", otherwise: false);
        var knownOn = KnownOn(fields);
        var dates = fields.List("asOf", 1, MaxDates);
        var line = new LineWriter(4096);
        try
        {
            line.Raw("{\"id\":");
            line.Raw(id);
            line.Raw(",\"states\":[");
            var index = 0;
            foreach (var element in dates.EnumerateArray())
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"asOf[{index}]");
                var on = element.ValueKind == JsonValueKind.String
                    ? Fields.ParseDate(Fields.ReadText(element, path), path)
                    : throw new FieldException("quote.not_date", $"{path} is a date in quotes; got {Fields.Show(element)}.", path);
                var account = Replay(product, terms, events, on, explains, knownOn);
                if (index++ > 0)
                    line.Raw(",");
                Write(ref line, account, explains);
            }

            line.Raw("]}");
            return line.Finish();
        }
        finally
        {
            line.Dispose();
        }
    }

    public static string AnswerPayoff(string id, JsonElement root)
    {
        var fields = new Fields(root, "", _payoffFields);
        var (product, terms, events) = Read(fields);
        var payoff = Replay(product, terms, events, fields.Date("on"), explains: false, KnownOn(fields)).Payoff();
        var line = new LineWriter(512);
        line.Raw("{\"id\":");
        line.Raw(id);
        line.Raw(",\"on\":");
        line.Date(payoff.On);
        line.Raw(",\"amount\":");
        line.Amount(payoff.Amount.Cents);
        line.Raw(",\"perDiem\":");
        line.Amount(payoff.PerDiem.Cents);
        line.Raw(",\"goodThrough\":");
        line.Date(payoff.GoodThrough);
        line.Raw(",\"owed\":");
        Write(ref line, payoff.Owed);
        line.Raw(",\"credit\":");
        line.Amount(payoff.Credit.Cents);
        line.Raw("}");
        return line.Finish();
    }

    private static (LoanProduct Product, ScheduleTerms Terms, List<LoanEvent> Events) Read(Fields fields)
    {
        var terms = ScheduleQuote.ReadTerms(fields.Get("terms"), "terms");
        ScheduleQuote.MakeSchedule(terms, "terms");
        return (ServicingInput.ReadProduct(fields), terms, ServicingInput.ReadEvents(fields));
    }

    private static DateOnly? KnownOn(Fields fields) => fields.Has("knownOn") ? fields.Date("knownOn") : null;

    private static LoanAccount Replay(LoanProduct product, ScheduleTerms terms, List<LoanEvent> events, DateOnly on, bool explains, DateOnly? knownOn)
    {
        try
        {
            return LoanAccount.On(product, terms, events, on, explains, knownOn);
        }
        catch (RefusedException refused)
        {
            var code = refused.Code;
            var field = code.StartsWith("product.", StringComparison.Ordinal) ? code : code.StartsWith("schedule.", StringComparison.Ordinal) ? "terms" : "events";
            throw new FieldException(code, refused.Message, field);
        }
    }

    private static void Write(ref LineWriter line, LoanAccount account, bool explains)
    {
        var state = account.State();
        line.Raw("{\"asOf\":");
        line.Date(state.On);
        line.Raw(",\"status\":\"");
        line.Raw(state.Status switch
        {
            LoanStatus.Pending => "pending",
            LoanStatus.Current => "current",
            LoanStatus.PastDue => "pastDue",
            LoanStatus.PaidOff => "paidOff",
            LoanStatus.Overpaid => "overpaid",
            _ => "chargedOff",
        });
        line.Raw("\",\"rows\":[");
        var first = true;
        foreach (var row in state.Rows)
        {
            line.Raw(first ? "{\"number\":" : ",{\"number\":");
            first = false;
            line.Number(row.Number);
            line.Raw(",\"dueOn\":");
            line.Date(row.DueOn);
            line.Raw(row.IsDue ? ",\"isDue\":true,\"due\":" : ",\"isDue\":false,\"due\":");
            Write(ref line, row.Due);
            line.Raw(",\"paid\":");
            Write(ref line, row.Paid);
            line.Raw(",\"waived\":");
            Write(ref line, row.Waived);
            line.Raw(",\"outstanding\":");
            Write(ref line, row.Outstanding);
            line.Raw("}");
        }

        line.Raw("],\"outstanding\":");
        Write(ref line, state.Owed);
        line.Raw(",\"accruedInterest\":");
        line.Amount(state.AccruedInterest.Cents);
        line.Raw(",\"daysPastDue\":");
        line.Number(state.DaysPastDue);
        line.Raw(",\"bucket\":\"");
        line.Raw(Buckets.Of(state.DaysPastDue) switch
        {
            Bucket.Current => "current",
            Bucket.Days1To30 => "1-30",
            Bucket.Days31To60 => "31-60",
            Bucket.Days61To90 => "61-90",
            Bucket.Days91To120 => "91-120",
            _ => "over 120",
        });
        line.Raw("\",\"pastDue\":");
        line.Amount(state.PastDue.Cents);
        line.Raw(",\"credit\":");
        line.Amount(state.Credit.Cents);
        line.Raw(",\"chargedOff\":");
        line.Amount(state.ChargedOff.Cents);
        line.Raw(",\"recovered\":");
        line.Amount(state.Recovered.Cents);
        line.Raw(",\"restructures\":");
        line.Number(state.Restructures);
        if (explains)
            WriteExplanations(ref line, account.Explain());
        line.Raw("}");
    }

    private static void WriteExplanations(ref LineWriter line, IReadOnlyList<Explanation> explanations)
    {
        line.Raw(",\"explanations\":[");
        var first = true;
        foreach (var one in explanations)
        {
            line.Raw(first ? "{\"on\":" : ",{\"on\":");
            first = false;
            line.Date(one.On);
            line.Raw(",\"what\":");
            line.Text(one.What);
            line.Raw(",\"key\":");
            line.Text(one.Key);
            line.Raw(",\"change\":");
            Write(ref line, one.Change);
            line.Raw(",\"owed\":");
            Write(ref line, one.Owed);
            line.Raw(",\"credit\":");
            line.Amount(one.Credit.Cents);
            line.Raw("}");
        }

        line.Raw("]");
    }

    private static void Write(ref LineWriter line, Portions portions)
    {
        line.Raw("{\"principal\":");
        line.Amount(portions.Principal.Cents);
        line.Raw(",\"interest\":");
        line.Amount(portions.Interest.Cents);
        line.Raw(",\"fee\":");
        line.Amount(portions.Fee.Cents);
        line.Raw(",\"penalty\":");
        line.Amount(portions.Penalty.Cents);
        line.Raw(",\"total\":");
        line.Amount(portions.Total.Cents);
        line.Raw("}");
    }
}
