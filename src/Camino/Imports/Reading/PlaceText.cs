using System.Collections.Frozen;

namespace Camino.Imports;

/// <summary>Reads states and ZIP codes.</summary>
internal static class PlaceText
{
    /// <summary>The lowest ZIP code in use is 00501 (Holtsville, New York).</summary>
    private const int LowestZip = 501;

    private static readonly (string Code, string Name, int Fips)[] States =
    [
        ("AL", "ALABAMA", 1), ("AK", "ALASKA", 2), ("AZ", "ARIZONA", 4), ("AR", "ARKANSAS", 5), ("CA", "CALIFORNIA", 6), ("CO", "COLORADO", 8),
        ("CT", "CONNECTICUT", 9), ("DE", "DELAWARE", 10), ("DC", "DISTRICT OF COLUMBIA", 11), ("FL", "FLORIDA", 12), ("GA", "GEORGIA", 13),
        ("HI", "HAWAII", 15), ("ID", "IDAHO", 16), ("IL", "ILLINOIS", 17), ("IN", "INDIANA", 18), ("IA", "IOWA", 19), ("KS", "KANSAS", 20),
        ("KY", "KENTUCKY", 21), ("LA", "LOUISIANA", 22), ("ME", "MAINE", 23), ("MD", "MARYLAND", 24), ("MA", "MASSACHUSETTS", 25),
        ("MI", "MICHIGAN", 26), ("MN", "MINNESOTA", 27), ("MS", "MISSISSIPPI", 28), ("MO", "MISSOURI", 29), ("MT", "MONTANA", 30),
        ("NE", "NEBRASKA", 31), ("NV", "NEVADA", 32), ("NH", "NEW HAMPSHIRE", 33), ("NJ", "NEW JERSEY", 34), ("NM", "NEW MEXICO", 35),
        ("NY", "NEW YORK", 36), ("NC", "NORTH CAROLINA", 37), ("ND", "NORTH DAKOTA", 38), ("OH", "OHIO", 39), ("OK", "OKLAHOMA", 40),
        ("OR", "OREGON", 41), ("PA", "PENNSYLVANIA", 42), ("RI", "RHODE ISLAND", 44), ("SC", "SOUTH CAROLINA", 45), ("SD", "SOUTH DAKOTA", 46),
        ("TN", "TENNESSEE", 47), ("TX", "TEXAS", 48), ("UT", "UTAH", 49), ("VT", "VERMONT", 50), ("VA", "VIRGINIA", 51), ("WA", "WASHINGTON", 53),
        ("WV", "WEST VIRGINIA", 54), ("WI", "WISCONSIN", 55), ("WY", "WYOMING", 56), ("AS", "AMERICAN SAMOA", 60), ("GU", "GUAM", 66),
        ("MP", "NORTHERN MARIANA ISLANDS", 69), ("PR", "PUERTO RICO", 72), ("VI", "VIRGIN ISLANDS", 78), ("FM", "MICRONESIA", 64),
        ("MH", "MARSHALL ISLANDS", 68), ("PW", "PALAU", 70), ("AA", "ARMED FORCES AMERICAS", 0), ("AE", "ARMED FORCES EUROPE", 0),
        ("AP", "ARMED FORCES PACIFIC", 0),
    ];

    private static readonly string?[] ByLetters = new string?[26 * 26];
    private static readonly string?[] ByFips = new string?[100];
    private static readonly FrozenDictionary<string, string> ByName =
        States.ToFrozenDictionary(state => state.Name, state => state.Code, StringComparer.OrdinalIgnoreCase);

    static PlaceText()
    {
        foreach (var (code, _, fips) in States)
        {
            ByLetters[((code[0] - 'A') * 26) + code[1] - 'A'] = code;
            if (fips > 0)
                ByFips[fips] = code;
        }
    }

    /// <summary>A state, territory or military post by its postal code or its name, in any case; null when it is none.</summary>
    public static string? State(ReadOnlySpan<byte> text)
    {
        if (text.Length != 2)
            return text.Length <= 30 && ByName.TryGetValue(System.Text.Encoding.UTF8.GetString(text), out var code) ? code : null;

        int first = (text[0] | 0x20) - 'a', second = (text[1] | 0x20) - 'a';
        return (uint)first < 26 && (uint)second < 26 ? ByLetters[(first * 26) + second] : null;
    }

    /// <summary>The state of a county's FIPS code (13179 is in Georgia); null when it is none.</summary>
    public static string? StateOfCounty(int fips) => fips is >= 1_000 and <= 99_999 ? ByFips[fips / 1_000] : null;

    /// <summary>
    /// Five digits from <c>940</c> (leading zeros restored), <c>31401.0</c>, <c>12345-6789</c> or <c>123456789</c> (the last four left out).
    /// </summary>
    /// <returns>False when it is no ZIP code. <paramref name="zip"/> 0 stands for none.</returns>
    public static bool TryZip(ReadOnlySpan<byte> text, out int zip)
    {
        zip = 0;
        if (text.EndsWith(".0"u8))
            text = text[..^2];

        var dash = text.IndexOf((byte)'-');
        if (dash == 5 && text.Length == 10 && !text[6..].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            text = text[..5];
        if (text.Length == 9 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            text = text[..5];
        if (text.Length is 0 or > 5)
            return false;

        foreach (var digit in text)
        {
            if ((uint)(digit - '0') > 9)
                return false;

            zip = (zip * 10) + digit - '0';
        }

        return zip is 0 or >= LowestZip;
    }
}
