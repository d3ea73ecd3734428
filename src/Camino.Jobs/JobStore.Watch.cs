using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <content>Figures for charts, alarms, keeping, and wishes to servers.</content>
public sealed partial class JobStore
{
    /// <summary>How each queue stood and what went through it, minute by minute, oldest first; minutes in which nothing was seen of a queue are left out.</summary>
    /// <param name="last">How far back, 1 minute to 2 days.</param>
    public async Task<IReadOnlyList<QueueSample>> SamplesAsync(TimeSpan last, CancellationToken ct = default)
    {
        if (last < TimeSpan.FromMinutes(1) || last > TimeSpan.FromDays(2))
            throw new ArgumentException($"last is {last}; it must be 1 minute to 2 days.", nameof(last));
        var depths = new Dictionary<(DateTimeOffset Minute, string Queue), (long Ready, long Scheduled, long Running, double Oldest)>();
        await using (var command = Command(_sql.Depths))
        {
            command.Parameters.AddWithValue("seconds", last.TotalSeconds);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                depths[(reader.GetFieldValue<DateTimeOffset>(0), reader.GetString(1))] = (reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetDouble(5));
        }
        var flows = new Dictionary<(DateTimeOffset Minute, string Queue), JobFlow.Counts>();
        await using (var command = Command(_sql.Flows))
        {
            command.Parameters.AddWithValue("seconds", last.TotalSeconds);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                var key = (reader.GetFieldValue<DateTimeOffset>(0), reader.GetString(1));
                if (!flows.TryGetValue(key, out var sum))
                    flows[key] = sum = new JobFlow.Counts();
                sum.Add(ReadCounts(reader));
            }
        }
        return
        [
            .. depths.Keys.Union(flows.Keys).Order().Select(key =>
            {
                var flow = flows.GetValueOrDefault(key) ?? new JobFlow.Counts();
                return depths.TryGetValue(key, out var depth)
                    ? Sample(key, flow) with { Ready = depth.Ready, Scheduled = depth.Scheduled, Running = depth.Running, OldestSeconds = depth.Oldest }
                    : Sample(key, flow);
            }),
        ];

