using System.Text.Json;
using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Tasks;

/// <summary>What is done with an open task: it is given to somebody, due on another day, written about, and in the end done or cancelled. Whom it concerns is told.</summary>
public sealed class WorkOnTask(CaminoDb db, TimeProvider clock)
{
    /// <summary>Gives it to somebody, or back to everybody.</summary>
    /// <param name="assignee">The id of a user; null or empty for nobody in particular.</param>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>, <c>task.state</c>, <c>task.assignee</c>, <c>input.assignee</c>, <c>idempotency.*</c>.</exception>
    public Task<TaskAnswer> AssignAsync(Guid id, string? assignee, AskedBy by, CancellationToken ct) => ActAsync(id, by, TaskAct.Assigned, "task.assigned", assignee, async (task, at) =>
    {
        Open(task);
        var to = TaskWords.Assignee(assignee);
        if (to is { } user)
            await db.CheckAssigneeAsync(user, ct);
        await db.Database.ExecuteSqlAsync($"update camino.tasks set assignee = {to}, version = version + 1 where id = {id}", ct);
        db.TellOfTask(to, by.UserId, "Notice.TaskGiven", task.Title, id, at);
        return new Step(TaskState.Open, null, to, null, new { from = task.Assignee, to });
    }, ct);

    /// <summary>Says until which day; none: it does not matter.</summary>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>, <c>task.state</c>, <c>input.dueOn</c>, <c>idempotency.*</c>.</exception>
    public Task<TaskAnswer> DueAsync(Guid id, string? dueOn, AskedBy by, CancellationToken ct) => ActAsync(id, by, TaskAct.Due, "task.due_changed", dueOn, async (task, at) =>
    {
        Open(task);
        var to = TaskWords.DueOn(dueOn, at);
        await db.Database.ExecuteSqlAsync($"update camino.tasks set due_on = {to}, version = version + 1 where id = {id}", ct);
        return new Step(TaskState.Open, null, null, to, new { from = task.DueOn, to });
    }, ct);

    /// <summary>Writes something about it, also when it is over; who has it, who asked for it and who is mentioned are told.</summary>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>, <c>input.text</c>, <c>note.mention</c>, <c>idempotency.*</c>.</exception>
    public Task<TaskAnswer> CommentAsync(Guid id, string? text, AskedBy by, CancellationToken ct) => ActAsync(id, by, TaskAct.Comment, "task.commented", text, async (task, at) =>
    {
        var said = TaskWords.Text("text", text);
        var mentioned = await db.MentionedAsync(said, ct);
        await db.Database.ExecuteSqlAsync($"update camino.tasks set version = version + 1 where id = {id}", ct);
        foreach (var who in mentioned.Select(one => (Guid?)one).Append(task.Assignee).Append(task.CreatedBy).Distinct())
            db.TellOfTask(who, by.UserId, mentioned.Contains(who ?? Guid.Empty) ? "Notice.TaskMention" : "Notice.TaskComment", task.Title, id, at);
        return new Step((TaskState)task.State, said, null, null, new { mentions = mentioned });
    }, ct);

    /// <summary>It was done; who asked for it is told. What comes after it is made in the same transaction.</summary>
    /// <param name="outcome">What came of it; may be left out.</param>
    /// <param name="followUp">A task that follows, about the same and for the same person where it does not say so itself; null for none.</param>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>, <c>task.state</c>, <c>task.assignee</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public Task<TaskAnswer> DoneAsync(Guid id, string? outcome, TaskInput? followUp, AskedBy by, CancellationToken ct) =>
        ActAsync(id, by, TaskAct.Done, "task.done", JsonSerializer.Serialize(new { outcome, followUp }, JsonSerializerOptions.Web), async (task, at) =>
        {
            Open(task);
            var said = TaskWords.Optional("outcome", outcome);
            await EndAsync(id, TaskState.Done, by, at, ct);
            db.TellOfTask(task.CreatedBy, by.UserId, "Notice.TaskDone", task.Title, id, at);
            var next = followUp is null ? (Guid?)null : await FollowAsync(task, followUp, by, at, ct);
            return new Step(TaskState.Done, said, null, null, new { followUp = next }) { FollowUp = next };
        }, ct);

