using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Camino.Jobs;

/// <summary>
/// Inserts jobs inside the caller's own transaction: a job exists exactly when that transaction commits. Rolled back, it never ran and woke nobody.
/// </summary>
/// <param name="options">Schema and wake-up.</param>
/// <param name="registry">The known kinds; null to take any.</param>
/// <param name="logger">Where each job asked for is noted, and many at once as one line; null: nowhere.</param>
/// <remarks>
/// What is refused: arguments over 64 KB, kinds that the registry does not have, queues that <see cref="JobClientOptions.Queues"/> does not list (where it lists
/// any). What is only warned about, because another release may serve it: a queue or kind that no living server serves, by an alarm after a minute.
/// </remarks>
public sealed partial class JobWriter(JobClientOptions options, JobRegistry? registry = null, ILogger<JobWriter>? logger = null) : IJobWriter
{
    /// <summary>A job may have so many forebears that each asked for the next; a handler that asks for itself for ever ends here.</summary>
    public const int MostGenerations = 10_000;

    private const int RowsPerStatement = 1000;
    private const int RowsPerCopy = 10_000;

    /// <summary>Wakes those who let waiting jobs go on, and those who watch limits. Six characters, as servers of the first release expect of what they do not know.</summary>
    internal const string WakeAfter = "!after";
    internal const string WakeLimit = "!limit";

    private readonly JobSql _sql = new(options.Schema);
    private readonly ILogger _logger = logger ?? NullLogger<JobWriter>.Instance;
    private readonly ConcurrentDictionary<string, long> _lastWake = new(StringComparer.Ordinal);

    /// <summary>Stores one job.</summary>
    /// <param name="connection">Open; the job becomes part of its transaction.</param>
    /// <param name="transaction">The caller's transaction; null when the connection has none, and the job then stands at once.</param>
    /// <param name="args">Ids and dates, at most 64 KB as JSON.</param>
    /// <param name="jobOptions">Queue, due time, unique key, limit, what to wait for, tags, attempts, asking user.</param>
    /// <returns>The job's id, or with a unique key the id of the job that already holds it.</returns>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed; nothing is stored.</exception>
    public async Task<Guid> EnqueueAsync<TArgs>(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, TArgs args, JobOptions? jobOptions = null, CancellationToken ct = default)
        where TArgs : IJobArgs
        => (await PutAsync(connection, transaction, Prepare(args, jobOptions), ct)).Id;

