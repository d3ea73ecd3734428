using System.Globalization;
using System.Text.Json;
using Camino.Applications;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>A document is to be read: hands it to the job that asks the service, under its limit, which the Async Server alone knows.</summary>
public sealed record SendReading(Guid ReadingId) : IJobArgs
{
    public static string Kind => "documents.send-reading"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Documents;

    /// <remarks>Safe to run twice: the other job is enqueued in the transaction that ends this one.</remarks>
    public sealed class Handler(CaminoDb db, Providers providers) : IJobHandler<SendReading>
    {
        public async Task RunAsync(SendReading args, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (providers.Reading.Address is null)
                await db.Database.ExecuteSqlAsync($"update camino.document_readings set state = {(short)ReadingState.Failed}, problem = {AskReading.NoService} where id = {args.ReadingId} and state <> {(short)ReadingState.Read}", ct);
            else
                db.Enqueue(new AskReading(args.ReadingId), new JobOptions { Limit = providers.Reading.Limit });
            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Has an outside service read a document: one start of the job hands the file in, the next ones ask for what was read, until it was. What it says is compared with the application.</summary>
public sealed record AskReading(Guid ReadingId) : IJobArgs
{
    /// <summary>Why a document is not read where nobody does so; pages say it in the reader's language.</summary>
    public const string NoService = "No service that reads documents is set up";

    /// <summary>Less sure than this, a field that says something else points nobody to it.</summary>
    public const int LeastConfidence = 60;

    private const string Unreadable = "The service could not read this document";
    private const string TooLong = "The service took too long to read this document";
    private const string TakenOff = "The document was taken off, or is dangerous";

    /// <summary>Name of the text of the task that is raised.</summary>
    internal const string Said = "TaskSaid.DocumentDiffers";

    private const int MostFields = 50;
    private const int LongestValue = 200;

    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    public static string Kind => "documents.ask-reading"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Documents;

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(3);

    public static JobRetry Retry => new(12, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

    private sealed record Stored(short State, DateTimeOffset? HandedAt, Guid ApplicationId, Guid DocumentId, int Number, short Kind, string MediaType, long Bytes, string ObjectKey, short Scan, bool IsRemoved);

    private sealed record Says(string Number, string? Ein, string? Routing, string? Account, bool IsNamed);

    /// <remarks>Safe to run twice: the service is told the reading's id, and reads what it has no second time; what was read and the end of the job are one transaction.</remarks>
    public sealed class Handler(CaminoDb db, ProviderClient client, Providers providers, ExchangeVault vault, IObjectStore store, TimeProvider clock) : IJobHandler<AskReading>
    {
        public async Task RunAsync(AskReading args, JobContext job, CancellationToken ct)
        {
            var reading = await FindAsync(args.ReadingId, ct);
            if ((ReadingState)reading.State == ReadingState.Read)
                return;
            try
            {
                if (reading.IsRemoved || (ScanState)reading.Scan == ScanState.Infected)
                    await GiveUpAsync(args.ReadingId, TakenOff, job, ct);
                else if ((ScanState)reading.Scan == ScanState.Waiting)
                    throw new JobSnoozedException(TimeSpan.FromSeconds(5), "The malware scanner has not looked at this document yet.");
                else if (reading.HandedAt is { } handed)
                    await AskAsync(args.ReadingId, reading, clock.GetUtcNow() - handed, job, ct);
                else
                    await HandInAsync(args.ReadingId, reading, job, ct);
            }
            catch (JobSnoozedException later)
            {
                await NoteAsync(args.ReadingId, null, later.Message, job, ct);
                throw;
            }
            catch (Exception failed) when (failed is not (OperationCanceledException or LeaseLostException))
            {
                await NoteAsync(args.ReadingId, ReadingState.Failed, failed is ProviderFailedException ? failed.Message : failed.GetType().Name, job, ct);
                throw;
            }
        }

        private async Task<Stored> FindAsync(Guid id, CancellationToken ct)
        {
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select r.state as "State", r.handed_at as "HandedAt", r.application_id as "ApplicationId", v.document_id as "DocumentId", v.number as "Number", d.kind as "Kind", v.media_type as "MediaType", v.bytes as "Bytes", v.object_key as "ObjectKey",
                    v.scan as "Scan", d.removed_at is not null as "IsRemoved"
                from camino.document_readings r join camino.document_versions v on v.id = r.version_id join camino.documents d on d.id = v.document_id where r.id = {id}
                """).ToListAsync(ct);
            return found.Count == 0 ? throw new JobAbandonedException("There is no such reading.") : found[0];
        }

        /// <summary>The file goes to the service; what is kept of the exchange says how large it was.</summary>
        private async Task HandInAsync(Guid id, Stored reading, JobContext job, CancellationToken ct)
        {
            await using var content = await store.OpenAsync(reading.ObjectKey, ct) ?? throw new ObjectStoreException($"The file of document {reading.DocumentId} is not in the store.");
            using var whole = new MemoryStream();
            await content.CopyToAsync(whole, ct);
            var kind = Servicing.Words.Camel((DocumentKind)reading.Kind);
            var answer = await client.AskAsync(
                providers.Reading, "reading/v1/documents", id, new { kind, type = reading.MediaType, content = Convert.ToBase64String(whole.GetBuffer(), 0, (int)whole.Length) }, ct, Asker.Reading, kept: new { kind, type = reading.MediaType, bytes = reading.Bytes });
            if (StatusOf(answer) != "accepted")
                throw new ProviderFailedException($"{providers.Reading.Name} did not take the document");
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"update camino.document_readings set state = {(short)ReadingState.Handed}, problem = null, handed_at = {clock.GetUtcNow()} where id = {id}", ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
            throw new JobSnoozedException(TimeSpan.FromSeconds(1), "The document is being read.");
        }

        private async Task AskAsync(Guid id, Stored reading, TimeSpan since, JobContext job, CancellationToken ct)
        {
            var answer = await client.AskAsync(providers.Reading, "reading/v1/results", id, new { }, ct, Asker.Reading);
            switch (StatusOf(answer))
            {
                case "done":
                    await EndAsync(id, reading, FieldsOf(answer), job, ct);
                    break;
                case "unreadable":
                    await GiveUpAsync(id, Unreadable, job, ct);
                    break;
                case "reading" when since < s_longest:
                    throw new JobSnoozedException(TimeSpan.FromSeconds(Math.Clamp(since.TotalSeconds / 2, 1, 60)), "The document is being read.");
                case "reading":
                    await GiveUpAsync(id, TooLong, job, ct);
                    break;
                default: // it knows nothing of it: the file is handed in anew
                    await db.Database.ExecuteSqlAsync($"update camino.document_readings set state = {(short)ReadingState.Queued}, handed_at = null where id = {id}", ct);
                    throw new JobSnoozedException(TimeSpan.FromSeconds(1), "The service does not know the document any more; it is handed in anew.");
            }
        }

        private string? StatusOf(JsonElement answer) => answer.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String ? status.GetString() : throw new ProviderFailedException($"{providers.Reading.Name} answered without what was asked for");

        private List<ReadField> FieldsOf(JsonElement answer)
        {
            try
            {
                var fields = new List<ReadField>();
                foreach (var field in answer.GetProperty("fields").EnumerateArray().Take(MostFields))
                {
                    var (name, value, confidence) = (field.GetProperty("name").GetString() ?? "", Imports.StorableText.Of(field.GetProperty("value").GetString() ?? "").Trim(), field.GetProperty("confidence").GetInt32());
                    if (confidence is < 0 or > 100)
                        throw new FormatException("A confidence is 0 to 100.");
                    if (ReadField.Names.Contains(name) && value.Length > 0 && fields.TrueForAll(one => one.Name != name))
                        fields.Add(new ReadField(name, ReadField.Numbers.Contains(name) ? Last4(value) : Imports.Shown.Cut(value, LongestValue), confidence));
                }

                return fields;
            }
            catch (Exception wrong) when (wrong is KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new ProviderFailedException($"{providers.Reading.Name} answered without what was asked for", wrong);
            }
        }

        private static string Last4(string number)
        {
            var plain = string.Concat(number.Where(char.IsLetterOrDigit));
            return plain.Length <= 4 ? plain : plain[^4..];
        }

        private async Task EndAsync(Guid id, Stored reading, List<ReadField> fields, JobContext job, CancellationToken ct)
        {
            var whole = await vault.SealAsync(JsonSerializer.Serialize(fields, JsonSerializerOptions.Web), ct);
            var at = clock.GetUtcNow();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (number, agrees, differs) = await CompareAsync(reading.ApplicationId, fields, ct);
            await db.Database.ExecuteSqlAsync($"update camino.document_readings set state = {(short)ReadingState.Read}, problem = null, attempts = attempts + 1, read_at = {at}, sealed = {whole}, agrees = {agrees}, differs = {differs} where id = {id}", ct);
            db.AuditEntries.Add(new AuditEntry(at, null, "document.read", TaskWords.Word(SubjectKind.Application), reading.ApplicationId.ToString(), JsonSerializer.Serialize(new { documentId = reading.DocumentId, number = reading.Number, fields = fields.Count, differs }, JsonSerializerOptions.Web)));
            if (differs.Length > 0)
            {
                var task = new NewTask(string.Create(CultureInfo.InvariantCulture, $"A document of application {number} says something else than the application"), null, DateOnly.FromDateTime(at.UtcDateTime), null, (SubjectKind.Application, reading.ApplicationId));
                var made = await db.InsertTaskAsync(task, null, at, ct, $"document-reading:{id}", Said);
                db.AuditEntries.Add(new AuditEntry(at, null, "task.added", "task", made.ToString(), JsonSerializer.Serialize(new { source = "document-reading", documentId = reading.DocumentId }, JsonSerializerOptions.Web)));
            }

            await db.SaveChangesAsync(ct);
            await job.CompleteAsync(db, transaction, new { fields = fields.Count, differs = differs.Length }, ct);
            await transaction.CommitAsync(ct);
        }

        /// <summary>Names agree without accents, case and the company's form; of numbers the last four digits are compared, of the bank its whole routing number. What the application does not say agrees with nothing and differs from nothing.</summary>
        private async Task<(string Number, string[] Agrees, string[] Differs)> CompareAsync(Guid applicationId, List<ReadField> fields, CancellationToken ct)
        {
            var name = fields.Find(one => one.Name == "businessName")?.Value ?? "";
            var says = await db.Database.SqlQuery<Says>(
                $"""
                select a.number as "Number", (select i.last4 from camino.application_identifiers i where i.application_id = a.id and i.owner_id is null and i.kind = 3) as "Ein", x.routing as "Routing", x.last4 as "Account",
                    camino.core_words({name}) in (camino.core_words(a.name), camino.core_words(coalesce(a.trade_name, a.name))) as "IsNamed"
                from camino.applications a left join camino.application_accounts x on x.application_id = a.id where a.id = {applicationId}
                """).SingleAsync(ct);
            var (agrees, differs) = (new List<string>(), new List<string>());
            foreach (var field in fields)
            {
                bool? isSame = field.Name switch
                {
                    "businessName" => says.IsNamed,
                    "ein" => says.Ein is { } ein ? ein == field.Value : null,
                    "routing" => says.Routing is { } routing ? routing == string.Concat(field.Value.Where(char.IsAsciiDigit)) : null,
                    "account" => says.Account is { } account ? account == field.Value : null,
                    _ => null,
                };
                if (isSame == true)
                    agrees.Add(field.Name);
                else if (isSame == false && field.Confidence >= LeastConfidence)
                    differs.Add(field.Name);
            }

            return (says.Number, [.. agrees], [.. differs]);
        }

        /// <summary>No other attempt would come out otherwise; a person may ask again.</summary>
        private async Task GiveUpAsync(Guid id, string problem, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"update camino.document_readings set state = {(short)ReadingState.Failed}, attempts = attempts + 1, problem = {problem} where id = {id}", ct);
            await job.CompleteAsync(db, transaction, new { problem }, ct);
            await transaction.CommitAsync(ct);
        }

        private async Task NoteAsync(Guid id, ReadingState? state, string problem, JobContext job, CancellationToken ct)
        {
            db.Forget();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync(
                $"""
                update camino.document_readings set state = case when {state is not null} then {(short)ReadingState.Failed} when handed_at is null then {(short)ReadingState.Queued} else {(short)ReadingState.Handed} end,
                    attempts = attempts + {(state is null ? 0 : 1)}, problem = {problem[..Math.Min(problem.Length, 300)]}
                where id = {id} and state <> {(short)ReadingState.Read}
                """, ct);
            await job.HoldLeaseAsync(db, transaction, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
