using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Borrowers;
using Camino.Lending;
using Camino.Servicing;
using Camino.Web;

namespace Camino.Applications;

/// <summary>A loan application as staff and programs say it.</summary>
public sealed record ApplicationInput
{
    /// <summary>The caller's own reference: up to 64 characters.</summary>
    public string? ExternalId { get; init; }

    /// <summary>Name in law of the business: 1 to 200 characters.</summary>
    public string? Name { get; init; }

    /// <summary>Name in trade: up to 200 characters.</summary>
    public string? TradeName { get; init; }

    /// <summary><c>en</c> (the default) or <c>es</c>: the language of letters and calls.</summary>
    public string? Language { get; init; }

    /// <summary>Up to 20, each of up to 40 characters with 7 to 15 digits; without any, an e-mail address is needed.</summary>
    public IReadOnlyList<string?>? Phones { get; init; }

    /// <summary>Up to 20, each of up to 254 characters.</summary>
    public IReadOnlyList<string?>? Emails { get; init; }

    /// <summary>Where the business is.</summary>
    public AddressInput? Address { get; init; }

    /// <summary>The business's Employer Identification Number: nine digits, with or without hyphens; kept encrypted.</summary>
    public string? Ein { get; init; }

    /// <summary>The day on which the business began, such as 2019-05-01; not in the future.</summary>
    public string? StartedOn { get; init; }

    /// <summary>Sales of a year in dollars, 0.00 to 100,000,000.00.</summary>
    public string? AnnualRevenue { get; init; }

    /// <summary>What is asked for in dollars, 1.00 to 10,000,000.00.</summary>
    public string? Amount { get; init; }

    /// <summary>What it is for: up to 500 characters.</summary>
    public string? Purpose { get; init; }

    /// <summary>For how long, 1 to 360 months.</summary>
    public int? TermMonths { get; init; }

    /// <summary>The applicant agreed to be looked up at credit bureaus.</summary>
    public bool CreditConsent { get; init; }

    /// <summary>Up to 20; their shares come to at most 100 percent.</summary>
    public IReadOnlyList<ApplicationOwnerInput>? Owners { get; init; }

    /// <summary>The business's bank account; kept encrypted. <c>holder</c> left out: it is held in the name of the business.</summary>
    public BankAccountInput? BankAccount { get; init; }

    /// <summary>Code of the branch; left out: the one branch that who hands it in is bound to, else the whole house.</summary>
    public string? Branch { get; init; }

    /// <summary>Reads a body.</summary>
    internal static ApplicationInput From(JsonBody body) => body.All(Fields);

    /// <summary>Reads the fields of an object that may have others besides.</summary>
    internal static ApplicationInput Fields(JsonBody one) => new()
    {
        ExternalId = one.Text("externalId"),
        Name = one.Text("name"),
        TradeName = one.Text("tradeName"),
        Language = one.Text("language"),
        Phones = one.Texts("phones", CheckedBorrower.LongestList),
        Emails = one.Texts("emails", CheckedBorrower.LongestList),
        Address = one.Part("address", part => new AddressInput { Street = part.Text("street"), City = part.Text("city"), State = part.Text("state"), Zip = part.Text("zip") }),
        Ein = one.Text("ein"),
        StartedOn = one.Text("startedOn"),
        AnnualRevenue = one.Text("annualRevenue"),
        Amount = one.Text("amount"),
        Purpose = one.Text("purpose"),
        TermMonths = one.Whole("termMonths"),
        CreditConsent = one.Flag("creditConsent"),
        Branch = one.Text("branch"),
        BankAccount = one.Part("bankAccount", part => new BankAccountInput { Holder = part.Text("holder"), Routing = part.Text("routing"), Account = part.Text("account") }),
        Owners = one.Parts("owners", CheckedBorrower.LongestList, part => new ApplicationOwnerInput { Name = part.Text("name"), SharePercent = part.Text("sharePercent"), IsGuarantor = part.Flag("isGuarantor"), BirthDate = part.Text("birthDate"), TaxNumber = part.Text("taxNumber") }),
    };
}

