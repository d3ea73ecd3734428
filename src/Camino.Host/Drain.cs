using Camino.Host.Configuration;

namespace Camino.Host;

/// <summary>
/// Behind a load balancer: between SIGTERM and closing the doors. Readiness fails at once, and for so long requests are still taken, until the balancer has seen it; whoever
/// closes at once turns away what was sent in that moment.
/// </summary>
internal sealed class Drain(HostSettings settings, TimeProvider clock) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromSeconds(settings.Web.DrainSeconds), clock, cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
