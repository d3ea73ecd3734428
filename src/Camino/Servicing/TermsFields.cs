using System.Globalization;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>The fields of a form that say what a loan of a product would look like.</summary>
/// <param name="Offered">Products under which loans can be booked.</param>
public sealed record TermsFields(IAgreedTerms Input, IReadOnlyList<(string Code, string Name, ProductOffer Offer)> Offered)
{
    /// <summary>What was typed, for a form that sends it again.</summary>
    public static (string Name, string? Value)[] Given(IAgreedTerms input) =>
    [
        ("Product", input.Product), ("Principal", input.Principal), ("AnnualRatePercent", input.AnnualRatePercent), ("Payments", input.Payments?.ToString(CultureInfo.InvariantCulture)), ("DisburseOn", input.DisburseOn), ("FirstDueOn", input.FirstDueOn), ("Balloon", input.Balloon),
    ];

    /// <summary>What each product lends, in one line.</summary>
    public IEnumerable<string> Limits(IStringLocalizer<Texts> texts) => Offered.Select(one =>
        texts["Serviced.Offer", one.Code, Shown(one.Offer.PrincipalFrom), Shown(one.Offer.PrincipalTo), Percent(one.Offer.RateFrom), Percent(one.Offer.RateTo), Show.Number(one.Offer.PaymentsFrom), Show.Number(one.Offer.PaymentsTo)].Value);

    private static string Shown(string? amount) => Show.Money(InputText.Amount("principal", amount).Dollars);

    private static string Percent(string? rate) => Show.Rate(InputText.Rate("annualRatePercent", rate).Percent);
}
