using System.Text.Json;

namespace Camino.Jobs;

/// <summary>What becomes of moments that passed while no server was there to act on them (more than a minute ago).</summary>
public enum JobMisfire
{
    /// <summary>Nothing: the next moment is waited for.</summary>
    Skip,

    /// <summary>The latest of them is made up for.</summary>
    Once,

    /// <summary>All of them that lie within <see cref="JobSchedule.Window"/> are made up for, at most 1,000 at a time.</summary>
    All,
}

/// <summary>What happens when the job of the moment before still waits or runs.</summary>
public enum JobOverlap
{
    /// <summary>This moment is left out, and noted as such.</summary>
    Skip,

    /// <summary>Its job waits until the one before is over.</summary>
    Wait,

    /// <summary>Both run.</summary>
    Allow,
}

/// <summary>What happens to a moment on a day on which the calendar is closed.</summary>
public enum JobClosedDay
{
    /// <summary>It is left out.</summary>
    Skip,

    /// <summary>It moves to the same time of the next open day.</summary>
    Next,

    /// <summary>It moves to the same time of the open day before.</summary>
    Previous,
}

/// <summary>A job that comes again and again.</summary>
public sealed record JobSchedule
{
    /// <summary>Stable name, shown to staff: lower case letters, digits, dots and hyphens, 3 to 100 characters.</summary>
    public required string Name { get; init; }

    /// <summary>When, in <see cref="Zone"/>.</summary>
    public required Cron Cron { get; init; }

    /// <summary>The zone of the cron expression.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>A calendar of business days by its name; null for every day.</summary>
    public string? Calendar { get; init; }

    /// <summary>What happens on days on which it is closed.</summary>
    public JobClosedDay Closed { get; init; }

    public JobMisfire Misfire { get; init; } = JobMisfire.Once;

    /// <summary>How far back <see cref="JobMisfire.All"/> makes up for, 1 minute to 31 days.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromDays(1);

    public JobOverlap Overlap { get; init; }

    /// <summary>False: it is listed and fires only by hand.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Another queue than the kind's own.</summary>
    public string? Queue { get; init; }

    internal string Kind { get; init; } = "";

    internal int Version { get; init; } = 1;

    internal int MaxAttempts { get; init; } = 1;

    internal string Args { get; init; } = "{}";

    /// <summary>The first moment after another, moved or left out by the calendar; null when there is none.</summary>
    /// <param name="isOpen">Whether the calendar is open on a day; null for every day.</param>
    public DateTimeOffset? Next(DateTimeOffset after, Func<DateOnly, bool>? isOpen)
    {
        if (isOpen is null)
            return Cron.Next(after, Zone);
        // A moment moves by a month at most; what is looked at reaches as far to both sides.
        DateTimeOffset? best = null;
        var from = Closed == JobClosedDay.Skip ? after : after - MostMoved;
        for (var tries = 0; tries < MostClosed && Cron.Next(from, Zone) is { } raw; tries++)
        {
            if (Closed != JobClosedDay.Skip && best is { } found && raw - MostMoved > found)
                return best;
            if (Moved(raw, isOpen) is { } moved && moved > after && (best is null || moved < best))
            {
                best = moved;
                if (Closed == JobClosedDay.Skip)
                    return best;
            }
            from = raw;
        }
        return best;
    }

    private static readonly TimeSpan MostMoved = TimeSpan.FromDays(32);

    /// <summary>More moments in a row than these on closed days: it never fires.</summary>
    private const int MostClosed = 20_000;

    private DateTimeOffset? Moved(DateTimeOffset raw, Func<DateOnly, bool> isOpen)
    {
        var local = TimeZoneInfo.ConvertTime(raw, Zone);
        var day = DateOnly.FromDateTime(local.DateTime);
        if (isOpen(day))
            return raw;
        if (Closed == JobClosedDay.Skip)
            return null;
        for (var moved = 1; moved <= 31; moved++)
        {
            var other = day.AddDays(Closed == JobClosedDay.Next ? moved : -moved);
            if (isOpen(other))
                return At(other.ToDateTime(TimeOnly.FromDateTime(local.DateTime)));
        }
        return null;
    }

