using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <content>What the job board shows beside lists, and commands that commit with the caller's own rows, for example with the entry of an audit trail.</content>
public sealed partial class JobStore
{
    /// <summary>The last hour of every queue that has samples.</summary>
    public async Task<IReadOnlyList<QueueHistory>> HistoryAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.History);
        var minutes = new List<(string Queue, QueueMinute Minute)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            minutes.Add((reader.GetString(0), new QueueMinute(
                reader.GetFieldValue<DateTimeOffset>(1), reader.IsDBNull(2) ? null : reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetDouble(3), reader.GetInt64(4), reader.GetInt64(5))));
        }
        return [.. minutes.GroupBy(one => one.Queue, one => one.Minute, StringComparer.Ordinal).Select(queue => new QueueHistory(queue.Key, [.. queue]))];
    }

    /// <summary>Who asked for these jobs; ids that no job has are left out.</summary>
    public async Task<IReadOnlyDictionary<Guid, string?>> RequestersAsync(IReadOnlyCollection<Guid> ids, CancellationToken ct = default)
    {
        await using var command = Command(_sql.Requesters);
        command.Parameters.AddWithValue("ids", ids.ToArray());
        var askers = new Dictionary<Guid, string?>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            askers[reader.GetGuid(0)] = TextAt(reader, 1);
        return askers;
    }

    /// <summary>Lines of these jobs, newest first; ids that no job has are left out.</summary>
    /// <param name="ids">At most 200.</param>
    public async Task<IReadOnlyList<JobLine>> LinesAsync(IReadOnlyList<Guid> ids, CancellationToken ct = default)
    {
        if (ids.Count > LargestPage)
            throw new ArgumentException($"ids has {ids.Count} entries; at most {LargestPage} are allowed.", nameof(ids));
        await using var connection = await _source.OpenConnectionAsync(ct);
        return await LinesAsync(connection, ids, ct);
    }

    /// <summary>Carries a command out inside the caller's transaction: it happens exactly when that commits. Call <see cref="AppliedAsync"/> after the commit.</summary>
    /// <param name="ids">At most 500.</param>
    /// <returns>The jobs that it was done to, or asked of the server that runs them.</returns>
    /// <exception cref="ArgumentException">names the field of the command, its value and what is allowed.</exception>
    public async Task<IReadOnlyList<Guid>> ApplyAsync(JobCommand command, IReadOnlyCollection<Guid> ids, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct = default)
    {
        Check(command);
        if (ids.Count > BulkRows)
            throw new ArgumentException($"ids has {ids.Count} entries; at most {BulkRows} are allowed.", nameof(ids));
        await transaction.SaveAsync("command", ct);
        try
        {
            return await ApplyOnceAsync(command, ids, connection, transaction, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Two of them have one key, or somebody just took it: the first one gets it.
            await transaction.RollbackAsync("command", ct);
            if (ids.Count == 1)
                return [];
            var touched = new List<Guid>();
            foreach (var id in ids)
                touched.AddRange(await ApplyAsync(command, [id], connection, transaction, ct));
            return touched;
        }
    }

    /// <summary>After the commit of an <see cref="ApplyAsync(JobCommand, IReadOnlyCollection{Guid}, NpgsqlConnection, NpgsqlTransaction, CancellationToken)"/>: what waited for these jobs goes on. Left out, a server does it within its next round.</summary>
    public async Task AppliedAsync(JobAction action, IReadOnlyCollection<Guid> touched, CancellationToken ct = default)
    {
        if (action is JobAction.Cancel or JobAction.Acknowledge)
            await ResolveAsync(touched, ct);
    }

    /// <summary>Nobody takes from the queue, or jobs of the kind, from the caller's commit on; what runs goes on.</summary>
    /// <param name="scope"><c>queue</c> or <c>kind</c>.</param>
    public async Task PauseAsync(string scope, string name, string by, string? reason, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct = default)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        JobNames.Text(reason, nameof(reason), 500);
        await using var command = new NpgsqlCommand(_sql.Pause, connection, transaction) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("scope", scope);
        command.Parameters.AddWithValue("name", scope == "queue" ? JobNames.Queue(name) : JobNames.Kind(name));
        command.Parameters.AddWithValue("by", by);
        command.Parameters.Add(Optional("reason", NpgsqlDbType.Text, reason));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Work goes on from the caller's commit on.</summary>
    /// <param name="scope"><c>queue</c> or <c>kind</c>.</param>
    /// <returns>True when it was paused.</returns>
    public async Task<bool> ResumeAsync(string scope, string name, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct = default)
    {
        await using var command = new NpgsqlCommand(_sql.Resume, connection, transaction) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("scope", scope);
        command.Parameters.AddWithValue("name", scope == "queue" ? JobNames.Queue(name) : JobNames.Kind(name));
        AddWake(command);
        return await command.ExecuteScalarAsync(ct) is string;
    }
}
