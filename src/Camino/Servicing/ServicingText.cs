using System.Globalization;
using System.Text.RegularExpressions;
using Camino.Lending.Loans;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Html;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>The words of the serviced book in the reader's language.</summary>
public static partial class ServicingText
{
    /// <summary>Sentences of the engine, and the text that says the same; what a group holds fills the text's places in order.</summary>
    private static readonly (Regex Sentence, string Key)[] Sentences =
    [
        (HandedOut(), "HandedOut"), (Odd(), "Odd"), (Fee(), "Fee"), (Penalty(), "Penalty"), (Returned(), "Returned"), (TakenBack(), "TakenBack"), (Waived(), "Waived"), (PaidOut(), "PaidOut"),
        (Rate(), "Rate"), (NoInterest(), "NoInterest"), (NoDays(), "NoDays"), (Moved(), "Moved"), (Skipped(), "Skipped"), (Extended(), "Extended"), (Level(), "Level"), (Restructured(), "Restructured"),
        (Recovery(), "Recovery"), (Payment(), "Payment"), (Tolerance(), "Tolerance"), (NothingWritten(), "NothingWritten"), (Written(), "Written"), (ChargedOff(), "ChargedOff"), (Due(), "Due"), (CreditUsed(), "CreditUsed"),
        (Late(), "Late"), (NoEffect(), "NoEffect"), (SetOff(), "SetOff"), (NoneToSkip(), "NoneToSkip"), (NoneToMove(), "NoneToMove"),
    ];

    /// <summary>State of a serviced loan.</summary>
    public static IHtmlContent Chip(this IStringLocalizer<Texts> texts, LoanStatus status) => Chips.Write(texts.Name(status), status switch
    {
        LoanStatus.Current => "good",
        LoanStatus.PastDue => "warn",
        LoanStatus.ChargedOff => "bad",
        LoanStatus.Overpaid => "info",
        _ => "quiet",
    });

    public static string Name(this IStringLocalizer<Texts> texts, LoanStatus status) => texts["Serviced.Status." + status];

    public static string Name(this IStringLocalizer<Texts> texts, LoanEventType type) => texts["Serviced.Event." + type];

    public static string Name(this IStringLocalizer<Texts> texts, Portion portion) => texts["Serviced.Portion." + portion];

    /// <summary>What a command does, as its button says it.</summary>
    public static string Name(this IStringLocalizer<Texts> texts, LoanCommand command) => texts["Serviced.Command." + command.Name];

    /// <summary>Name of an account of the ledger.</summary>
    public static string Account(this IStringLocalizer<Texts> texts, string account) => texts.Or("Serviced.Account." + account, account);

    /// <summary>What a ledger transaction records.</summary>
    public static string Act(this IStringLocalizer<Texts> texts, string act) => texts.Or("Serviced.Act." + act, act);

    /// <summary>A sentence of the engine in the reader's language; one that is not known stays as it is.</summary>
    public static string Explained(this IStringLocalizer<Texts> texts, string sentence)
    {
        foreach (var (pattern, key) in Sentences)
        {
            if (pattern.Match(sentence) is not { Success: true } match)
                continue;
            var values = match.Groups.Values.Skip(1).Select(group => (object)Shown(texts, group.Value)).ToArray();
            return texts["Serviced.Told." + key, values];
        }

        return sentence;
    }

    /// <summary>True when the engine's sentence has a text in both languages.</summary>
    internal static bool IsKnown(string sentence) => Array.Exists(Sentences, pair => pair.Sentence.IsMatch(sentence));

