using System.Globalization;
using System.Resources;

namespace Camino.Resources;

/// <summary>What the rules of the money say when they refuse, by its pattern in English (Refusals.es.resx); and where a page can say it better than a program, in English too (Refusals.resx).</summary>
public static class Refusals
{
    private static readonly ResourceManager s_sentences = new("Camino.Resources.Refusals", typeof(Refusals).Assembly);

    /// <summary>The pattern, or a word in it, in the reader's language; itself where there is no other.</summary>
    public static string Find(string pattern) => s_sentences.GetString(pattern, CultureInfo.CurrentUICulture) ?? pattern;
}