    private DateTimeOffset At(DateTime local) =>
        Zone.IsInvalidTime(local) ? new DateTimeOffset(local.AddHours(1), Zone.GetUtcOffset(local.AddHours(1))) : new DateTimeOffset(local, Zone.GetUtcOffset(local));
}

/// <summary>The recurring jobs of this release, listed in code and, as far as times are concerned, overridden by the configuration.</summary>
public sealed class JobSchedules
{
    private readonly Dictionary<string, JobSchedule> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<DateOnly, bool>> _calendars = new(StringComparer.Ordinal);

    /// <summary>All entries.</summary>
    public IReadOnlyCollection<JobSchedule> Entries => _entries.Values;

    /// <summary>Adds a calendar of business days.</summary>
    /// <param name="name">As entries name it.</param>
    /// <param name="isOpen">Whether a day is one of them.</param>
    public JobSchedules Calendar(string name, Func<DateOnly, bool> isOpen)
    {
        _calendars[JobNames.Kind(name, "calendar")] = isOpen;
        return this;
    }

    /// <summary>Adds a recurring job; what to run stands in code, when it runs may be overridden.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed; also for a name that is there already.</exception>
    public JobSchedules Add<TArgs>(string name, TArgs args, string cron, Func<JobSchedule, JobSchedule>? change = null)
        where TArgs : IJobArgs
    {
        var job = NewJob.Create(args);
        var entry = new JobSchedule { Name = JobNames.Kind(name, "name"), Cron = Cron.Parse(cron) };
        entry = (change?.Invoke(entry) ?? entry) with { Name = entry.Name, Kind = job.Kind, Version = job.Version, MaxAttempts = job.MaxAttempts, Args = job.Args };
        entry = entry with { Queue = entry.Queue is null ? job.Queue : JobNames.Queue(entry.Queue, $"{name}: Queue") };
        Check(entry);
        return _entries.TryAdd(name, entry) ? this : throw new ArgumentException($"The recurring entry '{name}' is listed twice.", nameof(name));
    }

