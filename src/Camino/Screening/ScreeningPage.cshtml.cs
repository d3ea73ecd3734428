using System.Globalization;
using Camino.Lending;
using Camino.Lending.Screening;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Screening;

/// <summary>Screen a name, see what waits for a decision, what was asked before, and which lists are in force.</summary>
[Authorize(Permissions.ScreeningRead)]
public sealed class ScreeningPage(ReadScreenings read, ScreenName screen, AskForBook ask, IStringLocalizer<Texts> texts) : PageModel
{
    public IReadOnlyList<HitView> Waiting { get; private set; } = [];

    public Guid? WaitingNext { get; private set; }

    public IReadOnlyList<ScreeningLine> History { get; private set; } = [];

    public Guid? HistoryNext { get; private set; }

    public IReadOnlyList<ListVersion> Versions { get; private set; } = [];

    public IReadOnlyList<RunLine> Runs { get; private set; } = [];

    /// <summary>What was typed, when it was refused.</summary>
    public (string Name, string Kind, string BirthDate, string Country) Typed { get; private set; } = ("", "", "", "");

    public string? Problem { get; private set; }

    /// <summary>Whether a run is at work, so that the page looks again by itself.</summary>
    public bool IsMoving => Runs.Any(run => run.FinishedAt is null);

    /// <param name="after">The last screening of the page before.</param>
    /// <param name="waitingAfter">The last waiting hit of the page before.</param>
    public Task OnGetAsync(Guid? after, Guid? waitingAfter, CancellationToken ct) => ReadAsync(after, waitingAfter, ct);

    [Needs(Permissions.ScreeningUse)]
    public async Task<IActionResult> OnPostScreenAsync(string? name, string? kind, string? birthDate, string? country, CancellationToken ct)
    {
        Typed = (name ?? "", kind ?? "", birthDate ?? "", country ?? "");
        try
        {
            var id = await screen.RunAsync(new ScreenedParty(name?.Trim() ?? "", ScreeningApi.KindOf(kind), Born(birthDate), country?.Trim() ?? ""), null, User.Id(), ct);
            return RedirectToPage("/Screening/ScreeningDetails", new { id });
        }
        catch (RefusedException refused)
        {
            return await AgainAsync(refused, ct);
        }
    }

    [Needs(Permissions.ScreeningLists)]
    public async Task<IActionResult> OnPostBookAsync(CancellationToken ct)
    {
        try
        {
            await ask.RunAsync(User.Id(), ct);
            return RedirectToPage();
        }
        catch (RefusedException refused)
        {
            return await AgainAsync(refused, ct);
        }
    }

    private async Task<IActionResult> AgainAsync(RefusedException refused, CancellationToken ct)
    {
        await ReadAsync(null, null, ct);
        Problem = texts.Refused(refused);
        return Page();
    }

    private static DateOnly? Born(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : throw new RefusedException("screening.birth_date", "A date of birth is a day of the calendar, such as 1961-03-14.");
    }

    private async Task ReadAsync(Guid? after, Guid? waitingAfter, CancellationToken ct)
    {
        (Waiting, WaitingNext) = await read.WaitingAsync(waitingAfter, ct);
        (History, HistoryNext) = await read.HistoryAsync(after, ct);
        Versions = await read.VersionsAsync(ct);
        Runs = await read.RunsAsync(ct);
    }
}
