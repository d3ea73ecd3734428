using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Approvals;

/// <summary>One request: what exactly is to be done and what it would change now, and the decision of a second person.</summary>
[Authorize(Permissions.ApprovalsRead)]
public sealed class ApprovalDetailsPage(ShowApproval show, DecideApproval decide, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private NamedApproval? _found;

    public NamedApproval Found => _found ?? throw new InvalidOperationException("The request was not read.");

    /// <summary>What would change; null once it is decided.</summary>
    public ApprovalChange? Change { get; private set; }

    public string Says => show.Say(Found);

    public ApprovalState State => show.StateOf(Found);

    /// <summary>The reader asked for it.</summary>
    public bool IsOwn => Found.Approval.AskedBy == User.Id();

    /// <summary>The reader may say yes or no.</summary>
    public bool MayDecide => State == ApprovalState.Waiting && !IsOwn && !IsAboutReader && User.May(Permissions.ApprovalsDecide) && User.May(ApprovalKinds.PermissionOf(Found.Approval.Kind));

    /// <summary>It is about the reader's own rights.</summary>
    public bool IsAboutReader => Found.Approval.Subject == "user" && Found.Approval.SubjectId == User.Id().ToString();

    /// <summary>What it is about has changed since it was asked for.</summary>
    public bool HasChanged => Change?.Version is { } now && Found.Approval.Version is { } then && now != then;

    /// <summary>Where what it is about is shown; null: nowhere.</summary>
    public string? SubjectAddress => Found.Approval.Subject switch
    {
        "loan" when User.May(Permissions.BookRead) => "/servicing/" + Found.Approval.SubjectId,
        "product" when User.May(Permissions.ProductsRead) => "/products",
        "application" when User.May(Permissions.ApplicationsRead) => "/applications/" + Found.Approval.SubjectId,
        "policy" when User.May(Permissions.UnderwritingRead) => "/underwriting/" + Found.Approval.SubjectId,
        "journal" when User.May(Permissions.LedgerRead) => "/books/journal",
        "user" when User.May(Permissions.PeopleManage) => "/people/" + Found.Approval.SubjectId,
        _ => null,
    };

    /// <summary>Why it was no longer possible, in the reader's language.</summary>
    public string? Refusal => Found.Refusal is not { } refusal ? null : System.Globalization.CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == Language.Spanish.Code ? refusal.Spanish : refusal.English;

    public string? Note { get; private set; }

    public string? Reason { get; private set; }

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => ShowAsync(id, ct);

    [Needs(Permissions.ApprovalsDecide)]
    public Task<IActionResult> OnPostApproveAsync(Guid id, int? version, string? note, CancellationToken ct)
    {
        Note = note;
        return DoAsync(id, () => decide.ApproveAsync(id, version, note, User.Id(), null, ct), ct);
    }

    [Needs(Permissions.ApprovalsDecide)]
    public Task<IActionResult> OnPostDeclineAsync(Guid id, string? reason, CancellationToken ct)
    {
        Reason = reason;
        return DoAsync(id, () => decide.DeclineAsync(id, reason, User.Id(), null, ct), ct);
    }

    [Needs(Permissions.ApprovalsWithdraw)]
    public Task<IActionResult> OnPostWithdrawAsync(Guid id, CancellationToken ct) => DoAsync(id, () => decide.WithdrawAsync(id, User.Id(), null, ct), ct);

    private async Task<IActionResult> DoAsync(Guid id, Func<Task<bool>> act, CancellationToken ct)
    {
        try
        {
            await act();
            return RedirectToPage(new { id });
        }
        catch (RefusedException refused) when (refused.Code == "approval.not_possible")
        {
            return RedirectToPage(new { id }); // the request itself says why
        }
        catch (RefusedException refused)
        {
            db.Forget();
            Problem = ApprovalText.Refused(texts, refused);
            return await ShowAsync(id, ct);
        }
    }

    private async Task<IActionResult> ShowAsync(Guid id, CancellationToken ct)
    {
        try
        {
            (_found, Change) = await show.RunAsync(id, User, null, ct);
            return Page();
        }
        catch (RefusedException refused) when (refused.Code == "approval.not_found")
        {
            return NotFound();
        }
    }
}
