using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Camino.Jobs;

/// <summary>
/// What brings a server its jobs and takes their ends: this engine's own <see cref="Claimer"/>, or another engine that stands behind the same contract. Everything else of a
/// server (registration, signs of life, fence, rescue, schedules, limits, alarms) is the same whoever carries.
/// </summary>
internal interface IJobCarrier : IDisposable
{
    /// <summary>Jobs that run now.</summary>
    int Running { get; }

    /// <summary>When the database last answered, by the process's clock; null before the first time.</summary>
    DateTimeOffset? LastAnswerAt { get; }

    /// <summary>From now on jobs are taken in the name of this start.</summary>
    void Begin(ServerIdentity me);

    /// <summary>Something may be there to take; null: in any queue.</summary>
    void Hint(string? queue);

    /// <summary>True: takes nothing until it is told false.</summary>
    void Fence(bool fenced);

    /// <summary>Takes no more from now on; what was taken and not begun goes back.</summary>
    void Drain();

    /// <summary>All that was taken under this name belongs to others.</summary>
    /// <returns>How many runs were told so.</returns>
    int Lose(ServerIdentity lost);

    /// <summary>Fires the token of a run, or ends what was taken and not begun.</summary>
    void Cancel(CancelWish wish);

    /// <summary>Fires the token of every run.</summary>
    void StopRuns(StopReason reason);

    List<JobRun> Runs();

    /// <summary>The ids of all that was taken and is not over.</summary>
    Guid[] Holds();

    /// <summary>Once a second: timeouts, handlers that do not return, reports that are not stored yet.</summary>
    Task TickAsync(CancellationToken ct);

    /// <summary>Runs until the server drains, nothing runs and every end is stored.</summary>
    Task LoopAsync(CancellationToken abandon);
}

/// <summary>What a carrier is made of.</summary>
internal sealed record CarrierParts(
    JobStore Store, JobServerOptions Options, JobRegistry Registry, IServiceScopeFactory Scopes, JobMetrics Metrics, TimeProvider Time, Releaser Releaser, ILogger Logger);

/// <summary>Makes another carrier than the engine's own; a service of the host.</summary>
internal interface IJobCarrierFactory
{
    IJobCarrier Make(CarrierParts parts);
}
