using Microsoft.AspNetCore.Http;

namespace Camino.Web;

/// <summary>Light, dark, or as the reader's system says.</summary>
public static class Theme
{
    /// <summary>Where the reader's choice is kept.</summary>
    public const string Cookie = "camino.theme";

    /// <summary>All, in the order of the switch.</summary>
    public static IReadOnlyList<string> All { get; } = ["auto", "light", "dark"];

    /// <summary>The reader's choice; <c>auto</c> where none was made.</summary>
    public static string Of(HttpRequest request) => request.Cookies[Cookie] is { } chosen && All.Contains(chosen) ? chosen : "auto";
}
