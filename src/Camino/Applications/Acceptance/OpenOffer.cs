using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Audit;
using Camino.Data;
using Camino.Documents;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Loans;
using Camino.Papers;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Acceptance;

/// <summary>A paper that a link shows.</summary>
public sealed record LinkedPaper(Guid Id, PaperKind Kind, string Language, string Sha256, string ObjectKey, string FileName, long Bytes);

/// <summary>What the link of an offer opens, for who has it.</summary>
/// <param name="Lender">Who lends.</param>
/// <param name="AcceptedAt">When it was accepted by this link; null while it can be.</param>
/// <param name="Papers">Those that are made: the offer, and the contract once it was accepted.</param>
public sealed record OpenedOffer(Guid LinkId, Guid ApplicationId, string Number, string Applicant, string Lender, string LenderPhone, int Offer, DateOnly ExpiresOn, OfferFigures Figures, Guid MadeBy, DateTimeOffset? AcceptedAt, IReadOnlyList<LinkedPaper> Papers)
{
    /// <summary>The paper of a kind in a language, once it is made.</summary>
    public LinkedPaper? Paper(PaperKind kind, string language) => Papers.FirstOrDefault(one => one.Kind == kind && one.Language == language);
}

/// <summary>Opens what the link of an offer leads to, as long as there is something to accept or to keep.</summary>
public sealed class OpenOffer(CaminoDb db, SignedLink links, IObjectStore store, LenderOptions lender, TimeProvider clock)
{
    private sealed record Stored(Guid ApplicationId, string Number, string Applicant, short Offer, DateOnly ExpiresOn, string Terms, string State, DateOnly OfferedOn, Guid MadeBy, DateTimeOffset? OpenedAt, DateTimeOffset? AcceptedAt);

    private sealed record StoredPaper(Guid Id, short Kind, string Language, string Sha256, string ObjectKey, string FileName, long Bytes);

    /// <exception cref="RefusedException"><c>offer_link.link</c>: nobody signed it, it was ended or replaced, has run out, or the offer is not open any more.</exception>
    public async Task<OpenedOffer> RunAsync(string? token, CancellationToken ct)
    {
        var id = links.Read(token);
        var found = id is null ? [] : await db.Database.SqlQuery<Stored>(
            $"""
            select l.application_id as "ApplicationId", a.number as "Number", a.name as "Applicant", l.offer_number as "Offer", o.expires_on as "ExpiresOn", o.terms::text as "Terms", o.place_state as "State", o.offered_on as "OfferedOn", l.made_by as "MadeBy",
                l.opened_at as "OpenedAt", s.signed_at as "AcceptedAt"
            from camino.offer_links l join camino.applications a on a.id = l.application_id join camino.application_offers o on o.application_id = l.application_id and o.number = l.offer_number
                left join camino.application_signatures s on s.link_id = l.id
            where l.id = {id} and l.ended_at is null and l.expires_at > {clock.GetUtcNow()}
                and (s.id is not null or (a.state = {(short)ApplicationState.Offered} and o.state = {(short)OfferState.Open} and o.expires_on >= (select today from camino.business_day)))
            """).ToListAsync(ct);
        Refuse.If(found.Count == 0 || id is null, "offer_link.link", "This link does not work any more. Ask for a new one.");
        var row = found[0];
        if (row.OpenedAt is null)
            await NoteOpenedAsync(id.Value, row, ct);
        var papers = await db.Database.SqlQuery<StoredPaper>(
            $"""
            select p.id as "Id", p.kind as "Kind", p.language as "Language", encode(p.sha256, 'hex') as "Sha256", v.object_key as "ObjectKey", v.file_name as "FileName", v.bytes as "Bytes"
            from camino.application_papers p join camino.document_versions v on v.document_id = p.document_id and v.number = 1
            where p.application_id = {row.ApplicationId} and p.number = {row.Offer} and p.state = {(short)PaperState.Made} and (p.kind = {(short)PaperKind.Offer} or (p.kind = {(short)PaperKind.Contract} and {row.AcceptedAt != null}))
            """).ToListAsync(ct);
        return new OpenedOffer(
            id.Value, row.ApplicationId, row.Number, row.Applicant, lender.Name, lender.Phone, row.Offer, row.ExpiresOn, OfferFigures.Of(StoredForm.ReadTerms(row.Terms), row.State, row.OfferedOn), row.MadeBy, row.AcceptedAt,
            [.. papers.Select(one => new LinkedPaper(one.Id, (PaperKind)one.Kind, one.Language, one.Sha256, one.ObjectKey, one.FileName, one.Bytes))]);
    }

    /// <summary>The file of a paper that the link shows.</summary>
    /// <exception cref="RefusedException"><c>offer_link.link</c>, <c>offer_link.paper</c>.</exception>
    public async Task<(LinkedPaper Paper, Stream Content)> FileAsync(string? token, PaperKind kind, string language, CancellationToken ct)
    {
        var opened = await RunAsync(token, ct);
        var paper = opened.Paper(kind, language);
        Refuse.If(paper is null, "offer_link.paper", "This document is still being made. Try again in a minute.");
        return (paper, await store.OpenAsync(paper.ObjectKey, ct) ?? throw new ObjectStoreException($"The file of paper {paper.Id} is not in the store."));
    }

    /// <summary>That the applicant has seen it is worth knowing; the first time is written down.</summary>
    private async Task NoteOpenedAsync(Guid id, Stored row, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Database.ExecuteSqlAsync($"update camino.offer_links set opened_at = {at} where id = {id} and opened_at is null", ct) == 0)
            return;
        db.AuditEntries.Add(new AuditEntry(at, null, "offer_link.opened", "application", row.ApplicationId.ToString(), JsonSerializer.Serialize(new { linkId = id, offer = row.Offer }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