    /// <summary>Nobody has to do it any more; who has it and who asked for it are told.</summary>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>, <c>task.state</c>, <c>input.reason</c>, <c>idempotency.*</c>.</exception>
    public Task<TaskAnswer> CancelAsync(Guid id, string? reason, AskedBy by, CancellationToken ct) => ActAsync(id, by, TaskAct.Cancelled, "task.cancelled", reason, async (task, at) =>
    {
        Open(task);
        var why = TaskWords.Text("reason", reason);
        await EndAsync(id, TaskState.Cancelled, by, at, ct);
        foreach (var who in new[] { task.Assignee, task.CreatedBy }.Distinct())
            db.TellOfTask(who, by.UserId, "Notice.TaskCancelled", task.Title, id, at);
        return new Step(TaskState.Cancelled, why, null, null, new { });
    }, ct);

    /// <summary>It has to be done after all; who had it is told.</summary>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>, <c>task.state</c>, <c>input.reason</c>, <c>idempotency.*</c>.</exception>
    public Task<TaskAnswer> ReopenAsync(Guid id, string? reason, AskedBy by, CancellationToken ct) => ActAsync(id, by, TaskAct.Reopened, "task.reopened", reason, async (task, at) =>
    {
        Refuse.If((TaskState)task.State == TaskState.Open, "task.state", "The task is open already. Look again.");
        var why = TaskWords.Text("reason", reason);
        // who cannot sign in any more has no task
        var assignee = await db.Database.SqlQuery<Guid>(
            $"update camino.tasks set state = 0, ended_at = null, ended_by = null, source = null, version = version + 1, assignee = (select u.id from camino.staff_users u where u.id = assignee and u.lockout_end is distinct from 'infinity') where id = {id} returning coalesce(assignee, '00000000-0000-0000-0000-000000000000') as \"Value\"")
            .ToListAsync(ct);
        if (assignee[0] != Guid.Empty)
            db.TellOfTask(assignee[0], by.UserId, "Notice.TaskReopened", task.Title, id, at);
        return new Step(TaskState.Open, why, null, null, new { });
    }, ct);

    /// <summary>What an act leaves behind.</summary>
    private sealed record Step(TaskState State, string? Text, Guid? Assignee, DateOnly? DueOn, object Details)
    {
        public Guid? FollowUp { get; init; }
    }

    private async Task<TaskAnswer> ActAsync(Guid id, AskedBy by, TaskAct act, string action, string? given, Func<TaskTable.Stored, DateTimeOffset, Task<Step>> step, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"{action} {id} {given}", at, ct) is { } before)
            return TaskAnswer.Repeated(before);
        var task = await db.LockTaskAsync(id, by, ct);
        var done = await step(task, at);
        await db.TaskEntryAsync(id, act, by.UserId, at, done.Text, done.Assignee, done.DueOn, ct);
        return await db.AnswerTaskAsync(transaction, new TaskAnswer(id, TaskWords.Word(done.State), task.Version + 1) { FollowUp = done.FollowUp }, by, action, at, done.Details, ct);
    }

    private static void Open(TaskTable.Stored task) => Refuse.If((TaskState)task.State != TaskState.Open, "task.state", "The task is over; reopen it first.");

    private Task<int> EndAsync(Guid id, TaskState state, AskedBy by, DateTimeOffset at, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"update camino.tasks set state = {(short)state}, ended_at = {at}, ended_by = {by.UserId}, version = version + 1 where id = {id}", ct);

    private async Task<Guid> FollowAsync(TaskTable.Stored task, TaskInput input, AskedBy by, DateTimeOffset at, CancellationToken ct)
    {
        var assignee = TaskWords.Assignee(input.Assignee) ?? task.Assignee;
        if (assignee is { } user)
            await db.CheckAssigneeAsync(user, ct);
        var subject = TaskWords.Subject(input.Subject, input.SubjectId) ?? (task.Subject is { } kind && task.SubjectId is { } about ? ((SubjectKind)kind, about) : null);
        if (subject is { } given)
            await db.CheckSubjectAsync(given, ct);
        var next = new NewTask(TaskWords.Title(input.Title), TaskWords.Optional("detail", input.Detail), TaskWords.DueOn(input.DueOn, at), assignee, subject);
        var id = await db.InsertTaskAsync(next, by.UserId, at, ct);
        db.TellOfTask(assignee, by.UserId, "Notice.TaskGiven", next.Title, id, at);
        db.AuditEntries.Add(new Audit.AuditEntry(at, by.UserId, "task.added", "task", id.ToString(), JsonSerializer.Serialize(new { assignee, dueOn = next.DueOn }, JsonSerializerOptions.Web)));
        return id;
    }
}