    /// <summary>Adds an entry that the configuration alone names: any registered kind, its arguments as JSON.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public JobSchedules AddListed(JobScheduleOptions options, JobRegistry registry)
    {
        var kind = registry.Find(options.Kind ?? "")
            ?? throw new ArgumentException($"{options.Name}: Kind is '{options.Kind}'; known are {string.Join(", ", registry.Kinds.Select(one => one.Name))}.", nameof(options));
        object? args;
        try
        {
            args = JsonSerializer.Deserialize(options.Args ?? "{}", kind.ArgsType, JobJson.Options);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"{options.Name}: Args cannot be read as those of '{kind.Name}': {e.Message}", nameof(options), e);
        }
        var job = NewJob.Create(kind, JobJson.Encode(args, kind.ArgsType, $"{options.Name}: Args"), options: null);
        var entry = Changed(new JobSchedule
        {
            Name = JobNames.Kind(options.Name, "Name"),
            Cron = Cron.Parse(options.Cron ?? throw new ArgumentException($"{options.Name}: Cron is missing.", nameof(options))),
            Kind = job.Kind,
            Version = job.Version,
            MaxAttempts = job.MaxAttempts,
            Args = job.Args,
            Queue = job.Queue,
        }, options);
        Check(entry);
        return _entries.TryAdd(entry.Name, entry) ? this : throw new ArgumentException($"The recurring entry '{entry.Name}' is listed twice.", nameof(options));
    }

    /// <summary>Takes what the configuration says about an entry: another time, or one of its own.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public JobSchedules Configure(IEnumerable<JobScheduleOptions> options, JobRegistry registry)
    {
        foreach (var one in options)
        {
            if (one.Kind is not null)
            {
                AddListed(one, registry);
                continue;
            }
            if (!_entries.TryGetValue(one.Name, out var entry))
                throw new ArgumentException($"Name is '{one.Name}'; without a Kind it must be an entry of this release: {string.Join(", ", _entries.Keys.Order(StringComparer.Ordinal))}.", nameof(options));
            entry = Changed(entry, one);
            Check(entry);
            _entries[one.Name] = entry;
        }
        return this;
    }

    /// <summary>Refuses what can never fire.</summary>
    /// <param name="now">From when on.</param>
    /// <exception cref="InvalidOperationException">names the entry, its cron expression and its calendar.</exception>
    public void CheckFire(DateTimeOffset now)
    {
        foreach (var entry in _entries.Values)
        {
            if (entry.Next(now, CalendarOf(entry)) is null)
                throw new InvalidOperationException($"The recurring entry '{entry.Name}' ({entry.Cron}{(entry.Calendar is null ? "" : $", calendar {entry.Calendar}")}) can never fire.");
        }
    }

    internal Func<DateOnly, bool>? CalendarOf(JobSchedule entry) => entry.Calendar is null ? null : _calendars[entry.Calendar];

    internal JobSchedule? Find(string name) => _entries.GetValueOrDefault(name);

    private static JobSchedule Changed(JobSchedule entry, JobScheduleOptions options) => entry with
    {
        Cron = options.Cron is null ? entry.Cron : Cron.Parse(options.Cron),
        Zone = options.Zone is null ? entry.Zone : ZoneNamed(options.Zone, entry.Name),
        Calendar = options.Calendar ?? entry.Calendar,
        Closed = options.Closed ?? entry.Closed,
        Misfire = options.Misfire ?? entry.Misfire,
        Window = options.WindowMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : entry.Window,
        Overlap = options.Overlap ?? entry.Overlap,
        Enabled = options.Enabled ?? entry.Enabled,
        Queue = options.Queue is null ? entry.Queue : JobNames.Queue(options.Queue, $"{entry.Name}: Queue"),
    };

    private void Check(JobSchedule entry)
    {
        if (entry.Window < TimeSpan.FromMinutes(1) || entry.Window > TimeSpan.FromDays(31))
            throw new ArgumentException($"{entry.Name}: Window is {entry.Window}; it must be 1 minute to 31 days.", nameof(entry));
        if (entry.Calendar is not null && !_calendars.ContainsKey(entry.Calendar))
            throw new ArgumentException($"{entry.Name}: Calendar is '{entry.Calendar}'; known are {(_calendars.Count == 0 ? "none" : string.Join(", ", _calendars.Keys.Order(StringComparer.Ordinal)))}.", nameof(entry));
        if (entry is { Calendar: not null, Closed: not JobClosedDay.Skip, Cron.Repeats: true })
            throw new ArgumentException($"{entry.Name}: Closed is {entry.Closed} with '{entry.Cron}', which repeats within the day; only single times of a day are moved.", nameof(entry));
    }

    internal static TimeZoneInfo ZoneNamed(string name, string entry)
    {
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            throw new ArgumentException($"{entry}: Zone is '{name}'; it must be a zone of this machine, for example America/New_York.", nameof(name), e);
        }
    }
}

/// <summary>What the configuration says about a recurring entry; null leaves what the code says.</summary>
public sealed class JobScheduleOptions
{
    /// <summary>The entry.</summary>
    public string Name { get; set; } = "";

    /// <summary>With it, a further entry of any registered kind; without, what follows changes an entry of the release.</summary>
    public string? Kind { get; set; }

    /// <summary>Arguments as JSON, with <see cref="Kind"/>.</summary>
    public string? Args { get; set; }

    public string? Cron { get; set; }

    /// <summary>IANA name of the time zone.</summary>
    public string? Zone { get; set; }

    public string? Calendar { get; set; }

    public JobClosedDay? Closed { get; set; }

    public JobMisfire? Misfire { get; set; }

    public int? WindowMinutes { get; set; }

    public JobOverlap? Overlap { get; set; }

    public bool? Enabled { get; set; }

    public string? Queue { get; set; }
}
