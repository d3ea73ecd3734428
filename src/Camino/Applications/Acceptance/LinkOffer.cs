using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Acceptance;

/// <summary>A link that was made.</summary>
/// <param name="Path">Where it leads, below the address of the Back Office; whoever has it can accept the offer.</param>
public sealed record OfferLinkMade(Guid LinkId, string Path, DateTimeOffset ExpiresAt);

/// <summary>The newest link of an offer as staff see it.</summary>
/// <param name="OpenedAt">When it was first opened.</param>
public sealed record OfferLinkLine(Guid Id, DateTimeOffset MadeAt, string? MadeByName, DateTimeOffset ExpiresAt, DateTimeOffset? OpenedAt, bool IsOpen);

/// <summary>Makes and ends the link by which an applicant accepts one offer; an offer has one at a time.</summary>
public sealed class LinkOffer(CaminoDb db, SignedLink links, TimeProvider clock)
{
    private sealed record Line(Guid Id, DateTimeOffset MadeAt, string? MadeByName, DateTimeOffset ExpiresAt, DateTimeOffset? OpenedAt, bool IsOpen);

    /// <summary>A new link; the one before ends.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>offer.not_found</c>, <c>offer.state</c>, <c>offer.expired</c>.</exception>
    public async Task<OfferLinkMade> RunAsync(Guid applicationId, int offer, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockApplicationAsync(applicationId, ct);
        var today = await db.TodayAsync(ct);
        var standing = await db.OfferAsync(applicationId, offer, ct);
        standing.Accept(today); // what cannot be accepted gets no link
        var language = await db.Database.SqlQuery<string>($"select language as \"Value\" from camino.applications where id = {applicationId}").SingleAsync(ct);
        // by the clock it ends a day late rather than early: what counts is the business date
        var (id, expires) = (Guid.CreateVersion7(at), at.AddDays(standing.ExpiresOn.DayNumber - today.DayNumber + 1));
        await db.Database.ExecuteSqlAsync(
            $"""
            update camino.offer_links set ended_at = {at}, ended_by = {by} where application_id = {applicationId} and offer_number = {(short)offer} and ended_at is null;
            insert into camino.offer_links (id, application_id, offer_number, made_at, made_by, expires_at) values ({id}, {applicationId}, {(short)offer}, {at}, {by}, {expires})
            """, ct);
        await db.WakeEnvelopesAsync(applicationId, by.ToString(), ct); // an envelope that is out is taken back
        // an offer of the release before this one has no paper yet
        if (!await db.Database.SqlQuery<bool>($"select exists (select from camino.application_papers where application_id = {applicationId} and kind = {(short)PaperKind.Offer} and number = {offer}) as \"Value\"").SingleAsync(ct))
            await db.AskPaperAsync(applicationId, PaperKind.Offer, offer, by, at, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "offer_link.made", "application", applicationId.ToString(), JsonSerializer.Serialize(new { linkId = id, offer }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new OfferLinkMade(id, $"/offer?token={links.Write(id, expires)}&lang={language}", expires);
    }

    /// <summary>Makes the link of an offer useless; a second time changes nothing.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>offer.not_found</c>.</exception>
    public async Task EndAsync(Guid applicationId, int offer, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockApplicationAsync(applicationId, ct);
        await db.OfferAsync(applicationId, offer, ct);
        var ended = await db.Database.ExecuteSqlAsync($"update camino.offer_links set ended_at = {at}, ended_by = {by} where application_id = {applicationId} and offer_number = {(short)offer} and ended_at is null", ct);
        if (ended == 0)
            return;
        await db.WakeEnvelopesAsync(applicationId, by.ToString(), ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "offer_link.ended", "application", applicationId.ToString(), JsonSerializer.Serialize(new { offer }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>The newest link of an offer, or null.</summary>
    public async Task<OfferLinkLine?> FindAsync(Guid applicationId, int offer, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var found = await db.Database.SqlQuery<Line>(
            $"""
            select l.id as "Id", l.made_at as "MadeAt", (select u.display_name from camino.staff_users u where u.id = l.made_by) as "MadeByName", l.expires_at as "ExpiresAt", l.opened_at as "OpenedAt",
                l.ended_at is null and l.expires_at > {now} and o.state = {(short)OfferState.Open} as "IsOpen"
            from camino.offer_links l join camino.application_offers o on o.application_id = l.application_id and o.number = l.offer_number
            where l.application_id = {applicationId} and l.offer_number = {(short)offer} and not exists (select from camino.signature_envelopes e where e.link_id = l.id) order by l.id desc limit 1
            """).ToListAsync(ct);
        return found.Count == 0 ? null : new OfferLinkLine(found[0].Id, found[0].MadeAt, found[0].MadeByName, found[0].ExpiresAt, found[0].OpenedAt, found[0].IsOpen);
    }
}
