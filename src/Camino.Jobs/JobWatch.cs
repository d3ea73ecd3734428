namespace Camino.Jobs;

/// <summary>One queue in one minute, for charts.</summary>
/// <param name="Minute">Its beginning.</param>
/// <param name="Ready">Due and waiting when the minute was looked at; at most <see cref="JobStore.CountCap"/>. Null: nobody looked.</param>
/// <param name="OldestSeconds">How long the oldest of them had waited.</param>
/// <param name="Done">Done in the minute, on all servers together.</param>
/// <param name="Wait">From due to taken.</param>
/// <param name="Run">From start to end of an attempt.</param>
public sealed record QueueSample(
    DateTimeOffset Minute, string Queue, long? Ready, long? Scheduled, long? Running, double? OldestSeconds, int Done, int Failed, int Retried, int Cancelled,
    JobPercentiles Wait, JobPercentiles Run);

/// <summary>Seconds under which half, 95 and 99 of a hundred lie, to the width of their size class; null without any.</summary>
public sealed record JobPercentiles(double? P50, double? P95, double? P99)
{
    internal static JobPercentiles Of(IReadOnlyList<int> classes) =>
        new(JobFlow.Quantile(classes, 0.5), JobFlow.Quantile(classes, 0.95), JobFlow.Quantile(classes, 0.99));
}

/// <summary>Something that an operator has to look at.</summary>
/// <param name="Name">What: unserved, oldest-age, listener-down, pruning-lag, horizon, dead-tuples, bloat, retry-storm, recurring-late.</param>
/// <param name="Subject">Of what: a queue, a server, a table, an entry.</param>
/// <param name="ClearedAt">When it was over; null while it lasts.</param>
/// <param name="Value">The figure that raised it, in the unit that the message names.</param>
/// <param name="Threshold">What it had to stay under.</param>
/// <param name="Message">One sentence, with what to do.</param>
public sealed record JobAlarm(
    string Name, string Subject, DateTimeOffset Since, DateTimeOffset SeenAt, DateTimeOffset? ClearedAt, double Value, double Threshold, string Message);

/// <summary>A trouble as it was just found.</summary>
internal sealed record AlarmFinding(string Name, string Subject, double Value, double Threshold, string Message);

/// <summary>From which figures on an operator is told.</summary>
public sealed class JobAlarmOptions
{
    /// <summary>Seconds that the oldest open transaction may hold the horizon of the vacuum back, 10 to 86,400.</summary>
    public int HorizonSeconds { get; set; } = 600;

    /// <summary>Dead rows of a table of the queue that may wait for the vacuum, 1,000 to 100,000,000.</summary>
    public int DeadTuples { get; set; } = 200_000;

    /// <summary>Megabytes that an index of the table of waiting jobs may be larger than its rows need, 1 to 100,000.</summary>
    public int BloatMegabytes { get; set; } = 256;

    /// <summary>Attempts of a queue that failed and are made again within five minutes, from which on it is a storm when they are more than those that were done; 10 to 1,000,000.</summary>
    public int RetriesInFiveMinutes { get; set; } = 100;

    internal IEnumerable<string> Faults(string section)
    {
        if (HorizonSeconds is < 10 or > 86_400)
            yield return $"{section}:HorizonSeconds is {HorizonSeconds}; it must be 10 to 86400.";
        if (DeadTuples is < 1000 or > 100_000_000)
            yield return $"{section}:DeadTuples is {DeadTuples}; it must be 1000 to 100000000.";
        if (BloatMegabytes is < 1 or > 100_000)
            yield return $"{section}:BloatMegabytes is {BloatMegabytes}; it must be 1 to 100000.";
        if (RetriesInFiveMinutes is < 10 or > 1_000_000)
            yield return $"{section}:RetriesInFiveMinutes is {RetriesInFiveMinutes}; it must be 10 to 1000000.";
    }
}

/// <summary>How long jobs of one kind are kept when they are over. What waits or runs is never touched.</summary>
public sealed class JobRetention
{
    /// <summary>The kind, as it stands in rows.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Days that done ones are kept, 1 to 3,650; null: as all kinds.</summary>
    public int? DoneDays { get; set; }

    /// <summary>Days that cancelled ones are kept, 1 to 3,650; null: as all kinds.</summary>
    public int? CancelledDays { get; set; }

    /// <summary>Days that failed ones are kept that nobody acknowledged, 1 to 3,650; acknowledged ones are kept like done ones. Null: as all kinds.</summary>
    public int? FailedDays { get; set; }
}

/// <summary>One rule of keeping, with every figure known.</summary>
/// <param name="Kind">Only this kind; null for all but those that have a rule of their own.</param>
internal sealed record KeepRule(string? Kind, int DoneDays, int CancelledDays, int FailedDays);

/// <summary>What one batch of pruning took.</summary>
/// <param name="Rows">All rows.</param>
/// <param name="Failed">Those among them that had failed and that nobody acknowledged.</param>
/// <param name="Last">The newest of them, after which the next batch goes on.</param>
internal sealed record PrunedBatch(long Rows, long Failed, Guid Last);
