using Camino.Applications.Papers;
using Camino.Applications.Underwriting;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Underwriting;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications;

/// <summary>A person or program moves an application on: withdraws, cancels, declines or reopens it.</summary>
public sealed class MoveApplication(CaminoDb db, JobStore jobs, TimeProvider clock)
{
    /// <summary>What the audit trail calls it: stable, never renamed.</summary>
    private static readonly Dictionary<ApplicationMove, string> s_actions = new()
    {
        [ApplicationMove.Withdraw] = "application.withdrawn",
        [ApplicationMove.Cancel] = "application.cancelled",
        [ApplicationMove.Decline] = "application.declined",
        [ApplicationMove.Reopen] = "application.reopened",
    };

    /// <summary>Moves that a person or program asks for.</summary>
    public static IReadOnlyCollection<ApplicationMove> Moves => s_actions.Keys;

    /// <param name="adverse">Codes of <see cref="AdverseReasons"/> of an application that is declined; nothing else has any.</param>
    /// <exception cref="RefusedException"><c>application.*</c>, <c>input.reasons</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, ApplicationMove move, string? reason, AskedBy by, CancellationToken ct, IReadOnlyList<string?>? adverse = null)
    {
        var action = s_actions[move];
        var codes = move == ApplicationMove.Decline ? AdverseReasons.Read(adverse) : [];
        var why = reason is null ? null : Imports.StorableText.Of(reason);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"{action} {id} {why}{string.Concat(codes.Select(code => " " + code))}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var (next, step) = course.Move(move, new Actor(ActorKind.Staff, by.UserId), why, at, by.Version);
        if (move == ApplicationMove.Reopen)
            await db.CheckReopenAsync(id, ct);
        await db.KeepCourseAsync(id, next, step with { AdverseReasons = codes }, ct);
        if (move == ApplicationMove.Decline)
            await db.AskPaperAsync(id, PaperKind.Decline, next.Version, by.UserId, at, ct);
        if (move == ApplicationMove.Decline && await db.EvaluateAsync(id, EvaluationCause.Decline, null, by.UserId, at, ct) is { } stored)
            await db.KeepDecisionAsync(id, step.Sequence, null, stored.Number, stored.Result.Recommendation == Recommendation.Approve, null, by.UserId, null, at, ct);
        var stopped = next.IsOpen ? null : await db.StopStepsAsync(jobs, id, by.UserId.ToString(), (NpgsqlTransaction)transaction.GetDbTransaction(), ct);
        if (next.State == ApplicationState.Received)
            db.Enqueue(new BeginChecks(id), new JobOptions { RequestedBy = by.UserId.ToString() });
        // the reason stays with the event: it may name people, and the audit trail may not
        var answer = await db.AnswerAsync(
            transaction, ApplicationAnswer.Of(id, number, next), by, action, at, new { version = next.Version, from = Words.Camel(course.State), to = Words.Camel(next.State), reasons = codes }, ct);
        if (stopped is not null)
            await jobs.AppliedAsync(JobAction.Cancel, stopped, ct);
        return answer;
    }
}

/// <summary>Has one step of an application's checks tried again, at once.</summary>
public sealed class RetryStep(CaminoDb db, JobStore jobs, TimeProvider clock)
{
    private sealed record Stored(short Kind, short State, Guid? JobId);

    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application_step.not_found</c>, <c>application_step.state</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, Guid stepId, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.step-retried {id} {stepId}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var found = await db.Database.SqlQuery<Stored>($"select kind as \"Kind\", state as \"State\", job_id as \"JobId\" from camino.application_steps where id = {stepId} and application_id = {id}").ToListAsync(ct);
        Refuse.If(found.Count == 0, "application_step.not_found", "This application has no such step.");
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var native = (NpgsqlTransaction)transaction.GetDbTransaction();
        IReadOnlyList<Guid> touched = [];
        var action = JobAction.Retry;
        foreach (var one in new[] { JobAction.Retry, JobAction.RunNow })
        {
            if (touched.Count == 0 && (course.State == ApplicationState.Checking || (found[0].Kind == (short)CheckKind.BankAccount && course.IsOpen)) && found[0] is { State: 0 or 3, JobId: { } job })
                (action, touched) = (one, await jobs.ApplyAsync(new JobCommand(one, by.UserId.ToString()), [job], connection, native, ct));
        }

        Refuse.If(touched.Count == 0, "application_step.state", "This step is not one that waits for another attempt; look again.");
        var answer = await db.AnswerAsync(
            transaction, ApplicationAnswer.Of(id, number, course), by, "application.step-retried", at, new { step = stepId }, ct);
        await jobs.AppliedAsync(action, touched, ct);
        return answer;
    }
}
