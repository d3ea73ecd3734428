using System.Collections.Frozen;
using System.Globalization;

namespace Camino.Imports;

/// <summary>How headings are compared: by their letters and digits, whatever the case, blanks and signs.</summary>
internal static class Headings
{
    private static readonly FrozenSet<string> Demographic = FrozenSet.ToFrozenSet(
    [
        "race", "ethnicity", "raceethnicity", "raceandethnicity", "gender", "sex", "veteran", "veteranstatus", "sexorgender", "nationalorigin", "religion",
    ]);

    /// <summary><c>LoanNr_ChkDgt</c> becomes <c>loannrchkdgt</c>.</summary>
    public static string Key(string heading) =>
        string.Create(heading.Count(char.IsLetterOrDigit), heading, static (key, heading) =>
        {
            var at = 0;
            foreach (var letter in heading)
            {
                if (char.IsLetterOrDigit(letter))
                    key[at++] = char.ToLowerInvariant(letter);
            }
        });

    /// <summary>Position of a heading, or -1. An exact match goes before one by letters and digits; the first of several counts.</summary>
    public static int Find(IReadOnlyList<string> header, string heading)
    {
        for (var i = 0; i < header.Count; i++)
        {
            if (string.Equals(header[i], heading, StringComparison.Ordinal))
                return i;
        }

        var key = Key(heading);
        for (var i = 0; i < header.Count && key.Length > 0; i++)
        {
            if (string.Equals(Key(header[i]), key, StringComparison.Ordinal))
                return i;
        }

        return -1;
    }

    /// <summary>Answers about race, ethnicity, sex, veteran status: kept away from credit staff (Regulation B, 12 CFR 1002.5(b)).</summary>
    public static bool IsDemographic(string heading) => Demographic.Contains(Key(heading));

    /// <summary>Trims headings and makes repeated ones distinct by a number: Name, Name (2). An empty one stays empty.</summary>
    public static string[] Distinct(IReadOnlyList<string> raw)
    {
        var seen = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var header = new string[raw.Count];
        for (var i = 0; i < header.Length; i++)
        {
            var heading = raw[i].Trim();
            if (heading.Length > 0)
            {
                var times = seen[heading] = seen.GetValueOrDefault(heading) + 1;
                if (times > 1)
                    heading = $"{heading} ({times.ToString(CultureInfo.InvariantCulture)})";
            }

            header[i] = heading;
        }

        return header;
    }
}
