using Camino.Audit;
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

    /// <summary>Forgets everything that was read, changed, added or enqueued and not saved, after its transaction was rolled back.</summary>
    public void Forget()
    {
        ChangeTracker.Clear();
        _enqueued.Clear();
    }

    /// <inheritdoc/>
    /// <exception cref="ReleaseRetiredException">another release has taken over; nothing is stored.</exception>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        SayOrigin();
        SaveWhole();
        if (_enqueued.Count == 0 && fence is null)
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);

        await using var own = Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
        var transaction = Transaction(own);
        var connection = (NpgsqlConnection)Database.GetDbConnection();
        if (fence is not null)
            await fence.CheckAsync(connection, transaction, cancellationToken);
        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        if (_enqueued.Count > 0)
            await Writer.InsertAsync(connection, transaction, _enqueued, cancellationToken);
        if (own is not null)
            await own.CommitAsync(cancellationToken);
        _enqueued.Clear();
        return written;
    }

    /// <inheritdoc/>
    /// <exception cref="ReleaseRetiredException">another release has taken over; nothing is stored.</exception>
    public override int SaveChanges(bool acceptAllChangesOnSuccess)
    {
        SayOrigin();
        SaveWhole();
        if (_enqueued.Count > 0)
            throw new InvalidOperationException("Jobs are enqueued with SaveChangesAsync.");
        if (fence is null)
            return base.SaveChanges(acceptAllChangesOnSuccess);

        using var own = Database.CurrentTransaction is null ? Database.BeginTransaction() : null;
        fence.Check((NpgsqlConnection)Database.GetDbConnection(), Transaction(own));
        var written = base.SaveChanges(acceptAllChangesOnSuccess);
        own?.Commit();
        return written;
    }

    /// <summary>A save that fails ends its transaction, so nobody goes back to before it: two questions less to the database with each save.</summary>
    private void SaveWhole() => Database.AutoSavepointsEnabled = false;

    private void SayOrigin()
    {
        if (origin?.Address is not { } address)
            return;
        foreach (var added in ChangeTracker.Entries<AuditEntry>().Where(entry => entry.State == EntityState.Added))
            added.Entity.Origin = address;
    }

    private NpgsqlTransaction Transaction(IDbContextTransaction? own) =>
        (NpgsqlTransaction)(own ?? Database.CurrentTransaction ?? throw new InvalidOperationException("There is no transaction to save in.")).GetDbTransaction();
}
