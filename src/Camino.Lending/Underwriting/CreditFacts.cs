using System.Globalization;
using Camino.Lending.Applications.CashFlows;

namespace Camino.Lending.Underwriting;

/// <summary>What the values of a fact are.</summary>
public enum FactUnit
{
    /// <summary>Dollars; below zero where a balance can be.</summary>
    Dollars,

    /// <summary>Percent, with two decimals.</summary>
    Percent,

    /// <summary>A count, a score, days or months.</summary>
    Count,

    /// <summary>One of a few words.</summary>
    Word,
}

/// <summary>One thing that rules and scorecards may ask for.</summary>
/// <param name="Name">Stored in policies and evaluations: never renamed.</param>
/// <param name="Words">The words that it can be; empty where it is a number, or any word of two letters.</param>
public sealed record CreditFact(string Name, FactUnit Unit, params string[] Words);

/// <summary>What the credit bureau said of one business or person.</summary>
public sealed record BureauReport(int Score, int OpenLoans, int LatePayments);

/// <summary>What facts are made of: what the application says, what its checks found, what its bank statements come to.</summary>
/// <param name="Principal">Dollars; what is asked for, or what is to be offered.</param>
/// <param name="ReceivedOn">The day the application was taken in.</param>
/// <param name="State">Where the business is: two letters.</param>
/// <param name="Guarantors">Owners who guarantee.</param>
/// <param name="Sanctions"><c>clear</c>, <c>waiting</c> or <c>confirmed</c>; null: not looked yet.</param>
/// <param name="Registry"><c>active</c>, <c>inactive</c> or <c>notFound</c>; null: not asked.</param>
/// <param name="Owners">A report for each owner that was asked for.</param>
/// <param name="Identities"><c>match</c>, <c>partial</c> or <c>noMatch</c> of each owner that was asked for.</param>
public sealed record FactSources(
    Money Principal, int? TermMonths, Money? AnnualRevenue, DateOnly? StartedOn, DateOnly ReceivedOn, string? State, int Guarantors, string? Sanctions, string? Registry, BureauReport? Business, IReadOnlyList<BureauReport> Owners,
    IReadOnlyList<string> Identities, CashPeriod? CashFlow, int Lenders)
{
    /// <summary><c>verified</c>, <c>nameDiffers</c>, <c>closed</c> or <c>notFound</c>; null: no account was given, or nobody was asked.</summary>
    public string? BankAccount { get; init; }
}

