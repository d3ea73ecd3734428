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

/// <summary>Who may be the same as a borrower, and what was merged into it.</summary>
[Authorize(Permissions.BorrowersRead)]
public sealed class BorrowerDuplicatesPage(ShowBorrower show, ShowMerges merges, UndoMerge undo, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private BorrowerView? _view;

    public BorrowerView View => _view ?? throw new InvalidOperationException("The borrower was not read.");

    public IReadOnlyList<BorrowerTwin> Twins { get; private set; } = [];

    public IReadOnlyList<MergeLine> Merges { get; private set; } = [];

    /// <summary>Made with the forms: pressed twice, one is carried out.</summary>
    public string Key { get; } = Guid.CreateVersion7().ToString("N");

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => LookAsync(id, ct);

    [Needs(Permissions.BorrowersMerge)]
    public async Task<IActionResult> OnPostUndoAsync(Guid id, Guid mergeId, int? version, string? key, CancellationToken ct)
    {
        try
        {
            await undo.RunAsync(id, mergeId, new AskedBy(User.Id(), key ?? Key, version ?? 0), ct);
            return LocalRedirect($"/borrowers/{id}/duplicates");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return await LookAsync(id, ct);
        }
    }

    private async Task<IActionResult> LookAsync(Guid id, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        if (_view is null)
            return NotFound();
        Twins = await merges.DuplicatesAsync(id, ct) ?? [];
        Merges = await merges.RunAsync(id, ct);
        return Page();
    }
}

/// <summary>Two borrowers side by side: what is taken from whom, then they are one.</summary>
[Authorize(Permissions.BorrowersMerge)]
public sealed class BorrowerMergePage(ShowBorrower show, MergeBorrowers merge, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private (BorrowerView Survivor, BorrowerView Gone)? _views;

    /// <summary>The one that stays.</summary>
    public BorrowerView Survivor => _views?.Survivor ?? throw new InvalidOperationException("The borrowers were not read.");

    /// <summary>The one that goes.</summary>
    public BorrowerView Gone => _views?.Gone ?? throw new InvalidOperationException("The borrowers were not read.");

    public MergeInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, they are merged once.</summary>
    public string Key { get; private set; } = Guid.CreateVersion7().ToString("N");

    public string? Problem { get; private set; }

    /// <summary>Fields of which one value is taken, with both values as the reader writes them.</summary>
    public IReadOnlyList<(string Field, string Ours, string Theirs)> Fields =>
    [
        ("name", Survivor.Name, Gone.Name), ("tradeName", Survivor.TradeName ?? Show.None, Gone.TradeName ?? Show.None), ("kind", texts["Borrowers.Kind." + Survivor.Kind].Value, texts["Borrowers.Kind." + Gone.Kind].Value),
        ("language", texts["Borrowers.Language." + Survivor.Language].Value, texts["Borrowers.Language." + Gone.Language].Value), ("contactBy", texts["Borrowers.ContactBy." + Survivor.ContactBy].Value, texts["Borrowers.ContactBy." + Gone.ContactBy].Value),
    ];

    /// <summary>Lists that can be put together.</summary>
    public IReadOnlyList<(string Field, IReadOnlyList<string> Ours, IReadOnlyList<string> Theirs, string? Chosen)> Lists =>
    [
        ("phones", Survivor.Phones, Gone.Phones, Input.Phones), ("emails", Survivor.Emails, Gone.Emails, Input.Emails),
        ("addresses", [.. Survivor.Addresses.Select(one => one.Line)], [.. Gone.Addresses.Select(one => one.Line)], Input.Addresses), ("owners", [.. Survivor.Owners.Select(one => one.Name)], [.. Gone.Owners.Select(one => one.Name)], Input.Owners),
    ];

    /// <summary>Whether a field is taken from the one that goes.</summary>
    public bool Takes(string field) => Input.Take?.Contains(field) == true;

    public Task<IActionResult> OnGetAsync(Guid id, Guid other, CancellationToken ct) => LookAsync(id, other, ct);

    [Needs(Permissions.BorrowersMerge)]
    public async Task<IActionResult> OnPostAsync(Guid id, Guid other, MergeInput input, int? version, string? key, CancellationToken ct)
    {
        input = input with { GoneId = other, GoneVersion = input.GoneVersion ?? 0, Take = [.. MergeBorrowers.Fields.Where(field => Request.Form["pick-" + field] == "gone")] };
        try
        {
            await merge.RunAsync(id, input, new AskedBy(User.Id(), key ?? Key, version ?? 0), ct);
            return LocalRedirect($"/borrowers/{id}/duplicates");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Input) = (texts.Refused(refused), input);
            return await LookAsync(id, other, ct);
        }
    }

    private async Task<IActionResult> LookAsync(Guid id, Guid other, CancellationToken ct)
    {
        if (id == other || await show.RunAsync(id, ct) is not { } survivor || await show.RunAsync(other, ct) is not { } gone)
            return NotFound();
        _views = (survivor, gone);
        return Page();
    }
}
