using Camino.Approvals;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>Other roles for a user; always by two people, and neither of them is that user.</summary>
public sealed class RolesApproval(ChangeRoles change, ListStaff list) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.Roles;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts) => texts["Approvals.Say.Roles", subject, Names(approval.Read<FrozenRoles>().Roles, texts)];

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        var frozen = approval.Read<FrozenRoles>();
        if (await list.OneAsync(UserOf(approval), ct) is not { } user)
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("user.not_found", "There is no such user.")));
        var now = user.Roles.Order(StringComparer.Ordinal).ToList();
        var problem = now.SequenceEqual(frozen.Before, StringComparer.Ordinal) ? null : ApprovalText.Refused(texts, new RefusedException("user.changed", "The user's roles were changed after this was asked for; ask anew."));
        return new ApprovalChange(
            [
                new(texts["People.Roles"], Names(now, texts), Names(frozen.Roles, texts)),
                .. Permissions.All.Where(permission => May(now, permission) != May(frozen.Roles, permission)).Select(permission => new ApprovalLine(texts["Approvals.Right", permission], Said(May(now, permission), texts), Said(May(frozen.Roles, permission), texts))),
            ],
            null, problem);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => await change.RunApprovedAsync(UserOf(approval), approval.Read<FrozenRoles>(), approval, run, ct);

    private static Guid UserOf(Approval approval) => Guid.Parse(approval.SubjectId);

    private static bool May(IEnumerable<string> roles, string permission) => roles.Any(role => Permissions.Of(role).Contains(permission));

    private static string Said(bool may, IStringLocalizer<Texts> texts) => texts[may ? "Approvals.Yes" : "Approvals.No"];

    private static string Names(IReadOnlyList<string> roles, IStringLocalizer<Texts> texts) => roles.Count == 0 ? Show.None : string.Join(", ", roles.Select(role => texts.Or("Role." + role, role)));
}
