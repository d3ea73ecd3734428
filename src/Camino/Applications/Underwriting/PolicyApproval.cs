using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Applications.Underwriting;

/// <summary>A version of the credit policy is published; always by two people, who see what changes.</summary>
public sealed class PublishPolicyApproval(PublishPolicy publish, ReadPolicies policies) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.PublishPolicy;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts) => texts["Approvals.Say.PublishPolicy", approval.Version ?? 0];

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        var frozen = approval.Read<FrozenPolicy>();
        var draft = await policies.OneAsync(frozen.Version, ct);
        if (draft is not { Status: PolicyStatus.Draft } || draft.Document != frozen.Document)
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("policy.changed", "The draft of the policy was changed after this was asked for; ask anew.")));
        var before = await policies.BeforeAsync(frozen.Version, ct);
        return new ApprovalChange(
            [
                new(texts["Policy.Version"], before is null ? Show.None : Show.Number(before.Number), Show.Number(frozen.Version)),
                .. PolicyDifference.Between(before?.Policy, PolicyForm.Read(frozen.Document)).Select(one => new ApprovalLine(texts.NameOf(one), one.Was ?? Show.None, one.Becomes ?? Show.None)),
            ],
            draft.Number, null);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => new { version = await publish.RunApprovedAsync(approval, run, ct) };
}
