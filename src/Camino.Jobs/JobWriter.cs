using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <summary>
/// Inserts jobs inside the caller's own transaction: a job exists exactly when that transaction commits. Rolled back, it never ran and woke nobody.
/// </summary>
/// <param name="options">Schema and wake-up.</param>
/// <param name="registry">The known kinds; null to take any.</param>
public sealed class JobWriter(JobClientOptions options, JobRegistry? registry = null)
{
    private const int RowsPerStatement = 1000;

    private readonly JobSql _sql = new(options.Schema);
    private readonly ConcurrentDictionary<string, long> _lastWake = new(StringComparer.Ordinal);

    /// <summary>Stores one job.</summary>
    /// <param name="connection">Open; the job becomes part of its transaction.</param>
    /// <param name="transaction">The caller's transaction; null when the connection has none, and the job then stands at once.</param>
    /// <param name="args">Ids and dates, at most 64 KB as JSON.</param>
    /// <param name="jobOptions">Queue, due time, unique key, attempts, asking user.</param>
    /// <returns>The job's id, or with a unique key the id of the live job that already holds it.</returns>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed; nothing is stored.</exception>
    public async Task<Guid> EnqueueAsync<TArgs>(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, TArgs args, JobOptions? jobOptions = null, CancellationToken ct = default)
        where TArgs : IJobArgs
    {
        var job = Prepare(args, jobOptions);
        return await InsertOneAsync(connection, transaction, job, ct);
    }

    /// <summary>Stores any number of jobs of one kind; memory stays flat but for the ids.</summary>
    /// <param name="connection">Open; the jobs become part of its transaction.</param>
    /// <param name="transaction">The caller's transaction; null when the connection has none, and the jobs then stand at once, all of them.</param>
    /// <param name="args">Read once, in order; jobs of one queue start in that order.</param>
    /// <param name="jobOptions">For each of them alike; a unique key makes no sense here, see <see cref="InsertAsync"/>.</param>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed; the transaction can then only be rolled back.</exception>
    public async Task<IReadOnlyList<Guid>> EnqueueManyAsync<TArgs>(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<TArgs> args, JobOptions? jobOptions = null, CancellationToken ct = default)
        where TArgs : IJobArgs
    {
        if (jobOptions?.UniqueKey is not null)
            throw new ArgumentException("UniqueKey is set for many jobs at once; give each its own through Prepare and InsertAsync.", nameof(jobOptions));
        return await CopyAsync(connection, args.Select(one => Prepare(one, jobOptions)), ct);
    }

    /// <summary>Checks and encodes one job without storing it.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public NewJob Prepare<TArgs>(TArgs args, JobOptions? jobOptions = null)
        where TArgs : IJobArgs
    {
        var job = NewJob.Create(args, jobOptions);
        return registry is null || registry.Find(job.Kind) is not null
            ? job
            : throw new ArgumentException($"The kind '{job.Kind}' is not registered in this process; known are {Known(registry)}.", nameof(args));
    }

