using System.Collections.Frozen;

namespace Camino.Reference;

/// <summary>Titles of industries: the North American Industry Classification System, edition of 2017, six digits (Reference/naics.csv).</summary>
/// <remarks>Codes of older editions are not in the list; a page shows the code and its sector then.</remarks>
public static class NaicsNames
{
    private static readonly Lazy<FrozenDictionary<string, string>> Titles = new(Read);

    /// <summary>The title, or null where the code is not of this edition.</summary>
    public static string? Title(string code) => Titles.Value.GetValueOrDefault(code);

    /// <summary>
    /// The sector of a code, named by its first prefix: manufacturing has 31, 32 and 33 and is <c>31</c>. Empty where no sector has the prefix.
    /// </summary>
    public static string Sector(string code) => (code.Length < 2 ? "" : code[..2]) switch
    {
        "32" or "33" => "31",
        "45" => "44",
        "49" => "48",
        "11" or "21" or "22" or "23" or "31" or "42" or "44" or "48" or "51" or "52" or "53" or "54" or "55" or "56" or "61" or "62" or "71" or "72" or "81" or "92" => code[..2],
        _ => "",
    };

    /// <summary>The prefixes that belong to a sector.</summary>
    public static IReadOnlyList<string> Prefixes(string sector) => sector switch
    {
        "31" => ["31", "32", "33"],
        "44" => ["44", "45"],
        "48" => ["48", "49"],
        _ => [sector],
    };

    /// <summary>All sectors in the order of their codes.</summary>
    public static IReadOnlyList<string> Sectors { get; } =
        ["11", "21", "22", "23", "31", "42", "44", "48", "51", "52", "53", "54", "55", "56", "61", "62", "71", "72", "81", "92"];

    private static FrozenDictionary<string, string> Read()
    {
        using var stream = typeof(NaicsNames).Assembly.GetManifestResourceStream("Camino.Reference.naics.csv")
            ?? throw new InvalidOperationException("Camino.Reference.naics.csv is not in the assembly.");
        using var lines = new StreamReader(stream);
        var titles = new Dictionary<string, string>(1100, StringComparer.Ordinal);
        lines.ReadLine();
        while (lines.ReadLine() is { } line)
        {
            var comma = line.IndexOf(',', StringComparison.Ordinal);
            if (comma == 6)
                titles[line[..comma]] = line[(comma + 1)..].Trim('"').Replace("\"\"", "\"", StringComparison.Ordinal);
        }

        return titles.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

/// <summary>The postal codes by which loans can be filtered: states, the District of Columbia, territories.</summary>
public static class StateCodes
{
    /// <summary>In the order of the alphabet.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "AK", "AL", "AR", "AS", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "FM", "GA", "GU", "HI", "IA", "ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MH", "MI", "MN", "MO", "MP", "MS",
        "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR", "PW", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VI", "VT", "WA", "WI", "WV", "WY",
    ];
}
