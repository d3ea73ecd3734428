using System.Security.Claims;
using Camino.Resources;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Web;

/// <summary>The keys of this page and of every other: what to press, and what it does.</summary>
[Authorize(Permissions.Own)]
public sealed class ShortcutsPage(IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>Keys pressed one after the other lead to these places; the second one is the same in every language.</summary>
    public static IReadOnlyList<(string Key, string Address, string Permission, string Text)> Places { get; } =
    [
        ("h", "/", Permissions.Own, "Nav.Home"),
        ("p", "/portfolio", Permissions.PortfolioRead, "Nav.Portfolio"),
        ("l", "/loans", Permissions.LoansRead, "Nav.Loans"),
        ("a", "/applications", Permissions.ApplicationsRead, "Nav.Applications"),
        ("b", "/borrowers", Permissions.BorrowersRead, "Nav.Borrowers"),
        ("s", "/servicing", Permissions.BookRead, "Nav.Servicing"),
        ("c", "/screening", Permissions.ScreeningRead, "Nav.Screening"),
        ("i", "/imports", Permissions.ImportsRead, "Nav.Imports"),
        ("j", "/jobs", Permissions.JobsRead, "Nav.Jobs"),
        ("t", "/tasks", Permissions.TasksRead, "Tasks.Title"),
        ("n", "/notices", Permissions.Own, "Notices.Title"),
    ];

    /// <summary>What this person may press.</summary>
    public IReadOnlyList<(IReadOnlyList<string> Keys, string Does)> Lines { get; private set; } = [];

    public void OnGet() => Lines =
    [
        (["/"], texts["Shortcuts.Search"]),
        (["?"], texts["Shortcuts.This"]),
        (["Esc"], texts["Shortcuts.Close"]),
        .. Places.Where(place => User.May(place.Permission)).Select(place => ((IReadOnlyList<string>)["g", place.Key], texts["Shortcuts.To", texts[place.Text]].Value)),
    ];

    /// <summary>The places as the script of every page reads them: key and address, separated by blanks.</summary>
    public static string For(ClaimsPrincipal user) => string.Join(' ', Places.Where(place => user.May(place.Permission)).Select(place => place.Key + place.Address));
}
