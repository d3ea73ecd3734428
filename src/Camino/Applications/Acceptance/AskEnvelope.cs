using System.Globalization;
using System.Text;
using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Audit;
using Camino.Data;
using Camino.Documents;
using Camino.Jobs;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Notices;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Acceptance;

/// <summary>Something is to happen with an envelope: hands it to the job that asks the signature service, under its limit, which the Async Server alone knows.</summary>
public sealed record SendEnvelope(Guid EnvelopeId) : IJobArgs
{
    public static string Kind => "applications.send-envelope"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Notices;

    /// <remarks>Safe to run twice: the other job is enqueued in the transaction that ends this one.</remarks>
    public sealed class Handler(CaminoDb db, Providers providers) : IJobHandler<SendEnvelope>
    {
        public async Task RunAsync(SendEnvelope args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (providers.Signature.Address is null)
                await db.Database.ExecuteSqlAsync($"update camino.signature_envelopes set state = {(short)EnvelopeState.Failed}, problem = {AskEnvelope.NoService} where id = {args.EnvelopeId} and state in (0, 1)", ct);
            else
                db.Enqueue(new AskEnvelope(args.EnvelopeId), new JobOptions { Limit = providers.Signature.Limit, UniqueKey = args.EnvelopeId.ToString(), Replace = JobReplace.DueAt });
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Gives an envelope to the signature service, asks how it stands until it is over, and takes it back where its link or offer ended; one start of the job is one question. A callback only makes it look sooner.</summary>
public sealed record AskEnvelope(Guid EnvelopeId) : IJobArgs
{
    /// <summary>Why nothing is signed where nobody does so; pages say it in the reader's language.</summary>
    public const string NoService = "No signature service is set up";

    /// <summary>What is agreed to with the service, with its version; a template in each language.</summary>
    public const string Consent = "consent-service.1";

    private const string TakenBack = "It was taken back";
    private const string RanOut = "It ran out at the service";
    private const string TooLate = "The service says that it was signed, but its offer or link had ended when that was heard; it does not count";

    private static readonly TimeSpan s_soonest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_latest = TimeSpan.FromMinutes(10);

    public static string Kind => "applications.ask-envelope"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Notices;

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(3);

    public static JobRetry Retry => new(12, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

    private sealed record Stored(Guid ApplicationId, string Number, short Offer, Guid LinkId, Guid MadeBy, string Language, byte[] SealedSigner, short State, DateTimeOffset? HandedAt, DateOnly ExpiresOn, bool IsOver);

    private sealed record OfferPaper(Guid Id, string Sha256, string ObjectKey, string FileName);

    /// <summary>No outage, so that no waiting helps: people must look at it.</summary>
    private sealed class WrongDocumentException(string what) : Exception(what);

    private sealed record ServiceSignature(string Name, string From, string Agent, string Sha256);

    /// <remarks>Safe to run twice, and side by side: the service is told the envelope's id and makes one envelope of it; the offer is accepted in the transaction that ends the job, once for its link.</remarks>
    public sealed class Handler(CaminoDb db, ProviderClient client, Providers providers, WebhookVault vault, IObjectStore store, TimeProvider clock) : IJobHandler<AskEnvelope>
    {
        public async Task RunAsync(AskEnvelope args, JobContext job, CancellationToken ct)
        {
            var (id, envelope) = (args.EnvelopeId, await FindAsync(args.EnvelopeId, ct));
            if ((EnvelopeState)envelope.State is EnvelopeState.Accepted or EnvelopeState.Declined or EnvelopeState.Ended)
                return;
            try
            {
                if (envelope.IsOver) // also where nobody heard whether the service took it
                    await TakeBackAsync(id, envelope, job, ct);
                else if (envelope.HandedAt is { } handed)
                    await AskAsync(id, envelope, clock.GetUtcNow() - handed, job, ct);
                else
                    await HandInAsync(id, envelope, job, ct);
            }
            catch (RefusedException refused) // the offer ended while it was asked: the next look takes the envelope back
            {
                await NoteAsync(id, null, refused.Message, job, ct);
                throw new JobSnoozedException(s_soonest, refused.Message);
            }
            catch (JobSnoozedException later)
            {
                await NoteAsync(id, null, later.Message, job, ct);
                throw;
            }
            catch (ProviderFailedException failed) when (envelope.HandedAt is not null) // the applicant has weeks, and an outage costs no attempt
            {
                await NoteAsync(id, null, failed.Message, job, ct);
                throw new JobSnoozedException(Later(clock.GetUtcNow() - envelope.HandedAt.Value), failed.Message);
            }
            catch (Exception failed) when (failed is not (OperationCanceledException or LeaseLostException))
            {
                await NoteAsync(id, EnvelopeState.Failed, failed is ProviderFailedException or WrongDocumentException ? failed.Message : failed.GetType().Name, job, ct);
                throw;
            }
        }

        private async Task<Stored> FindAsync(Guid id, CancellationToken ct)
        {
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select e.application_id as "ApplicationId", a.number as "Number", e.offer_number as "Offer", e.link_id as "LinkId", l.made_by as "MadeBy", e.language as "Language", e.sealed_signer as "SealedSigner", e.state as "State", e.handed_at as "HandedAt", o.expires_on as "ExpiresOn",
                    l.ended_at is not null or l.expires_at <= {clock.GetUtcNow()} or a.state <> {(short)ApplicationState.Offered} or o.state <> {(short)OfferState.Open} or o.expires_on < (select today from camino.business_day) as "IsOver"
                from camino.signature_envelopes e join camino.applications a on a.id = e.application_id join camino.offer_links l on l.id = e.link_id join camino.application_offers o on o.application_id = e.application_id and o.number = e.offer_number
                where e.id = {id}
                """).ToListAsync(ct);
            return found.Count == 0 ? throw new JobAbandonedException("There is no such envelope.") : found[0];
        }

        /// <summary>The very document that is kept, frozen, goes out; what is kept of the exchange is its hash.</summary>
        private async Task HandInAsync(Guid id, Stored envelope, JobContext job, CancellationToken ct)
        {
            if (await PaperAsync(envelope, ct) is not { } paper)
                throw new JobSnoozedException(s_soonest, "The document is not made yet.");
            var signer = JsonSerializer.Deserialize<Signer>(await vault.OpenAsync(envelope.SealedSigner, ct), JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The signer is not there.");
            await using var content = await store.OpenAsync(paper.ObjectKey, ct) ?? throw new ObjectStoreException("The file of the offer is not in the store.");
            using var whole = new MemoryStream();
            await content.CopyToAsync(whole, ct);
            object Question(string? file) => new { language = envelope.Language, expiresOn = envelope.ExpiresOn, signer, document = new { name = paper.FileName, type = "application/pdf", sha256 = paper.Sha256, content = file } };
            var answer = await client.AskAsync(providers.Signature, "signature/v1/envelopes", id, Question(Convert.ToBase64String(whole.GetBuffer(), 0, (int)whole.Length)), ct, Asker.Envelope, kept: Question(null));
            if (StatusOf(answer) != "sent")
                throw new ProviderFailedException($"{providers.Signature.Name} did not take the envelope");
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (await db.Database.ExecuteSqlAsync($"update camino.signature_envelopes set state = {(short)EnvelopeState.Out}, problem = null, handed_at = {clock.GetUtcNow()} where id = {id} and state in (0, 1, 5)", ct) == 0)
            {
                await transaction.RollbackAsync(ct); // it was ended meanwhile
                await client.AskAsync(providers.Signature, "signature/v1/void", id, new { }, ct, Asker.Envelope);
                return;
            }

            db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), null, "application.signature-sent", "application", envelope.ApplicationId.ToString(), JsonSerializer.Serialize(new { envelope = id, offer = envelope.Offer, sha256 = paper.Sha256 })));
            await db.SaveChangesAsync(ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
            throw new JobSnoozedException(s_soonest, "The service waits for the applicant.");
        }

        private async Task AskAsync(Guid id, Stored envelope, TimeSpan since, JobContext job, CancellationToken ct)
        {
            var answer = await client.AskAsync(providers.Signature, "signature/v1/status", id, new { }, ct, Asker.Envelope);
            switch (StatusOf(answer))
            {
                case "signed":
                    await AcceptAsync(id, envelope, SignatureOf(answer), job, ct);
                    break;
                case "declined":
                    await EndAsync(id, envelope, EnvelopeState.Declined, null, job, ct);
                    break;
                case "expired" or "voided":
                    await EndAsync(id, envelope, EnvelopeState.Ended, RanOut, job, ct);
                    break;
                case "sent":
                    throw new JobSnoozedException(Later(since), "The service waits for the applicant.");
                default: // it knows nothing of it: it is handed in anew, under the same id
                    await db.Database.ExecuteSqlAsync($"update camino.signature_envelopes set state = {(short)EnvelopeState.Queued}, handed_at = null where id = {id} and state in (0, 1, 5)", ct);
                    throw new JobSnoozedException(TimeSpan.FromSeconds(1), "The service does not know the envelope any more; it is handed in anew.");
            }
        }

        /// <summary>The longer it has been with the applicant, the rarer it is asked for.</summary>
        private static TimeSpan Later(TimeSpan since) => TimeSpan.FromTicks(Math.Clamp(since.Ticks / 4, s_soonest.Ticks, s_latest.Ticks));

        private async Task TakeBackAsync(Guid id, Stored envelope, JobContext job, CancellationToken ct)
        {
            var answer = await client.AskAsync(providers.Signature, "signature/v1/void", id, new { }, ct, Asker.Envelope);
            await EndAsync(id, envelope, EnvelopeState.Ended, StatusOf(answer) == "signed" ? TooLate : TakenBack, job, ct);
        }

        /// <exception cref="RefusedException">the offer or its link ended meanwhile.</exception>
        /// <exception cref="WrongDocumentException">something else than the offer was signed.</exception>
        private async Task AcceptAsync(Guid id, Stored envelope, ServiceSignature signature, JobContext job, CancellationToken ct)
        {
            var paper = await PaperAsync(envelope, ct) ?? throw new InvalidOperationException("The offer that was handed over is not there.");
            if (!string.Equals(paper.Sha256, signature.Sha256, StringComparison.OrdinalIgnoreCase))
                throw new WrongDocumentException($"{providers.Signature.Name} had another document signed than the offer");
            var name = await vault.SealAsync(Encoding.UTF8.GetBytes(signature.Name), ct);
            var from = await vault.SealAsync(JsonSerializer.SerializeToUtf8Bytes(new SignedFrom(signature.From, signature.Agent), JsonSerializerOptions.Web), ct);
            var at = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.KeepSignatureAsync(new SignedOffer(envelope.ApplicationId, envelope.Offer, envelope.LinkId, envelope.MadeBy, paper.Id, paper.Sha256, envelope.Language, Consent, name, from), at, ct);
            await db.Database.ExecuteSqlAsync($"update camino.signature_envelopes set state = {(short)EnvelopeState.Accepted}, problem = null, attempts = attempts + 1, ended_at = {at} where id = {id} and state <> {(short)EnvelopeState.Accepted}", ct);
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        /// <summary>Without a signature; whoever asked for it is told unless it was taken back.</summary>
        private async Task EndAsync(Guid id, Stored envelope, EnvelopeState state, string? problem, JobContext job, CancellationToken ct)
        {
            var at = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var changed = await db.Database.ExecuteSqlAsync($"update camino.signature_envelopes set state = {(short)state}, problem = {problem}, attempts = attempts + 1, ended_at = {at} where id = {id} and state in (0, 1, 5)", ct);
            if (changed > 0)
            {
                await db.Database.ExecuteSqlAsync($"update camino.offer_links set ended_at = {at} where id = {envelope.LinkId} and ended_at is null", ct);
                db.AuditEntries.Add(new AuditEntry(at, null, "application.signature-ended", "application", envelope.ApplicationId.ToString(), JsonSerializer.Serialize(new { envelope = id, offer = envelope.Offer, state = Servicing.Words.Camel(state) })));
                if (problem != TakenBack)
                    db.Notices.Add(new Notice(envelope.MadeBy, state == EnvelopeState.Declined ? "Notice.OfferNotSigned" : "Notice.SignatureEnded", [envelope.Number, envelope.Offer.ToString(CultureInfo.InvariantCulture)], $"/applications/{envelope.ApplicationId}/offers/{envelope.Offer}", at));
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task<OfferPaper?> PaperAsync(Stored envelope, CancellationToken ct)
        {
            var found = await db.Database.SqlQuery<OfferPaper>(
                $"""
                select p.id as "Id", encode(p.sha256, 'hex') as "Sha256", v.object_key as "ObjectKey", v.file_name as "FileName"
                from camino.application_papers p join camino.document_versions v on v.document_id = p.document_id and v.number = 1
                where p.application_id = {envelope.ApplicationId} and p.kind = {(short)PaperKind.Offer} and p.number = {envelope.Offer} and p.language = {envelope.Language} and p.state = {(short)PaperState.Made}
                """).ToListAsync(ct);
            return found.FirstOrDefault();
        }

        private string StatusOf(JsonElement answer) => answer.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String && status.GetString() is { } word ? word : throw new ProviderFailedException($"{providers.Signature.Name} answered without what was asked for");

        private ServiceSignature SignatureOf(JsonElement answer)
        {
            try
            {
                var signature = answer.GetProperty("signature");
                string Text(string name, int most) => Imports.Shown.Cut(Imports.StorableText.Of(signature.GetProperty(name).GetString() ?? throw new FormatException("It is null.")).Trim(), most);
                return new ServiceSignature(Text("name", SignOffer.LongestName), Text("address", 100), Text("agent", 300), Text("sha256", 64));
            }
            catch (Exception wrong) when (wrong is KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new ProviderFailedException($"{providers.Signature.Name} answered without what was asked for", wrong);
            }
        }

        private async Task NoteAsync(Guid id, EnvelopeState? state, string problem, JobContext job, CancellationToken ct)
        {
            db.Forget();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync(
                $"""
                update camino.signature_envelopes set state = case when {state is not null} then {(short)EnvelopeState.Failed} when handed_at is null then {(short)EnvelopeState.Queued} else {(short)EnvelopeState.Out} end,
                    attempts = attempts + {(state is null ? 0 : 1)}, problem = {problem[..Math.Min(problem.Length, 300)]}
                where id = {id} and state in (0, 1, 5)
                """, ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
