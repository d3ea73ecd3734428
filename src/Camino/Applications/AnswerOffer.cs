using Camino.Applications.Papers;
using Camino.Borrowers;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications;

/// <summary>How the applicant said that it takes an offer.</summary>
public sealed record AcceptInput
{
    /// <summary><c>phone</c>, <c>paper</c> or <c>inPerson</c>.</summary>
    public string? How { get; init; }

    /// <summary>Up to 500 characters.</summary>
    public string? Note { get; init; }

    /// <summary>Reads a body.</summary>
    internal static AcceptInput From(JsonBody body) => body.All(one => new AcceptInput { How = one.Text("how"), Note = one.Text("note") });

    /// <exception cref="RefusedException"><c>input.how</c>, <c>input.note</c>.</exception>
    internal (AcceptedBy How, string? Note) Read()
    {
        var how = ApplicationOffer.SaidToStaff.Where(one => Words.Camel(one) == How?.Trim()).ToList();
        Refuse.If(how.Count == 0, "input.how", $"how is phone, paper or inPerson; got {InputText.Short(How)}.");
        return (how[0], string.IsNullOrWhiteSpace(Note) ? null : CheckedBorrower.Text("note", Note, ApplicationOffer.LongestNote));
    }
}

/// <summary>Writes down that the applicant took one of its offers; the others are closed.</summary>
public sealed class AcceptOffer(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.*</c>, <c>offer.not_found</c>, <c>offer.state</c>, <c>offer.expired</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, int offer, AcceptInput input, AskedBy by, CancellationToken ct)
    {
        var (how, note) = input.Read();
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.offer-accepted {id} {offer} {how} {note}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var (next, step) = course.Move(ApplicationMove.Accept, new Actor(ActorKind.Staff, by.UserId), null, at, by.Version);
        var accepted = (await db.OfferAsync(id, offer, ct)).Accept(await db.TodayAsync(ct));
        await db.Database.ExecuteSqlAsync(
            $"""
            update camino.application_offers set state = {(short)accepted.State}, accepted_how = {(short)how}, accepted_note = {note}, ended_at = {at}, ended_by = {by.UserId} where application_id = {id} and number = {offer}
            """, ct);
        await db.CloseOffersAsync(id, OfferState.Closed, at, by.UserId, ct);
        await db.AskPaperAsync(id, PaperKind.Contract, offer, by.UserId, at, ct);
        await db.KeepCourseAsync(id, next, step, ct);
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, next) with { Offer = offer }, by, "application.offer-accepted", at, new { version = next.Version, offer, how = Words.Camel(how) }, ct);
    }
}

/// <summary>Takes an offer back; when none is left, underwriting goes on.</summary>
public sealed class WithdrawOffer(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.*</c>, <c>offer.not_found</c>, <c>offer.state</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, int offer, string? reason, AskedBy by, CancellationToken ct)
    {
        var why = reason is null ? null : Imports.StorableText.Of(reason);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.offer-withdrawn {id} {offer} {why}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var others = await db.OpenOffersAsync(id, but: offer, ct);
        var (next, step) = course.Move(ApplicationMove.TakeBack, new Actor(ActorKind.Staff, by.UserId), why, at, by.Version, others > 0);
        var withdrawn = (await db.OfferAsync(id, offer, ct)).Withdraw();
        await db.Database.ExecuteSqlAsync($"update camino.application_offers set state = {(short)withdrawn.State}, ended_at = {at}, ended_by = {by.UserId} where application_id = {id} and number = {offer}", ct);
        await db.KeepCourseAsync(id, next, step, ct);
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, next) with { Offer = offer }, by, "application.offer-withdrawn", at, new { version = next.Version, offer }, ct);
    }
}
