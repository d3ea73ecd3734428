using System.Globalization;
using System.Text.Json.Serialization;
using Camino.Imports;
using Camino.Lending;
using Camino.Servicing;

namespace Camino.Borrowers;

/// <summary>What staff and programs say about a borrower, as text. What is null is left as it is; an empty text takes away; a list replaces the whole list.</summary>
public sealed record BorrowerInput
{
    /// <summary>Name in law: 1 to 200 characters.</summary>
    public string? Name { get; init; }

    /// <summary>Name in trade: up to 200 characters.</summary>
    public string? TradeName { get; init; }

    /// <summary><c>business</c> or <c>person</c>.</summary>
    public string? Kind { get; init; }

    /// <summary><c>en</c> or <c>es</c>: the language of letters and calls.</summary>
    public string? Language { get; init; }

    /// <summary><c>any</c>, <c>phone</c>, <c>email</c>, <c>mail</c> or <c>none</c>.</summary>
    public string? ContactBy { get; init; }

    /// <summary>Up to 20, each of up to 40 characters with 7 to 15 digits.</summary>
    public IReadOnlyList<string?>? Phones { get; init; }

    /// <summary>Up to 20, each of up to 254 characters.</summary>
    public IReadOnlyList<string?>? Emails { get; init; }

    /// <summary>Up to 20.</summary>
    public IReadOnlyList<AddressInput>? Addresses { get; init; }

    /// <summary>Up to 20.</summary>
    public IReadOnlyList<OwnerInput>? Owners { get; init; }

    /// <summary>Code of the branch of a new borrower; left out: the one branch that who adds it is bound to, else the whole house.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Branch { get; init; }
}

/// <summary>A place: street up to 200 characters, city up to 100, state two letters, ZIP code five digits or nine.</summary>
public sealed record AddressInput
{
    public string? Street { get; init; }
    public string? City { get; init; }
    public string? State { get; init; }
    public string? Zip { get; init; }

    internal bool IsEmpty => string.IsNullOrWhiteSpace(Street) && string.IsNullOrWhiteSpace(City) && string.IsNullOrWhiteSpace(State) && string.IsNullOrWhiteSpace(Zip);
}

/// <summary>Somebody who owns a part of the business or stands in for its debt.</summary>
public sealed record OwnerInput
{
    /// <summary>Of an owner that is there already; left out for a new one.</summary>
    public Guid? Id { get; init; }

    /// <summary>1 to 200 characters.</summary>
    public string? Name { get; init; }

    /// <summary>0 to 100 with up to three decimals; all together at most 100.</summary>
    public string? SharePercent { get; init; }

    public bool IsGuarantor { get; init; }

    internal bool IsEmpty => string.IsNullOrWhiteSpace(Name) && string.IsNullOrWhiteSpace(SharePercent);
}

