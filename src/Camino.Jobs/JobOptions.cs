namespace Camino.Jobs;

/// <summary>What one enqueue may say beside the arguments. All optional.</summary>
public sealed record JobOptions
{
    /// <summary>Another queue than the kind's own.</summary>
    public string? Queue { get; init; }

    /// <summary>Not before this time (the database's clock decides).</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>At most one job of the kind has this key, for as long as <see cref="UniqueScope"/> says; a second enqueue answers with the first one's id. 1 to 200 characters.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>How long the key stays taken.</summary>
    public JobUnique UniqueScope { get; init; }

    /// <summary>With <see cref="JobUnique.Within"/>: how long, from the enqueue on, whatever becomes of the job. 1 second to 366 days.</summary>
    public TimeSpan? UniqueFor { get; init; }

    /// <summary>When the key is taken by a job that still waits: which of its fields take the values of this enqueue. A job that runs is left alone.</summary>
    public JobReplace Replace { get; init; }

    /// <summary>Other attempts than the kind's own, 1 to 100.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>The user who asked (a user id, never a name).</summary>
    public string? RequestedBy { get; init; }

    /// <summary>When the job would be pointless: not started by then, it is cancelled with the reason "expired" (the database's clock decides).</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The job waits until these have ended; at most 1,000 (for more, see <see cref="JobWriter.EnqueueBatchAsync"/>). One that is not there any more counts as done.</summary>
    public IReadOnlyList<Guid> After { get; init; } = [];

    /// <summary>Which end of the jobs of <see cref="After"/> lets this one go on.</summary>
    public JobEnd AfterEnd { get; init; }

    /// <summary>How many jobs of a key run at once, and how many start in a period.</summary>
    public JobLimit? Limit { get; init; }

    /// <summary>Words to find the job by: at most 10, each 1 to 60 characters; never personal data.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>How long a unique key stays taken. Keys of different scopes do not meet.</summary>
public enum JobUnique
{
    /// <summary>While a job with the key waits or runs.</summary>
    UntilDone,

    /// <summary>Until the job is first taken by a server: what is asked for while it runs is asked for anew. A retry does not take the key again.</summary>
    UntilStarted,

    /// <summary>For <see cref="JobOptions.UniqueFor"/> from the enqueue on, also when the job is long over.</summary>
    Within,
}

/// <summary>Fields of a waiting job that a second enqueue with its key replaces.</summary>
[Flags]
public enum JobReplace
{
    None = 0,

    /// <summary>Arguments and their version.</summary>
    Args = 1,

    /// <summary>The due time; where the second enqueue names none, the job is due now.</summary>
    DueAt = 2,

    /// <summary>The queue.</summary>
    Queue = 4,

    /// <summary>Attempts in all.</summary>
    MaxAttempts = 8,

    /// <summary>When the job becomes pointless, or that it never does.</summary>
    ExpiresAt = 16,

    /// <summary>Who asked.</summary>
    RequestedBy = 32,
}

/// <summary>Which end of a job lets those that wait for it go on.</summary>
public enum JobEnd
{
    /// <summary>
    /// It is done. While it is failed they wait on, because it may be retried; when it is cancelled, or acknowledged as failed, they are cancelled.
    /// </summary>
    Done,

    /// <summary>It is done, failed or cancelled.</summary>
    Any,
}

/// <summary>
/// A bound on the jobs that share a key, across queues and servers. Jobs over it wait outside the order of the claim and are let in by due time; each start,
/// also of a second attempt, counts. When jobs of one key name different bounds, each is held to its own.
/// </summary>
/// <param name="Key">1 to 200 characters, for example <c>bureau:equifax</c>.</param>
/// <param name="AtOnce">At most so many run at the same time, 1 to 10,000; null for no such bound.</param>
/// <param name="Rate">At most so many start in any <paramref name="Period"/>, 1 to 10,000; null for no such bound.</param>
/// <param name="Period">1 second to 1 day; needed with <paramref name="Rate"/>.</param>
public sealed record JobLimit(string Key, int? AtOnce = null, int? Rate = null, TimeSpan? Period = null);

/// <summary>What an enqueue came to.</summary>
/// <param name="Id">The new job's id, or that of the one that has the key.</param>
/// <param name="Existed">The key was taken; nothing new was stored.</param>
/// <param name="Replaced">The waiting one took the fields that <see cref="JobOptions.Replace"/> names.</param>
public sealed record JobReceipt(Guid Id, bool Existed, bool Replaced);

/// <summary>What puts jobs into the queue: the part of the contract that every engine has.</summary>
public interface IJobWriter
{
    /// <summary>Checks and encodes one job without storing it.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    NewJob Prepare<TArgs>(TArgs args, JobOptions? jobOptions = null)
        where TArgs : IJobArgs;

    /// <summary>Stores prepared jobs of any kinds inside the caller's transaction, each with its own options.</summary>
    /// <returns>For each job, in order, its id or the id of the job that holds its unique key.</returns>
    Task<IReadOnlyList<Guid>> InsertAsync(
        Npgsql.NpgsqlConnection connection, Npgsql.NpgsqlTransaction? transaction, IReadOnlyCollection<NewJob> jobs, CancellationToken ct = default);
}

/// <summary>What people ask of and do to single jobs: the part of the contract that every engine has.</summary>
public interface IJobControl
{
    /// <summary>Everything about one job, or null when there is none with that id.</summary>
    Task<JobDetail?> GetAsync(Guid id, CancellationToken ct = default);

    /// <summary>Cancels a waiting job at once; asks the server of a running one, whose token fires within 2 seconds.</summary>
    Task<JobCommandOutcome> RequestCancelAsync(Guid id, string by, string? reason, CancellationToken ct = default);

    /// <summary>Gives a failed or cancelled job one attempt more, at once; a scheduled one is due now.</summary>
    Task<JobCommandOutcome> RetryAsync(Guid id, string by, CancellationToken ct = default);
}
