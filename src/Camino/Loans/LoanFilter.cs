using System.Globalization;
using Camino.Imports;
using Camino.Web;
using Microsoft.AspNetCore.Http;

namespace Camino.Loans;

/// <summary>By what the list of loans is sorted. The names stand in addresses.</summary>
public enum LoanSort
{
    /// <summary>By the time of booking.</summary>
    Newest,
    Number,
    Amount,

    /// <summary>By the date of approval.</summary>
    Approved,
}

/// <summary>Which loans a list or an export shows, and in which order: exactly what the address of the page says.</summary>
public sealed record LoanFilter
{
    /// <summary>Words of the borrower's name in any order, or the beginning of a number.</summary>
    public string? Text { get; init; }

    public string? State { get; init; }
    public LoanStatus? Status { get; init; }
    public LoanSource? Source { get; init; }

    /// <summary>First prefix of a sector of <see cref="Reference.NaicsNames.Sectors"/>.</summary>
    public string? Sector { get; init; }

    /// <summary>Six digits.</summary>
    public string? Industry { get; init; }

    /// <summary>Fiscal year of approval.</summary>
    public int? Year { get; init; }

    /// <summary>Calendar year of disbursement, of approval where there is none.</summary>
    public int? Paid { get; init; }

    /// <summary>Dollars, inclusive.</summary>
    public decimal? AmountFrom { get; init; }

    /// <summary>Dollars, inclusive.</summary>
    public decimal? AmountTo { get; init; }

    /// <summary>Months, inclusive.</summary>
    public int? TermFrom { get; init; }

    /// <summary>Months, inclusive.</summary>
    public int? TermTo { get; init; }

    /// <summary>The import that wrote the present state.</summary>
    public Guid? Import { get; init; }

    /// <summary>Only what is seen from these branches, null: everything; no part of an address.</summary>
    public Guid[]? Branches { get; init; }

    public LoanSort Sort { get; init; }

    /// <summary>The other way round: oldest, highest number, smallest amount first.</summary>
    public bool Reverse { get; init; }

    /// <summary>True when every loan is shown.</summary>
    public bool IsEmpty => this with { Sort = LoanSort.Newest, Reverse = false } == new LoanFilter();

    /// <summary>Largest first for amounts and dates, in order for numbers.</summary>
    public bool Descending => (Sort != LoanSort.Number) != Reverse;

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static LoanFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        var (sort, reverse) = address.Sort<LoanSort>();
        return new LoanFilter
        {
            Text = address.Text("q"),
            State = address.Text("state") is { Length: 2 } state && state.All(char.IsAsciiLetter) ? state.ToUpperInvariant() : null,
            Status = address.Name<LoanStatus>("status"),
            Source = address.Name<LoanSource>("source"),
            Sector = address.Text("sector") is { } sector && Reference.NaicsNames.Sectors.Contains(sector) ? sector : null,
            Industry = address.Text("industry") is { Length: 6 } industry && industry.All(char.IsAsciiDigit) ? industry : null,
            Year = address.Whole("year", 1900, 2200),
            Paid = address.Whole("paid", 1900, 2200),
            AmountFrom = address.Sum("from"),
            AmountTo = address.Sum("to"),
            TermFrom = address.Whole("termFrom", 0, 9999),
            TermTo = address.Whole("termTo", 0, 9999),
            Import = Guid.TryParse(address.Text("import"), out var import) ? import : null,
            Sort = sort,
            Reverse = reverse,
        };
    }

    /// <summary>The same as an address: <c>?state=CA&amp;sort=amount</c>; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter()
        .Add("q", Text)
        .Add("state", State)
        .Add("status", Status)
        .Add("source", Source)
        .Add("sector", Sector)
        .Add("industry", Industry)
        .Add("year", Year?.ToString(CultureInfo.InvariantCulture))
        .Add("paid", Paid?.ToString(CultureInfo.InvariantCulture))
        .Add("from", AmountFrom?.ToString("0.##", CultureInfo.InvariantCulture))
        .Add("to", AmountTo?.ToString("0.##", CultureInfo.InvariantCulture))
        .Add("termFrom", TermFrom?.ToString(CultureInfo.InvariantCulture))
        .Add("termTo", TermTo?.ToString(CultureInfo.InvariantCulture))
        .Add("import", Import?.ToString())
        .Sort(Sort, Reverse)
        .ToQuery(cursorName, cursor);
}
