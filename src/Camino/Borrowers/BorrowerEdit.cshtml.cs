using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Borrowers;

/// <summary>A new borrower, or one that is changed: one form with room for more in each list, so that it works without a script.</summary>
[Authorize(Permissions.BorrowersChange)]
public sealed class BorrowerEditPage(ShowBorrower show, AddBorrower add, ChangeBorrower change, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    /// <summary>Empty rows after those of a list.</summary>
    private const int Room = 2;

    public Guid? Id { get; private set; }

    public BorrowerInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, one is stored.</summary>
    public string Key { get; private set; } = "";

    /// <summary>What was looked at.</summary>
    public int Version { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>Somebody else changed the borrower while this form was filled in; what was typed is still here.</summary>
    public bool HasChanged { get; private set; }

    public async Task<IActionResult> OnGetAsync(Guid? id, CancellationToken ct)
    {
        (Id, Key) = (id, Guid.CreateVersion7().ToString("N"));
        if (id is not { } known)
            return Page();
        if (await show.RunAsync(known, ct) is not { } view)
            return NotFound();
        Version = view.Version;
        Input = new BorrowerInput
        {
            Name = view.Name,
            TradeName = view.TradeName,
            Kind = view.Kind,
            Language = view.Language,
            ContactBy = view.ContactBy,
            Phones = view.Phones,
            Emails = view.Emails,
            Addresses = [.. view.Addresses.Select(one => new AddressInput { Street = one.Street, City = one.City, State = one.State, Zip = one.Zip })],
            Owners = [.. view.Owners.Select(one => new OwnerInput { Id = one.Id, Name = one.Name, SharePercent = one.SharePercent?.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture), IsGuarantor = one.IsGuarantor })],
        };
        return Page();
    }

    [Needs(Permissions.BorrowersChange)]
    public async Task<IActionResult> OnPostAsync(Guid? id, BorrowerInput input, string? key, int? version, CancellationToken ct)
    {
        (Id, Input, Key, Version) = (id, input with { Name = input.Name ?? "", TradeName = input.TradeName ?? "" }, key ?? Guid.CreateVersion7().ToString("N"), version ?? 0);
        try
        {
            var answer = id is { } known
                ? await change.RunAsync(known, Input, new AskedBy(User.Id(), Key, Version), ct)
                : await add.RunAsync(Input, new AskedBy(User.Id(), Key), ct);
            return Redirect($"/borrowers/{answer.BorrowerId}");
        }
        catch (RefusedException refused) when (refused.Code == "borrower.not_found")
        {
            return NotFound();
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            if (refused.Code == "borrower.version" && id is { } changed && await show.RunAsync(changed, ct) is { } now)
                (HasChanged, Version) = (true, now.Version); // the reader is told, looks, and may send it again knowing
            return Page();
        }
    }

    /// <summary>The rows of a list with room for more.</summary>
    public static IReadOnlyList<T?> Rows<T>(IReadOnlyList<T?>? list)
        where T : class
    {
        var filled = (list ?? []).Where(one => one is not null and not "").ToList();
        while (filled.Count < CheckedBorrower.LongestList && filled.Count < (list?.Count(one => one is not null and not "") ?? 0) + Room)
            filled.Add(null);
        return filled;
    }
}
