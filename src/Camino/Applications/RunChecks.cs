using System.Text.Json;
using Camino.Applications.Underwriting;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications;

/// <summary>What an application is checked for. The values are stored and never change.</summary>
public enum CheckKind
{
    /// <summary>The business and its owners on the sanctions lists.</summary>
    Sanctions = 1,

    /// <summary>The business in its state's registry.</summary>
    Registry = 2,

    /// <summary>The business at the credit bureau.</summary>
    BusinessCredit = 3,

    /// <summary>An owner at the credit bureau.</summary>
    OwnerCredit = 4,

    /// <summary>Whether an owner is who it says it is.</summary>
    Identity = 5,

    /// <summary>Whether the applicant's bank account is there and whose it is.</summary>
    BankAccount = 6,
}

/// <summary>Where one step of the checks stands. The values are stored and never change.</summary>
public enum StepState
{
    /// <summary>It has not begun, or waits for another attempt.</summary>
    Waiting = 0,

    /// <summary>A server is at it.</summary>
    Running = 1,

    /// <summary>It is done and has a result.</summary>
    Done = 2,

    /// <summary>The last attempt failed; the queue, or a person, will try again.</summary>
    Failed = 3,

    /// <summary>The application ended before it.</summary>
    Cancelled = 4,
}

/// <summary>Whom a check is about.</summary>
/// <param name="Owner">The owner that the step is about; null: the business.</param>
/// <param name="Last4">Of the tax number of whom the step is about; null where none is known. Nobody who works the queue can open the whole.</param>
internal sealed record CheckSubject(Guid ApplicationId, Guid StepId, string Name, CheckedPlace Place, DateOnly? StartedOn, IReadOnlyList<CheckedPerson> Owners, CheckedPerson? Owner, string? Last4);

internal sealed record CheckedPlace(string? Street, string? City, string? State, string? Zip);

internal sealed record CheckedPerson(Guid Id, string Name, DateOnly? BirthDate);

/// <summary>What a check found.</summary>
/// <param name="Result">Ids, counts and codes for the step's row, as JSON; never personal data.</param>
/// <param name="KeepAsync">Stores more in the transaction that ends the step.</param>
internal sealed record CheckFinding(object Result, Func<NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task>? KeepAsync = null);

/// <summary>One thing that an application is checked for; asked at least once, its finding stored exactly once.</summary>
internal interface IApplicationCheck
{
    CheckKind Kind { get; }

    /// <summary>Whether applications are checked so at all.</summary>
    bool IsOn => true;

    /// <summary>A step for each owner who guarantees, or has a fifth or more; else one for the business.</summary>
    bool IsOfOwners => false;

    /// <summary>Only when the applicant agreed to be looked up.</summary>
    bool NeedsConsent => false;

    /// <summary>Only where the application names a bank account that was not checked yet.</summary>
    bool NeedsAccount => false;

    /// <summary>It may also run when the other checks are over, as long as the application is open.</summary>
    bool IsAlsoLate => false;

    /// <summary>The bound on how many steps run and begin.</summary>
    JobLimit? Limit => null;

    /// <exception cref="RefusedException">it cannot be asked; shown to staff.</exception>
    /// <exception cref="ProviderFailedException">it was asked and did not answer; it is asked again.</exception>
    Task<CheckFinding> RunAsync(CheckSubject subject, CancellationToken ct);
}

/// <summary>Begins the checks of an application: its steps and their jobs, which run side by side, and the job that goes on when all of them are done.</summary>
public sealed record BeginChecks(Guid ApplicationId) : IJobArgs
{
    public static string Kind => "applications.begin-checks"; // stored in rows: never rename, never reuse

