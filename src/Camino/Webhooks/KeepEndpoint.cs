using System.Security.Cryptography;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Webhooks;

/// <summary>What an endpoint is to be: address, description, event types.</summary>
/// <param name="Url">Begins with https; up to 500 characters.</param>
/// <param name="Description">Up to 200 characters.</param>
/// <param name="EventTypes">One or more of <see cref="WebhookEvents.Types"/>.</param>
public sealed record EndpointInput(string? Url, string? Description, IReadOnlyList<string?>? EventTypes);

/// <summary>What the acts on endpoints have in common.</summary>
internal static class EndpointTable
{
    /// <summary>Endpoints of one client.</summary>
    public const int MostEndpoints = 10;

    /// <summary>Longest description, in characters.</summary>
    public const int LongestDescription = 200;

    /// <summary>Secrets of one endpoint that sign at the same time: the newest, and the one before until its overlap is over.</summary>
    public const int MostSecrets = 2;

    private const string SecretPrefix = "whsec_";
    private const int SecretBytes = 32;

    /// <summary>As the header <c>webhook-id</c> says it.</summary>
    public static string MessageId(Guid eventId) => "msg_" + eventId.ToString("N");

    /// <exception cref="RefusedException"><c>webhook.description</c>.</exception>
    public static string Description(string? text)
    {
        var given = text?.Trim() ?? "";
        Refuse.If(given.Length > LongestDescription || given.Any(char.IsControl), "webhook.description", $"description has {given.Length} characters; it may have {LongestDescription}, without control characters.");
        return given;
    }

    /// <exception cref="RefusedException"><c>webhook.event_types</c>.</exception>
    public static string[] EventTypes(IEnumerable<string?>? given)
    {
        var names = (given ?? []).Select(name => name?.Trim() ?? "").Where(name => name.Length > 0).ToHashSet(StringComparer.Ordinal);
        var wrong = names.FirstOrDefault(name => !WebhookEvents.Types.Contains(name));
        Refuse.If(names.Count == 0 || wrong is not null, "webhook.event_types", $"eventTypes holds \"{(wrong is { Length: > 40 } ? wrong[..40] : wrong)}\"; it must be one or more of {string.Join(", ", WebhookEvents.Types)}.");
        return [.. WebhookEvents.Types.Where(names.Contains)];
    }

    /// <summary>An endpoint, whose row others wait for until the transaction ends.</summary>
    /// <exception cref="RefusedException"><c>webhook.not_found</c>.</exception>
    public static async Task<EndpointState> EndpointForChangeAsync(this CaminoDb db, Guid clientId, Guid id, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<EndpointState>(
            $"""select url as "Url", description as "Description", event_types as "EventTypes", disabled_at is not null as "IsDisabled" from camino.webhook_endpoints where id = {id} and client_id = {clientId} and removed_at is null for update""").ToListAsync(ct);
        return found.Count == 1 ? found[0] : throw new RefusedException("webhook.not_found", "The client has no such endpoint.");
    }

    /// <summary>Makes a secret; it is kept sealed.</summary>
    /// <returns><c>whsec_</c> and 32 random bytes in base 64.</returns>
    public static async Task<string> AddSecretAsync(this CaminoDb db, WebhookVault vault, Guid endpointId, DateTimeOffset now, CancellationToken ct)
    {
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var (id, whole) = (Guid.CreateVersion7(now), await vault.SealAsync(secret, ct));
        await db.Database.ExecuteSqlAsync($"insert into camino.webhook_secrets (id, endpoint_id, sealed, made_at) values ({id}, {endpointId}, {whole}, {now})", ct);
        return SecretPrefix + Convert.ToBase64String(secret);
    }

    public static AuditEntry Entry(DateTimeOffset now, StaffActor actor, string action, Guid endpoint, object details)
    {
        var written = JsonSerializer.SerializeToNode(details, JsonSerializerOptions.Web)?.AsObject() ?? [];
        if (actor.Operator is { } name)
            written["operator"] = name;
        return new AuditEntry(now, actor.UserId, action, "webhook", endpoint.ToString(), written.ToJsonString(JsonSerializerOptions.Web));
    }

