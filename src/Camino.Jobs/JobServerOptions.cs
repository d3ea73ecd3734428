using System.Globalization;

namespace Camino.Jobs;

/// <summary>One queue that a server serves. The order of the list is the order of urgency.</summary>
public sealed class JobQueueOptions
{
    /// <summary>The queue's name: 1 to 50 lower case letters, digits and hyphens.</summary>
    public string Name { get; set; } = "";

    /// <summary>Slots that no other queue may use, 0 to the server's slots; so an urgent job finds a free one.</summary>
    public int ReservedSlots { get; set; }

    /// <summary>Seconds that its oldest job may wait before an alarm is raised, 1 to 604,800; null: never.</summary>
    public int? TargetSeconds { get; set; }

    /// <summary>Its share of the shared slots where <see cref="JobServerOptions.Order"/> is by weight, 1 to 1,000.</summary>
    public int Weight { get; set; } = 1;

    /// <summary>The most slots that this queue may use at once, 1 to the server's slots; null for all of them.</summary>
    public int? MaxSlots { get; set; }
}

/// <summary>In which order the shared slots take from the queues.</summary>
public enum JobOrder
{
    /// <summary>As listed: the first queue that has work.</summary>
    Strict,

    /// <summary>In turns, each queue that has work according to its weight; no queue waits for another to be empty.</summary>
    Weighted,
}

/// <summary>How one server takes and runs jobs.</summary>
public sealed class JobServerOptions
{
    /// <summary>The name shown to staff, 1 to 100 characters; the machine's name where none is given.</summary>
    public string ServerName { get; set; } = Environment.MachineName;

    /// <summary>The role of the process that takes the jobs, as staff read it, 1 to 100 characters.</summary>
    public string Role { get; set; } = "async";

    /// <summary>The release as people say it, 1 to 100 characters.</summary>
    public string Release { get; set; } = "development";

    /// <summary>The release as the fence compares it, 0 or more; newer is greater.</summary>
    public long ReleaseNumber { get; set; }

    /// <summary>Jobs that run at once, 1 to 256.</summary>
    public int Slots { get; set; } = 16;

    /// <summary>The queues served, most urgent first; 1 to 32 of them.</summary>
    public IList<JobQueueOptions> Queues { get; set; } = [];

    /// <summary>How the shared slots are given out; reserved ones and maxima stand in either way.</summary>
    public JobOrder Order { get; set; }

    /// <summary>Seconds without a sign of life after which others take this server's jobs, 5 to 600. How long a job runs does not matter.</summary>
    public int LeaseSeconds { get; set; } = 15;

    /// <summary>Milliseconds between two looks for work when nobody wakes the server, 50 to 60,000.</summary>
    public int PollMilliseconds { get; set; } = 1000;

    /// <summary>Seconds that running jobs have to finish when the server stops, 0 to 3,600; then their tokens fire and the jobs are returned.</summary>
    public int GraceSeconds { get; set; } = 20;

    /// <summary>Seconds of waiting after which a job counts as one of the next queue up, 0 to 86,400; 0: never.</summary>
    public int AgeingSeconds { get; set; } = 300;

    /// <summary>Seconds after its token fired that a handler has to return before its slot is given to others, 1 to 600.</summary>
    public int StuckSeconds { get; set; } = 30;

    /// <summary>Seconds that a job may wait to be taken after its limit let it in; then its slot goes to others of its key. 5 to 3,600.</summary>
    public int LimitLeaseSeconds { get; set; } = 60;

    /// <summary>False: no LISTEN connection; work is found by polling alone.</summary>
    public bool Listen { get; set; } = true;

    /// <summary>False: rows of jobs that are done are dropped and not kept as history; failed and cancelled ones are always kept.</summary>
    public bool KeepDone { get; set; } = true;

    /// <summary>Days that jobs done or cancelled are kept, 1 to 3,650.</summary>
    public int KeepDays { get; set; } = 30;

    /// <summary>Days that failed jobs are kept that nobody acknowledged, 1 to 3,650; acknowledged ones are kept <see cref="KeepDays"/>.</summary>
    public int KeepFailedDays { get; set; } = 365;

    /// <summary>Kinds that are kept longer or shorter than the others; each kind once.</summary>
    public IList<JobRetention> Retention { get; set; } = [];

    /// <summary>From which figures on alarms are raised.</summary>
    public JobAlarmOptions Alarms { get; set; } = new();