    /// <remarks>Safe to run twice: only an application that stands at its beginning moves, in the transaction that ends the job. Steps that are done stay done.</remarks>
    internal sealed class Handler(CaminoDb db, IEnumerable<IApplicationCheck> checks, TimeProvider clock) : IJobHandler<BeginChecks>
    {
        public async Task RunAsync(BeginChecks args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (_, course) = await db.LockApplicationAsync(args.ApplicationId, ct);
            if (course.State == ApplicationState.Received)
            {
                var (next, step) = course.Move(ApplicationMove.StartChecks, Actor.System, null, clock.GetUtcNow());
                await db.KeepCourseAsync(args.ApplicationId, next, step, ct);
                await PlanAsync(args.ApplicationId, job.RequestedBy, ct);
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task PlanAsync(Guid id, string? by, CancellationToken ct)
        {
            var jobs = new List<Guid>();
            foreach (var check in checks.Where(one => one.IsOn))
            {
                var steps = await db.Database.SqlQuery<Guid>(
                    $"""
                    insert into camino.application_steps as s (id, application_id, kind, owner_id)
                    select camino.new_id(), a.id, {(short)check.Kind}, o.id from camino.applications a
                        left join camino.application_owners o on {check.IsOfOwners} and o.application_id = a.id and (o.is_guarantor or o.share_percent >= 20)
                    where a.id = {id} and (a.credit_consent or not {check.NeedsConsent}) and (o.id is not null or not {check.IsOfOwners})
                        and (not {check.NeedsAccount} or exists (select from camino.application_accounts x where x.application_id = a.id and x.sealed_question is not null))
                    on conflict (application_id, kind, coalesce(owner_id, application_id)) do update set state = 0, problem = null, ended_at = null where s.state <> 2
                    returning id as "Value"
                    """).ToListAsync(ct);
                foreach (var step in steps)
                {
                    var run = db.Enqueue(new RunCheck(step), new JobOptions { RequestedBy = by, Limit = check.Limit });
                    jobs.Add(run);
                    await db.Database.ExecuteSqlAsync($"update camino.application_steps set job_id = {run} where id = {step}", ct);
                }
            }

            // while a step is failed the end waits: another attempt heals it, and then the application goes on by itself
            db.Enqueue(new EndChecks(id), new JobOptions { RequestedBy = by, After = jobs, AfterEnd = JobEnd.Done });
        }
    }
}

/// <summary>Runs one step of the checks.</summary>
public sealed record RunCheck(Guid StepId) : IJobArgs
{
    public static string Kind => "applications.run-check"; // stored in rows: never rename, never reuse

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(2);

