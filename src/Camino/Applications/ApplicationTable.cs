using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications;

/// <summary>What became of an application that was taken in or moved on.</summary>
/// <param name="Number">As people call it: <c>A-100001</c>.</param>
/// <param name="State">As programs read it: <c>RECEIVED</c>.</param>
/// <param name="Step">Where exactly it stands: <c>underwriting</c>.</param>
/// <param name="Version">Counts the events; a move says which one it looked at.</param>
public sealed record ApplicationAnswer(Guid ApplicationId, string Number, string State, string Step, int Version)
{
    /// <summary>The offer that was made, accepted, withdrawn or booked; left out elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Offer { get; init; }

    /// <summary>The loan that was booked; left out elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Guid? LoanId { get; init; }

    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    internal static ApplicationAnswer Of(Guid id, string number, ApplicationCourse course) => new(id, number, ApplicationWords.Task(course.State), ApplicationWords.Step(course.State), course.Version);

    internal static ApplicationAnswer Repeated(string answer) =>
        (JsonSerializer.Deserialize<ApplicationAnswer>(answer, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };
}

/// <summary>The statements that operations on applications share.</summary>
internal static class ApplicationTable
{
    private sealed record Stored(string Number, short State, int Version, bool ChecksDone, DateTimeOffset ChangedAt, DateTimeOffset ExpiresAt);

    /// <summary>Locks an application: the first statement of every change.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>.</exception>
    public static async Task<(string Number, ApplicationCourse Course)> LockApplicationAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var (bound, seen) = (db.Scope.IsBound, db.Scope.Seen ?? []);
        var found = await db.Database.SqlQuery<Stored>(
            $"select number as \"Number\", state as \"State\", version as \"Version\", checks_done as \"ChecksDone\", changed_at as \"ChangedAt\", expires_at as \"ExpiresAt\" from camino.applications where id = {id} and ({!bound} or branch_id is null or branch_id = any({seen})) for update").ToListAsync(ct);
        Refuse.If(found.Count == 0, "application.not_found", $"There is no application {id}.");
        var row = found[0];
        return (row.Number, new ApplicationCourse((ApplicationState)row.State, row.Version, row.ChecksDone, row.ChangedAt, row.ExpiresAt));
    }

    /// <summary>Stores where a locked application stands now, and the event that brought it there. Offers that are open end with what was offered.</summary>
    public static async Task KeepCourseAsync(this CaminoDb db, Guid id, ApplicationCourse course, ApplicationEvent step, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync(
            $"""
            update camino.applications set state = {(short)course.State}, version = {course.Version}, checks_done = {course.ChecksDone}, changed_at = {course.ChangedAt}, expires_at = {course.ExpiresAt},
                ended_at = case when {course.IsOpen} then null else {course.ChangedAt} end, result_removed_at = null
            where id = {id}
            """, ct);
        if (course.State is not (ApplicationState.Offered or ApplicationState.Accepted) && step.From == ApplicationState.Offered)
            await db.CloseOffersAsync(id, OfferState.Closed, course.ChangedAt, step.By.Id, ct);
        if (!course.IsOpen) // nobody asks a bank about it any more
            await db.Database.ExecuteSqlAsync($"update camino.application_accounts set sealed_question = null where application_id = {id} and sealed_question is not null", ct);
        await db.KeepEventAsync(id, step, ct);
    }

    /// <summary>Writes an event down, and what the program that handed the application in is told of it; the jobs of that ride in the next save.</summary>
    public static async Task KeepEventAsync(this CaminoDb db, Guid id, ApplicationEvent step, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_events (application_id, sequence, move, from_state, to_state, actor_kind, actor_id, reason, at, adverse_reasons)
            values ({id}, {step.Sequence}, {(short)step.Move}, {(short?)step.From}, {(short)step.To}, {(short)step.By.Kind}, {step.By.Id}, {step.Reason}, {step.At}, {(step.AdverseReasons.Count == 0 ? null : step.AdverseReasons.ToArray())})
            """, ct);
        await db.TellAsync(id, step, ApplicationWords.Task(step.To), ct);
    }

    /// <summary>Steps of the checks that are not over end with the application, and their jobs with them. Call <see cref="JobStore.AppliedAsync"/> after the commit.</summary>
    /// <returns>The jobs that were cancelled.</returns>
    public static async Task<IReadOnlyList<Guid>> StopStepsAsync(this CaminoDb db, JobStore jobs, Guid id, string by, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var open = await db.Database.SqlQuery<Guid?>($"update camino.application_steps set state = 4, ended_at = now() where application_id = {id} and state in (0, 1, 3) returning job_id as \"Value\"").ToListAsync(ct);
        var ids = open.OfType<Guid>().ToArray();
        return ids.Length == 0 ? [] : await jobs.ApplyAsync(new JobCommand(JobAction.Cancel, by, "The application ended."), ids, (NpgsqlConnection)db.Database.GetDbConnection(), transaction, ct);
    }

    /// <summary>Audit entry, jobs, answer and commit: the end of every act of a person or program on an application.</summary>
    /// <param name="details">Ids, codes and numbers, never what people wrote.</param>
    public static async Task<ApplicationAnswer> AnswerAsync(this CaminoDb db, IDbContextTransaction transaction, ApplicationAnswer answer, AskedBy by, string action, DateTimeOffset at, object details, CancellationToken ct)
    {
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, action, "application", answer.ApplicationId.ToString(), JsonSerializer.Serialize(details)));
        await db.SaveChangesAsync(ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }
}

/// <summary>Stored values as programs read them.</summary>
public static class ApplicationWords
{
    /// <summary>RECEIVED, IN_PROGRESS, DONE, FAILED, CANCELLED or EXPIRED.</summary>
    public static string Task(ApplicationState state) => state switch
    {
        ApplicationState.Received => "RECEIVED",
        ApplicationState.Booked or ApplicationState.Declined => "DONE",
        ApplicationState.Withdrawn or ApplicationState.Cancelled => "CANCELLED",
        ApplicationState.Expired => "EXPIRED",
        ApplicationState.Failed => "FAILED",
        _ => "IN_PROGRESS",
    };

    /// <summary><c>underwriting</c></summary>
    public static string Step(ApplicationState state) => Words.Camel(state);

    /// <summary>How far it is, 0 to 100; the checks are the stretch from 10 to 60.</summary>
    public static int Percent(ApplicationState state, int steps, int done) => state switch
    {
        ApplicationState.Received => 0,
        ApplicationState.Checking => 10 + (steps == 0 ? 0 : 50 * done / steps),
        ApplicationState.Underwriting => 60,
        ApplicationState.Offered => 80,
        ApplicationState.Accepted => 90,
        _ => 100,
    };
}
