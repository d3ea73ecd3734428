using Camino.Data;
using Camino.Lending;
using Camino.People;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Branches;

/// <summary>The branches of the house with their teams, and a new one.</summary>
[Authorize(Permissions.BranchesManage)]
public sealed class BranchListPage(ListBranches list, KeepBranch keep, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public IReadOnlyList<BranchLine> Lines { get; private set; } = [];

    /// <summary>What the form says, where it was refused.</summary>
    public (string? Code, string? Name, string? Parent) Typed { get; private set; }

    public string? Problem { get; private set; }

    public async Task OnGetAsync(CancellationToken ct) => Lines = await list.RunAsync(ct);

    [Needs(Permissions.BranchesManage)]
    public async Task<IActionResult> OnPostAsync(string? code, string? name, string? parent, CancellationToken ct)
    {
        try
        {
            await keep.AddAsync(code, name, parent, new StaffActor(User.Id(), null), ct);
            return LocalRedirect("/branches");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Typed) = (texts.Refused(refused), (code, name, parent));
            Lines = await list.RunAsync(ct);
            return Page();
        }
    }
}

/// <summary>One branch: its name, its teams, and whether anything new goes into it.</summary>
[Authorize(Permissions.BranchesManage)]
public sealed class BranchDetailsPage(ListBranches list, KeepBranch keep, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private BranchLine? _line;

    public BranchLine Line => _line ?? throw new InvalidOperationException("The branch was not read.");

    public IReadOnlyList<BranchLine> Teams { get; private set; } = [];

    /// <summary>The name, or what the form says where it was refused.</summary>
    public string? Name { get; private set; }

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => LookAsync(id, ct);

    [Needs(Permissions.BranchesManage)]
    public Task<IActionResult> OnPostRenameAsync(Guid id, string? name, CancellationToken ct)
    {
        Name = name;
        return DoAsync(id, actor => keep.RenameAsync(id, name, actor, ct), ct);
    }

    [Needs(Permissions.BranchesManage)]
    public Task<IActionResult> OnPostCloseAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, actor => keep.CloseAsync(id, reason, actor, ct), ct);

    [Needs(Permissions.BranchesManage)]
    public Task<IActionResult> OnPostOpenAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, actor => keep.OpenAsync(id, reason, actor, ct), ct);

    private async Task<IActionResult> DoAsync(Guid id, Func<StaffActor, Task> act, CancellationToken ct)
    {
        try
        {
            await act(new StaffActor(User.Id(), null));
            return LocalRedirect($"/branches/{id}");
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
        var all = await list.RunAsync(ct);
        _line = all.FirstOrDefault(line => line.Id == id);
        if (_line is null)
            return NotFound();
        Name ??= _line.Name;
        Teams = [.. all.Where(line => line.ParentId == id)];
        return Page();
    }
}

/// <summary>Moves a borrower, an application or a loan to another branch.</summary>
[Authorize(Permissions.BranchesMove)]
public sealed class BranchMovePage(ListBranches list, MoveToBranch move, BranchScope scope, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private Whereabouts? _at;

    public Whereabouts At => _at ?? throw new InvalidOperationException("Where it is was not read.");

    public BranchThing Thing { get; private set; }

    public Guid Id { get; private set; }

    public IReadOnlyList<BranchLine> Branches { get; private set; } = [];

    /// <summary>What is to be done, as it was typed where it was refused.</summary>
    public MoveInput Input { get; private set; } = new();

    /// <summary>Whether it can be given to the whole house.</summary>
    public bool ToHouse => !scope.IsBound;

    /// <summary>Made with the form: pressed twice, it is moved once.</summary>
    public string Key { get; private set; } = Guid.CreateVersion7().ToString("N");

    public string? Problem { get; private set; }

    /// <summary>Where it is shown.</summary>
    public string Place => PlaceOf(Thing) + Id;

    public Task<IActionResult> OnGetAsync(string subject, Guid id, CancellationToken ct) => LookAsync(subject, id, ct);

    [Needs(Permissions.BranchesMove)]
    public async Task<IActionResult> OnPostAsync(string subject, Guid id, MoveInput input, string? key, CancellationToken ct)
    {
        if (ThingOf(subject) is not { } thing || !MayRead(thing))
            return NotFound();
        try
        {
            await move.RunAsync(thing, id, input, new AskedBy(User.Id(), key ?? Key), ct);
            return LocalRedirect(PlaceOf(thing) + id);
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            (Problem, Input) = (texts.Refused(refused), input);
            return await LookAsync(subject, id, ct);
        }
    }

    /// <summary>The address of the page for something.</summary>
    public static string LinkOf(BranchThing thing, Guid id) => $"/branches/move/{WordOf(thing)}/{id}";

    private static string WordOf(BranchThing thing) => thing switch { BranchThing.Borrower => "borrower", BranchThing.Application => "application", BranchThing.PortfolioLoan => "portfolio-loan", _ => "loan" };

    private static BranchThing? ThingOf(string subject) => subject switch { "borrower" => BranchThing.Borrower, "application" => BranchThing.Application, "loan" => BranchThing.Loan, "portfolio-loan" => BranchThing.PortfolioLoan, _ => null };

    private static string PlaceOf(BranchThing thing) => thing switch { BranchThing.Borrower => "/borrowers/", BranchThing.Application => "/applications/", BranchThing.PortfolioLoan => "/loans/", _ => "/servicing/" };

    private bool MayRead(BranchThing thing) => User.May(thing switch { BranchThing.Borrower => Permissions.BorrowersRead, BranchThing.Application => Permissions.ApplicationsRead, BranchThing.PortfolioLoan => Permissions.LoansRead, _ => Permissions.BookRead });

    private async Task<IActionResult> LookAsync(string subject, Guid id, CancellationToken ct)
    {
        if (ThingOf(subject) is not { } thing || !MayRead(thing))
            return NotFound();
        (Thing, Id) = (thing, id);
        _at = await list.OfAsync(thing, id, ct);
        if (_at is null)
            return NotFound();
        Branches = await list.OpenAsync(ct);
        return Page();
    }
}