        static QueueSample Sample((DateTimeOffset Minute, string Queue) key, JobFlow.Counts flow) => new(
            key.Minute, key.Queue, null, null, null, null, flow.Done, flow.Failed, flow.Retried, flow.Cancelled, JobPercentiles.Of(flow.Wait), JobPercentiles.Of(flow.Run));
    }

    /// <summary>Alarms that last, the newest first, and with <paramref name="cleared"/> those of the last 90 days that are over; at most 200.</summary>
    public async Task<IReadOnlyList<JobAlarm>> AlarmsAsync(bool cleared = false, CancellationToken ct = default)
    {
        await using var command = Command(_sql.Alarms);
        command.Parameters.AddWithValue("cleared", cleared);
        var alarms = new List<JobAlarm>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            alarms.Add(new JobAlarm(
                reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetFieldValue<DateTimeOffset>(3),
                reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4), reader.GetDouble(5), reader.GetDouble(6), reader.GetString(7)));
        }
        return alarms;
    }

    /// <summary>The server takes nothing more; what runs goes on. Within 2 seconds; true when there is such a server.</summary>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    /// <param name="within">The caller's transaction; null: it stands at once.</param>
    public Task<bool> QuietAsync(Guid server, string by, NpgsqlTransaction? within = null, CancellationToken ct = default) => WishAsync(server, "quiet", by, within, ct);

    /// <summary>The server takes nothing more; what runs longer than its grace time is returned to the queue without burning an attempt. True when there is such a server.</summary>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    /// <param name="within">The caller's transaction; null: it stands at once.</param>
    public Task<bool> DrainAsync(Guid server, string by, NpgsqlTransaction? within = null, CancellationToken ct = default) => WishAsync(server, "drain", by, within, ct);

    /// <summary>The server works again; true when there is such a server.</summary>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    /// <param name="within">The caller's transaction; null: it stands at once.</param>
    public Task<bool> WorkAsync(Guid server, string by, NpgsqlTransaction? within = null, CancellationToken ct = default) => WishAsync(server, wish: null, by, within, ct);

    /// <summary>Deletes one bounded batch of history that has had its time, with all that stands beside it.</summary>
    /// <param name="keepDays">Days that done, cancelled and acknowledged failed jobs are kept, 1 or more.</param>
    /// <param name="keepFailedDays">Days that other failed jobs are kept, 1 or more.</param>
    /// <param name="most">The most rows of one batch, 1 to 10,000.</param>
    /// <returns>Rows deleted; fewer than <paramref name="most"/> means that nothing is left to prune.</returns>
    public async Task<long> PruneAsync(int keepDays, int keepFailedDays, int most = 1000, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keepDays, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(keepFailedDays, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 10_000);
        await PruneBesideAsync(orphans: false, ct);
        return (await PruneAsync(new KeepRule(Kind: null, keepDays, keepDays, Math.Max(keepDays, keepFailedDays)), [], Guid.Empty, most, ct)).Rows;
    }

    /// <param name="after">The <see cref="PrunedBatch.Last"/> of the batch before; empty for the first.</param>
    internal async Task<PrunedBatch> PruneAsync(KeepRule rule, string[] except, Guid after, int most, CancellationToken ct)
    {
        await using var command = Command(_sql.Prune);
        command.Parameters.Add(Optional("kind", NpgsqlDbType.Text, rule.Kind));
        command.Parameters.AddWithValue("except", except);
        command.Parameters.AddWithValue("doneDays", rule.DoneDays);
        command.Parameters.AddWithValue("cancelledDays", rule.CancelledDays);
        command.Parameters.AddWithValue("failedDays", rule.FailedDays);
        command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("most", most);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? new PrunedBatch(reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? after : reader.GetGuid(2))
            : new PrunedBatch(0, 0, after);
    }

    /// <param name="orphans">Also what stood beside jobs whose rows were dropped when they were done.</param>
    internal async Task PruneBesideAsync(bool orphans, CancellationToken ct)
    {
        foreach (var part in $"{_sql.PruneServers};{_sql.PruneBeside}{(orphans ? ";" + _sql.PruneOrphans : "")}".Split(';'))
        {
            await using var command = Command(part);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    internal async Task AddFlowAsync(Guid server, string queue, JobFlow.Counts counts, CancellationToken ct)
    {
        await using var command = Command(_sql.AddFlow);
        command.Parameters.AddWithValue("server", server);
        command.Parameters.AddWithValue("queue", queue);
        command.Parameters.AddWithValue("done", counts.Done);
        command.Parameters.AddWithValue("failed", counts.Failed);
        command.Parameters.AddWithValue("retried", counts.Retried);
        command.Parameters.AddWithValue("cancelled", counts.Cancelled);
        command.Parameters.AddWithValue("wait", counts.Wait);
        command.Parameters.AddWithValue("run", counts.Run);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal async Task AddDepthAsync(IReadOnlyList<QueueFigures> figures, CancellationToken ct)
    {
        await using var command = Command(_sql.AddDepth);
        command.Parameters.AddWithValue("queues", figures.Select(queue => queue.Queue).ToArray());
        command.Parameters.AddWithValue("readys", figures.Select(queue => queue.Ready).ToArray());
        command.Parameters.AddWithValue("scheduleds", figures.Select(queue => queue.Scheduled).ToArray());
        command.Parameters.AddWithValue("runnings", figures.Select(queue => queue.Running).ToArray());
        command.Parameters.AddWithValue("oldests", figures.Select(queue => queue.OldestAge?.TotalSeconds ?? 0).ToArray());
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>After how many seconds of waiting an operator is told, by queue.</summary>
    internal async Task<IReadOnlyDictionary<string, int>> TargetsAsync(CancellationToken ct)
    {
        await using var command = Command(_sql.Targets);
        var targets = new Dictionary<string, int>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            targets[reader.GetString(0)] = reader.GetInt32(1);
        return targets;
    }

    /// <summary>Figures that alarms hang on: name, subject, value, note.</summary>
    internal async Task<IReadOnlyList<(string Name, string Subject, double Value, string Note)>> HealthAsync(string[] ruled, CancellationToken ct)
    {
        var rows = new List<(string, string, double, string)>();
        await using (var command = Command(_sql.Health))
        {
            command.Parameters.AddWithValue("ruled", ruled);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                rows.Add((reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? 0 : reader.GetDouble(2), TextAt(reader, 3) ?? ""));
        }
        await using var bloat = Command(_sql.Bloat);
        await using var indexes = await bloat.ExecuteReaderAsync(ct);
        while (await indexes.ReadAsync(ct))
            rows.Add(("bloat", indexes.GetString(0), indexes.GetDouble(1), ""));
        return rows;
    }

    /// <summary>Raises, refreshes and clears alarms so that they are what was found.</summary>
    /// <returns>What was raised or cleared.</returns>
    internal async Task<IReadOnlyList<(string Name, string Subject, string Message, bool Raised)>> SetAlarmsAsync(IReadOnlyList<AlarmFinding> found, CancellationToken ct)
    {
        await using var command = Command(_sql.SetAlarms);
        command.Parameters.AddWithValue("names", found.Select(one => one.Name).ToArray());
        command.Parameters.AddWithValue("subjects", found.Select(one => one.Subject).ToArray());
        command.Parameters.AddWithValue("values", found.Select(one => one.Value).ToArray());
        command.Parameters.AddWithValue("thresholds", found.Select(one => one.Threshold).ToArray());
        command.Parameters.AddWithValue("messages", found.Select(one => one.Message).ToArray());
        var changed = new List<(string, string, string, bool)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            changed.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3)));
        return changed;
    }

    private async Task<bool> WishAsync(Guid server, string? wish, string by, NpgsqlTransaction? within, CancellationToken ct)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        await using var command = Command(_sql.SetWish, within);
        command.Parameters.AddWithValue("id", server);
        command.Parameters.Add(Optional("wish", NpgsqlDbType.Text, wish));
        command.Parameters.AddWithValue("by", by);
        AddWake(command);
        return await command.ExecuteScalarAsync(ct) is Guid;
    }

    private static JobFlow.Counts ReadCounts(NpgsqlDataReader reader)
    {
        var counts = new JobFlow.Counts { Done = reader.GetInt32(2), Failed = reader.GetInt32(3), Retried = reader.GetInt32(4), Cancelled = reader.GetInt32(5) };
        Fill(counts.Wait, reader.GetFieldValue<int[]>(6));
        Fill(counts.Run, reader.GetFieldValue<int[]>(7));
        return counts;

        // Another release may have had more or fewer size classes.
        static void Fill(int[] target, int[] stored) => System.Array.Copy(stored, target, Math.Min(target.Length, stored.Length));
    }
}
