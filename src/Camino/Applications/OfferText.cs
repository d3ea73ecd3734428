using System.Globalization;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Disclosures;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Applications;

/// <summary>The words of offers in the reader's language.</summary>
public static class OfferText
{
    /// <summary>What a state's form asks for and the lending core reckons, in the form's order.</summary>
    public static IReadOnlyList<(string Name, string Value)> FiguresOf(this IStringLocalizer<Texts> texts, OfferFigures offer, CommercialForm form) =>
        [.. form.Figures.Select(figure => (Name: texts["CommercialFigure." + figure].Value, Value: Value(texts, offer, form, figure))).Where(one => one.Value.Length > 0)];

    /// <summary>How an offer was accepted, as forms and programs say it.</summary>
    public static string Word(AcceptedBy how) => Words.Camel(how);

    private static string Value(IStringLocalizer<Texts> texts, OfferFigures offer, CommercialForm form, CommercialFigure figure) => figure switch
    {
        CommercialFigure.FundingProvided => Sum(offer.Commercial.Funding),
        CommercialFigure.AnnualPercentageRate => form.ShownApr(offer.Commercial.AprPercent).ToString("0." + new string('0', form.AprDecimals), CultureInfo.CurrentCulture) + "%",
        CommercialFigure.FinanceCharge => Sum(offer.Commercial.FinanceCharge),
        CommercialFigure.TotalPayments => Sum(offer.Commercial.TotalPayments),
        CommercialFigure.Payment => Sum(offer.Commercial.RegularPayment),
        CommercialFigure.AverageMonthlyCost => Sum(offer.Commercial.AverageMonthlyCost),
        CommercialFigure.Term => Term(texts, CommercialForm.ShownTerm(offer.Terms.Disbursements[0].On, offer.MaturesOn)),
        _ => "", // what stands in the contract and is no figure
    };

    private static string Term(IStringLocalizer<Texts> texts, FormTerm term) =>
        term.Days > 0 ? texts.Count("Offers.TermDays", term.Days) : texts["Offers.Term", term.Years, term.Months.ToString("0.##", CultureInfo.CurrentCulture)].Value;

    private static string Sum(Money amount) => Show.Money(amount.Dollars);
}
