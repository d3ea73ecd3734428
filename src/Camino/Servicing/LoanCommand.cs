using System.Globalization;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Web;

namespace Camino.Servicing;

/// <summary>What a command needs to know beside the loan.</summary>
[Flags]
public enum CommandFields
{
    None = 0,

    /// <summary>The date from which it counts.</summary>
    On = 1,
    Amount = 2,

    /// <summary>A yearly rate in percent.</summary>
    Rate = 4,

    /// <summary>The last day of a pause, or the new due date.</summary>
    Until = 8,

    /// <summary>A number of installments.</summary>
    Count = 16,

    /// <summary>Penalty, fee, interest or principal.</summary>
    Portion = 32,

    /// <summary>The event that is taken back.</summary>
    Of = 64,

    /// <summary>The bank's reason for a return.</summary>
    BankCode = 128,
}

/// <summary>One thing that staff or a program can do to a loan. The name is the same in the address, on the page and in the audit trail.</summary>
/// <param name="Name">In addresses: <c>record-payment</c>.</param>
/// <param name="Type">What it records.</param>
/// <param name="Fields">What has to be given; everything else is refused.</param>
/// <param name="Permission">What the table asks for it.</param>
/// <param name="Letter">The letter that it asks for.</param>
public sealed record LoanCommand(string Name, LoanEventType Type, CommandFields Fields, string Permission, LetterKind? Letter = null)
{
    public static LoanCommand RecordPayment { get; } = new("record-payment", LoanEventType.Pay, CommandFields.On | CommandFields.Amount, Permissions.BookPayments, LetterKind.Receipt);

    public static LoanCommand Disburse { get; } = new("disburse", LoanEventType.Disburse, CommandFields.On | CommandFields.Amount, Permissions.BookDisburse);

    public static LoanCommand ReturnPayment { get; } = new("return-payment", LoanEventType.Return, CommandFields.On | CommandFields.Of | CommandFields.BankCode, Permissions.BookPayments, LetterKind.ReturnedPayment);

    public static LoanCommand Reverse { get; } = new("reverse", LoanEventType.Reverse, CommandFields.On | CommandFields.Of, Permissions.BookPayments);

    public static LoanCommand Restructure { get; } = new("restructure", LoanEventType.Restructure, CommandFields.On | CommandFields.Count | CommandFields.Until, Permissions.BookTerms, LetterKind.ChangedTerms);

    public static LoanCommand Waive { get; } = new("waive", LoanEventType.Waive, CommandFields.On | CommandFields.Amount | CommandFields.Portion, Permissions.BookWaive);

    public static LoanCommand WriteOff { get; } = new("write-off", LoanEventType.WriteOff, CommandFields.On | CommandFields.Amount, Permissions.BookChargeOff);

    public static LoanCommand ChargeOff { get; } = new("charge-off", LoanEventType.ChargeOff, CommandFields.On, Permissions.BookChargeOff, LetterKind.ChargedOff);

    /// <summary>All, in the order in which pages offer them.</summary>
    public static IReadOnlyList<LoanCommand> All { get; } =
    [
        RecordPayment,
        Disburse,
        ReturnPayment,
        Reverse,
        new("charge-fee", LoanEventType.Fee, CommandFields.On | CommandFields.Amount | CommandFields.Portion, Permissions.BookFees),
        Waive,
        new("skip-installment", LoanEventType.Skip, CommandFields.On, Permissions.BookTerms, LetterKind.ChangedTerms),
        new("move-due-date", LoanEventType.DueDateChange, CommandFields.On | CommandFields.Until, Permissions.BookTerms, LetterKind.ChangedTerms),
        new("extend", LoanEventType.Extend, CommandFields.On | CommandFields.Count, Permissions.BookTerms, LetterKind.ChangedTerms),
        new("change-rate", LoanEventType.RateChange, CommandFields.On | CommandFields.Rate, Permissions.BookTerms, LetterKind.ChangedTerms),
        new("reamortize", LoanEventType.Reamortize, CommandFields.On, Permissions.BookTerms, LetterKind.ChangedTerms),
        Restructure,
        new("pause-interest", LoanEventType.InterestPause, CommandFields.On | CommandFields.Until, Permissions.BookPauses),
        new("pause-delinquency", LoanEventType.DelinquencyPause, CommandFields.On | CommandFields.Until, Permissions.BookPauses),
        WriteOff,
        ChargeOff,
        new("recover", LoanEventType.Recover, CommandFields.On | CommandFields.Amount, Permissions.BookPayments, LetterKind.Receipt),
        new("refund", LoanEventType.Refund, CommandFields.On | CommandFields.Amount, Permissions.BookPayments),
    ];

    /// <summary>The command of this name, or null.</summary>
    public static LoanCommand? Find(string? name) => All.FirstOrDefault(command => string.Equals(command.Name, name, StringComparison.Ordinal));

    /// <summary>The command that records events of a type.</summary>
    public static LoanCommand Of(LoanEventType type) => All.First(command => command.Type == type);

    /// <summary>Whether there is anything of it that a second person has to approve.</summary>
    public bool MayNeedSecondPerson => Type is LoanEventType.ChargeOff or LoanEventType.WriteOff or LoanEventType.Waive;

