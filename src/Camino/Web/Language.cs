using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;

namespace Camino.Web;

/// <summary>A language of the pages and the culture in which numbers and dates are written in it.</summary>
/// <param name="Code">Two letters, also the value of the cookie.</param>
/// <param name="Culture">US numbers and dollars in either language.</param>
/// <param name="OwnName">As its readers call it.</param>
public sealed record Language(string Code, string Culture, string OwnName)
{
    /// <summary>Where the reader's choice is kept.</summary>
    public const string Cookie = "camino.lang";

    public static Language English { get; } = new("en", "en-US", "English");

    public static Language Spanish { get; } = new("es", "es-US", "Español");

    /// <summary>All, in the order of the switch.</summary>
    public static IReadOnlyList<Language> All { get; } = [English, Spanish];

    /// <summary>The cookie decides, then a link that was made in a language (<c>?lang=es</c>), then the browser's list, then English.</summary>
    internal static Task<ProviderCultureResult?> ChooseAsync(HttpContext context)
    {
        var chosen = Find(context.Request.Cookies[Cookie]) ?? Find(context.Request.Query["lang"]) ?? FromHeader(context) ?? English;
        return Task.FromResult<ProviderCultureResult?>(new ProviderCultureResult(chosen.Culture, chosen.Code));
    }

    /// <summary>The language with this code, or null.</summary>
    public static Language? Find(string? code) => All.FirstOrDefault(language => language.Code == code);

    private static Language? FromHeader(HttpContext context) =>
        context.Request.GetTypedHeaders().AcceptLanguage
            .OrderByDescending(wanted => wanted.Quality ?? 1)
            .Select(wanted => Find(wanted.Value.Value?.Split('-')[0].ToLowerInvariant()))
            .FirstOrDefault(language => language is not null);
}