    /// <summary>Stores one prepared job and says whether its key was taken.</summary>
    /// <exception cref="JobChainException">too many jobs have asked for each other.</exception>
    public async Task<JobReceipt> PutAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, NewJob job, CancellationToken ct = default)
    {
        // Without a transaction of the caller the rows beside the job's must not be able to go missing.
        await using var own = transaction is null && (job.HasMore || job.GoesAlone) ? await connection.BeginTransactionAsync(ct) : null;
        var receipt = await InsertOneAsync(connection, transaction ?? own, job, ct);
        if (!receipt.Existed)
        {
            await AddMoreAsync(connection, transaction ?? own, [job], ct);
            JobLog.AskedFor(_logger, job.Id, job.Kind, job.Queue);
        }
        if (own is not null)
            await own.CommitAsync(ct);
        return receipt;
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
        await using var own = transaction is null ? await connection.BeginTransactionAsync(ct) : null;
        var ids = await CopyAsync(connection, transaction ?? own, args.Select(one => Prepare(one, jobOptions)), ct);
        if (own is not null)
            await own.CommitAsync(ct);
        return ids;
    }

    /// <summary>Stores jobs together with one more that runs when all of them have ended.</summary>
    /// <param name="connection">Open; the jobs become part of its transaction.</param>
    /// <param name="transaction">The caller's transaction; null when the connection has none, and the jobs then stand at once, all of them.</param>
    /// <param name="jobs">Read once, in order; at most 1,000,000. None: the end job is due at once.</param>
    /// <param name="end">Runs last; <see cref="JobStore.BatchAsync"/> says how many of the others were done, failed and cancelled.</param>
    /// <param name="when">Any: when all are over. Done: when all are done; while some are failed it waits, and with the first cancelled one it is cancelled.</param>
    /// <returns>The id of the end job, which stands for the batch.</returns>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed; the transaction can then only be rolled back.</exception>
    public async Task<Guid> EnqueueBatchAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<NewJob> jobs, NewJob end, JobEnd when = JobEnd.Any, CancellationToken ct = default)
    {
        if (end.UniqueKey is not null || end.After.Count > 0)
            throw new ArgumentException("The end job of a batch has a UniqueKey or After of its own; it waits for the batch and nothing else.", nameof(end));
        await using var own = transaction is null ? await connection.BeginTransactionAsync(ct) : null;
        var scope = transaction ?? own;
        var keyed = false;
        var ids = (await StoreAsync(connection, scope, jobs.Select(job =>
        {
            keyed |= job.UniqueKey is not null;
            return job;
        }), ct)).Distinct().ToList();
        if (ids.Count > 0)
            end = end with { EndsBatch = true };
        await InsertOneAsync(connection, scope, end, ct);
        await AddMoreAsync(connection, scope, [end], ct);
        if (ids.Count > 0)
        {
            await AddHeldAsync(connection, scope, [(end, ids.Count)], ct);
            // Members that were made here cannot have ended yet; holders of a key may have.
            await CopyEdgesAsync(connection, end.Id, ids, when == JobEnd.Any, isChecked: !keyed, ct);
            await WakeAsync(connection, scope, [WakeAfter], ct);
        }
        if (own is not null)
            await own.CommitAsync(ct);
        return end.Id;
    }

    /// <summary>Checks and encodes one job without storing it.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public NewJob Prepare<TArgs>(TArgs args, JobOptions? jobOptions = null)
        where TArgs : IJobArgs
    {
        var job = NewJob.Create(args, jobOptions);
        if (registry is not null && registry.Find(job.Kind) is null)
            throw new ArgumentException($"The kind '{job.Kind}' is not registered in this process; known are {Known(registry)}.", nameof(args));
        return options.Queues.Count == 0 || options.Queues.Contains(job.Queue)
            ? job
            : throw new ArgumentException($"Queue is '{job.Queue}'; jobs go to {string.Join(", ", options.Queues)}.", nameof(jobOptions));
    }

    /// <summary>Stores prepared jobs of any kinds, each with its own options.</summary>
    /// <returns>For each job, in order, its id or the id of the job that holds its unique key.</returns>
    /// <exception cref="JobChainException">too many jobs have asked for each other.</exception>
    public async Task<IReadOnlyList<Guid>> InsertAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyCollection<NewJob> jobs, CancellationToken ct = default)
    {
        if (jobs.Count == 1)
            return [(await PutAsync(connection, transaction, jobs.First(), ct)).Id];
        await using var own = transaction is null && jobs.Any(job => job.HasMore || job.GoesAlone) ? await connection.BeginTransactionAsync(ct) : null;
        var ids = jobs.Count > RowsPerStatement && jobs.All(job => job.UniqueKey is null)
            ? await CopyAsync(connection, transaction ?? own, jobs, ct)
            : await StoreAsync(connection, transaction ?? own, jobs, ct);
        if (own is not null)
            await own.CommitAsync(ct);
        return ids;
    }

    /// <summary>In groups, those with keys that a group's statement does not know one by one.</summary>
    private async Task<IReadOnlyList<Guid>> StoreAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<NewJob> jobs, CancellationToken ct)
    {
        var ids = new List<Guid>();
        foreach (var chunk in jobs.Chunk(RowsPerStatement))
        {
            var group = chunk.Where(job => !job.GoesAlone).ToArray();
            var stored = new Queue<Guid>(await InsertGroupAsync(connection, transaction, group, ct));
            foreach (var job in chunk)
                ids.Add(job.GoesAlone ? (await PutAsync(connection, transaction, job, ct)).Id : stored.Dequeue());
        }
        return ids;
    }

    private async Task WakeAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, IEnumerable<string> queues, CancellationToken ct)
    {
        var loud = queues.Distinct(StringComparer.Ordinal).Where(ShouldWake).ToArray();
        if (loud.Length == 0)
            return;
        await using var wake = new NpgsqlCommand(JobSql.Wake, connection, transaction);
        wake.Parameters.AddWithValue("channel", _sql.Channel);
        wake.Parameters.Add(Array("queues", NpgsqlTypes.NpgsqlDbType.Text, loud));
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

    private static string Known(JobRegistry registry) =>
        registry.Kinds.Count == 0 ? "none" : string.Join(", ", registry.Kinds.Select(kind => kind.Name).Order(StringComparer.Ordinal).Take(20));
}

/// <summary>Too many jobs have asked for each other, one after another: a handler asks for itself for ever.</summary>
public sealed class JobChainException(Guid parentId)
    : InvalidOperationException($"Job {parentId} is the {JobWriter.MostGenerations}th of a chain of jobs that asked for each other; it may ask for no further one.");
