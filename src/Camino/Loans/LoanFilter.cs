using System.Globalization;
using Camino.Imports;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

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
        string? Text(string key) => query[key].ToString().Trim() is { Length: > 0 and <= 100 } text ? text : null;
        int? Whole(string key, int least, int most) =>
            int.TryParse(Text(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;
        decimal? Sum(string key) =>
            decimal.TryParse(Text(key)?.Replace(",", "", StringComparison.Ordinal).TrimStart('$'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var sum) && sum < 1_000_000_000_000m ? sum : null;
        T? Name<T>(string key)
            where T : struct, Enum =>
            Enum.TryParse<T>(Text(key), ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsDigit(Text(key)![0]) ? value : null;

        var sort = Text("sort") ?? "newest";
        return new LoanFilter
        {
            Text = Text("q"),
            State = Text("state") is { Length: 2 } state && state.All(char.IsAsciiLetter) ? state.ToUpperInvariant() : null,
            Status = Name<LoanStatus>("status"),
            Source = Name<LoanSource>("source"),
            Sector = Text("sector") is { } sector && Reference.NaicsNames.Sectors.Contains(sector) ? sector : null,
            Industry = Text("industry") is { Length: 6 } industry && industry.All(char.IsAsciiDigit) ? industry : null,
            Year = Whole("year", 1900, 2200),
            Paid = Whole("paid", 1900, 2200),
            AmountFrom = Sum("from"),
            AmountTo = Sum("to"),
            TermFrom = Whole("termFrom", 0, 9999),
            TermTo = Whole("termTo", 0, 9999),
            Import = Guid.TryParse(Text("import"), out var import) ? import : null,
            Sort = Enum.TryParse<LoanSort>(sort.TrimStart('-'), ignoreCase: true, out var by) && Enum.IsDefined(by) ? by : LoanSort.Newest,
            Reverse = sort.StartsWith('-'),
        };
    }

    /// <summary>The same as an address: <c>?state=CA&amp;sort=amount</c>; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null)
    {
        var query = new QueryBuilder();
        void Add(string key, string? value)
        {
            if (value is not null)
                query.Add(key, value);
        }

        Add("q", Text);
        Add("state", State);
        Add("status", Status?.ToString().ToLowerInvariant());
        Add("source", Source?.ToString().ToLowerInvariant());
        Add("sector", Sector);
        Add("industry", Industry);
        Add("year", Year?.ToString(CultureInfo.InvariantCulture));
        Add("paid", Paid?.ToString(CultureInfo.InvariantCulture));
        Add("from", AmountFrom?.ToString("0.##", CultureInfo.InvariantCulture));
        Add("to", AmountTo?.ToString("0.##", CultureInfo.InvariantCulture));
        Add("termFrom", TermFrom?.ToString(CultureInfo.InvariantCulture));
        Add("termTo", TermTo?.ToString(CultureInfo.InvariantCulture));
        Add("import", Import?.ToString());
        if (Sort != LoanSort.Newest || Reverse)
            Add("sort", (Reverse ? "-" : "") + Sort.ToString().ToLowerInvariant());
        if (cursorName is not null)
            Add(cursorName, cursor);
        return query.ToString();
    }
}

/// <summary>Where a page of a list begins: the sort value and the id of the row next to it.</summary>
/// <param name="Value">As text in invariant form; null where the row has none (those come last).</param>
/// <param name="Backward">The rows before it are wanted, not those after it.</param>
public sealed record LoanCursor(string? Value, Guid Id, bool Backward)
{
    /// <summary>Reads what <see cref="ToString"/> wrote; anything else is no cursor.</summary>
    public static LoanCursor? Read(string? text, bool backward)
    {
        if (text is null || text.LastIndexOf('~') is var cut && cut < 0)
            return null;
        cut = text.LastIndexOf('~');
        return Guid.TryParse(text[(cut + 1)..], out var id) ? new LoanCursor(cut == 0 ? null : text[..cut], id, backward) : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Value}~{Id}";
}
