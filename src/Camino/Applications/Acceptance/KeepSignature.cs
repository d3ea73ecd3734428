using System.Globalization;
using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Notices;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Acceptance;

/// <summary>An offer that was signed, by the link of this lender or with a signature service.</summary>
/// <param name="LinkId">The link of the offer that it was signed by.</param>
/// <param name="MadeBy">Who made the link, and is told.</param>
/// <param name="Sha256">Of the document that was shown, in hexadecimal digits.</param>
/// <param name="Consent">The text that was agreed to, with its version.</param>
internal sealed record SignedOffer(Guid ApplicationId, int Offer, Guid LinkId, Guid MadeBy, Guid PaperId, string Sha256, string Language, string Consent, byte[] SealedName, byte[] SealedFrom);

/// <summary>What happens when an offer was signed: the one way of both kinds of signature.</summary>
internal static class SignatureTable
{
    /// <summary>Takes the offer, closes the others, keeps what proves it and asks for the contract, in the caller's transaction.</summary>
    /// <returns>False where it was signed by this link before.</returns>
    /// <exception cref="RefusedException"><c>offer_link.link</c>, <c>application.*</c>, <c>offer.*</c>.</exception>
    public static async Task<bool> KeepSignatureAsync(this CaminoDb db, SignedOffer signed, DateTimeOffset at, CancellationToken ct)
    {
        var (id, offer) = (signed.ApplicationId, signed.Offer);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        if (await db.Database.SqlQuery<bool>($"select exists (select from camino.application_signatures where link_id = {signed.LinkId}) as \"Value\"").SingleAsync(ct))
            return false;
        var ended = await db.Database.SqlQuery<bool>($"select ended_at is not null as \"Value\" from camino.offer_links where id = {signed.LinkId} for update").SingleAsync(ct);
        Refuse.If(ended, "offer_link.link", "This link does not work any more. Ask for a new one.");
        var (next, step) = course.Move(ApplicationMove.Accept, new Actor(ActorKind.Applicant, null), null, at);
        var accepted = (await db.OfferAsync(id, offer, ct)).Accept(await db.TodayAsync(ct));
        var signature = Guid.CreateVersion7(at);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_signatures (id, application_id, offer_number, link_id, paper_id, sha256, language, consent, sealed_name, sealed_from, signed_at)
            values ({signature}, {id}, {(short)offer}, {signed.LinkId}, {signed.PaperId}, {Convert.FromHexString(signed.Sha256)}, {signed.Language}, {signed.Consent}, {signed.SealedName}, {signed.SealedFrom}, {at});
            update camino.application_offers set state = {(short)accepted.State}, accepted_how = {(short)AcceptedBy.Paper}, ended_at = {at} where application_id = {id} and number = {offer}
            """, ct);
        await db.CloseOffersAsync(id, OfferState.Closed, at, null, ct);
        await db.AskPaperAsync(id, PaperKind.Contract, offer, signed.MadeBy, at, ct);
        await db.KeepCourseAsync(id, next, step, ct);
        db.AuditEntries.Add(new AuditEntry(at, null, "application.offer-accepted", "application", id.ToString(),
            JsonSerializer.Serialize(new { version = next.Version, offer, how = Words.Camel(AcceptedBy.Link), signature, sha256 = signed.Sha256 })));
        db.Notices.Add(new Notice(signed.MadeBy, "Notice.OfferAccepted", [number, offer.ToString(CultureInfo.InvariantCulture)], $"/applications/{id}", at));
        return true;
    }
}
