using Camino.Data;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications.Underwriting;

/// <summary>What the credit policy says to an offer, before anybody makes it.</summary>
/// <param name="Evaluation">Number of the evaluation that it rests on; 0: it is not stored yet.</param>
/// <param name="IsAbsolute">A rule speaks against it that nobody decides against.</param>
/// <param name="NeedsOverride">It goes against the recommendation, and whoever makes it says why.</param>
/// <param name="NeedsSecondPerson">It goes beyond what one person, or this one, may decide.</param>
/// <param name="OpenItems">What the checklist misses.</param>
public sealed record OfferJudgement(int Evaluation, CreditEvaluation Result, CreditPolicy Policy, bool IsAbsolute, bool NeedsOverride, bool NeedsSecondPerson, IReadOnlyList<ChecklistLine> OpenItems);

/// <summary>Why somebody decides against the recommendation.</summary>
/// <param name="Code">One of <see cref="OverrideReasons"/>.</param>
internal sealed record Override(string Code, string Text)
{
    /// <exception cref="RefusedException"><c>application.override</c>.</exception>
    public static Override Read(string? code, string? text)
    {
        var words = Imports.StorableText.Of((text ?? "").Trim());
        var known = OverrideReasons.Codes.FirstOrDefault(one => one == code?.Trim());
        Refuse.If(
            known is null || words.Length is < OverrideReasons.ShortestText or > OverrideReasons.LongestText, "application.override",
            $"The credit policy recommends to decline. An offer against it needs overrideCode, one of {string.Join(", ", OverrideReasons.Codes)}, and overrideReason of {OverrideReasons.ShortestText} to {OverrideReasons.LongestText} characters; got {words.Length}.");
        return new Override(known, words);
    }
}

/// <summary>Where offers meet the credit policy: recommendation, limits by role, second person, checklist. Without a published policy nothing is asked.</summary>
internal static class OfferGate
{
    /// <summary>Roles of somebody as they are stored now; none of an API client.</summary>
    public static Task<List<string>> RolesOfAsync(this CaminoDb db, Guid user, CancellationToken ct) =>
        (from link in db.UserRoles join role in db.Roles on link.RoleId equals role.Id where link.UserId == user && role.Name != null select role.Name ?? "").ToListAsync(ct);

    /// <summary>Looks without keeping anything.</summary>
    public static async Task<OfferJudgement?> LookAsync(this CaminoDb db, Guid id, string product, Money principal, Guid by, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            var connection = (NpgsqlConnection)db.Database.GetDbConnection();
            if (await EvaluationTable.PublishedAsync(connection, null, ct) is not { } published || await EvaluationTable.FactsAsync(connection, null, id, principal, ct) is not { } facts)
                return null;
            var policy = PolicyForm.Read(published.Document);
            return await JudgeAsync(db, connection, null, id, 0, CreditEvaluation.Of(policy, facts), policy, product, principal, by, ct);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Evaluates what is to be offered, in the transaction of the decision, and refuses what nobody may make so.</summary>
    /// <exception cref="RefusedException"><c>application.knock_out</c>, <c>application.checklist</c>.</exception>
    public static async Task<OfferJudgement?> PassAsync(this CaminoDb db, Guid id, string number, string product, Money principal, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        if (await db.EvaluateAsync(id, EvaluationCause.Offer, principal, by, at, ct) is not { } stored)
            return null;
        var (connection, transaction) = ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        var document = await EvaluationTable.DocumentAsync(connection, transaction, stored.Policy, ct); // another may have been published since
        var judged = await JudgeAsync(db, connection, transaction, id, stored.Number, stored.Result, PolicyForm.Read(document), product, principal, by, ct);
        var rules = string.Join(", ", judged.Result.Rules.Where(rule => rule is { Applies: true, IsReferral: false } && judged.Policy.Rules.Any(one => one.Code == rule.Code && one.IsAbsolute)).Select(rule => rule.Code));
        Refuse.If(judged.IsAbsolute, "application.knock_out", $"Application {number} cannot be offered anything: nobody decides against the rule {rules} of the credit policy.");
        ChecklistTable.Check(judged.OpenItems, number, CheckBefore.Offer, product, principal);
        return judged;
    }

    /// <summary>Nothing is booked while something is missing that the published policy asks for before.</summary>
    /// <exception cref="RefusedException"><c>application.checklist</c>.</exception>
    public static async Task CheckBookingAsync(this CaminoDb db, Guid id, string number, string product, Money principal, CancellationToken ct)
    {
        var (connection, transaction) = ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        if (await EvaluationTable.PublishedAsync(connection, transaction, ct) is { } published)
            ChecklistTable.Check(await ChecklistTable.LinesAsync(connection, transaction, id, PolicyForm.Read(published.Document), ct), number, CheckBefore.Booking, product, principal);
    }

    /// <summary>Whether somebody may sign as the second person.</summary>
    /// <exception cref="RefusedException"><c>approval.limit</c>.</exception>
    public static async Task CheckSignerAsync(this CaminoDb db, OfferJudgement judged, Money principal, Guid signer, CancellationToken ct)
    {
        var limits = judged.Policy.Limits.Of(await db.RolesOfAsync(signer, ct));
        Refuse.If(principal > limits.Offer, "approval.limit", $"You may sign offers up to {limits.Offer}; this one is {principal}. Somebody with a higher limit has to.");
        Refuse.If(judged.NeedsOverride && principal > limits.Override, "approval.limit", $"You may sign offers against the recommendation up to {limits.Override}; this one is {principal}. Somebody with a higher limit has to.");
    }

    /// <summary>Writes down which evaluation a decision rests on, for good.</summary>
    /// <param name="offer">Null: it was declined.</param>
    /// <param name="signed">Who signed as the second person, and the request.</param>
    public static Task KeepDecisionAsync(this CaminoDb db, Guid id, int sequence, int? offer, int evaluation, bool isOverride, Override? why, Guid by, (Guid By, Guid Approval)? signed, DateTimeOffset at, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_decisions (application_id, sequence, kind, offer_number, evaluation, is_override, override_code, override_text, decided_by, signed_by, approval_id, at)
            values ({id}, {sequence}, {(short)(offer is null ? 2 : 1)}, {(short?)offer}, {evaluation}, {isOverride}, {why?.Code}, {why?.Text}, {by}, {signed?.By}, {signed?.Approval}, {at})
            """, ct);

    private static async Task<OfferJudgement> JudgeAsync(CaminoDb db, NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid id, int evaluation, CreditEvaluation result, CreditPolicy policy, string product, Money principal, Guid by, CancellationToken ct)
    {
        var limits = policy.Limits.Of(await db.RolesOfAsync(by, ct));
        var isOverride = result.Recommendation == Recommendation.Decline;
        var second = (policy.Limits.SecondSignatureOver is { } over && principal > over) || principal > limits.Offer || (isOverride && principal > limits.Override);
        var open = ChecklistTable.Open(await ChecklistTable.LinesAsync(connection, transaction, id, policy, ct), CheckBefore.Offer, product, principal);
        return new OfferJudgement(evaluation, result, policy, result.IsAbsolute, isOverride, second, open);
    }
}
