using Microsoft.Extensions.Logging;

namespace Camino.Jobs;

/// <summary>One event for each change of state. Arguments are never among the values.</summary>
internal static partial class JobLog
{
    [LoggerMessage(1001, LogLevel.Information, "Job {Kind} from {Queue} started, attempt {Attempt} of {MaxAttempts}, after {WaitSeconds:F3} s of waiting")]
    public static partial void Started(ILogger logger, string kind, string queue, int attempt, int maxAttempts, double waitSeconds);

    [LoggerMessage(1002, LogLevel.Information, "Job {Kind} done in {RunSeconds:F3} s")]
    public static partial void Done(ILogger logger, string kind, double runSeconds);

    [LoggerMessage(1003, LogLevel.Warning, "Job {Kind} failed in attempt {Attempt} of {MaxAttempts}; the next is in {WaitSeconds:F1} s")]
    public static partial void Retried(ILogger logger, Exception? exception, string kind, int attempt, int maxAttempts, double waitSeconds);

    [LoggerMessage(1004, LogLevel.Error, "Job {Kind} failed for good in attempt {Attempt} of {MaxAttempts}: {Outcome}")]
    public static partial void Failed(ILogger logger, Exception? exception, string kind, int attempt, int maxAttempts, string outcome);

    [LoggerMessage(1005, LogLevel.Information, "Job {Kind} cancelled: {Reason}")]
    public static partial void Cancelled(ILogger logger, string kind, string reason);

    [LoggerMessage(1006, LogLevel.Information, "Job {Kind} snoozed for {WaitSeconds:F1} s")]
    public static partial void Snoozed(ILogger logger, string kind, double waitSeconds);

    [LoggerMessage(1007, LogLevel.Information, "Job {Kind} returned to its queue without burning an attempt: {Reason}")]
    public static partial void Returned(ILogger logger, string kind, string reason);

    [LoggerMessage(1008, LogLevel.Warning, "Job {Kind}: the end of a run that had lost its lease was refused")]
    public static partial void Refused(ILogger logger, string kind);

    [LoggerMessage(1009, LogLevel.Error, "Job {Kind}: the handler did not return {StuckSeconds} s after its token fired; its slot is given to others while it still runs")]
    public static partial void Stuck(ILogger logger, string kind, int stuckSeconds);

    [LoggerMessage(1010, LogLevel.Error, "Job {Kind}: its result could not be stored ({SqlState}) and is replaced by that error")]
    public static partial void Unstorable(ILogger logger, Exception exception, string kind, string sqlState);

    [LoggerMessage(1011, LogLevel.Debug, "{Jobs} jobs were let in by their limits")]
    public static partial void LetIn(ILogger logger, long jobs);

    [LoggerMessage(1012, LogLevel.Debug, "{Jobs} jobs go on, whose wait for others is over")]
    public static partial void Released(ILogger logger, int jobs);

    [LoggerMessage(1013, LogLevel.Information, "Job {JobId} {Kind} was asked for in {Queue}; it stands when its transaction does")]
    public static partial void AskedFor(ILogger logger, Guid jobId, string kind, string queue);

    [LoggerMessage(1014, LogLevel.Information, "{Jobs} jobs were asked for at once; they stand when their transaction does")]
    public static partial void ManyAskedFor(ILogger logger, int jobs);

    [LoggerMessage(1015, LogLevel.Information, "Job {JobId}: {Command} by hand")]
    public static partial void Commanded(ILogger logger, Guid jobId, string command);

    [LoggerMessage(1020, LogLevel.Information, "Job server {ServerName} ({Release}) takes from {Queues} with {Slots} slots; it knows {Kinds} kinds")]
    public static partial void ServerStarted(ILogger logger, string serverName, string release, string queues, int slots, int kinds);

    [LoggerMessage(1021, LogLevel.Information, "Job server {ServerName} takes no more; {Running} jobs have {GraceSeconds} s to finish")]
    public static partial void Draining(ILogger logger, string serverName, int running, int graceSeconds);

    [LoggerMessage(1022, LogLevel.Information, "Job server {ServerName} stopped; {Returned} jobs were returned")]
    public static partial void ServerStopped(ILogger logger, string serverName, int returned);

    [LoggerMessage(1023, LogLevel.Error, "Job server {ServerName} was declared lost; its {Running} jobs belong to others now. It starts over under a new id")]
    public static partial void Lost(ILogger logger, string serverName, int running);

