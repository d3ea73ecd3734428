using Camino.Approvals;
using Camino.Branches;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Applications.Underwriting;

/// <summary>The versions of the credit policy.</summary>
[Authorize(Permissions.UnderwritingRead)]
public sealed class PolicyListPage(ReadPolicies policies) : PageModel
{
    public IReadOnlyList<PolicyVersion> Versions { get; private set; } = [];

    /// <summary>The last version of this page, where older ones follow.</summary>
    public int? Next => Versions.Count == ReadPolicies.PageSize ? Versions[^1].Number : null;

    public async Task OnGetAsync(int? below, CancellationToken ct) => Versions = await policies.ListAsync(below, ct);
}

/// <summary>One version of the credit policy: rules, scorecard, limits, checklist, what differs from the version before, and how recent applications would come out.</summary>
[Authorize(Permissions.UnderwritingRead)]
public sealed class PolicyDetailsPage(ReadPolicies policies, ShowEvaluation show, PublishPolicy publish, ListApprovals approvals, BranchScope scope, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private PolicyVersion? _version;

    public PolicyVersion Version => _version ?? throw new InvalidOperationException("The version was not read.");

    public CreditPolicy Policy { get; private set; } = new([], null, new DecisionLimits(null, []), []);

    /// <summary>The version whose place it took or would take.</summary>
    public PolicyVersion? Before { get; private set; }

    public IReadOnlyList<PolicyDifference> Differences { get; private set; } = [];

    public PolicyTrial? Trial { get; private set; }

    /// <summary>What was just asked for and waits for a second person.</summary>
    public Guid? Asked { get; private set; }

    /// <summary>A request about it that waits.</summary>
    public Guid? Waits { get; private set; }

    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(int number, Guid? asked, CancellationToken ct)
    {
        Asked = asked;
        return LookAsync(number, ct);
    }

    [Needs(Permissions.UnderwritingChange)]
    public async Task<IActionResult> OnPostPublishAsync(int number, CancellationToken ct)
    {
        try
        {
            return RedirectToPage(new { number, asked = (await publish.AskAsync(User.Id(), ct)).ApprovalId });
        }
        catch (RefusedException refused)
        {
            db.Forget();
            Problem = ApprovalText.Refused(texts, refused);
            return await LookAsync(number, ct);
        }
    }

    private async Task<IActionResult> LookAsync(int number, CancellationToken ct)
    {
        _version = await policies.OneAsync(number, ct);
        if (_version is null)
            return NotFound();
        Policy = Version.Policy;
        Before = await policies.BeforeAsync(number, ct);
        Differences = PolicyDifference.Between(Before?.Policy, Policy);
        if (Version.Status == PolicyStatus.Draft)
        {
            // it counts the applications of the whole house
            Trial = scope.IsBound ? null : await show.TryAsync(Policy, (await policies.PublishedAsync(ct))?.Policy, ct);
            Waits = Asked is null ? (await approvals.WaitingAsync("policy", PolicyTable.SubjectId(number), User, ct)).Select(one => (Guid?)one.Approval.Id).FirstOrDefault() : null;
        }

        return Page();
    }
}

/// <summary>The draft of the credit policy as a document to edit; without one, the published version is the beginning of the next.</summary>
[Authorize(Permissions.UnderwritingChange)]
public sealed class PolicyEditPage(ReadPolicies policies, SavePolicyDraft save, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public string Document { get; private set; } = "";

    public string? Note { get; private set; }

    /// <summary>The newest version when the form was opened; 0: there was none.</summary>
    public int Seen { get; private set; }

    public string? Problem { get; private set; }

    public async Task OnGetAsync(CancellationToken ct)
    {
        var newest = await policies.ListAsync(null, ct) is [var first, ..] ? first : null;
        var isDraft = newest is { Status: PolicyStatus.Draft };
        Document = newest?.Document ?? PolicyForm.Write(PolicyForm.Read(await SeedPolicy.DocumentAsync(ct)));
        Note = isDraft ? newest?.Note : null;
        Seen = newest?.Number ?? 0;
    }

    [Needs(Permissions.UnderwritingChange)]
    public async Task<IActionResult> OnPostAsync(string? document, string? note, int? seen, CancellationToken ct)
    {
        (Document, Note, Seen) = (document ?? "", note, seen ?? 0);
        try
        {
            return Redirect($"/underwriting/{await save.RunAsync(Document, Note, seen, User.Id(), ct)}");
        }
        catch (RefusedException refused)
        {
            db.Forget();
            Problem = texts.Refused(refused);
            return Page();
        }
    }
}