/// <summary>The facts of one application, each by its name as plain text: <c>25000.00</c>, <c>match</c>. What is not known is not there.</summary>
/// <remarks>Nobody's age, sex, name, origin or marital state is a fact: 12 CFR 1002.6(b). The business is judged with what its owners owe and pay.</remarks>
public sealed class CreditFacts
{
    private static readonly string[] s_identities = ["match", "partial", "noMatch"];

    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <param name="values">As <see cref="Values"/> gave them.</param>
    public CreditFacts(IEnumerable<KeyValuePair<string, string>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var (name, value) in values)
            _values[name] = value;
    }

    /// <summary>Every fact, in the order in which pages show them.</summary>
    public static IReadOnlyList<CreditFact> All { get; } =
    [
        new("amount", FactUnit.Dollars),
        new("termMonths", FactUnit.Count),
        new("annualRevenue", FactUnit.Dollars),
        new("amountToRevenue", FactUnit.Percent),
        new("monthsInBusiness", FactUnit.Count),
        new("state", FactUnit.Word),
        new("guarantors", FactUnit.Count),
        new("sanctions", FactUnit.Word, "clear", "waiting", "confirmed"),
        new("registry", FactUnit.Word, "active", "inactive", "notFound"),
        new("identity", FactUnit.Word, s_identities),
        new("bankAccount", FactUnit.Word, "verified", "nameDiffers", "closed", "notFound"),
        new("ownerScore", FactUnit.Count),
        new("ownerLatePayments", FactUnit.Count),
        new("ownerOpenLoans", FactUnit.Count),
        new("businessScore", FactUnit.Count),
        new("businessLatePayments", FactUnit.Count),
        new("businessOpenLoans", FactUnit.Count),
        new("statementDays", FactUnit.Count),
        new("monthlyDeposits", FactUnit.Dollars),
        new("amountToDeposits", FactUnit.Percent),
        new("averageBalance", FactUnit.Dollars),
        new("lowestBalance", FactUnit.Dollars),
        new("negativeDays", FactUnit.Count),
        new("returnedItems", FactUnit.Count),
        new("overdraftFees", FactUnit.Count),
        new("otherLenders", FactUnit.Count),
        new("lenderShare", FactUnit.Percent),
    ];

    /// <summary>Name and value of all that is known, in the order of the names.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>The fact of a name, or null.</summary>
    public static CreditFact? Find(string name) => All.FirstOrDefault(fact => fact.Name == name);

    /// <summary>Reckons the facts. Of several owners the weakest counts: the lowest score, the most late payments, the worst identity; open loans are added up.</summary>
    public static CreditFacts Of(FactSources from)
    {
        ArgumentNullException.ThrowIfNull(from);
        var facts = new CreditFacts([]);
        var amount = from.Principal.Dollars;
        facts.Put("amount", amount);
        facts.Put("termMonths", from.TermMonths);
        facts.Put("annualRevenue", from.AnnualRevenue?.Dollars);
        facts.Put("amountToRevenue", Share(amount, from.AnnualRevenue?.Dollars));
        facts.Put("monthsInBusiness", from.StartedOn is { } start ? Months(start, from.ReceivedOn) : null);
        facts.Put("state", from.State);
        facts.Put("guarantors", from.Guarantors);
        facts.Put("sanctions", from.Sanctions);
        facts.Put("registry", from.Registry);
        facts.Put("identity", from.Identities.OrderByDescending(one => Array.IndexOf(s_identities, one)).FirstOrDefault());
        facts.Put("bankAccount", from.BankAccount);
        if (from.Owners.Count > 0)
        {
            facts.Put("ownerScore", from.Owners.Min(one => one.Score));
            facts.Put("ownerLatePayments", from.Owners.Max(one => one.LatePayments));
            facts.Put("ownerOpenLoans", from.Owners.Sum(one => one.OpenLoans));
        }

        facts.Put("businessScore", from.Business?.Score);
        facts.Put("businessLatePayments", from.Business?.LatePayments);
        facts.Put("businessOpenLoans", from.Business?.OpenLoans);
        if (from.CashFlow is { DaysCovered: > 0 } cash)
            facts.PutCash(amount, cash, from.Lenders);
        return facts;
    }

    /// <summary>The number that a fact is; null where it is not known.</summary>
    public decimal? Number(string name) => _values.TryGetValue(name, out var text) ? decimal.Parse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : null;

    /// <summary>The text that a fact is; null where it is not known.</summary>
    public string? Text(string name) => _values.GetValueOrDefault(name);

    /// <summary>Whether both know the same.</summary>
    public bool IsSame(CreditFacts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _values.SequenceEqual(other._values);
    }

    /// <summary>Deposits are told for thirty days, so that statements of different lengths compare.</summary>
    private void PutCash(decimal amount, CashPeriod cash, int lenders)
    {
        var monthly = decimal.Round(cash.Deposits.Dollars * 30m / cash.DaysCovered, 2, MidpointRounding.ToEven);
        Put("statementDays", cash.DaysCovered);
        Put("monthlyDeposits", monthly);
        Put("amountToDeposits", Share(amount, monthly));
        Put("averageBalance", cash.AverageBalance?.Dollars);
        Put("lowestBalance", cash.LowestBalance?.Dollars);
        Put("negativeDays", cash.NegativeDays);
        Put("returnedItems", cash.ReturnedItems);
        Put("overdraftFees", cash.OverdraftFees);
        Put("otherLenders", lenders);
        Put("lenderShare", Share(cash.LenderDebits.Dollars, cash.Deposits.Dollars));
    }

    private void Put(string name, decimal? value)
    {
        if (value is { } number)
            _values[name] = number.ToString("0.00", CultureInfo.InvariantCulture);
    }

    private void Put(string name, int? value)
    {
        if (value is { } number)
            _values[name] = number.ToString(CultureInfo.InvariantCulture);
    }

    private void Put(string name, string? word)
    {
        if (word is not null)
            _values[name] = word;
    }

    private static decimal? Share(decimal part, decimal? whole) => whole is { } all && all > 0m ? decimal.Round(part * 100m / all, 2, MidpointRounding.ToEven) : null;

    /// <summary>Whole months from one day to another; none where the first is later.</summary>
    private static int Months(DateOnly from, DateOnly to)
    {
        var months = ((to.Year - from.Year) * 12) + to.Month - from.Month - (to.Day < from.Day ? 1 : 0);
        return Math.Max(0, months);
    }
}
