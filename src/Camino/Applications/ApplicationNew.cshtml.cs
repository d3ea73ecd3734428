using Camino.Borrowers;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Applications;

/// <summary>A new application, typed during a call. Who may be the same is shown before it is stored, and as it is typed where scripts run.</summary>
[Authorize(Permissions.ApplicationsCreate)]
public sealed class ApplicationNewPage(ReceiveApplication receive, FindDuplicates find, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>Owners that the form has room for.</summary>
    public const int Room = 4;

    public ApplicationInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, one is stored.</summary>
    public string Key { get; private set; } = "";

    public IReadOnlyList<DuplicateView> Duplicates { get; private set; } = [];

    public string? Problem { get; private set; }

    public void OnGet() => Key = Guid.CreateVersion7().ToString("N");

    /// <param name="seen">Who may be the same was shown, and it is somebody else.</param>
    [Needs(Permissions.ApplicationsCreate)]
    public async Task<IActionResult> OnPostAsync(ApplicationInput input, string? key, bool seen, CancellationToken ct)
    {
        (Input, Key) = (input with { Name = input.Name ?? "", Amount = input.Amount ?? "" }, key ?? Guid.CreateVersion7().ToString("N"));
        try
        {
            Duplicates = await find.OfInputAsync(Input, ct);
            CheckedApplication.Read(Input, DateOnly.MaxValue); // what is wrong is said first, then who may be the same
            if (Duplicates.Count > 0 && !seen)
                return Page();
            var answer = await receive.RunAsync(Input, fromStaff: true, new AskedBy(User.Id(), Key), ct);
            return Redirect($"/applications/{answer.ApplicationId}");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return Page();
        }
    }

    /// <summary>Who may be the same as what is typed so far; the script shows it.</summary>
    [Needs(Permissions.ApplicationsCreate)]
    public async Task<IActionResult> OnPostDuplicatesAsync(ApplicationInput input, CancellationToken ct) => Partial("/Applications/DuplicateList.cshtml", await find.OfInputAsync(input, ct));

    /// <summary>The owners that were typed, with room for more.</summary>
    public IReadOnlyList<ApplicationOwnerInput> Owners
    {
        get
        {
            var owners = (Input.Owners ?? []).Where(owner => !owner.IsEmpty).ToList();
            while (owners.Count < Math.Max(Room, (Input.Owners?.Count ?? 0)) && owners.Count < CheckedBorrower.LongestList)
                owners.Add(new ApplicationOwnerInput());
            return owners;
        }
    }
}