    public static JobRetry Retry => new(15, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

    private sealed record Stored(Guid ApplicationId, short Kind, short State, Guid? OwnerId, short Course, string Name, string? Street, string? City, string? Place, string? Zip, DateOnly? StartedOn, string Owners);

    /// <remarks>Safe to run twice: a step that is done, or whose application ended, is left alone; the finding is stored in the transaction that ends the job.</remarks>
    internal sealed class Handler(CaminoDb db, IEnumerable<IApplicationCheck> checks, TimeProvider clock) : IJobHandler<RunCheck>
    {
        /// <summary>Wait before another look for what a person has to bring first.</summary>
        private static readonly TimeSpan s_later = TimeSpan.FromMinutes(10);

        public async Task RunAsync(RunCheck args, JobContext job, CancellationToken ct)
        {
            if (await BeginAsync(args.StepId, job, ct) is not { } step)
                return;
            var check = CheckOf(step);
            try
            {
                var finding = await check.RunAsync(await SubjectAsync(args.StepId, step, ct), ct);
                await EndAsync(args.StepId, step.ApplicationId, check, finding, job, ct);
            }
            catch (RefusedException refused)
            {
                await NoteAsync(args.StepId, StepState.Waiting, refused.Message, job, ct);
                throw new JobSnoozedException(s_later, refused.Message);
            }
            catch (JobSnoozedException later)
            {
                await NoteAsync(args.StepId, StepState.Waiting, later.Message, job, ct);
                throw;
            }
            catch (Exception failed) when (failed is not (OperationCanceledException or LeaseLostException))
            {
                await NoteAsync(args.StepId, StepState.Failed, failed is ProviderFailedException ? failed.Message : failed.GetType().Name, job, ct);
                throw;
            }
        }

        private IApplicationCheck CheckOf(Stored step) => checks.Single(one => one.Kind == (CheckKind)step.Kind);

        /// <summary>Whether an application that stands so still waits for what a check finds.</summary>
        private static bool IsWanted(IApplicationCheck check, ApplicationState course) =>
            course == ApplicationState.Checking || (check.IsAlsoLate && course is (ApplicationState.Underwriting or ApplicationState.Offered or ApplicationState.Accepted));

        private async Task<CheckSubject> SubjectAsync(Guid id, Stored step, CancellationToken ct)
        {
            var owners = JsonSerializer.Deserialize<List<CheckedPerson>>(step.Owners, JsonSerializerOptions.Web) ?? [];
            var last4 = await db.Database.SqlQuery<string>(
                $"select last4 as \"Value\" from camino.application_identifiers where application_id = {step.ApplicationId} and owner_id is not distinct from {step.OwnerId} order by kind").ToListAsync(ct);
            return new CheckSubject(
                step.ApplicationId, id, step.Name, new CheckedPlace(step.Street, step.City, step.Place, step.Zip), step.StartedOn, owners, owners.FirstOrDefault(owner => owner.Id == step.OwnerId), last4.FirstOrDefault());
        }

        /// <returns>Null when there is nothing to do (any more); the job has ended then.</returns>
        private async Task<Stored?> BeginAsync(Guid id, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (connection, native) = Native(transaction);
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select s.application_id as "ApplicationId", s.kind as "Kind", s.state as "State", s.owner_id as "OwnerId", a.state as "Course", a.name as "Name", a.street as "Street", a.city as "City", a.place_state as "Place", a.zip as "Zip", a.started_on as "StartedOn",
                    coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'birthDate', o.birth_date) order by o.position) from camino.application_owners o where o.application_id = a.id), '[]')::text as "Owners"
                from camino.application_steps s join camino.applications a on a.id = s.application_id where s.id = {id} for update of s
                """).ToListAsync(ct);
            if (found.Count == 0)
                throw new JobAbandonedException("There is no such step.");
            if (found[0].State is (short)StepState.Done or (short)StepState.Cancelled || !IsWanted(CheckOf(found[0]), (ApplicationState)found[0].Course))
            {
                await db.Database.ExecuteSqlAsync($"update camino.application_steps set state = {(short)StepState.Cancelled}, ended_at = {clock.GetUtcNow()} where id = {id} and state <> {(short)StepState.Done}", ct);
                await job.CompleteAsync(connection, native, null, ct);
                await transaction.CommitAsync(ct);
                return null;
            }

            await db.Database.ExecuteSqlAsync($"update camino.application_steps set state = {(short)StepState.Running}, attempts = attempts + 1, started_at = coalesce(started_at, {clock.GetUtcNow()}) where id = {id}", ct);
            await job.HoldLeaseAsync(connection, native, ct);
            await transaction.CommitAsync(ct);
            return found[0];
        }

        private async Task EndAsync(Guid id, Guid applicationId, IApplicationCheck check, CheckFinding finding, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (connection, native) = Native(transaction);
            var (_, course) = await db.LockApplicationAsync(applicationId, ct);
            var state = (short)(IsWanted(check, course.State) ? StepState.Done : StepState.Cancelled);
            await db.Database.ExecuteSqlAsync($"update camino.application_steps set state = {state}, problem = null, result = {JsonSerializer.Serialize(finding.Result, JsonSerializerOptions.Web)}::jsonb, ended_at = {clock.GetUtcNow()} where id = {id}", ct);
            if (finding.KeepAsync is { } keepAsync)
                await keepAsync(connection, native, ct);
            if (course.State is ApplicationState.Underwriting or ApplicationState.Offered or ApplicationState.Accepted)
                await db.EvaluateAsync(applicationId, EvaluationCause.Checks, null, null, clock.GetUtcNow(), ct);
            await job.CompleteAsync(connection, native, finding.Result, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task NoteAsync(Guid id, StepState state, string problem, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (connection, native) = Native(transaction);
            await db.Database.ExecuteSqlAsync($"update camino.application_steps set state = {(short)state}, problem = {problem[..Math.Min(problem.Length, 300)]} where id = {id} and state = {(short)StepState.Running}", ct);
            await job.HoldLeaseAsync(connection, native, ct);
            await transaction.CommitAsync(ct);
        }

        private (NpgsqlConnection Connection, NpgsqlTransaction Transaction) Native(IDbContextTransaction transaction) => ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction());
    }
}

/// <summary>All checks of an application are done: underwriting begins.</summary>
public sealed record EndChecks(Guid ApplicationId) : IJobArgs
{
    public static string Kind => "applications.end-checks"; // stored in rows: never rename, never reuse

    /// <remarks>Safe to run twice: an application that does not stand at its checks is left alone.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<EndChecks>
    {
        public async Task RunAsync(EndChecks args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (_, course) = await db.LockApplicationAsync(args.ApplicationId, ct);
            var open = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.application_steps where application_id = {args.ApplicationId} and state not in ({(short)StepState.Done}, {(short)StepState.Cancelled})").ToListAsync(ct);
            if (course.State == ApplicationState.Checking && open[0] > 0)
                throw new JobSnoozedException(TimeSpan.FromMinutes(1), "Not every step is done.");
            if (course.State == ApplicationState.Checking)
            {
                var at = clock.GetUtcNow();
                var (next, step) = course.Move(ApplicationMove.FinishChecks, Actor.System, null, at);
                await db.KeepCourseAsync(args.ApplicationId, next, step, ct);
                await db.EvaluateAsync(args.ApplicationId, EvaluationCause.Checks, null, null, at, ct);
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Ends applications that nobody went on with in time, and offers that nobody took.</summary>
public sealed record ExpireApplications : IJobArgs
{
    public static string Kind => "applications.expire"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <remarks>Safe to run twice: each application ends, or goes back to underwriting, in a transaction of its own, when its time or that of its offers is still over.</remarks>
    public sealed class Handler(CaminoDb db, JobStore jobs, TimeProvider clock) : IJobHandler<ExpireApplications>
    {
        /// <summary>Why an application goes back to underwriting by itself; pages say it in the reader's language.</summary>
        public const string EveryOfferRanOut = "Every offer ran out";

        /// <summary>Applications with offers that ran out before a date, up to so many.</summary>
        internal const string Lapsing = "select application_id as \"Value\" from camino.application_offers where state = 1 and expires_on < {0} order by expires_on, application_id limit {1}";

        private const int Batch = 200;

        public async Task RunAsync(ExpireApplications args, JobContext job, CancellationToken ct)
        {
            var (expired, lapsed) = (0, 0);
            var now = clock.GetUtcNow();
            while (await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.applications where state < 6 and expires_at <= {now} order by expires_at limit {Batch}").ToListAsync(ct) is { Count: > 0 } ids)
            {
                foreach (var id in ids)
                    expired += await ExpireAsync(id, now, job, ct) ? 1 : 0;
            }

            var today = await db.TodayAsync(ct);
            while (await db.Database.SqlQueryRaw<Guid>(Lapsing, today, Batch).ToListAsync(ct) is { Count: > 0 } ids)
            {
                foreach (var id in ids)
                    lapsed += await LapseAsync(id, today, now, job, ct);
            }

            job.SetResult(new { expired, lapsed });
        }

        /// <summary>Offers run out with the lender's business date; when the last one does, a person looks at the application again.</summary>
        private async Task<int> LapseAsync(Guid id, DateOnly today, DateTimeOffset now, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (_, course) = await db.LockApplicationAsync(id, ct);
            var lapsed = await db.Database.ExecuteSqlAsync($"update camino.application_offers set state = {(short)OfferState.Expired}, ended_at = {now} where application_id = {id} and state = {(short)OfferState.Open} and expires_on < {today}", ct);
            if (lapsed > 0 && course.State == ApplicationState.Offered && await db.OpenOffersAsync(id, but: 0, ct) == 0)
            {
                var (next, step) = course.Move(ApplicationMove.TakeBack, Actor.System, EveryOfferRanOut, now);
                await db.KeepCourseAsync(id, next, step, ct);
            }

            await db.SaveChangesAsync(ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
            return lapsed;
        }

        private async Task<bool> ExpireAsync(Guid id, DateTimeOffset now, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (_, course) = await db.LockApplicationAsync(id, ct);
            if (!course.IsOpen || course.ExpiresAt > now)
                return false;
            var (next, step) = course.Move(ApplicationMove.Expire, Actor.System, null, now);
            await db.KeepCourseAsync(id, next, step, ct);
            var native = (NpgsqlTransaction)transaction.GetDbTransaction();
            var stopped = await db.StopStepsAsync(jobs, id, "system", native, ct);
            await db.SaveChangesAsync(ct);
            await job.HoldLeaseAsync((NpgsqlConnection)db.Database.GetDbConnection(), native, ct);
            await transaction.CommitAsync(ct);
            await jobs.AppliedAsync(JobAction.Cancel, stopped, ct);
            return true;
        }
    }
}