    /// <summary>Turns what was given into an event, without its key.</summary>
    /// <param name="today">The business date, for a date that was left out.</param>
    /// <exception cref="RefusedException"><c>input.*</c> names the field, its value and the limit.</exception>
    public LoanEvent Read(CommandInput input, DateOnly today)
    {
        Unexpected(input.Amount, CommandFields.Amount, "amount");
        Unexpected(input.AnnualRatePercent, CommandFields.Rate, "annualRatePercent");
        Unexpected(input.Until, CommandFields.Until, "until");
        Unexpected(input.Count?.ToString(CultureInfo.InvariantCulture), CommandFields.Count, "count");
        Unexpected(input.Portion, CommandFields.Portion, "portion");
        Unexpected(input.Of, CommandFields.Of, "of");
        Unexpected(input.BankCode, CommandFields.BankCode, "bankCode");
        Refuse.If(input.Note is { Length: > 500 }, "input.note", $"note has at most 500 characters; got {input.Note?.Length}.");
        return new LoanEvent
        {
            Key = "new",
            Type = Type,
            On = string.IsNullOrEmpty(input.On) ? today : InputText.Date("on", input.On),
            Amount = Has(CommandFields.Amount) ? InputText.Amount("amount", input.Amount) : Money.Zero,
            Rate = Has(CommandFields.Rate) ? InputText.Rate("annualRatePercent", input.AnnualRatePercent) : Rate.Zero,
            Until = Has(CommandFields.Until) ? InputText.Date("until", input.Until) : null,
            Count = Has(CommandFields.Count) ? input.Count ?? throw new RefusedException("input.count", "count is missing; it is a number of installments, 1 to 1,200.") : 0,
            Portion = Has(CommandFields.Portion) ? ReadPortion(input.Portion) : Portion.Fee,
            Of = Has(CommandFields.Of) ? InputText.Text("of", input.Of, 64) : null,
            BankCode = Has(CommandFields.BankCode) ? InputText.Text("bankCode", input.BankCode, 3).ToUpperInvariant() : null,
        };
    }

    /// <summary>Whether the command needs a field.</summary>
    public bool Has(CommandFields field) => (Fields & field) != CommandFields.None;

    private static Portion ReadPortion(string? word) => word?.Trim().ToLowerInvariant() switch
    {
        "penalty" => Portion.Penalty,
        "fee" => Portion.Fee,
        "interest" => Portion.Interest,
        "principal" => Portion.Principal,
        _ => throw new RefusedException("input.portion", $"portion is penalty, fee, interest or principal; got {InputText.Short(word)}."),
    };

    private void Unexpected(string? given, CommandFields field, string name) =>
        Refuse.If(!Has(field) && !string.IsNullOrEmpty(given), "input." + name, $"{name} does not belong to {Name}; leave it out.");
}

/// <summary>What was given with a command, as text: amounts and rates are decimal numbers such as 1234.56, dates such as 2026-03-01.</summary>
public sealed record CommandInput
{
    /// <summary>From when it counts; the business date when left out.</summary>
    public string? On { get; init; }

    /// <summary>Dollars and cents.</summary>
    public string? Amount { get; init; }

    /// <summary>Percent a year.</summary>
    public string? AnnualRatePercent { get; init; }

    public string? Until { get; init; }

    public int? Count { get; init; }

    public string? Portion { get; init; }

    /// <summary>Key of the event that is taken back.</summary>
    public string? Of { get; init; }

    public string? BankCode { get; init; }

    /// <summary>What staff want to remember, at most 500 characters.</summary>
    public string? Note { get; init; }
}

/// <summary>Reads texts that people and programs give, strictly, and says in one sentence what is wrong.</summary>
internal static class InputText
{
    public static DateOnly Date(string name, string? text) =>
        DateOnly.TryParseExact(text?.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) && date.Year is >= 1900 and <= 2199
            ? date
            : throw new RefusedException("input." + name, $"{name} is a date such as 2026-03-01; got {Short(text)}.");

    public static Money Amount(string name, string? text)
    {
        var plain = text?.Trim().TrimStart('$').Replace(",", "", StringComparison.Ordinal);
        Refuse.If(!decimal.TryParse(plain, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var dollars), "input." + name, $"{name} is an amount such as 1234.56; got {Short(text)}.");
        Refuse.If(dollars is <= 0m or > 100_000_000m || decimal.Round(dollars, 2) != dollars, "input." + name, $"{name} is $0.01 to $100,000,000.00 in whole cents; got {Short(text)}.");
        return new Money(decimal.Round(dollars, 2));
    }

    public static Rate Rate(string name, string? text)
    {
        Refuse.If(!decimal.TryParse(text?.Trim().TrimEnd('%'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent), "input." + name, $"{name} is a percentage such as 11.75; got {Short(text)}.");
        return Lending.Rate.FromPercent(percent);
    }

    public static string Text(string name, string? text, int longest)
    {
        var trimmed = text?.Trim() ?? "";
        Refuse.If(trimmed.Length == 0, "input." + name, $"{name} is missing.");
        Refuse.If(trimmed.Length > longest, "input." + name, $"{name} has at most {longest} characters; got {trimmed.Length}.");
        return trimmed;
    }

    /// <summary>A value for a message, cut to 40 characters.</summary>
    public static string Short(string? text) => string.IsNullOrEmpty(text) ? "nothing" : text.Length <= 40 ? text : text[..40] + "...";
}
