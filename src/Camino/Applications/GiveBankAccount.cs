using System.Text;
using Camino.Borrowers;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>The bank account of an applicant as everybody sees it.</summary>
/// <param name="Id">Of this entry: another account, or the same entered again, has another.</param>
/// <param name="Last4">The last four digits of its number.</param>
/// <param name="Outcome"><c>verified</c>, <c>nameDiffers</c>, <c>closed</c> or <c>notFound</c>; null: nobody was asked yet.</param>
/// <param name="NameMatch">How well the holder's name agrees with what the bank knows, 0 to 100.</param>
public sealed record ApplicantAccount(Guid Id, string Holder, string Routing, string Last4, DateTimeOffset GivenAt, string? Outcome, int? NameMatch, DateTimeOffset? CheckedAt);

/// <summary>Keeps the bank account of an applicant, in the place of the one before, and has it checked.</summary>
public sealed class GiveBankAccount(CaminoDb db, FieldVault vault, WebhookVault questions, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.ended</c>, <c>input.*</c>, <c>idempotency.*</c>; none repeats the number.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, BankAccountInput input, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var names = await db.Database.SqlQuery<string>($"select name as \"Value\" from camino.applications where id = {id}").ToListAsync(ct);
        Refuse.If(names.Count == 0, "application.not_found", $"There is no application {id}.");
        var given = CheckedBankAccount.Read(input, names[0]);
        var question = await questions.SealAsync(Encoding.UTF8.GetBytes(given.Account), ct);
        var hash = await vault.HashAsync(given.Digits + " " + given.Holder, ct);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // the fingerprint holds the keyed hash: from a bare one the number could be reckoned
        if (await db.ClaimAsync(by, $"application.account {id} {Convert.ToHexString(hash)}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        Refuse.If(!course.IsOpen, "application.ended", $"Application {number} has ended; its bank account stays as it is.");
        var account = await db.KeepAccountAsync(id, given, vault, question, by.UserId, at, ct);
        db.Enqueue(new CheckBankAccount(id), new JobOptions { RequestedBy = by.UserId.ToString() });
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, course), by, "application.account-given", at, new { account }, ct);
    }

    /// <summary>The account of an application, or null.</summary>
    public async Task<ApplicantAccount?> FindAsync(Guid id, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<ApplicantAccount>(
            $"""
            select x.id as "Id", x.holder as "Holder", x.routing as "Routing", x.last4 as "Last4", x.given_at as "GivenAt", x.outcome as "Outcome", x.name_match::int as "NameMatch", x.checked_at as "CheckedAt"
            from camino.application_accounts x where x.application_id = {id}
            """).ToListAsync(ct);
        return found.FirstOrDefault();
    }
}

/// <summary>The statements on bank accounts of applicants.</summary>
internal static class ApplicantAccountTable
{
    /// <summary>Keeps an account in the place of the one before; what was found of that one counts no more. The number is sealed twice: for the borrower that is to come, and, until a bank was asked, for the question.</summary>
    /// <param name="question">The number, sealed for whoever asks the bank.</param>
    /// <returns>The id of this entry.</returns>
    public static async Task<Guid> KeepAccountAsync(this CaminoDb db, Guid id, CheckedBankAccount given, FieldVault vault, byte[] question, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        var account = Guid.CreateVersion7(at);
        await db.Database.ExecuteSqlAsync(
            $"""
            delete from camino.application_accounts where application_id = {id};
            insert into camino.application_accounts (application_id, id, holder, routing, sealed, sealed_question, last4, given_at, given_by)
            values ({id}, {account}, {given.Holder}, {given.Routing}, {vault.Seal(given.Account)}, {question}, {given.Last4}, {at}, {by});
            update camino.application_steps set state = {(short)StepState.Waiting}, result = null, problem = null, ended_at = null where application_id = {id} and kind = {(short)CheckKind.BankAccount}
            """, ct);
        return account;
    }
}

/// <summary>A bank account was given after the checks began: plans its step, under the limit of the service, which the Async Server alone knows.</summary>
public sealed record CheckBankAccount(Guid ApplicationId) : IJobArgs
{
    public static string Kind => "applications.check-bank-account"; // stored in rows: never rename, never reuse

    /// <remarks>Safe to run twice: the step is planned in the transaction that ends the job, and a step that is done leaves its second job nothing to do.</remarks>
    internal sealed class Handler(CaminoDb db, IEnumerable<IApplicationCheck> checks) : IJobHandler<CheckBankAccount>
    {
        public async Task RunAsync(CheckBankAccount args, JobContext job, CancellationToken ct)
        {
            var (id, check) = (args.ApplicationId, checks.Single(one => one.Kind == CheckKind.BankAccount));
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (_, course) = await db.LockApplicationAsync(id, ct);
            if (!check.IsOn)
                await db.Database.ExecuteSqlAsync($"update camino.application_steps set state = {(short)StepState.Cancelled}, ended_at = now() where application_id = {id} and kind = {(short)check.Kind} and state <> {(short)StepState.Done}", ct);
            else if (course.IsOpen && course.State != ApplicationState.Received) // one that was just taken in plans all its steps by itself
                await PlanAsync(id, check, job.RequestedBy, ct);
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task PlanAsync(Guid id, IApplicationCheck check, string? by, CancellationToken ct)
        {
            var steps = await db.Database.SqlQuery<Guid>(
                $"""
                insert into camino.application_steps as s (id, application_id, kind)
                select camino.new_id(), x.application_id, {(short)check.Kind} from camino.application_accounts x where x.application_id = {id} and x.sealed_question is not null
                on conflict (application_id, kind, coalesce(owner_id, application_id)) do update set state = 0, result = null, problem = null, ended_at = null
                returning id as "Value"
                """).ToListAsync(ct);
            foreach (var step in steps)
            {
                var run = db.Enqueue(new RunCheck(step), new JobOptions { RequestedBy = by, Limit = check.Limit });
                await db.Database.ExecuteSqlAsync($"update camino.application_steps set job_id = {run} where id = {step}", ct);
            }
        }
    }
}
