using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications.Underwriting;

/// <summary>Evaluates an application anew because a person asks for it: by the policy that is published now, on what is known now.</summary>
public sealed class EvaluateApplication(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>evaluation.state</c>, <c>evaluation.no_policy</c>.</exception>
    public async Task<StoredEvaluation> RunAsync(Guid id, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        Refuse.If(!course.IsOpen || !course.ChecksDone, "evaluation.state", $"Application {number} is evaluated while it is open and after its checks have ended.");
        var stored = await db.EvaluateAsync(id, EvaluationCause.Asked, null, by, at, ct) ?? throw new RefusedException("evaluation.no_policy", "No credit policy is published; publish one first.");
        db.AuditEntries.Add(new AuditEntry(at, by, "application.evaluated", "application", id.ToString(), JsonSerializer.Serialize(new { evaluation = stored.Number, policy = stored.Policy })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return stored;
    }
}

/// <summary>How operations on applications evaluate in their own transaction.</summary>
internal static class EvaluationAccess
{
    /// <inheritdoc cref="EvaluationTable.EvaluateAsync"/>
    public static Task<StoredEvaluation?> EvaluateAsync(this CaminoDb db, Guid id, EvaluationCause cause, Money? principal, Guid? by, DateTimeOffset at, CancellationToken ct) =>
        EvaluationTable.EvaluateAsync(
            (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)(db.Database.CurrentTransaction ?? throw new InvalidOperationException("An evaluation is stored inside a transaction.")).GetDbTransaction(), id, cause, principal, by, at, ct);
}

/// <summary>An evaluation with what it was made under.</summary>
/// <param name="Rules">The version's own words and weights.</param>
/// <param name="IsCurrent">It is what would come out now: nothing that counts, and no policy, has changed since.</param>
/// <param name="By">Name of who asked for it.</param>
public sealed record EvaluationView(StoredEvaluation Stored, CreditPolicy Rules, bool IsCurrent, string? By);

/// <summary>What a policy would have said about recent applications, beside what was said.</summary>
/// <param name="Applications">How many were looked at: the newest evaluation of each.</param>
/// <param name="Changed">How many come out otherwise than under the published version.</param>
public sealed record PolicyTrial(int Applications, TrialCounts Before, TrialCounts After, int Changed);

/// <summary>How many applications come out how.</summary>
public sealed record TrialCounts(int Approve, int Refer, int Decline);

/// <summary>Reads evaluations.</summary>
public sealed class ShowEvaluation(NpgsqlDataSource source)
{
    /// <summary>Applications that a policy is tried on.</summary>
    public const int MostTried = 500;

    /// <summary>The newest evaluations, one of each application.</summary>
    internal const string Recent = "select distinct on (e.application_id) e.facts::text from (select * from camino.application_evaluations order by at desc, application_id limit 2000) e order by e.application_id, e.number desc limit 500";

    /// <summary>The newest evaluation of an application, or null.</summary>
    public async Task<EvaluationView?> RunAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        if (await EvaluationTable.NewestAsync(connection, null, id, ct) is not { } stored)
            return null;
        var published = await EvaluationTable.PublishedAsync(connection, null, ct);
        var facts = await EvaluationTable.FactsAsync(connection, null, id, new Money(stored.Principal), ct);
        return await ViewAsync(connection, stored, published?.Number == stored.Policy && facts is not null && stored.Facts.IsSame(facts), ct);
    }

    /// <summary>One evaluation of an application, or null; those that a decision rests on stay as they were.</summary>
    public async Task<EvaluationView?> OneAsync(Guid id, int number, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await EvaluationTable.OneAsync(connection, id, number, ct) is { } stored ? await ViewAsync(connection, stored, false, ct) : null;
    }

    /// <summary>Tries a policy on the facts of applications that were evaluated last; keeps nothing.</summary>
    public async Task<PolicyTrial> TryAsync(CreditPolicy policy, CreditPolicy? published, CancellationToken ct)
    {
        var facts = new List<CreditFacts>();
        await using (var command = source.CreateCommand(Recent))
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
                facts.Add(EvaluationTable.FactsOf(rows.GetString(0)));
        }

        var after = facts.ConvertAll(one => CreditEvaluation.Of(policy, one).Recommendation);
        var before = published is null ? [] : facts.ConvertAll(one => CreditEvaluation.Of(published, one).Recommendation);
        return new PolicyTrial(facts.Count, Counts(before), Counts(after), before.Zip(after).Count(pair => pair.First != pair.Second));
    }

    private static TrialCounts Counts(List<Recommendation> all) => new(all.Count(one => one == Recommendation.Approve), all.Count(one => one == Recommendation.Refer), all.Count(one => one == Recommendation.Decline));

    private static async Task<EvaluationView> ViewAsync(NpgsqlConnection connection, StoredEvaluation stored, bool isCurrent, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select document::text, (select u.display_name from camino.staff_users u where u.id = $2) from camino.credit_policies where number = $1", connection)
        {
            Parameters = { new() { Value = stored.Policy }, new() { Value = (object?)stored.By ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid } },
        };
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new EvaluationView(stored, PolicyForm.Read(row.GetString(0)), isCurrent, await row.IsDBNullAsync(1, ct) ? null : row.GetString(1));
    }
}
