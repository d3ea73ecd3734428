using System.Diagnostics;

namespace Camino.Jobs;

/// <summary>One job, checked and encoded, not yet stored: its id is known before its row exists.</summary>
public sealed record NewJob
{
    /// <summary>The most jobs that one may name to wait for.</summary>
    public const int MostAfter = 1000;

    /// <summary>The most tags of one job.</summary>
    public const int MostTags = 10;

    private NewJob()
    {
    }

    /// <summary>Version 7, made here; a unique key may answer with the id of a job that is already there.</summary>
    public required Guid Id { get; init; }

    /// <summary>Stable kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Payload version, from 1.</summary>
    public required int Version { get; init; }

    /// <summary>The queue it goes to.</summary>
    public required string Queue { get; init; }

    /// <summary>Attempts in all, 1 to 100.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>The arguments as JSON, at most 64 KB.</summary>
    public required string Args { get; init; }

    /// <summary>Not before this time; null for at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Pointless after this time; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>At most one job of the kind has this key while <see cref="UniqueScope"/> lasts.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>How long the key stays taken.</summary>
    public JobUnique UniqueScope { get; init; }

    /// <summary>How long, with <see cref="JobUnique.Within"/>.</summary>
    public TimeSpan? UniqueFor { get; init; }

    /// <summary>What a waiting holder of the key takes over.</summary>
    public JobReplace Replace { get; init; }

    /// <summary>The user who asked.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>W3C trace context of the asking activity.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The jobs it waits for, without doubles.</summary>
    public IReadOnlyList<Guid> After { get; init; } = [];

    /// <summary>Which end of theirs lets it go on.</summary>
    public JobEnd AfterEnd { get; init; }

    /// <summary>The bound that it shares with others.</summary>
    public JobLimit? Limit { get; init; }

    /// <summary>Words to find it by, without doubles.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The job whose handler asked for this one; null where no job did.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>The tick that it stands for, of a recurring entry.</summary>
    internal DateTimeOffset? PlannedAt { get; init; }

    /// <summary>It is the end job of a batch: its edges come in bulk.</summary>
    internal bool EndsBatch { get; init; }

    /// <summary>It waits for something else than time.</summary>
    internal bool IsHeld => After.Count > 0 || EndsBatch || Limit is not null;

    /// <summary>It has rows beside its own.</summary>
    internal bool HasMore => IsHeld || Tags.Count > 0 || ParentId is not null;

    /// <summary>It can only be stored alone: its key is not one that a group's statement knows.</summary>
    internal bool GoesAlone => UniqueKey is not null && (UniqueScope != JobUnique.UntilDone || Replace != JobReplace.None);

    /// <summary>Checks and encodes one job; the trace goes on from <see cref="Activity.Current"/>, the lineage from the run whose handler this is.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public static NewJob Create<TArgs>(TArgs args, JobOptions? options = null)
        where TArgs : IJobArgs
    {
        ArgumentNullException.ThrowIfNull(args);
        var kind = Described<TArgs>.Kind;
        return Create(kind, JobJson.Encode(args, typeof(TArgs), $"Arguments of '{kind.Name}'"), options);
    }

    internal static NewJob Create(JobKind kind, string args, JobOptions? options)
    {
        Check(options ??= new JobOptions());
        return new NewJob
        {
            Id = Guid.CreateVersion7(),
            Kind = kind.Name,
            Version = kind.Version,
            Queue = options.Queue is { } queue ? JobNames.Queue(queue, "Queue") : kind.Queue,
            MaxAttempts = options.MaxAttempts ?? kind.Retry.Attempts,
            Args = args,
            DueAt = options.DueAt,
            ExpiresAt = options.ExpiresAt,
            UniqueKey = JobNames.Text(options.UniqueKey, "UniqueKey", JobNames.LongestKey),
            UniqueScope = options.UniqueScope,
            UniqueFor = options.UniqueFor,
            Replace = options.Replace,
            RequestedBy = JobNames.Text(options.RequestedBy, "RequestedBy", JobNames.LongestUser),
            TraceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null,
            After = options.After.Count == 0 ? [] : [.. options.After.Distinct()],
            AfterEnd = options.AfterEnd,
            Limit = options.Limit,
            Tags = options.Tags.Count == 0 ? [] : [.. options.Tags.Distinct(StringComparer.Ordinal)],
            ParentId = JobRun.Current?.JobId,
        };
    }

    private static void Check(JobOptions options)
    {
        if (options.MaxAttempts is < 1 or > 100)
            throw new ArgumentException($"MaxAttempts is {options.MaxAttempts}; it must be 1 to 100.", nameof(options));
        if (options is { ExpiresAt: { } expires, DueAt: { } due } && expires <= due)
            throw new ArgumentException($"ExpiresAt is {expires:O}, DueAt is {due:O}; a job must be due before it expires.", nameof(options));
        if (options.UniqueKey is null && (options.UniqueScope != JobUnique.UntilDone || options.UniqueFor is not null || options.Replace != JobReplace.None))
            throw new ArgumentException("UniqueScope, UniqueFor or Replace is set without a UniqueKey; they say something about a key.", nameof(options));
        if ((options.UniqueScope == JobUnique.Within) != (options.UniqueFor is not null))
            throw new ArgumentException($"UniqueScope is {options.UniqueScope} and UniqueFor {(options.UniqueFor is null ? "is missing" : "is set")}; Within needs it, and only Within.", nameof(options));
        if (options.UniqueFor is { } unique && (unique < TimeSpan.FromSeconds(1) || unique > TimeSpan.FromDays(366)))
            throw new ArgumentException($"UniqueFor is {unique}; it must be 1 second to 366 days.", nameof(options));
        if (options.After.Count > MostAfter)
            throw new ArgumentException($"After names {options.After.Count} jobs; at most {MostAfter} are allowed. Enqueue more as a batch.", nameof(options));
        if (options.Tags.Count > MostTags)
            throw new ArgumentException($"Tags has {options.Tags.Count} entries; at most {MostTags} are allowed.", nameof(options));
        foreach (var tag in options.Tags)
            JobNames.Text(tag, "A tag", JobNames.LongestTag);
        if (options.Limit is { } limit)
            Check(limit);
    }

    private static void Check(JobLimit limit)
    {
        JobNames.Text(limit.Key, "Limit.Key", JobNames.LongestKey);
        if (limit is { AtOnce: null, Rate: null })
            throw new ArgumentException("Limit names neither AtOnce nor Rate; it must name one of them.", nameof(limit));
        if (limit.AtOnce is < 1 or > 10_000)
            throw new ArgumentException($"Limit.AtOnce is {limit.AtOnce}; it must be 1 to 10000.", nameof(limit));
        if (limit.Rate is < 1 or > 10_000)
            throw new ArgumentException($"Limit.Rate is {limit.Rate}; it must be 1 to 10000.", nameof(limit));
        if ((limit.Rate is null) != (limit.Period is null))
            throw new ArgumentException("Limit.Rate and Limit.Period belong together: so many starts in such a time.", nameof(limit));
        if (limit.Period is { } period && (period < TimeSpan.FromSeconds(1) || period > TimeSpan.FromDays(1)))
            throw new ArgumentException($"Limit.Period is {period}; it must be 1 second to 1 day.", nameof(limit));
    }

    /// <summary>Checked once for each type, not once for each job.</summary>
    private static class Described<TArgs>
        where TArgs : IJobArgs
    {
        private static readonly Lazy<JobKind> Checked = new(JobRegistry.Describe<TArgs>, LazyThreadSafetyMode.PublicationOnly);

        public static JobKind Kind => Checked.Value;
    }
}
