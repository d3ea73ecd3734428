using System.Globalization;
using System.Text.Json;
using Camino.Lending.Delinquency;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>The <c>servicing</c> and <c>payoff</c> lines.</summary>
internal static class ServicingQuote
{
    /// <summary>The most dates of one line.</summary>
    public const int MaxDates = 400;

    private static readonly string[] _lineFields = ["id", "product", "terms", "events", "asOf", "explain", "ledger", "knownOn"];
    private static readonly string[] _payoffFields = ["id", "product", "terms", "events", "asOf", "explain", "ledger", "knownOn", "on"];

    public static void Answer(JsonElement root, LineWriter line)
    {
        var fields = new Fields(root, "", _lineFields);
        var (product, terms, events) = Read(fields);
        var explains = fields.Flag("explain", otherwise: false);
        var posts = fields.Flag("ledger", otherwise: false);
        var knownOn = KnownOn(fields);
        var dates = fields.List("asOf", 1, MaxDates);
        line.Raw(",\"states\":["u8);
        var index = 0;
        foreach (var element in dates.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"asOf[{index}]");
            var on = element.ValueKind == JsonValueKind.String
                ? Fields.ParseDate(Fields.ReadText(element, path), path)
                : throw new FieldException("quote.not_date", $"{path} is a date in quotes; got {Fields.Show(element)}.", path);
            var account = Replay(product, terms, events, on, explains, knownOn, posts);
            if (index++ > 0)
                line.Raw(","u8);
            Write(line, account, product, explains, posts);
        }

