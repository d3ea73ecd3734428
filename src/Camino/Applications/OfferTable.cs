using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Screening;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>The statements that operations on offers share; the application is locked before.</summary>
internal static class OfferTable
{
    private sealed record Stored(short State, DateOnly ExpiresOn);

    private sealed record Listed(int Waiting, int Confirmed);

    /// <exception cref="RefusedException"><c>offer.not_found</c>.</exception>
    public static async Task<ApplicationOffer> OfferAsync(this CaminoDb db, Guid id, int number, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Stored>($"select state as \"State\", expires_on as \"ExpiresOn\" from camino.application_offers where application_id = {id} and number = {number}").ToListAsync(ct);
        Refuse.If(found.Count == 0, "offer.not_found", $"This application has no offer {number}.");
        return new ApplicationOffer(number, (OfferState)found[0].State, found[0].ExpiresOn);
    }

    /// <summary>Offers that can still be taken.</summary>
    /// <param name="but">One that is left out.</param>
    public static Task<int> OpenOffersAsync(this CaminoDb db, Guid id, int but, CancellationToken ct) =>
        db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.application_offers where application_id = {id} and state = {(short)OfferState.Open} and number <> {but}").SingleAsync(ct);

    /// <summary>Ends all offers that are open.</summary>
    public static Task CloseOffersAsync(this CaminoDb db, Guid id, OfferState to, DateTimeOffset at, Guid? by, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"update camino.application_offers set state = {(short)to}, ended_at = {at}, ended_by = {by} where application_id = {id} and state = {(short)OfferState.Open}", ct);

    /// <summary>Nobody is offered or lent anything while a match with a sanctions list waits for two people, or was confirmed by them.</summary>
    /// <exception cref="RefusedException"><c>application.sanctions</c>.</exception>
    public static async Task CheckListedAsync(this CaminoDb db, Guid id, string number, CancellationToken ct)
    {
        var listed = await db.Database.SqlQuery<Listed>(
            $"""
            select count(*) filter (where h.state < {(short)HitState.Cleared})::int as "Waiting", count(*) filter (where h.state = {(short)HitState.Confirmed})::int as "Confirmed"
            from camino.application_steps s cross join lateral jsonb_array_elements_text(s.result -> 'screenings') x (id) join camino.screening_hits h on h.screening_id = x.id::uuid
            where s.application_id = {id} and s.kind = {(short)CheckKind.Sanctions}
            """).SingleAsync(ct);
        Refuse.If(listed.Confirmed > 0, "application.sanctions", $"Application {number} cannot go on: the business or an owner is on a sanctions list, two people said so.");
        Refuse.If(listed.Waiting > 0, "application.sanctions", $"Application {number} cannot go on yet: {listed.Waiting} possible matches with a sanctions list wait for two people; see the page Screening.");
    }
}
