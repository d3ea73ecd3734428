using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Notices;
using Camino.People;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Camino.Tasks;

/// <summary>The statements that acts on tasks and notes share.</summary>
internal static class TaskTable
{
    /// <summary>A task whose row others wait for until the transaction ends.</summary>
    internal sealed record Stored(string Title, short State, Guid? Assignee, DateOnly? DueOn, Guid? CreatedBy, short? Subject, Guid? SubjectId, int Version);

    /// <summary>Locks a task and compares the version that was looked at: the first statement of every act.</summary>
    /// <exception cref="RefusedException"><c>task.not_found</c>, <c>task.version</c>.</exception>
    public static async Task<Stored> LockTaskAsync(this CaminoDb db, Guid id, AskedBy by, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Stored>(
            $"""
            select title as "Title", state as "State", assignee as "Assignee", due_on as "DueOn", created_by as "CreatedBy", subject as "Subject", subject_id as "SubjectId", version as "Version"
            from camino.tasks where id = {id} for update
            """).ToListAsync(ct);
        Refuse.If(found.Count == 0, "task.not_found", $"There is no task {id}.");
        Refuse.If(by.Version is { } seen && seen != found[0].Version, "task.version", $"The task has changed: version {by.Version} was looked at, it is now {found[0].Version}. Look again.");
        return found[0];
    }

    /// <summary>Stores a new task with its first entry.</summary>
    /// <param name="source">What made it where no person did: there is one open task of a source.</param>
    /// <param name="said">Name of the text that says it in the reader's language, where no person wrote it.</param>
    public static async Task<Guid> InsertTaskAsync(this CaminoDb db, NewTask task, Guid? by, DateTimeOffset at, CancellationToken ct, string? source = null, string? said = null)
    {
        var id = Guid.CreateVersion7(at);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.tasks (id, subject, subject_id, title, detail, due_on, assignee, created_at, created_by, source, said)
            values ({id}, {(short?)task.Subject?.Kind}, {task.Subject?.Id}, {task.Title}, {task.Detail ?? ""}, {task.DueOn}, {task.Assignee}, {at}, {by}, {source}, {said})
            """, ct);
        await db.TaskEntryAsync(id, TaskAct.Added, by, at, null, task.Assignee, task.DueOn, ct);
        return id;
    }

    /// <summary>Writes down what happened to a task.</summary>
    public static Task TaskEntryAsync(this CaminoDb db, Guid taskId, TaskAct act, Guid? by, DateTimeOffset at, string? text, Guid? assignee, DateOnly? dueOn, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync(
            $"insert into camino.task_entries (id, task_id, act, at, by, text, assignee, due_on) values ({Guid.CreateVersion7(at)}, {taskId}, {(short)act}, {at}, {by}, {text}, {assignee}, {dueOn})", ct);

    /// <summary>What it is about is there.</summary>
    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>application.not_found</c>, <c>loan.not_found</c>.</exception>
    public static async Task CheckSubjectAsync(this CaminoDb db, (SubjectKind Kind, Guid Id) subject, CancellationToken ct)
    {
        var (bound, seen) = (db.Scope.IsBound, db.Scope.Seen ?? []);
        var there = await db.Database.SqlQuery<bool>(
            $"""
            select case {(short)subject.Kind}
                when 1 then exists (select from camino.borrowers where id = {subject.Id} and merged_into is null and ({!bound} or branch_id is null or branch_id = any({seen})))
                when 2 then exists (select from camino.applications where id = {subject.Id} and ({!bound} or branch_id is null or branch_id = any({seen})))
                else exists (select from camino.serviced_loans where id = {subject.Id}) and ({!bound} or not exists (select from camino.loan_branches where loan_id = {subject.Id} and branch_id <> all({seen}))) end as "Value"
            """).SingleAsync(ct);
        if (there)
            return;
        throw subject.Kind switch
        {
            SubjectKind.Borrower => new RefusedException("borrower.not_found", $"There is no borrower {subject.Id}."),
            SubjectKind.Application => new RefusedException("application.not_found", $"There is no application {subject.Id}."),
            _ => new RefusedException("loan.not_found", $"There is no loan {subject.Id}."),
        };
    }

    /// <summary>Whoever is given a task can sign in and may work on tasks.</summary>
    /// <exception cref="RefusedException"><c>task.assignee</c>.</exception>
    public static async Task CheckAssigneeAsync(this CaminoDb db, Guid user, CancellationToken ct)
    {
        var roles = await db.Database.SqlQuery<string>(
            $"""
            select role.name as "Value" from camino.staff_users one join camino.staff_user_roles link on link.user_id = one.id join camino.staff_roles role on role.id = link.role_id
            where one.id = {user} and one.lockout_end is distinct from 'infinity'
            """).ToListAsync(ct);
        Refuse.If(!roles.Exists(role => Permissions.Of(role).Contains(Permissions.TasksWork)), "task.assignee", $"{user} is no user who can sign in and work on tasks.");
    }

    /// <summary>Tells a person on the screen, unless it is the person who did it.</summary>
    public static void TellOfTask(this CaminoDb db, Guid? user, Guid? by, string text, string title, Guid taskId, DateTimeOffset at)
    {
        if (user is { } who && who != by)
            db.Notices.Add(new Notice(who, text, [title], $"/tasks/{taskId}", at));
    }

    /// <summary>Who is disabled has nothing to do any more: the open tasks go back to everybody, so that none is lost.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> GiveBackTasksAsync(this CaminoDb db, Guid user, StaffActor actor, DateTimeOffset at, CancellationToken ct)
    {
        var tasks = await db.Database.SqlQuery<Guid>($"update camino.tasks set assignee = null, version = version + 1 where assignee = {user} and state = 0 returning id as \"Value\"").ToListAsync(ct);
        foreach (var task in tasks)
            await db.TaskEntryAsync(task, TaskAct.Assigned, actor.UserId, at, null, null, null, ct);
        return tasks.Count;
    }

    /// <summary>Audit entry, answer and commit: the end of every act on a task.</summary>
    /// <param name="details">Ids, days and names of fields, never what people wrote.</param>
    public static async Task<TaskAnswer> AnswerTaskAsync(this CaminoDb db, IDbContextTransaction transaction, TaskAnswer answer, AskedBy by, string action, DateTimeOffset at, object details, CancellationToken ct)
    {
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, action, "task", answer.TaskId.ToString(), JsonSerializer.Serialize(details, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }
}

/// <summary>A new task that was checked.</summary>
internal sealed record NewTask(string Title, string? Detail, DateOnly? DueOn, Guid? Assignee, (SubjectKind Kind, Guid Id)? Subject);
