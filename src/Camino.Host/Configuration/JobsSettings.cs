using Camino.Jobs;

namespace Camino.Host.Configuration;

/// <summary>How long jobs of one kind are kept when they are over; 0: as <c>Jobs:KeepDays</c> and <c>Jobs:KeepFailedDays</c> say.</summary>
public sealed class RetentionSettings
{
    [Needed]
    [Matching("^[a-z][a-z0-9.-]{2,99}$", "a kind: 3 to 100 small letters, digits, dots and hyphens")]
    public string Kind { get; set; } = "";

    [Between(0, 3650)]
    public int DoneDays { get; set; }

    [Between(0, 3650)]
    public int CancelledDays { get; set; }

    [Between(0, 3650)]
    public int FailedDays { get; set; }
}

/// <summary>From which figures on the queue raises alarms.</summary>
public sealed class AlarmSettings
{
    /// <summary>Seconds that the oldest transaction may be open.</summary>
    [Between(10, 86_400)]
    public int HorizonSeconds { get; set; } = 600;

    /// <summary>Dead rows of one table of the queue.</summary>
    [Between(1_000, 100_000_000)]
    public int DeadTuples { get; set; } = 200_000;

    /// <summary>Megabytes that an index of waiting jobs takes beyond what its rows need.</summary>
    [Between(1, 100_000)]
    public int BloatMegabytes { get; set; } = 256;

    /// <summary>Attempts of a queue that failed and are made again within five minutes, when they are more than those that were done.</summary>
    [Between(10, 1_000_000)]
    public int RetriesInFiveMinutes { get; set; } = 100;
}

/// <summary>Another time for a recurring entry of this release or, with a kind, a further entry. What is left out stays as the release has it.</summary>
public sealed class RecurringSettings
{
    [Needed]
    [Matching("^[a-z][a-z0-9.-]{2,99}$", "3 to 100 small letters, digits, dots and hyphens")]
    public string Name { get; set; } = "";

    /// <summary>A registered kind: makes this a further entry.</summary>
    public string? Kind { get; set; }

    /// <summary>Its arguments, JSON as a text.</summary>
    public string? Args { get; set; }

    /// <summary>Five fields, or six with seconds first.</summary>
    public string? Cron { get; set; }

    /// <summary>IANA name.</summary>
    public string? Zone { get; set; }

    public string? Calendar { get; set; }

    public JobClosedDay? Closed { get; set; }

    public JobMisfire? Misfire { get; set; }

    [Between(1, 44_640)]
    public int? WindowMinutes { get; set; }

    public JobOverlap? Overlap { get; set; }

    public bool? Enabled { get; set; }

    public string? Queue { get; set; }
}
