using Camino.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Data;

/// <summary>The bridge to the queue: a job rides in the same save as the rows that ask for it, on the same connection and transaction.</summary>
public sealed partial class CaminoDb
{
    private readonly List<NewJob> _enqueued = [];

    /// <summary>Adds a job to the next save; it exists exactly when that save is committed.</summary>
    /// <returns>The job's id.</returns>
    public Guid Enqueue<TArgs>(TArgs args, JobOptions? jobOptions = null)
        where TArgs : IJobArgs
    {
        var job = Writer.Prepare(args, jobOptions);
        _enqueued.Add(job);
        return job.Id;
    }

    /// <inheritdoc/>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        if (_enqueued.Count == 0)
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);

        await using var own = Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
        var transaction = (NpgsqlTransaction)(own ?? Database.CurrentTransaction ?? throw new InvalidOperationException("There is no transaction to enqueue in.")).GetDbTransaction();
        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await Writer.InsertAsync((NpgsqlConnection)Database.GetDbConnection(), transaction, _enqueued, cancellationToken);
        if (own is not null)
            await own.CommitAsync(cancellationToken);
        _enqueued.Clear();
        return written;
    }

    /// <inheritdoc/>
    public override int SaveChanges(bool acceptAllChangesOnSuccess) =>
        _enqueued.Count == 0 ? base.SaveChanges(acceptAllChangesOnSuccess) : throw new InvalidOperationException("Jobs are enqueued with SaveChangesAsync.");
}
