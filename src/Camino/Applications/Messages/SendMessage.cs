using System.Text;
using Camino.Applications.Papers;
using Camino.Audit;
using Camino.Data;
using Camino.Documents;
using Camino.Jobs;
using Camino.Papers;
using Camino.Servicing;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Messages;

/// <summary>A message is to be sent: hands it to the job that does, under the limit of its service, which the Async Server alone knows.</summary>
public sealed record SendMessage(Guid MessageId) : IJobArgs
{
    public static string Kind => "applications.send-message"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Notices;

    /// <remarks>Safe to run twice: the other job is enqueued in the transaction that ends this one.</remarks>
    public sealed class Handler(CaminoDb db, Providers providers) : IJobHandler<SendMessage>
    {
        public async Task RunAsync(SendMessage args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var found = await db.Database.SqlQuery<short>($"select channel as \"Value\" from camino.application_messages where id = {args.MessageId} and state <> {(short)MessageState.Sent} for update").ToListAsync(ct);
            if (found.Count > 0 && providers.Of((MessageChannel)found[0]) is var provider)
            {
                if (provider.Address is null)
                    await db.Database.ExecuteSqlAsync($"update camino.application_messages set state = {(short)MessageState.Failed}, problem = {DeliverMessage.NoService} where id = {args.MessageId}", ct);
                else
                    db.Enqueue(new DeliverMessage(args.MessageId), new JobOptions { Limit = provider.Limit });
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Gives one message to the service that sends it.</summary>
public sealed record DeliverMessage(Guid MessageId) : IJobArgs
{
    /// <summary>Why a message is not sent where nobody does so; pages say it in the reader's language.</summary>
    public const string NoService = "No service that sends such messages is set up";

    public static string Kind => "applications.deliver-message"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Notices;

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(3);

    public static JobRetry Retry => new(12, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

    private sealed record Stored(Guid ApplicationId, string Number, string Applicant, short Kind, short Channel, int Of, string Language, string Template, byte[]? SealedLink, DateOnly? Until, short State, string? Address);

    private sealed record Attached(string ObjectKey, string FileName);

    /// <remarks>Safe to run twice: the service is told the message's id, and sends what it was given before no second time; a message that was sent is left alone.</remarks>
    public sealed class Handler(CaminoDb db, ProviderClient client, SendMail mail, Providers providers, WebhookVault vault, LenderOptions lender, IObjectStore store, TimeProvider clock) : IJobHandler<DeliverMessage>
    {
        public async Task RunAsync(DeliverMessage args, JobContext job, CancellationToken ct)
        {
            var message = await FindAsync(args.MessageId, ct);
            if ((MessageState)message.State == MessageState.Sent)
                return;
            try
            {
                var provider = providers.Of((MessageChannel)message.Channel);
                var text = await TextAsync(message, ct);
                if ((MessageChannel)message.Channel == MessageChannel.Text)
                    await client.AskAsync(provider, "text/v1/messages", args.MessageId, new { to = message.Address, text = BodyOf(text) }, ct, Asker.Message);
                else
                    await MailAsync(args.MessageId, provider, new OutgoingMail(message.Address, text.Title, BodyOf(text), message.Language, await AttachmentsAsync(message, ct)), ct);
                await EndAsync(args.MessageId, message, job, ct);
            }
            catch (JobSnoozedException later)
            {
                await NoteAsync(args.MessageId, MessageState.Queued, later.Message, job, ct);
                throw;
            }
            catch (Exception failed) when (failed is not (OperationCanceledException or LeaseLostException))
            {
                await NoteAsync(args.MessageId, MessageState.Failed, failed is ProviderFailedException or JobAbandonedException ? failed.Message : failed.GetType().Name, job, ct);
                throw;
            }
        }

        private async Task<Stored> FindAsync(Guid id, CancellationToken ct)
        {
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select m.application_id as "ApplicationId", a.number as "Number", a.name as "Applicant", m.kind as "Kind", m.channel as "Channel", m.number as "Of", m.language as "Language", m.template as "Template", m.sealed_link as "SealedLink", m.until as "Until",
                    m.state as "State", (select c.value from camino.application_contacts c where c.application_id = m.application_id and c.position = m.position) as "Address"
                from camino.application_messages m join camino.applications a on a.id = m.application_id where m.id = {id}
                """).ToListAsync(ct);
            return found.Count == 0 ? throw new JobAbandonedException("There is no such message.") : found[0];
        }

        private async Task<PaperText> TextAsync(Stored message, CancellationToken ct)
        {
            var values = new Dictionary<string, object?>
            {
                ["lender"] = lender.Name,
                ["lenderPhone"] = lender.Phone,
                ["number"] = message.Number,
                ["applicant"] = message.Applicant,
                ["link"] = message.SealedLink is null ? null : Encoding.UTF8.GetString(await vault.OpenAsync(message.SealedLink, ct)),
                ["expiresOn"] = message.Until,
            };
            return PaperTemplate.Of(message.Template, message.Language).Fill(new PaperValues(values, new Dictionary<string, IReadOnlyList<string>>(), []));
        }

        /// <summary>One of the two ways that an e-mail goes.</summary>
        private Task MailAsync(Guid id, Provider provider, OutgoingMail outgoing, CancellationToken ct) => providers.Smtp is null ? client.AskAsync(provider, "email/v1/messages", id, outgoing, ct, Asker.Message) : mail.RunAsync(id, outgoing, ct);

        private static string BodyOf(PaperText text) => string.Join("\n\n", text.Blocks.OfType<PaperParagraph>().Select(paragraph => paragraph.Text));

        private async Task<IReadOnlyList<MailedFile>> AttachmentsAsync(Stored message, CancellationToken ct)
        {
            if ((MessageKind)message.Kind != MessageKind.Decline)
                return [];
            var found = await db.Database.SqlQuery<Attached>(
                $"""
                select v.object_key as "ObjectKey", v.file_name as "FileName" from camino.application_papers p join camino.document_versions v on v.document_id = p.document_id and v.number = 1
                where p.application_id = {message.ApplicationId} and p.kind = {(short)PaperKind.Decline} and p.number = {message.Of} and p.language = {message.Language}
                """).ToListAsync(ct);
            if (found.Count == 0)
                throw new JobSnoozedException(TimeSpan.FromSeconds(10), "The notice is not made yet.");
            await using var content = await store.OpenAsync(found[0].ObjectKey, ct) ?? throw new ObjectStoreException("The file of the notice is not in the store.");
            using var whole = new MemoryStream();
            await content.CopyToAsync(whole, ct);
            return [new MailedFile(found[0].FileName, "application/pdf", Convert.ToBase64String(whole.ToArray()))];
        }

        private async Task EndAsync(Guid id, Stored message, JobContext job, CancellationToken ct)
        {
            var at = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            // the link is of no more use here, and nobody finds it in a backup
            await db.Database.ExecuteSqlAsync($"update camino.application_messages set state = {(short)MessageState.Sent}, problem = null, attempts = attempts + 1, sent_at = {at}, sealed_link = null where id = {id} and state <> {(short)MessageState.Sent}", ct);
            db.AuditEntries.Add(new AuditEntry(at, null, "application.message-sent", "application", message.ApplicationId.ToString(),
                System.Text.Json.JsonSerializer.Serialize(new { message = id, kind = Words.Camel((MessageKind)message.Kind), channel = Words.Camel((MessageChannel)message.Channel) })));
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task NoteAsync(Guid id, MessageState state, string problem, JobContext job, CancellationToken ct)
        {
            db.Forget();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"update camino.application_messages set state = {(short)state}, attempts = attempts + {(state == MessageState.Failed ? 1 : 0)}, problem = {problem[..Math.Min(problem.Length, 300)]} where id = {id} and state <> {(short)MessageState.Sent}", ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
