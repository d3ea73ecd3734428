using Camino.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Data;

/// <summary>What a job writes of itself in the one transaction that holds its work.</summary>
internal static class JobInTransaction
{
    /// <inheritdoc cref="JobContext.CompleteAsync"/>
    public static Task CompleteAsync(this JobContext job, CaminoDb db, IDbContextTransaction transaction, object? result, CancellationToken ct) =>
        job.CompleteAsync(Connection(db), Native(transaction), result, ct);

    /// <inheritdoc cref="JobContext.HoldLeaseAsync"/>
    public static Task HoldLeaseAsync(this JobContext job, CaminoDb db, IDbContextTransaction transaction, CancellationToken ct) => job.HoldLeaseAsync(Connection(db), Native(transaction), ct);

    /// <inheritdoc cref="JobContext.WriteCheckpointAsync"/>
    public static Task WriteCheckpointAsync<T>(this JobContext job, CaminoDb db, IDbContextTransaction transaction, T checkpoint, CancellationToken ct)
        where T : class =>
        job.WriteCheckpointAsync(Connection(db), Native(transaction), checkpoint, ct);

    private static NpgsqlConnection Connection(CaminoDb db) => (NpgsqlConnection)db.Database.GetDbConnection();

    private static NpgsqlTransaction Native(IDbContextTransaction transaction) => (NpgsqlTransaction)transaction.GetDbTransaction();
}
