using System.Text.Json;
using Camino.Applications.Messages;
using Camino.Applications.Papers;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Acceptance;

/// <summary>Where an envelope stands: an offer that the signature service has signed. The values are stored and never change.</summary>
public enum EnvelopeState
{
    /// <summary>It waits for its turn, or for another attempt.</summary>
    Queued = 0,

    /// <summary>The service has it, and waits for the applicant.</summary>
    Out = 1,

    /// <summary>It was signed, and the offer is accepted.</summary>
    Accepted = 2,

    /// <summary>The applicant said no.</summary>
    Declined = 3,

    /// <summary>It ended without a signature.</summary>
    Ended = 4,

    /// <summary>The last attempt failed.</summary>
    Failed = 5,
}

/// <summary>The newest envelope of an offer as staff see it.</summary>
/// <param name="Problem">What the last attempt ran into, or why it ended; never personal data.</param>
public sealed record EnvelopeLine(Guid Id, EnvelopeState State, string? Problem, DateTimeOffset AskedAt, string? AskedByName, DateTimeOffset? EndedAt)
{
    /// <summary>Something may still come of it.</summary>
    public bool IsOpen => State is EnvelopeState.Queued or EnvelopeState.Out or EnvelopeState.Failed;
}

/// <summary>Who is to sign.</summary>
internal sealed record Signer(string Name, string Email);

/// <summary>Has an offer signed with the signature service, instead of by the link of this lender: an envelope is a link of the offer that nobody of the house and no page opens, so that an offer has one way to be signed at a time.</summary>
public sealed class AskSignature(CaminoDb db, WebhookVault vault, TimeProvider clock)
{
    private sealed record Applicant(string Name, string Language, string? Owner, string? Email);

    private sealed record Line(Guid Id, short State, string? Problem, DateTimeOffset AskedAt, string? AskedByName, DateTimeOffset? EndedAt);

    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>offer.*</c>, <c>message.no_address</c>, <c>message.unwanted</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid applicationId, int offer, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var found = await db.Database.SqlQuery<Applicant>(
            $"""
            select a.name as "Name", a.language as "Language", (select o.name from camino.application_owners o where o.application_id = a.id order by o.is_guarantor desc, o.position limit 1) as "Owner",
                (select c.value from camino.application_contacts c where c.application_id = a.id and c.kind = 2 order by c.position limit 1) as "Email"
            from camino.applications a where a.id = {applicationId}
            """).ToListAsync(ct);
        Refuse.If(found.Count == 0, "application.not_found", $"There is no application {applicationId}.");
        var applicant = found[0];
        Refuse.If(applicant.Email is null, "message.no_address", "The application names no address of this kind.");
        var signer = await vault.SealAsync(JsonSerializer.SerializeToUtf8Bytes(new Signer(applicant.Owner ?? applicant.Name, applicant.Email), JsonSerializerOptions.Web), ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"offer.signature {applicationId} {offer}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(applicationId, ct);
        Refuse.If(!(await db.ContactChoicesAsync(applicationId, ct)).Email, "message.unwanted", "The applicant does not want to be written to this way.");
        var today = await db.TodayAsync(ct);
        var standing = await db.OfferAsync(applicationId, offer, ct);
        standing.Accept(today); // what cannot be accepted is not sent out
        var (id, link, expires) = (Guid.CreateVersion7(at), Guid.CreateVersion7(at), at.AddDays(standing.ExpiresOn.DayNumber - today.DayNumber + 1));
        await db.Database.ExecuteSqlAsync(
            $"""
            update camino.offer_links set ended_at = {at}, ended_by = {by.UserId} where application_id = {applicationId} and offer_number = {(short)offer} and ended_at is null;
            insert into camino.offer_links (id, application_id, offer_number, made_at, made_by, expires_at) values ({link}, {applicationId}, {(short)offer}, {at}, {by.UserId}, {expires});
            insert into camino.signature_envelopes (id, application_id, offer_number, link_id, language, sealed_signer, asked_at, asked_by) values ({id}, {applicationId}, {(short)offer}, {link}, {applicant.Language}, {signer}, {at}, {by.UserId})
            """, ct);
        if (!await db.Database.SqlQuery<bool>($"select exists (select from camino.application_papers where application_id = {applicationId} and kind = {(short)PaperKind.Offer} and number = {offer}) as \"Value\"").SingleAsync(ct))
            await db.AskPaperAsync(applicationId, PaperKind.Offer, offer, by.UserId, at, ct);
        await db.WakeEnvelopesAsync(applicationId, by.UserId.ToString(), ct); // those whose link just ended are taken back
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(applicationId, number, course) with { Offer = offer }, by, "application.signature-asked", at, new { envelope = id, offer }, ct);
    }

    /// <summary>The newest envelope of an offer, or null.</summary>
    public async Task<EnvelopeLine?> FindAsync(Guid applicationId, int offer, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Line>(
            $"""
            select e.id as "Id", e.state as "State", e.problem as "Problem", e.asked_at as "AskedAt", (select u.display_name from camino.staff_users u where u.id = e.asked_by) as "AskedByName", e.ended_at as "EndedAt"
            from camino.signature_envelopes e where e.application_id = {applicationId} and e.offer_number = {(short)offer} order by e.id desc limit 1
            """).ToListAsync(ct);
        return found.Count == 0 ? null : new EnvelopeLine(found[0].Id, (EnvelopeState)found[0].State, found[0].Problem, found[0].AskedAt, found[0].AskedByName, found[0].EndedAt);
    }
}

/// <summary>The statements on envelopes.</summary>
internal static class EnvelopeTable
{
    /// <summary>Has a server look at once at every envelope of an application that is not over: to send it, or to take it back where its link ended.</summary>
    public static async Task WakeEnvelopesAsync(this CaminoDb db, Guid applicationId, string by, CancellationToken ct)
    {
        foreach (var id in await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.signature_envelopes where application_id = {applicationId} and state in (0, 1, 5)").ToListAsync(ct))
            db.Enqueue(new SendEnvelope(id), new JobOptions { RequestedBy = by });
    }
}
