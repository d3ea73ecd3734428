using System.Diagnostics;

namespace Camino.Jobs;

/// <summary>One job, checked and encoded, not yet stored: its id is known before its row exists.</summary>
public sealed record NewJob
{
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

    /// <summary>At most one live job of the kind has this key.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The user who asked.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>W3C trace context of the asking activity.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Checks and encodes one job; the trace goes on from <see cref="Activity.Current"/>.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public static NewJob Create<TArgs>(TArgs args, JobOptions? options = null)
        where TArgs : IJobArgs
    {
        ArgumentNullException.ThrowIfNull(args);
        if (options?.MaxAttempts is < 1 or > 100)
            throw new ArgumentException($"MaxAttempts is {options.MaxAttempts}; it must be 1 to 100.", nameof(options));
        if (options is { ExpiresAt: { } expires, DueAt: { } due } && expires <= due)
            throw new ArgumentException($"ExpiresAt is {expires:O}, DueAt is {due:O}; a job must be due before it expires.", nameof(options));

        var kind = Described<TArgs>.Kind;
        return new NewJob
        {
            Id = Guid.CreateVersion7(),
            Kind = kind.Name,
            Version = kind.Version,
            Queue = options?.Queue is { } queue ? JobNames.Queue(queue, "Queue") : kind.Queue,
            MaxAttempts = options?.MaxAttempts ?? kind.Retry.Attempts,
            Args = JobJson.Encode(args, typeof(TArgs), $"Arguments of '{kind.Name}'"),
            DueAt = options?.DueAt,
            ExpiresAt = options?.ExpiresAt,
            UniqueKey = JobNames.Text(options?.UniqueKey, "UniqueKey", JobNames.LongestKey),
            RequestedBy = JobNames.Text(options?.RequestedBy, "RequestedBy", JobNames.LongestUser),
            TraceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null,
        };
    }

    /// <summary>Checked once for each type, not once for each job.</summary>
    private static class Described<TArgs>
        where TArgs : IJobArgs
    {
        private static readonly Lazy<JobKind> Checked = new(JobRegistry.Describe<TArgs>, LazyThreadSafetyMode.PublicationOnly);

        public static JobKind Kind => Checked.Value;
    }
}
