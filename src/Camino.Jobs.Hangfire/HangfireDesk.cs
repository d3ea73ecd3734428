using Hangfire;
using Hangfire.States;
using Npgsql;

namespace Camino.Jobs.Hangfire;

/// <summary>What the dashboard's buttons do, for tests.</summary>
internal static class HangfireDesk
{
    /// <summary>As the button "requeue" does.</summary>
    public static void Requeue(NpgsqlDataSource source, long number) =>
        new BackgroundJobClient(new HangfireStorage(source, new JobClientOptions()).Storage).ChangeState(FormattableString.Invariant($"{number}"), new EnqueuedState(), FailedState.StateName);
}
