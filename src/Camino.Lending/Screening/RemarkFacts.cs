using System.Globalization;

namespace Camino.Lending.Screening;

/// <summary>Facts in the remarks of an entry, which are one text of parts divided by semicolons.</summary>
internal static class RemarkFacts
{
    private static readonly string[] s_birth = ["DOB ", "alt. DOB "];
    private static readonly string[] s_place = ["POB ", "alt. POB ", "nationality ", "alt. nationality ", "citizen ", "alt. citizen "];
    private static readonly string[] s_days = ["dd MMM yyyy", "d MMM yyyy"];

    public static IReadOnlyList<BirthRange> BirthDates(string remarks) =>
        [.. Parts(remarks, s_birth).Select(Birth).OfType<BirthRange>().Distinct()];

    public static IReadOnlyCollection<string> Countries(string remarks, IReadOnlyList<ListedAddress> addresses) =>
        addresses.Select(address => address.Country).Concat(Parts(remarks, s_place).Select(place => place[(place.LastIndexOf(',') + 1)..]))
            .Select(Country).Where(country => country.Length > 0).ToHashSet(StringComparer.Ordinal);

    /// <summary>Nicknames: <c>a.k.a. 'THE CHESS PLAYER'</c>.</summary>
    public static IEnumerable<string> WeakNames(string remarks)
    {
        const string mark = ".k.a. '";
        for (var at = remarks.IndexOf(mark, StringComparison.Ordinal); at >= 0; at = remarks.IndexOf(mark, at, StringComparison.Ordinal))
        {
            at += mark.Length;
            var end = remarks.IndexOf("';", at, StringComparison.Ordinal) is var part and >= 0 ? part : remarks.IndexOf("'.", at, StringComparison.Ordinal);
            if (end < 0)
                yield break;
            if (end > at)
                yield return remarks[at..end];
            at = end;
        }
    }

    /// <summary>A country's name as it is compared.</summary>
    public static string Country(string name) => string.Join(' ', NameWords.Of(name, PartyKind.Person).Words.Select(word => word.Text));

    private static IEnumerable<string> Parts(string remarks, string[] marks) =>
        from part in remarks.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        from mark in marks
        where part.StartsWith(mark, StringComparison.Ordinal)
        select part[mark.Length..].TrimEnd('.', ' ');

    private static BirthRange? Birth(string text)
    {
        var isCirca = text.StartsWith("circa ", StringComparison.Ordinal);
        var ends = (isCirca ? text[6..] : text).Split([" to ", "-"], StringSplitOptions.TrimEntries);
        if (ends.Length > 2 || One(ends[0]) is not { } from || One(ends[^1]) is not { } to || to.To < from.From)
            return null;
        return isCirca ? new BirthRange(from.From.AddYears(-1), to.To.AddYears(1)) : new BirthRange(from.From, to.To);
    }

    private static BirthRange? One(string text)
    {
        if (DateOnly.TryParseExact(text, s_days, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return new BirthRange(day, day);
        if (DateOnly.TryParseExact("01 " + text, "dd MMM yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month))
            return new BirthRange(month, month.AddMonths(1).AddDays(-1));
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year is >= 1800 and < 2200
            ? new BirthRange(new DateOnly(year, 1, 1), new DateOnly(year, 12, 31))
            : null;
    }
}
