using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Lending.Quotes;

namespace Camino.Servicing;

/// <summary>What loans of a product may look like: limits, and the terms that all of them share.</summary>
/// <param name="PrincipalFrom">Dollars, above zero.</param>
/// <param name="RateFrom">Percent a year.</param>
/// <param name="PaymentsFrom">Installments, 1 to 1,200.</param>
/// <param name="Terms">The shared terms in the words of the calculator: method, dayCount, every, unit, days, oddInterest, gracePrincipal, graceInterest, interestFree, downPaymentPercent, rounding, monthEnd, shift, holidays.</param>
public sealed record ProductOffer(string PrincipalFrom, string PrincipalTo, string RateFrom, string RateTo, int PaymentsFrom, int PaymentsTo, JsonObject Terms)
{
    private static readonly string[] OfTheLoan = ["principal", "annualRatePercent", "disbursements", "payments", "firstDueOn", "balloon", "id"];

    /// <exception cref="RefusedException"><c>input.not_json</c>, <c>input.*</c>, <c>product.offer</c>.</exception>
    public static ProductOffer Read(string json)
    {
        ProductOffer? offer;
        try
        {
            offer = JsonSerializer.Deserialize<ProductOffer>(json, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            throw new RefusedException("product.offer", "offer is an object with principalFrom, principalTo, rateFrom, rateTo, paymentsFrom, paymentsTo and terms.");
        }

        Refuse.If(offer?.Terms is null || offer.PrincipalFrom is null || offer.PrincipalTo is null || offer.RateFrom is null || offer.RateTo is null, "product.offer",
            "offer is an object with principalFrom, principalTo, rateFrom, rateTo, paymentsFrom, paymentsTo and terms.");
        offer.Check();
        return offer;
    }

    public string Write() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    /// <summary>The terms of one loan: what all loans of the product share, with what is its own.</summary>
    /// <exception cref="RefusedException"><c>book.principal</c>, <c>book.rate</c>, <c>book.payments</c> outside the product's limits; <c>schedule.*</c>.</exception>
    public (ScheduleTerms Terms, string Json) TermsOf(Money principal, Rate rate, int payments, DateOnly disbursedOn, DateOnly? firstDueOn, Money balloon)
    {
        var (least, most) = (InputText.Amount("principalFrom", PrincipalFrom), InputText.Amount("principalTo", PrincipalTo));
        Refuse.If(principal < least || principal > most, "book.principal", $"This product lends {least} to {most}; got {principal}.");
        var (low, high) = (InputText.Rate("rateFrom", RateFrom), InputText.Rate("rateTo", RateTo));
        Refuse.If(rate.Percent < low.Percent || rate.Percent > high.Percent, "book.rate", $"This product's rate is {low} to {high} a year; got {rate}.");
        Refuse.If(payments < PaymentsFrom || payments > PaymentsTo, "book.payments", $"This product has {PaymentsFrom} to {PaymentsTo} installments; got {payments}.");
        var json = Merge(principal, rate, payments, disbursedOn, firstDueOn, balloon);
        var terms = BookForm.ReadTerms(json);
        return (terms, StoredForm.Of(terms));
    }

    private void Check()
    {
        var (least, most) = (InputText.Amount("principalFrom", PrincipalFrom), InputText.Amount("principalTo", PrincipalTo));
        Refuse.If(least > most, "product.offer", $"principalFrom is at most principalTo; got {least} and {most}.");
        var (low, high) = (InputText.Rate("rateFrom", RateFrom), InputText.Rate("rateTo", RateTo));
        Refuse.If(low.Percent > high.Percent, "product.offer", $"rateFrom is at most rateTo; got {low} and {high}.");
        Refuse.If(PaymentsFrom < 1 || PaymentsFrom > PaymentsTo || PaymentsTo > ScheduleTerms.MaxPayments, "product.offer", $"paymentsFrom to paymentsTo is within 1 to {ScheduleTerms.MaxPayments}; got {PaymentsFrom} to {PaymentsTo}.");
        foreach (var name in OfTheLoan)
            Refuse.If(Terms.ContainsKey(name), "product.offer", $"terms of a product leave {name} to each loan.");
        // a trial loan shows whether the shared terms make sense; day 10 suits every rhythm
        Schedule.Of(BookForm.ReadTerms(Merge(most, high, PaymentsTo, new DateOnly(2026, 1, 10), null, Money.Zero)));
    }

    private string Merge(Money principal, Rate rate, int payments, DateOnly disbursedOn, DateOnly? firstDueOn, Money balloon)
    {
        var merged = (JsonObject)Terms.DeepClone();
        merged["principal"] = Words.Amount(principal.Dollars);
        merged["annualRatePercent"] = rate.Percent.ToString("0.########", CultureInfo.InvariantCulture);
        merged["payments"] = payments;
        merged["disbursements"] = new JsonArray(new JsonObject { ["on"] = disbursedOn.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), ["amount"] = Words.Amount(principal.Dollars) });
        if (firstDueOn is { } first)
            merged["firstDueOn"] = first.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (balloon > Money.Zero)
            merged["balloon"] = Words.Amount(balloon.Dollars);
        return merged.ToJsonString();
    }
}
