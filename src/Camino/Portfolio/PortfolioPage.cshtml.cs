using System.Globalization;
using Camino.Reference;
using Camino.Resources;
using Camino.Web;
using Camino.Web.Charts;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Portfolio;

/// <summary>One line of a ranking.</summary>
/// <param name="Link">The loans behind it; null where there is no such list.</param>
public sealed record RankLine(string Name, string? Note, string? Link, Figure Figure);

/// <summary>The book in numbers and pictures; every bar leads to its loans.</summary>
[Authorize(Permissions.PortfolioRead)]
public sealed class PortfolioPage(ReadPortfolio read, IStringLocalizer<Texts> texts) : PageModel
{
    private const int Ranked = 15;
    private const int FewLoans = 30;

    /// <summary>Null when nothing was imported yet.</summary>
    public PortfolioView? Book { get; private set; }

    public async Task OnGetAsync(CancellationToken ct) => Book = await read.RunAsync(ct);

    /// <summary>Disbursed and outstanding for each calendar year.</summary>
    public IReadOnlyList<ChartColumn> Years(PortfolioView book) =>
        [.. Dense(book.Years).Select(f => new ChartColumn(f.Key, Weight(f.Key), [f.Disbursed, f.Balance], $"{f.Key}: {texts["Amount.Disbursed"]} {Show.Money(f.Disbursed)}, {texts["Amount.Balance"]} {Show.Money(f.Balance)}, {texts.Count("Loans.Count", f.Loans)}", "/loans?paid=" + f.Key))];

    /// <summary>Charge-off rate for each fiscal year of approval.</summary>
    public IReadOnlyList<ChartColumn> Vintages(PortfolioView book) =>
        [.. Dense(book.Vintages).Select(f => new ChartColumn(f.Key, Weight(f.Key), [f.ChargeOffRate], VintageTitle(f), "/loans?year=" + f.Key, f.LoansClosed < FewLoans))];

    /// <summary>Loans by term in months.</summary>
    public IReadOnlyList<ChartColumn> Terms(PortfolioView book) =>
        [.. Banded(book.Terms, PortfolioBands.Terms).Select((f, i) => new ChartColumn(TermLabel(i), i % 2 == 0 ? 2 : 1, [f.Loans], BandTitle(TermName(i), f), TermLink(i)))];

    /// <summary>Loans by amount.</summary>
    public IReadOnlyList<ChartColumn> Sizes(PortfolioView book) =>
        [.. Banded(book.Sizes, PortfolioBands.Sizes).Select((f, i) => new ChartColumn(SizeLabel(i), i % 2 == 0 ? 2 : 1, [f.Loans], BandTitle(SizeName(i), f), SizeLink(i)))];

    /// <summary>The term bands as a table.</summary>
    public IReadOnlyList<RankLine> TermLines(PortfolioView book) =>
        [.. Banded(book.Terms, PortfolioBands.Terms).Select((f, i) => new RankLine(TermName(i), null, TermLink(i), f)), .. Unknown(book.Terms)];

    /// <summary>The size bands as a table.</summary>
    public IReadOnlyList<RankLine> SizeLines(PortfolioView book) =>
        [.. Banded(book.Sizes, PortfolioBands.Sizes).Select((f, i) => new RankLine(SizeName(i), null, SizeLink(i), f)), .. Unknown(book.Sizes)];

    /// <summary>The largest states, then all others together.</summary>
    public IReadOnlyList<RankLine> States(PortfolioView book)
    {
        var known = book.States.Where(f => f.Key.Length > 0).ToList();
        var lines = known.Take(Ranked).Select(f => new RankLine(f.Key, null, "/loans?state=" + f.Key, f)).ToList();
        if (known.Count > Ranked)
            lines.Add(new RankLine(texts["Portfolio.OtherStates", known.Count - Ranked], null, null, known.Skip(Ranked).Aggregate(Figure.Add)));
        lines.AddRange(book.States.Where(f => f.Key.Length == 0).Select(f => new RankLine(texts["Portfolio.Unknown"], null, null, f)));
        return lines;
    }

    /// <summary>All sectors.</summary>
    public IReadOnlyList<RankLine> Sectors(PortfolioView book) =>
        [.. book.Sectors.OrderBy(f => f.Key.Length == 0).Select(f => f.Key.Length == 0 ? new RankLine(texts["Portfolio.Unknown"], null, null, f) : new RankLine(texts["Sector." + f.Key], null, "/loans?sector=" + f.Key, f))];

