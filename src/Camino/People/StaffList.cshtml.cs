using Camino.Approvals;
using Camino.Branches;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>Who signs in here, with which roles, and when last.</summary>
[Authorize(Permissions.PeopleManage)]
public sealed class StaffListPage(ListStaff list) : PageModel
{
    public IReadOnlyList<StaffLine> Lines { get; private set; } = [];

    public Guid? Next { get; private set; }

    public async Task OnGetAsync(Guid? after, CancellationToken ct)
    {
        var lines = await list.RunAsync(after, ListStaff.PageSize + 1, ct);
        Lines = [.. lines.Take(ListStaff.PageSize)];
        Next = lines.Count > ListStaff.PageSize ? Lines[^1].Id : null;
    }
}

/// <summary>Adds a user, and shows the one-time link for the password once.</summary>
[Authorize(Permissions.PeopleManage)]
public sealed class StaffAddPage(AddStaff add, IStringLocalizer<Texts> texts) : PageModel
{
    public string? Email { get; private set; }

    public string? Name { get; private set; }

    public IReadOnlyList<string> Roles { get; private set; } = [];

    /// <summary>Where the link leads; null until the user was added.</summary>
    public string? Link { get; private set; }

    /// <summary>The roles that wait for a second person; null: none do.</summary>
    public Guid? Asked { get; private set; }

    public string? Problem { get; private set; }

    [Needs(Permissions.PeopleManage)]
    public async Task<IActionResult> OnPostAsync(string? email, string? name, string[]? roles, CancellationToken ct)
    {
        (Email, Name, Roles) = (email, name, roles ?? []);
        try
        {
            var (token, asked) = await add.AskAsync(email, name, roles, User.Id(), ct);
            Link = SetPasswordPage.LinkOf(Request, token);
            Asked = asked?.ApprovalId;
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
        }

        return Page();
    }
}

/// <summary>One user: roles, access, a new link for the password.</summary>
[Authorize(Permissions.PeopleManage)]
public sealed class StaffDetailsPage(ListStaff list, ChangeRoles change, DisableStaff disable, EndSessions sessions, OfferPasswordLink offer, SecondFactors factors, BindBranches bind, ListBranches branchList, IStringLocalizer<Texts> texts) : PageModel
{
    public StaffLine Line { get; private set; } = new(Guid.Empty, "", "", [], false, false, false, false, null, 0, false, false);

    /// <summary>What the form says, where it was refused.</summary>
    public IReadOnlyList<string>? Wanted { get; private set; }

    public string? Reason { get; private set; }

    /// <summary>The branches that the person is bound to.</summary>
    public IReadOnlyList<Guid> Branches { get; private set; } = [];

    public string? Link { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>The change of roles that was just asked for.</summary>
    public Guid? Asked { get; private set; }

    /// <summary>Whether a link for the password can be made, or must be asked for.</summary>
    public PasswordLinkStand LinkStand { get; private set; }

    public bool IsOneself => Line.Id == User.Id();

    public Task<IActionResult> OnGetAsync(Guid id, Guid? asked, CancellationToken ct)
    {
        Asked = asked;
        return ShowAsync(id, ct);
    }

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostRolesAsync(Guid id, string[]? roles, string? reason, CancellationToken ct)
    {
        Wanted = roles ?? [];
        return DoAsync(id, reason, async actor => Asked = (await change.AskAsync(id, roles, reason, User.Id(), ct)).ApprovalId, ct);
    }

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostDisableAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, reason, actor => disable.DisableAsync(id, reason, actor, ct), ct);

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostEnableAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, reason, actor => disable.EnableAsync(id, reason, actor, ct), ct);

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostEndSessionsAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, null, actor => sessions.AllAsync(id, reason, actor, ct), ct);

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostLinkAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, null, async _ =>
    {
        var (token, asked) = await offer.AskAsync(id, reason, User.Id(), ct);
        (Link, Asked) = (token is null ? null : SetPasswordPage.LinkOf(Request, token), asked?.ApprovalId);
    }, ct);

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostResetAsync(Guid id, string? reason, CancellationToken ct) => DoAsync(id, null, async _ => Asked = (await factors.AskResetAsync(id, reason, User.Id(), ct)).ApprovalId, ct);

    [Needs(Permissions.PeopleManage)]
    public Task<IActionResult> OnPostBranchesAsync(Guid id, Guid[]? branches, string? reason, CancellationToken ct) => DoAsync(id, reason, actor => bind.StaffAsync(id, branches, reason, actor, ct), ct);

    private async Task<IActionResult> DoAsync(Guid id, string? reason, Func<StaffActor, Task> act, CancellationToken ct)
    {
        try
        {
            await act(new StaffActor(User.Id(), null));
            if (Link is null)
                return LocalRedirect($"/people/{id}{(Asked is { } asked ? "?asked=" + asked : "")}");
        }
        catch (RefusedException refused)
        {
            Problem = ApprovalText.Refused(texts, refused);
            Reason = reason;
        }

        return await ShowAsync(id, ct);
    }

    private async Task<IActionResult> ShowAsync(Guid id, CancellationToken ct)
    {
        if (await list.OneAsync(id, ct) is not { } line)
            return NotFound();
        Line = line;
        Branches = await branchList.OfStaffAsync(id, ct);
        LinkStand = await offer.StandAsync(id, User.Id(), ct);
        return Page();
    }
}
