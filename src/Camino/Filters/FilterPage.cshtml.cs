using Camino.Branches;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Filters;

/// <summary>The filters that somebody kept of one list: named, shared, opened first, taken away; and a new one.</summary>
[Authorize(Permissions.Own)]
public sealed class FilterPage(ListFilters list, KeepFilter keep, ListBranches branches, BranchScope scope, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private FilterList? _of;

    /// <summary>The list whose filters they are.</summary>
    public FilterList Of => _of ?? throw new InvalidOperationException("There is no such list.");

    public IReadOnlyList<FilterLine> Filters { get; private set; } = [];

    /// <summary>With whom a filter can be shared.</summary>
    public IReadOnlyList<BranchLine> Branches { get; private set; } = [];

    /// <summary>Whether a filter can be shared with everybody.</summary>
    public bool ToAll => !scope.IsBound;

    /// <summary>A filter that is to be kept, as it was typed where that was refused.</summary>
    public (string? Name, string Query, string? Share)? Typed { get; private set; }

    public string? Problem { get; private set; }

    /// <param name="of">Name of the list.</param>
    /// <param name="query">What is to be kept; nothing: only look.</param>
    public Task<IActionResult> OnGetAsync(string? of, string? query, CancellationToken ct)
    {
        if (FilterLists.Find(of)?.Canonical(query) is { Length: > 0 } kept)
            Typed = (null, kept, null);
        return LookAsync(of, ct);
    }

    [Needs(Permissions.Own)]
    public Task<IActionResult> OnPostSaveAsync(string? of, string? name, string? query, string? share, CancellationToken ct) => DoAsync(of, async known =>
    {
        Typed = (name, known.Canonical(query), share);
        await keep.AddAsync(known, name, query, share, User.Id(), ct);
        return LocalRedirect(known.Address + known.Canonical(query));
    }, ct);

    [Needs(Permissions.Own)]
    public Task<IActionResult> OnPostChangeAsync(string? of, Guid id, string? name, string? share, CancellationToken ct) => DoneAsync(of, () => keep.ChangeAsync(id, name, share, User.Id(), ct), ct);

    [Needs(Permissions.Own)]
    public Task<IActionResult> OnPostFirstAsync(string? of, Guid id, bool first, CancellationToken ct) => DoneAsync(of, () => keep.DefaultAsync(id, first, User.Id(), ct), ct);

    [Needs(Permissions.Own)]
    public Task<IActionResult> OnPostRemoveAsync(string? of, Guid id, CancellationToken ct) => DoneAsync(of, () => keep.RemoveAsync(id, User.Id(), ct), ct);

    private Task<IActionResult> DoneAsync(string? of, Func<Task> act, CancellationToken ct) => DoAsync(of, async known =>
    {
        await act();
        return LocalRedirect($"/filters?of={known.Name}");
    }, ct);

    private async Task<IActionResult> DoAsync(string? of, Func<FilterList, Task<IActionResult>> act, CancellationToken ct)
    {
        if (FilterLists.Find(of) is not { } known || !User.May(known.Permission))
            return NotFound();
        try
        {
            return await act(known);
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return await LookAsync(of, ct);
        }
    }

    private async Task<IActionResult> LookAsync(string? of, CancellationToken ct)
    {
        _of = FilterLists.Find(of);
        if (_of is null || !User.May(_of.Permission))
            return NotFound();
        Filters = await list.RunAsync(_of, User.Id(), ct);
        Branches = await branches.OpenAsync(ct);
        return Page();
    }
}
