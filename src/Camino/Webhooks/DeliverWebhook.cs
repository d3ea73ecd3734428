using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Notices;
using Camino.People;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Webhooks;

/// <summary>Where one delivery stands. The values are stored and never change.</summary>
public enum DeliveryState
{
    /// <summary>It is to be sent, or sent again.</summary>
    Waiting = 0,

    /// <summary>The endpoint answered 2xx.</summary>
    Delivered = 1,

    /// <summary>No attempt is left, or its endpoint is disabled; it can be replayed.</summary>
    Failed = 2,

    /// <summary>Its endpoint was removed.</summary>
    Cancelled = 3,
}

/// <summary>Why an endpoint is disabled. The values are stored and never change.</summary>
public enum DisabledWhy
{
    /// <summary>Somebody did so.</summary>
    ByHand = 1,

    /// <summary>It failed for too long.</summary>
    Failing = 2,

    /// <summary>It answered 410: it is gone.</summary>
    Gone = 3,
}

/// <summary>Sends one notice to one endpoint.</summary>
public sealed record DeliverWebhook(Guid DeliveryId) : IJobArgs
{
    public static string Kind => "webhooks.deliver"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Notices;

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(1);

    /// <summary>Of attempts that died with their server; those that an endpoint did not take are planned by <see cref="Waits"/> and burn none.</summary>
    public static JobRetry Retry => new(30, TimeSpan.FromSeconds(5), TimeSpan.FromHours(1));

    /// <summary>Notices to one endpoint that are on their way at once.</summary>
    public const int AtOnce = 2;

    /// <summary>An endpoint that takes nothing for so long is disabled.</summary>
    public static readonly TimeSpan FailingMost = TimeSpan.FromDays(5);