        line.Raw("]"u8);
    }

    public static void AnswerPayoff(JsonElement root, LineWriter line)
    {
        var fields = new Fields(root, "", _payoffFields);
        var (product, terms, events) = Read(fields);
        var payoff = Replay(product, terms, events, fields.Date("on"), explains: false, KnownOn(fields)).Payoff();
        line.Raw(",\"on\":"u8);
        line.Date(payoff.On);
        line.Raw(",\"amount\":"u8);
        line.Amount(payoff.Amount.Cents);
        line.Raw(",\"perDiem\":"u8);
        line.Amount(payoff.PerDiem.Cents);
        line.Raw(",\"goodThrough\":"u8);
        line.Date(payoff.GoodThrough);
        line.Raw(",\"owed\":"u8);
        Write(line, payoff.Owed);
        line.Raw(",\"credit\":"u8);
        line.Amount(payoff.Credit.Cents);
    }

    private static (LoanProduct Product, ScheduleTerms Terms, List<LoanEvent> Events) Read(Fields fields)
    {
        var terms = ScheduleQuote.ReadTerms(fields.Get("terms"), "terms");
        ScheduleQuote.MakeSchedule(terms, "terms");
        return (ServicingInput.ReadProduct(fields), terms, ServicingInput.ReadEvents(fields));
    }

    private static DateOnly? KnownOn(Fields fields) => fields.Has("knownOn") ? fields.Date("knownOn") : null;

    private static LoanAccount Replay(LoanProduct product, ScheduleTerms terms, List<LoanEvent> events, DateOnly on, bool explains, DateOnly? knownOn, bool posts = false)
    {
        try
        {
            return LoanAccount.On(product, terms, events, on, explains, knownOn, posts);
        }
        catch (RefusedException refused)
        {
            var code = refused.Code;
            var field = code.StartsWith("product.", StringComparison.Ordinal) ? code : code.StartsWith("schedule.", StringComparison.Ordinal) ? "terms" : "events";
            throw new FieldException(code, refused.Sentence, field);
        }
    }

    private static void Write(LineWriter line, LoanAccount account, LoanProduct product, bool explains, bool posts)
    {
        var state = account.State();
        line.Raw("{\"asOf\":"u8);
        line.Date(state.On);
        line.Raw(",\"status\":\""u8);
        line.Raw(state.Status switch
        {
            LoanStatus.Pending => "pending",
            LoanStatus.Current => "current",
            LoanStatus.PastDue => "pastDue",
            LoanStatus.PaidOff => "paidOff",
            LoanStatus.Overpaid => "overpaid",
            _ => "chargedOff",
        });
        line.Raw("\",\"rows\":["u8);
        var first = true;
        foreach (var row in state.Rows)
        {
            line.Raw(first ? "{\"number\":"u8 : ",{\"number\":"u8);
            first = false;
            line.Number(row.Number);
            line.Raw(",\"dueOn\":"u8);
            line.Date(row.DueOn);
            line.Raw(row.IsDue ? ",\"isDue\":true,\"due\":"u8 : ",\"isDue\":false,\"due\":"u8);
            Write(line, row.Due);
            line.Raw(",\"paid\":"u8);
            Write(line, row.Paid);
            line.Raw(",\"waived\":"u8);
            Write(line, row.Waived);
            line.Raw(",\"outstanding\":"u8);
            Write(line, row.Outstanding);
            line.Raw("}"u8);
        }

        line.Raw("],\"outstanding\":"u8);
        Write(line, state.Owed);
        line.Raw(",\"accruedInterest\":"u8);
        line.Amount(state.AccruedInterest.Cents);
        line.Raw(",\"daysPastDue\":"u8);
        line.Number(state.DaysPastDue);
        line.Raw(",\"bucket\":\""u8);
        line.Raw(Buckets.Of(state.DaysPastDue) switch
        {
            Bucket.Current => "current",
            Bucket.Days1To30 => "1-30",
            Bucket.Days31To60 => "31-60",
            Bucket.Days61To90 => "61-90",
            Bucket.Days91To120 => "91-120",
            _ => "over 120",
        });
        line.Raw("\",\"pastDue\":"u8);
        line.Amount(state.PastDue.Cents);
        line.Raw(",\"credit\":"u8);
        line.Amount(state.Credit.Cents);
        line.Raw(",\"chargedOff\":"u8);
        line.Amount(state.ChargedOff.Cents);
        line.Raw(",\"recovered\":"u8);
        line.Amount(state.Recovered.Cents);
        line.Raw(",\"restructures\":"u8);
        line.Number(state.Restructures);
        if (explains)
        {
            WriteExplanations(line, account.Explain());
            WriteInterest(line, ",\"accruing\":["u8, account.ExplainAccrued());
        }

        if (posts)
            WriteLedger(line, account.Entries, product.Accounts);
        line.Raw("}"u8);
    }

    private static void WriteInterest(LineWriter line, ReadOnlySpan<byte> begin, IReadOnlyList<InterestStretch> stretches)
    {
        line.Raw(begin);
        var first = true;
        foreach (var stretch in stretches)
        {
            line.Raw(first ? "{\"from\":"u8 : ",{\"from\":"u8);
            first = false;
            line.Date(stretch.From);
            line.Raw(",\"to\":"u8);
            line.Date(stretch.To);
            line.Raw(",\"principal\":"u8);
            line.Amount(stretch.Principal.Cents);
            line.Raw(",\"annualRatePercent\":"u8);
            line.Decimals(stretch.Rate.Percent, "0.########");
            line.Raw(",\"amount\":"u8);
            line.Decimals(stretch.Amount, "0.000000");
            line.Raw("}"u8);
        }

        line.Raw("]"u8);
    }

    private static void WriteLedger(LineWriter line, IReadOnlyList<LedgerEntry> entries, ChartOfAccounts accounts)
    {
        line.Raw(",\"ledger\":["u8);
        var first = true;
        foreach (var entry in entries)
        {
            line.Raw(first ? "{\"on\":"u8 : ",{\"on\":"u8);
            first = false;
            line.Date(entry.On);
            line.Raw(",\"act\":"u8);
            line.Text(Words.Of(Words.Acts, entry.Act));
            line.Raw(",\"key\":"u8);
            line.Text(entry.Key);
            line.Raw(",\"lines\":"u8);
            var opening = "[{\"account\":"u8;
            foreach (var one in entry.Lines)
            {
                line.Raw(opening);
                opening = ",{\"account\":"u8;
                line.Text(Words.Of(Words.Accounts, one.Account));
                line.Raw(",\"code\":"u8);
                line.Text(accounts[one.Account].Code);
                line.Raw(",\"debit\":"u8);
                line.Amount(one.Debit.Cents);
                line.Raw(",\"credit\":"u8);
                line.Amount(one.Credit.Cents);
                line.Raw("}"u8);
            }

            line.Raw("]}"u8);
        }

        line.Raw("]"u8);
    }

    private static void WriteExplanations(LineWriter line, IReadOnlyList<Explanation> explanations)
    {
        line.Raw(",\"explanations\":["u8);
        var first = true;
        foreach (var one in explanations)
        {
            line.Raw(first ? "{\"on\":"u8 : ",{\"on\":"u8);
            first = false;
            line.Date(one.On);
            line.Raw(",\"what\":"u8);
            line.Text(one.What);
            line.Raw(",\"key\":"u8);
            line.Text(one.Key);
            line.Raw(",\"change\":"u8);
            Write(line, one.Change);
            line.Raw(",\"owed\":"u8);
            Write(line, one.Owed);
            line.Raw(",\"credit\":"u8);
            line.Amount(one.Credit.Cents);
            if (one.Interest.Count > 0)
                WriteInterest(line, ",\"interest\":["u8, one.Interest);
            line.Raw("}"u8);
        }

        line.Raw("]"u8);
    }

    private static void Write(LineWriter line, Portions portions)
    {
        line.Raw("{\"principal\":"u8);
        line.Amount(portions.Principal.Cents);
        line.Raw(",\"interest\":"u8);
        line.Amount(portions.Interest.Cents);
        line.Raw(",\"fee\":"u8);
        line.Amount(portions.Fee.Cents);
        line.Raw(",\"penalty\":"u8);
        line.Amount(portions.Penalty.Cents);
        line.Raw(",\"total\":"u8);
        line.Amount(portions.Total.Cents);
        line.Raw("}"u8);
    }
}