    /// <summary>Stores prepared jobs of any kinds, each with its own options.</summary>
    /// <returns>For each job, in order, its id or the id of the live job that holds its unique key.</returns>
    public async Task<IReadOnlyList<Guid>> InsertAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyCollection<NewJob> jobs, CancellationToken ct = default)
    {
        if (jobs.Count == 1)
            return [await InsertOneAsync(connection, transaction, jobs.First(), ct)];
        if (jobs.Count > RowsPerStatement && jobs.All(job => job.UniqueKey is null))
            return await CopyAsync(connection, jobs, ct);

        var ids = new List<Guid>(jobs.Count);
        foreach (var group in jobs.Chunk(RowsPerStatement))
            ids.AddRange(await InsertGroupAsync(connection, transaction, group, ct));
        return ids;
    }

    private async Task<Guid> InsertOneAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob job, CancellationToken ct)
    {
        await using var insert = new NpgsqlCommand(_sql.Insert, connection, transaction);
        insert.Parameters.AddWithValue("id", job.Id);
        insert.Parameters.AddWithValue("queue", job.Queue);
        insert.Parameters.AddWithValue("kind", job.Kind);
        insert.Parameters.AddWithValue("version", job.Version);
        insert.Parameters.AddWithValue("max", job.MaxAttempts);
        insert.Parameters.AddWithValue("args", NpgsqlDbType.Jsonb, job.Args);
        insert.Parameters.Add(Optional("due", NpgsqlDbType.TimestampTz, job.DueAt?.ToUniversalTime()));
        insert.Parameters.Add(Optional("expires", NpgsqlDbType.TimestampTz, job.ExpiresAt?.ToUniversalTime()));
        insert.Parameters.Add(Optional("key", NpgsqlDbType.Text, job.UniqueKey));
        insert.Parameters.Add(Optional("by", NpgsqlDbType.Text, job.RequestedBy));
        insert.Parameters.Add(Optional("trace", NpgsqlDbType.Text, job.TraceParent));
        insert.Parameters.AddWithValue("wake", job.DueAt is null && ShouldWake(job.Queue));
        insert.Parameters.AddWithValue("channel", _sql.Channel);

        // The holder of the key may finish between our insert and our look: then the key is free again. Each round meets another holder.
        while (true)
        {
            await using (var reader = await insert.ExecuteReaderAsync(ct))
            {
                if (await reader.ReadAsync(ct))
                    return reader.GetGuid(0);
            }
            await using var holder = new NpgsqlCommand(_sql.FindUnique, connection, transaction);
            holder.Parameters.AddWithValue("kind", job.Kind);
            holder.Parameters.AddWithValue("key", job.UniqueKey ?? "");
            if (await holder.ExecuteScalarAsync(ct) is Guid existing)
                return existing;
        }
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

            var stored = await ReadGuidsAsync(insert, ct);
            foreach (var at in open.Where(at => stored.Contains(jobs[at].Id)))
                ids[at] = jobs[at].Id;
            open.RemoveAll(at => stored.Contains(jobs[at].Id));
            await FindHoldersAsync(connection, transaction, jobs, open, ids, ct);
        }
        await WakeAsync(connection, transaction, jobs.Where(job => job.DueAt is null).Select(job => job.Queue), ct);
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

    private async Task<IReadOnlyList<Guid>> CopyAsync(NpgsqlConnection connection, IEnumerable<NewJob> jobs, CancellationToken ct)
    {
        var ids = new List<Guid>();
        var queues = new HashSet<string>(StringComparer.Ordinal);
        // due_at is not left to its default: a copied null would be null. The database's clock is asked once and each job stands a microsecond after the one before.
        await using var clock = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        var now = (DateTime)(await clock.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException("The database did not say what time it is."));

        await using (var copy = await connection.BeginBinaryImportAsync(_sql.Copy, ct))
        {
            foreach (var job in jobs)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(job.Id, NpgsqlDbType.Uuid, ct);
                await copy.WriteAsync(job.DueAt?.UtcDateTime ?? now.AddMicroseconds(ids.Count), NpgsqlDbType.TimestampTz, ct);
                await copy.WriteAsync(job.Version, NpgsqlDbType.Integer, ct);
                await copy.WriteAsync(job.MaxAttempts, NpgsqlDbType.Integer, ct);
                await copy.WriteAsync(job.Queue, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(job.Kind, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(job.Args, NpgsqlDbType.Jsonb, ct);
                await WriteOptionalAsync(copy, job.ExpiresAt?.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
                await WriteOptionalAsync(copy, job.RequestedBy, NpgsqlDbType.Text, ct);
                await WriteOptionalAsync(copy, job.TraceParent, NpgsqlDbType.Text, ct);
                ids.Add(job.Id);
                if (job.DueAt is null)
                    queues.Add(job.Queue);
            }
            await copy.CompleteAsync(ct);
        }
        await WakeAsync(connection, transaction: null, queues, ct);
        return ids;
    }

    private static Task WriteOptionalAsync<T>(NpgsqlBinaryImporter copy, T? value, NpgsqlDbType type, CancellationToken ct) =>
        value is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(value, type, ct);

    private async Task WakeAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<string> queues, CancellationToken ct)
    {
        var loud = queues.Distinct(StringComparer.Ordinal).Where(ShouldWake).ToArray();
        if (loud.Length == 0)
            return;
        await using var wake = new NpgsqlCommand(JobSql.Wake, connection, transaction);
        wake.Parameters.AddWithValue("channel", _sql.Channel);
        wake.Parameters.Add(Array("queues", NpgsqlDbType.Text, loud));
        await wake.ExecuteNonQueryAsync(ct);
    }

    /// <summary>True when this queue was not just woken by this process; a race sends one NOTIFY more, never one too few for the stated interval.</summary>
    private bool ShouldWake(string queue)
    {
        if (!options.Notify)
            return false;
        var now = Stopwatch.GetTimestamp();
        if (_lastWake.TryGetValue(queue, out var last) && Stopwatch.GetElapsedTime(last, now).TotalMilliseconds < options.NotifyMilliseconds)
            return false;
        _lastWake[queue] = now;
        return true;
    }

    private static async Task<HashSet<Guid>> ReadGuidsAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var found = new HashSet<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            found.Add(reader.GetGuid(0));
        return found;
    }

    private static string Known(JobRegistry registry) =>
        registry.Kinds.Count == 0 ? "none" : string.Join(", ", registry.Kinds.Select(kind => kind.Name).Order(StringComparer.Ordinal).Take(20));

    private static NpgsqlParameter Optional(string name, NpgsqlDbType type, object? value) => new(name, type) { Value = value ?? DBNull.Value };

    private static NpgsqlParameter Array(string name, NpgsqlDbType type, Array value) => new(name, NpgsqlDbType.Array | type) { Value = value };
}