    /// <summary>Waits after the first, second, ... attempt, each up to a fifth longer or shorter; after the last there is no further attempt. Source: Standard Webhooks, "Deliverability and reliability".</summary>
    public static IReadOnlyList<TimeSpan> Waits { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    private sealed record Stored(short State, int Attempts, int Tries, Guid EventId, string Body, Guid EndpointId, Guid ClientId, string Url, bool IsDisabled, bool IsRemoved);

    /// <remarks>Sent at least once: a server that dies after sending and before the commit sends once more, under the same webhook-id. What became of it is stored exactly once.</remarks>
    public sealed class Handler(CaminoDb db, WebhookVault vault, WebhookSender sender, TimeProvider clock) : IJobHandler<DeliverWebhook>
    {
        public async Task RunAsync(DeliverWebhook args, JobContext job, CancellationToken ct)
        {
            if (await BeginAsync(args.DeliveryId, job, ct) is not { } delivery)
                return;
            var sealedSecrets = await db.Database.SqlQuery<byte[]>(
                $"select sealed as \"Value\" from camino.webhook_secrets where endpoint_id = {delivery.EndpointId} and (expires_at is null or expires_at > {clock.GetUtcNow()}) order by id desc limit {EndpointTable.MostSecrets}").ToListAsync(ct);
            var secrets = new List<byte[]>();
            foreach (var one in sealedSecrets)
                secrets.Add(await vault.OpenAsync(one, ct));
            var answer = await sender.SendAsync(new Uri(delivery.Url), EndpointTable.MessageId(delivery.EventId), delivery.Body, secrets, ct);
            await EndAsync(args.DeliveryId, delivery, answer, job, ct);
        }

        /// <returns>Null when there is nothing to send (any more); the job has ended then.</returns>
        private async Task<Stored?> BeginAsync(Guid id, JobContext job, CancellationToken ct)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (connection, native) = Native(transaction);
            var found = await db.Database.SqlQuery<Stored>(
                $"""
                select d.state as "State", d.attempts as "Attempts", d.tries as "Tries", d.event_id as "EventId", e.body as "Body", p.id as "EndpointId", p.client_id as "ClientId", p.url as "Url",
                    p.disabled_at is not null as "IsDisabled", p.removed_at is not null as "IsRemoved"
                from camino.webhook_deliveries d join camino.webhook_events e on e.id = d.event_id join camino.webhook_endpoints p on p.id = d.endpoint_id where d.id = {id} for update of d
                """).ToListAsync(ct);
            if (found is [{ State: (short)DeliveryState.Waiting, IsDisabled: false, IsRemoved: false } delivery])
            {
                await db.Database.ExecuteSqlAsync($"update camino.webhook_deliveries set attempts = attempts + 1, tries = tries + 1, next_at = null where id = {id}", ct);
                await job.HoldLeaseAsync(connection, native, ct);
                await transaction.CommitAsync(ct);
                return delivery with { Attempts = delivery.Attempts + 1, Tries = delivery.Tries + 1 };
            }

            if (found is [{ State: (short)DeliveryState.Waiting } stopped])
            {
                var (state, problem) = stopped.IsRemoved ? (DeliveryState.Cancelled, "removed") : (DeliveryState.Failed, "disabled");
                await db.Database.ExecuteSqlAsync($"update camino.webhook_deliveries set state = {(short)state}, problem = {problem}, next_at = null, ended_at = {clock.GetUtcNow()} where id = {id}", ct);
            }

            await job.CompleteAsync(connection, native, null, ct);
            await transaction.CommitAsync(ct);
            return null;
        }

        private async Task EndAsync(Guid id, Stored delivery, WebhookAnswer answer, JobContext job, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            var wait = answer.Problem is null || answer.Status == 410 || delivery.Tries > Waits.Count ? (TimeSpan?)null : WaitOf(delivery.Tries, answer);
            var state = answer.Problem is null ? DeliveryState.Delivered : wait is null ? DeliveryState.Failed : DeliveryState.Waiting;
            var next = wait is { } some ? now + some : (DateTimeOffset?)null;
            var ended = wait is null ? now : (DateTimeOffset?)null;
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var (connection, native) = Native(transaction);
            await db.Database.ExecuteSqlAsync(
                $"insert into camino.webhook_attempts (delivery_id, number, at, status, problem, milliseconds) values ({id}, {delivery.Attempts}, {now}, {answer.Status}, {answer.Problem}, {answer.Milliseconds}) on conflict do nothing", ct);
            await db.Database.ExecuteSqlAsync(
                $"update camino.webhook_deliveries set state = {(short)state}, status = {answer.Status}, problem = {answer.Problem}, next_at = {next}, ended_at = {ended} where id = {id}", ct);
            if (answer.Problem is null)
                await db.Database.ExecuteSqlAsync($"update camino.webhook_endpoints set failing_since = null where id = {delivery.EndpointId} and failing_since is not null", ct);
            else
                await NoteFailureAsync(delivery, answer, now, ct);
            await db.SaveChangesAsync(ct);
            if (wait is null)
                await job.CompleteAsync(connection, native, new { status = answer.Status }, ct);
            else
                await job.HoldLeaseAsync(connection, native, ct);
            await transaction.CommitAsync(ct);
            if (wait is { } later)
                throw new JobSnoozedException(later, answer.Status is { } status ? FormattableString.Invariant($"The endpoint answered {status}; attempt {delivery.Tries} of {Waits.Count + 1}.") : FormattableString.Invariant($"The endpoint did not answer ({answer.Problem}); attempt {delivery.Tries} of {Waits.Count + 1}."));
        }

        /// <summary>An endpoint that is gone, or took nothing for too long, is disabled, and the administrators are told.</summary>
        private async Task NoteFailureAsync(Stored delivery, WebhookAnswer answer, DateTimeOffset now, CancellationToken ct)
        {
            var why = answer.Status == 410 ? DisabledWhy.Gone : DisabledWhy.Failing;
            await db.Database.ExecuteSqlAsync($"update camino.webhook_endpoints set failing_since = {now} where id = {delivery.EndpointId} and failing_since is null", ct);
            var disabled = await db.Database.ExecuteSqlAsync(
                $"""
                update camino.webhook_endpoints set disabled_at = {now}, disabled_why = {(short)why}
                where id = {delivery.EndpointId} and disabled_at is null and removed_at is null and ({why == DisabledWhy.Gone} or failing_since <= {now - FailingMost})
                """, ct);
            if (disabled == 0)
                return;
            db.AuditEntries.Add(new AuditEntry(now, null, "webhook.disabled", "webhook", delivery.EndpointId.ToString(), JsonSerializer.Serialize(new { client = delivery.ClientId, why = Servicing.Words.Camel(why), status = answer.Status })));
            var told = await db.Database.SqlQuery<Guid>(
                $"""select l.user_id as "Value" from camino.staff_user_roles l join camino.staff_roles r on r.id = l.role_id where r.name = {StaffRoles.Administrator}""").ToListAsync(ct);
            foreach (var user in told)
                db.Notices.Add(new Notice(user, "Notice.WebhookDisabled", [new Uri(delivery.Url).Host], $"/clients/{delivery.ClientId}/webhooks/{delivery.EndpointId}", now));
        }

        /// <summary>The wait after an attempt; longer where the endpoint asked for it, up to a day.</summary>
        private static TimeSpan WaitOf(int tries, WebhookAnswer answer)
        {
            var planned = Waits[tries - 1] * (0.8 + (Random.Shared.NextDouble() * 0.4));
            return answer.RetryAfter is { } asked && asked > planned ? TimeSpan.FromSeconds(Math.Min(asked.TotalSeconds, Waits[^1].TotalSeconds)) : planned;
        }

        private (NpgsqlConnection Connection, NpgsqlTransaction Transaction) Native(IDbContextTransaction transaction) => ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction());
    }
}

/// <summary>Forgets notices whose time is over.</summary>
public sealed record PruneWebhooks : IJobArgs
{
    public static string Kind => "webhooks.prune"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>Days for which notices that were delivered, failed or cancelled are kept.</summary>
    public const int KeepDays = 30;

    /// <remarks>Safe to run twice: what is gone is gone. Each batch is a transaction of its own.</remarks>
    public sealed class Handler(CaminoDb db, TimeProvider clock) : IJobHandler<PruneWebhooks>
    {
        private const int Batch = 1_000;

        public async Task RunAsync(PruneWebhooks args, JobContext job, CancellationToken ct)
        {
            var until = clock.GetUtcNow().AddDays(-KeepDays);
            var (forgotten, rows) = (0L, 0);
            do
            {
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                rows = await db.Database.ExecuteSqlAsync(
                    $"""
                    with old as (
                        select e.id from camino.webhook_events e
                        where e.at < {until} and not exists (select from camino.webhook_deliveries d where d.event_id = e.id and (d.state = 0 or d.ended_at >= {until})) order by e.at limit {Batch}
                    ), attempts as (delete from camino.webhook_attempts t using camino.webhook_deliveries d where d.id = t.delivery_id and d.event_id in (select id from old)
                    ), deliveries as (delete from camino.webhook_deliveries d where d.event_id in (select id from old))
                    delete from camino.webhook_events e where e.id in (select id from old)
                    """, ct);
                await job.HoldLeaseAsync(db, transaction, ct);
                await transaction.CommitAsync(ct);
                forgotten += rows;
            }
            while (rows > 0);
            job.SetResult(new { forgotten });
        }
    }
}
