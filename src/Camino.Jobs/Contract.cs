using Npgsql;

namespace Camino.Jobs;

/// <summary>
/// The arguments of one kind of job: ids and dates only, never personal data. They cross deployments as JSON, so a kind is never
/// renamed or reused and a property only added.
/// </summary>
public interface IJobArgs
{
    /// <summary>Stable name, stored in rows: lower case words, dots and hyphens, 3 to 100 characters (<c>imports.load</c>).</summary>
    static abstract string Kind { get; }

    /// <summary>Version of the payload; a server claims only versions that it knows. From 1 upward.</summary>
    static virtual int Version => 1;

    /// <summary>The queue used when the caller names none.</summary>
    static virtual string Queue => JobQueues.Default;

    /// <summary>Attempts in all before the job is failed, and the waits between them.</summary>
    static virtual JobRetry Retry => JobRetry.Standard;

    /// <summary>The longest that one attempt may run before its token fires and the attempt counts as failed; null for no limit. 1 second to 7 days.</summary>
    static virtual TimeSpan? Timeout => null;
}

/// <summary>Runs one kind of job. Made anew for each run from a scope of its own; must be safe to run twice.</summary>
public interface IJobHandler<in TArgs>
    where TArgs : IJobArgs
{
    /// <summary>Does the work. Returning means done; throwing means another attempt, or failed after the last.</summary>
    /// <param name="args">As they were enqueued.</param>
    /// <param name="job">Identity, progress, checkpoint, result, and the fence of this run.</param>
    /// <param name="ct">Fires when the job is cancelled, its lease is lost, or the server stops.</param>
    Task RunAsync(TArgs args, JobContext job, CancellationToken ct);
}

/// <summary>The queues that the default configuration serves, most urgent first.</summary>
public static class JobQueues
{
    /// <summary>A person is waiting for it.</summary>
    public const string Urgent = "urgent";

    /// <summary>Notices to programs, which may be slow to take them: soon, and never more than a part of the slots.</summary>
    public const string Notices = "notices";

    /// <summary>Papers that people look at as soon as they are made: contracts, letters.</summary>
    public const string Documents = "documents";

    /// <summary>Ordinary work: soon, but nobody is looking at the clock.</summary>
    public const string Default = "default";

    /// <summary>Large work that may take hours: imports, exports, re-calculations.</summary>
    public const string Bulk = "bulk";
}

/// <summary>How often a job is tried and how long it waits in between: <c>First x 2^(attempt-1)</c>, at most <c>Longest</c>, jittered by a quarter.</summary>
/// <param name="Attempts">Attempts in all, 1 to 100.</param>
/// <param name="First">Wait after the first failed attempt.</param>
/// <param name="Longest">The longest wait.</param>
public sealed record JobRetry(int Attempts, TimeSpan First, TimeSpan Longest)
{
    /// <summary>10 attempts, from 5 seconds to 1 hour.</summary>
    public static JobRetry Standard { get; } = new(10, TimeSpan.FromSeconds(5), TimeSpan.FromHours(1));
}

/// <summary>The run in hand: who asked, which attempt, and every write that only the holder of the lease may make.</summary>
public abstract class JobContext
{
    /// <summary>The job's id, known to the caller since the enqueue.</summary>
    public abstract Guid JobId { get; }

    /// <summary>Stable kind of the job.</summary>
    public abstract string Kind { get; }

    /// <summary>The queue it was taken from.</summary>
    public abstract string Queue { get; }

    /// <summary>1 for the first attempt.</summary>
    public abstract int Attempt { get; }

    /// <summary>Attempts in all before the job is failed.</summary>
    public abstract int MaxAttempts { get; }

    /// <summary>The user who asked, if one did.</summary>
    public abstract string? RequestedBy { get; }

    /// <summary>The moment that a recurring job stands for, which may lie well before its start; null for every other job.</summary>
    public virtual DateTimeOffset? PlannedAt => null;

    /// <summary>Stores progress; never backwards, at most once a second reaches the table (the last one always does).</summary>
    /// <param name="done">Units done, 0 or more.</param>
    /// <param name="total">Units in all, or null when not known.</param>
    /// <param name="message">Short text shown to staff, at most 200 characters; never personal data.</param>
    /// <exception cref="LeaseLostException">another server has the job.</exception>
    public abstract ValueTask ReportProgressAsync(long done, long? total, string? message = null, CancellationToken ct = default);

    /// <summary>Adds a line to the job's own log, which staff read on its page; stored within a second, in order, at most 1,000 lines for each attempt.</summary>
    /// <param name="line">1 to 500 characters; never personal data.</param>
    /// <exception cref="LeaseLostException">another server has the job.</exception>
    public abstract ValueTask LogAsync(string line, CancellationToken ct = default);

    /// <summary>The checkpoint that the last run left, or null.</summary>
    public abstract T? ReadCheckpoint<T>()
        where T : class;

    /// <summary>Stores a checkpoint inside the handler's own transaction, together with the rows it stands for, and refuses it when the lease is lost.</summary>
    /// <exception cref="LeaseLostException">another server has the job: roll back.</exception>
    public abstract Task WriteCheckpointAsync<T>(NpgsqlConnection connection, NpgsqlTransaction transaction, T checkpoint, CancellationToken ct)
        where T : class;

    /// <summary>Compares the lease inside the handler's own transaction and holds it until the commit, so that no effect of a lost run is stored.</summary>
    /// <exception cref="LeaseLostException">another server has the job: roll back.</exception>
    public abstract Task HoldLeaseAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct);

    /// <summary>Finishes the job inside the handler's own transaction: effect and "done" commit together, exactly once.</summary>
    /// <exception cref="LeaseLostException">another server has the job: roll back.</exception>
    public abstract Task CompleteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, object? result, CancellationToken ct);

    /// <summary>The result to store when the handler returns; JSON, at most 64 KB.</summary>
    public abstract void SetResult(object? result);
}

/// <summary>This run no longer holds its job: another server was given it. Nothing it writes counts; let it fly.</summary>
public sealed class LeaseLostException(Guid jobId) : Exception($"The lease on job {jobId} is lost; another server has it.");

/// <summary>The handler gives up for a stated reason: no further attempt is made, and the job is shown as failed with that reason.</summary>
public sealed class JobAbandonedException(string reason) : Exception(reason);

/// <summary>The handler asks to be run again later without burning an attempt (a bureau that is closed, a file not yet there).</summary>
/// <param name="wait">How long to wait, above zero and at most 30 days.</param>
/// <param name="reason">Why, shown to staff; never personal data.</param>
public sealed class JobSnoozedException(TimeSpan wait, string reason) : Exception(reason)
{
    /// <summary>How long the job waits before it is taken again.</summary>
    public TimeSpan Wait { get; } = wait > TimeSpan.Zero && wait <= TimeSpan.FromDays(30)
        ? wait
        : throw new ArgumentOutOfRangeException(nameof(wait), wait, "A snooze must be above zero and at most 30 days.");
}
