using System.Security.Claims;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Approvals;

/// <summary>One thing that would change, as the reader writes it.</summary>
public sealed record ApprovalLine(string Name, string Was, string Becomes);

/// <summary>What a request would change if it were approved now.</summary>
/// <param name="Lines">Before and after, what stays the same among it.</param>
/// <param name="Version">The subject's version that this was read from; null where it has none.</param>
/// <param name="Problem">Why it could not be done now; null: it could.</param>
public sealed record ApprovalChange(IReadOnlyList<ApprovalLine> Lines, int? Version, string? Problem)
{
    /// <summary>It could not be done now.</summary>
    public static ApprovalChange Impossible(string problem) => new([], null, problem);
}

/// <summary>The second person's yes, as the act sees it.</summary>
/// <param name="By">The second person.</param>
/// <param name="Seen">The subject's version that the second person looked at; null: whatever it is now.</param>
/// <param name="At">When.</param>
public sealed record ApprovalRun(Guid By, int? Seen, DateTimeOffset At);

/// <summary>One kind of act that needs a second person.</summary>
public interface IApprovalKind
{
    /// <summary>The stable word of <see cref="ApprovalKinds"/>.</summary>
    string Name { get; }

    /// <summary>Exactly what is to be done, in one sentence in the reader's language.</summary>
    /// <param name="subject">The subject as staff call it: a loan's number, a product's code, a person's name.</param>
    string Say(Approval approval, string subject, IStringLocalizer<Texts> texts);

    /// <summary>What would change if it were approved now; keeps nothing.</summary>
    Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct);

    /// <summary>Carries it out with all its rules, in the transaction of the decision; the act's own audit entry names the request.</summary>
    /// <returns>What the act gives back, to be kept with the request.</returns>
    /// <exception cref="Lending.RefusedException"><c>approval.version</c>, <c>approval.limit</c>: the second person looked at another version, or may not sign so much, and the request goes on waiting; anything else: it is no longer possible.</exception>
    Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct);
}

/// <summary>
/// The table of acts that need a second person, with the permission that the act asks for: whoever may do it may ask for it, and may approve what another asked for. The words are stored and never change.
/// </summary>
public static class ApprovalKinds
{
    public const string ChargeOff = "loan.charge-off";
    public const string WriteOff = "loan.write-off";
    public const string Waive = "loan.waive";
    public const string PublishProduct = "product.publish";
    public const string RetireProduct = "product.retire";
    public const string Roles = "user.roles";
    public const string PasswordLink = "user.password-link";
    public const string SecondFactorReset = "user.second-factor-reset";
    public const string BulkJobs = "jobs.bulk";
    public const string PublishPolicy = "policy.publish";
    public const string Offer = "application.offer";
    public const string JournalEntry = "ledger.entry";

    /// <summary>All, with the permission of each.</summary>
    public static IReadOnlyList<(string Kind, string Permission)> All { get; } =
    [
        (ChargeOff, Permissions.BookChargeOff),
        (WriteOff, Permissions.BookChargeOff),
        (Waive, Permissions.BookWaive),
        (PublishProduct, Permissions.ProductsChange),
        (RetireProduct, Permissions.ProductsChange),
        (Roles, Permissions.PeopleManage),
        (PasswordLink, Permissions.PeopleManage),
        (SecondFactorReset, Permissions.PeopleManage),
        (BulkJobs, Permissions.JobsAll),
        (PublishPolicy, Permissions.UnderwritingChange),
        (Offer, Permissions.ApplicationsDecide),
        (JournalEntry, Permissions.LedgerPost),
    ];

    /// <summary>What the act asks for.</summary>
    public static string PermissionOf(string kind) => All.First(one => one.Kind == kind).Permission;

    /// <summary>The kinds that somebody may decide.</summary>
    public static string[] DecidedBy(ClaimsPrincipal user) => [.. All.Where(one => user.May(one.Permission)).Select(one => one.Kind)];
}
