using System.Collections.Frozen;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Operations;

/// <summary>A person runs, disables and enables a recurring job, and tells a job server to be quiet, to drain, or to work. Stored with its reason in the same transaction.</summary>
public sealed class SteerWork(JobStore jobs, CaminoDb db, TimeProvider clock)
{
    /// <summary>What can be done to a recurring job, and the past of each word for the audit trail.</summary>
    public static readonly FrozenDictionary<string, string> OfSchedules = new Dictionary<string, string>(StringComparer.Ordinal) { ["run"] = "run", ["disable"] = "disabled", ["enable"] = "enabled" }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What can be done to a job server.</summary>
    public static readonly FrozenDictionary<string, string> OfServers = new Dictionary<string, string>(StringComparer.Ordinal) { ["quiet"] = "quieted", ["drain"] = "drained", ["work"] = "resumed" }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Runs a recurring job once now, or says that it fires only by hand, or by its times again.</summary>
    /// <param name="act">A key of <see cref="OfSchedules"/>.</param>
    /// <returns>The job of a run; null otherwise.</returns>
    /// <exception cref="RefusedException"><c>job.reason</c>, <c>schedule.not_found</c>, <c>schedule.already</c>.</exception>
    public async Task<Guid?> ScheduleAsync(string act, string name, string? reason, Guid userId, CancellationToken ct)
    {
        var why = ReasonOf(reason);
        Refuse.If(name.Length is 0 or > 100 || (await jobs.RecurringAsync(ct)).FirstOrDefault(entry => entry.Name == name) is null, "schedule.not_found", $"There is no recurring job {(name.Length > 100 ? name[..100] : name)}.");
        Guid? job = null;
        await ActAsync("schedule", name, OfSchedules[act], why, userId, async transaction =>
        {
            var by = userId.ToString();
            if (act == "run")
                Refuse.If((job = await jobs.RunRecurringAsync(name, by, transaction, ct)) is null, "schedule.not_found", $"There is no recurring job {name}.");
            else
                Refuse.If(!(act == "disable" ? await jobs.DisableRecurringAsync(name, by, why, transaction, ct) : await jobs.EnableRecurringAsync(name, transaction, ct)), "schedule.already", $"{name} is {OfSchedules[act]} already.");
        }, ct);
        return job;
    }

    /// <summary>Tells a server to take nothing more (quiet), to give back as well what runs longer than its grace time (drain), or to work again.</summary>
    /// <param name="act">A key of <see cref="OfServers"/>.</param>
    /// <exception cref="RefusedException"><c>job.reason</c>, <c>server.not_found</c>.</exception>
    public async Task ServerAsync(string act, Guid server, string? reason, Guid userId, CancellationToken ct)
    {
        var why = ReasonOf(reason);
        await ActAsync("server", server.ToString(), OfServers[act], why, userId, async transaction =>
        {
            var by = userId.ToString();
            var told = act switch
            {
                "quiet" => await jobs.QuietAsync(server, by, transaction, ct),
                "drain" => await jobs.DrainAsync(server, by, transaction, ct),
                _ => await jobs.WorkAsync(server, by, transaction, ct),
            };
            Refuse.If(!told, "server.not_found", $"No job server {server} is alive.");
        }, ct);
    }

    private static string ReasonOf(string? reason)
    {
        var why = reason?.Trim() ?? "";
        Refuse.If(why.Length is < 3 or > 300 || why.Contains('\0', StringComparison.Ordinal), "job.reason", $"reason has {why.Length} characters; say in 3 to 300 why.");
        return why;
    }

    private async Task ActAsync(string subject, string id, string what, string why, Guid userId, Func<NpgsqlTransaction, Task> act, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, $"{subject}.{what}", subject, id, JsonSerializer.Serialize(new { reason = why }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await act((NpgsqlTransaction)transaction.GetDbTransaction());
        await transaction.CommitAsync(ct);
    }
}
