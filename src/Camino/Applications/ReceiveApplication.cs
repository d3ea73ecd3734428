using System.Text;
using System.Text.Json;
using Camino.Borrowers;
using Camino.Branches;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>Takes an application in: its row, its event and the job that begins its checks are stored together or not at all.</summary>
public sealed class ReceiveApplication(CaminoDb db, FieldVault vault, WebhookVault questions, ExchangeKeys exchanges, TimeProvider clock)
{
    /// <param name="fromStaff">Typed by staff; else sent by a program.</param>
    /// <param name="queue">Where its checks begin.</param>
    /// <exception cref="RefusedException"><c>input.*</c>, <c>idempotency.*</c>; none repeats what is personal.</exception>
    public async Task<ApplicationAnswer> RunAsync(ApplicationInput input, bool fromStaff, AskedBy by, CancellationToken ct, string queue = JobQueues.Default)
    {
        var at = clock.GetUtcNow();
        var given = CheckedApplication.Read(input, DateOnly.FromDateTime(at.UtcDateTime));
        var numbers = await NumbersAsync(given, ct);
        var hashes = await HashesAsync(numbers, given, ct);
        var question = given.BankAccount is { } asked ? await questions.SealAsync(Encoding.UTF8.GetBytes(asked.Account), ct) : [];
        await exchanges.EnsureAsync(ct); // the checks seal what they ask under it
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, given.Fingerprint(hashes) + (string.IsNullOrWhiteSpace(input.Branch) ? "" : " branch " + input.Branch), at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);

        var branch = await db.BranchForNewAsync(input.Branch, ct);
        var id = Guid.CreateVersion7();
        var (course, received) = ApplicationCourse.Receive(new Actor(ActorKind.Staff, by.UserId), at);
        var stored = await db.Database.SqlQuery<string>(
            $"""
            insert into camino.applications (id, state, version, channel, external_id, name, trade_name, language, street, city, place_state, zip, amount, purpose, term_months, annual_revenue, started_on, credit_consent,
                received_at, received_by, changed_at, expires_at, branch_id)
            values ({id}, {(short)course.State}, {course.Version}, {(fromStaff ? "staff" : "api")}, {given.ExternalId}, {given.Name}, {given.Business.TradeName}, {given.Business.Language ?? "en"},
                {given.Address?.Street}, {given.Address?.City}, {given.Address?.State}, {given.Address?.Zip}, {given.Amount}, {given.Purpose}, {(short?)given.TermMonths}, {given.AnnualRevenue}, {given.StartedOn}, {given.CreditConsent},
                {at}, {by.UserId}, {at}, {course.ExpiresAt}, {branch})
            returning number as "Value"
            """).ToListAsync(ct);
        await KeepPeopleAsync(id, given, numbers, ct);
        if (given.BankAccount is { } account)
            await db.KeepAccountAsync(id, account, vault, question, by.UserId, at, ct);
        await db.KeepEventAsync(id, received, ct);
        db.Enqueue(new BeginChecks(id), new JobOptions { RequestedBy = by.UserId.ToString(), Queue = queue });
        return await db.AnswerAsync(
            transaction, ApplicationAnswer.Of(id, stored[0], course), by, "application.received", at,
            new { version = 1, channel = fromStaff ? "staff" : "api" }, ct);
    }

    /// <summary>Of every number that was given.</summary>
    private async Task<IReadOnlyList<byte[]>> HashesAsync(List<(Guid? Owner, IdentifierKind Kind, string Digits, byte[] Hash)> numbers, CheckedApplication given, CancellationToken ct)
    {
        var hashes = numbers.ConvertAll(number => number.Hash);
        if (given.BankAccount is { } account)
            hashes.Add(await vault.HashAsync(account.Digits + " " + account.Holder, ct));
        return hashes;
    }

    /// <summary>Every tax number with its keyed hash.</summary>
    private async Task<List<(Guid? Owner, IdentifierKind Kind, string Digits, byte[] Hash)>> NumbersAsync(CheckedApplication given, CancellationToken ct)
    {
        var numbers = new List<(Guid?, IdentifierKind, string, byte[])>();
        if (given.Ein is { } ein)
            numbers.Add((null, IdentifierKind.Ein, ein, await vault.HashAsync(ein, ct)));
        foreach (var owner in given.Owners)
        {
            if (owner.TaxNumber is { } number)
                numbers.Add((owner.Id, owner.Kind, number, await vault.HashAsync(number, ct)));
        }

        return numbers;
    }

    /// <summary>How to reach them, who owns the business, and the numbers: in one question to the database.</summary>
    private async Task KeepPeopleAsync(Guid id, CheckedApplication given, List<(Guid? Owner, IdentifierKind Kind, string Digits, byte[] Hash)> numbers, CancellationToken ct)
    {
        var contacts = (given.Business.Phones ?? []).Select(phone => new { kind = 1, value = phone.Value, digits = phone.Digits }).Concat((given.Business.Emails ?? []).Select(email => new { kind = 2, value = email.Value, digits = email.Digits }));
        var owners = given.Owners.Select(owner => new { id = owner.Id, name = owner.Name, share = owner.SharePercent, guarantor = owner.IsGuarantor, born = owner.BirthDate });
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_contacts (application_id, position, kind, value, digits)
            select {id}, c.n, (c.x ->> 'kind')::smallint, c.x ->> 'value', c.x ->> 'digits' from jsonb_array_elements({JsonSerializer.Serialize(contacts)}::jsonb) with ordinality c (x, n);
            insert into camino.application_owners (id, application_id, position, name, share_percent, is_guarantor, birth_date)
            select (o.x ->> 'id')::uuid, {id}, o.n, o.x ->> 'name', (o.x ->> 'share')::numeric, (o.x ->> 'guarantor')::boolean, (o.x ->> 'born')::date from jsonb_array_elements({JsonSerializer.Serialize(owners)}::jsonb) with ordinality o (x, n);
            insert into camino.application_identifiers (id, application_id, owner_id, kind, sealed, hash, last4)
            select camino.new_id(), {id}, i.owner, i.kind, i.sealed, i.hash, i.last4
            from unnest({numbers.ConvertAll(one => one.Owner).ToArray()}, {numbers.ConvertAll(one => (short)one.Kind).ToArray()}, {numbers.ConvertAll(one => vault.Seal(one.Digits)).ToArray()}, {numbers.ConvertAll(one => one.Hash).ToArray()}, {numbers.ConvertAll(one => one.Digits[^4..]).ToArray()}) i (owner, kind, sealed, hash, last4)
            """, ct);
    }
}
