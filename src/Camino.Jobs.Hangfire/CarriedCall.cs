using Hangfire;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.States;

namespace Camino.Jobs.Hangfire;

/// <summary>The one method that Hangfire calls, for a job of any kind. Its name, and that of its type, stand in Hangfire's storage: they are never renamed.</summary>
public sealed class CarriedCall
{
    private readonly HangfireCarrier? _carrier;

    /// <summary>For the dashboard, which only reads about it.</summary>
    public CarriedCall()
    {
    }

    internal CarriedCall(HangfireCarrier carrier) => _carrier = carrier;

    /// <summary>Runs one job of Camino, when it is to be had.</summary>
    /// <param name="jobId">The id of Camino's row.</param>
    /// <param name="kind">Its kind, for the dashboard.</param>
    /// <param name="queue">The queue's name in Hangfire.</param>
    /// <param name="context">Hangfire's own.</param>
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Fail)]
    [Queue("{2}")]
    [CarriedState]
    [JobDisplayName("{1}")]
    public Task RunAsync(string jobId, string kind, string queue, PerformContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var carrier = _carrier ?? throw new InvalidOperationException("This process works no queue.");
        return carrier.RunAsync(Guid.Parse(jobId), kind, context);
    }
}

/// <summary>A failed attempt was the last; the job is kept as failed.</summary>
public sealed class CarriedJobFailedException(string error) : Exception(error);

/// <summary>What becomes of Hangfire's job when Camino's is not simply done: the run says it in the items of its context.</summary>
public sealed class CarriedStateAttribute : JobFilterAttribute, IElectStateFilter
{
    internal const string Key = "camino.state";

    /// <inheritdoc/>
    public void OnStateElection(ElectStateContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.CandidateState is SucceededState && context.CustomData is { } items && items.TryGetValue(Key, out var next) && next is IState state)
            context.CandidateState = state;
    }
}