    /// <summary>Dates, amounts and names inside a sentence, as the reader writes them.</summary>
    private static string Shown(IStringLocalizer<Texts> texts, string value)
    {
        if (DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return Show.Date(date);
        if (value.StartsWith('$') && decimal.TryParse(value[1..], NumberStyles.Number, CultureInfo.InvariantCulture, out var dollars))
            return Show.Money(dollars);
        return Enum.TryParse<LoanEventType>(value, out var type) && !char.IsDigit(value[0]) ? texts.Name(type) : Enum.TryParse<Portion>(value, out var portion) && value.Length > 0 && !char.IsDigit(value[0]) ? texts.Name(portion) : value;
    }

    private const RegexOptions Plain = RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant;

    [GeneratedRegex(@"^Money was handed out\.$", Plain, 1_000)]
    private static partial Regex HandedOut();

    [GeneratedRegex(@"^Interest for the days before the first period was added to the principal\.$", Plain, 1_000)]
    private static partial Regex Odd();

    [GeneratedRegex(@"^A fee was charged\.$", Plain, 1_000)]
    private static partial Regex Fee();

    [GeneratedRegex(@"^A penalty was charged\.$", Plain, 1_000)]
    private static partial Regex Penalty();

    [GeneratedRegex(@"^The bank returned payment (?<a>.+) \((?<b>\w+)\)\.$", Plain, 1_000)]
    private static partial Regex Returned();

    [GeneratedRegex(@"^Event (?<a>.+) was taken back\.$", Plain, 1_000)]
    private static partial Regex TakenBack();

    [GeneratedRegex(@"^(?<a>\w+) was waived\.$", Plain, 1_000)]
    private static partial Regex Waived();

    [GeneratedRegex(@"^A credit was paid out\.$", Plain, 1_000)]
    private static partial Regex PaidOut();

    [GeneratedRegex(@"^The rate became (?<a>.+) a year\.$", Plain, 1_000)]
    private static partial Regex Rate();

    [GeneratedRegex(@"^No interest accrues through (?<a>.+)\.$", Plain, 1_000)]
    private static partial Regex NoInterest();

    [GeneratedRegex(@"^Days do not count as past due through (?<a>.+)\.$", Plain, 1_000)]
    private static partial Regex NoDays();

    [GeneratedRegex(@"^The next installment moved to (?<a>.+)\.$", Plain, 1_000)]
    private static partial Regex Moved();

    [GeneratedRegex(@"^The next installment was left out and put at the end\.$", Plain, 1_000)]
    private static partial Regex Skipped();

    [GeneratedRegex(@"^The term got (?<a>\d+) more installments\.$", Plain, 1_000)]
    private static partial Regex Extended();

    [GeneratedRegex(@"^The remaining installments got a new level\.$", Plain, 1_000)]
    private static partial Regex Level();

    [GeneratedRegex(@"^The loan was restructured to (?<a>\d+) installments from (?<b>.+)\.$", Plain, 1_000)]
    private static partial Regex Restructured();

    [GeneratedRegex(@"^A recovery was received after charge-off\.$", Plain, 1_000)]
    private static partial Regex Recovery();

    [GeneratedRegex(@"^A payment was received\.$", Plain, 1_000)]
    private static partial Regex Payment();

    [GeneratedRegex(@"^What was left was within tolerance and was written off\.$", Plain, 1_000)]
    private static partial Regex Tolerance();

    [GeneratedRegex(@"^Nothing was written off: (?<a>.+) is left, the limit is (?<b>.+)\.$", Plain, 1_000)]
    private static partial Regex NothingWritten();

    [GeneratedRegex(@"^A small balance was written off\.$", Plain, 1_000)]
    private static partial Regex Written();

    [GeneratedRegex(@"^The loan was charged off; interest no longer accrues\.$", Plain, 1_000)]
    private static partial Regex ChargedOff();

    [GeneratedRegex(@"^Installment (?<a>\d+) came due: (?<b>.+) of principal, (?<c>.+) of interest\.$", Plain, 1_000)]
    private static partial Regex Due();

    [GeneratedRegex(@"^The credit was used\.$", Plain, 1_000)]
    private static partial Regex CreditUsed();

    [GeneratedRegex(@"^Installment (?<a>\d+) was late: a late fee was charged\.$", Plain, 1_000)]
    private static partial Regex Late();

    [GeneratedRegex(@"^(?<a>\w+)(?: of (?<b>\S+))? was taken back on (?<c>\S+) by (?<d>[^; ]+)(?: \(\w+\))?; it has no effect\.$", Plain, 1_000)]
    private static partial Regex NoEffect();

    [GeneratedRegex(@"^The credit was set off against what was owed\.$", Plain, 1_000)]
    private static partial Regex SetOff();

    [GeneratedRegex(@"^Leaving out an installment had no effect: none was left\.$", Plain, 1_000)]
    private static partial Regex NoneToSkip();

    [GeneratedRegex(@"^A change of the due date had no effect: no installment was left to move\.$", Plain, 1_000)]
    private static partial Regex NoneToMove();
}
