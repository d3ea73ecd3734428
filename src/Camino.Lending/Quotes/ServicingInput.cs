using System.Globalization;
using System.Text.Json;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>Reads the product and the events of a servicing line.</summary>
internal static class ServicingInput
{
    /// <summary>The most events of one line.</summary>
    public const int MaxEvents = 5_000;

    private static readonly string[] _productFields = ["accrual", "allocation", "portions", "surplus", "lateFee", "returnFee", "graceDays", "tolerance", "payoffDays", "renewal", "basis", "accrualPosting", "accounts"];
    private static readonly string[] _accountFields = [.. Words.Accounts.Select(static one => one.Item1)];
    private static readonly string[] _renewalFields = ["onTimeMonths", "graceDays"];
    private static readonly string[] _feeFields = ["amount", "percent", "graceDays", "cap", "totalCap"];
    private static readonly string[] _eventFields = ["key", "on", "postedOn", "type", "amount", "annualRatePercent", "until", "count", "portion", "of", "bankCode"];

    public static LoanProduct ReadProduct(Fields line)
    {
        if (!line.Has("product"))
            return new LoanProduct();
        var fields = new Fields(line.Get("product"), "product", _productFields);
        return new LoanProduct
        {
            Accrual = fields.Choice("accrual", Words.Accruals, AccrualBasis.Outstanding),
            Order = fields.Choice("allocation", Words.Orders, AllocationOrder.InstallmentFirst),
            Portions = ReadPortions(fields),
            Surplus = fields.Choice("surplus", Words.Surpluses, SurplusRule.NextInstallment),
            LateFee = ReadFee(fields, "lateFee"),
            ReturnFee = ReadFee(fields, "returnFee"),
            GraceDays = fields.Integer("graceDays", 0, 365, 0),
            Tolerance = fields.Has("tolerance") ? fields.Amount("tolerance", 0, 10_000) : Money.Zero,
            PayoffDays = fields.Integer("payoffDays", 0, 60, 10),
            Renewal = ReadRenewal(fields),
            Basis = fields.Choice("basis", Words.Bases, AccountingBasis.Accrual),
            AccrualPosting = fields.Choice("accrualPosting", Words.AccrualPostings, AccrualPosting.MonthEnd),
            Accounts = ReadAccounts(fields),
        };
    }

    private static RenewalRule? ReadRenewal(Fields product)
    {
        if (!product.Has("renewal"))
            return null;
        var fields = new Fields(product.Get("renewal"), product.PathOf("renewal"), _renewalFields);
        return new RenewalRule { OnTimeMonths = fields.Integer("onTimeMonths", 1, RenewalRule.MostMonths), GraceDays = fields.Integer("graceDays", 0, RenewalRule.MostGraceDays, 0) };
    }

    private static ChartOfAccounts ReadAccounts(Fields product)
    {
        var chart = ChartOfAccounts.Standard;
        if (!product.Has("accounts"))
            return chart;
        var fields = new Fields(product.Get("accounts"), product.PathOf("accounts"), _accountFields);
        foreach (var (word, account) in Words.Accounts)
        {
            if (!fields.Has(word))
                continue;
            try
            {
                chart = chart.With(account, fields.Text(word));
            }
            catch (RefusedException refused)
            {
                throw new FieldException(refused.Code, refused.Sentence, fields.PathOf(word));
            }
        }

        return chart;
    }

    public static List<LoanEvent> ReadEvents(Fields line)
    {
        var events = new List<LoanEvent>();
        if (!line.Has("events"))
            return events;
        foreach (var element in line.List("events", 0, MaxEvents).EnumerateArray())
            events.Add(ReadEvent(element, events.Count, string.Create(CultureInfo.InvariantCulture, $"events[{events.Count}]")));
        return events;
    }

    public static LoanEvent ReadEvent(JsonElement element, int index, string path)
    {
        var fields = new Fields(element, path, _eventFields);
        var type = fields.Choice<LoanEventType>("type", Words.EventTypes);
        var made = new LoanEvent
        {
            Key = fields.Has("key") ? fields.Text("key", 64) : (index + 1).ToString(CultureInfo.InvariantCulture),
            On = fields.Date("on"),
            PostedOn = fields.Has("postedOn") ? fields.Date("postedOn") : null,
            Type = type,
            Amount = fields.Has("amount") ? fields.Amount("amount", 1, ScheduleTerms.MaxPrincipalCents) : Money.Zero,
            Rate = type == LoanEventType.RateChange ? Rate.FromPercent(fields.Decimal("annualRatePercent", 8, 0m, Rate.MaxPercent)) : Rate.Zero,
            Until = fields.Has("until") ? fields.Date("until") : null,
            Count = fields.Integer("count", 1, ScheduleTerms.MaxPayments, 0),
            Portion = fields.Choice("portion", Words.Portions, Portion.Fee),
            Of = fields.Has("of") ? fields.Text("of", 64) : null,
            BankCode = fields.Has("bankCode") ? fields.Text("bankCode", 3) : null,
        };
        if (made.HasAmount)
            fields.Get("amount");
        try
        {
            made.Check();
        }
        catch (RefusedException refused)
        {
            throw new FieldException(refused.Code, refused.Sentence, fields.PathOf(refused.Code["event.".Length..]));
        }

        return made;
    }

    private static Portion[] ReadPortions(Fields fields)
    {
        if (!fields.Has("portions"))
            return [Portion.Penalty, Portion.Fee, Portion.Interest, Portion.Principal];
        var list = fields.List("portions", 4, 4);
        var read = new Portion[4];
        var at = 0;
        foreach (var element in list.EnumerateArray())
        {
            var word = element.ValueKind == JsonValueKind.String ? Fields.ReadText(element, "product.portions") : "";
            var found = Array.FindIndex(Words.Portions, one => string.Equals(one.Item1, word, StringComparison.Ordinal));
            if (found < 0)
                throw new FieldException("quote.not_a_choice", $"product.portions are penalty, fee, interest and principal, each once; got {Fields.Show(element)}.", "product.portions");
            read[at++] = Words.Portions[found].Item2;
        }

        return read;
    }

    private static FeeRule? ReadFee(Fields product, string name)
    {
        if (!product.Has(name))
            return null;
        var fields = new Fields(product.Get(name), product.PathOf(name), _feeFields);
        return new FeeRule
        {
            Amount = fields.Has("amount") ? fields.Amount("amount", 0, 1_000_000) : Money.Zero,
            Percent = fields.Has("percent") ? fields.Decimal("percent", 4, 0m, 100m) : 0m,
            GraceDays = fields.Integer("graceDays", 0, 365, 0),
            Cap = fields.Has("cap") ? fields.Amount("cap", 0, 1_000_000) : null,
            TotalCap = fields.Has("totalCap") ? fields.Amount("totalCap", 0, ScheduleTerms.MaxPrincipalCents) : null,
        };
    }
}
