namespace Camino.Jobs;

/// <summary>What a list of jobs or a command on many is limited to; null for no limit, and all that is given must hold.</summary>
/// <param name="State">Only jobs in this state.</param>
/// <param name="Queue">Only jobs of this queue.</param>
/// <param name="Kind">Only jobs of this kind.</param>
public sealed record JobFilter(JobState? State = null, string? Queue = null, string? Kind = null)
{
    /// <summary>Only jobs with this tag.</summary>
    public string? Tag { get; init; }

    /// <summary>Only jobs with this unique key, as far as they still carry it.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>Only jobs that this user asked for.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>Only jobs that this one's handler asked for.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>Only jobs whose arguments or last error hold this text, in any case; 2 to 200 characters.</summary>
    public string? Text { get; init; }

    /// <summary>Only failed jobs whose error has this cause, as <see cref="JobStore.CausesAsync"/> names it.</summary>
    public string? Cause { get; init; }

    /// <summary>Only jobs enqueued at or after this time.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only jobs enqueued before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>True: only failed jobs that nobody acknowledged.</summary>
    public bool Unacknowledged { get; init; }
}

/// <summary>What can be done to one job or many.</summary>
public enum JobAction
{
    /// <summary>Waiting ones at once, running ones through their server.</summary>
    Cancel,

    /// <summary>Failed and cancelled ones get one attempt more.</summary>
    Retry,

    /// <summary>Scheduled ones are due now.</summary>
    RunNow,

    /// <summary>Scheduled, waiting and held ones are due at another time.</summary>
    ChangeDue,

    /// <summary>Failed ones have been seen.</summary>
    Acknowledge,
}

/// <summary>A command as a user gives it.</summary>
/// <param name="Action">What to do.</param>
/// <param name="By">The user, 1 to 200 characters.</param>
/// <param name="Reason">Why, 1 to 500 characters, or null.</param>
/// <param name="DueAt">The new due time, with <see cref="JobAction.ChangeDue"/> and only then.</param>
public sealed record JobCommand(JobAction Action, string By, string? Reason = null, DateTimeOffset? DueAt = null);

/// <summary>How far a command on many is.</summary>
/// <param name="Matched">Jobs looked at.</param>
/// <param name="Done">Carried out, or asked of the server that runs it.</param>
/// <param name="Refused">Their state did not allow it (any more), or their key is taken.</param>
/// <param name="Cursor">Where to go on; null when all was looked at.</param>
public sealed record JobBulkProgress(long Matched, long Done, long Refused, Guid? Cursor);

/// <summary>How many jobs match.</summary>
/// <param name="Count">At most <see cref="JobStore.CountCap"/>: that value means so many or more.</param>
public sealed record JobCount(long Count)
{
    /// <summary>There may be more.</summary>
    public bool Capped => Count >= JobStore.CountCap;
}

/// <summary>Failed jobs with the same first line of their error, numbers and ids left out.</summary>
/// <param name="Cause">That line, at most 200 characters.</param>
/// <param name="Jobs">How many of the newest 10,000 failed jobs that nobody acknowledged.</param>
/// <param name="Example">The newest of them.</param>
public sealed record JobCause(string Cause, string Kind, long Jobs, DateTimeOffset FirstAt, DateTimeOffset LastAt, Guid Example);
