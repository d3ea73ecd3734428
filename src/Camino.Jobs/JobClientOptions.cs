namespace Camino.Jobs;

/// <summary>What both roles must agree on, and how loudly an enqueue wakes the servers.</summary>
public sealed class JobClientOptions
{
    /// <summary>The schema of the engine's tables: lower case letters, digits, underscores, 1 to 40 characters.</summary>
    public string Schema { get; set; } = JobSchema.DefaultName;

    /// <summary>False: no NOTIFY is ever sent, and servers find work by polling alone.</summary>
    public bool Notify { get; set; } = true;

    /// <summary>
    /// Milliseconds in which this process sends at most one NOTIFY for each queue, 0 to 1,000; 0: every transaction. A commit with NOTIFY holds a lock that
    /// the whole database shares, so a burst sends few of them; servers that were just woken look again by themselves within 20 milliseconds.
    /// </summary>
    public int NotifyMilliseconds { get; set; } = 1;

    /// <summary>The queues that jobs may go to; a job for any other is refused at the enqueue. Empty: any, and one that nobody serves raises an alarm.</summary>
    public ISet<string> Queues { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Every value that is out of range, as sentences; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (!JobNames.SchemaForm().IsMatch(Schema))
            faults.Add($"Schema is '{Schema}'; it must be 1 to 40 lower case letters, digits and underscores, and not begin with a digit.");
        if (NotifyMilliseconds is < 0 or > 1000)
            faults.Add($"NotifyMilliseconds is {NotifyMilliseconds}; it must be 0 to 1000.");
        return faults;
    }
}