    /// <summary>The largest industries.</summary>
    public IReadOnlyList<RankLine> Industries(PortfolioView book) =>
        [.. book.Industries.Take(Ranked).Select(f => new RankLine(NaicsNames.Title(f.Key) ?? texts.Or("Sector." + NaicsNames.Sector(f.Key), f.Key), f.Key, "/loans?industry=" + f.Key, f))];

    private string VintageTitle(Figure f) =>
        f.ChargeOffRate is { } rate ? texts["Portfolio.VintageTitle", f.Key, Show.Percent(rate), Show.Number(f.LoansChargedOff), Show.Number(f.LoansClosed)] : texts["Portfolio.VintageNone", f.Key];

    private string BandTitle(string name, Figure f) => $"{name}: {texts.Count("Loans.Count", f.Loans)}, {Show.Money(f.Disbursed)}";

    private IEnumerable<RankLine> Unknown(IReadOnlyList<Figure> figures) => figures.Where(f => f.Key.Length == 0).Select(f => new RankLine(texts["Portfolio.Unknown"], null, null, f));

    private string TermName(int i) => Next(PortfolioBands.Terms, i) is { } end ? texts["Portfolio.TermBand", PortfolioBands.Terms[i], end - 1] : texts["Portfolio.TermFrom", PortfolioBands.Terms[i]];

    private string SizeName(int i)
    {
        var from = Show.ShortMoney(PortfolioBands.Sizes[i]);
        return Next(PortfolioBands.Sizes, i) is not { } end ? texts["Portfolio.SizeFrom", from]
            : i == 0 ? texts["Portfolio.SizeBelow", Show.ShortMoney(end)]
            : texts["Portfolio.SizeBand", from, Show.ShortMoney(end)];
    }

    private static string TermLabel(int i) =>
        Next(PortfolioBands.Terms, i) is { } end ? string.Create(CultureInfo.InvariantCulture, $"≤{end - 1}") : string.Create(CultureInfo.InvariantCulture, $"{PortfolioBands.Terms[i]}+");

    private static string SizeLabel(int i) =>
        Next(PortfolioBands.Sizes, i) is { } end ? "<" + Tight(end) : Tight(PortfolioBands.Sizes[i]) + "+";

    private static string TermLink(int i) =>
        string.Create(CultureInfo.InvariantCulture, $"/loans?termFrom={PortfolioBands.Terms[i]}") + (Next(PortfolioBands.Terms, i) is { } end ? string.Create(CultureInfo.InvariantCulture, $"&termTo={end - 1}") : "");

    /// <summary>The loans of a size band; it ends a cent below the next one.</summary>
    private static string SizeLink(int i) =>
        string.Create(CultureInfo.InvariantCulture, $"/loans?sort=amount&from={PortfolioBands.Sizes[i]}") + (Next(PortfolioBands.Sizes, i) is { } end ? string.Create(CultureInfo.InvariantCulture, $"&to={end - 0.01m}") : "");

    private static string Tight(int dollars) => Show.Compact(dollars).Replace(" ", "", StringComparison.Ordinal);

    private static int? Next(IReadOnlyList<int> bounds, int i) => i + 1 < bounds.Count ? bounds[i + 1] : null;

    /// <summary>Every band in order, also those without loans.</summary>
    private static IEnumerable<Figure> Banded(IReadOnlyList<Figure> figures, IReadOnlyList<int> bounds) =>
        bounds.Select(bound => bound.ToString(CultureInfo.InvariantCulture)).Select(key => figures.FirstOrDefault(f => f.Key == key) ?? Nothing(key));

    private static Figure Nothing(string key) => new(key, 0, 0m, 0m, 0m, 0m, 0, 0);

    private static int Weight(string year) => year.EndsWith('0') ? 2 : year.EndsWith('5') ? 1 : 0;

    /// <summary>Every year from the first to the last, so that a gap in the book is a gap in the picture.</summary>
    private static List<Figure> Dense(IReadOnlyList<Figure> figures)
    {
        var byYear = figures.Where(f => f.Key.Length == 4).ToDictionary(f => int.Parse(f.Key, CultureInfo.InvariantCulture));
        if (byYear.Count == 0)
            return [];
        var first = byYear.Keys.Min();
        return [.. Enumerable.Range(first, byYear.Keys.Max() - first + 1)
            .Select(year => byYear.GetValueOrDefault(year) ?? Nothing(year.ToString(CultureInfo.InvariantCulture)))];
    }
}
