using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Web;

/// <summary>Keeps the reader's language and theme in cookies; open to everyone, because the sign-in page has the same switches.</summary>
[AllowAnonymous]
public sealed class PreferencesPage : PageModel
{
    /// <summary>There is nothing to look at.</summary>
    public IActionResult OnGet() => LocalRedirect("/");

    /// <summary>Stores what was pressed and goes back to where the reader was.</summary>
    public IActionResult OnPost(string? language, string? theme, string? back)
    {
        if (Language.Find(language) is { } chosen)
            Keep(Language.Cookie, chosen.Code);
        if (theme is not null && Theme.All.Contains(theme))
            Keep(Theme.Cookie, theme);
        return LocalRedirect(Url.IsLocalUrl(back) ? back : "/");
    }

    private void Keep(string cookie, string value) =>
        Response.Cookies.Append(cookie, value, new CookieOptions { MaxAge = TimeSpan.FromDays(400), HttpOnly = true, IsEssential = true, SameSite = SameSiteMode.Lax, Secure = Request.IsHttps });
}
