namespace Camino.Jobs;

/// <summary>One queue over the last hour, a value for each minute, oldest first.</summary>
/// <param name="Minutes">60 of them; the last one is the minute before this.</param>
public sealed record QueueHistory(string Queue, IReadOnlyList<QueueMinute> Minutes);

/// <summary>How a queue stood at a minute, and what went through it in that minute.</summary>
/// <param name="Ready">Jobs that were due and waited; null where no server took a sample.</param>
/// <param name="OldestSeconds">How long the oldest of them had waited; null where no server took a sample.</param>
/// <param name="Done">Jobs done in that minute.</param>
/// <param name="Failed">Jobs failed for good in that minute.</param>
public sealed record QueueMinute(DateTimeOffset Minute, long? Ready, double? OldestSeconds, long Done, long Failed);
