using System.Globalization;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Clients;

/// <summary>What a client may do, and how often.</summary>
/// <param name="Scopes">One or more of <see cref="Web.Scopes.All"/>.</param>
/// <param name="RequestsAMinute">Sustained; 1 to 100,000. Each server counts for itself.</param>
/// <param name="Burst">Requests at once after a pause; 1 to 10,000.</param>
/// <param name="RequestsADay">Of all servers together, on a day of UTC; null: as many as there may be.</param>
/// <param name="ResultDays">Days after its end for which the client sees the result of an application; null: as long as the application is kept.</param>
public sealed record ClientTerms(string[] Scopes, int RequestsAMinute, int Burst, int? RequestsADay, int? ResultDays = null)
{
    public const int MostAMinute = 100_000;
    public const int MostInBurst = 10_000;
    public const int MostADay = 1_000_000_000;
    public const int MostResultDays = 3_650;

    /// <summary>Where nothing is said.</summary>
    public const int UsualAMinute = 600;

    /// <inheritdoc cref="UsualAMinute"/>
    public const int UsualBurst = 60;

    /// <summary>Reads what a form or a command says; what is left out is the usual.</summary>
    /// <exception cref="RefusedException"><c>client.scopes</c>, <c>client.per_minute</c>, <c>client.burst</c>, <c>client.per_day</c>, <c>client.result_days</c>.</exception>
    public static ClientTerms Read(IEnumerable<string?>? scopes, string? perMinute, string? burst, string? perDay, string? resultDays = null)
    {
        var names = (scopes ?? []).Select(name => name?.Trim() ?? "").Where(name => name.Length > 0).ToHashSet(StringComparer.Ordinal);
        var wrong = names.FirstOrDefault(name => !Web.Scopes.Knows(name));
        Refuse.If(names.Count == 0 || wrong is not null, "client.scopes", $"scope is \"{(wrong is { Length: > 40 } ? wrong[..40] : wrong)}\"; it must be one or more of {string.Join(", ", Web.Scopes.All.Select(scope => scope.Name))}.");
        return new ClientTerms(
            [.. Web.Scopes.All.Select(scope => scope.Name).Where(names.Contains)],
            ClientActs.Whole("per-minute", "client.per_minute", perMinute, 1, MostAMinute) ?? UsualAMinute,
            ClientActs.Whole("burst", "client.burst", burst, 1, MostInBurst) ?? UsualBurst,
            ClientActs.Whole("per-day", "client.per_day", perDay, 1, MostADay),
            ClientActs.Whole("result-days", "client.result_days", resultDays, 1, MostResultDays));
    }
}

/// <summary>What the acts on clients have in common.</summary>
internal static class ClientActs
{
    public const int LongestName = 100;

    /// <exception cref="RefusedException"><c>client.name</c>.</exception>
    public static string Name(string? text)
    {
        var name = text?.Trim() ?? "";
        Refuse.If(name.Length is 0 or > LongestName || name.Any(char.IsControl), "client.name", $"name has {name.Length} characters; it must have 1 to {LongestName}, without control characters.");
        return name;
    }

    /// <exception cref="RefusedException"><c>client.reason</c>.</exception>
    public static string Reason(string? text)
    {
        var reason = text?.Trim() ?? "";
        Refuse.If(reason.Length is < 3 or > 300 || reason.Contains('\0', StringComparison.Ordinal), "client.reason", $"reason has {reason.Length} characters; say in 3 to 300 why.");
        return reason;
    }

    /// <summary>A whole number; null where nothing is said.</summary>
    /// <exception cref="RefusedException">the code that is given.</exception>
    public static int? Whole(string field, string code, string? text, int least, int most)
    {
        var given = text?.Trim() ?? "";
        if (given.Length == 0)
            return null;
        var isOne = int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        Refuse.If(!isOne || number < least || number > most, code, $"{field} is \"{(given.Length > 20 ? given[..20] : given)}\"; it must be a whole number, {least} to {most}.");
        return number;
    }

    /// <summary>When a key that is made now expires; null: never.</summary>
    /// <exception cref="RefusedException"><c>client.expires</c>.</exception>
    public static DateTimeOffset? Expiry(string? days, DateTimeOffset now) => Whole("expires-days", "client.expires", days, 1, 3_650) is { } some ? now.AddDays(some) : null;

    /// <summary>A client, whose row others wait for until the transaction ends.</summary>
    /// <exception cref="RefusedException"><c>client.not_found</c>.</exception>
    public static async Task<ClientState> ClientForChangeAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<ClientState>(
            $"""select disabled_at is not null as "IsDisabled", scopes as "Scopes", requests_a_minute as "RequestsAMinute", burst as "Burst", requests_a_day as "RequestsADay", result_days as "ResultDays" from camino.api_clients where id = {id} for update""").ToListAsync(ct);
        return found.Count == 1 ? found[0] : throw new RefusedException("client.not_found", "There is no such client.");
    }

    /// <summary>Makes a key; only its hash is kept.</summary>
    public static async Task<(Guid Id, string Key)> AddClientKeyAsync(this CaminoDb db, Guid clientId, DateTimeOffset? expires, DateTimeOffset now, CancellationToken ct)
    {
        var (id, key) = (Guid.CreateVersion7(now), ClientKey.New());
        var (hash, ending) = (ClientKey.HashOf(key), ClientKey.EndingOf(key));
        await db.Database.ExecuteSqlAsync($"insert into camino.api_client_keys (id, client_id, hash, ending, made_at, expires_at) values ({id}, {clientId}, {hash}, {ending}, {now}, {expires})", ct);
        return (id, key);
    }

    public static AuditEntry Entry(DateTimeOffset now, StaffActor actor, string action, Guid client, object details)
    {
        var written = JsonSerializer.SerializeToNode(details, JsonSerializerOptions.Web)?.AsObject() ?? [];
        if (actor.Operator is { } name)
            written["operator"] = name;
        return new AuditEntry(now, actor.UserId, action, "client", client.ToString(), written.ToJsonString(JsonSerializerOptions.Web));
    }

    /// <summary>A client as it is while its row is held.</summary>
    public sealed record ClientState(bool IsDisabled, string[] Scopes, int RequestsAMinute, int Burst, int? RequestsADay, int? ResultDays)
    {
        public ClientTerms ToTerms() => new(Scopes, RequestsAMinute, Burst, RequestsADay, ResultDays);
    }
}
