using System.Globalization;
using System.Text.RegularExpressions;

namespace Camino.Resources;

/// <summary>What stands in the way of a job, as it was stored in English, said in the reader's language. Only patterns that stand here are looked for; anything else is shown as it is.</summary>
public static class StoredProblems
{
    /// <summary>Patterns with values, in English; their other languages stand in the files of <see cref="Refusals"/>.</summary>
    public static IReadOnlyList<string> Patterns { get; } =
    [
        "{0} does not answer at the moment; it is asked again later.", "{0} asks to wait.", "{0} answered about something else", "{0} answered something else than JSON", "{0} answered without what was asked for", "{0} took longer than {1} s", "{0} cannot be reached",
        "{0} does not take the user and password", "{0} offers no encryption that is trusted", "{0} did not take the document", "{0} did not take the envelope", "{0} had another document signed than the offer", "{0} answered {1}",
    ];

    private static readonly (string Pattern, Regex Match)[] s_patterns =
        [.. Patterns.Select(pattern => (pattern, new Regex("^" + Regex.Escape(pattern).Replace(@"\{0}", "(?<zero>[a-z]+)", StringComparison.Ordinal).Replace(@"\{1}", "(?<one>[0-9]+)", StringComparison.Ordinal) + "$", RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100))))];

    /// <summary>A problem in the reader's language.</summary>
    public static string Say(string problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        foreach (var (pattern, match) in s_patterns)
        {
            if (match.Match(problem) is { Success: true } found)
                return Capital(string.Format(CultureInfo.CurrentCulture, Refusals.Find(pattern), ServiceName(found.Groups["zero"].Value), found.Groups["one"].Value));
        }

        return Refusals.Find(problem);
    }

    /// <summary>An outside service as people call it: <c>credit</c> is the credit bureau.</summary>
    private static string ServiceName(string name) => Refusals.Find("service:" + name) is var said && said.StartsWith("service:", StringComparison.Ordinal) ? name : said;

    private static string Capital(string sentence) => sentence.Length == 0 ? sentence : char.ToUpper(sentence[0], CultureInfo.CurrentCulture) + sentence[1..];
}
