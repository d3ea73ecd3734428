using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Camino.Web;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Papers;

/// <summary>The statements that acts on papers share.</summary>
internal static class PaperTable
{
    /// <summary>The templates that new papers are made from.</summary>
    private static readonly Dictionary<PaperKind, string> s_templates = new()
    {
        [PaperKind.Offer] = "offer.2",
        [PaperKind.Approval] = "approval.2",
        [PaperKind.Contract] = "contract.2",
        [PaperKind.Decline] = "decline.1",
    };

    /// <summary>Asks for a paper in every language; the jobs that make it ride in the next save.</summary>
    /// <param name="number">The number of the offer, or of the event that declined the application.</param>
    public static async Task AskPaperAsync(this CaminoDb db, Guid applicationId, PaperKind kind, int number, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        var today = await db.TodayAsync(ct);
        foreach (var language in Language.All)
        {
            var id = Guid.CreateVersion7(at);
            var job = db.Enqueue(new MakePaper(id), new JobOptions { RequestedBy = by.ToString() });
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into camino.application_papers (id, application_id, kind, number, language, template, asked_on, asked_at, asked_by, job_id)
                values ({id}, {applicationId}, {(short)kind}, {number}, {language.Code}, {s_templates[kind]}, {today}, {at}, {by}, {job})
                """, ct);
        }
    }
}

/// <summary>Has a paper made that could not be made.</summary>
public sealed class RetryPaper(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>paper.not_found</c>, <c>paper.state</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, Guid paperId, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.paper-retried {id} {paperId}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var found = await db.Database.SqlQuery<short>($"select state as \"Value\" from camino.application_papers where id = {paperId} and application_id = {id} for update").ToListAsync(ct);
        Refuse.If(found.Count == 0, "paper.not_found", "This application has no such paper.");
        Refuse.If((PaperState)found[0] != PaperState.Failed, "paper.state", "This paper is not one that waits for another attempt; look again.");
        var job = db.Enqueue(new MakePaper(paperId), new JobOptions { RequestedBy = by.UserId.ToString() });
        await db.Database.ExecuteSqlAsync($"update camino.application_papers set state = {(short)PaperState.Waiting}, problem = null, job_id = {job} where id = {paperId}", ct);
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, course), by, "application.paper-retried", at, new { paper = paperId }, ct);
    }
}
