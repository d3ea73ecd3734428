using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <summary>A recurring entry as it stands.</summary>
/// <param name="Calendar">The calendar of business days, or null.</param>
/// <param name="NextAt">The next moment; null while it is disabled or nobody has looked yet.</param>
/// <param name="DisabledAt">Since when it fires only by hand, and who decided that.</param>
/// <param name="Last">Its latest moment.</param>
public sealed record JobScheduleLine(
    string Name, string Kind, string Queue, string Cron, string Zone, string? Calendar, string Closed, string Misfire, string Overlap, DateTimeOffset? NextAt,
    DateTimeOffset? DisabledAt, string? DisabledBy, string? DisabledReason, JobScheduleRun? Last);

/// <summary>One moment of a recurring entry.</summary>
/// <param name="PlannedAt">The moment; of one run by hand, when it was asked for.</param>
/// <param name="Outcome">enqueued, by_hand, overlap (left out, because the one before still ran), missed (passed while no server was there).</param>
/// <param name="JobId">Its job, where it had one.</param>
/// <param name="State">Where that job stands, as far as it is still known.</param>
/// <param name="At">When it was acted on or, in a list of entries, when its job last changed.</param>
public sealed record JobScheduleRun(DateTimeOffset PlannedAt, string Outcome, Guid? JobId, JobState? State, DateTimeOffset At)
{
    /// <summary>Who ran it by hand.</summary>
    public string? AskedBy { get; init; }
}