    [LoggerMessage(1024, LogLevel.Warning, "Job server {LostName} ({Release}) stopped answering; last sign of life {LastBeatAt:O}")]
    public static partial void OtherLost(ILogger logger, string lostName, string release, DateTime lastBeatAt);

    [LoggerMessage(1025, LogLevel.Warning, "Job {JobId} ({Kind}, attempt {Attempt}) was taken from {LostName}, which stopped answering; last attempt: {Spent}")]
    public static partial void Rescued(ILogger logger, Guid jobId, string kind, int attempt, string lostName, bool spent);

    [LoggerMessage(1026, LogLevel.Warning, "Job server {ServerName} of release {ReleaseNumber} is outside the release fence and takes nothing")]
    public static partial void Fenced(ILogger logger, string serverName, long releaseNumber);

    [LoggerMessage(1027, LogLevel.Information, "Job server {ServerName} of release {ReleaseNumber} is inside the release fence again")]
    public static partial void Unfenced(ILogger logger, string serverName, long releaseNumber);

    [LoggerMessage(1028, LogLevel.Information, "Job server {ServerName} looks after {Entries} recurring entries")]
    public static partial void Leads(ILogger logger, string serverName, int entries);

    [LoggerMessage(1029, LogLevel.Information, "Recurring entry {Entry}, planned for {PlannedAt:O}: {Outcome}")]
    public static partial void Fired(ILogger logger, string entry, DateTimeOffset plannedAt, string outcome);

    [LoggerMessage(1039, LogLevel.Error, "Recurring entry {Entry} could not be looked after; it is tried again")]
    public static partial void ScheduleFailed(ILogger logger, Exception exception, string entry);

    [LoggerMessage(1030, LogLevel.Warning, "The queue cannot be reached; {Results} results are kept and tried again in {WaitSeconds:F1} s")]
    public static partial void RoundTripFailed(ILogger logger, Exception exception, int results, double waitSeconds);

    [LoggerMessage(1031, LogLevel.Warning, "The heartbeat failed; {SilentSeconds:F1} s since the last one of a lease of {LeaseSeconds} s")]
    public static partial void BeatFailed(ILogger logger, Exception exception, double silentSeconds, int leaseSeconds);

    [LoggerMessage(1032, LogLevel.Information, "The listener is connected to channel {Channel}")]
    public static partial void Listening(ILogger logger, string channel);

    [LoggerMessage(1033, LogLevel.Warning, "The listener is down; work is found by polling until it is back")]
    public static partial void ListenerDown(ILogger logger, Exception? exception);

    [LoggerMessage(1034, LogLevel.Warning, "Upkeep failed; it is tried again")]
    public static partial void UpkeepFailed(ILogger logger, Exception exception);

    [LoggerMessage(1035, LogLevel.Error, "Alarm {Alarm} of {Subject}: {Message}")]
    public static partial void AlarmRaised(ILogger logger, string alarm, string subject, string message);

    [LoggerMessage(1040, LogLevel.Information, "Alarm {Alarm} of {Subject} is over")]
    public static partial void AlarmCleared(ILogger logger, string alarm, string subject);

    [LoggerMessage(1041, LogLevel.Warning, "Pruned {Rows} failed jobs of {Kind} that nobody acknowledged within {Days} days")]
    public static partial void PrunedFailed(ILogger logger, long rows, string kind, int days);

    [LoggerMessage(1042, LogLevel.Warning, "Job server {ServerName} was told to {Wish}; it takes no more")]
    public static partial void Quieted(ILogger logger, string serverName, string wish);

    [LoggerMessage(1043, LogLevel.Information, "Job server {ServerName} was told to work again")]
    public static partial void Unquieted(ILogger logger, string serverName);

    [LoggerMessage(1036, LogLevel.Information, "Pruned {Rows} finished jobs of {Kind}")]
    public static partial void Pruned(ILogger logger, long rows, string kind);

    [LoggerMessage(1038, LogLevel.Warning, "Jobs that wait for others or for their limit could not be looked after; it is tried again")]
    public static partial void ReleaseFailed(ILogger logger, Exception exception);

    [LoggerMessage(1037, LogLevel.Warning, "Progress or log lines of job {Kind} could not be stored")]
    public static partial void ProgressFailed(ILogger logger, Exception exception, string kind);
}
