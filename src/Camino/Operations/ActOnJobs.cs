using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Operations;

/// <summary>Who acts on jobs.</summary>
/// <param name="UserId">The signed-in user.</param>
/// <param name="OnAll">May act on everybody's jobs; others on those that they asked for themselves.</param>
public sealed record JobActor(Guid UserId, bool OnAll);

/// <summary>What a person wants done with jobs.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Reason">Why, 3 to 300 characters; stored with the act.</param>
/// <param name="DueAt">The new due time of <see cref="JobAction.ChangeDue"/>.</param>
public sealed record JobAct(JobAction Action, string Reason, DateTimeOffset? DueAt = null)
{
    /// <summary>The words in which addresses, the API and the command line say it.</summary>
    public static IReadOnlyDictionary<string, JobAction> Words { get; } = new Dictionary<string, JobAction>(StringComparer.Ordinal)
    {
        ["retry"] = JobAction.Retry,
        ["cancel"] = JobAction.Cancel,
        ["run-now"] = JobAction.RunNow,
        ["change-due"] = JobAction.ChangeDue,
        ["acknowledge"] = JobAction.Acknowledge,
    };

    /// <summary>The word of an action.</summary>
    public static string Word(JobAction action) => Words.First(word => word.Value == action).Key;

    /// <summary>An act from what somebody wrote.</summary>
    /// <exception cref="RefusedException"><c>job.act_unknown</c>, <c>job.reason</c>, <c>job.due_missing</c>.</exception>
    public static JobAct Of(string? word, string? reason, DateTimeOffset? dueAt = null)
    {
        Refuse.If(word is null || !Words.ContainsKey(word), "job.act_unknown", $"'{word}' cannot be done to jobs; it is one of {string.Join(", ", Words.Keys)}.");
        var why = reason?.Trim() ?? "";
        Refuse.If(why.Length is < 3 or > 300 || why.Contains('\0', StringComparison.Ordinal), "job.reason", $"reason has {why.Length} characters; say in 3 to 300 why.");
        var action = Words[word ?? ""];
        Refuse.If(action == JobAction.ChangeDue && dueAt is null, "job.due_missing", "dueAt is missing; say when the job shall be due.");
        return new JobAct(action, why, action == JobAction.ChangeDue ? dueAt : null);
    }

    internal JobCommand By(Guid userId) => new(Action, userId.ToString(), Reason, DueAt);
}

/// <summary>A person acts on one job or on some: the act, its reason and its effect are stored together or not at all.</summary>
public sealed class ActOnJobs(JobStore jobs, CaminoDb db, TimeProvider clock)
{
    /// <summary>Jobs of one act at most; more are the business of <see cref="ActOnAllJobs"/>.</summary>
    public const int Most = 200;

    /// <returns>How many it was done to, or asked of the server that runs them, and how many were refused because their state did not allow it.</returns>
    /// <exception cref="RefusedException"><c>job.none_chosen</c>, <c>job.too_many</c>, <c>job.not_found</c>, <c>job.not_yours</c>, <c>job.wrong_state</c> (of a single job).</exception>
    public async Task<JobBulkProgress> RunAsync(JobAct act, IReadOnlyCollection<Guid> ids, JobActor actor, CancellationToken ct)
    {
        var chosen = ids.Distinct().ToArray();
        Refuse.If(chosen.Length == 0, "job.none_chosen", "No job is chosen.");
        Refuse.If(chosen.Length > Most, "job.too_many", $"{chosen.Length} jobs are chosen; at most {Most} go at once. Act on all that match instead.");

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var askers = await jobs.RequestersAsync(chosen, ct);
        Refuse.If(askers.Count == 0, "job.not_found", chosen.Length == 1 ? $"There is no job {chosen[0]}." : "None of these jobs exists any more.");
        Refuse.If(!actor.OnAll && askers.Values.Any(asker => asker != actor.UserId.ToString()), "job.not_yours", "Only an administrator may act on jobs that others asked for.");

        var details = JsonSerializer.Serialize(new { reason = act.Reason, dueAt = act.DueAt }, JsonSerializerOptions.Web);
        db.AuditEntries.AddRange(askers.Keys.Select(id => new AuditEntry(clock.GetUtcNow(), actor.UserId, AuditName(act.Action), "job", id.ToString(), details)));
        await db.SaveChangesAsync(ct);
        var touched = await jobs.ApplyAsync(act.By(actor.UserId), [.. askers.Keys], connection, (NpgsqlTransaction)transaction.GetDbTransaction(), ct);
        Refuse.If(chosen.Length == 1 && touched.Count == 0, "job.wrong_state", $"The state of job {chosen[0]} does not allow that (any more).");
        await transaction.CommitAsync(ct);
        await jobs.AppliedAsync(act.Action, touched, ct);
        return new JobBulkProgress(chosen.Length, touched.Count, chosen.Length - touched.Count, Cursor: null);
    }

    /// <summary>What the audit trail calls it: stable, never renamed.</summary>
    internal static string AuditName(JobAction action) => action switch
    {
        JobAction.Retry => "job.retried",
        JobAction.Cancel => "job.cancelled",
        JobAction.RunNow => "job.run_now",
        JobAction.ChangeDue => "job.due_changed",
        JobAction.Acknowledge => "job.acknowledged",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, "There is no such action."),
    };
}