    /// <summary>Every value that is out of range, as sentences that name key, value and what is allowed; empty when all is well.</summary>
    /// <param name="section">What stands before a key, for example <c>Jobs</c>.</param>
    public IReadOnlyList<string> Validate(string section = "Jobs")
    {
        var faults = new List<string>();
        Length(faults, $"{section}:ServerName", ServerName);
        Length(faults, $"{section}:Role", Role);
        Length(faults, $"{section}:Release", Release);
        Range(faults, $"{section}:ReleaseNumber", ReleaseNumber, 0, long.MaxValue);
        Range(faults, $"{section}:Slots", Slots, 1, 256);
        Range(faults, $"{section}:LeaseSeconds", LeaseSeconds, 5, 600);
        Range(faults, $"{section}:PollMilliseconds", PollMilliseconds, 50, 60_000);
        Range(faults, $"{section}:GraceSeconds", GraceSeconds, 0, 3600);
        Range(faults, $"{section}:AgeingSeconds", AgeingSeconds, 0, 86_400);
        Range(faults, $"{section}:StuckSeconds", StuckSeconds, 1, 600);
        Range(faults, $"{section}:LimitLeaseSeconds", LimitLeaseSeconds, 5, 3600);
        Range(faults, $"{section}:KeepDays", KeepDays, 1, 3650);
        Range(faults, $"{section}:KeepFailedDays", KeepFailedDays, 1, 3650);
        ValidateQueues(faults, section);
        ValidateRetention(faults, section);
        faults.AddRange(Alarms.Faults($"{section}:Alarms"));
        return faults;
    }

    private void ValidateRetention(List<string> faults, string section)
    {
        var kinds = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at < Retention.Count; at++)
        {
            var rule = Retention[at];
            var key = $"{section}:Retention:{at}";
            if (!JobNames.KindForm().IsMatch(rule.Kind))
                faults.Add($"{key}:Kind is '{rule.Kind}'; it must be a kind: 3 to 100 lower case letters, digits, dots and hyphens.");
            else if (!kinds.Add(rule.Kind))
                faults.Add($"{key}:Kind is '{rule.Kind}', which stands further up already; each kind is listed once.");
            foreach (var (name, days) in new[] { ("DoneDays", rule.DoneDays), ("CancelledDays", rule.CancelledDays), ("FailedDays", rule.FailedDays) })
            {
                if (days is { } value)
                    Range(faults, $"{key}:{name}", value, 1, 3650);
            }
        }
    }

    private void ValidateQueues(List<string> faults, string section)
    {
        if (Queues.Count is 0 or > 32)
            faults.Add($"{section}:Queues has {Queues.Count} entries; it must have 1 to 32.");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at < Queues.Count; at++)
        {
            var queue = Queues[at];
            var key = $"{section}:Queues:{at}";
            if (!JobNames.QueueForm().IsMatch(queue.Name))
                faults.Add($"{key}:Name is '{queue.Name}'; it must be 1 to 50 lower case letters, digits and hyphens, and begin with a letter.");
            else if (!names.Add(queue.Name))
                faults.Add($"{key}:Name is '{queue.Name}', which stands further up already; each queue is listed once.");
            Range(faults, $"{key}:ReservedSlots", queue.ReservedSlots, 0, Slots);
            Range(faults, $"{key}:Weight", queue.Weight, 1, 1000);
            if (queue.TargetSeconds is { } target)
                Range(faults, $"{key}:TargetSeconds", target, 1, 604_800);
            if (queue.MaxSlots is { } most)
                Range(faults, $"{key}:MaxSlots", most, Math.Max(1, queue.ReservedSlots), Math.Max(1, Slots));
        }
        var reserved = Queues.Sum(queue => (long)queue.ReservedSlots);
        if (reserved > Slots)
            faults.Add($"{section}:Queues reserve {reserved} slots in all; {section}:Slots is {Slots}, and no more than that can be reserved.");
        else if (reserved == Slots && Slots > 0 && Queues.FirstOrDefault(queue => queue.ReservedSlots == 0) is { } starved)
            faults.Add($"{section}:Queues reserve all {Slots} slots, so '{starved.Name}' would never run; leave at least one slot unreserved.");
    }

    private static void Length(List<string> faults, string key, string value)
    {
        if (value.Length is 0 or > 100 || value.Contains('\0', StringComparison.Ordinal))
            faults.Add($"{key} has {value.Length} characters; it must have 1 to 100, none of them NUL.");
    }

    private static void Range(List<string> faults, string key, long value, long lowest, long highest)
    {
        if (value < lowest || value > highest)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{key} is {value}; it must be {lowest} to {highest}."));
    }
}

/// <summary>This start of this server, as its rows and statements name it.</summary>
internal sealed record ServerIdentity(
    Guid Id, string Name, string Release, long ReleaseNumber, string[] Kinds, int[] Versions, double AgeingSeconds, bool KeepDone)
{
    public static ServerIdentity Make(JobServerOptions options, JobRegistry registry)
    {
        var runnable = registry.Kinds.Where(kind => kind.Run is not null).SelectMany(kind => kind.Names, (kind, name) => (Name: name, kind.Version)).ToList();
        return new ServerIdentity(
            Guid.CreateVersion7(), options.ServerName, options.Release, options.ReleaseNumber, runnable.ConvertAll(kind => kind.Name).ToArray(),
            runnable.ConvertAll(kind => kind.Version).ToArray(), options.AgeingSeconds, options.KeepDone);
    }
}
