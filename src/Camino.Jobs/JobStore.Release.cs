using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <summary>Whether anybody waits for something else than time.</summary>
internal sealed record PendingWaits(bool Edges, bool Limits);

/// <content>Lets jobs go on that wait for others or for their limit. Each call is its own short transaction; all may run on several servers at once.</content>
public sealed partial class JobStore
{
    /// <summary>How a batch stands, by the id of its end job; null when there is none with that id.</summary>
    public async Task<JobBatch?> BatchAsync(Guid endJobId, CancellationToken ct = default)
    {
        await using var command = Command(_sql.Batch);
        command.Parameters.AddWithValue("id", endJobId);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new JobBatch(reader.GetInt32(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt32(3)) : null;
    }

    internal async Task<PendingWaits> PendingAsync(CancellationToken ct)
    {
        await using var command = Command(_sql.Pending);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new PendingWaits(reader.GetBoolean(0), reader.GetBoolean(1)) : new PendingWaits(Edges: false, Limits: false);
    }

    /// <summary>Parents of edges that were never looked at.</summary>
    internal async Task<IReadOnlyList<Guid>> CheckEdgesAsync(CancellationToken ct)
    {
        await using var command = Command(_sql.CheckEdges);
        return await ReadIdsAsync(command, ct);
    }

    /// <summary>One stretch of the sweep: parents that are over, and where the next stretch begins; null when this was the last.</summary>
    internal async Task<(IReadOnlyList<Guid> Over, Guid? Next)> LostEdgesAsync(Guid after, CancellationToken ct)
    {
        await using var command = Command(_sql.LostEdges);
        command.Parameters.AddWithValue("after", after);
        var over = new List<Guid>();
        Guid? last = null;
        var parents = 0;
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            parents++;
            last = reader.GetGuid(0);
            if (!reader.GetBoolean(1))
                over.Add(reader.GetGuid(0));
        }
        return (over, parents > 0 && last != after ? last : null);
    }

    /// <summary>Lets go on what waited for these jobs, as far as they are over; what that cancels is followed to its end.</summary>
    /// <returns>Jobs let go on.</returns>
    internal async Task<int> ResolveAsync(IReadOnlyCollection<Guid> ended, CancellationToken ct)
    {
        var released = 0;
        while (ended.Count > 0)
        {
            await using var connection = await _source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using (var lockHeld = Command(_sql.LockHeld, connection, transaction, ended))
            {
                if ((await ReadIdsAsync(lockHeld, ct)).Count == 0)
                    return released;
            }
            var children = new List<(Guid Id, bool Broken, string Reason)>();
            await using (var meet = Command(_sql.MeetEdges, connection, transaction, ended))
            await using (var reader = await meet.ExecuteReaderAsync(ct))
            {
                while (await reader.ReadAsync(ct))
                    children.Add((reader.GetGuid(0), reader.GetBoolean(1), $"It waited for job {reader.GetGuid(2)}, which is {reader.GetString(3)}."));
            }
            await using (var release = Command(_sql.ReleaseHeld, connection, transaction, children.ConvertAll(child => child.Id)))
            {
                AddWake(release);
                released += (await ReadIdsAsync(release, ct)).Count;
            }
            await using (var cancel = Command(_sql.CancelHeld, connection, transaction, children.FindAll(child => child.Broken).ConvertAll(child => child.Id)))
            {
                cancel.Parameters.AddWithValue("reasons", children.FindAll(child => child.Broken).ConvertAll(child => child.Reason).ToArray());
                ended = await ReadIdsAsync(cancel, ct);
            }
            await transaction.CommitAsync(ct);
        }
        return released;
    }

    /// <summary>One round for the limits: frees slots, lets jobs in.</summary>
    /// <param name="leaseSeconds">How long a job that was let in may wait to be taken before its slot goes to others.</param>
    /// <returns>Jobs let in, or null when another server is at it.</returns>
    internal async Task<long?> RunLimitsAsync(int leaseSeconds, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var alone = new NpgsqlCommand(_sql.TryLimits, connection, transaction) { CommandTimeout = CommandSeconds })
        {
            if (await alone.ExecuteScalarAsync(ct) is not true)
                return null;
        }
        var again = new List<(string Key, Guid Job, double? Period, DateTime At)>();
        await using (var watch = new NpgsqlCommand(_sql.WatchSlots, connection, transaction) { CommandTimeout = CommandSeconds })
        {
            watch.Parameters.AddWithValue("seconds", (double)leaseSeconds);
            await using var reader = await watch.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                again.Add((reader.GetString(0), reader.GetGuid(1), reader.IsDBNull(2) ? null : reader.GetDouble(2), reader.GetDateTime(3)));
        }
        foreach (var (key, job, period, at) in again)
            await ReopenAsync(connection, transaction, key, job, period, at, ct);

        await using var take = new NpgsqlCommand(_sql.TakeEvents, connection, transaction) { CommandTimeout = CommandSeconds };
        var keys = new List<string>();
        await using (var reader = await take.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                keys.Add(reader.GetString(0));
        }
        long letIn = 0;
        if (keys.Count > 0)
        {
            await using var admit = new NpgsqlCommand(_sql.Admit, connection, transaction) { CommandTimeout = CommandSeconds };
            admit.Parameters.AddWithValue("keys", keys.ToArray());
            AddWake(admit);
            letIn = await admit.ExecuteScalarAsync(ct) is long count ? count : 0;
        }
        await transaction.CommitAsync(ct);
        return letIn;
    }

    /// <summary>The job was put back and taken again before anybody saw it wait: its second start counts like the first.</summary>
    private async Task ReopenAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string key, Guid job, double? period, DateTime at, CancellationToken ct)
    {
        await using var open = new NpgsqlCommand(_sql.Reopen, connection, transaction) { CommandTimeout = CommandSeconds };
        open.Parameters.AddWithValue("key", key);
        open.Parameters.AddWithValue("job", job);
        open.Parameters.AddWithValue("at", at);
        open.Parameters.Add(Optional("period", NpgsqlDbType.Double, period));
        await open.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlCommand Command(string text, NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyCollection<Guid> ids)
    {
        var command = new NpgsqlCommand(text, connection, transaction) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("ids", ids.ToArray());
        return command;
    }

    private static async Task<IReadOnlyList<Guid>> ReadIdsAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var ids = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            ids.Add(reader.GetGuid(0));
        return ids;
    }
}
