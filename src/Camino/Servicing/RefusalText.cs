using System.Globalization;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>Refusals of the loan engine and of commands as a page says them: in the reader's language, with dates and amounts as the reader writes them.</summary>
public static class RefusalText
{
    /// <summary>The refusal in the reader's language with what was given and the limit.</summary>
    public static string Refused(this IStringLocalizer<Texts> texts, RefusedException refused)
    {
        var sentence = refused.Sentence;
        var values = sentence.Values.Select(value => Shown(texts, value)).ToArray();
        return string.Format(CultureInfo.CurrentCulture, Refusals.Find(sentence.Pattern), values);
    }

    private static object Shown(IStringLocalizer<Texts> texts, object? value) => value switch
    {
        null => Refusals.Find("none"),
        Money amount => Show.Money(amount.Dollars),
        DateOnly date => Show.Date(date),
        Rate rate => Show.Rate(rate.Percent),
        LoanStatus status => texts.Name(status),
        LoanEventType type => texts.Name(type),
        Portion portion => texts.Name(portion),
        string name when LoanCommand.Find(name) is { } command => texts.Name(command),
        string account when HouseChart.Find(account) is not null => texts.Account(account),
        string word => Refusals.Find(word),
        Enum name => Refusals.Find(name.ToString()),
        // years and versions stay as they are, counts get their separators
        long or int when Convert.ToInt64(value, CultureInfo.InvariantCulture) is var number && number >= 10_000 => Show.Number(number),
        IFormattable number => number.ToString(null, CultureInfo.CurrentCulture),
        _ => value,
    };
}