/// <content>Recurring jobs.</content>
public sealed partial class JobStore
{
    /// <summary>All recurring entries that the running release lists, by name; at most 500.</summary>
    public async Task<IReadOnlyList<JobScheduleLine>> RecurringAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.Recurring);
        var entries = new List<JobScheduleLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var row = new Columns(reader);
            entries.Add(new JobScheduleLine(
                row.Text("name"), row.Text("kind"), row.Text("queue"), row.Text("cron"), row.Text("zone"), row.TextOrNull("calendar"), row.Text("closed"), row.Text("misfire"),
                row.Text("overlap"), row.TimeOrNull("next_at"), row.TimeOrNull("disabled_at"), row.TextOrNull("disabled_by"), row.TextOrNull("disabled_reason"),
                row.TimeOrNull("planned_at") is { } planned ? new JobScheduleRun(planned, row.Text("outcome"), row.IdOrNull("job_id"), row.StateOrNull("state"), row.Time("at")) : null));
        }
        return entries;
    }

    /// <summary>The latest moments of an entry, newest first.</summary>
    /// <param name="take">1 to 200.</param>
    public async Task<IReadOnlyList<JobScheduleRun>> RecurringRunsAsync(string name, int take = 50, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, LargestPage);
        await using var command = Command(_sql.RecurringRuns);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("take", take);
        var runs = new List<JobScheduleRun>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var row = new Columns(reader);
            runs.Add(new JobScheduleRun(row.Time("planned_at"), row.Text("outcome"), row.IdOrNull("job_id"), row.StateOrNull("state"), row.Time("at")) { AskedBy = row.TextOrNull("asked_by") });
        }
        return runs;
    }

    /// <summary>Runs an entry once, now, whatever its times and also while it is disabled.</summary>
    /// <param name="by">The user who asks, 1 to 200 characters.</param>
    /// <param name="within">The caller's transaction; null: it stands at once.</param>
    /// <returns>The job's id, or null when no such entry is listed.</returns>
    public async Task<Guid?> RunRecurringAsync(string name, string by, NpgsqlTransaction? within = null, CancellationToken ct = default)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        await using var command = Command(_sql.RunEntry, within);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("id", Guid.CreateVersion7());
        command.Parameters.AddWithValue("by", by);
        command.Parameters.Add(Optional("trace", NpgsqlDbType.Text, Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null));
        AddWake(command);
        return await command.ExecuteScalarAsync(ct) is Guid id ? id : null;
    }

    /// <summary>The entry fires only by hand until it is enabled; true when it was enabled.</summary>
    /// <param name="within">The caller's transaction; null: it stands at once.</param>
    public async Task<bool> DisableRecurringAsync(string name, string by, string? reason = null, NpgsqlTransaction? within = null, CancellationToken ct = default)
    {
        JobNames.Text(by, nameof(by), JobNames.LongestUser);
        JobNames.Text(reason, nameof(reason), 500);
        await using var command = Command(_sql.DisableEntry, within);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("by", by);
        command.Parameters.Add(Optional("reason", NpgsqlDbType.Text, reason));
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>The entry fires again from its next moment on, and makes up for nothing; true when it was disabled.</summary>
    /// <param name="within">The caller's transaction; null: it stands at once.</param>
    public async Task<bool> EnableRecurringAsync(string name, NpgsqlTransaction? within = null, CancellationToken ct = default)
    {
        await using var command = Command(_sql.EnableEntry, within);
        command.Parameters.AddWithValue("name", name);
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>True while the duty is this server's.</summary>
    /// <param name="alsoFenced">Also outside the release fence, while nobody lives inside it.</param>
    internal async Task<bool> LeadAsync(string duty, ServerIdentity me, int seconds, CancellationToken ct, bool alsoFenced = false)
    {
        await using var command = Command(_sql.Lead);
        command.Parameters.AddWithValue("duty", duty);
        command.Parameters.AddWithValue("server", me.Id);
        command.Parameters.AddWithValue("number", me.ReleaseNumber);
        command.Parameters.AddWithValue("seconds", (double)seconds);
        command.Parameters.AddWithValue("alsoFenced", alsoFenced);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    internal async Task StepDownAsync(string duty, Guid server, CancellationToken ct)
    {
        await using var command = Command(_sql.StepDown);
        command.Parameters.AddWithValue("duty", duty);
        command.Parameters.AddWithValue("server", server);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Stores what this release lists: all of it or nothing.</summary>
    internal async Task ListEntriesAsync(IReadOnlyCollection<JobSchedule> entries, long number, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var entry in entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            await using var list = new NpgsqlCommand(_sql.ListEntries, connection, transaction) { CommandTimeout = CommandSeconds };
            list.Parameters.AddWithValue("name", entry.Name);
            list.Parameters.AddWithValue("kind", entry.Kind);
            list.Parameters.AddWithValue("version", entry.Version);
            list.Parameters.AddWithValue("queue", entry.Queue ?? JobQueues.Default);
            list.Parameters.AddWithValue("max", entry.MaxAttempts);
            list.Parameters.AddWithValue("args", NpgsqlDbType.Jsonb, entry.Args);
            list.Parameters.AddWithValue("cron", entry.Cron.ToString());
            list.Parameters.AddWithValue("zone", entry.Zone.Id);
            list.Parameters.Add(Optional("calendar", NpgsqlDbType.Text, entry.Calendar));
            list.Parameters.AddWithValue("closed", entry.Closed.ToString().ToLowerInvariant());
            list.Parameters.AddWithValue("misfire", entry.Misfire.ToString().ToLowerInvariant());
            list.Parameters.AddWithValue("window", (int)entry.Window.TotalSeconds);
            list.Parameters.AddWithValue("overlap", entry.Overlap.ToString().ToLowerInvariant());
            list.Parameters.AddWithValue("number", number);
            list.Parameters.AddWithValue("enabled", entry.Enabled);
            await list.ExecuteNonQueryAsync(ct);
        }
        await using var unlist = new NpgsqlCommand(_sql.UnlistEntries, connection, transaction) { CommandTimeout = CommandSeconds };
        unlist.Parameters.AddWithValue("number", number);
        unlist.Parameters.AddWithValue("names", entries.Select(entry => entry.Name).ToArray());
        await unlist.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    internal async Task<IReadOnlyList<string>> DueEntriesAsync(CancellationToken ct)
    {
        await using var command = Command(_sql.DueEntries);
        var names = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            names.Add(reader.GetString(0));
        return names;
    }

    /// <summary>Acts on the moments of an entry that have come, in one transaction: the ticks' rows, their jobs, and where the entry goes on.</summary>
    /// <param name="plan">From the entry's place and the database's time: what to do, and where it goes on.</param>
    /// <returns>What was enqueued.</returns>
    internal async Task<IReadOnlyList<(DateTimeOffset Planned, string Outcome)>> FireAsync(
        JobWriter writer, JobSchedule entry, long number, Func<DateTimeOffset?, DateTimeOffset, TickPlan> plan, CancellationToken ct)
    {
        var fired = new List<(DateTimeOffset, string)>();
        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        TickPlan ticks;
        await using (var lockEntry = Entry(_sql.LockEntry))
        {
            lockEntry.Parameters.AddWithValue("number", number);
            await using var reader = await lockEntry.ExecuteReaderAsync(ct);
            if (!await reader.ReadAsync(ct))
                return fired;
            ticks = plan(reader.IsDBNull(0) ? null : reader.GetFieldValue<DateTimeOffset>(0), reader.GetFieldValue<DateTimeOffset>(1));
        }
        if (ticks.Missed is { } missed)
            await NoteAsync(missed, "missed");
        foreach (var planned in ticks.Due)
        {
            IReadOnlyList<Guid> live = [];
            if (entry.Overlap != JobOverlap.Allow)
            {
                await using var runs = Entry(_sql.LiveRuns);
                live = await ReadIdsAsync(runs, ct);
            }
            var left = entry.Overlap == JobOverlap.Skip && live.Count > 0;
            if (!await NoteAsync(planned, left ? "overlap" : "enqueued"))
                continue;
            fired.Add((planned, left ? "overlap" : "enqueued"));
            if (left)
                continue;
            var job = NewJob.Create(
                new JobKind(entry.Kind, entry.Version, entry.Queue ?? JobQueues.Default, new JobRetry(entry.MaxAttempts, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)), null, typeof(JobSchedule)),
                entry.Args,
                new JobOptions { After = entry.Overlap == JobOverlap.Wait ? live : [], AfterEnd = JobEnd.Any }) with
            {
                PlannedAt = planned,
            };
            await writer.PutAsync(connection, transaction, job, ct);
            await using var note = Entry(_sql.NoteJob);
            note.Parameters.AddWithValue("planned", planned.ToUniversalTime());
            note.Parameters.AddWithValue("job", job.Id);
            await note.ExecuteNonQueryAsync(ct);
        }
        await using var move = Entry(_sql.MoveEntry);
        move.Parameters.Add(Optional("next", NpgsqlDbType.TimestampTz, ticks.Next?.ToUniversalTime()));
        await move.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return fired;

        NpgsqlCommand Entry(string text)
        {
            var command = new NpgsqlCommand(text, connection, transaction) { CommandTimeout = CommandSeconds };
            command.Parameters.AddWithValue("name", entry.Name);
            return command;
        }

        async Task<bool> NoteAsync(DateTimeOffset planned, string outcome)
        {
            await using var note = Entry(_sql.NoteRun);
            note.Parameters.AddWithValue("planned", planned.ToUniversalTime());
            note.Parameters.AddWithValue("outcome", outcome);
            return await note.ExecuteScalarAsync(ct) is true;
        }
    }
}