/// <summary>What was given, checked; null where it was left out. The names are those of the JSON that the database reads.</summary>
internal sealed record CheckedBorrower(
    string? Name, string? TradeName, bool HasTradeName, short? Kind, string? Language, string? ContactBy,
    IReadOnlyList<CheckedContact>? Phones, IReadOnlyList<CheckedContact>? Emails, IReadOnlyList<CheckedAddress>? Addresses, IReadOnlyList<CheckedOwner>? Owners)
{
    /// <summary>Entries of one list.</summary>
    internal const int LongestList = 20;

    internal const int LongestName = 200;

    private static readonly string[] s_kinds = ["business", "person"];
    private static readonly string[] s_languages = ["en", "es"];
    private static readonly string[] s_ways = ["any", "phone", "email", "mail", "none"];

    /// <summary>Names of what was given, for the audit trail.</summary>
    public IReadOnlyList<string> Fields =>
    [
        .. new (string Name, bool Given)[]
        {
            ("name", Name is not null), ("tradeName", HasTradeName), ("kind", Kind is not null), ("language", Language is not null), ("contactBy", ContactBy is not null),
            ("phones", Phones is not null), ("emails", Emails is not null), ("addresses", Addresses is not null), ("owners", Owners is not null),
        }.Where(one => one.Given).Select(one => one.Name),
    ];

    /// <exception cref="RefusedException"><c>input.*</c> names the field, the limit, and what is no secret of what was given.</exception>
    public static CheckedBorrower Read(BorrowerInput input, bool isNew)
    {
        var owners = Entries("owners", input.Owners?.Where(owner => !owner.IsEmpty).ToList())?.Select(Owner).ToList();
        var shares = owners?.Sum(owner => owner.SharePercent ?? 0m) ?? 0m;
        Refuse.If(shares > 100m, "input.owners", $"The shares of all owners come to at most 100 percent; got {shares}.");
        return new CheckedBorrower(
            isNew || input.Name is not null ? Text("name", input.Name, LongestName) : null,
            Optional("tradeName", input.TradeName, LongestName), input.TradeName is not null,
            input.Kind is null ? null : (short)(OneOf("kind", input.Kind, s_kinds) + 1),
            input.Language is null ? null : s_languages[OneOf("language", input.Language, s_languages)],
            input.ContactBy is null ? null : s_ways[OneOf("contactBy", input.ContactBy, s_ways)],
            Entries("phones", Filled(input.Phones))?.Select(Phone).ToList(),
            Entries("emails", Filled(input.Emails))?.Select(Email).ToList(),
            Entries("addresses", input.Addresses?.Where(address => !address.IsEmpty).ToList())?.Select(Address).ToList(),
            owners);
    }

    /// <summary>A text that must be there, without what PostgreSQL cannot keep.</summary>
    internal static string Text(string name, string? text, int longest) => InputText.Text(name, text is null ? null : StorableText.Of(text), longest);

    /// <summary>The digits of a text.</summary>
    internal static string Digits(string? text) => string.Concat((text ?? "").Where(char.IsAsciiDigit));

    /// <summary>A phone's digits as they are stored: without the country's 1 before ten others.</summary>
    internal static string PhoneDigits(string digits) => digits.Length == 11 && digits[0] == '1' ? digits[1..] : digits;

    private static string? Optional(string name, string? text, int longest) => string.IsNullOrWhiteSpace(text) ? null : Text(name, text, longest);

    private static List<string>? Filled(IReadOnlyList<string?>? list) => list?.Where(text => !string.IsNullOrWhiteSpace(text)).Select(text => text ?? "").ToList();

    private static List<T>? Entries<T>(string name, List<T>? list)
    {
        Refuse.If(list is { Count: > LongestList }, "input." + name, $"{name} has at most {LongestList} entries; got {list?.Count}.");
        return list;
    }

    private static int OneOf(string name, string given, string[] allowed)
    {
        var at = Array.IndexOf(allowed, given.Trim());
        Refuse.If(at < 0, "input." + name, $"{name} is one of {string.Join(", ", allowed)}; got {InputText.Short(given)}.");
        return at;
    }

    private static CheckedContact Phone(string text)
    {
        var value = Text("phone", text, 40);
        var digits = Digits(value);
        Refuse.If(digits.Length is < 7 or > 15, "input.phones", $"A phone number has 7 to 15 digits; got {digits.Length}.");
        return new CheckedContact(value, PhoneDigits(digits));
    }

    private static CheckedContact Email(string text)
    {
        var value = Text("email", text, 254);
        var at = value.LastIndexOf('@');
        Refuse.If(at < 1 || at == value.Length - 1 || value.Any(char.IsWhiteSpace), "input.emails", $"An e-mail address is one such as office@example.com; got {value.Length} characters that are none.");
        return new CheckedContact(value, null);
    }

    private static CheckedAddress Address(AddressInput input)
    {
        var state = string.IsNullOrWhiteSpace(input.State) ? null : input.State.Trim().ToUpperInvariant();
        Refuse.If(state is not null && (state.Length != 2 || !state.All(char.IsAsciiLetter)), "input.addresses", $"A state is two letters such as GA; got {InputText.Short(state)}.");
        var zip = string.IsNullOrWhiteSpace(input.Zip) ? null : input.Zip.Trim();
        Refuse.If(zip is not null && !(zip.Length is 5 or 10 && zip.Select((c, i) => i == 5 ? c == '-' : char.IsAsciiDigit(c)).All(fits => fits)), "input.addresses", $"A ZIP code is five digits, or nine such as 31401-1234; got {zip?.Length} characters.");
        return new CheckedAddress(Optional("street", input.Street, 200), Optional("city", input.City, 100), state, zip);
    }

    private static CheckedOwner Owner(OwnerInput input)
    {
        decimal? share = null;
        if (!string.IsNullOrWhiteSpace(input.SharePercent))
        {
            Refuse.If(
                !decimal.TryParse(input.SharePercent.Trim().TrimEnd('%'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) || percent > 100m || decimal.Round(percent, 3) != percent,
                "input.owners", $"A share is 0 to 100 percent with at most three decimals; got {InputText.Short(input.SharePercent)}.");
            share = percent;
        }

        return new CheckedOwner(input.Id, Text("owner", input.Name, LongestName), share, input.IsGuarantor);
    }
}

internal sealed record CheckedContact([property: JsonPropertyName("value")] string Value, [property: JsonPropertyName("digits")] string? Digits);

internal sealed record CheckedAddress(
    [property: JsonPropertyName("street")] string? Street, [property: JsonPropertyName("city")] string? City, [property: JsonPropertyName("state")] string? State, [property: JsonPropertyName("zip")] string? Zip);

internal sealed record CheckedOwner(
    [property: JsonPropertyName("id")] Guid? Id, [property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("share_percent")] decimal? SharePercent, [property: JsonPropertyName("is_guarantor")] bool IsGuarantor);
