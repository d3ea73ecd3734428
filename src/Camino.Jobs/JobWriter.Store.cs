using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <content>The statements behind an enqueue.</content>
public sealed partial class JobWriter
{
    private async Task<JobReceipt> InsertOneAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob job, CancellationToken ct)
    {
        if (job is { UniqueKey: not null, UniqueScope: JobUnique.Within } && await HolderOfPeriodAsync(connection, transaction, job, ct) is { } recent)
            return new JobReceipt(recent, Existed: true, await ReplaceAsync(connection, transaction, job, recent, ct));

        await using var insert = new NpgsqlCommand(job.UniqueScope == JobUnique.UntilStarted ? _sql.InsertUntilStarted : _sql.Insert, connection, transaction);
        insert.Parameters.AddWithValue("id", job.Id);
        insert.Parameters.AddWithValue("queue", job.Queue);
        insert.Parameters.AddWithValue("kind", job.Kind);
        insert.Parameters.AddWithValue("version", job.Version);
        insert.Parameters.AddWithValue("max", job.MaxAttempts);
        insert.Parameters.AddWithValue("args", NpgsqlDbType.Jsonb, job.Args);
        insert.Parameters.AddWithValue("held", job.IsHeld);
        insert.Parameters.Add(Optional("due", NpgsqlDbType.TimestampTz, job.DueAt?.ToUniversalTime()));
        insert.Parameters.Add(Optional("expires", NpgsqlDbType.TimestampTz, job.ExpiresAt?.ToUniversalTime()));
        insert.Parameters.Add(Optional("planned", NpgsqlDbType.TimestampTz, job.PlannedAt?.ToUniversalTime()));
        insert.Parameters.Add(Optional("key", NpgsqlDbType.Text, job.UniqueScope == JobUnique.UntilDone ? job.UniqueKey : null));
        insert.Parameters.Add(Optional("startedKey", NpgsqlDbType.Text, job.UniqueScope == JobUnique.UntilStarted ? job.UniqueKey : null));
        insert.Parameters.Add(Optional("limitKey", NpgsqlDbType.Text, job.Limit?.Key));
        insert.Parameters.Add(Optional("by", NpgsqlDbType.Text, job.RequestedBy));
        insert.Parameters.Add(Optional("trace", NpgsqlDbType.Text, job.TraceParent));
        insert.Parameters.AddWithValue("wake", job.DueAt is null && !job.IsHeld && ShouldWake(job.Queue));
        insert.Parameters.AddWithValue("channel", _sql.Channel);

        // The holder of the key may finish between our insert and our look: then the key is free again. Each round meets another holder.
        while (true)
        {
            await using (var reader = await insert.ExecuteReaderAsync(ct))
            {
                if (await reader.ReadAsync(ct))
                    return new JobReceipt(reader.GetGuid(0), Existed: false, Replaced: false);
            }
            await using var holder = new NpgsqlCommand(job.UniqueScope == JobUnique.UntilStarted ? _sql.FindUntilStarted : _sql.FindUnique, connection, transaction);
            holder.Parameters.AddWithValue("kind", job.Kind);
            holder.Parameters.AddWithValue("key", job.UniqueKey ?? "");
            if (await holder.ExecuteScalarAsync(ct) is Guid existing)
                return new JobReceipt(existing, Existed: true, await ReplaceAsync(connection, transaction, job, existing, ct));
        }
    }

    /// <summary>Null when the key was free for its period and is this job's now.</summary>
    private async Task<Guid?> HolderOfPeriodAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob job, CancellationToken ct)
    {
        while (true)
        {
            await using var take = new NpgsqlCommand(_sql.TakePeriod, connection, transaction);
            take.Parameters.AddWithValue("kind", job.Kind);
            take.Parameters.AddWithValue("key", job.UniqueKey ?? "");
            take.Parameters.AddWithValue("id", job.Id);
            take.Parameters.AddWithValue("seconds", job.UniqueFor?.TotalSeconds ?? 0);
            if (await take.ExecuteScalarAsync(ct) is Guid)
                return null;
            await using var find = new NpgsqlCommand(_sql.FindPeriod, connection, transaction);
            find.Parameters.AddWithValue("kind", job.Kind);
            find.Parameters.AddWithValue("key", job.UniqueKey ?? "");
            if (await find.ExecuteScalarAsync(ct) is Guid holder)
                return holder;
        }
    }

    private async Task<bool> ReplaceAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob job, Guid holder, CancellationToken ct)
    {
        if (job.Replace == JobReplace.None)
            return false;
        bool Takes(JobReplace field) => job.Replace.HasFlag(field);
        await using var replace = new NpgsqlCommand(_sql.Replace, connection, transaction);
        replace.Parameters.AddWithValue("holder", holder);
        replace.Parameters.AddWithValue("version", job.Version);
        replace.Parameters.AddWithValue("setDue", Takes(JobReplace.DueAt));
        replace.Parameters.AddWithValue("setExpires", Takes(JobReplace.ExpiresAt));
        replace.Parameters.AddWithValue("setBy", Takes(JobReplace.RequestedBy));
        replace.Parameters.Add(Optional("args", NpgsqlDbType.Jsonb, Takes(JobReplace.Args) ? job.Args : null));
        replace.Parameters.Add(Optional("due", NpgsqlDbType.TimestampTz, job.DueAt?.ToUniversalTime()));
        replace.Parameters.Add(Optional("expires", NpgsqlDbType.TimestampTz, job.ExpiresAt?.ToUniversalTime()));
        replace.Parameters.Add(Optional("queue", NpgsqlDbType.Text, Takes(JobReplace.Queue) ? job.Queue : null));
        replace.Parameters.Add(Optional("max", NpgsqlDbType.Integer, Takes(JobReplace.MaxAttempts) ? job.MaxAttempts : null));
        replace.Parameters.Add(Optional("by", NpgsqlDbType.Text, job.RequestedBy));
        replace.Parameters.AddWithValue("wake", options.Notify && (Takes(JobReplace.DueAt) || Takes(JobReplace.Queue)));
        replace.Parameters.AddWithValue("channel", _sql.Channel);
        return await replace.ExecuteScalarAsync(ct) is Guid;
    }

    private async Task<Guid[]> InsertGroupAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob[] jobs, CancellationToken ct)
    {
        var ids = new Guid[jobs.Length];
        var open = Enumerable.Range(0, jobs.Length).ToList();
        while (open.Count > 0)
        {
            var group = open.ConvertAll(at => jobs[at]);
            await using var insert = new NpgsqlCommand(_sql.InsertMany, connection, transaction);
            insert.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, group.ConvertAll(job => job.Id).ToArray()));
            insert.Parameters.Add(Array("queues", NpgsqlDbType.Text, group.ConvertAll(job => job.Queue).ToArray()));
            insert.Parameters.Add(Array("kinds", NpgsqlDbType.Text, group.ConvertAll(job => job.Kind).ToArray()));
            insert.Parameters.Add(Array("versions", NpgsqlDbType.Integer, group.ConvertAll(job => job.Version).ToArray()));
            insert.Parameters.Add(Array("maxes", NpgsqlDbType.Integer, group.ConvertAll(job => job.MaxAttempts).ToArray()));
            insert.Parameters.Add(Array("args", NpgsqlDbType.Jsonb, group.ConvertAll(job => job.Args).ToArray()));
            insert.Parameters.Add(Array("dues", NpgsqlDbType.TimestampTz, group.ConvertAll(job => job.DueAt?.ToUniversalTime()).ToArray()));
            insert.Parameters.Add(Array("expires", NpgsqlDbType.TimestampTz, group.ConvertAll(job => job.ExpiresAt?.ToUniversalTime()).ToArray()));
            insert.Parameters.Add(Array("keys", NpgsqlDbType.Text, group.ConvertAll(job => job.UniqueKey).ToArray()));
            insert.Parameters.Add(Array("bys", NpgsqlDbType.Text, group.ConvertAll(job => job.RequestedBy).ToArray()));
            insert.Parameters.Add(Array("traces", NpgsqlDbType.Text, group.ConvertAll(job => job.TraceParent).ToArray()));
            insert.Parameters.Add(Array("helds", NpgsqlDbType.Boolean, group.ConvertAll(job => job.IsHeld).ToArray()));
            insert.Parameters.Add(Array("limitKeys", NpgsqlDbType.Text, group.ConvertAll(job => job.Limit?.Key).ToArray()));

            var stored = await ReadGuidsAsync(insert, ct);
            foreach (var at in open.Where(at => stored.Contains(jobs[at].Id)))
                ids[at] = jobs[at].Id;
            await AddMoreAsync(connection, transaction, open.Where(at => stored.Contains(jobs[at].Id)).Select(at => jobs[at]), ct);
            open.RemoveAll(at => stored.Contains(jobs[at].Id));
            await FindHoldersAsync(connection, transaction, jobs, open, ids, ct);
        }
        await WakeAsync(connection, transaction, jobs.Where(job => job.DueAt is null && !job.IsHeld).Select(job => job.Queue), ct);
        if (jobs.Length > 0)
            JobLog.ManyAskedFor(_logger, jobs.Length);
        return ids;
    }

    /// <summary>What was not stored has a live holder of its key, in the table or in this very group; what has none any more is tried again.</summary>
    private async Task FindHoldersAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob[] jobs, List<int> open, Guid[] ids, CancellationToken ct)
    {
        if (open.Count == 0)
            return;
        await using var find = new NpgsqlCommand(_sql.FindUniqueMany, connection, transaction);
        find.Parameters.Add(Array("kinds", NpgsqlDbType.Text, open.ConvertAll(at => jobs[at].Kind).ToArray()));
        find.Parameters.Add(Array("keys", NpgsqlDbType.Text, open.ConvertAll(at => jobs[at].UniqueKey).ToArray()));
        var holders = new Dictionary<(string Kind, string Key), Guid>();
        await using (var reader = await find.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                holders[(reader.GetString(0), reader.GetString(1))] = reader.GetGuid(2);
        }
        foreach (var at in open)
            ids[at] = holders.GetValueOrDefault((jobs[at].Kind, jobs[at].UniqueKey ?? ""));
        open.RemoveAll(at => ids[at] != Guid.Empty);
    }

    /// <summary>In pieces, each followed by the rows beside it, so that memory stays flat whatever the number.</summary>
    private async Task<IReadOnlyList<Guid>> CopyAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<NewJob> jobs, CancellationToken ct)
    {
        var ids = new List<Guid>();
        var queues = new HashSet<string>(StringComparer.Ordinal);
        // due_at is not left to its default: a copied null would be null. The database's clock is asked once and each job stands a microsecond after the one before.
        await using var clock = new NpgsqlCommand("SELECT clock_timestamp()", connection, transaction);
        var now = (DateTime)(await clock.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException("The database did not say what time it is."));

        using var all = jobs.GetEnumerator();
        var more = all.MoveNext();
        while (more)
        {
            var beside = new List<NewJob>();
            await using (var copy = await connection.BeginBinaryImportAsync(_sql.Copy, ct))
            {
                for (var row = 0; more && row < RowsPerCopy; row++)
                {
                    await WriteAsync(copy, all.Current, now.AddMicroseconds(ids.Count), ct);
                    ids.Add(all.Current.Id);
                    if (all.Current.HasMore)
                        beside.Add(all.Current with { Args = "" });
                    if (all.Current is { DueAt: null, IsHeld: false })
                        queues.Add(all.Current.Queue);
                    more = all.MoveNext();
                }
                await copy.CompleteAsync(ct);
            }
            await AddMoreAsync(connection, transaction, beside, ct);
        }
        await WakeAsync(connection, transaction, queues, ct);
        if (ids.Count > 0)
            JobLog.ManyAskedFor(_logger, ids.Count);
        return ids;
    }

    private static async Task WriteAsync(NpgsqlBinaryImporter copy, NewJob job, DateTime now, CancellationToken ct)
    {
        await copy.StartRowAsync(ct);
        await copy.WriteAsync(job.Id, NpgsqlDbType.Uuid, ct);
        // The largest DateTime is PostgreSQL's infinity.
        await copy.WriteAsync(job.IsHeld ? DateTime.MaxValue : job.DueAt?.UtcDateTime ?? now, NpgsqlDbType.TimestampTz, ct);
        await copy.WriteAsync(job.Version, NpgsqlDbType.Integer, ct);
        await copy.WriteAsync(job.MaxAttempts, NpgsqlDbType.Integer, ct);
        await copy.WriteAsync(job.Queue, NpgsqlDbType.Text, ct);
        await copy.WriteAsync(job.Kind, NpgsqlDbType.Text, ct);
        await copy.WriteAsync(job.Args, NpgsqlDbType.Jsonb, ct);
        await WriteOptionalAsync(copy, job.ExpiresAt?.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
        await WriteOptionalAsync(copy, job.RequestedBy, NpgsqlDbType.Text, ct);
        await WriteOptionalAsync(copy, job.TraceParent, NpgsqlDbType.Text, ct);
        await WriteOptionalAsync(copy, job.Limit?.Key, NpgsqlDbType.Text, ct);
    }

    private static Task WriteOptionalAsync<T>(NpgsqlBinaryImporter copy, T? value, NpgsqlDbType type, CancellationToken ct) =>
        value is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(value, type, ct);

    /// <summary>The rows beside the jobs': what they wait for, limits, tags, lineage. Plain jobs have none.</summary>
    private async Task AddMoreAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<NewJob> stored, CancellationToken ct)
    {
        var jobs = stored.Where(job => job.HasMore).ToList();
        if (jobs.Count == 0)
            return;

        var after = jobs.FindAll(job => job.After.Count > 0);
        if (after.Count > 0)
        {
            await AddHeldAsync(connection, transaction, after.ConvertAll(job => (job, job.After.Count)), ct);
            await using var edges = new NpgsqlCommand(_sql.AddEdges, connection, transaction);
            edges.Parameters.Add(Array("parents", NpgsqlDbType.Uuid, after.SelectMany(job => job.After).ToArray()));
            edges.Parameters.Add(Array("children", NpgsqlDbType.Uuid, after.SelectMany(job => job.After.Select(_ => job.Id)).ToArray()));
            edges.Parameters.Add(Array("anyEnds", NpgsqlDbType.Boolean, after.SelectMany(job => job.After.Select(_ => job.AfterEnd == JobEnd.Any)).ToArray()));
            await edges.ExecuteNonQueryAsync(ct);
        }

        var limited = jobs.Where(job => job.Limit is not null).Select(job => (Job: job, Limit: job.Limit ?? new JobLimit(""))).ToList();
        if (limited.Count > 0)
        {
            await using var limits = new NpgsqlCommand(_sql.AddLimited, connection, transaction);
            limits.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, limited.ConvertAll(one => one.Job.Id).ToArray()));
            limits.Parameters.Add(Array("keys", NpgsqlDbType.Text, limited.ConvertAll(one => one.Limit.Key).ToArray()));
            limits.Parameters.Add(Array("dues", NpgsqlDbType.TimestampTz, limited.ConvertAll(one => one.Job.DueAt?.ToUniversalTime()).ToArray()));
            limits.Parameters.Add(Array("atOnces", NpgsqlDbType.Integer, limited.ConvertAll(one => one.Limit.AtOnce).ToArray()));
            limits.Parameters.Add(Array("rates", NpgsqlDbType.Integer, limited.ConvertAll(one => one.Limit.Rate).ToArray()));
            limits.Parameters.Add(Array("periods", NpgsqlDbType.Double, limited.ConvertAll(one => one.Limit.Period?.TotalSeconds).ToArray()));
            limits.Parameters.Add(Array("parkeds", NpgsqlDbType.Boolean, limited.ConvertAll(one => one.Job.After.Count == 0 && !one.Job.EndsBatch).ToArray()));
            await limits.ExecuteNonQueryAsync(ct);
        }

        var tagged = jobs.SelectMany(job => job.Tags, (job, tag) => (job.Id, Tag: tag)).ToList();
        if (tagged.Count > 0)
        {
            await using var tags = new NpgsqlCommand(_sql.AddTags, connection, transaction);
            tags.Parameters.Add(Array("tags", NpgsqlDbType.Text, tagged.ConvertAll(one => one.Tag).ToArray()));
            tags.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, tagged.ConvertAll(one => one.Id).ToArray()));
            await tags.ExecuteNonQueryAsync(ct);
        }

        foreach (var family in jobs.Where(job => job.ParentId is not null).GroupBy(job => job.ParentId ?? Guid.Empty))
            await AddLineageAsync(connection, transaction, family.Key, family.Select(job => job.Id).ToArray(), ct);

        await WakeAsync(connection, transaction, jobs.Where(job => job.After.Count > 0).Select(_ => WakeAfter)
            .Concat(limited.Where(one => one.Job.After.Count == 0).Select(_ => WakeLimit)), ct);
    }

    private async Task AddLineageAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid parent, Guid[] children, CancellationToken ct)
    {
        await using var lineage = new NpgsqlCommand(_sql.AddLineage, connection, transaction);
        lineage.Parameters.AddWithValue("parent", parent);
        lineage.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, children));
        if (await lineage.ExecuteScalarAsync(ct) is int depth && depth >= MostGenerations)
            throw new JobChainException(parent);
    }

    private async Task AddHeldAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, List<(NewJob Job, int Total)> jobs, CancellationToken ct)
    {
        await using var held = new NpgsqlCommand(_sql.AddHeld, connection, transaction);
        held.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, jobs.ConvertAll(one => one.Job.Id).ToArray()));
        held.Parameters.Add(Array("dues", NpgsqlDbType.TimestampTz, jobs.ConvertAll(one => one.Job.DueAt?.ToUniversalTime()).ToArray()));
        held.Parameters.Add(Array("totals", NpgsqlDbType.Integer, jobs.ConvertAll(one => one.Total).ToArray()));
        await held.ExecuteNonQueryAsync(ct);
    }

    private async Task CopyEdgesAsync(NpgsqlConnection connection, Guid child, List<Guid> parents, bool anyEnd, bool isChecked, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(_sql.CopyEdges, ct);
        foreach (var parent in parents)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(parent, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(child, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(anyEnd, NpgsqlDbType.Boolean, ct);
            await copy.WriteAsync(isChecked, NpgsqlDbType.Boolean, ct);
        }
        await copy.CompleteAsync(ct);
    }

    private static async Task<HashSet<Guid>> ReadGuidsAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var found = new HashSet<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            found.Add(reader.GetGuid(0));
        return found;
    }

    private static NpgsqlParameter Optional(string name, NpgsqlDbType type, object? value) => new(name, type) { Value = value ?? DBNull.Value };

    private static NpgsqlParameter Array(string name, NpgsqlDbType type, Array value) => new(name, NpgsqlDbType.Array | type) { Value = value };
}
