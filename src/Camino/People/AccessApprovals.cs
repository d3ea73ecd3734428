using System.Globalization;
using Camino.Approvals;
using Camino.Lending;
using Camino.Resources;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>A new link for the password of somebody who was in already; always by two people, and the second is not that user.</summary>
public sealed class PasswordLinkApproval(OfferPasswordLink offer, ListStaff list) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.PasswordLink;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts) => texts["Approvals.Say.PasswordLink", subject];

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct) => await AccessChange.LookAsync(list, approval, texts, user =>
        ([new(texts["People.LinkSection"], texts[user.HasPassword ? "Approvals.Yes" : "Approvals.No"], texts["Approvals.LinkBecomes"])], null), ct);

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => await offer.RunApprovedAsync(Guid.Parse(approval.SubjectId), approval, run, ct);
}

/// <summary>A second factor that is taken away from somebody who lost it; always by two people, and neither of them is that user.</summary>
public sealed class SecondFactorApproval(SecondFactors factors, Passkeys passkeys, ListStaff list) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.SecondFactorReset;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts) => texts["Approvals.Say.SecondFactorReset", subject];

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        var id = Guid.Parse(approval.SubjectId);
        var (state, keys) = (await factors.StateAsync(id, null, ct), await passkeys.ListAsync(id, ct));
        var problem = await factors.ChangedSinceAsync(id, approval.AskedAt, ct) ? new RefusedException("second_factor.changed", "The second factor was set up after this was asked for; ask anew.")
            : !state.IsSet && keys.Count == 0 ? new RefusedException("second_factor.none", "The user has no second factor.") : null;
        return await AccessChange.LookAsync(list, approval, texts, _ =>
        (
            [
                new(texts["SecondFactor.BeginTitle"], texts[state.IsSet ? "Approvals.Yes" : "Approvals.No"], texts["Approvals.No"]),
                new(texts["Passkeys.Title"], keys.Count.ToString(CultureInfo.InvariantCulture), "0"),
                new(texts["SecondFactor.CodesTitle"], state.CodesLeft.ToString(CultureInfo.InvariantCulture), "0"),
            ],
            problem), ct);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => await factors.RunApprovedAsync(Guid.Parse(approval.SubjectId), approval, run, ct);
}

/// <summary>What both have in common: the user must be there and not disabled.</summary>
internal static class AccessChange
{
    public static async Task<ApprovalChange> LookAsync(ListStaff list, Approval approval, IStringLocalizer<Texts> texts, Func<StaffLine, (IReadOnlyList<ApprovalLine> Lines, RefusedException? Problem)> look, CancellationToken ct)
    {
        if (await list.OneAsync(Guid.Parse(approval.SubjectId), ct) is not { } user)
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("user.not_found", "There is no such user.")));
        var (lines, problem) = look(user);
        problem ??= user.IsDisabled && approval.Kind == ApprovalKinds.PasswordLink ? new RefusedException("user.disabled", "The user is disabled; enable the account first.") : null;
        return new ApprovalChange(lines, null, problem is null ? null : ApprovalText.Refused(texts, problem));
    }
}
