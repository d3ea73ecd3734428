using System.Text.Json;
using Camino.Data;
using Camino.Lending;
using Camino.Servicing;

namespace Camino.Tasks;

/// <summary>Makes a task; who it is given to is told.</summary>
public sealed class AddTask(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>input.*</c>, <c>task.assignee</c>, <c>*.not_found</c> of what it is about, <c>idempotency.*</c>.</exception>
    public async Task<TaskAnswer> RunAsync(TaskInput input, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"task.add {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return TaskAnswer.Repeated(before);
        var task = new NewTask(TaskWords.Title(input.Title), TaskWords.Optional("detail", input.Detail), TaskWords.DueOn(input.DueOn, at), TaskWords.Assignee(input.Assignee), TaskWords.Subject(input.Subject, input.SubjectId));
        if (task.Subject is { } subject)
            await db.CheckSubjectAsync(subject, ct);
        if (task.Assignee is { } assignee)
            await db.CheckAssigneeAsync(assignee, ct);
        var id = await db.InsertTaskAsync(task, by.UserId, at, ct);
        db.TellOfTask(task.Assignee, by.UserId, "Notice.TaskGiven", task.Title, id, at);
        var details = new { assignee = task.Assignee, dueOn = task.DueOn, subject = task.Subject is { } about ? TaskWords.Word(about.Kind) : null, subjectId = task.Subject?.Id };
        return await db.AnswerTaskAsync(transaction, new TaskAnswer(id, TaskWords.Word(TaskState.Open), 1), by, "task.added", at, details, ct);
    }
}