/// <summary>Somebody who owns a part of the business or stands in for its debt.</summary>
public sealed record ApplicationOwnerInput
{
    /// <summary>1 to 200 characters.</summary>
    public string? Name { get; init; }

    /// <summary>0 to 100 with up to three decimals.</summary>
    public string? SharePercent { get; init; }

    public bool IsGuarantor { get; init; }

    /// <summary>Such as 1961-03-14; not in the future.</summary>
    public string? BirthDate { get; init; }

    /// <summary>SSN or ITIN: nine digits, with or without hyphens; kept encrypted.</summary>
    public string? TaxNumber { get; init; }

    internal bool IsEmpty => string.IsNullOrWhiteSpace(Name) && string.IsNullOrWhiteSpace(SharePercent) && string.IsNullOrWhiteSpace(BirthDate) && string.IsNullOrWhiteSpace(TaxNumber);
}

/// <summary>An application that keeps every limit; numbers are bare digits.</summary>
internal sealed record CheckedApplication(
    CheckedBorrower Business, string? ExternalId, string? Ein, DateOnly? StartedOn, decimal? AnnualRevenue, decimal Amount, string? Purpose, int? TermMonths, bool CreditConsent, IReadOnlyList<CheckedApplicationOwner> Owners,
    [property: JsonIgnore] CheckedBankAccount? BankAccount)
{
    private const int LongestExternalId = 64;
    private const int LongestPurpose = 500;
    private const decimal MostAmount = 10_000_000m;
    private const decimal MostRevenue = 100_000_000m;
    private const int MostMonths = 360;

    public string Name => Business.Name ?? "";

    public CheckedAddress? Address => Business.Addresses is [var address, ..] ? address : null;

    /// <param name="today">Dates that are past lie before it, or are it.</param>
    /// <exception cref="RefusedException"><c>input.*</c> names the field and the limit, and repeats nothing that is personal.</exception>
    public static CheckedApplication Read(ApplicationInput input, DateOnly today)
    {
        var owners = (input.Owners ?? []).Where(owner => !owner.IsEmpty).Select(owner => Owner(owner, today)).ToList();
        var business = CheckedBorrower.Read(
            new BorrowerInput
            {
                Name = input.Name,
                TradeName = input.TradeName ?? "",
                Language = string.IsNullOrWhiteSpace(input.Language) ? null : input.Language,
                Phones = input.Phones ?? [],
                Emails = input.Emails ?? [],
                Addresses = input.Address is null ? [] : [input.Address],
                Owners = [.. (input.Owners ?? []).Where(owner => !owner.IsEmpty).Select(owner => new OwnerInput { Name = owner.Name, SharePercent = owner.SharePercent, IsGuarantor = owner.IsGuarantor })],
            }, isNew: true);
        Refuse.If(business.Phones is not { Count: > 0 } && business.Emails is not { Count: > 0 }, "input.phones", "phones and emails are empty; one way to reach the applicant is needed.");
        var wish = ReadWish(new RenewalInput { Amount = input.Amount, Purpose = input.Purpose, TermMonths = input.TermMonths, AnnualRevenue = input.AnnualRevenue, CreditConsent = input.CreditConsent });
        return new CheckedApplication(
            business,
            Optional("externalId", input.ExternalId, LongestExternalId),
            string.IsNullOrWhiteSpace(input.Ein) ? null : SetIdentifier.CheckedDigits(IdentifierKind.Ein, input.Ein, "ein"),
            string.IsNullOrWhiteSpace(input.StartedOn) ? null : Past("startedOn", input.StartedOn, today),
            wish.AnnualRevenue,
            wish.Amount,
            wish.Purpose,
            wish.TermMonths,
            wish.CreditConsent,
            [.. owners.Zip(business.Owners ?? [], (owner, common) => owner with { Name = common.Name, SharePercent = common.SharePercent, IsGuarantor = common.IsGuarantor })],
            input.BankAccount is not { IsEmpty: false } account ? null : CheckedBankAccount.Read(account, business.Name));
    }

    /// <summary>Reads what is asked for.</summary>
    /// <exception cref="RefusedException"><c>input.*</c>.</exception>
    public static CheckedWish ReadWish(RenewalInput input)
    {
        Refuse.If(input.TermMonths is < 1 or > MostMonths, "input.termMonths", $"termMonths is 1 to {MostMonths}; got {input.TermMonths}.");
        return new CheckedWish(
            Dollars("amount", input.Amount, 1m, MostAmount), Optional("purpose", input.Purpose, LongestPurpose), input.TermMonths,
            string.IsNullOrWhiteSpace(input.AnnualRevenue) ? null : Dollars("annualRevenue", input.AnnualRevenue, 0m, MostRevenue), input.CreditConsent);
    }

    /// <summary>What was asked as text, with hashes in place of the numbers: from it no number can be reckoned.</summary>
    public string Fingerprint(IEnumerable<byte[]> hashes) =>
        "application.receive " + JsonSerializer.Serialize(this with { Ein = null, Owners = [.. Owners.Select(owner => owner with { TaxNumber = null, Id = Guid.Empty })] }) + string.Join(' ', hashes.Select(Convert.ToHexString));

    private static CheckedApplicationOwner Owner(ApplicationOwnerInput input, DateOnly today)
    {
        var name = CheckedBorrower.Text("owner", input.Name, CheckedBorrower.LongestName);
        if (string.IsNullOrWhiteSpace(input.TaxNumber))
            return new CheckedApplicationOwner(Guid.CreateVersion7(), name, null, false, BirthDate(input, today), IdentifierKind.Ssn, null);
        var kind = CheckedBorrower.Digits(input.TaxNumber) is ['9', ..] ? IdentifierKind.Itin : IdentifierKind.Ssn;
        return new CheckedApplicationOwner(Guid.CreateVersion7(), name, null, false, BirthDate(input, today), kind, SetIdentifier.CheckedDigits(kind, input.TaxNumber, "taxNumber"));
    }

    private static DateOnly? BirthDate(ApplicationOwnerInput input, DateOnly today) => string.IsNullOrWhiteSpace(input.BirthDate) ? null : Past("birthDate", input.BirthDate, today);

    private static DateOnly Past(string name, string? text, DateOnly today)
    {
        var isDate = DateOnly.TryParseExact(text?.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date);
        Refuse.If(!isDate || date.Year < 1850 || date > today, "input." + name, $"{name} is a date such as 1961-03-14, from 1850 to today; got {text?.Trim().Length ?? 0} characters that are none.");
        return date;
    }

    private static decimal Dollars(string name, string? text, decimal least, decimal most)
    {
        var plain = text?.Trim().TrimStart('$').Replace(",", "", StringComparison.Ordinal);
        Refuse.If(!decimal.TryParse(plain, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var dollars), "input." + name, $"{name} is an amount such as 1234.56; got {InputText.Short(text)}.");
        Refuse.If(dollars < least || dollars > most || decimal.Round(dollars, 2) != dollars, "input." + name, $"{name} is {new Money(least)} to {new Money(most)} in whole cents; got {InputText.Short(text)}.");
        return decimal.Round(dollars, 2);
    }

    private static string? Optional(string name, string? text, int longest) => string.IsNullOrWhiteSpace(text) ? null : CheckedBorrower.Text(name, text, longest);
}

/// <param name="Kind">Of the number, where there is one.</param>
/// <param name="TaxNumber">Nine digits.</param>
internal sealed record CheckedApplicationOwner(Guid Id, string Name, decimal? SharePercent, bool IsGuarantor, DateOnly? BirthDate, IdentifierKind Kind, string? TaxNumber);

/// <summary>What is asked for, within its limits.</summary>
internal sealed record CheckedWish(decimal Amount, string? Purpose, int? TermMonths, decimal? AnnualRevenue, bool CreditConsent);
