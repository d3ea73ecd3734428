using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Documents;
using Camino.Jobs;
using Camino.Lending;
using Camino.Papers;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Web;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Papers;

/// <summary>Makes one paper of an application in one language, and keeps it for good with its hash.</summary>
public sealed record MakePaper(Guid PaperId) : IJobArgs
{
    public static string Kind => "applications.make-paper"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Documents;

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(2);

    public static JobRetry Retry => new(8, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(5));

    private sealed record Stored(Guid ApplicationId, string ApplicationNumber, short Kind, int Number, string Language, string Template, short State, DateOnly AskedOn, Guid AskedBy);

    /// <remarks>Safe to run twice: a paper that is made is never made again; its rows and the end of the job are one transaction.</remarks>
    public sealed class Handler(CaminoDb db, ReadPaperValues read, KeepMade keep, TimeProvider clock) : IJobHandler<MakePaper>
    {
        public async Task RunAsync(MakePaper args, JobContext job, CancellationToken ct)
        {
            var paper = await FindAsync(args.PaperId, ct);
            if ((PaperState)paper.State == PaperState.Made)
                return;
            try
            {
                await MakeAsync(args.PaperId, paper, job, ct);
            }
            catch (RefusedException refused)
            {
                await NoteAsync(args.PaperId, refused.Message, job, ct);
                throw new JobAbandonedException(refused.Message); // a person has to do something first, and has it made again then
            }
            catch (Exception failed) when (failed is not (OperationCanceledException or LeaseLostException))
            {
                await NoteAsync(args.PaperId, failed.GetType().Name, job, ct);
                throw;
            }
        }

        private async Task<Stored> FindAsync(Guid id, CancellationToken ct)
        {
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select p.application_id as "ApplicationId", a.number as "ApplicationNumber", p.kind as "Kind", p.number as "Number", p.language as "Language", p.template as "Template", p.state as "State", p.asked_on as "AskedOn", p.asked_by as "AskedBy"
                from camino.application_papers p join camino.applications a on a.id = p.application_id where p.id = {id}
                """).ToListAsync(ct);
            return found.Count == 0 ? throw new JobAbandonedException("There is no such paper.") : found[0];
        }

        private async Task MakeAsync(Guid id, Stored paper, JobContext job, CancellationToken ct)
        {
            var kind = (PaperKind)paper.Kind;
            var language = Language.Find(paper.Language) ?? Language.English;
            var template = PaperTemplate.Of(paper.Template, language.Code);
            var values = await read.RunAsync(paper.ApplicationId, kind, paper.Number, paper.AskedOn, ct);
            var at = clock.GetUtcNow();
            var text = template.Fill(values);
            var file = await keep.PutAsync(PdfPaper.Write(text, at), at, ct);

            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var state = await db.Database.SqlQuery<short>($"select state as \"Value\" from camino.application_papers where id = {id} for update").SingleAsync(ct);
            if ((PaperState)state == PaperState.Made)
                return; // another server was quicker; the file is swept
            var name = ReadPaperValues.FileName(paper.ApplicationNumber, kind, paper.Number, language);
            var document = await keep.KeepAsync(file, SubjectKind.Application, paper.ApplicationId, kind == PaperKind.Contract ? DocumentKind.Contract : DocumentKind.Letter, $"{text.Title} · {language.OwnName}", name, paper.AskedBy, at, ct);
            await db.Database.ExecuteSqlAsync(
                $"""
                update camino.application_papers set state = {(short)PaperState.Made}, problem = null, made_at = {at}, document_id = {document}, sha256 = {file.Sha256}, figures = {FiguresOf(values)}::jsonb where id = {id}
                """, ct);
            db.AuditEntries.Add(new AuditEntry(at, null, "application.paper-made", "application", paper.ApplicationId.ToString(),
                JsonSerializer.Serialize(new { paper = id, kind = Words.Camel(kind), number = paper.Number, language = language.Code, template = paper.Template, sha256 = Convert.ToHexStringLower(file.Sha256) })));
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        /// <summary>What the paper says in figures, without whom it is about.</summary>
        private static string FiguresOf(PaperValues values) => JsonSerializer.Serialize(
            new
            {
                values = values.Values.Where(pair => pair.Value is not null && !ReadPaperValues.Personal.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value),
                lists = values.Lists.Where(pair => !ReadPaperValues.Personal.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value),
                schedule = values.Schedule,
            }, JsonSerializerOptions.Web);

        private async Task NoteAsync(Guid id, string problem, JobContext job, CancellationToken ct)
        {
            db.Forget();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"update camino.application_papers set state = {(short)PaperState.Failed}, problem = {problem[..Math.Min(problem.Length, 300)]} where id = {id} and state <> {(short)PaperState.Made}", ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
