namespace Camino.Jobs;

/// <summary>Where a job stands; in JSON and rows these names in lower case.</summary>
public enum JobState
{
    /// <summary>Due, and waits for a free slot.</summary>
    Waiting,

    /// <summary>Not due yet: enqueued for later, snoozed, or between two attempts.</summary>
    Scheduled,

    /// <summary>A server has it.</summary>
    Running,

    /// <summary>Finished as asked.</summary>
    Done,

    /// <summary>The last attempt failed, or the handler gave up.</summary>
    Failed,

    /// <summary>Somebody cancelled it, or it expired.</summary>
    Cancelled,

    /// <summary>Waits for other jobs, or for a slot of its limit.</summary>
    Held,
}

/// <summary>One page of jobs, newest first.</summary>
/// <param name="Jobs">At most as many as were asked for.</param>
/// <param name="Next">Give this to get the page after; null when this is the last.</param>
public sealed record JobPage(IReadOnlyList<JobLine> Jobs, Guid? Next)
{
    /// <summary>The look ended before the page was full: a filter that few jobs meet goes on with <see cref="Next"/>.</summary>
    public bool Cut { get; init; }
}

/// <summary>One job in a list: no arguments, no result.</summary>
/// <param name="Attempt">Attempts begun, 0 before the first.</param>
/// <param name="Error">The first 200 characters of the error, of a failed job.</param>
public sealed record JobLine(
    Guid Id, JobState State, string Queue, string Kind, int Attempt, int MaxAttempts, string? RequestedBy, DateTimeOffset EnqueuedAt,
    DateTimeOffset DueAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? Server, bool CancelRequested, string? Error, JobProgress? Progress)
{
    /// <summary>In alphabetical order.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>How far a job is.</summary>
/// <param name="Done">Units done; never goes back.</param>
/// <param name="Total">Units in all, where known.</param>
/// <param name="Message">Short text for staff.</param>
public sealed record JobProgress(long Done, long? Total, string? Message);

/// <summary>How far the jobs of a batch are, or those that a job waits for; what is left is <c>Total - Done - Failed - Cancelled</c>.</summary>
public sealed record JobBatch(int Total, int Done, int Failed, int Cancelled);

/// <summary>Who cancelled, or asked to, when and why.</summary>
public sealed record JobCancellation(DateTimeOffset At, string By, string? Reason);

/// <summary>One attempt that did not end in done.</summary>
/// <param name="Outcome">failed, timed_out, snoozed, rescued, abandoned, cancelled, retried (by hand).</param>
public sealed record JobAttempt(int Number, string Outcome, DateTimeOffset? StartedAt, DateTimeOffset EndedAt, string? Server, string? Error);

/// <summary>Everything that is known of one job.</summary>
/// <param name="Args">The arguments as JSON; show them masked, to people who may see them.</param>
/// <param name="Result">The result as JSON.</param>
/// <param name="Attempts">What went wrong so far, oldest first, at most 200.</param>
/// <param name="TraceId">The trace of the request that asked, 32 hexadecimal digits.</param>
public sealed record JobDetail(
    Guid Id, JobState State, string Queue, string Kind, int Version, int Attempt, int MaxAttempts, string? RequestedBy, DateTimeOffset EnqueuedAt,
    DateTimeOffset DueAt, DateTimeOffset? ExpiresAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? Server, JobCancellation? Cancellation,
    string? UniqueKey, string? TraceId, string Args, string? Result, string? Error, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy,
    JobProgress? Progress, IReadOnlyList<JobAttempt> Attempts)
{
    /// <summary>What the handler said to staff: the latest 1,000 lines, oldest first.</summary>
    public IReadOnlyList<JobLogLine> Log { get; init; } = [];

    /// <summary>In alphabetical order.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The job whose handler asked for this one.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>The jobs that this one's handler asked for, the first 100.</summary>
    public IReadOnlyList<Guid> Children { get; init; } = [];

    /// <summary>The jobs that it still waits for, at most 100 of them.</summary>
    public IReadOnlyList<Guid> WaitsFor { get; init; } = [];

    /// <summary>The jobs that wait for it, at most 100 of them.</summary>
    public IReadOnlyList<Guid> WaitedForBy { get; init; } = [];

    /// <summary>How those that it waits or waited for ended so far; null when it never waited for any.</summary>
    public JobBatch? Batch { get; init; }

    /// <summary>The limit that it shares with others.</summary>
    public string? LimitKey { get; init; }

    /// <summary>The recurring entry that it belongs to.</summary>
    public string? Schedule { get; init; }

    /// <summary>The moment of that entry which it stands for.</summary>
    public DateTimeOffset? PlannedAt { get; init; }
}

/// <summary>One line of a job's own log.</summary>
public sealed record JobLogLine(DateTimeOffset At, int Attempt, string Line);

/// <summary>One queue's figures now. Counts stop at <see cref="JobStore.CountCap"/>: that value means "so many or more".</summary>
/// <param name="Ready">Due and waiting.</param>
/// <param name="Scheduled">Not due yet.</param>
/// <param name="Running">With a server.</param>
/// <param name="FailedLastHour">Failed for good in the last hour.</param>
/// <param name="OldestAge">How long the oldest due job has waited; null when none does.</param>
/// <param name="Paused">Nobody takes from it for now.</param>
/// <param name="Served">A living server serves it.</param>
public sealed record QueueFigures(string Queue, long Ready, long Scheduled, long Running, long FailedLastHour, TimeSpan? OldestAge, bool Paused, bool Served)
{
    /// <summary>Waiting for other jobs, or for a slot of their limit.</summary>
    public long Held { get; init; }
}

/// <summary>One start of one server.</summary>
/// <param name="State">running, draining, retired (behind the release fence), stopped or lost.</param>
/// <param name="SilentFor">Since its last sign of life, by the database's clock.</param>
public sealed record JobServerLine(
    Guid Id, string Name, string Role, string Release, long ReleaseNumber, string State, int Slots, int Running, IReadOnlyList<string> Queues,
    DateTimeOffset StartedAt, DateTimeOffset LastBeatAt, TimeSpan SilentFor);

/// <summary>A queue or kind that is paused.</summary>
public sealed record JobPause(string Scope, string Name, DateTimeOffset PausedAt, string PausedBy, string? Reason);

/// <summary>Jobs at the head of a queue that no living server can run.</summary>
/// <param name="Jobs">How many of the first 1,000 of the queue.</param>
public sealed record UnservedKind(string Queue, string Kind, long Jobs, DateTimeOffset Since);

/// <summary>What became of a command on one job.</summary>
public enum JobCommandOutcome
{
    /// <summary>Carried out.</summary>
    Done,

    /// <summary>The running job's server is told; its token fires within 2 seconds.</summary>
    Requested,

    /// <summary>There is no such job (any more).</summary>
    NotFound,

    /// <summary>The job's state does not allow it, for example retry of a running one.</summary>
    WrongState,

    /// <summary>Another live job has the same unique key.</summary>
    KeyTaken,
}
