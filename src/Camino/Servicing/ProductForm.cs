using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Camino.Servicing;

/// <summary>A product as the page's form has it: the fields that a lender's staff change. What the form does not show is kept as it was.</summary>
public sealed class ProductForm
{
    public string? Code { get; set; }

    public string? Name { get; set; }

    public string? PrincipalFrom { get; set; } = "2000.00";

    public string? PrincipalTo { get; set; } = "50000.00";

    public string? RateFrom { get; set; } = "0";

    public string? RateTo { get; set; } = "36";

    public int PaymentsFrom { get; set; } = 3;

    public int PaymentsTo { get; set; } = 60;

    public string Method { get; set; } = "equalPayment";

    public string DayCount { get; set; } = "actual/365";

    public string Unit { get; set; } = "month";

    public int Every { get; set; } = 1;

    public string Allocation { get; set; } = "installmentFirst";

    public string Surplus { get; set; } = "nextInstallment";

    public string? LateFee { get; set; }

    public string? LateFeePercent { get; set; }

    public int LateFeeAfter { get; set; } = 10;

    public string? LateFeeCap { get; set; }

    public string? ReturnFee { get; set; }

    public int GraceDays { get; set; }

    public string? Tolerance { get; set; } = "0.00";

    public int PayoffDays { get; set; } = 10;

    /// <summary>Whole months on time before a loan may be renewed; empty for no renewals.</summary>
    public int? RenewalMonths { get; set; }

    public int RenewalGrace { get; set; } = 5;

    /// <summary>A stored version as a form.</summary>
    public static ProductForm Of(ProductView product, ProductVersionView version)
    {
        var rules = version.Rules;
        var offer = version.Offer;
        var terms = offer.GetProperty("terms");
        var late = rules.TryGetProperty("lateFee", out var rule) ? rule : default;
        var returned = rules.TryGetProperty("returnFee", out var second) ? second : default;
        var renewal = rules.TryGetProperty("renewal", out var third) ? third : default;
        return new ProductForm
        {
            Code = product.Code,
            Name = product.Name,
            PrincipalFrom = Text(offer, "principalFrom"),
            PrincipalTo = Text(offer, "principalTo"),
            RateFrom = Text(offer, "rateFrom"),
            RateTo = Text(offer, "rateTo"),
            PaymentsFrom = offer.GetProperty("paymentsFrom").GetInt32(),
            PaymentsTo = offer.GetProperty("paymentsTo").GetInt32(),
            Method = Text(terms, "method") ?? "equalPayment",
            DayCount = Text(terms, "dayCount") ?? "actual/365",
            Unit = Text(terms, "unit") ?? "month",
            Every = Number(terms, "every", 1),
            Allocation = Text(rules, "allocation") ?? "installmentFirst",
            Surplus = Text(rules, "surplus") ?? "nextInstallment",
            LateFee = Text(late, "amount"),
            LateFeePercent = Text(late, "percent"),
            LateFeeAfter = Number(late, "graceDays", 10),
            LateFeeCap = Text(late, "cap"),
            ReturnFee = Text(returned, "amount"),
            GraceDays = Number(rules, "graceDays", 0),
            Tolerance = Text(rules, "tolerance"),
            PayoffDays = Number(rules, "payoffDays", 10),
            RenewalMonths = Number(renewal, "onTimeMonths", 0) is > 0 and var months ? months : null,
            RenewalGrace = Number(renewal, "graceDays", 5),
        };
    }

    /// <summary>The rules in the words of the calculator, on top of what was there.</summary>
    public string Rules(JsonElement? before)
    {
        var rules = before is { ValueKind: JsonValueKind.Object } there ? JsonObject.Create(there) ?? [] : [];
        rules["allocation"] = Allocation;
        rules["surplus"] = Surplus;
        rules["graceDays"] = GraceDays;
        rules["payoffDays"] = PayoffDays;
        rules["tolerance"] = Decimal(Tolerance) ?? "0.00";
        Put(rules, "renewal", RenewalMonths is { } months ? new JsonObject { ["onTimeMonths"] = months, ["graceDays"] = RenewalGrace } : null);
        Put(rules, "lateFee", Fee(LateFee, LateFeePercent, LateFeeAfter, LateFeeCap));
        Put(rules, "returnFee", Fee(ReturnFee, null, 0, null));
        return rules.ToJsonString();
    }

    /// <summary>The offer, on top of what was there.</summary>
    public string Offer(JsonElement? before)
    {
        var terms = before is { ValueKind: JsonValueKind.Object } there && there.TryGetProperty("terms", out var old) ? JsonObject.Create(old) ?? [] : [];
        terms["method"] = Method;
        terms["dayCount"] = DayCount;
        terms["unit"] = Unit;
        terms["every"] = Every;
        if (Unit != "halfMonth")
            terms.Remove("days");
        return new JsonObject
        {
            ["principalFrom"] = PrincipalFrom ?? "",
            ["principalTo"] = PrincipalTo ?? "",
            ["rateFrom"] = RateFrom ?? "",
            ["rateTo"] = RateTo ?? "",
            ["paymentsFrom"] = PaymentsFrom,
            ["paymentsTo"] = PaymentsTo,
            ["terms"] = terms,
        }.ToJsonString();
    }

    private static JsonObject? Fee(string? amount, string? percent, int after, string? cap)
    {
        if (Decimal(amount) is null && Decimal(percent) is null)
            return null;
        var fee = new JsonObject { ["amount"] = Decimal(amount) ?? "0.00", ["percent"] = Decimal(percent) ?? "0", ["graceDays"] = after };
        Put(fee, "cap", Decimal(cap));
        return fee;
    }

    private static void Put(JsonObject to, string name, JsonNode? value)
    {
        if (value is null)
            to.Remove(name);
        else
            to[name] = value;
    }

    private static string? Decimal(string? text) =>
        string.IsNullOrWhiteSpace(text) || (decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var value) && value == 0m) ? null : text.Trim().TrimStart('$').Replace(",", "", StringComparison.Ordinal);

    private static string? Text(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static int Number(JsonElement of, string name, int otherwise) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;
}