    /// <summary>The address without its path and query, which may hold something secret, for the audit trail.</summary>
    public static string Origin(string url) => new Uri(url).GetLeftPart(UriPartial.Authority);

    /// <summary>An endpoint as it is while its row is held.</summary>
    public sealed record EndpointState(string Url, string Description, string[] EventTypes, bool IsDisabled);
}

/// <summary>Adds an endpoint to a client, with its first secret, which is shown once.</summary>
public sealed class AddEndpoint(CaminoDb db, WebhookVault vault, WebhookOptions options, TimeProvider clock)
{
    /// <returns>The endpoint's id, and its secret; only a sealed copy is kept.</returns>
    /// <exception cref="RefusedException"><c>webhook.url</c>, <c>webhook.description</c>, <c>webhook.event_types</c>, <c>webhook.too_many</c>, <c>webhook.exists</c>, <c>client.not_found</c>.</exception>
    public async Task<(Guid Id, string Secret)> RunAsync(Guid clientId, EndpointInput input, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(actor);
        var (url, description, types) = (WebhookAddresses.Read(input.Url, options), EndpointTable.Description(input.Description), EndpointTable.EventTypes(input.EventTypes));
        var (id, now) = (Guid.CreateVersion7(), clock.GetUtcNow());
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var client = await db.Database.SqlQuery<Guid>($"""select id as "Value" from camino.api_clients where id = {clientId} for update""").ToListAsync(ct);
        Refuse.If(client.Count == 0, "client.not_found", "There is no such client.");
        var there = await db.Database.SqlQuery<string>($"""select url as "Value" from camino.webhook_endpoints where client_id = {clientId} and removed_at is null""").ToListAsync(ct);
        Refuse.If(there.Contains(url, StringComparer.Ordinal), "webhook.exists", "The client has an endpoint with this url already; change that one, or remove it first.");
        Refuse.If(there.Count >= EndpointTable.MostEndpoints, "webhook.too_many", $"A client has at most {EndpointTable.MostEndpoints} endpoints; remove one first.");
        await db.Database.ExecuteSqlAsync($"insert into camino.webhook_endpoints (id, client_id, url, description, event_types, made_at) values ({id}, {clientId}, {url}, {description}, {types}, {now})", ct);
        var secret = await db.AddSecretAsync(vault, id, now, ct);
        db.AuditEntries.Add(EndpointTable.Entry(now, actor, "webhook.added", id, new { client = clientId, origin = EndpointTable.Origin(url), eventTypes = types }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (id, secret);
    }
}

/// <summary>Gives an endpoint exactly this address, description and event types; what happened before goes to the new address too, where it still waits.</summary>
public sealed class ChangeEndpoint(CaminoDb db, WebhookOptions options, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>webhook.url</c>, <c>webhook.description</c>, <c>webhook.event_types</c>, <c>webhook.exists</c>, <c>webhook.not_found</c>.</exception>
    public async Task RunAsync(Guid clientId, Guid id, EndpointInput input, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(actor);
        var (url, description, types) = (WebhookAddresses.Read(input.Url, options), EndpointTable.Description(input.Description), EndpointTable.EventTypes(input.EventTypes));
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.SqlQuery<Guid>($"""select id as "Value" from camino.api_clients where id = {clientId} for update""").ToListAsync(ct); // two changes to the same address wait for each other
        var before = await db.EndpointForChangeAsync(clientId, id, ct);
        var others = await db.Database.SqlQuery<string>($"""select url as "Value" from camino.webhook_endpoints where client_id = {clientId} and removed_at is null and id <> {id}""").ToListAsync(ct);
        Refuse.If(others.Contains(url, StringComparer.Ordinal), "webhook.exists", "The client has an endpoint with this url already; change that one, or remove it first.");
        await db.Database.ExecuteSqlAsync($"update camino.webhook_endpoints set url = {url}, description = {description}, event_types = {types}, failing_since = case when url = {url} then failing_since end where id = {id}", ct);
        db.AuditEntries.Add(EndpointTable.Entry(clock.GetUtcNow(), actor, "webhook.changed", id, new
        {
            client = clientId,
            before = new { origin = EndpointTable.Origin(before.Url), before.EventTypes },
            after = new { origin = EndpointTable.Origin(url), eventTypes = types },
            isOtherUrl = url != before.Url,
        }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}

/// <summary>Makes an endpoint a new secret, while the one before signs too until a stated time, so that a program can be moved over without a gap.</summary>
public sealed class RotateSecret(CaminoDb db, WebhookVault vault, TimeProvider clock)
{
    /// <summary>How long the secret before signs where nothing is said.</summary>
    public const int UsualOverlapHours = 24;

    /// <summary>30 days.</summary>
    public const int MostOverlapHours = 720;

    /// <param name="overlapHours">0 to 720 as text; 0: the secret before signs nothing from now on. Empty: 24. Secrets before that one end at once.</param>
    /// <exception cref="RefusedException"><c>webhook.overlap</c>, <c>webhook.not_found</c>.</exception>
    public async Task<(string Secret, DateTimeOffset Until)> RunAsync(Guid clientId, Guid id, string? overlapHours, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var hours = Clients.ClientActs.Whole("overlapHours", "webhook.overlap", overlapHours, 0, MostOverlapHours) ?? UsualOverlapHours;
        var now = clock.GetUtcNow();
        var until = now.AddHours(hours);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.EndpointForChangeAsync(clientId, id, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            update camino.webhook_secrets set expires_at = least(expires_at, case when id = (select n.id from camino.webhook_secrets n where n.endpoint_id = {id} order by n.id desc limit 1) then {until} else {now} end)
            where endpoint_id = {id} and (expires_at is null or expires_at > {now})
            """, ct);
        var secret = await db.AddSecretAsync(vault, id, now, ct);
        await db.Database.ExecuteSqlAsync($"delete from camino.webhook_secrets where endpoint_id = {id} and expires_at <= {now}", ct);
        db.AuditEntries.Add(EndpointTable.Entry(now, actor, "webhook.secret_rotated", id, new { client = clientId, until }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (secret, until);
    }
}

/// <summary>Disables an endpoint: what happens from now on is written down for it and sent when it is replayed; enables it; or removes it with all that still waits for it.</summary>
public sealed class SwitchEndpoint(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>webhook.not_found</c>, <c>webhook.already</c>.</exception>
    public Task DisableAsync(Guid clientId, Guid id, StaffActor actor, CancellationToken ct) => RunAsync(clientId, id, isDisabled: true, actor, ct);

    /// <exception cref="RefusedException"><c>webhook.not_found</c>, <c>webhook.already</c>.</exception>
    public Task EnableAsync(Guid clientId, Guid id, StaffActor actor, CancellationToken ct) => RunAsync(clientId, id, isDisabled: false, actor, ct);

    /// <exception cref="RefusedException"><c>webhook.not_found</c>.</exception>
    public async Task RemoveAsync(Guid clientId, Guid id, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var state = await db.EndpointForChangeAsync(clientId, id, ct);
        await db.Database.ExecuteSqlAsync($"update camino.webhook_endpoints set removed_at = {now} where id = {id}", ct);
        await db.Database.ExecuteSqlAsync($"delete from camino.webhook_secrets where endpoint_id = {id}", ct);
        db.AuditEntries.Add(EndpointTable.Entry(now, actor, "webhook.removed", id, new { client = clientId, origin = EndpointTable.Origin(state.Url) }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private async Task RunAsync(Guid clientId, Guid id, bool isDisabled, StaffActor actor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var state = await db.EndpointForChangeAsync(clientId, id, ct);
        Refuse.If(state.IsDisabled == isDisabled, "webhook.already", $"The endpoint is {(isDisabled ? "disabled" : "enabled")} already.");
        await db.Database.ExecuteSqlAsync(
            $"update camino.webhook_endpoints set disabled_at = {(isDisabled ? now : null)}, disabled_why = {(isDisabled ? (short)DisabledWhy.ByHand : (short?)null)}, failing_since = null where id = {id}", ct);
        db.AuditEntries.Add(EndpointTable.Entry(now, actor, isDisabled ? "webhook.disabled" : "webhook.enabled", id, new { client = clientId }));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
