using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Operations;

/// <summary>A person lets a queue, a kind or a server rest, and work again. Stored with its reason in the same transaction.</summary>
public sealed class PauseWork(JobStore jobs, CaminoDb db, TimeProvider clock)
{
    /// <summary>Nobody takes from the queue, or jobs of the kind, until it is resumed; what runs goes on.</summary>
    /// <param name="scope"><c>queue</c> or <c>kind</c>.</param>
    /// <exception cref="RefusedException"><c>job.name</c>, <c>job.reason</c>.</exception>
    public Task PauseAsync(string scope, string name, string? reason, Guid userId, CancellationToken ct) =>
        ActAsync(scope, name, "paused", reason, userId, (connection, transaction, why) => jobs.PauseAsync(scope, name, userId.ToString(), why, connection, transaction, ct), ct);

    /// <summary>Work goes on; nothing happens when it was not paused.</summary>
    /// <exception cref="RefusedException"><c>job.name</c>, <c>job.reason</c>.</exception>
    public Task ResumeAsync(string scope, string name, string? reason, Guid userId, CancellationToken ct) =>
        ActAsync(scope, name, "resumed", reason, userId, (connection, transaction, _) => jobs.ResumeAsync(scope, name, connection, transaction, ct), ct);

    private async Task ActAsync(string scope, string name, string what, string? reason, Guid userId, Func<NpgsqlConnection, NpgsqlTransaction, string, Task> act, CancellationToken ct)
    {
        var why = reason?.Trim() ?? "";
        Refuse.If(why.Length is < 3 or > 300 || why.Contains('\0', StringComparison.Ordinal), "job.reason", $"reason has {why.Length} characters; say in 3 to 300 why.");
        try
        {
            _ = scope == "queue" ? JobNames.Queue(name) : JobNames.Kind(name);
        }
        catch (ArgumentException wrong)
        {
            throw new RefusedException("job.name", wrong.Message);
        }

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, $"{scope}.{what}", scope, name, JsonSerializer.Serialize(new { reason = why }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await act((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction(), why);
        await transaction.CommitAsync(ct);
    }
}
